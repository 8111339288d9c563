"""Tasks: from files, and from data sets as they are published."""

import gzip
import json
from pathlib import Path

import pytest

from perftrace.errors import UsageError
from perftrace.optimizer.generation.task import all_of, load

HUMAN = {
    "task_id": "HumanEval/7",
    "prompt": 'def double(n):\n    """Twice n."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
MBPP = {
    "task_id": 11,
    "prompt": "Write a function to double a number.",
    "code": "def helper(n):\r\n    return n\r\ndef double(n):\r\n    return helper(n) * 2",
    "test_imports": ["import math"],
    "test_list": ["assert double(2) == 4", "assert double(0) == 0"],
}


def test_a_description_with_its_tests(tmp_path: Path) -> None:
    (tmp_path / "task.md").write_text("Double a number.\n")
    (tmp_path / "tests.py").write_text("assert double(2) == 4\n")
    task = load(str(tmp_path / "task.md"), tmp_path / "tests.py", None)
    assert (task.text, task.entry, len(task.tests.cases)) == ("Double a number.", "double", 1)


@pytest.mark.parametrize("name", ["humaneval.jsonl", "HumanEval.jsonl.gz"])
def test_a_task_of_human_eval(tmp_path: Path, name: str) -> None:
    text = json.dumps(HUMAN) + "\n"
    data = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    (tmp_path / name).write_bytes(data)
    task = load("HumanEval/7", None, tmp_path)
    assert task.text == 'def double(n):\n    """Twice n."""'
    assert task.solution == f"{HUMAN['prompt']}{HUMAN['canonical_solution']}"
    assert task.tests.names == ("candidate", "double")


def test_helpers_of_a_prompt_are_there_for_its_tests(tmp_path: Path) -> None:
    prompt = "import math\n\ndef half(n):\n    return n / 2\n\n" + HUMAN["prompt"]
    test = "def check(candidate):\n    assert candidate(half(4)) == 4\n"
    row = {**HUMAN, "prompt": prompt, "test": test}
    (tmp_path / "humaneval.jsonl").write_text(json.dumps(row))
    source = load("HumanEval/7", None, tmp_path).tests.source
    assert "def half(n):" in source
    assert "def double" not in source


@pytest.mark.parametrize("as_list", [True, False])
def test_a_task_of_mbpp(tmp_path: Path, as_list: bool) -> None:
    text = json.dumps([MBPP]) if as_list else json.dumps(MBPP)
    (tmp_path / "sanitized-mbpp.json").write_text(text)
    task = load("mbpp/11", None, tmp_path)
    assert task.name == "MBPP/11"
    assert task.text == f"{MBPP['prompt']}\n\nWrite the function `def double(n)`."
    assert task.entry == "double"
    assert [one.name for one in all_of(tmp_path, "mbpp")] == ["MBPP/11"]


def test_other_tests_for_a_task_of_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "humaneval.jsonl").write_text(json.dumps(HUMAN))
    (tmp_path / "own.py").write_text("assert double(5) == 10\nassert double(6) == 12\n")
    assert len(load("HumanEval/7", tmp_path / "own.py", tmp_path).tests.cases) == 2


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "task.md").write_text("Double.")
    with pytest.raises(UsageError, match="--tests"):
        load(str(tmp_path / "task.md"), None, None)
    with pytest.raises(UsageError, match="--data"):
        load("HumanEval/7", None, None)
    with pytest.raises(UsageError, match=r"no humaneval\.jsonl"):
        load("HumanEval/7", None, tmp_path)
    (tmp_path / "humaneval.jsonl").write_text(json.dumps(HUMAN))
    with pytest.raises(UsageError, match="no task 8"):
        load("HumanEval/8", None, tmp_path)
    (tmp_path / "humaneval.jsonl").write_text('{"task_id": "HumanEval/7"}')
    with pytest.raises(UsageError, match="has no 'prompt'"):
        load("HumanEval/7", None, tmp_path)
    (tmp_path / "humaneval.jsonl").write_text("{")
    with pytest.raises(UsageError, match="can't be read"):
        load("HumanEval/7", None, tmp_path)
