"""Which functions can have replay tests."""

from pathlib import Path

import pytest

from perftrace.model import Function, Kind
from perftrace.replay.subjects import no_subject

ROOT = Path("/work/test/shop")  # a folder above the project may be called anything


@pytest.mark.parametrize(
    ("file", "module", "qualname", "reason"),
    [
        ("/work/test/shop/till.py", "till", "total", ""),
        ("/work/test/shop/src/till/testing.py", "till.testing", "total", ""),
        ("/work/test/shop/latest/till.py", "latest.till", "total", ""),
        ("/work/test/shop/till.py", "till", "<module>", "the code of a module: runs on import"),
        (
            "/work/test/shop/till.py",
            "till",
            "total.<locals>.one",
            "no name leads to it: defined inside a function, or a lambda",
        ),
        ("/work/test/shop/test_till.py", "test_till", "test_total", "part of a test itself"),
        ("/work/test/shop/tests.py", "tests", "TestTill.test_total", "part of a test itself"),
        ("/work/test/shop/latests.py", "latests", "total", ""),
        ("/work/test/shop/tests/conftest.py", "conftest", "till", "part of a test itself"),
        ("/work/test/shop/tests/util.py", "util", "make", "part of a test itself"),
        ("/lib/site-packages/till/tests/util.py", "till.tests.util", "f", "part of a test itself"),
        ("/lib/test/site-packages/till/util.py", "till.util", "f", ""),
    ],
)
def test_reasons(file: str, module: str, qualname: str, reason: str) -> None:
    function = Function(1, file, qualname, 1, module, Kind.FUNCTION, ())
    assert no_subject(function, ROOT) == reason
