"""What a model is told of a function: its source, what it uses, and what was recorded of it.

One text for each function, the same in every question, so that providers can cache it. What does
not fit is left out in the order of `ORDER`, last first. Values of the program are told only as far
as `Send` says; what looks like a secret is never told.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from perftrace import secret
from perftrace.model import Call, Function
from perftrace.optimizer import patch
from perftrace.optimizer.difference import text_of
from perftrace.optimizer.facts import Facts, Lengths
from perftrace.optimizer.models.pairs import Pair
from perftrace.optimizer.shapes import Shape
from perftrace.replay import recorded
from perftrace.replay.requests import NotReplayed
from perftrace.store import Store

TOKENS = 6_000  # of a context, about
CHARACTERS = 4  # of a token, in code and English text
EXAMPLES = 4  # calls that are shown
WIDTH = 300  # characters of an argument that is shown
DEPTH = 3  # levels of a type that are told


class Send(StrEnum):
    """What of the recorded values is told."""

    NONE = "none"  # nothing: the code, and how often it is called
    SHAPES = "shapes"  # types, sizes, rates
    SAMPLES = "samples"  # also a few calls with their values


# Kept first.
ORDER = ("function", "recorded", "class", "helpers", "names", "accepted", "examples")


@dataclass(frozen=True, slots=True)
class Pack:
    """What is told of a function."""

    text: str
    left_out: tuple[str, ...] = ()  # sections that did not fit, or held what looks like a secret
    unfit: bool = False  # the function's own source holds what looks like a secret


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a function beside its facts."""

    share: float  # of the program's time
    callers: tuple[str, ...]
    examples: tuple[str, ...]  # calls as they would be written, the slowest first
    accepted: tuple[Pair, ...] = ()  # changes of functions like it


