"""Walking, reading and writing syntax trees: parents, order, text."""

import ast
import dataclasses
import functools
from collections.abc import Iterator, Sequence

import libcst as cst

_TRIVIA = (
    cst.BaseParenthesizableWhitespace,
    cst.EmptyLine,
    cst.TrailingWhitespace,
    cst.Newline,
    cst.Comment,
    cst.Comma,
    cst.Annotation,  # not evaluated for local names
    cst.Semicolon,
    cst.Colon,
    cst.Dot,
    cst.LeftParen,
    cst.RightParen,
    cst.LeftSquareBracket,
    cst.RightSquareBracket,
    cst.LeftCurlyBrace,
    cst.RightCurlyBrace,
)
SCOPES = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)
LOOPS = (cst.For, cst.While)

type Comprehension = cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp
type Loop = cst.For | cst.While

_BLANK = cst.Module([])


@functools.cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(one.name for one in dataclasses.fields(kind))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The child nodes that mean something: no whitespace, comments or punctuation."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            if not isinstance(value, _TRIVIA):
                yield value
        elif isinstance(value, list | tuple):
            yield from (one for one in value if not isinstance(one, _TRIVIA))


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all below it, in source order (fields' order)."""
    yield node
    for child in children(node):
        yield from walk(child)


def own(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """As `walk`, but not into nested functions, classes and lambdas."""
    yield node
    for child in children(node):
        if not isinstance(child, SCOPES):
            yield from own(child)


def text(node: cst.CSTNode) -> str:
    """The node as source text."""
    return _BLANK.code_for_node(node)


def operand(node: cst.BaseExpression) -> str:
    """The node as source text that can stand as an operand anywhere."""
    simple = (cst.Name, cst.Attribute, cst.Subscript, cst.Call, cst.Integer, cst.Float)
    closed = (
        cst.SimpleString,
        cst.List,
        cst.Set,
        cst.Dict,
        cst.ListComp,
        cst.SetComp,
        cst.DictComp,
    )
    if isinstance(node, (*simple, *closed)) or getattr(node, "lpar", None):
        return text(node)
    return f"({text(node)})"


def expression(code: str) -> cst.BaseExpression:
    """Parse an expression."""
    return cst.parse_expression(code)


def key(node: cst.BaseExpression) -> str:
    """The expression's meaning as text, whatever its layout: equal keys are the same code."""
    return ast.dump(ast.parse(f"({text(node)})", mode="eval"))


def same(first: cst.BaseExpression, second: cst.BaseExpression) -> bool:
    """Whether two expressions are the same code, apart from layout."""
    return type(first) is type(second) and key(first) == key(second)


def commented(*nodes: cst.CSTNode) -> bool:
    """Whether there is a comment inside that a rewrite would lose."""
    return any(_has_comment(node) for node in nodes)


def _has_comment(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Comment):
        return True
    for name in _fields(type(node)):
        value = getattr(node, name)
        inner: Sequence[object] = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(one, cst.CSTNode) and _has_comment(one) for one in inner):
            return True
    return False
