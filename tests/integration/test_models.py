"""`perftrace optimize --engine …` with a model on loopback, on a program recorded for real."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from model_server import Behaviour, Fails, ModelServer, Says, text_of

from perftrace.cli import main

pytest.importorskip("anthropic", reason="the SDK anthropic is not installed")
pytest.importorskip("openai", reason="the SDK openai is not installed")

PROGRAM = '''"""How many divisors numbers have."""


def divisors(n):
    """Of one number."""
    count = 0
    for k in range(1, n + 1):
        if n % k == 0:
            count = count + 1
    return count


def main():
    print(sum(divisors(n) for n in range(1000, 2000)))


if __name__ == "__main__":
    main()
'''
WRONG = """Half of them are below the root.

```python
def divisors(n):
    count = 0
    for k in range(1, int(n**0.5)):
        if n % k == 0:
            count = count + 2
    return count
```
"""
RIGHT = """The divisors come in pairs, one of which is not above the root.

```python
from math import isqrt

def divisors(n):
    if n < 1:
        return 0
    root = isqrt(n)
    count = 0
    for k in range(1, root + 1):
        if n % k == 0:
            count = count + 2
    return count - 1 if root * root == n else count
```
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("divisors")
    (folder / "pyproject.toml").write_text('[project]\nname = "divisors"\nversion = "1"\n')
    (folder / "numbers_of.py").write_text(PROGRAM)
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    subprocess.run(
        [
            *(sys.executable, "-c", code, "run", "--overhead", "30%"),
            *("--python", sys.executable, "numbers_of.py"),
        ],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "config")},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(recorded)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key")
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    for name in ("answers.jsonl", "batches.jsonl"):
        (recorded / ".perftrace" / name).unlink(missing_ok=True)
    return recorded


def first_wrong(request: dict[str, Any]) -> Behaviour:
    """Wrong at first, right when told so, and nothing faster than that."""
    asked = text_of(request["messages"][-1])
    if "does not do the same" in asked:
        return Says(RIGHT)
    return Says("NOTHING" if "was measured" in asked else WRONG, cached=20)


def optimize(*options: str, url: str = "", engine: str = "anthropic") -> list[str]:
    where = ["--base-url", url] if url else []
    words = ["optimize", "divisors", "--engine", engine, "--no-whole-program"]
    return [*words, *where, "--candidates", "1", *options]


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("engine", "options"),
    [("anthropic", ()), ("openai", ("--model", "gpt-test"))],
)
def test_a_wrong_proposal_is_repaired_verified_measured_and_kept(
    project: Path, capsys: pytest.CaptureFixture[str], engine: str, options: tuple[str, ...]
) -> None:
    with ModelServer(first_wrong).running() as server:
        url = server.url if engine == "anthropic" else f"{server.url}/v1"
        assert main(optimize("--json", *options, url=url, engine=engine)) == 0
        found = document(capsys)
        [row] = found["functions"]
        assert row["verdict"] == "accepted", (row["reason"], row["witness"], found["models"])
        assert row["speedup"] > 2
        assert "isqrt" in row["diff"]
        assert '\n     """Of one number."""' in row["diff"]  # it stayed
        assert found["models"]["engine"] == engine
        assert found["models"]["questions"] >= 2
        assert found["models"]["tokens"]["output"] >= 80
        # Again, with nobody there: all answers are known.
        asked = len(server.requests)
        assert main(optimize("--json", *options, url=url, engine=engine)) == 0
        assert document(capsys)["models"]["from_recording"] >= 2
        assert len(server.requests) == asked
    assert main(optimize("--json", "--from-recording", engine=engine)) == 0
    assert document(capsys)["functions"][0]["verdict"] == "accepted"


