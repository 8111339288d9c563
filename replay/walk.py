"""Walk two values together and tell the first difference, where it is, and both sides' text."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from perftrace.replay.canonical import (
    BASE,
    Keys,
    Part,
    Shape,
    TooLarge,
    atom_bytes,
    is_atom,
    is_mutable,
    is_plain,
    take_apart,
)
from perftrace.replay.tolerance import Tolerance
from perftrace.values import Node, OpaqueNode, RefNode, show, type_name

_MAX_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True)
class Same:
    """No difference."""


@dataclass(frozen=True, slots=True)
class Different:
    """The first difference."""

    where: str  # "result['total']", "rows[0]", "exception.args[0]"
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No difference was found, but a part can't be compared."""

    where: str
    reason: str


type Comparison = Same | Different | Unknown


@dataclass(slots=True)  # not frozen: making one has to be quick
class _Path:
    """The way to a part, written only when it is needed."""

    text: str
    above: "_Path | None" = None
    step: tuple[str, Node] = ("", None)

    def __str__(self) -> str:
        steps: list[tuple[str, Node]] = []
        path = self
        while path.above is not None:
            steps.append(path.step)
            path = path.above
        text = path.text
        for form, node in reversed(steps):
            text += _STEPS[form](text, node)
        return text


_STEPS: dict[str, Callable[[str, Node], str]] = {
    "": lambda _, __: "",
    "[]": lambda _, node: f"[{show(node, 40)}]",
    "{}": lambda _, node: f"{{{show(node, 40)}}}",
    ".": lambda _, node: f".{node if isinstance(node, str) else ''}",
    BASE: lambda text, _: ".args" if text.endswith(("exception", ".__cause__")) else "",
}


type _Step = tuple[Node, Node, _Path] | Different  # two parts to compare, or what one lacks


class Walk:
    """Pairs the parts of two values; each mutable object is paired with one other, for good."""

    def __init__(self, aliases: Mapping[str, str], tolerance: Tolerance | None = None) -> None:
        self._aliases = aliases
        self._tolerance = tolerance
        self._near: Tolerance | None = None  # the tolerance, where it applies
        self._keys = Keys(aliases)
        self._left = _MAX_PAIRS
        self._partner: dict[int, tuple[Node, _Path]] = {}  # expected -> got
        self._owner: dict[int, tuple[Node, _Path]] = {}  # got -> expected
        self._seen: set[tuple[int, int]] = set()
        self._unknown: Unknown | None = None
        # Nodes are told apart by id, so those read on the way must stay alive.
        self._alive: list[Node] = []

    def fresh(self) -> "Walk":
        """A walk of its own, for values that were written apart."""
        return Walk(self._aliases, self._tolerance)

    def compare(self, expected: Node, got: Node, root: str, *, exact: bool = False) -> Comparison:
        """Compare one more pair of values; `exact`: the tolerance does not apply to them.

        Raises:
            TooLarge: there are too many parts.
        """
        self._alive += (expected, got)
        self._unknown = None
        self._near = None if exact else self._tolerance
        todo: list[_Step] = [(expected, got, _Path(root))]
        while todo:
            self._left -= 1
            if self._left < 0:
                raise TooLarge
            step = todo.pop()
            found = step if isinstance(step, Different) else self._pair(*step, todo)
            if found is not None:
                return found
        return self._unknown or Same()

    def _pair(self, old: Node, new: Node, path: _Path, todo: "list[_Step]") -> Different | None:
        if isinstance(old, OpaqueNode) or isinstance(new, OpaqueNode):
            return self._opaque(old, new, path)
        if type(old) is not type(new):
            return _differ(old, new, path)
        if self._near is not None:
            new = self._near.settled(old, new)
            self._alive.append(new)
        if is_atom(old):
            return None if atom_bytes(old) == atom_bytes(new) else _differ(old, new, path)
        if (id(old), id(new)) in self._seen:
            return None
        self._seen.add((id(old), id(new)))
        return self._containers(old, new, path, todo)

    def _containers(
        self, old: Node, new: Node, path: _Path, todo: "list[_Step]"
    ) -> Different | None:
        if is_mutable(old) or is_mutable(new):
            shared = self._share(old, new, path)
            if shared is not None:
                return shared
        if is_plain(old) and is_plain(new):
            same = self._keys.of(old) == self._keys.of(new)
            return None if same else _differ(old, new, path)
        shape, other = take_apart(old, self._keys), take_apart(new, self._keys)
        if shape.kind != other.kind:
            return _differ(old, new, path)
        todo.extend(reversed(list(_steps(shape, other, path))))
        return None

    def _opaque(self, old: Node, new: Node, path: _Path) -> Different | None:
        """Equal only where both are the placeholder that both replays were given."""
        opaque = [node for node in (old, new) if isinstance(node, OpaqueNode)]
        if len(opaque) == 2 and all(node.seen for node in opaque):
            if opaque[0].number == opaque[1].number:
                return None
            return Different(str(path), *(f"unrecorded part {node.number}" for node in opaque))
        named = isinstance(old, RefNode) or isinstance(new, RefNode)  # a name says no type
        types = {self._keys.type_text(type_name(node)) for node in (old, new)}
        if len(types) > 1 and not named:
            return _differ(old, new, path)
        reason = f"a {opaque[0].type_name} can't be compared: {opaque[0].reason}"
        self._unknown = self._unknown or Unknown(str(path), reason)
        return None

    def _share(self, old: Node, new: Node, path: _Path) -> Different | None:
        """Pair two mutable objects, or tell that one was paired with another before."""
        partner = self._partner.setdefault(id(old), (new, path))
        owner = self._owner.setdefault(id(new), (old, path))
        if partner[0] is not new:
            return _shared(path, partner[1], recorded=True)
        if owner[0] is not old:
            return _shared(path, owner[1], recorded=False)
        return None


