"""What is seen while the call of a replay test is made."""

import sys
from pathlib import Path

from perftrace.replay.observe import Bench, Observed, Script


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
