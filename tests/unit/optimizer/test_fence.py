"""Code copied with a Markdown fence around it is taken out of it."""

import pytest

from perftrace.errors import UsageError
from perftrace.optimizer.fence import unwrap

CODE = "def f(n):\n    return n + 1\n"
DIFF = "--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n def f(n):\n-    return n\n+    return n + 1\n"


@pytest.mark.parametrize("code", [CODE, DIFF], ids=["source", "diff"])
@pytest.mark.parametrize(
    "around",
    [
        "```python\n{}```\n",
        "```diff\n{}```",
        "\n```\n{}```\n\n",
        "~~~~ py\n{}~~~~\n",
        "Here it is:\n\n```python title='m.py'\n{}```\nIt's faster.\n",
        "```\r\n{}```\r\n",
    ],
)
def test_the_code_of_one_fence_is_what_is_meant(around: str, code: str) -> None:
    assert unwrap(around.format(code), "c.md") == code


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        DIFF,
        '"""Docs.\n\n```python\nx = 1\n```\n"""\n' + CODE,
        DIFF + "+    '''\n+```\n",
        "def f(:\n",
        "",
    ],
    ids=["source", "diff", "fence in a docstring", "fence in a diff", "no fence", "empty"],
)
def test_code_without_a_fence_around_it_stays_as_it_is(text: str) -> None:
    assert unwrap(text, "c.md") == text


def test_of_several_fences_none_is_guessed() -> None:
    with pytest.raises(UsageError, match=r"c\.md has 2 blocks of code"):
        unwrap(f"```python\n{CODE}```\nor\n```python\n{CODE}```\n", "c.md")


def test_a_fence_that_is_not_closed_is_told() -> None:
    with pytest.raises(UsageError, match="never closed"):
        unwrap(f"```python\n{CODE}", "c.md")
