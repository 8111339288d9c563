"""Engines that another package brings."""

from pathlib import Path

import pytest

from perftrace.cli import main
from perftrace.errors import CannotError
from perftrace.optimizer.models import others
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Turn, Usage, Why

QUESTION = Question("system", "context", (Turn("user", "make it faster"),))
MODULE = """
from perftrace.optimizer.models.asking import Answer, NoAnswer, Usage, Why

class Echo:
    def __init__(self, model, base_url):
        if model == "unknown":
            raise LookupError("no such model")
        self.name, self.model, self.base_url = "anything", model or "echo-1", base_url

    def ask(self, question):
        match self.model:
            case "raises":
                raise OSError("the line is dead")
            case "text":
                return "no Answer"
            case "bytes":
                return Answer(b"no text")
            case "empty":
                return Answer(" ", Usage(3, 1))
            case "busy":
                return NoAnswer(Why.LIMITED, "later")
        return Answer(f"{self.base_url} {question.turns[-1].text}", Usage(3, 1))
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "echo_engine.py").write_text(MODULE)
    folder = tmp_path / "echo_engine-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-engine\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[perftrace.engines]\necho = echo_engine:Echo\nlost = nowhere_engine:Lost\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_an_installed_engine_is_asked() -> None:
    assert others.names() == ("echo", "lost")
    made = others.make("echo", "", "http://here")
    assert (made.name, made.model) == ("echo", "echo-1")
    assert made.ask(QUESTION) == Answer("http://here make it faster", Usage(3, 1))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("raises", NoAnswer(Why.BROKEN, "OSError: the line is dead")),
        ("text", NoAnswer(Why.BROKEN, "echo gave str, no Answer with a text")),
        ("bytes", NoAnswer(Why.BROKEN, "echo gave bytes, no Answer with a text")),
        ("empty", NoAnswer(Why.EMPTY, usage=Usage(3, 1))),
        ("busy", NoAnswer(Why.LIMITED, "later")),
    ],
)
def test_what_is_no_answer_is_told(model: str, expected: NoAnswer) -> None:
    assert others.make("echo", model, "").ask(QUESTION) == expected


@pytest.mark.parametrize(
    ("name", "model", "said"),
    [
        ("echo", "unknown", r"engine echo \(echo_engine:Echo\) fails: LookupError: no such model"),
        ("lost", "", r"\(nowhere_engine:Lost\) fails: ModuleNotFoundError: No module named"),
    ],
)
def test_one_that_can_not_be_used_is_one_clear_error(name: str, model: str, said: str) -> None:
    with pytest.raises(CannotError, match=said):
        others.make(name, model, "")


def test_the_command_line_knows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "--engine", "ecco"]) == 2
    assert "'ecco' is not one of rules, anthropic, openai, manual, echo, lost." in (
        capsys.readouterr().err
    )
    assert main(["optimize", "--engine", "echo", "-d", "nowhere.db"]) == 3
    assert "nowhere.db" in capsys.readouterr().err
