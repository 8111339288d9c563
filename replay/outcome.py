"""The source text that makes a call and checks all it did: result, exception, items, changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from perftrace.model import Ending, Kind
from perftrace.replay.calling import Argument, Subject, group_call
from perftrace.replay.canonical import TooLarge, canonical
from perftrace.replay.layout import (
    STEP,
    WIDTH,
    Doc,
    flat,
    group,
    lay_out,
    prefixed,
    statement,
)
from perftrace.replay.literals import NotWritten, Slot, Writer, Written, own_attributes
from perftrace.replay.sharing import Sharing, TooDeep, children
from perftrace.values import InstanceNode, ListNode, Node, TupleNode

RESULT, RAISED = "result", "raised"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a call did."""

    kind: Kind
    ending: Ending
    payload: Node  # a yielded call: a list of the items, how it ended, and with what
    stdout: str = ""  # what it printed
    logged: tuple[Node, ...] = ()  # tuples: name of the logger, of the level, message
    warned: tuple[Node, ...] = ()  # tuples: category, text

    @property
    def pulled(self) -> int | None:
        """How many items were taken from a generator that was left before its end."""
        match self.payload:
            case ListNode(items=[ListNode(items=items), "suspended" | "truncated", _]):
                return len(items) if self.ending is Ending.YIELDED else None
            case _:
                return None


@dataclass(frozen=True, slots=True)
class _Part:
    """Something to look at after the call."""

    expression: str
    node: Node
    changed: bool


def write_outcome(
    subject: Subject, call: Doc, bound: Sequence[Argument], behaviour: Behaviour, writer: Writer
) -> str | NotWritten:
    """The statements that make the call and check everything it did."""
    parts = [_Part(a.name, a.after, _changed(a)) for a in bound if a.after is not None]
    _sort_attributes([behaviour.payload, *(part.node for part in parts)])
    contexts = _said(behaviour, writer)
    if isinstance(contexts, NotWritten):
        return contexts
    made = _drive(call, behaviour)
    if isinstance(made, NotWritten):
        return made
    act, node = made
    if behaviour.ending is Ending.RAISED:
        error = _raises(node, subject, writer)
        if isinstance(error, NotWritten):
            return error
        if error is None:
            parts.insert(0, _Part(RAISED, ListNode([node]), changed=True))
        contexts.append(error or f"raises() as {RAISED}")
    else:
        parts.insert(0, _Part(RESULT, node, changed=True))
    yielded = behaviour.ending is Ending.YIELDED  # each item was recorded by itself
    linked = _linked(parts[1:] if yielded else parts)
    kept = [part for part in parts if not part.changed and part not in linked]
    if kept:
        names = [f"{part.expression}={part.expression}" for part in kept]
        contexts.insert(0, group_call("unchanged", names))
    looked = [[part] for part in parts if part.changed and part not in linked]
    exact = behaviour.ending is Ending.RAISED or not subject.tolerance
    allowed = [] if exact else [f'tolerance="{subject.tolerance}"']
    checked = _check_all(act, [*looked, linked] if linked else looked, writer, allowed)
    if isinstance(checked, NotWritten):
        return checked
    act, after = checked
    head, indent = _with(contexts)
    return f"{head}{statement(act, indent)}{after}"


def _said(behaviour: Behaviour, writer: Writer) -> list[Doc] | NotWritten:
    """The blocks that look at what the call prints, logs and warns of."""
    printed = (behaviour.stdout,) if behaviour.stdout else ()
    contexts: list[Doc] = []
    for helper, said in (
        ("prints", printed),
        ("logs", behaviour.logged),
        ("warns", behaviour.warned),
    ):
        if said:
            written = writer.write([Slot("text", one) for one in said])
            if isinstance(written, NotWritten):
                return NotWritten(f"what it {helper}: {written.reason}")
            if written.statements:
                return NotWritten(f"what it {helper} shares parts")
            contexts.append(group_call(helper, written.values))
    return contexts


