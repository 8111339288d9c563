"""Tests of names, types, purity and effects."""

import textwrap
from collections.abc import Mapping
from typing import Any

import libcst as cst
import pytest

from perftrace.optimizer import patch
from perftrace.optimizer.analysis import Analysis
from perftrace.optimizer.analysis.contents import escapes
from perftrace.optimizer.analysis.surroundings import around
from perftrace.optimizer.analysis.tree import commented, own, same, text
from perftrace.optimizer.facts import Facts, ParameterFacts
from perftrace.optimizer.shapes import BOOL, FLOAT, INT, NONE, STR, Shape, items_of, join

INTS = Shape.of("list", items=INT)
STRS = Shape.of("list", items=STR)
PAIR = Shape(frozenset({"tuple"}), join(STR, FLOAT), None, (STR, FLOAT))
PAIRS = Shape.of("list", items=PAIR)
PRICES = Shape.of("dict", items=STR, values=FLOAT)
SHAPES = {"n": INT, "s": STR, "xs": INTS, "ys": INTS, "ss": STRS, "rows": PAIRS, "d": PRICES}


def analysed(
    source: str, attributes: Mapping[str, Shape] | None = None, name: str = "f"
) -> Analysis:
    """A function `f` whose parameters n, s, xs, ys, ss, rows, d have the shapes of their names."""
    source = textwrap.dedent(source).strip() + "\n"
    place = next(one for one in patch.places(source) if one.qualname == name)
    known = {
        key: ParameterFacts(dict.fromkeys(shape.types, 3), shape) for key, shape in SHAPES.items()
    }
    if attributes:
        known["self"] = ParameterFacts({"A": 3}, Shape.of("A"), attributes=attributes)
    names = around(patch.tree_of(source), place.enclosing)
    return Analysis(patch.excerpt(source, place).function, names, Facts(3, 3, known))


def found(analysis: Analysis, code: str) -> Any:
    """The first node of the function that reads like this."""
    for node in own(analysis.function.body):
        if isinstance(node, cst.BaseExpression) and text(node) == code:
            return node
    raise LookupError(code)


def last(
    expression: str, before: str = "", attributes: Mapping[str, Shape] | None = None
) -> tuple[Analysis, Any]:
    """The function's returned expression, and its analysis."""
    lines = [f"    {line}" for line in [*before.split("\n"), f"return {expression}"] if line]
    code = f"def f({', '.join(SHAPES)}, self=None, u=None):\n" + "\n".join(lines)
    analysis = analysed(code, attributes)
    block: Any = analysis.function.body
    return analysis, block.body[-1].body[0].value


# --- names ----------------------------------------------------------------------------------


def test_docstrings_and_attribute_names_are_not_names() -> None:
    scope = analysed('def f(xs):\n    """n of xs"""\n    return xs.n').scope
    assert set(scope.loads) == {"xs"}


@pytest.mark.parametrize(
    "statement",
    [
        "a = 1",
        "a: int = 1",
        "a += 1",
        "(a, b), *c = xs",
        "for a in xs: pass",
        "for (a, b) in xs: pass",
        "with xs as a: pass",
        "import a.b",
        "from x import y as a",
        "del a",
        "def a(): pass",
        "class a: pass",
        "if (a := 1): pass",
        "[a for a in xs]",
        "try: pass\nexcept KeyError as a: pass",
        "match n:\n    case [a, *_]: pass",
        "match n:\n    case {1: 2, **a}: pass",
    ],
)
def test_every_way_to_bind_a_name_is_seen(statement: str) -> None:
    analysis, _ = last("0", statement)
    assert "a" in analysis.scope.bindings


def test_a_target_reads_what_it_stands_on() -> None:
    scope = analysed("def f(xs, n):\n    xs[n] = 1\n    xs.a, b = n, 2").scope
    assert len(scope.loads["xs"]) == 2
    assert "b" in scope.bindings
    assert "b" not in scope.loads