def _steps(shape: Shape, other: Shape, path: _Path) -> Iterator[_Step]:
    """The parts that belong together, and what one side lacks, in the recorded order."""
    known = {part.token: part for part in other.parts}
    for part in shape.parts:
        match = known.pop(part.token, None)
        if match is None:
            yield _missing(part, path, recorded=True)
            return
        old, new = part.node, match.node
        if type(old) is type(new) and isinstance(old, int | str) and old == new:
            continue  # most parts: not worth a step
        yield old, new, _Path("", path, part.step)
    for part in known.values():
        yield _missing(part, path, recorded=False)
        return
    if shape.ordered and [part.token for part in shape.parts] != [p.token for p in other.parts]:
        yield Different(str(path), *(_order(parts) for parts in (shape.parts, other.parts)))


def _missing(part: Part, path: _Path, *, recorded: bool) -> Different:
    """One side has a part that the other lacks."""
    if part.step[0] == "{}":
        texts = [f"with {show(part.node)}", f"without {show(part.node)}"]
    else:
        texts = [show(part.node), "nothing"]
        path = _Path("", path, part.step)
    return Different(str(path), *(texts if recorded else reversed(texts)))


def _order(parts: list[Part]) -> str:
    keys = [show(part.step[1], 20) for part in parts]
    more = ", …" if len(keys) > 8 else ""
    return f"keys in the order {', '.join(keys[:8])}{more}"


def _shared(path: _Path, first: _Path, *, recorded: bool) -> Different:
    """One side has one object in two places where the other has two."""
    here, there = str(path), str(first)
    if there.startswith(("result", "exception")):  # what came back is what people look at
        here, there = there, here
    texts = [f"the same object as {there}", f"another object than {there}"]
    return Different(here, *(texts if recorded else reversed(texts)))


def _differ(old: Node, new: Node, path: _Path) -> Different:
    """Two parts that differ as they stand; their types are told where the texts don't."""
    if isinstance(old, str) and isinstance(new, str):
        return Different(str(path), *_tails(old, new))
    if isinstance(old, bytes) and isinstance(new, bytes):
        return Different(str(path), *_tails(old, new))
    kinds = [type_name(node) for node in (old, new)]
    texts = [
        f"{show(node)} ({kind})" if kinds[0] != kinds[1] and _plain(node, kind) else show(node)
        for node, kind in zip((old, new), kinds, strict=True)
    ]
    if texts[0] == texts[1]:
        texts = [f"{text} ({kind})" for text, kind in zip(texts, kinds, strict=True)]
    return Different(str(path), *texts)


def _plain(node: Node, kind: str) -> bool:
    """Whether its text does not start with the name of its type."""
    return node is not None and not show(node).startswith((f"{kind.rpartition('.')[2]}(", "<"))


def _tails[T: (str, bytes)](old: T, new: T) -> list[str]:
    """Two texts from a little before where they part."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    at = min(len(old), len(new)) if same is None else same
    if at < 40:
        return [show(old), show(new)]
    return [f"…{show(text[at - 10 :])} (from character {at - 10})" for text in (old, new)]
