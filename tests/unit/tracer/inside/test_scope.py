import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import perftrace
from perftrace.tracer.inside import scope
from perftrace.tracer.inside.scope import Scope, is_function, matches


def rule(*, includes: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> Scope:
    return Scope(
        ("/home/me/shop",),
        includes,
        excludes,
        cwd="/home/me/shop/src",
        libraries=scope.own_libraries(),
        own=frozenset({"/opt/perftrace/tracer/inside/boot.py"}),
    )


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("/home/me/shop/app.py", None),
        ("app.py", None),
        ("../../shop/./app.py", None),
        ("../../other/app.py", scope.OUTSIDE),
        ("/home/me/shopping/app.py", scope.OUTSIDE),
        ("/home/me/shop/.venv/lib/python3.12/site-packages/x.py", scope.INSTALLED),
        (re.__file__, scope.STANDARD),
        (pytest.__file__, scope.INSTALLED),
        ("<frozen importlib._bootstrap>", scope.STANDARD),
        ("<string>", scope.GENERATED),
        ("", scope.GENERATED),
        ("/opt/perftrace/tracer/inside/boot.py", scope.OURS),
    ],
)
def test_a_file_is_the_users_or_has_a_reason_why_not(file: str, reason: str | None) -> None:
    assert rule().reason(file) == reason


def test_an_include_beats_the_folders_and_an_exclude_beats_both() -> None:
    assert rule(includes=("*/site-packages/x/*",)).reason("/usr/site-packages/x/a.py") is None
    assert rule(excludes=("/home/me/shop/gen/*",)).reason("gen/a.py") is None
    assert rule(excludes=("*/gen/*",)).reason("gen/a.py") == scope.EXCLUDED
    both = rule(includes=("*",), excludes=("*a.py",))
    assert both.reason("/x/a.py") == scope.EXCLUDED


@given(st.text("ab/.", max_size=12), st.text("ab/.*?", max_size=8))
def test_globs_match_as_fnmatch_has_it(text: str, glob: str) -> None:
    assert matches(text, glob) == fnmatch.fnmatchcase(text, glob)


def test_only_bodies_of_functions_are_functions() -> None:
    code = compile(
        "def f(): pass\nclass A: pass\ng = (x for x in ())\nh = lambda: 1", "a.py", "exec"
    )
    inner = {
        const.co_name: is_function(const) for const in code.co_consts if hasattr(const, "co_name")
    }
    assert not is_function(code)
    assert inner == {"f": True, "A": False, "<genexpr>": False, "<lambda>": True}


def test_the_recorders_own_files_are_known() -> None:
    assert scope.__file__ in scope.own_files()
    assert sys.modules["json"].__file__ not in scope.own_files()


LOADED = """
import sys, types
for name, folder in zip(("_perftrace", "_perftrace.tracer"), sys.argv[1:]):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
from _perftrace.tracer.inside import boot, scope
print(*scope.own_files(), sep=chr(10))
"""


def test_all_files_of_the_recorder_are_its_own_before_they_are_loaded() -> None:
    tracer = Path(scope.__file__).parents[1]
    folders = [str(Path(perftrace.__file__).parent), str(tracer)]
    command = [sys.executable, "-I", "-S", "-c", LOADED, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    files = {str(path) for path in (tracer / "inside").glob("*.py")}
    assert files - set(done.stdout.splitlines()) == set()
