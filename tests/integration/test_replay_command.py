"""`perftrace replay` on a small project: written, run, checked, updated."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRICING = '''"""Prices."""

import logging
import warnings
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Item:
    sku: str
    qty: int
    price: Decimal


class Basket:
    def __init__(self):
        self.items = []

    def add(self, item):
        self.items.append(item)
        return len(self.items)


def known(region):
    if region == "XX":
        raise ValueError(f"unknown region: {region!r}")


def quote(items, region, discount=0):
    total = sum((item.qty * item.price for item in items), Decimal(0))
    return {"region": region, "total": total * (100 - discount) / 100}


def settle(rows):
    rows.sort()


def login(password):
    return len(password)


def saved(path):
    path.write_text("x")
    return 1


def low(sku):
    logging.getLogger("shop.stock").info("low stock: %s", sku)
    logging.getLogger("shop.stock").debug("looked at %s", sku)
    warnings.warn("use stock()", DeprecationWarning, stacklevel=2)
    return sku


def placed(sku):
    logging.getLogger("shop.stock").warning("object at %d", id(object()))
    return sku


def report():
    def line(n):
        return f"line {n}"

    print(line(1))
'''
MAIN = '''"""Uses each function."""

from decimal import Decimal
from pathlib import Path

from shop import pricing


def main():
    items = [pricing.Item("A-1", 2, Decimal("9.99"))]
    pricing.quote(items, "EU", discount=10)
    try:
        pricing.known("XX")
    except ValueError:
        pass
    basket = pricing.Basket()
    basket.add(items[0])
    pricing.settle([2, 1])
    pricing.login("hunter2")
    pricing.saved(Path("saved.txt"))
    pricing.report()
    pricing.low("A-1")
    pricing.placed("A-1")


if __name__ == "__main__":
    main()
'''


def perftrace(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    inherited = {key: value for key, value in os.environ.items() if key != "CI"}
    inherited["XDG_CONFIG_HOME"] = str(folder / "config")  # one key for the whole module
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=inherited | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "pricing.py").write_text(PRICING)
    (folder / "demo.py").write_text(MAIN)
    done = perftrace(folder, "run", "--overhead", "50%", "--python", sys.executable, "demo.py")
    assert done.returncode == 0, done.stderr
    done = perftrace(folder, "replay", "--write", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "written.json").write_text(done.stdout)
    (folder / "written.txt").write_text(done.stderr)
    shutil.copytree(folder / "tests" / "replay", folder / "fresh")
    return folder


@pytest.fixture
def project(recorded: Path) -> Path:
    """The project with its tests freshly written and its source as it was recorded."""
    (recorded / "shop" / "pricing.py").write_text(PRICING)
    shutil.rmtree(recorded / "tests" / "replay")
    shutil.copytree(recorded / "fresh", recorded / "tests" / "replay")
    return recorded


def suite_of(project: Path) -> Path:
    return project / "tests" / "replay" / "test_replay_shop_pricing.py"


def change(project: Path, old: str, new: str) -> None:
    path = project / "shop" / "pricing.py"
    assert old in PRICING
    path.write_text(PRICING.replace(old, new))


def test_tests_are_written_readable_and_each_function_is_accounted_for(project: Path) -> None:
    text = suite_of(project).read_text()
    assert '[Item(sku="A-1", qty=2, price=Decimal("9.99"))]' in text
    assert "raises(ValueError, \"unknown region: 'XX'\")" in text
    assert 'check(rows, [1, 2], "rows")' in text
    assert 'with prints("line 1\\n"):' in text
    assert 'logs(("shop.stock", "INFO", "low stock: A-1"))' in text
    assert 'warns((DeprecationWarning, "use stock()"))' in text
    assert 'check(placed("A-1"), "A-1")' in text  # what it logs is never the same
    assert "looked at" not in text
    assert "notices 3 of 3 small mistakes" in text
    assert "# exercises shop.pricing:report.<locals>.line (via report)" in text
    assert "hunter2" not in text
    assert str(project) not in text
    document = json.loads((project / "written.json").read_text())
    assert document["schema"] == "perftrace/replay/1"
    rows = {row["function"]: row for row in document["functions"]}
    assert rows["shop.pricing:quote"]["covered"] == "directly"
    assert rows["shop.pricing:report.<locals>.line"]["via"] == "shop.pricing:report"
    assert "secret" in rows["shop.pricing:login"]["reason"]
    assert rows["shop.pricing:saved"]["covered"] == "no"
    assert "write" in rows["shop.pricing:saved"]["reason"]
    assert "Wrote .gitattributes" in (project / "written.txt").read_text()
    assert (project / ".gitattributes").read_text() == ("tests/replay/** linguist-generated=true\n")


def test_a_second_write_changes_no_byte(project: Path) -> None:
    folder = project / "tests" / "replay"
    before = {path.name: path.read_bytes() for path in folder.glob("*.py")}
    assert (
        perftrace(
            project, "run", "--overhead", "50%", "--python", sys.executable, "demo.py"
        ).returncode
        == 0
    )
    done = perftrace(project, "replay", "--write")
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in folder.glob("*.py")} == before


def test_they_pass_under_a_strict_pytest_from_anywhere(project: Path, tmp_path: Path) -> None:
    options = ["-p", "no:cacheprovider", "--strict-markers", "-W", "error", "-q"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(project / "tests" / "replay")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert perftrace(project, "replay").returncode == 0


@pytest.mark.parametrize("named", ["folder", "file"])
def test_they_are_found_whatever_the_projects_test_files_are_called(
    project: Path, named: str
) -> None:
    what = suite_of(project) if named == "file" else suite_of(project).parent
    counts = []
    for options in ([], ["-o", "python_files=checks.py"]):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(what)],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        counts.append(done.stdout.split(" passed")[0].rpartition("\n")[2])
    assert counts[0].isdigit(), counts
    assert counts[1] == counts[0]


def test_paths_that_leave_them_out_of_a_plain_pytest_are_said(project: Path) -> None:
    file = project / "pytest.ini"
    assert "does not run them" not in perftrace(project, "replay", "--write").stdout
    try:
        file.write_text("[pytest]\ntestpaths = checks\n")
        said = perftrace(project, "replay", "--write").stdout
    finally:
        file.unlink()
    assert "A plain `pytest` does not run them: pytest.ini has testpaths = checks." in said


def test_a_changed_result_fails_and_is_accepted_by_update(project: Path) -> None:
    before = suite_of(project).read_text()
    change(project, "(100 - discount)", "(101 - discount)")
    ran = perftrace(project, "replay")
    assert ran.returncode == 1
    assert "replay differs at result['total']: Decimal(" in ran.stdout
    assert "in _compare" not in ran.stdout  # the helpers' own frames are hidden
    assert "testing.py:" not in ran.stdout
    checked = perftrace(project, "replay", "--check", "--json")
    assert checked.returncode == 1
    states = {row["function"]: row["state"] for row in json.loads(checked.stdout)["tests"]}
    assert states["shop.pricing:settle"] == "holds"

    shown = perftrace(project, "replay", "--update", "shop.pricing:quote")
    assert shown.returncode == 1
    assert "--yes" in shown.stderr
    assert '+        check(quote(items, "EU", discount=10), {' in shown.stdout
    assert suite_of(project).read_text() == before
    other = perftrace(project, "replay", "--update", "shop.pricing:settle", "--yes")
    assert (other.returncode, other.stdout) == (0, "Nothing to update\n")

    done = perftrace(project, "replay", "--update", "shop.pricing:quote", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Written: tests/replay/test_replay_shop_pricing.py\n")
    assert "# shop.pricing:quote — 1 case; notices" in before
    assert "# shop.pricing:quote — 1 case\n" in suite_of(project).read_text()  # of other code
    assert perftrace(project, "replay").returncode == 0
    assert perftrace(project, "replay", "--check").returncode == 0


def test_a_changed_side_of_a_call_fails_too(project: Path) -> None:
    change(project, "rows.sort()", "rows.sort(reverse=True)")
    assert "replay differs at rows[0]: 2, recorded 1" in perftrace(project, "replay").stdout
    change(project, "return {", "items.append(1); return {")
    assert "replay differs at items: [" in perftrace(project, "replay").stdout
    change(project, "low stock: %s", "out of stock: %s")
    assert (
        "replay differs at logs[0][2]: 'out of stock: A-1'" in perftrace(project, "replay").stdout
    )
    change(project, "DeprecationWarning", "FutureWarning")
    assert "replay differs at warnings[0][0]: FutureWarning" in perftrace(project, "replay").stdout
    change(project, "unknown region", "no region")
    assert "replay differs at exception.args[0]" in perftrace(project, "replay").stdout
    change(project, 'f"line {n}"', 'f"row {n}"')
    assert "replay differs at stdout: 'row 1" in perftrace(project, "replay").stdout


def test_a_function_that_is_gone_is_named(project: Path) -> None:
    change(project, "def settle", "def arrange")
    done = perftrace(project, "replay", "--check")
    assert done.returncode == 1
    assert "shop.pricing has no settle any more (renamed, moved or deleted)" in done.stdout
    assert perftrace(project, "replay", "--update", "--yes").returncode == 0
    assert "settle" not in suite_of(project).read_text()
    assert perftrace(project, "replay").returncode == 0


def test_prune_removes_what_is_gone_and_leaves_what_changed(project: Path) -> None:
    assert perftrace(project, "replay", "--prune").stdout.startswith("Nothing to prune")
    change(project, "def settle", "def arrange")
    path = project / "shop" / "pricing.py"
    path.write_text(path.read_text().replace("unknown region", "no region"))
    before = suite_of(project).read_text()
    shown = perftrace(project, "replay", "--prune")
    assert shown.returncode == 1
    assert suite_of(project).read_text() == before
    assert perftrace(project, "replay", "--prune", "--yes").returncode == 0
    text = suite_of(project).read_text()
    assert "settle" not in text
    assert "unknown region" in text
    assert "1 changed" in perftrace(project, "replay", "--check").stderr


def test_a_file_edited_by_hand_is_not_overwritten(project: Path) -> None:
    path = suite_of(project)
    text = path.read_text()
    start = text.index("# shop.pricing:settle")
    edited = text[:start].rstrip() + "\n"
    path.write_text(edited)
    done = perftrace(project, "replay", "--write")
    assert done.returncode == 3
    assert "test_replay_shop_pricing.py was edited by hand" in done.stderr
    assert "--update" in done.stderr
    assert path.read_text() == edited


def test_a_damaged_file_is_one_clear_line(project: Path) -> None:
    suite_of(project).write_text("def test_\n")
    for action in ("--write", "--check", "--list"):
        done = perftrace(project, "replay", action)
        assert done.returncode == 3
        assert "does not parse" in done.stderr
        assert done.stderr.count("\n") == 1


def test_nothing_is_written_in_ci(project: Path) -> None:
    for action in ("--write", "--update", "--prune"):
        done = perftrace(project, "replay", action, CI="true")
        assert done.returncode == 3
        assert "CI is set" in done.stderr
    assert perftrace(project, "replay", "--check", CI="true").returncode == 0


def test_tests_are_listed_by_function(project: Path) -> None:
    done = perftrace(project, "replay", "--list", "shop.pricing:quote", "--json")
    rows = json.loads(done.stdout)["tests"]
    assert {row["function"] for row in rows} == {"shop.pricing:quote"}
    assert len(rows) == 1
    [text] = perftrace(project, "replay", "--list", "shop.pricing:quote").stdout.splitlines()
    assert text.startswith("shop.pricing:quote  quote(")
    assert text.endswith(f"  {rows[0]['file']}::{rows[0]['test']}")
    assert "sku=" in rows[0]["call"]
    wrong = perftrace(project, "replay", "--list", "shop.pricing:qoute")
    assert wrong.returncode == 2
    assert "No replay test is of shop.pricing:qoute" in wrong.stderr


def test_pytest_has_nothing_to_warn_of_where_its_plugin_is_found(
    project: Path, tmp_path: Path
) -> None:
    info = tmp_path / "perftrace-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: perftrace\nVersion: 9\n")
    (info / "entry_points.txt").write_text("[pytest11]\nperftrace = perftrace.tracer.plugin\n")
    (info / "RECORD").write_text("perftrace/__init__.py,,\nperftrace-9.dist-info/METADATA,,\n")
    (tmp_path / "perftrace").symlink_to(ROOT / "perftrace")
    found = perftrace(project, "replay", PYTHONPATH=str(tmp_path))
    assert found.returncode == 0, found.stdout + found.stderr
    assert "warning" not in found.stdout


def test_the_tests_run_without_the_trace(project: Path) -> None:
    trace = project / ".perftrace"
    moved = trace.rename(project / "elsewhere")
    try:
        done = perftrace(project, "replay", "--check")
        assert done.returncode == 0, done.stderr
    finally:
        moved.rename(trace)


def test_with_their_helpers_beside_them_they_need_no_perftrace(project: Path) -> None:
    without = (
        "import sys; sys.modules['perftrace'] = None; import pytest;"
        " sys.exit(pytest.main(['-q', '-p', 'no:perftrace', '-p', 'no:cacheprovider', 'tests']))"
    )

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", without]
        return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)

    assert "'perftrace'" in run().stdout  # cannot be imported
    assert perftrace(project, "replay", "--write", "--standalone").returncode == 0
    done = run()
    assert done.returncode == 0, done.stdout
    beside = project / "tests" / "replay" / "perftrace_testing.py"
    now = beside.read_text()
    beside.write_text("")
    assert perftrace(project, "replay", "--write").returncode == 0  # kept up to date
    assert beside.read_text() == now
    assert perftrace(project, "replay").returncode == 0
    assert perftrace(project, "replay", "--check").returncode == 0
    wrong = perftrace(project, "replay", "--check", "--standalone")
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_the_style_of_unittest_stays_that_of_the_folder(project: Path) -> None:
    shutil.rmtree(project / "tests" / "replay")
    done = perftrace(project, "replay", "--write", "--style", "unittest", "shop.pricing:settle")
    assert done.returncode == 0, done.stderr
    text = suite_of(project).read_text()
    assert "import pytest" not in text
    assert text.endswith("map(unittest.FunctionTestCase, cases))\n")
    suite_of(project).unlink()
    assert perftrace(project, "replay", "--write", "shop.pricing:settle").returncode == 0
    assert "import pytest" in suite_of(project).read_text()  # none was there to go by
    suite_of(project).write_text(text)
    assert perftrace(project, "replay", "--write", "shop.pricing:quote").returncode == 0
    both = suite_of(project).read_text()
    assert "import pytest" not in both
    assert "def test_quote_" in both
    assert perftrace(project, "replay", "--check").returncode == 0
    assert perftrace(project, "replay").returncode == 0
    command = [sys.executable, "-m", "unittest", "discover", "-s", "tests/replay"]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "Ran 2 tests" in ran.stderr
    wrong = perftrace(project, "replay", "--list", "--style", "unittest")
    assert wrong.returncode == 2
    assert "--style says how to write" in wrong.stderr


def test_a_hot_function_without_a_test_is_named_where_there_is_a_trace(project: Path) -> None:
    text = suite_of(project).read_text()
    assert perftrace(project, "replay", "--check").returncode == 0
    shutil.rmtree(project / "tests" / "replay")
    assert perftrace(project, "replay", "--write", "shop.pricing:settle").returncode == 0
    done = perftrace(project, "replay", "--check", "--json")
    assert done.returncode == 0, done.stderr
    missing = json.loads(done.stdout)["missing"]
    top = json.loads(perftrace(project, "top", "--json").stdout)["functions"]
    hot = {row["function"] for row in top if row["hot_percent"] >= 1}
    assert set(missing) <= hot
    assert "shop.pricing:settle" not in missing
    assert all(f"# {name} — " in text or "exercises" in text for name in missing)
