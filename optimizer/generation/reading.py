"""Parses source text of others, whose warnings are theirs."""

import ast
import warnings


def why(error: BaseException) -> str:
    """What is wrong with a text that can't be parsed, in a few words."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})"
    return str(error)[:200]


def parse(text: str) -> ast.Module:
    """The tree; what Python would warn of (an unknown escape) is not said.

    Raises:
        SyntaxError, ValueError, MemoryError, RecursionError: it is no Python that can be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text)
