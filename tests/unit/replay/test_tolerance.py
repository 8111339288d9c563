"""Floats that may differ where the user allows it."""

import math
from typing import Any

import pytest

from perftrace import config
from perftrace.errors import UsageError
from perftrace.locate import setting_of
from perftrace.model import Ending, Function, Kind
from perftrace.replay import testing
from perftrace.replay.compare import Comparison, Different, Same, compare
from perftrace.replay.tolerance import Tolerance
from perftrace.snapshot import encode
from perftrace.values import read

NAN, INF = math.nan, math.inf
UP = math.nextafter(0.1, 1)
UPPER = math.nextafter(UP, 1)
LEAST = math.ulp(0.0)

# Tolerance, two floats, whether they are near enough.
FLOATS = [
    ("rtol 1e-9", 1.0, 1.0 + 9e-10, True),
    ("rtol 1e-9", 1.0, 1.0 + 2e-9, False),
    ("rtol 1e-9", 1e300, 1e300 * (1 + 5e-10), True),
    ("rtol 1e-9", 0.0, 1e-300, False),
    ("rtol 1", 0.0, -0.0, False),
    ("rtol 1", NAN, NAN, True),
    ("rtol 1", NAN, 1.0, False),
    ("rtol 1", INF, INF, True),
    ("rtol 1", INF, -INF, False),
    ("rtol 1", INF, 1e308, False),
    ("1 ulp", 0.1, UP, True),
    ("1 ulp", UPPER, 0.1, False),
    ("2 ulps", UPPER, 0.1, True),
    ("2 ulps", -UPPER, -0.1, True),
    ("2 ulps", -UPPER, 0.1, False),
    ("2 ulps", -LEAST, LEAST, True),
    ("1 ulp", -LEAST, LEAST, False),
    ("1 ulp", 0.0, LEAST, True),
    ("9 ulps", 0.0, -0.0, False),
]


def compared(
    a: object, b: object, tolerance: str = "4 ulps", ending: Ending = Ending.RETURNED
) -> Comparison:
    sides = [read(encode([one, None], 10_000)[0]) for one in (a, b)]
    return compare(sides[0], sides[1], ending=ending, tolerance=Tolerance(tolerance))


@pytest.mark.parametrize(("tolerance", "a", "b", "near"), FLOATS)
def test_a_float_is_near_or_it_is_not(tolerance: str, a: float, b: float, near: bool) -> None:
    for one, other in ((a, b), (b, a)):
        assert Tolerance(tolerance).allows(one, other) == near
        assert isinstance(compared([one], [other], tolerance), Same) == near
        if near:
            testing.check({"k": [one]}, {"k": [other]}, tolerance=tolerance)
        else:
            with pytest.raises(AssertionError, match="replay differs at result"):
                testing.check({"k": [one]}, {"k": [other]}, tolerance=tolerance)


NEAR: dict[str, tuple[Any, Any]] = {
    "in a tuple in a dict": ({"a": (0.1, 1)}, {"a": (UP, 1)}),
    "complex": (complex(0.1, 2), complex(UP, 2)),
    "as a dict's value under a float": ({0.5: 0.1}, {0.5: UP}),
    "in two places": ([[0.1], [0.1]], [[UP], [UPPER]]),
}
FAR: dict[str, tuple[Any, Any]] = {
    "an int": (1, 1.0),
    "int beside a float": ([1, 0.1], [2, UP]),
    "complex, in one part": (complex(0.1, 2), complex(UP, 3)),
    "one more": ([0.1], [UP, 0.1]),
    "a dict's key": ({0.1: 1}, {UP: 1}),
    "the same object": ([[0.1]] * 2, [[UP], [UP]]),
    "text": ("0.1", str(UP)),
    "sign of zero in complex": (complex(0.0, 0.1), complex(-0.0, UP)),
}


@pytest.mark.parametrize("name", NEAR)
def test_floats_within_values_may_differ_a_little(name: str) -> None:
    a, b = NEAR[name]
    assert compared(a, b) == Same()
    testing.check(a, b, tolerance="4 ulps")
    assert isinstance(compared(a, b, "rtol 1e-30"), Different)
    with pytest.raises(AssertionError):
        testing.check(a, b)


@pytest.mark.parametrize("name", FAR)
def test_nothing_else_may(name: str) -> None:
    a, b = FAR[name]
    assert isinstance(compared(a, b), Different)
    with pytest.raises(AssertionError):
        testing.check(a, b, tolerance="4 ulps")


def test_arguments_and_exceptions_stay_exact() -> None:
    sides = [read(encode([None, [[one]]], 10_000)[0]) for one in (0.1, UP)]
    assert isinstance(compare(*sides, tolerance=Tolerance("4 ulps")), Different)
    errors = ValueError(0.1), ValueError(UP)
    assert isinstance(compared(*errors, ending=Ending.RAISED), Different)
    assert compared(*errors) == Same()


def test_items_of_generators_may_differ_a_little() -> None:
    sides = [
        read(encode([[[encode(one, 999)[0]], "returned", one], None], 9999)[0]) for one in (0.1, UP)
    ]
    for tolerance, kind in (("1 ulp", Same), ("rtol 1e-30", Different)):
        found = compare(*sides, ending=Ending.YIELDED, tolerance=Tolerance(tolerance))
        assert isinstance(found, kind)


def test_arrays_of_floats_may_differ_a_little_in_their_own_width() -> None:
    np: Any = pytest.importorskip("numpy", reason="numpy is not installed")
    for kind in ("f2", "f4", "f8", ">f8", "c8", "c16"):
        one = np.array([[0.0, np.nan, 0.25, -3.5]], kind)
        other = one.copy()
        part = other.real if other.dtype.kind == "c" else other
        for _ in range(2):
            part[0, 2] = np.nextafter(part[0, 2], part.dtype.type(1))
        assert compared(one, other, "2 ulps") == Same(), kind
        assert isinstance(compared(one, other, "1 ulp"), Different), kind
        assert isinstance(compared(one, other.astype(object), "2 ulps"), Different), kind
        assert isinstance(compared(one, other.T, "2 ulps"), Different), kind
    assert compared(np.float64(0.1), np.float64(UP)) == Same()
    assert isinstance(compared(np.array([1]), np.array([2]), "9 ulps"), Different)


def test_a_function_is_named_by_its_file_or_module() -> None:
    function = Function(1, "/at/shop/till.py", "Till.total", 9, "shop.till", Kind.FUNCTION, ())
    for name in ("shop/till.py:Till.total", "shop.till:Till.total", "shop.till:Till.total:9"):
        assert setting_of(function, {"other.py:f": "1 ulp", name: "2 ulps"}) == "2 ulps"
    for name in ("Till.total", "shop.till:total", "shop.till:Till.total:8", "x.py:Till.total"):
        assert setting_of(function, {name: "2 ulps"}) == ""


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("rtol 1e-9", True),
        ("rtol 0.001", True),
        ("4 ulps", True),
        ("1 ulp", True),
        ("0 ulps", False),
        ("1e-9", False),
        ("rtol -1", False),
        ("rtol nan", False),
        ("about", False),
    ],
)
def test_the_settings_take_what_can_be_understood(tmp_path: Any, text: str, right: bool) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f'[tool.perftrace]\ntolerance = {{ "a.py:f" = "{text}" }}\n')
    if right:
        assert config.load(tmp_path).tolerance == {"a.py:f": text}
        Tolerance(text).allows(1.0, 1.5)
    else:
        with pytest.raises(UsageError, match="tolerance"):
            config.load(tmp_path)
