"""Tests of the static check."""

import pytest

from perftrace.model import Candidate, Function, Kind
from perftrace.optimizer import gate
from perftrace.optimizer.gate import Finding

SOURCE = '''\
import logging
import os
import re

LIMIT = 3


def f(xs, *, key=None):
    """Doc."""
    if xs is None:
        raise ValueError("no items")
    logging.warning("f is slow")
    total = 0
    for i in range(100):
        total += sum(xs)
    return total


def other():
    return 1
'''
BODY = "    return total\n"


def findings(new: str, old: str = SOURCE, name: str = "f") -> list[Finding]:
    line = next(i for i, text in enumerate(old.split("\n"), 1) if text.startswith(f"def {name}"))
    function = Function(1, "/m.py", name, line, "m", Kind.FUNCTION, ())
    return gate.check(Candidate(function, "test", (), "", old, new))


def rules(new: str, old: str = SOURCE) -> set[str]:
    return {one.rule for one in findings(new, old)}


def body(code: str) -> str:
    """The source with other last lines of the function."""
    return SOURCE.replace(BODY, code)


def above(code: str) -> str:
    """The source with something added above the function."""
    return SOURCE.replace("LIMIT = 3\n", f"LIMIT = 3\n{code}\n")


@pytest.mark.parametrize(
    "new",
    [
        SOURCE,
        body("    return total + 0\n"),
        above("_PATTERN = re.compile('a')"),
        above("_TABLE = {'a': 1, 'b': (2, -3)}"),
        above("from collections import Counter"),
        above("def _helper(x):\n    return x\n"),
        body("    from itertools import chain\n    return total\n"),
        body("    return getattr(total, 'real')\n"),
    ],
)
def test_an_honest_change_has_no_finding(new: str) -> None:
    assert findings(new) == []


def test_an_operator_may_be_used_as_a_function() -> None:
    assert rules(body("    found = {1: 2}\n    return sum(map(found.__getitem__, xs))\n")) == set()


def test_what_may_stand_beside_the_function_is_said() -> None:
    [found] = findings(above("_FOUND = made()"))
    assert found.message == (
        "Line 6 is new: beside the function, only imports, helpers and constants made of literals"
        " may be added."
    )


def test_a_change_that_is_not_python_is_found() -> None:
    (finding,) = findings(body("    return (\n"))
    assert finding.rule == "syntax"
    assert "not valid Python" in finding.message


@pytest.mark.parametrize(
    "new",
    [
        SOURCE.replace("LIMIT = 3", "LIMIT = 1"),
        SOURCE.replace("    return 1", "    return 2"),
        SOURCE.replace("def other():\n    return 1\n", ""),
        above("TABLE = {}"),
        above("__T = {}"),
        above("_T = print()"),
        above("_T = [x for x in open('a')]"),
        above("sum = _T = 1"),
        above("class _C: pass"),
        above("print('hello')"),
        above("if 1:\n    _A = 2"),
        above("os.path.join = None"),
        body("    class C: pass\n    return total\n"),
        SOURCE + "\nf = None\n",
        SOURCE + "\ndef other():\n    return 3\n",
    ],
)
def test_only_the_function_may_change_and_private_constants_be_added(new: str) -> None:
    assert "outside" in rules(new)


@pytest.mark.parametrize(
    "new",
    [
        SOURCE.replace("def f(xs, *, key=None):", "def f(xs, key=None):"),
        SOURCE.replace("key=None", "key=0"),
        SOURCE.replace("def f(xs,", "def f(xs: list,"),
        SOURCE.replace("key=None):", "key=None) -> int:"),
        SOURCE.replace("def f(", "async def f("),
        SOURCE.replace("def f(", "@staticmethod\ndef f("),
        body("    yield total\n"),
        SOURCE.replace("def f(", "def g("),
    ],
)
def test_the_signature_stays(new: str) -> None:
    assert "signature" in rules(new)


def test_decorators_stay() -> None:
    old = SOURCE.replace("def f(", "@other\ndef f(")
    function = Function(1, "/m.py", "f", 8, "m", Kind.FUNCTION, ())
    (finding,) = gate.check(Candidate(function, "test", (), "", old, SOURCE))
    assert finding.rule == "signature"


