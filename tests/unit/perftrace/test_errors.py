import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace import errors
from perftrace.errors import CannotError, CheckFailed, PerftraceError, TraceError, UsageError

ROOT = Path(__file__).parents[3]
MESSAGES = ROOT / "docs" / "messages.md"
NAMES = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, PerftraceError)
}


def slugs_in(source: str) -> Iterator[str]:
    """The first argument of each error that is made; one that is not a literal is a failure."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in NAMES:
            slug = node.args[0]
            assert isinstance(slug, ast.Constant), f"line {node.lineno}: the slug is not a literal"
            yield str(slug.value)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "pytest":
        return ""  # pytest's own UsageError
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def slugs_of_the_code() -> set[str]:
    folders = [ROOT / name for name in ("perftrace", "tracer", "replay", "optimizer")]
    files = {path.resolve() for folder in folders for path in folder.rglob("*.py")}
    return {slug for path in files for slug in slugs_in(path.read_text(encoding="utf-8"))}


def test_every_slug_is_explained_and_every_explanation_is_in_use() -> None:
    explained = set(re.findall(r"^### `([a-z-]+)`$", MESSAGES.read_text(encoding="utf-8"), re.M))
    raised = slugs_of_the_code()
    assert sorted(raised - explained) == [], "to be explained in docs/messages.md"
    assert sorted(explained - raised) == [], "explained in docs/messages.md, raised nowhere"


def test_slugs_are_found_however_the_error_is_named() -> None:
    source = "raise TraceError('a-b', 'x')\nreturn errors.UsageError('c', f'{y}')\nother('d')\n"
    assert sorted(slugs_in(source)) == ["a-b", "c"]


def test_a_computed_slug_is_refused() -> None:
    with pytest.raises(AssertionError, match="not a literal"):
        list(slugs_in("raise TraceError(slug, 'x')"))


@pytest.mark.parametrize(
    ("kind", "code"), [(UsageError, 2), (CannotError, 3), (TraceError, 3), (CheckFailed, 1)]
)
def test_the_kind_of_error_decides_the_exit_code(kind: type[PerftraceError], code: int) -> None:
    error = kind("some-slug", "What happened.")
    assert (error.exit_code, error.slug, str(error)) == (code, "some-slug", "What happened.")
