"""A unified diff is applied exactly, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perftrace.errors import UsageError
from perftrace.optimizer import patch, unified

TEXT = "".join(f"line {number}\n" for number in range(1, 21))
LINES = st.lists(st.sampled_from(["a\n", "b\n", "-- x\n", "++ y\n", "\n", " c\n"]), max_size=12)


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_diff_of_two_texts_makes_one_of_the_other(
    old: list[str], new: list[str], newline: str, ends: bool
) -> None:
    first, second = "".join(old).replace("\n", newline), "".join(new).replace("\n", newline)
    if not ends:
        second = second.removesuffix(newline)
    diff = patch.diff(first, second, "src/mod.py")
    if unified.is_diff(diff) and first:
        assert unified.apply(diff, first, "/home/me/src/mod.py") == second


def test_line_ends_of_the_file_are_kept_when_the_diff_has_others() -> None:
    diff = patch.diff("a\nb\nc\n", "a\nx\nc\n", "mod.py")
    assert unified.apply(diff, "a\r\nb\r\nc\r\n", "/mod.py") == "a\r\nx\r\nc\r\n"


@pytest.mark.parametrize("name", ["mod.py", "a/mod.py", "src/mod.py", "b/src/mod.py"])
def test_the_file_may_be_named_as_git_does(name: str) -> None:
    diff = f"--- {name}\n+++ {name}\n@@ -1 +1 @@\n-a\n+b\n"
    assert unified.apply(diff, "a\n", "/home/src/mod.py") == "b\n"


def test_a_diff_of_another_file_is_refused() -> None:
    diff = patch.diff("a\n", "b\n", "other.py")
    for text in ("x\n", "x\na\n", ""):
        with pytest.raises(UsageError, match=r"changes b/other\.py"):
            unified.apply(diff, text, "/home/mod.py")
    added = "--- old.py\n+++ new.py\n@@ -0,0 +1 @@\n+b\n"
    both = diff + patch.diff("a\n", "b\n", "mod.py")
    for one in (added, both):
        with pytest.raises(UsageError, match=r"may change /home/mod\.py alone"):
            unified.apply(one, "a\n", "/home/mod.py")


@pytest.mark.parametrize("name", ["/tmp/new.py", "mod.py.orig", "other.py"])
def test_what_diff_writes_about_two_files_is_taken_where_it_fits(name: str) -> None:
    diff = f"--- mod.py\t2025-01-01\n+++ {name}\t2025-01-02\n@@ -9 +9 @@\n-line 9\n+nine\n"
    assert unified.apply(diff, TEXT, "/mod.py") == TEXT.replace("line 9\n", "nine\n")


@pytest.mark.parametrize("text", [TEXT.replace("line 10", "mine"), "line 1\n", f"new\n{TEXT}"])
def test_a_diff_of_another_text_is_refused(text: str) -> None:
    diff = patch.diff(TEXT, TEXT.replace("line 9\n", "line nine\n"), "mod.py")
    with pytest.raises(UsageError, match="does not fit"):
        unified.apply(diff, text, "/mod.py")


def test_source_code_is_not_taken_for_a_diff() -> None:
    assert not unified.is_diff("def f():\n    return 1\n")
    assert not unified.is_diff('"""\n--- a\n@@ -1 +1 @@\n"""\n')