def test_names_of_inner_functions_are_shared_with_them() -> None:
    scope = analysed("def f(xs, n):\n    def g():\n        nonlocal n\n        return xs\n").scope
    assert {"xs", "n"} <= scope.captured
    assert not scope.plain("xs")
    assert not scope.local("n")


@pytest.mark.parametrize("code", ["yield n", "await n", "async for x in n: pass"])
def test_functions_that_suspend_are_known(code: str) -> None:
    prefix = "def" if "yield" in code else "async def"
    assert analysed(f"{prefix} f(n):\n    {code}").scope.suspends


def test_functions_that_look_at_their_own_variables_are_known() -> None:
    assert analysed("def f(n):\n    return (lambda: locals())()").scope.dynamic


def test_builtins_that_the_module_or_an_outer_function_binds_are_not_builtins() -> None:
    for source in (
        "def f(xs):\n    return len(xs)\nlen = 3",
        "from x import *\ndef f(xs):\n    return len(xs)",
        "from x import len\ndef f(xs):\n    return len(xs)",
        "def f(xs):\n    len = max\n    return len(xs)",
        "def g():\n    global len\n    len = 3\ndef f(xs):\n    return len(xs)",
    ):
        analysis = analysed(source)
        assert analysis.types.builtin(found(analysis, "len(xs)").func) is None
    outer = analysed("def g(len):\n    def f(xs):\n        return len(xs)", name="g.<locals>.f")
    assert outer.types.builtin(found(outer, "len(xs)").func) is None


def test_an_imported_name_is_known_by_its_origin_unless_it_is_bound_again() -> None:
    source = "import re as r\nfrom a.b import c\ndef f(xs):\n    return r.match, c, xs"
    analysis = analysed(source)
    origins = [
        analysis.around.origin(found(analysis, one), analysis.scope) for one in ("r.match", "c")
    ]
    assert origins == ["re.match", "a.b.c"]
    again = analysed(source + "\nc = 1")
    assert again.around.origin(found(again, "c"), again.scope) is None


# --- types ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "shape"),
    [
        ("n + 1", INT),
        ("n / 2", FLOAT),
        ("n + True", INT),
        ("n ** 2", Shape.of("int", "float")),
        ("s + s", STR),
        ("s * n", STR),
        ("-n", INT),
        ("not n", BOOL),
        ("n < 3", BOOL),
        ("n if n else s", join(INT, STR)),
        ("n and s", join(INT, STR)),
        ("xs[0]", INT),
        ("xs[1:]", INTS),
        ("rows[0][1]", FLOAT),
        ("d[s]", FLOAT),
        ("d.get(s)", join(FLOAT, NONE)),
        ("sorted(s)", STRS),
        ("list(d)", STRS),
        ("sum(xs)", INT),
        ("max(xs)", INT),
        ("s.split(',')", STRS),
        ("s.upper().strip()", STR),
        ("[x * 2 for x in xs]", INTS),
        ("[name for name, price in rows]", STRS),
        ("[(i, x) for i, x in enumerate(ss)][0][1]", STR),
        ("[x for x, y in zip(ss, xs)]", STRS),
        ("[v for k, v in d.items()]", Shape.of("list", items=FLOAT)),
        ("f'{n}'", STR),
        ("u", None),
        ("u + 1", None),
        ("g(xs)", None),
        ("n + s", None),
    ],
)
def test_the_type_of_an_expression_is_inferred(expression: str, shape: Shape | None) -> None:
    analysis, node = last(expression)
    assert analysis.types.of(node) == shape


