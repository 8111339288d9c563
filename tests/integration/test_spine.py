"""The whole job on one small program: recorded, ranked, replayed, optimized and written back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = '''"""Which of a shop's orders are for known customers."""

import sys


class Ledger:
    """Counts what it is given."""

    def __init__(self):
        self.seen = {}

    def add(self, name):
        """One more of this name; how many now."""
        self.seen[name] = self.seen.get(name, 0) + 1
        return self.seen[name]


def known_orders(orders, customers):
    """The orders whose customer is known, in order."""
    kept = []
    for order in orders:
        if order in customers:  # a list: looked through for every order
            kept.append(order)
    return kept


def main():
    customers = [f"customer-{n}" for n in range(0, 1600, 2)]
    ledger = Ledger()
    total = 0
    for start in range(120):
        orders = [f"customer-{n}" for n in range(start, start + 400)]
        for name in known_orders(orders, customers):
            total += ledger.add(name)
    print(total)
    return 3


if __name__ == "__main__":
    sys.exit(main())
'''


def perftrace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    environment["XDG_CONFIG_HOME"] = str(folder.parent)  # one key for all tests of a project
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (folder / "shop.py").write_text(PROGRAM)
    # The program takes a quarter of a second: 2 % of that is a few calls, on a busy machine none.
    done = perftrace(folder, "run", "--overhead", "20%", "--python", sys.executable, "shop.py")
    assert done.returncode == 3, done.stderr
    return folder


def test_the_program_prints_and_exits_as_without_perftrace(project: Path) -> None:
    plain = subprocess.run(
        [sys.executable, "shop.py"], cwd=project, capture_output=True, text=True, check=False
    )
    traced = perftrace(project, "run", "-o", "other.db", "--python", sys.executable, "shop.py")
    assert (plain.stdout, plain.returncode) == (traced.stdout, traced.returncode)
    assert plain.stderr == ""
    assert "other.db" in traced.stderr


def test_top_puts_the_hot_function_first(project: Path) -> None:
    done = perftrace(project, "top", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "perftrace/top/1"
    first = document["functions"][0]
    assert first["function"].endswith("known_orders")
    assert first["hot_percent"] > 50


def test_replay_tests_are_written_pass_and_stay_the_same(project: Path) -> None:
    written = perftrace(project, "replay", "--write")
    assert written.returncode == 0, written.stderr
    path = project / "tests" / "replay" / "test_replay_shop.py"
    text = path.read_text()
    assert "known_orders" in text
    ran = perftrace(project, "replay")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert perftrace(project, "replay", "--write").returncode == 0
    assert path.read_text() == text
    assert perftrace(project, "replay", "--check").returncode == 0


def test_replay_tests_fail_when_the_behaviour_changes(project: Path) -> None:
    perftrace(project, "replay", "--write")
    source = project / "shop.py"
    text = source.read_text()
    try:
        source.write_text(text.replace("return self.seen[name]", "return len(self.seen)"))
        ran = perftrace(project, "replay")
        assert ran.returncode == 1
        assert "replay differs" in ran.stdout
    finally:
        source.write_text(text)


def test_optimize_accepts_a_faster_version_and_apply_writes_it(project: Path) -> None:
    source = project / "shop.py"
    before = source.read_bytes()
    done = perftrace(project, "optimize", "--top", "3", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rows = {row["function"].rpartition(":")[2]: row for row in document["functions"]}
    assert rows["known_orders"]["verdict"] == "accepted", document
    assert rows["known_orders"]["low"] > 1.05
    assert all(row["reason"] for row in document["functions"])
    assert document["whole_program"]["low"] > 1.1
    assert source.read_bytes() == before

    shown = perftrace(project, "apply", "--check")
    assert shown.returncode == 0
    assert source.read_bytes() == before

    assert perftrace(project, "apply").returncode == 0
    assert source.read_bytes() != before
    ran = perftrace(project, "replay")
    assert ran.returncode == 0, ran.stdout
    again = perftrace(project, "apply")
    assert again.returncode == 0
    assert again.stderr.startswith("Already applied: ")


@pytest.mark.parametrize("command", [["top"], ["optimize"], ["replay"], ["apply"], ["show", "f"]])
def test_without_a_trace_each_command_says_so_in_one_line(
    command: list[str], tmp_path: Path
) -> None:
    done = perftrace(tmp_path, *command)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("perftrace: No trace found: ")
    assert done.stderr.count("\n") == 1
