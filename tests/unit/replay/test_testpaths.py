"""Whether a plain `pytest` runs the replay tests."""

from pathlib import Path

import pytest

from perftrace.replay.testpaths import left_out

SAID = "A plain `pytest` does not run them: {} has testpaths = {}. Add tests/replay there, or run:"


@pytest.mark.parametrize(
    ("name", "text", "paths"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["tests/unit"]\n', "tests/unit"),
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = "unit doc"\n', "unit doc"),
        ("pyproject.toml", '[tool.pytest]\ntestpaths = ["checks"]\n', "checks"),
        ("pytest.ini", "[pytest]\ntestpaths = src\n  checks\n", "src checks"),
        ("tox.ini", "[pytest]\ntestpaths = checks\n", "checks"),
        ("setup.cfg", "[tool:pytest]\ntestpaths = checks\n", "checks"),
    ],
)
def test_paths_that_leave_the_tests_out_are_said(
    tmp_path: Path, name: str, text: str, paths: str
) -> None:
    (tmp_path / name).write_text(text)
    said = left_out(tmp_path, tmp_path / "tests" / "replay")
    assert said.startswith(SAID.format(name, paths))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\ntestpaths = ["t*"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-q"\n'),
        ("pyproject.toml", '[project]\nname = "x"\n'),
        ("pyproject.toml", "[tool\n"),
        ("pytest.ini", "[pytest]\ntestpaths = unit tests/replay\n"),
        ("tox.ini", "[tox]\ntestpaths = unit\n"),
        ("setup.cfg", "no settings"),
        ("setup.cfg", "[tool:pytest]\ntestpaths = .\n"),
    ],
)
def test_nothing_is_said_where_they_run(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "tests" / "replay").mkdir(parents=True)
    assert left_out(tmp_path, tmp_path / "tests" / "replay") == ""


def test_the_first_file_with_settings_counts(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\ntestpaths = unit\n")
    assert left_out(tmp_path, tmp_path / "tests" / "replay") == ""


def test_without_settings_pytest_looks_everywhere(tmp_path: Path) -> None:
    assert left_out(tmp_path, tmp_path / "tests" / "replay") == ""