@pytest.mark.parametrize(
    ("before", "shape"),
    [
        ("a = 0\nfor x in xs: a += x", INT),
        ("a = 0\nfor x in xs: a = a + 0.5", Shape.of("int", "float")),
        ("a = []\nfor x in xs: a.append(x)", INTS),
        ("a = []\na.append(u)", Shape.of("list")),
        ("a = []\nb = a\nb.append(s)", Shape.of("list")),
        ("a = []\ng(a)", Shape.of("list")),
        ("a = {}\na[s] = n", Shape.of("dict", items=STR, values=INT)),
        ("a = [[1]]\na[0].append(s)", Shape.of("list", items=Shape.of("list"))),
        ("a = []\ndef h(): a.append(s)", Shape.of("list")),
        ("a, b = n, s", INT),
        ("a, *b = xs", None),
        ("a = n\ndef h():\n    nonlocal a\n    a = s", None),
        ("with u as a: pass", None),
    ],
)
def test_a_local_name_has_the_types_of_all_its_values(before: str, shape: Shape | None) -> None:
    analysis, node = last("a", before)
    assert analysis.types.of(node) == shape


def test_a_recorded_container_that_gets_other_elements_is_no_longer_what_was_recorded() -> None:
    analysis, node = last("xs", "xs.append(s)")
    assert items_of(analysis.types.of(node)) == join(INT, STR)


def test_attributes_are_known_only_of_a_parameter_that_stays() -> None:
    analysis, node = last("self.rate", attributes={"rate": FLOAT})
    assert analysis.types.of(node) == FLOAT
    analysis, node = last("self.rate", "self = u", attributes={"rate": FLOAT})
    assert analysis.types.of(node) is None


# --- purity ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    [
        "len(xs)",
        "sorted(xs)",
        "sum(xs)",
        "n + 1",
        "s.upper()",
        "xs == ys",
        "n in xs",
        "{x for x in xs}",
        *(
            "d.get(s)",
            "s[1:]",
            "xs[n:]",
            "abs(n)",
            "self.rate",
            "f'{n}'",
            "[x * x for x in xs if x]",
        ),
        *(
            "s.split(',')",
            "set(rows)",
            "max(n, 2)",
            "list(d)",
            "str(n)",
            "xs is None",
            "','.join(ss)",
        ),
    ],
)
def test_what_runs_built_in_code_only_and_cannot_raise_is_safe(expression: str) -> None:
    analysis, node = last(expression, attributes={"rate": FLOAT})
    assert analysis.safety.safe(node)


@pytest.mark.parametrize(
    "expression",
    [
        "max(xs)",
        "xs[0]",
        "d[s]",
        "n / 2",
        "n % 2",
        "int(s)",
        "s.index('a')",
        "s.split(s)",
        "range(n, 2, 0)",
        *("1 < n if n else xs[0]", "[1 / x for x in xs]", "ord(s)"),
    ],
)
def test_what_may_raise_is_pure_but_not_safe(expression: str) -> None:
    analysis, node = last(expression)
    assert analysis.purity.pure(node)
    assert not analysis.safety.safe(node)


@pytest.mark.parametrize(
    "expression",
    [
        "g(xs)",
        "xs.append(1)",
        "xs.pop()",
        "u + 1",
        "u.a",
        "u()",
        "len(u)",
        "u[0]",
        "u in xs",
        "xs == u",
        *(
            "(a := 1)",
            "sorted(xs, key=g)",
            "self.other",
            "print(n)",
            "f'{u}'",
            "sum(u)",
            "d.pop(s)",
            "not u",
        ),
        *(
            "[g(x) for x in xs]",
            "[x for x in u]",
            "max(xs, key=lambda x: 1)",
            "len(*xs)",
            "{u}",
            "n % u",
        ),
    ],
)
def test_what_is_unknown_or_changes_something_is_impure(expression: str) -> None:
    analysis, node = last(expression, attributes={"rate": FLOAT})
    assert not analysis.purity.pure(node)


def test_a_name_that_may_have_no_value_is_not_safe() -> None:
    analysis, node = last("a + 1", "if n: a = 1")
    assert not analysis.safety.safe(node)


def test_counting_through_a_list_cannot_miss_unless_the_list_changes() -> None:
    source = "def f(xs):\n    for i in range(len(xs)):\n        {}\n        xs[i]"
    for line, safe in (("pass", True), ("xs.pop()", False), ("i = 9", False), ("g(xs)", False)):
        analysis = analysed(source.format(line))
        assert analysis.safety.safe(found(analysis, "xs[i]")) is safe


