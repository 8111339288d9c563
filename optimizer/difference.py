"""How two replays of one call differ, and what a call looks like as text."""

import functools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from perftrace import values
from perftrace.model import Binding, Call, Ending, Parameter
from perftrace.replay.canonical import is_atom
from perftrace.replay.compare import Comparison, Different, Same, Unknown, compare
from perftrace.replay.inside.questions import ASKED, VARIABLES
from perftrace.replay.inside.spoken import RECORD, WARNING
from perftrace.replay.inside.surroundings import EARLIER, SHARED
from perftrace.replay.requests import Replayed, Request
from perftrace.replay.tolerance import Tolerance

OPAQUE = b"opaque"  # the mark of a part that equal bytes don't prove equal
WIDTH = 200  # of a call as text

AS_IT_WAS = "left as it was"
NOTHING = "nothing of the kind"
# Names of what a call does, rather than of what it leaves: "log record 3".
DONE = (RECORD, WARNING, "number of ", ASKED, VARIABLES, EARLIER, SHARED)

type State = Mapping[str, bytes]


def differ_in_error(expected: Replayed, got: Replayed) -> Comparison:
    """How another replay of a call differs in which of its operations fails.

    A generated call may make no sense. Then its error stays an error of that type, but where in
    the call it comes up, with what text and after what changes is not promised.
    """
    texts = [_ending_text(one) for one in (expected, got)]
    kinds = [text.partition("(")[0] for text in texts]
    return Same() if kinds[0] == kinds[1] else Different("result", *texts)


def differ(
    call: Call,
    expected: Replayed,
    got: Replayed,
    aliases: Mapping[str, str],
    unsteady: Collection[str] = (),
    tolerance: Tolerance | None = None,
) -> Comparison:
    """How two replays of one call differ.

    What is unsteady outside it is not looked at; floats it returns may differ by the tolerance.
    """
    if expected.ending is not got.ending:
        return Different("result", _ending_text(expected), _ending_text(got))
    results = expected.result, got.result
    found = compare_values(call, *results, expected.ending, aliases, tolerance)
    if isinstance(found, Different):
        return found
    for name in ("stdout", "stderr"):
        texts = getattr(expected, name), getattr(got, name)
        if texts[0] != texts[1]:
            return Different(name, *(repr(_cut(text, *texts)) for text in texts))
    course = _course(expected), _course(got)
    if course[0] != course[1]:
        return Different("its course", *course)
    if not isinstance(found, Same) or expected.state is None or got.state is None:
        return found
    differing = differences_in_state(call, expected.state, got.state, aliases)
    return next((one for name, one in differing if name not in unsteady), Same())


def _course(reply: Replayed) -> str:
    """What can be seen of a call while it runs."""
    own = reply.alike or "each item is one of its own"
    return f"it lets others run {reply.suspended} times" if reply.suspended else own


def differences_in_state(
    call: Call,
    expected: State,
    got: State,
    aliases: Mapping[str, str],
) -> Iterator[tuple[str, Different | Unknown]]:
    """How two replays differ in what they did outside the call's own values, name by name."""
    for name in sorted(expected.keys() | got.keys(), key=_in_order):
        sides = [_shown(one[name]) if name in one else _absent(name) for one in (expected, got)]
        both = name in expected and name in got
        if not (both and expected[name] and got[name]):
            if not both or expected[name] != got[name]:
                yield name, Different(name, *sides)
            continue
        found = compare_values(call, expected[name], got[name], Ending.RETURNED, aliases)
        if isinstance(found, Different):
            yield name, replace(found, where=found.where.replace("result", name, 1))
        elif isinstance(found, Unknown):
            yield name, Unknown(name, found.reason)


def _in_order(name: str) -> tuple[str, int, str]:
    """So that the 2nd log record comes before the 10th."""
    kind, _, number = name.rpartition(" ")
    return (kind, int(number), "") if number.isdecimal() else (name, 0, "")


def _absent(name: str) -> str:
    return NOTHING if name.startswith(DONE) else AS_IT_WAS


def _shown(held: bytes) -> str:
    """What a name holds; no bytes: nothing."""
    match _read(held) if held else None:
        case values.ListNode(items=[value, _]):
            return values.show(value, WIDTH)
        case _:
            return "removed"


def returns_atom(reply: Replayed) -> bool:
    """Whether nothing in what a call returned can be changed in place, as far as that is known."""
    try:
        node = _read(reply.result)
    except values.BadValue:
        return True
    return not isinstance(node, values.ListNode) or is_atom(node.items[0])


@functools.lru_cache(maxsize=64)  # every candidate is compared with the same results
def _read(blob: bytes) -> values.Node:
    return values.read(blob)


def compare_values(
    call: Call,
    expected: bytes,
    got: bytes,
    ending: Ending,
    aliases: Mapping[str, str],
    tolerance: Tolerance | None = None,
) -> Comparison:
    """How two values as bytes differ, as the outcomes of calls that ended so."""
    if expected == got and OPAQUE not in got:
        return Same()
    names = [parameter.name for parameter in call.function.parameters]
    try:
        nodes = _read(expected), values.read(got)
    except values.BadValue as error:
        return Unknown("result", f"it can't be read: {error}")
    return compare(*nodes, names=names, aliases=aliases, ending=ending, tolerance=tolerance)


# --- texts ------------------------------------------------------------------------------


def text_of(request: Request, width: int = WIDTH) -> str:
    """The call as it would be written: "settle([('a', 1.5)])"; each argument cut to a width."""
    try:
        node = values.read(request.arguments)
    except values.BadValue:
        node = None
    items = node.items if isinstance(node, values.ListNode) else []
    pairs = zip(request.parameters, items, strict=False)
    arguments = (_argument(parameter, item, width) for parameter, item in pairs)
    name = request.target.qualname.replace("<locals>.", "")
    return f"{name}({', '.join(filter(None, arguments))})"


def _argument(parameter: Parameter, node: values.Node, width: int) -> str:
    shown = values.show(node, width)
    match parameter.binding:
        case Binding.KEYWORD:
            return f"{parameter.name}={shown}"
        case Binding.STAR:
            return "" if shown == "()" else f"*{shown}"
        case Binding.DOUBLE_STAR:
            return "" if shown == "{}" else f"**{shown}"
        case Binding.POSITIONAL | Binding.EITHER:
            return shown


def _ending_text(reply: Replayed) -> str:
    """How a call ended, such as "raised ValueError('no')"."""
    try:
        node = values.read(reply.result)
    except values.BadValue:
        node = None
    payload = node.items[:1] if isinstance(node, values.ListNode) else []
    shown = "" if reply.ending is Ending.YIELDED else " ".join(map(values.show, payload))
    return f"{reply.ending} {shown}".rstrip()


def _cut(text: str, first: str, second: str) -> str:
    """The part of a long text where it begins to differ from another."""
    pairs = zip(first, second, strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
    start = max(0, same - 20)
    return text[start : start + 60]