@pytest.mark.parametrize(
    "new",
    [
        above("import json"),
        above("from . import x"),
        above("from math import *"),
        body("    import socket\n    return total\n"),
    ],
)
def test_only_pure_modules_may_be_imported(new: str) -> None:
    assert "import" in rules(new)


@pytest.mark.parametrize(
    "code",
    [
        "    return eval('total')\n",
        "    return open('a')\n",
        "    globals()['x'] = 1\n    return total\n",
        "    global LIMIT\n    LIMIT = 2\n    return total\n",
        "    return xs.__class__\n",
        "    return getattr(xs, '__len__')()\n",
        "    return getattr(xs, 'a' + str(total))\n",
        "    setattr(xs, 'a', 1)\n    return total\n",
        "    return __builtins__\n",
    ],
)
def test_introspection_is_found(code: str) -> None:
    assert "introspection" in rules(body(code))


def test_effects_that_the_original_lacks_are_found() -> None:
    assert rules(body("    os.getpid()\n    return total\n")) == {"effects"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('        raise ValueError("no items")\n', "        return 0\n"),
        ('    logging.warning("f is slow")\n', ""),
    ],
)
def test_fewer_signals_are_found(old: str, new: str) -> None:
    assert rules(SOURCE.replace(old, new)) == {"signals"}


@pytest.mark.parametrize(
    "handler", ["except:", "except Exception:", "except (BaseException, OSError):"]
)
def test_a_new_broad_except_is_found(handler: str) -> None:
    code = f"    try:\n        return total\n    {handler}\n        return 0\n"
    assert rules(body(code)) == {"broad-except"}


def test_a_narrow_except_is_allowed() -> None:
    code = "    try:\n        return total\n    except KeyError:\n        return 0\n"
    assert rules(body(code)) == set()


@pytest.mark.parametrize(
    "code",
    [
        f"_T = {list(range(51))}",
        f"_T = {dict.fromkeys(range(51))}",
        f"_T = {'x' * 2100!r}",
        f"_T = {2**500}",
        f"_T = {['x' * 100] * 30}",
    ],
)
def test_a_large_table_is_found(code: str) -> None:
    assert rules(above(code)) == {"table"}


def test_a_table_of_the_original_is_not_new() -> None:
    old = body(f"    return {list(range(60))}\n")
    assert rules(old.replace("total = 0", "total = 1"), old) == set()


@pytest.mark.parametrize(
    "new",
    [
        SOURCE.replace("def f(", "@lru_cache\ndef f(").replace(
            "import re", "import re\nfrom functools import lru_cache"
        ),
        above("_SEEN = {}").replace(BODY, "    _SEEN[1] = total\n    return total\n"),
        above("_SEEN = []").replace(BODY, "    _SEEN.append(total)\n    return total\n"),
        body("    f.last = total\n    return total\n"),
        above("@functools.cache\ndef _g(x):\n    return x\n").replace(
            "import re", "import re\nimport functools"
        ),
    ],
)
def test_state_between_calls_is_a_finding_that_is_not_hard(new: str) -> None:
    (finding,) = findings(new)
    assert (finding.rule, finding.hard) == ("keeps-state", False)


def test_a_memory_inside_one_call_is_no_state() -> None:
    code = "    @functools.lru_cache\n    def g(n):\n        return n\n    return g(total)\n"
    assert rules(body(code).replace("import re", "import re\nimport functools")) == set()


def test_a_lowered_loop_bound_is_shown() -> None:
    assert findings(SOURCE.replace("range(100)", "range(10)")) == [
        Finding("bound", "A loop bound went from 100 to 10.", hard=False)
    ]


ARRAYS = """\
import numpy as np


def f(values, limit):
    count = 0
    for value in values:
        if value > limit:
            count += 1
    return count
"""


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ("int(np.count_nonzero(values > limit))", set()),
        ("int(np.sum(np.where(values > limit, 1, 0)))", set()),
        ("len(np.load(values))", {"effects"}),
        ("int(np.random.random())", {"effects"}),
        ("int(np.sum(values > limit)) + len(np.fromfile(values))", {"effects"}),
        ("(lambda module: module.load(values))(np)", {"effects"}),
    ],
)
def test_of_numpy_only_what_computes_may_be_used_anew(new: str, found: set[str]) -> None:
    assert rules(ARRAYS.partition("    count = 0")[0] + f"    return {new}\n", ARRAYS) == found
