import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from perftrace.replay.inside.locate import Finder, NotFound, definitions
from perftrace.replay.inside.overlay import Overlay
from perftrace.replay.inside.program import CannotImport, Program

type Load = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Writes a module and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = dict(sys.modules)

    def write(text: str, name: str = "located") -> ModuleType:
        (tmp_path / f"{name}.py").write_text(dedent(text))
        return importlib.import_module(name)

    yield write
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules["__main__"] = before["__main__"]


def program(module: ModuleType | None = None, overlay: dict[str, str] | None = None) -> Program:
    file = module.__file__ if module else None
    return Program(file, None, Overlay(overlay or {}))


def find(
    module: ModuleType, qualname: str, line: int = 0, ordinal: int = 0, *, decorated: bool = False
) -> Callable[..., object]:
    finder = Finder(program())
    code = finder.code(str(module.__file__), qualname, line, ordinal)
    return finder.function(code, module, decorated=decorated)


def test_definitions_are_listed_by_qualified_name_in_their_order() -> None:
    text = """
        if found:
            def f(): pass
        else:
            def f(): pass
        class K:
            @property
            def x(self): return [i for i in (lambda: [1])()]
            @x.setter
            def x(self, value):
                def inner(): pass
    """
    lines = definitions(dedent(text), "m.py")
    assert lines["f"] == [3, 5]
    assert lines["K.x"] == [7, 9]
    assert lines["K.x.<locals>.inner"] == [11]


def test_a_recorded_line_counts_in_an_unchanged_file(load: Load) -> None:
    module = load("class K:\n  def f(self): return 1\n  g = f\n  def f(self): return 2\n")
    assert find(module, "K.f", 2)(None) == 1
    assert find(module, "K.f", 4)(None) == 2


def test_where_the_line_is_gone_the_ordinal_counts(load: Load) -> None:
    module = load("\n\n\ndef f(): return 1\n")
    assert find(module, "f", 1)() == 1
    with pytest.raises(NotFound, match=r"function f no longer exists in .*located\.py"):
        find(module, "f", 1, ordinal=1)


LAYERS = """
    import functools

    def kept(function):
        @functools.wraps(function)
        def wrapper(*args):
            return "wrapper", function(*args)
        return wrapper

    def plain(function):
        def wrapper(*args):
            return "wrapper", function(*args)
        return wrapper

    class Held:
        def __init__(self, function):
            self.function = function
        def __call__(self, *args):
            return "held", self.function(*args)

    @kept
    def one(n): return n
    @plain
    @functools.cache
    def two(n): return n
    @Held
    def three(n): return n
    @lambda function: None
    def four(n): return n
    KEEP = []
    @KEEP.append
    def five(n): return n
    @functools.singledispatch
    def six(n): return n
    @six.register
    def _(n: int): return -n
    @six.register
    def _(n: str): return n + n

    class K:
        @property
        @functools.cache
        def size(self): return "size"
        @functools.cached_property
        def slow(self): return "slow"
        @classmethod
        @kept
        def made(cls, n): return n
"""


@pytest.mark.parametrize("name", ["one", "two", "three", "five", "six", "K.made"])
def test_decorators_are_looked_through(load: Load, name: str) -> None:
    function = find(load(LAYERS), name)
    assert function.__qualname__ == name
    assert function(None, 7) == 7 if "." in name else function(7) == 7


def test_registered_functions_of_one_name_are_told_apart_by_line(load: Load) -> None:
    module = load(LAYERS)
    lines = definitions(dedent(LAYERS), "m.py")["_"]
    assert [
        find(module, "_", line)(argument) for line, argument in zip(lines, (2, "a"), strict=True)
    ] == [-2, "aa"]


def test_a_function_that_a_decorator_threw_away_is_not_found(load: Load) -> None:
    with pytest.raises(NotFound, match="is not defined when its module is imported"):
        find(load(LAYERS), "four")


def test_with_decorated_the_innermost_layer_is_called(load: Load) -> None:
    module = load(LAYERS)
    cached = find(module, "two", decorated=True)
    assert hasattr(cached, "cache_info")
    assert hasattr(find(module, "K.size", decorated=True), "cache_info")
    assert find(module, "one", decorated=True)(1) == ("wrapper", 1)
    assert find(module, "five", decorated=True)(1) == 1


def test_two_functions_on_one_line_are_not_guessed(load: Load) -> None:
    module = load("pair = [lambda: 1, lambda: 2]\n")
    with pytest.raises(NotFound, match="several functions <lambda> begin on line 1"):
        find(module, "<lambda>", 1)


def test_a_function_inside_a_function_has_a_reason(load: Load) -> None:
    module = load("def f():\n    def g(): pass\n    return g\n")
    with pytest.raises(NotFound, match="only its callers can replay it"):
        find(module, "f.<locals>.g", 2)


# --- the program --------------------------------------------------------------------------


def test_references_resolve_to_what_they_name(load: Load) -> None:
    module = load("class K:\n    class __In:\n        x = 1\n")
    found = program()
    assert found.resolve("located", "K") is module.K
    assert found.resolve("located", "K.__In") is vars(module.K)["_K__In"]
    assert found.resolve("located", "") is module
    for name, qualname in (("located", "gone"), ("no_such_module", "x"), ("__main__", "x")):
        with pytest.raises(LookupError):
            found.resolve(name, qualname)


def test_the_script_is_imported_where_an_import_would_find_it(load: Load) -> None:
    module = load("class K: pass\n", "script_one")
    del sys.modules["script_one"]
    found = program(module)
    assert found.main == "script_one"
    cls = found.resolve("__main__", "K")
    assert getattr(cls, "__module__", "") == "script_one"
    assert sys.modules["script_one"] is sys.modules["__main__"]


@pytest.mark.parametrize("name", ["json", "my.app"])
def test_a_script_never_takes_the_name_of_another_module(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.py"
    path.touch()
    assert Program(str(path), None, Overlay({})).main == f"_perftrace_main_{name}"


def test_a_module_is_found_by_its_file_where_its_name_fails(load: Load, tmp_path: Path) -> None:
    module = load("x = 1\n")
    assert program().module_of("recorded_under_another_name", str(module.__file__)) is module
    (tmp_path / "loose.py").write_text("x = 2\n")
    with pytest.raises(CannotImport, match="importing another_name fails"):
        program().module_of("another_name", str(tmp_path / "loose.py"))


def test_what_an_import_raises_is_told(load: Load) -> None:
    with pytest.raises(ZeroDivisionError):
        load("1/0\n")
    with pytest.raises(CannotImport, match="importing located fails: ZeroDivisionError"):
        program().module("located")
