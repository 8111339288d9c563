"""The exact types that operators give on built-in values."""

import libcst as cst

from perftrace.optimizer.analysis.tables import NUMBERS
from perftrace.optimizer.shapes import BOOL, EMPTY, FLOAT, INT, STR, Shape, join

_INTEGRAL = frozenset({"int", "bool"})
_CONCATENATED = frozenset({"str", "bytes", "list", "tuple"})
type Operator = cst.BaseBinaryOp | cst.BaseAugOp


def promoted(name: str) -> str:
    """The type of `-value` or `+value` for a number of this type."""
    return "int" if name == "bool" else name


def operated(operator: Operator, left: Shape | None, right: Shape | None) -> Shape | None:
    """The shape of `left operator right`; None where user code may run or it is unknown."""
    if left is None or right is None or not left.types or not right.types:
        return None if left is None or right is None else EMPTY
    kind = type(operator).__name__.removesuffix("Assign")
    if left.within(NUMBERS) and right.within(NUMBERS):
        return _arithmetic(kind, left, right)
    if kind == "Modulo" and left.within({"str"}):
        return STR
    if kind == "Multiply":
        return _repeated(left, right) or _repeated(right, left)
    together = _CONCATENATED if kind == "Add" else {"set"}
    if left.types == right.types and len(left.types) == 1 and left.within(together):
        return Shape(left.types, join(left.items, right.items))
    return None


def _arithmetic(kind: str, left: Shape, right: Shape) -> Shape | None:
    if left.types | right.types <= _INTEGRAL:
        if kind == "Divide":
            return FLOAT
        if kind.startswith("Bit") and left.types | right.types == {"bool"}:
            return BOOL
        return Shape.of("int", "float") if kind == "Power" else INT
    if kind in {"Add", "Subtract", "Multiply", "Modulo", "FloorDivide"}:
        both = left.within({"float"}) or right.within({"float"})
        return FLOAT if both else Shape.of("int", "float")
    if kind == "Power":
        return Shape.of("float", "complex")  # of a negative number
    return FLOAT if kind == "Divide" else None


def _repeated(owner: Shape, count: Shape) -> Shape | None:
    fits = owner.within({"list", "str", "tuple"}) and count.within(_INTEGRAL)
    return Shape(owner.types, owner.items) if fits and len(owner.types) == 1 else None
