import sys
from pathlib import Path

import pytest

from perftrace.tracer import patterns


@pytest.mark.parametrize(
    "pattern",
    [
        "json",
        "json.decoder",
        "json.*",
        "pytest",
        "_pytest.main",
        "*/vendored/*",
        "here.py",
        "he*.py",
        "sub",
        "sub/in*.py",
    ],
)
def test_what_is_there_leads_somewhere(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("here.py", "sub/inner.py"):
        (tmp_path / name).touch()
    assert patterns.leading_nowhere([pattern], tmp_path, sys.executable) == []


@pytest.mark.parametrize(
    "pattern", ["jsn", "jsn.*", "json.decodr", "sys", "nosuch.py", "no*.py", "sub/x.py", "/no/x.py"]
)
def test_what_is_nowhere_is_named(tmp_path: Path, pattern: str) -> None:
    assert patterns.leading_nowhere([pattern, "json"], tmp_path, sys.executable) == [pattern]
