"""What the rules' tests share: apply one rule to a text, run old and new, compare."""

import copy
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from perftrace import values
from perftrace.model import Function, Kind
from perftrace.optimizer import gate, patch
from perftrace.optimizer.engines.rules import RulesEngine
from perftrace.optimizer.engines.rules.rule import Rule
from perftrace.optimizer.facts import Facts, ParameterFacts, describe, observe
from perftrace.optimizer.shapes import Shape, common


class Thing:
    """An object with attributes; `_thing(rate=2)` in recorded calls."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return 0


@dataclass
class Case:
    """A rule, and what it makes of a function whose calls were recorded."""

    rule: Rule
    calls: Sequence[tuple[object, ...]] = ()
    name: str = "f"
    facts: Facts = field(default_factory=Facts)
    seen_after: bool = False  # the arguments were recorded after the calls too

    def proposed(self, source: str) -> list[str]:
        """The sources that the rule proposes; each is run and compared with the original."""
        source = _text(source)
        place = next(one for one in patch.places(source) if one.qualname == self.name)
        parameters = [arg.arg for arg in place.node.args.posonlyargs + place.node.args.args]
        facts = self._facts(source, parameters)
        function = Function(1, "/m.py", self.name, place.first, "m", Kind.FUNCTION, ())
        found = []
        for candidate in RulesEngine((self.rule,)).propose(function, source, facts):
            assert candidate.steps == (self.rule.name,)
            assert not [one for one in gate.check(candidate) if one.hard]
            assert self._outcomes(candidate.source) == self._outcomes(source)
            found.append(candidate.source)
        return found

    def becomes(self, before: str, after: str) -> None:
        """The rule proposes exactly this change, and it behaves the same."""
        assert self.proposed(before) == [_text(after)]

    def stays(self, source: str) -> None:
        """The rule proposes nothing."""
        assert self.proposed(source) == []

    def _facts(self, source: str, parameters: Sequence[str]) -> Facts:
        if not self.calls:
            return self.facts
        outcomes = [one for one, _ in self._outcomes(source) if not isinstance(one, Exception)]
        left = [self._left(source, call) for call in self.calls] if self.seen_after else []
        observed = {
            name: _observed([call[index] for call in self.calls], [one[index] for one in left])
            for index, name in enumerate(parameters)
        }
        return Facts(
            calls=len(self.calls),
            distinct=len({repr(call) for call in self.calls}),
            parameters=observed,
            result=common(describe(node_of(one)) for one in outcomes) or Shape(),
        )

    def _left(self, source: str, call: tuple[object, ...]) -> tuple[object, ...]:
        """The arguments as the call leaves them."""
        module: dict[str, Any] = {"__name__": "m"}
        exec(compile(source, "/m.py", "exec"), module)
        left = copy.deepcopy(call)
        _outcome(module[self.name], left)
        return left

    def _outcomes(self, source: str) -> list[tuple[object, object]]:
        module: dict[str, Any] = {"__name__": "m"}
        exec(compile(source, "/m.py", "exec"), module)
        return [_outcome(module[self.name], copy.deepcopy(call)) for call in self.calls]


def _text(block: str) -> str:
    return textwrap.dedent(block).removeprefix("\n")


def _outcome(function: Any, arguments: tuple[object, ...]) -> tuple[object, object]:
    try:
        result = function(*arguments)
    except Exception as error:
        return repr(error), exact(arguments)
    return (list(result) if hasattr(result, "__next__") else result), exact(arguments)


def exact(value: object) -> object:
    """The value with its types, so that 1, 1.0 and True differ."""
    if isinstance(value, list | tuple):
        return type(value), [exact(one) for one in value]
    return type(value), value


def _observed(arguments: Sequence[object], afters: Sequence[object] = ()) -> ParameterFacts:
    if all(isinstance(one, Thing) for one in arguments):
        things: list[Mapping[str, object]] = [one.__dict__ for one in arguments]
        names = set.intersection(*(set(one) for one in things))
        attributes = {
            name: common(describe(node_of(one[name])) for one in things) or Shape()
            for name in names
        }
        return ParameterFacts({"Thing": len(arguments)}, Shape.of("Thing"), attributes=attributes)
    return observe([node_of(one) for one in arguments], [node_of(one) for one in afters])


def node_of(value: object) -> values.Node:
    """A value as it is read from a trace file."""
    match value:
        case list():
            return values.ListNode([node_of(one) for one in value])
        case tuple():
            return values.TupleNode([node_of(one) for one in value])
        case dict():
            return values.DictNode([(node_of(k), node_of(v)) for k, v in value.items()])
        case set():
            return values.SetNode([node_of(one) for one in value])
        case None | bool() | int() | float() | str() | bytes():
            return value
        case _:
            return values.OpaqueNode(type(value).__name__, "test", 0, seen=False)


@pytest.fixture
def case() -> type[Case]:
    """Apply one rule."""
    return Case


@pytest.fixture
def thing() -> type[Thing]:
    """An object with attributes."""
    return Thing