def examples(store: Store, calls: Sequence[Call], count: int = EXAMPLES) -> tuple[str, ...]:
    """The slowest recorded call and a few others, as they would be written.

    Raises:
        TraceError: the trace file is damaged.
    """
    ordered = sorted(calls, key=lambda call: -(call.duration_ns or 0))
    found: dict[str, None] = {}
    for call in [*ordered[:1], *ordered[len(ordered) // 2 :], *ordered[1:]]:
        request = recorded.request(store, call)
        if not isinstance(request, NotReplayed):
            found[text_of(request, WIDTH)] = None
        if len(found) == count:
            break
    return tuple(found)


def pack(
    function: Function,
    source: str,
    facts: Facts,
    known: Background,
    send: Send,
    tokens: int = TOKENS,
) -> Pack:
    """All that is told of a function.

    Raises:
        StaleError: the function is not in the source text.
    """
    place = patch.place_of(source, function.qualname, function.line)
    own = _text(source, place.first, place.last)
    if _is_secret(own):
        return Pack("", unfit=True)
    sections = {
        "function": _section(f"The function, {function.qualname}", own),
        "class": "".join(_class(source, place)),
        "helpers": "".join(_helpers(source, place)),
        "names": "".join(_names(source, place)),
        "recorded": "\n".join(["## What was recorded", *_recorded(facts, known, send), ""]),
        "accepted": "".join(_accepted(known)),
        "examples": "".join(_examples(known, send)),
    }
    kept: list[str] = []
    left_out: list[str] = []
    room = tokens * CHARACTERS
    for name in ORDER:
        text = sections[name]
        if not text:
            continue
        if _is_secret(text) or (len(text) > room and kept):
            left_out.append(name)
            continue
        room -= len(text)
        kept.append(text)
    return Pack("\n".join(kept), tuple(left_out))


def _is_secret(text: str) -> bool:
    return secret.has_form(text) or any(secret.looks_random(word) for word in _literals(text))


def _literals(text: str) -> Iterator[str]:
    """What stands in quotes: names of one's own are long too."""
    for quote in ('"', "'"):
        yield from (part for line in text.splitlines() for part in line.split(quote)[1::2])


def _text(source: str, first: int, last: int) -> str:
    return "".join(patch.lines_of(source)[first - 1 : last])


def _section(title: str, code: str) -> str:
    return f"## {title}\n\n```python\n{code.rstrip()}\n```\n"


def _class(source: str, place: patch.Place) -> Iterator[str]:
    """The class of a method: its header, its attributes and its `__init__`."""
    owner = place.enclosing[-1] if place.enclosing else None
    if not isinstance(owner, ast.ClassDef):
        return
    lines = [f"class {owner.name}({', '.join(map(ast.unparse, owner.bases))}):"]
    for node in owner.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            lines.append(f"    {ast.unparse(node)}")
        elif isinstance(node, ast.FunctionDef) and node.name in {"__init__", "__post_init__"}:
            lines.append(_text(source, node.lineno, node.end_lineno or node.lineno).rstrip())
    yield _section("Its class, shortened", "\n".join(lines))


def _used(place: patch.Place) -> set[str]:
    names = {node.id for node in ast.walk(place.node) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(place.node) if isinstance(node, ast.Attribute)}
    return names | attributes


def _helpers(source: str, place: patch.Place) -> Iterator[str]:
    """The functions of the same file that it calls."""
    used = _used(place)
    for other in patch.places(source):
        if other.node.name in used and other.first != place.first and len(other.enclosing) < 2:
            yield _section(f"It uses {other.qualname}", _text(source, other.first, other.last))


def _names(source: str, place: patch.Place) -> Iterator[str]:
    """The imports and constants of the module that it uses."""
    used = _used(place)
    lines = []
    for node in patch.tree_of(source).body:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                if any((one.asname or one.name).partition(".")[0] in used for one in names):
                    lines.append(ast.unparse(node))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                if name in used:
                    lines.append(ast.unparse(node)[:WIDTH])
            case _:
                pass
    if lines:
        yield _section("Names of its module", "\n".join(lines))


def _recorded(facts: Facts, known: Background, send: Send) -> Iterator[str]:
    yield f"- It takes {known.share:.1%} of the program's time."
    if known.callers:
        yield f"- Called by {', '.join(known.callers)}."
    if facts.calls:
        different = f"{facts.distinct:,} of {facts.calls:,} recorded calls have other arguments"
        yield f"- {different} than those before them."
    if send is Send.NONE:
        return
    for name, parameter in facts.parameters.items():
        words = [f"`{name}`: {shape_text(parameter.shape)}"]
        words += [_lengths(parameter.lengths)] if parameter.lengths else []
        words += ["changed by some calls"] if parameter.mutated else []
        yield f"- {', '.join(words)}"
    if facts.result.types:
        yield f"- Result: {shape_text(facts.result)}"
    if facts.exceptions:
        raised = ", ".join(f"{name} ({count})" for name, count in _sorted(facts.exceptions))
        yield f"- Raised: {raised}"


def _sorted(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _lengths(lengths: Lengths) -> str:
    return f"length {lengths.low:,} to {lengths.high:,}, median {lengths.median:,}"


def shape_text(shape: Shape | None, depth: int = DEPTH) -> str:
    """The types in a shape: "list[tuple[str, int]]"."""
    if shape is None or not shape.types:
        return "?"
    name = " | ".join(sorted(shape.types))
    if not depth:
        return name
    if shape.parts is not None:
        return f"{name}[{', '.join(shape_text(part, depth - 1) for part in shape.parts)}]"
    inside = [part for part in (shape.items, shape.values) if part is not None]
    return (
        f"{name}[{', '.join(shape_text(part, depth - 1) for part in inside)}]" if inside else name
    )


def _accepted(known: Background) -> Iterator[str]:
    """Changes of this program that were verified and measured."""
    for pair in known.accepted:
        name = pair.function.qualname
        yield _section(f"An accepted change of this program: {name} as it was", pair.before)
        yield _section(f"{name} as it is now, {pair.ratio:.1f} times as fast", pair.after)


def _examples(known: Background, send: Send) -> Iterator[str]:
    if send is Send.SAMPLES and known.examples:
        yield _section("Recorded calls, the slowest first", "\n".join(known.examples))
