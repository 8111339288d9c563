"""What is to be programmed: a description, tests, and (in data sets) a solution that is known."""

import ast
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perftrace.errors import UsageError
from perftrace.optimizer.generation import cases
from perftrace.optimizer.generation.cases import Suite
from perftrace.optimizer.generation.reading import parse

NAMED = re.compile(r"(HumanEval|MBPP)/(\d+)", re.IGNORECASE)
# Files that hold a data set, as it is published or as one JSON document a line.
FILES = {
    "humaneval": ("humaneval.jsonl", "HumanEval.jsonl"),
    "mbpp": ("mbpp_sanitized.jsonl", "sanitized-mbpp.json", "mbpp.jsonl"),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One function to write."""

    name: str
    text: str  # what is asked for, as a model reads it
    tests: Suite
    prefix: str = ""  # code that an answer may go on from
    solution: str = ""  # a program that is known to be right; empty: none

    @property
    def entry(self) -> str:
        """The function's name."""
        return self.tests.entry


def load(name: str, tests: Path | None, data: Path | None, function: str = "") -> Task:
    """A task: `HumanEval/3` or `MBPP/11` of a data set, or a file with a description.

    Raises:
        UsageError: there is no such task, or its tests can't be read.
    """
    found = NAMED.fullmatch(name)
    if found and not Path(name).exists():
        return _published(found[1].lower(), found[2], tests, data)
    if tests is None:
        raise UsageError("generate-tests", f"Give the tests of {name}: --tests FILE")
    read = cases.read(_text(tests), function, str(tests))
    return Task(name, _text(Path(name)).strip(), read)


def all_of(data: Path, kind: str) -> Iterator[Task]:
    """The tasks of a data set, `humaneval` or `mbpp`, in their order.

    Raises:
        UsageError: it is not there, or can't be read.
    """
    for row in _rows(kind, data):
        yield READ[kind](row)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError("generate-task", f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError("generate-task", f"{file} can't be read: {error}") from None


def _published(kind: str, number: str, tests: Path | None, data: Path | None) -> Task:
    if data is None:
        raise UsageError(
            "generate-task", f"Say where the data set lies: --data FOLDER, with {FILES[kind][0]}"
        )
    for row in _rows(kind, data):
        if str(row.get("task_id", "")).rpartition("/")[2] == number:
            task = READ[kind](row)
            if tests is None:
                return task
            own = cases.read(_text(tests), task.entry, str(tests))
            return Task(task.name, task.text, own, task.prefix, task.solution)
    raise UsageError("generate-task", f"There is no task {number} in {data}.")


def _rows(kind: str, data: Path) -> list[dict[str, Any]]:
    file = _file(kind, data)
    try:
        opened = gzip.open if file.suffix == ".gz" else open
        with opened(file, "rt", encoding="utf-8") as lines:
            text = lines.read()
        if text.lstrip().startswith("["):
            return list(json.loads(text))
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise UsageError("generate-task", f"{file} can't be read: {error}") from None


def _file(kind: str, data: Path) -> Path:
    if data.is_file():
        return data
    for name in FILES[kind]:
        for file in (data / name, data / f"{name}.gz"):
            if file.is_file():
                return file
    raise UsageError("generate-task", f"There is no {FILES[kind][0]} in {data}.")


def _human_eval(row: dict[str, Any]) -> Task:
    """A row as openai/human-eval has it; its prompt is the head of the function."""
    try:
        prompt, entry = str(row["prompt"]), str(row["entry_point"])
        text = f"{_helpers(prompt, entry)}\n{row['test']}"
        tests = cases.read(text, entry, str(row["task_id"]))
        solution = prompt + str(row.get("canonical_solution", ""))
        return Task(str(row["task_id"]), prompt.strip(), tests, prompt, solution)
    except KeyError as error:
        raise UsageError("generate-task", f"A row of the data set has no {error}.") from None


def _helpers(prompt: str, entry: str) -> str:
    """What a prompt has besides the function: the tests may use it."""
    try:
        tree = parse(f"{prompt.rstrip()}\n    pass\n")
    except SyntaxError as error:
        raise UsageError("generate-task", f"The task's code can't be read: {error}") from None
    others = (node for node in tree.body if getattr(node, "name", "") != entry)
    return "\n".join(map(ast.unparse, others))


def _mbpp(row: dict[str, Any]) -> Task:
    """A row as MBPP has it; the signature of its code is part of what is asked for."""
    try:
        name = f"MBPP/{row['task_id']}"
        code = str(row["code"]).replace("\r\n", "\n")
        imports = re.findall(r"^(?:import|from) .*$", code, re.MULTILINE)  # tests use them too
        text = "\n".join([*imports, *row.get("test_imports", []), *row["test_list"]])
        tests = cases.read(text, _tested(row), name)
        asked = str(row.get("prompt") or row["text"]).strip()
        head = re.search(rf"^def {re.escape(tests.entry)}\b.*$", code, re.MULTILINE)
        signature = f"\n\nWrite the function `{head[0].rstrip(': ')}`." if head else ""
        return Task(name, asked + signature, tests, "", code)
    except KeyError as error:
        raise UsageError("generate-task", f"A row of the data set has no {error}.") from None


def _tested(row: dict[str, Any]) -> str:
    """The function of the code that the tests call."""
    names = re.findall(r"^def (\w+)", str(row["code"]), re.MULTILINE)
    tests = "\n".join(row["test_list"])
    return next((name for name in names if re.search(rf"\b{name}\(", tests)), "")


READ = {"humaneval": _human_eval, "mbpp": _mbpp}
