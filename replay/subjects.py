"""Which functions can have replay tests at all, whatever was recorded of them."""

import re
from pathlib import Path

from perftrace.model import Function

MODULE_CODE = "the code of a module: runs on import"
CLASS_BODY = "the body of a class: runs on import"
TEST_ITSELF = "part of a test itself"
NEVER = (TEST_ITSELF, MODULE_CODE, CLASS_BODY)  # there is nothing to be tested by a call
TEST_FILE = re.compile(r"(test_.*|.*_tests?|tests?|conftest)\.py")
TEST_FOLDERS = frozenset({"test", "tests"})


def no_subject(function: Function, root: Path) -> str:
    """Why there can be no test of a function; empty: there may be. `root`: the project's folder."""
    if function.qualname == "<module>":
        return MODULE_CODE
    if is_test(function, root):
        return TEST_ITSELF
    if function.nested or "<" in function.qualname:
        return "no name leads to it: defined inside a function, or a lambda"
    return ""


def is_test(function: Function, root: Path) -> bool:
    """Whether it is a test, or something that only tests use."""
    file = Path(function.file)
    packages = function.module.split(".")[:-1]
    folders = file.relative_to(root).parts[:-1] if file.is_relative_to(root) else ()
    inside = TEST_FOLDERS.intersection(packages) | TEST_FOLDERS.intersection(folders)
    return bool(TEST_FILE.fullmatch(file.name) or inside)
