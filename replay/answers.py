"""The answers of a worker, read: every part is made what it should be, for it is not trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from perftrace.model import Coverage, Ending
from perftrace.replay.process import Ended, Reading
from perftrace.replay.requests import BlockTime, Noticed, Replayed, Request


class Refused(Exception):  # noqa: N818 - an outcome
    """The worker says why it did not make the call."""


def header(request: Request) -> dict[str, Any]:
    """The request as a message says it."""
    return {
        "target": asdict(request.target),
        "kind": request.kind,
        "parameters": [(p.name, p.binding) for p in request.parameters],
        "pull": request.pull,
        "rest": request.rest,
    }


def checked(reply: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """The answer.

    Raises:
        Refused: it is a reason.
    """
    if "reason" in reply:
        raise Refused(str(reply["reason"])[:1000])
    return reply, blobs


def replayed(reply: dict[str, Any], blobs: list[bytes], output: tuple[str, str]) -> Replayed:
    """The outcome.

    Raises:
        Ended: it is none.
    """
    try:
        return Replayed(
            ending=Ending(reply["ending"]),
            result=blobs[0],
            cpu_ns=int(reply["cpu_ns"]),
            wall_ns=int(reply["wall_ns"]),
            stdout=output[0],
            stderr=output[1],
            lines=frozenset(map(int, reply["lines"])),
            reached=int(reply["reached"]),
            implicit=bool(reply["implicit"]),
            own=bool(reply["own"]),
            state=_state(reply["state"], blobs[1:]),
            alike=_alike(reply["alike"]),
            suspended=int(reply["suspended"]),
        )
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise Ended("its reply could not be read") from None


def modules(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and files of modules.

    Raises:
        Ended: they are not.
    """
    try:
        return [(str(name), str(file)) for name, file in reply["modules"]]
    except (LookupError, TypeError, ValueError):
        raise Ended("its reply could not be read") from None


def steady(reply: Mapping[str, Any], calls: int) -> list[bool]:
    """Which of so many calls do the same each time.

    Raises:
        Ended: it does not say.
    """
    found = reply.get("steady")
    if not isinstance(found, list) or len(found) != calls:
        raise Ended("its reply could not be read")
    return [bool(one) for one in found]


def noticed(reply: Mapping[str, Any], calls: int) -> Noticed:
    """Which of so many calls notice a mistake.

    Raises:
        Ended: it does not say.
    """
    try:
        return Noticed(
            frozenset(range(calls)) & frozenset(map(int, reply["noticed"])), bool(reply["spoilt"])
        )
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise Ended("its reply could not be read") from None


def coverage(reply: dict[str, Any]) -> Coverage:
    """What ran of a function.

    Raises:
        Refused: nothing, or it does not say.
    """
    try:
        lines, branches = int(reply["lines"]), int(reply["branches"])
        unreached = tuple(map(int, reply["unreached"]))
        untaken = tuple((int(here), int(there)) for here, there in reply["untaken"])
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise Refused("its reply could not be read") from None
    if not lines:
        raise Refused("it did not run")
    reached = (lines - len(unreached), lines), (branches - len(untaken), branches)
    return Coverage(*reached, unreached, untaken)


def _alike(found: Sequence[Sequence[int]]) -> str:
    """Such as "items 1, 2 are an earlier one again"."""
    words = ("are an earlier one again", "are changed later")
    texts = [
        f"items {', '.join(str(int(place)) for place in places[:5])} {how}"
        for places, how in zip(found, words, strict=True)
        if places
    ]
    return "; ".join(texts)


def _state(names: object, blobs: Sequence[bytes]) -> dict[str, bytes] | None:
    return dict(zip(map(str, names), blobs, strict=True)) if isinstance(names, list) else None


def block_time(reply: dict[str, Any], before: Reading, after: Reading) -> BlockTime:
    """A block's time by the parent's clocks."""
    if before.cpu_ns is not None and after.cpu_ns is not None:
        cpu_ns = after.cpu_ns - before.cpu_ns
    else:
        cpu_ns = int(reply["cpu_ns"])
    return BlockTime(cpu_ns, after.wall_ns - before.wall_ns, int(reply["calls"]))
