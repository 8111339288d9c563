"""Programs of published data sets, for `rules.py`: each with calls to record and calls held back.

Nothing of the data sets is kept here; `--data` names the folder that holds them, as gzipped JSON
lines. A program is a folder: `solution.py`, `inputs.py` (which makes arguments), `suite.py` (the
data set's own tests). The code of a data set is run as it is.
"""

import ast
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rules_scripts import as_function

# Arguments for calls: `made(seed)` gives (arguments as a tuple) from small to large.
ENAMEL_INPUTS = """
import math
import random
import string
from copy import deepcopy
from rules_inputs import *

{generator}

def made(seed):
    return enamel(generate_input, {levels}, seed)
"""
COFFE_INPUTS = """
import math
from rules_inputs import *

def made(seed):
    return coffe({small}, {stress}, seed)
"""
ASSERTS = """
from solution import *

{tests}
"""
CHECKED = """
from solution import {entry}

{tests}

check({entry})
"""
# A script's input is its only argument; `made` has several of each of four sizes.
PIE_INPUTS = """
import importlib.util
import random

spec = importlib.util.spec_from_file_location("pie_inputs", {file!r})
pie_inputs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pie_inputs)

def made(seed):
    for size in range(4):
        for number in range(4):
            dice = random.Random(f"{{seed}} {{size}} {{number}}")
            yield (pie_inputs.G[{problem!r}](dice, size),)
"""
# The faster program of the pair prints the same (or what the problem's judge takes as well).
PIE_SUITE = """
import contextlib
import io
import inputs
import solution

FAST = {fast!r}
judge = inputs.pie_inputs.CHECK.get({problem!r})
other = {{}}
exec(compile(FAST, "fast", "exec"), other)

def printed(solve, text):
    with contextlib.redirect_stdout(io.StringIO()) as file, contextlib.suppress(SystemExit):
        solve(text)
    return file.getvalue()

for (text,) in list(inputs.made(9))[:8]:
    wanted, found = printed(other["solve"], text), printed(solution.solve, text)
    assert found.split() == wanted.split() or judge, (text[:200], found[:200], wanted[:200])
"""
ELSEWHERE = {"numpy", "scipy", "numba", "networkx", "pandas"}  # not in the environment


@dataclass(frozen=True)
class Program:
    """A program of a data set."""

    set: str
    name: str
    entry: str
    source: str
    inputs: str
    suite: str

    def write(self, folder: Path) -> None:
        """Its files."""
        files = {"solution.py": self.source, "inputs.py": self.inputs, "suite.py": self.suite}
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def functions(self) -> list[str]:
        """The functions at the top of it."""
        tree = ast.parse(self.source)
        return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a data set."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def humaneval(data: Path) -> Iterator[Program]:
    """HumanEval's own solutions, with ENAMEL's generators (Qiu et al. 2025)."""
    suites = {row["task_id"]: row for row in rows(data, "humaneval")}
    for row in rows(data, "enamel"):
        entry, suite = row["entry_point"], suites.get(row["task_id"])
        if suite is None:
            continue
        tests = CHECKED.format(entry=entry, tests=suite["test"])
        levels = [int(float(level)) for level in row["input_levels"].split()]
        inputs = ENAMEL_INPUTS.format(generator=row["input_generator"], levels=levels)
        source = f"{suite['prompt']}{suite['canonical_solution']}"
        yield Program("humaneval", row["task_id"], entry, source, inputs, tests)


def mbpp(data: Path) -> Iterator[Program]:
    """MBPP's own solutions, with COFFE's stress inputs (Peng et al. 2025)."""
    known = {row["task_id"]: row for row in rows(data, "mbpp_sanitized")}
    for row in rows(data, "coffe_function"):
        if row["dataset"] != "mbpp" or row["task"] not in known:
            continue
        own = known[row["task"]]
        tests = "\n".join([*own["test_imports"], *own["test_list"]])
        small = [test["input"] for test in row["tests"]]
        inputs = COFFE_INPUTS.format(small=repr(small), stress=repr(row["stress"]))
        name = f"MBPP/{row['task']}"
        suite = ASSERTS.format(tests=tests)
        yield Program("mbpp", name, row["entry_point"], own["code"], inputs, suite)


def pie(data: Path) -> Iterator[Program]:
    """PIE's Python programs (Madaan et al. 2023) as functions of their input.

    One program of each problem, then a second one, and so on. Left out: what is no Python 3, what
    needs numpy and the like (many pairs only drop such an import), problems without a generator.
    """
    problems: dict[str, list[Program]] = {}
    file = data / "pie_inputs.py"
    generators = set(re.findall(r"@g\('(p\d+)'\)", file.read_text(encoding="utf-8")))
    for row in rows(data, "pie_py_pairs"):
        problem = row["problem_id"]
        if problem not in generators or imports(row["slow"]) & ELSEWHERE:
            continue
        try:
            source, fast = as_function(row["slow"]), as_function(row["fast"])
        except SyntaxError:
            continue
        known = problems.setdefault(problem, [])
        if all(one.source != source for one in known):
            inputs = PIE_INPUTS.format(file=str(file.resolve()), problem=problem)
            suite = PIE_SUITE.format(fast=fast, problem=problem)
            name = f"{problem}/{row['submission_id_v0']}"
            known.append(Program("pie", name, "solve", source, inputs, suite))
    for turn in zip_longest(*problems.values()):
        yield from filter(None, turn)


def imports(source: str) -> set[str]:
    """The packages that a program names in its imports, as far as it can be told."""
    return set(re.findall(r"^\s*(?:import|from)\s+(\w+)", source, re.MULTILINE))


SETS: Mapping[str, Any] = {"humaneval": humaneval, "mbpp": mbpp, "pie": pie}
