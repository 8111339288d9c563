"""`perftrace generate` with a model on loopback that speaks the real wire format."""

import json
from pathlib import Path
from typing import Any

import pytest
from model_server import Behaviour, Fails, ModelServer, Says, text_of

from perftrace.cli import main
from perftrace.optimizer.generation.generator import Generator

pytest.importorskip("anthropic", reason="the SDK anthropic is not installed")
pytest.importorskip("openai", reason="the SDK openai is not installed")

TESTS = """from solution import divisors

def test_small():
    assert divisors(6) == 4
    assert divisors(1) == 1

def test_large():
    assert divisors(30000) == 50
"""
OFF = "```python\ndef divisors(n):\n    return sum(n % k == 0 for k in range(1, n))\n```"
SLOW = OFF.replace("range(1, n)", "range(1, n + 1)")
FAST = """```python
from math import isqrt

def divisors(n):
    root = isqrt(n)
    return 2 * sum(n % k == 0 for k in range(1, root + 1)) - (root * root == n)
```"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "divisors"\nversion = "1"\n')
    (tmp_path / "task.md").write_text("How many divisors has a number?\n")
    (tmp_path / "test_it.py").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    return tmp_path


def model(request: dict[str, Any]) -> Behaviour:
    """Wrong at first, then right, then fast."""
    asked = text_of(request["messages"][-1])
    if "takes the longest" in asked:
        return Says(FAST)
    if "What is the reason" in asked:
        return Says("The number itself is left out.")
    return Says(SLOW if "repair the program" in asked else OFF if "Write" in asked else SLOW)


def generate(*options: str, url: str, engine: str = "anthropic") -> list[str]:
    words = ["generate", "--task", "task.md", "--tests", "test_it.py", "--samples", "1"]
    return [*words, "--engine", engine, "--base-url", url, *options]


@pytest.mark.parametrize(
    ("engine", "options"), [("anthropic", ()), ("openai", ("--model", "gpt-test"))]
)
def test_from_wrong_to_right_to_fast(
    project: Path, capsys: pytest.CaptureFixture[str], engine: str, options: tuple[str, ...]
) -> None:
    with ModelServer(model).running() as server:
        url = server.url if engine == "anthropic" else f"{server.url}/v1"
        assert main(generate("-o", "solution.py", *options, url=url, engine=engine)) == 0
        said = capsys.readouterr()
        assert said.out == ""
        assert f"Sent to {engine}" in said.err
        assert (project / ".perftrace" / ".gitignore").read_text() == "*\n"
        assert "task.md: 1 of 1 right; all 2 tests pass. The best is " in said.err
        assert "first: wrong: divisors(6) returned 3" in said.err
        assert "isqrt" in (project / "solution.py").read_text()
        asked = len(server.requests)
        assert main(generate("--json", *options, url=url, engine=engine)) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(server.requests) == asked or found["model"]["from_recording"] > 0
    assert found["right"] is True
    assert found["speedup"] > 3
    assert [one["step"] for one in found["samples"][0]["versions"]] == [
        *("first", "mend", "faster", "slowest")
    ]


def test_the_program_is_printed_where_no_file_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer([Says(SLOW)]).running() as server:
        assert main(generate("--method", "none", url=server.url)) == 0
    said = capsys.readouterr()
    assert said.out == "def divisors(n):\n    return sum(n % k == 0 for k in range(1, n + 1))\n"
    assert "all 2 tests pass. There is no other to compare it with." in said.err
    with ModelServer([Says(SLOW)]).running() as server:
        assert main(generate("--method", "none", "--json", url=server.url)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"] > 0
    assert (found["speedup"], found["low"], found["high"]) == (None, None, None)


def test_an_interrupt_keeps_the_first_right_program(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "_chosen", interrupted)
    with ModelServer(model).running() as server:
        assert main(generate("-o", "solution.py", url=server.url)) == 130
    said = capsys.readouterr().err
    assert "Interrupted, so this is the first right one, not timed." in said
    assert said.endswith("perftrace: interrupted\n")
    assert "range(1, n + 1)" in (project / "solution.py").read_text()
    monkeypatch.setattr(Generator, "_step", interrupted)
    with ModelServer([Says(OFF)]).running() as server:
        assert main(generate("--json", "--rounds", "1", url=server.url)) == 130
    found = json.loads(capsys.readouterr().out)
    assert (found["right"], found["interrupted"]) == (False, True)


def test_no_right_program_is_exit_code_1(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer([Says(OFF)]).running() as server:
        assert main(generate("--rounds", "1", "-o", "solution.py", url=server.url)) == 1
    assert "No program passes the tests." in capsys.readouterr().err
    assert not (project / "solution.py").exists()


def test_a_failing_provider_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ModelServer([Fails(401, "authentication_error", "invalid x-api-key")]).running() as one:
        assert main(generate(url=one.url)) == 1
        assert "no valid key: invalid x-api-key" in capsys.readouterr().err
        assert len(one.requests) == 1


def test_questions_are_shown_and_nothing_is_asked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(generate("--show-prompt", "--samples", "3", url="http://127.0.0.1:9")) == 0
    said = capsys.readouterr().out
    assert "\nHow many divisors has a number?\n" in said
    assert "tokens, about)" in said


def test_a_person_is_the_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "--task", "task.md", "--tests", "test_it.py", "--engine", "manual"]
    options = ["--samples", "1", "--method", "none"]
    assert main([*words, *options]) == 3
    said = capsys.readouterr().err
    assert "1 question in " in said
    assert said.endswith("There is no program yet: answers are waited for.\n")
    assert (project / ".perftrace" / ".gitignore").read_text() == "*\n"
    [asked] = (project / ".perftrace" / "questions").glob("*.question.md")
    asked.with_name(asked.name.replace(".question.", ".answer.")).write_text(FAST)
    assert main([*words, *options]) == 0
    assert "isqrt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--engine", "manual", "--task", "nothing.md"), "can't be read"),
        (("--engine", "manual", "--tests", "bad.py"), "not valid Python"),
        (("--engine", "manual", "--function", "other"), "no test of other"),
        (("--engine", "manual", "-o", "task.md/solution.py"), "is not a folder"),
        (("--engine", "manual", "-o", "."), "is a directory"),
        (("--engine", "rules"), "rules"),
        ((), "--engine"),
    ],
)
def test_wrong_usage_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    (project / "bad.py").write_text("assert (")
    assert main(["generate", "--task", "task.md", "--tests", "test_it.py", *options]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
