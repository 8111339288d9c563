"""What is seen while the call of a replay test is made."""

import os
import sys
from pathlib import Path

import pytest

from perftrace import values
from perftrace.replay.inside import observe
from perftrace.replay.observe import Bench, NotObserved, Observed, Script


def test_functions_of_an_installed_package_are_seen_too(tmp_path: Path) -> None:
    project, installed = tmp_path / "project", tmp_path / "lib" / "site-packages"
    project.mkdir()
    (installed / "till").mkdir(parents=True)
    (installed / "till" / "__init__.py").write_text("from till.sums import total\n")
    file = installed / "till" / "sums.py"
    file.write_text(
        "def _one(n):\n    return n + 1\n\n\ndef total(many):\n    return sum(map(_one, many))\n"
    )
    (installed / "other.py").write_text("def helper(n):\n    return n\n")
    script = Script(
        id="test_total",
        imports="from other import helper\nfrom till import total",
        setup="",
        call="helper(total([1, 2]))",
        bound=(),
        drive="call",
        file=str(file),
        qualname="total",
    )
    bench = Bench(Path(sys.executable), project, {"till": installed})
    observed = bench.observe([script])["test_total"]
    assert isinstance(observed, Observed), observed
    assert observed.reached == {(str(file), "total"), (str(file), "_one")}  # not what is not ours
    assert observed.lines == {1}


@pytest.mark.skipif(sys.platform != "linux", reason="a process for each case is forked")
def test_no_case_sees_what_another_does(tmp_path: Path) -> None:
    (tmp_path / "till.py").write_text(
        "import os\n"
        "SEEN = []\n"
        "def see(n):\n    SEEN.append(n)\n    return list(SEEN)\n"
        "def leave():\n    os._exit(3)\n"
    )

    def script(name: str, call: str) -> Script:
        file = str(tmp_path / "till.py")
        return Script(name, "from till import leave, see", "", call, (), "call", file, "see")

    scripts = [script("one", "see(1)"), script("gone", "leave()"), script("two", "see(2)")]
    found = Bench(Path(sys.executable), tmp_path, {"till": tmp_path}).observe(scripts)
    assert found["gone"] == NotObserved("it ends Python with code 3")
    one, two = found["one"], found["two"]
    assert isinstance(one, Observed)
    assert isinstance(two, Observed)
    assert values.show(one.payload) == "[1]"
    assert values.show(two.payload) == "[2]"


@pytest.mark.skipif(sys.platform != "linux", reason="a process for each case is forked")
@pytest.mark.parametrize(("drive", "name"), [("call", "new"), ("run", "later")])
def test_what_observing_takes_is_imported_before_the_cases_processes_begin(
    tmp_path: Path, drive: str, name: str
) -> None:
    file = tmp_path / "till.py"
    file.write_text(
        "import sys\n"
        "def new(known):\n    return sorted(set(sys.modules) - known)\n"
        "async def later(known):\n    return new(known)\n"
    )
    imports, setup = f"import sys\nfrom till import {name}", "known = set(sys.modules)"
    script = Script("one", imports, setup, f"{name}(known)", (), drive, str(file), name)
    bench = Bench(Path(sys.executable), tmp_path, {"till": tmp_path})
    observed = bench.observe([script])["one"]
    assert isinstance(observed, Observed)
    assert values.show(observed.payload) == "[]"


def test_an_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, other = os.pipe()
    monkeypatch.setattr(observe, "CASE_S", 0)
    assert observe._read(pipe) is None
    monkeypatch.undo()
    os.write(other, b"ab")
    os.close(other)
    assert observe._read(pipe) == b"ab"
    os.close(pipe)
