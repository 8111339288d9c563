import importlib
import json
import linecache
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from perftrace.replay.inside.overlay import Overlay

INSIDE = Path(importlib.import_module("perftrace.replay").__path__[0]) / "inside"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_imports_get_the_text_and_the_true_file_name(folder: Path) -> None:
    file = folder / "overlaid_one.py"
    file.write_text("VALUE = 1\n")
    Overlay({str(file): "VALUE = 2\ndef f():\n    return f.__code__\n"}).install()
    module = importlib.import_module("overlaid_one")
    assert (module.VALUE, module.__file__) == (2, str(file))
    assert module.f().co_filename == str(file)
    assert linecache.getline(str(file), 2) == "def f():\n"
    linecache.checkcache(str(file))
    assert linecache.getline(str(file), 2) == "def f():\n"
    assert not (folder / "__pycache__").exists()


def test_bytecode_of_the_real_file_is_not_used(folder: Path) -> None:
    file = folder / "overlaid_two.py"
    file.write_text("VALUE = 1\n")
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True)
    Overlay({str(file): "VALUE = 2\n"}).install()
    assert importlib.import_module("overlaid_two").VALUE == 2


def test_a_file_reached_through_a_link_is_overlaid(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "overlaid_three.py").write_text("VALUE = 1\n")
    (folder / "link").symlink_to(folder / "real")
    sys.path.insert(0, str(folder / "link"))
    Overlay({str(folder / "real" / "overlaid_three.py"): "VALUE = 2\n"}).install()
    assert importlib.import_module("overlaid_three").VALUE == 2


def test_other_modules_are_imported_as_ever(folder: Path) -> None:
    (folder / "overlaid_four.py").write_text("VALUE = 1\n")
    Overlay({str(folder / "other.py"): ""}).install()
    module = importlib.import_module("overlaid_four")
    assert module.VALUE == 1
    assert type(module.__loader__).__name__ == "SourceFileLoader"


def test_without_texts_nothing_is_installed() -> None:
    before = list(sys.meta_path)
    Overlay({}).install()
    assert sys.meta_path == before


# --- whole programs -----------------------------------------------------------------------

APP = """
    import sys
    import lib
    print(__name__, __file__, sys.argv, sys.path[0], lib.VALUE, __spec__ and __spec__.name)
    print(sys.modules["__main__"].__dict__ is globals(), sorted(vars()))
"""


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    for name in ("app.py", "pkg/tool.py", "pkg/__main__.py"):
        (tmp_path / name).write_text(dedent(APP))
    (tmp_path / "lib.py").write_text("VALUE = 1\n")
    (tmp_path / "pkg" / "lib.py").write_text("VALUE = 1\n")
    return tmp_path


def overlay(folder: Path, files: dict[str, str]) -> Path:
    path = folder.parent / f"{folder.name}.json"
    path.write_text(json.dumps({str(folder / name): text for name, text in files.items()}))
    return path


@pytest.mark.parametrize(
    ("form", "name", "plain"),
    [
        ("script", "app.py", ["app.py"]),
        ("script", "pkg", ["pkg"]),
        ("module", "pkg.tool", ["-m", "pkg.tool"]),
        ("module", "pkg", ["-m", "pkg"]),
    ],
)
def test_the_runner_runs_a_program_as_plain_python_does(
    app: Path, form: str, name: str, plain: list[str]
) -> None:
    nothing = overlay(app, {})
    expected = run(*plain, "--flag", "x", cwd=app)
    got = run(INSIDE / "runner.py", nothing, form, name, "--flag", "x", cwd=app)
    assert expected.returncode == 0, expected.stderr
    assert (got.stdout, got.stderr, got.returncode) == (expected.stdout, "", 0)


def test_the_runner_overlays_the_script_and_its_modules(app: Path) -> None:
    files = overlay(app, {"app.py": "import lib\nprint('new', lib.VALUE)\n", "lib.py": "VALUE = 9"})
    assert run(INSIDE / "runner.py", files, "script", "app.py", cwd=app).stdout == "new 9\n"


def test_the_runner_overlays_a_module_run_with_m(app: Path) -> None:
    files = overlay(app, {"pkg/tool.py": "print('new', __spec__.name)"})
    got = run(INSIDE / "runner.py", files, "module", "pkg.tool", cwd=app)
    assert got.stdout == "new pkg.tool\n"


@pytest.mark.parametrize(
    "text", ["raise ValueError('x')\n", "def f():\n    f(\n", "import sys\nsys.exit(7)\n", "1/0\n"]
)
def test_the_runner_fails_as_plain_python_does(app: Path, text: str) -> None:
    (app / "app.py").write_text(text)
    expected = run("app.py", cwd=app)
    got = run(INSIDE / "runner.py", overlay(app, {}), "script", "app.py", cwd=app)
    assert got.returncode == expected.returncode
    assert got.stderr == expected.stderr


def test_a_missing_module_is_named(app: Path) -> None:
    got = run(INSIDE / "runner.py", overlay(app, {}), "module", "nothing", cwd=app)
    assert got.returncode == 1
    assert "No module named nothing" in got.stderr


def test_commands_get_the_overlay_through_the_environment(app: Path) -> None:
    (app / "own").mkdir()
    (app / "own" / "sitecustomize.py").write_text("print('own')\n")
    files = overlay(app, {"lib.py": "VALUE = 9\n"})
    inject = INSIDE.parent / "inject"
    got = run(
        "-c",
        "import lib, sys; print(lib.VALUE, any('inject' in entry for entry in sys.path))",
        cwd=app,
        PYTHONPATH=f"{inject}{os.pathsep}{app / 'own'}",
        PERFTRACE_OVERLAY=str(files),
    )
    assert got.stdout == "own\n9 False\n"


def test_a_text_can_stand_for_a_file_that_is_not_there(folder: Path) -> None:
    Overlay(
        {
            str(folder / "overlaid_new.py"): "VALUE = 1\n",
            str(folder / "overlaid_package" / "__init__.py"): "from .inner import VALUE\n",
            str(folder / "overlaid_package" / "inner.py"): "VALUE = 2\n",
            str(folder / "overlaid_space" / "inner.py"): "VALUE = 3\n",
        }
    ).install()
    values = [
        importlib.import_module(name).VALUE
        for name in ("overlaid_new", "overlaid_package", "overlaid_space.inner")
    ]
    assert values == [1, 2, 3]
    assert list(folder.glob("overlaid_*")) == []


def test_a_hidden_file_can_not_be_imported(folder: Path) -> None:
    file = folder / "overlaid_hidden.py"
    file.write_text("VALUE = 1\n")
    overlay = Overlay({str(file): None})
    overlay.install()
    with pytest.raises(ModuleNotFoundError, match="overlaid_hidden"):
        importlib.import_module("overlaid_hidden")
    with pytest.raises(FileNotFoundError, match="not there in this revision"):
        overlay.source(str(file))
    assert file.exists()


def test_a_module_that_became_a_package_is_imported_as_one(folder: Path) -> None:
    old = folder / "overlaid_grown.py"
    old.write_text("VALUE = 1\n")
    new = folder / "overlaid_grown" / "__init__.py"
    Overlay({str(old): None, str(new): "VALUE = 2\n"}).install()
    assert importlib.import_module("overlaid_grown").VALUE == 2