def _drive(call: Doc, behaviour: Behaviour) -> tuple[Doc, Node] | NotWritten:
    """The expression that runs the call to its recorded end, and what that gives."""
    if behaviour.ending is Ending.UNKNOWN:
        return NotWritten("how it ended was not seen")
    if behaviour.ending is not Ending.YIELDED:
        is_coroutine = behaviour.kind is Kind.COROUTINE
        return group_call("run", [call]) if is_coroutine else call, behaviour.payload
    assert isinstance(behaviour.payload, ListNode)
    items, how, final = behaviour.payload.items
    assert isinstance(items, ListNode)
    ended = how == "returned" and final is None
    if behaviour.kind is Kind.ASYNC_GENERATOR:
        unfinished = NotWritten("an asynchronous generator that did not run to its end")
        return (group_call("run", [call]), items) if ended else unfinished
    if ended:
        return group_call("list", [call]), items
    if behaviour.pulled is not None:
        return group_call("take", [call, str(behaviour.pulled)]), items
    return group_call("exhaust", [call]), TupleNode([items, how, final])


def _raises(error: Node, subject: Subject, writer: Writer) -> Doc | NotWritten | None:
    """`raises(ValueError, "text")`; the whole exception where it holds more than arguments.

    None: its parts share objects, so it has to be checked after the call.
    """
    slots = [Slot("error", error)]
    if isinstance(error, InstanceNode) and not own_attributes(error) and not error.items:
        arguments = error.base.items if isinstance(error.base, TupleNode) else []
        slots = [Slot("error", error.cls), *(Slot("argument", item) for item in arguments)]
    tried = subject.writer().write(slots)  # one of its own: it may be in vain, and takes names
    if isinstance(tried, NotWritten):
        return tried
    if tried.statements:
        return None
    written = writer.write(slots)
    return written if isinstance(written, NotWritten) else group_call("raises", written.values)


def _linked(parts: Sequence[_Part]) -> list[_Part]:
    """The parts that share objects after the call in a way that it may have brought about."""
    found: list[_Part] = []
    for part in parts:
        for other in parts:
            fresh = part.changed or other.changed
            if other is not part and fresh and _objects(part) & _objects(other):
                found.append(part)
                break
    return found


def _objects(part: _Part) -> set[int]:
    try:
        return Sharing([part.node]).nodes_with_identity()
    except TooDeep:  # it will not be written
        return set()


def _check_all(
    act: Doc, looked: Sequence[Sequence[_Part]], writer: Writer, allowed: Sequence[str]
) -> tuple[Doc, str] | NotWritten:
    """The act, which may hold its own check, and the checks that follow it."""
    after = ""
    for parts in looked:
        written = writer.write([Slot(_wish(part.expression), part.node) for part in parts])
        if isinstance(written, NotWritten):
            return written
        is_result = parts[0].expression == RESULT
        if is_result and len(parts) == 1 and not written.statements:
            act = group_call("check", [act, *written.values, *allowed])
            continue
        if is_result:
            act = prefixed(f"{RESULT} = ", act)
        after += "".join(written.statements) + statement(_check(parts, written, allowed))
    return act, after


def _check(parts: Sequence[_Part], written: Written, allowed: Sequence[str]) -> Doc:
    names = [part.expression for part in parts]
    if names == [RESULT]:
        return group_call("check", [RESULT, *written.values, *allowed])
    if len(parts) == 1:
        return group_call("check", [*names, *written.values, f'"{names[0]}"'])
    both = group("(", names, ")")
    return group_call("check", [both, group("(", written.values, ")"), f'"{flat(both)}"'])


def _wish(expression: str) -> str:
    """What a variable for the recorded value is best called."""
    return "expected" if expression in {RESULT, RAISED} else f"{expression}_after"


def _with(contexts: Sequence[Doc]) -> tuple[str, int]:
    """The lines before the act, and how far it is indented.

    Parentheses around several contexts would be no Python to tools that are told of one before 3.9.
    """
    if not contexts:
        return "", STEP
    line = f"{' ' * STEP}with {', '.join(map(flat, contexts))}:\n"
    if len(line) - 1 <= WIDTH:
        return line, 2 * STEP
    lines = ""
    for depth, context in enumerate(contexts, 1):
        indent = depth * STEP
        lines += f"{' ' * indent}{lay_out(prefixed('with ', context), indent, 1)}:\n"
    return lines, STEP * (len(contexts) + 1)


def _changed(argument: Argument) -> bool:
    """Whether the call left the argument otherwise than it got it."""
    try:
        return canonical(argument.node) != canonical(argument.after)
    except TooLarge:
        return True


def _sort_attributes(nodes: Sequence[Node]) -> None:
    """By name: their order is not checked, and the recorder can't always tell it."""
    seen: set[int] = set()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if id(node) not in seen:
            seen.add(id(node))
            if isinstance(node, InstanceNode):
                node.attributes = dict(sorted(node.attributes.items()))
            todo.extend(children(node))
