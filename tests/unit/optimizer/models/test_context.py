"""What a model is told of a function."""

from collections import Counter

from perftrace.model import Function, Kind
from perftrace.optimizer.facts import Facts, Lengths, ParameterFacts
from perftrace.optimizer.models.context import Background, Pack, Send, pack, shape_text
from perftrace.optimizer.shapes import Shape

SOURCE = '''\
import math
import os
from collections import Counter as Count

LIMIT = 10
OTHER = 20


def rounded(n):
    return math.floor(n)


def unused(n):
    return n


class Till(Base):
    rate: float = 0.5

    def __init__(self, rows):
        self.rows = rows

    def total(self, names):
        """The sum."""
        return sum(rounded(row) for row in self.rows if row < LIMIT) + math.pi
'''
LIST = Shape(frozenset({"list"}), Shape(frozenset({"str"})))
FACTS = Facts(
    calls=40,
    distinct=12,
    parameters={
        "names": ParameterFacts(Counter({"list": 40}), LIST, Lengths(0, 5, 90), mutated=True)
    },
    result=Shape(frozenset({"float"})),
    exceptions={"KeyError": 2, "ValueError": 3},
)
KNOWN = Background(0.25, ("Shop.close", "main"), ("total(['secret name'])",))
F = Function(1, "/till.py", "Till.total", 23, "till", Kind.FUNCTION, ())


def told(send: Send = Send.SHAPES, source: str = SOURCE, tokens: int = 6000) -> Pack:
    return pack(F, source, FACTS, KNOWN, send, tokens)


def test_all_that_helps_is_told_and_nothing_else() -> None:
    text = told().text
    assert "def total(self, names):" in text
    assert "class Till(Base):" in text
    assert "rate: float = 0.5" in text
    assert "self.rows = rows" in text
    assert "def rounded(n):" in text
    assert "import math" in text
    assert "LIMIT = 10" in text
    assert "unused" not in text
    assert "import os" not in text
    assert "OTHER" not in text
    assert "25.0%" in text
    assert "Shop.close, main" in text
    assert "12 of 40 recorded calls" in text
    assert "`names`: list[str], length 0 to 90, median 5, changed by some calls" in text
    assert "Result: float" in text
    assert "ValueError (3), KeyError (2)" in text


def test_values_are_told_as_far_as_allowed() -> None:
    assert "secret name" not in told(Send.SHAPES).text
    assert "total(['secret name'])" in told(Send.SAMPLES).text
    none = told(Send.NONE).text
    assert "list[str]" not in none
    assert "25.0%" in none


def test_what_does_not_fit_is_left_out_the_function_last() -> None:
    small = told(Send.SAMPLES, tokens=150)
    assert "def total" in small.text
    assert "examples" in small.left_out
    assert "def total" in told(tokens=1).text


def test_what_looks_like_a_secret_is_not_told() -> None:
    key = '"ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5"'
    helper = SOURCE.replace("return math.floor(n)", f"return {key}")
    assert key not in told(source=helper).text
    assert "helpers" in told(source=helper).left_out
    own = SOURCE.replace("+ math.pi", f"+ len({key})")
    assert told(source=own) == Pack("", unfit=True)


def test_types_are_told_to_some_depth() -> None:
    pair = Shape(frozenset({"tuple"}), parts=(Shape(frozenset({"str"})), Shape(frozenset({"int"}))))
    table = Shape(frozenset({"dict"}), Shape(frozenset({"str"})), Shape(frozenset({"list"}), pair))
    assert shape_text(table) == "dict[str, list[tuple[str, int]]]"
    assert shape_text(table, 1) == "dict[str, list]"
    assert shape_text(None) == "?"
    assert shape_text(Shape(frozenset({"int", "None"}))) == "None | int"
