"""How much floats in results may differ where the user allows it: "rtol 1e-9" or "4 ulps".

NaN, infinities, the sign of zero, types and shapes stay exact, and so does all else.
"""

from dataclasses import dataclass

from perftrace.replay import elements
from perftrace.replay.testing import close
from perftrace.values import Node, ReduceNode, RefNode, TupleNode

COMPLEX = "builtins", "complex"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What is allowed for one function."""

    text: str  # as it stands in the settings

    def allows(self, expected: float, got: float, form: str = "d") -> bool:
        """Whether a float may be the other; `form` says its width as `struct` does."""
        return close(got, expected, self.text, form)

    def settled(self, expected: Node, got: Node) -> Node:
        """What was got, or what was expected where it is near enough: floats, complex, arrays."""
        if isinstance(expected, float) and isinstance(got, float):
            return expected if self.allows(expected, got) else got
        if isinstance(expected, ReduceNode) and isinstance(got, ReduceNode):
            return self._numbers(expected, got)
        return got

    def _numbers(self, expected: ReduceNode, got: ReduceNode) -> Node:
        """An array, scalar or complex number."""
        if _is_complex(expected) and _is_complex(got):
            pairs = zip(expected.arguments.items, got.arguments.items, strict=True)
            near_parts = all(self.settled(one, other) is one for one, other in pairs)
            return expected if near_parts else got
        first, second = elements.floats(expected), elements.floats(got)
        if first is None or second is None or first[1] != second[1]:
            return got
        form = first[1]

        def near(one: float, other: float) -> bool:
            return self.allows(one, other, form[1])

        if first[0] == second[0] or not elements.all_pairs(first[0], second[0], form, near):
            return got
        return _with(got, elements.with_floats(got, first[0]))


def _is_complex(node: ReduceNode) -> bool:
    function = node.function
    named = isinstance(function, RefNode) and (function.module, function.qualname) == COMPLEX
    return named and len(node.arguments.items) == 2


def _with(node: ReduceNode, arguments: TupleNode) -> ReduceNode:
    made = ReduceNode(node.function, arguments)
    made.state, made.list_items, made.dict_items = node.state, node.list_items, node.dict_items
    return made
