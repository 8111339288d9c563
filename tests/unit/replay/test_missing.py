"""Which hot functions could have replay tests and have none."""

from perftrace.model import Function, HotFunction, Kind, Share
from perftrace.replay import emit
from perftrace.replay.missing import missing


def hot(
    qualname: str, share: float = 0.5, replayable: int = 3, module: str = "shop"
) -> HotFunction:
    function = Function(1, f"/p/{module}.py", qualname, 1, module, Kind.FUNCTION, ())
    measured = Share(share, share, share)
    return HotFunction(function, measured, share, share, 3, 1e-6, 3, replayable, ())


SUITE = emit.Suite(
    "shop",
    "shop.py",
    "python app.py",
    (emit.Test("tested", "test_tested_1", "def test_tested_1():\n    pass\n"),),
    exercises=(("shop:reached", "tested"), ("app:main", "tested")),
)


def names(*ranked: HotFunction) -> list[str]:
    found = missing([SUITE], ranked)
    return [one.function.qualname for one in found]


def test_hot_functions_with_calls_and_without_tests_are_missing() -> None:
    assert names(hot("tested"), hot("reached"), hot("bare")) == ["bare"]
    assert names(hot("tested", module="other")) == ["tested"]


def test_cold_ones_and_those_that_can_have_none_are_not() -> None:
    assert not names(hot("cold", 0.009), hot("lost", replayable=0), hot("f.<locals>.g"))


def test_a_script_is_known_by_its_files_name() -> None:
    script = hot("main", module="__main__")
    function = Function(1, "/p/app.py", "main", 1, "__main__", Kind.FUNCTION, ())
    assert not names(HotFunction(function, script.hot, 1, 1, 3, 1e-6, 3, 3, ()))
