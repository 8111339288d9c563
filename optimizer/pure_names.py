"""Modules and functions without effects: what a change may use that the original does not use."""

import ast
from collections.abc import Iterable

PURE_MODULES = frozenset(
    {"bisect", "collections", "functools", "heapq", "itertools", "math", "operator", "re", "string"}
)

_NUMPY = """
abs absolute add all allclose any append arange argmax argmin argsort array array_equal asarray
bincount ceil clip column_stack concatenate copy cos count_nonzero cross cumprod cumsum diag
diagonal diff digitize divide dot einsum equal exp expand_dims eye flatnonzero flip floor full
full_like hstack hypot identity inner isclose isfinite isin isnan kron linspace log log10 log2
logical_and logical_not logical_or matmul max maximum mean median meshgrid min minimum mod
multiply nonzero ones ones_like outer pad power prod ravel repeat reshape rint roll round
searchsorted sign sin sort split sqrt square squeeze stack std subtract sum swapaxes take tan
tensordot tile trace transpose tril triu unique unravel_index var vstack where zeros zeros_like
"""
# Of modules that have effects elsewhere: the functions that only compute.
PURE_FUNCTIONS = {"numpy": frozenset(_NUMPY.split())}


def only_computes(name: str, module: str, code: Iterable[ast.AST]) -> bool:
    """Whether all that some code does with a module of this name is to call such functions."""
    pure = PURE_FUNCTIONS.get(module, frozenset())
    names = called = 0
    for node in code:
        match node:
            case ast.Name(id=found) if found == name:
                names += 1
            case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr=attribute)):
                called += found == name and attribute in pure
            case _:
                pass
    return names == called
