"""Programs of published data sets, for `rules.py`: each with calls to record and calls held back.

Nothing of the data sets is kept here; `--data` names the folder that holds them, as gzipped JSON
lines. A program is a folder: `solution.py`, `inputs.py` (which makes arguments), `suite.py` (the
data set's own tests). The code of a data set is run as it is.
"""

import ast
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


SETS: Mapping[str, Any] = {"humaneval": humaneval, "mbpp": mbpp}
