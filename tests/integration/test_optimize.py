"""`perftrace optimize` on a program recorded for real."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perftrace.cli import main
from perftrace.model import Inconclusive
from perftrace.optimizer import decisions, pipeline, whole_program
from perftrace.optimizer.instructions import Counted, NotCounted
from perftrace.optimizer.whole_program import OutputChanged
from perftrace.store import Store

PROGRAM = '''"""Which orders are for known customers."""


def known(orders, customers):
    kept = []
    for order in orders:
        if order in customers:
            kept.append(order)
    return kept


def label(name):
    return name.upper()


def main():
    customers = [f"customer-{n}" for n in range(0, 1200, 2)]
    total = 0
    for start in range(100):
        orders = [f"customer-{n}" for n in range(start, start + 300)]
        total += sum(len(label(name)) for name in known(orders, customers))
    print(total)


if __name__ == "__main__":
    main()
'''


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("orders")
    (folder / "pyproject.toml").write_text('[project]\nname = "orders"\nversion = "1"\n')
    (folder / "orders.py").write_text(PROGRAM)
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", code, "run", "--python", sys.executable, "orders.py"],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "config")},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(recorded)
    yield recorded
    (recorded / "orders.py").write_text(PROGRAM)


def stored(project: Path) -> list[Any]:
    with Store.open(project / ".perftrace" / "trace.db") as store:
        return decisions.every(store)


def newest(project: Path) -> list[Any]:
    """The rows of the last `optimize`."""
    with Store.open(project / ".perftrace" / "trace.db") as store:
        sql = "SELECT * FROM decision WHERE created = (SELECT max(created) FROM decision)"
        return list(store.rows(sql))


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_each_function_has_a_verdict_and_the_program_its_figures(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", "--top", "3", "--json"]) == 0
    found = document(capsys)
    assert found["schema"] == "perftrace/optimize/1"
    assert len(found["functions"]) == 3
    assert all(row["verdict"] and row["reason"] for row in found["functions"])
    known = next(row for row in found["functions"] if row["function"] == "__main__:known")
    assert known["verdict"] == "accepted"
    assert known["low"] > 1.05
    assert known["low"] <= known["speedup"] <= known["high"]
    assert known["id"].startswith("known-")
    assert known["reason"].startswith("no difference in ")
    assert "+    customers_set = set(customers)" in known["diff"]
    assert known["evidence"]["recorded"] > 0
    assert found["whole_program"]["low"] > 1
    assert found["whole_program"]["same_output"] is True
    assert (project / "orders.py").read_text() == PROGRAM


def test_people_get_a_line_a_function_the_diff_and_the_next_command(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", "known", "label", "--no-whole-program"]) == 0
    text = capsys.readouterr().out
    assert "kept     no difference in " in text
    assert "membership-set" in text
    assert "--- a/orders.py\n+++ b/orders.py\n" in text
    assert "__main__:label" in text
    assert "no rule applies" in text
    assert text.endswith("Next: perftrace apply\n")
    assert "equivalent" not in text


def test_instructions_are_counted_where_that_is_asked_for(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([Counted(3000, 1000), NotCounted("Valgrind is not installed")])
    monkeypatch.setattr(whole_program, "count", lambda *_: next(counts))
    command = ["optimize", "known", "--no-whole-program", "--deterministic"]
    assert main([*command, "--json"]) == 0
    assert document(capsys)["instructions"] == {"ratio": 3.0, "old": 3000, "new": 1000}
    assert main(command) == 0
    assert "\ninstructions not counted: Valgrind is not installed\n" in capsys.readouterr().out


def test_commands_named_as_the_next_one_repeat_the_trace_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ("-d", str(project / ".perftrace" / "trace.db"))
    again = f"perftrace apply {' '.join(file)}\n"
    assert main(["optimize", "known", "--no-whole-program", *file]) == 0
    assert capsys.readouterr().out.endswith(f"Next: {again}")
    assert main(["apply", "--check", *file]) == 0
    assert capsys.readouterr().err.endswith(f"Next: {again}")


def test_what_was_accepted_before_is_still_to_be_applied(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", "known", "--no-whole-program", "--json"]) == 0
    [row] = document(capsys)["functions"]
    assert main(["optimize", "label", "--no-whole-program"]) == 0
    text = capsys.readouterr().out
    assert text.endswith(f"Nothing new. Accepted before: {row['id']}\nNext: perftrace apply\n")
    assert main(["apply"]) == 0
    assert "customers_set" in (project / "orders.py").read_text()


def test_a_dry_run_says_what_would_be_tried_and_runs_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "optimize", None)
    before = stored(project)
    assert main(["optimize", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "__main__:known" in text
    assert "membership-set" in text
    assert stored(project) == before


def test_a_bar_that_nothing_reaches_leaves_nothing_to_apply(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", "known", "--min-speedup", "100000"]) == 0
    text = capsys.readouterr().out
    assert "not clearly faster" in text
    assert text.endswith("Nothing to apply.\n")


def test_a_file_that_changed_since_is_named_and_left_alone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "orders.py").write_text(PROGRAM + "# mine\n")
    assert main(["optimize", "known", "--json"]) == 3
    found = document(capsys)
    [row] = found["functions"]
    assert row["verdict"] == "inconclusive"
    assert "orders.py changed since it was recorded" in row["reason"]
    assert found["changed"] == [str(project / "orders.py")]
    assert main(["optimize"]) == 3
    said = capsys.readouterr().out
    assert "Changed since it was recorded: orders.py. Record again: perftrace run\n" in said


def test_other_output_of_the_program_is_told_loudly_and_nothing_stays_accepted(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = OutputChanged(1, "'2'", "'3'")
    monkeypatch.setattr(whole_program, "compare", lambda *_: changed)
    assert main(["optimize", "known", "--json"]) == 0
    shown = capsys.readouterr()
    assert "PROGRAM OUTPUT CHANGED" in shown.err
    found = json.loads(shown.out)
    assert found["functions"][0]["verdict"] == "inconclusive"
    assert found["whole_program"]["reason"] == "program output changed"
    assert isinstance(stored(project)[0].verdict, Inconclusive)
    assert main(["apply"]) == 3


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_keeps_what_is_finished(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    number: signal.Signals,
    code: int,
) -> None:
    real, asked = pipeline.find, []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job may ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    def find(*arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) == 2:
            signal.raise_signal(number)
        return real(*arguments)

    monkeypatch.setattr(pipeline, "find", find)
    assert main(["optimize", "known", "label"]) == code
    text = capsys.readouterr().out
    assert "1 of 2 functions are finished" in text
    assert len(newest(project)) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "No function nothing"),
        (["--engine", "magic"], "magic"),
        (["--budget", "soon"], "is not a duration"),
        (["--top", "0"], "0 is not in the range"),
        (["--min-speedup", "0.5"], "0.5 is not in the range"),
    ],
)
def test_wrong_usage_is_one_clear_error(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["optimize", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_without_a_trace_no_file_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize"]) == 3
    assert capsys.readouterr().err.startswith("perftrace: No trace found")
    assert list(tmp_path.iterdir()) == []


def test_a_change_of_ones_own_is_verified_from_a_file_or_a_diff(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(PROGRAM.replace("return kept", "return tuple(kept)"))
    assert main(["verify", "known", "--candidate", str(wrong), "--json"]) == 1
    found = document(capsys)
    assert found["schema"] == "perftrace/verify/1"
    assert found["verdict"] == "rejected"
    assert found["witness"]["where"] == "result"
    assert found["evidence"] is None

    right = tmp_path / "right.diff"
    right.write_text(
        "--- a/orders.py\n+++ b/orders.py\n@@ -7,1 +7,1 @@\n"
        "-        if order in customers:\n+        if customers.count(order):\n"
    )
    assert main(["verify", "known", "--candidate", str(right), "--json"]) == 0
    found = document(capsys)
    assert found["verdict"] == "accepted"
    assert found["evidence"]["recorded"] > 0
    assert found["disk"] == ""
    (project / "orders.py").write_text(PROGRAM + "# mine\n")
    assert main(["verify", "known", "--candidate", str(right), "--measure"]) == 1
    said = capsys.readouterr().out
    assert "not clearly faster" in said
    assert "orders.py is not as it was recorded any more: the verdict is on the file" in said
    (project / "orders.py").write_text(
        PROGRAM.replace("order in customers:", "customers.count(order):")
    )
    assert main(["verify", "known", "--candidate", str(right)]) == 0
    assert "orders.py already holds this change" in capsys.readouterr().out


def test_a_candidate_that_is_not_there_or_does_not_fit_is_wrong_usage(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "known", "--candidate", "gone.py"]) == 2
    other = tmp_path / "other.diff"
    other.write_text("--- a/orders.py\n+++ b/orders.py\n@@ -1 +1 @@\n-x\n+y\n")
    assert main(["verify", "known", "--candidate", str(other)]) == 2
    assert "does not fit" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def label(name):\n    return name\n", "does not define known. Give the whole of"),
        ("def known(a, b):\n    return a\n", "is known alone. Give the whole of"),
        ("print(1)\n", "does not define known"),
    ],
)
def test_a_candidate_that_is_a_part_of_the_file_is_told_to_be_whole(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    part = tmp_path / "part.py"
    part.write_text(text)
    assert main(["verify", "known", "--candidate", str(part)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"perftrace: {part} {message}")
    assert str(project / "orders.py") in said
    assert "diff -u" in said
