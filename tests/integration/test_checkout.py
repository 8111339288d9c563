"""What a newcomer runs first: the search for an interpreter, the example, the programs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIND = ROOT / "scripts" / "find-python.sh"
WAREHOUSE = ROOT / "examples" / "warehouse"


def run(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    quiet = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment or quiet, capture_output=True, text=True, check=False
    )


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def environment(tmp_path: Path) -> dict[str, str]:
    """A machine with nothing but a shell, and a `python3.13` that leads nowhere."""
    program(tmp_path / "shims" / "python3.13", "exit 127")
    return {"PATH": f"{tmp_path}/shims:/usr/bin:/bin", "HOME": str(tmp_path)}


def test_the_search_passes_over_a_name_that_leads_nowhere(tmp_path: Path) -> None:
    real = program(tmp_path / "pyenv/versions/3.12.1/bin/python", f'exec {sys.executable} "$@"')
    found = run(
        ["sh", str(FIND)], tmp_path, environment(tmp_path) | {"PYENV_ROOT": str(tmp_path / "pyenv")}
    )
    assert found.returncode == 0, found.stderr
    assert real.exists()
    version = run(
        [found.stdout.strip(), "-c", "import sys; print(sys.version_info >= (3, 12))"], ROOT
    )
    assert version.stdout == "True\n"


@pytest.mark.parametrize("text", ["exit 1", "echo Python 3.9.1"])
def test_an_interpreter_that_was_named_must_do(tmp_path: Path, text: str) -> None:
    named = program(tmp_path / "old python", text)
    found = run(["sh", str(FIND)], tmp_path, environment(tmp_path) | {"PYTHON": str(named)})
    assert (found.returncode, found.stdout) == (1, "")
    assert f"PYTHON={named} cannot be used" in found.stderr


def test_the_example_passes_its_own_tests() -> None:
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], WAREHOUSE)
    assert done.returncode == 0, done.stdout


def test_the_examples_input_is_the_same_every_time(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, str(WAREHOUSE / "generate.py"), str(tmp_path / seed)]
        assert run(command, tmp_path, variables).returncode == 0
    for file in (tmp_path / "1").iterdir():
        assert file.read_bytes() == (tmp_path / "2" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "size", "says"),
    [
        ("fib", 10, "55"),
        ("scheduler", 10, "20"),
        ("constraints", 3, "1918"),
        ("raytrace", 4, "2.03087"),
        ("queues", 5, "120"),
    ],
)
def test_the_benchmarks_programs_compute_something(name: str, size: int, says: str) -> None:
    path = ROOT / "benchmarks" / "programs" / f"{name}.py"
    assert run([sys.executable, str(path), str(size)], ROOT).stdout.startswith(says)