# --- effects --------------------------------------------------------------------------------


def stable(expression: str, loop: str, attributes: Mapping[str, Shape] | None = None) -> bool:
    """Whether an expression stays the same in `for x in ys: …`."""
    analysis, node = last(
        expression, f"out = []\ntwo = out\nmine = []\nfor x in ys:\n    {loop}", attributes
    )
    body = next(one for one in own(analysis.function.body) if isinstance(one, cst.For))
    return analysis.stability.stable(node, analysis.stability.effects(body))


@pytest.mark.parametrize(
    ("expression", "loop"),
    [
        ("len(xs)", "pass"),
        ("len(xs)", "mine.append(x)"),
        ("len(xs)", "d[s] = x"),
        ("len(xs)", "print(x)"),
        ("len(xs)", "mine.append(x.bit_count())"),
        ("len(xs)", "raise ValueError(x)"),
        ("n + 1", "g(x)"),
        ("s.upper()", "xs.append(g(x))"),
        ("len(mine)", "g(x)"),
        ("self.rate", "mine.append(x)"),
        ("self.rate", "self.other = x"),
    ],
)
def test_what_the_loop_cannot_change_is_stable(expression: str, loop: str) -> None:
    assert stable(expression, loop, attributes={"rate": FLOAT})


@pytest.mark.parametrize(
    ("expression", "loop"),
    [
        ("len(xs)", "xs.append(x)"),
        ("len(xs)", "ys.append(x)"),
        ("len(xs)", "xs[0] = x"),
        ("len(xs)", "del xs[0]"),
        ("len(xs)", "xs += [x]"),
        ("len(xs)", "xs = ys"),
        ("len(xs)", "for xs in []: pass"),
        ("len(xs)", "g(x)"),
        ("len(xs)", "u.append(x)"),
        ("len(xs)", "u[0] = x"),
        ("len(xs)", "mine.sort(key=g)"),
        ("len(xs)", "yield x"),
        ("len(xs)", "with u: pass"),
        ("len(xs)", "[x for x in u]"),
        ("len(out)", "two.append(x)"),
        ("len(mine)", "mine.append(x)"),
        ("n + 1", "n += 1"),
        ("n + 1", "(n := x)"),
        ("self.rate", "u.rate = x"),
        ("self.rate", "g(x)"),
        ("self.rate", "self = u"),
        ("x + 1", "pass"),
        ("SETTING", "pass"),
    ],
)
def test_what_the_loop_may_change_is_not(expression: str, loop: str) -> None:
    assert not stable(expression, loop, attributes={"rate": FLOAT})


@pytest.mark.parametrize(
    ("use", "leak"),
    [
        ("a.append(1)", False),
        ("len(a)", False),
        ("x = a[0]", False),
        ("for x in a: pass", False),
        ("return a", False),
        ("return a, [a]", False),
        ("if a and 1 in a: pass", False),
        ("b = a", True),
        ("g(a)", True),
        ("b = [a]", True),
        ("xs.append(a)", True),
        ("u.x = a", True),
        ("b = a.append", True),
        ("yield a", True),
        ("b = a or 1", True),
        ("b = max(a, xs)", True),
        ("lambda: a", True),
    ],
)
def test_an_object_escapes_when_others_can_keep_it(use: str, leak: bool) -> None:
    analysis, _ = last("0", f"a = []\n{use}")
    assert escapes(analysis.scope, "a") is leak


# --- trees ----------------------------------------------------------------------------------


def test_expressions_are_compared_without_their_layout() -> None:
    first, second = (cst.parse_expression(code) for code in ("f( a,b )", "f(a, b)"))
    assert same(first, second)
    assert not same(first, cst.parse_expression("f(a, *b)"))
    assert not same(cst.parse_expression("1"), cst.parse_expression("True"))


def test_comments_are_found_wherever_they_hide() -> None:
    assert commented(cst.parse_expression("(a +  # why\n b)"))
    assert not commented(cst.parse_statement("if a:\n    b\n"))