def test_a_batch_is_sent_at_the_end_and_its_answers_are_for_later_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*options: str) -> dict[str, Any]:
        assert main(optimize("--json", "--batch", *options, url=server.url)) == 0
        said = capsys.readouterr()
        found = json.loads(said.out)
        return {**found, "said": said.err}

    with ModelServer(first_wrong).running() as server:
        found = run()
        assert (found["models"]["questions"], found["functions"][0]["verdict"]) == (0, "rejected")
        assert found["models"]["batches"] == [{"id": "msgbatch_1", "questions": 1}]
        assert "1 question sent as batch msgbatch_1, at half the price." in found["said"]
        assert "No candidate" not in found["said"]
        server.batch_state = "in_progress"
        assert "1 question of batch msgbatch_1 wait: in progress." in run()["said"]
        assert len(server.batches) == 1
        server.batch_state = "ended"
        found = run("--max-cost", "1")  # the first answer is wrong, and goes back
        assert "1 answer of batch msgbatch_1 came." in found["said"]
        assert found["models"]["batches"] == [{"id": "msgbatch_2", "questions": 1}]
        assert found["models"]["cost_usd"] == pytest.approx((100 * 2 + 20 * 0.2 + 40 * 10) / 2e6)
        found = run()
        assert found["functions"][0]["verdict"] == "accepted"
        assert found["models"]["batches"] == []  # fast enough: nothing more is asked
        assert "1 answer of batch msgbatch_2 came." in found["said"]
        assert len(server.batches) == 2


def test_people_are_told_what_is_sent_and_what_it_cost(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer(first_wrong).running() as server:
        assert main(optimize("--max-cost", "1", url=server.url)) == 0
        said = capsys.readouterr()
        assert "Sent to anthropic (claude-sonnet-5-5): the source of each function" in said.err
        assert "no values" in said.err
        assert "The divisors come in pairs" in said.out
        assert "anthropic claude-sonnet-5-5: " in said.out
        assert "about $0.0" in said.out
        context = server.requests[0]["messages"][0]["content"][0]["text"]
        assert "def divisors(n):" in context
        assert "`n`: int" in context


@pytest.mark.parametrize(
    ("options", "first"), [(("--effort", "low"), 2), (("--effort", "low", "--candidates", "3"), 3)]
)
def test_effort_says_how_much_is_asked(
    project: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], first: int
) -> None:
    with ModelServer([Says("NOTHING")]).running() as server:
        words = ["optimize", "divisors", "--engine", "anthropic", "--no-whole-program"]
        assert main([*words, "--base-url", server.url, *options]) == 0
        asked = [text for text in server.questions() if "For this proposal" in text]
    assert len(asked) == first


def test_without_an_answer_the_rules_stand_and_the_reason_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer([Fails(401, "authentication_error", "invalid x-api-key")]).running() as one:
        assert main(optimize(url=one.url)) == 0
        said = capsys.readouterr().out
        assert "Nothing more was asked: no valid key: invalid x-api-key" in said
        assert len(one.requests) == 1


def test_prompts_are_shown_and_nothing_is_asked(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(optimize("--show-prompt", url="http://127.0.0.1:9")) == 0
    said = capsys.readouterr().out
    assert "You make Python functions faster." in said
    assert "def divisors(n):" in said
    assert "tokens, about)" in said
    assert "\n## What was recorded\n" in said
    assert "\\n" not in said
    assert main(optimize("--dry-run", url="http://127.0.0.1:9")) == 0
    assert "divisors" in capsys.readouterr().out


def test_a_person_is_the_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(optimize(engine="manual")) == 0
    assert "1 question in " in capsys.readouterr().out
    [asked] = (project / ".perftrace" / "questions").glob("*.question.md")
    assert "def divisors(n):" in asked.read_text()
    answer = asked.with_name(asked.name.replace(".question.", ".answer."))
    answer.write_text(RIGHT)
    assert main(optimize("--json", engine="manual")) == 0
    [row] = document(capsys)["functions"]
    assert row["verdict"] == "accepted", (row["reason"], row["witness"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--engine", "rules", "--model", "x"), "--model is for language models"),
        (("--engine", "openai"), "Say which model"),
        (("--batch",), "--batch is for language models"),
        (("--engine", "manual", "--batch"), "--batch is for --engine anthropic"),
        (("--engine", "anthropic", "--batch", "--from-recording"), "not for --from-recording"),
        (("--engine", "openai", "--model", "m", "--max-cost", "1"), "No price is known for m"),
        (("--engine", "anthropic", "--from-recording"), "holds no recorded answer"),
    ],
)
def test_options_that_do_not_go_together_are_one_clear_error(
    project: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert main(["optimize", "divisors", *options]) == 2
    assert said in capsys.readouterr().err
