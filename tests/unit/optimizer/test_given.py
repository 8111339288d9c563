"""A candidate is read from what the user gives; what can't be one is wrong usage."""

from pathlib import Path
from typing import Any

import pytest

from perftrace.errors import UsageError
from perftrace.model import Candidate
from perftrace.optimizer import given

SOURCE = """\
def f(n):
    def inner():
        return n
    return inner() + 1


def g(n):
    return n


class C:
    def h(self):
        return 1
"""
FASTER = SOURCE.replace("inner() + 1", "n + 1")
DIFF = "@@ -4,1 +4,1 @@\n-    return inner() + 1\n+    return n + 1\n"


@pytest.fixture
def lab(make_lab: Any) -> Any:
    return make_lab(SOURCE, {"f": ["n"], "g": ["n"]})


def read(lab: Any, tmp_path: Path, text: str) -> Candidate:
    path = tmp_path / "given"
    path.write_text(text)
    return given.read(lab.store, lab.function(), path)


@pytest.mark.parametrize(
    "text",
    [
        FASTER,
        f"```python\n{FASTER}```\n",
        f"--- a/app.py\n+++ b/app.py\n{DIFF}",
        f"```diff\n--- a/app.py\n+++ b/app.py\n{DIFF}```\n",
        DIFF,
    ],
    ids=["source", "fenced source", "diff", "fenced diff", "diff without names"],
)
def test_a_source_or_a_diff_is_the_changed_file(lab: Any, tmp_path: Path, text: str) -> None:
    assert read(lab, tmp_path, text).source == FASTER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FASTER.replace("return n\n\n\nclass", "return 1 * n\n\n\nclass"), "changes g and f."),
        (SOURCE.replace("return 1", "return 2"), r"changes C\.h, but not f\."),
    ],
)
def test_a_change_of_another_function_is_wrong_usage(
    lab: Any, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=f"{message} One function at a time"):
        read(lab, tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        SOURCE.replace("        return n\n", "        return 1 * n\n"),
        FASTER.replace("    return n\n\n\nclass", "    return n  # same\n\n\nclass"),
        FASTER.replace("def f", "def _help(n):\n    return n\n\n\ndef f"),
    ],
    ids=["a function inside it", "a comment in another", "a new helper"],
)
def test_these_are_changes_of_the_function_alone(lab: Any, tmp_path: Path, text: str) -> None:
    assert read(lab, tmp_path, text).source == text


def test_a_diff_of_the_file_as_it_is_now_asks_to_record_again(lab: Any, tmp_path: Path) -> None:
    lab.file.write_text("# mine\n" + SOURCE)
    diff = DIFF.replace("@@ -4,1 +4,1 @@", "@@ -5,1 +5,1 @@")
    with pytest.raises(UsageError, match=r"not as it was recorded\. Record it again"):
        read(lab, tmp_path, f"--- a/app.py\n+++ b/app.py\n{diff}")
