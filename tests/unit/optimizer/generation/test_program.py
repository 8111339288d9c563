"""From a model's words to a program."""

import pytest

from perftrace.optimizer.generation import cases
from perftrace.optimizer.generation.program import NoProgram, extract, meaning
from perftrace.optimizer.generation.task import Task

PREFIX = 'from math import pi\n\ndef area(r):\n    """Of a circle."""\n'
TASK = Task("area", PREFIX, cases.read("assert area(0) == 0\n"), PREFIX)
PROGRAM = "def area(r):\n    return 3 * r * r\n"


@pytest.mark.parametrize(
    "answer",
    [
        f"Here it is:\n\n```python\n{PROGRAM}```\nThat is all.",
        f"```\nx = 1\n```\n\n```py\n{PROGRAM}```\n\n```text\nno code\n```",
        f"```python\r\n{PROGRAM.replace(chr(10), chr(13) + chr(10))}```",
        f"  ```python\n  def area(r):\n      return 3 * r * r\n  ```",  # noqa: F541 - like the others
        PROGRAM,
        f"```python\n{PROGRAM}\nassert area(0) == 0\nprint(area(2))\n"
        'if __name__ == "__main__":\n    print(area(1))\n```',
    ],
)
def test_the_program_is_found(answer: str) -> None:
    assert extract(answer, TASK) == PROGRAM


@pytest.mark.parametrize(
    "answer",
    ["    return pi * r * r\n", "return pi * r * r", "```python\n    return pi * r * r\n```"],
)
def test_an_answer_may_go_on_from_the_code_of_the_task(answer: str) -> None:
    assert extract(answer, TASK) == f"{PREFIX}    return pi * r * r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I can't.", "no code block"),
        ("```python\ndef area(r:\n```", "not valid Python"),
        ("```python\ndef volume(r):\n    return r\n```", "not define the function area"),
        ("```python\narea = lambda r: r\n```", "not define the function area"),
        ("```bash\nrm -rf /\n```", "no code block"),
        ("", "not define the function area"),
    ],
)
def test_why_an_answer_is_no_program(answer: str, reason: str) -> None:
    task = Task("area", "Write area.", TASK.tests)
    found = extract(answer, task)
    assert isinstance(found, NoProgram)
    assert reason in found.reason


def test_layout_and_comments_mean_nothing() -> None:
    assert meaning(PROGRAM) == meaning("def area( r ):  # a circle\n\n    return 3*r*r\n")
    assert meaning(PROGRAM) != meaning(PROGRAM.replace("3", "4"))
