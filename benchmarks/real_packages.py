"""Packages from the index, each with a workload of its own: does everything hold on them?

    python benchmarks/real_packages.py [--folder DIR] [NAME…]

Installs each package and its source distribution's tests into a fresh environment, then checks
recording, ranking, replay tests and optimization on it, and prints one Markdown section each.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.optimizer.mutants import mutants

HERE = Path(__file__).resolve().parent
PACKAGES = {
    # name: version, workload
    "sqlparse": ("0.6.1", "sqlparse_format.py"),
    "mistune": ("3.4.0", "mistune_render.py"),
    "snowballstemmer": ("3.1.1", "snowballstemmer_words.py"),
    "textdistance": ("4.6.3", "textdistance_words.py"),
}
MUTATED_FUNCTIONS = 12
MUTANTS_EACH = 6


@dataclass(frozen=True)
class Bench:
    """A fresh environment with one package, its tests and its workload."""

    name: str
    python: Path
    project: Path  # where perftrace is run
    tests: Path  # unpacked source distribution
    script: Path

    @property
    def package(self) -> Path:
        """The installed package's folder."""
        code = f"import {self.name}; print({self.name}.__file__)"
        return Path(_ok([self.python, "-c", code], cwd=self.project).strip()).parent


def main() -> int:
    """Check the packages named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PACKAGES], metavar="NAME")
    parser.add_argument("--folder", type=Path, help="keep environments here")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="perftrace-real-"))
    failures = 0
    for name in options.names or PACKAGES:
        bench = set_up(folder.absolute(), name)
        print(f"\n## {name} {PACKAGES[name][0]}, `{PACKAGES[name][1]}`\n", flush=True)
        for check in (recording, ranking, replay, optimization):
            text, good = check(bench)
            failures += not good
            print(f"- {'' if good else '**FAILED** '}{text}", flush=True)
    return 1 if failures else 0


def set_up(folder: Path, name: str) -> Bench:
    """Make the environment, or reuse the one in the folder."""
    version, workload = PACKAGES[name]
    home = folder / name
    python = home / "venv" / "bin" / "python"
    if not python.exists():
        _ok([sys.executable, "-m", "venv", home / "venv"])
        _ok([python, "-m", "pip", "install", "-q", f"{name}=={version}", "pytest"])
    if not (home / "sdist").exists():
        pip = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name]
        _ok([*pip, "-d", home / "sdist", f"{name}=={version}"])
        with tarfile.open(next((home / "sdist").glob("*.tar.gz"))) as archive:
            archive.extractall(home / "sdist", filter="data")
    project = home / "project"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    (project / "pyproject.toml").write_text(f'[project]\nname = "work"\nversion = "{version}"\n')
    script = project / workload
    shutil.copy(HERE / "workloads" / workload, script)
    return Bench(name, python, project, home / "sdist" / f"{name}-{version}", script)


def recording(bench: Bench) -> tuple[str, bool]:
    """`run` leaves output and exit code as they were."""
    plain = _run([bench.python, bench.script.name], bench.project)
    options = ["--python", bench.python, "--include", bench.name]
    traced = _perftrace("run", *options, bench.script.name, cwd=bench.project)
    same = (plain.stdout, plain.returncode) == (traced.stdout, traced.returncode)
    end = " / ".join(line.strip() for line in traced.stderr.splitlines()[-3:])
    return f"run: output and exit code {'identical' if same else 'DIFFER'}; {end}", same


def ranking(bench: Bench) -> tuple[str, bool]:
    """`top` agrees with a long py-spy reference on 9 of its top 10."""
    command = [sys.executable, HERE / "ranking.py", "--json", "--python", bench.python]
    answer = _run([*command, "--include", bench.name, bench.script.name], bench.project)
    if answer.returncode:
        return f"top: {answer.stderr.strip()[-400:]}", False
    figures = json.loads(answer.stdout)
    text = (
        f"top: {figures['top']} of 10 agree with py-spy at {figures['samples']} samples"
        f" and hold {100 * figures['top_caught']:.1f} % of its first ten's time"
        f" (cProfile: {figures['cprofile']} of 10, {100 * figures['cprofile_caught']:.1f} %)"
    )
    return text, figures["top"] >= 9


def replay(bench: Bench) -> tuple[str, bool]:
    """Replay tests are written, pass, and fail when a mutant is put in."""
    written = _perftrace("replay", "--write", "--json", cwd=bench.project)
    passed = _perftrace("replay", cwd=bench.project)
    before = _tree(bench.project / "tests")
    again = _perftrace("replay", "--write", "--json", cwd=bench.project)
    same = _tree(bench.project / "tests") == before
    caught, tried = _mutate(bench)
    cases = before.count(b"\ndef test_")
    text = (
        f"replay: {cases} cases, {'pass' if passed.returncode == 0 else 'FAIL'};"
        f" second --write {'changes nothing' if same else 'CHANGES THEM'};"
        f" {caught} of {tried} mutants caught"
    )
    good = not (written.returncode or passed.returncode or again.returncode) and same
    return text, good and cases > 0 and caught > 0


def _mutate(bench: Bench) -> tuple[int, int]:
    """Put mutants of tested functions in, one at a time: how many were caught, how many tried."""
    top = json.loads(_perftrace("top", "-n", "200", "--json", cwd=bench.project).stdout)
    text = _tree(bench.project / "tests").decode()
    caught = tried = 0
    subjects = [row for row in top["functions"] if f"# {row['function']}" in text]
    for row in subjects[:MUTATED_FUNCTIONS]:
        file, source = Path(row["file"]), Path(row["file"]).read_text()
        qualname = row["function"].partition(":")[2]
        try:
            for mutant in list(mutants(source, qualname, row["line"]))[:MUTANTS_EACH]:
                file.write_text(mutant)
                run = [bench.python, "-B", "-m", "pytest", "-q", "-x", "tests/replay"]
                tried += 1
                caught += _run(run, bench.project, timeout=120).returncode != 0
        finally:
            file.write_text(source)
    return caught, tried


def optimization(bench: Bench) -> tuple[str, bool]:
    """`optimize --top 10` ends with a verdict each; what it accepts passes the package's tests."""
    answer = _perftrace("optimize", "--top", "10", "--json", cwd=bench.project)
    if answer.returncode:
        return f"optimize: {answer.stderr.strip()[-400:]}", False
    document = json.loads(answer.stdout)
    lines = [
        f"  - `{row['function']}`: {row['verdict']}"
        + (
            f" {row['speedup']:.2f}x [{row['low']:.2f}, {row['high']:.2f}]"
            if row["speedup"]
            else ""
        )
        + f" - {row['reason']}"
        for row in document["functions"]
    ]
    accepted = [row for row in document["functions"] if row["verdict"] == "accepted"]
    good = all(row["verdict"] and row["reason"] for row in document["functions"])
    text = f"optimize: {len(accepted)} of {len(document['functions'])} accepted"
    whole = document.get("whole_program") or {}
    if whole.get("ratio"):
        text += f"; whole program {whole['ratio']:.2f}x [{whole['low']:.2f}, {whole['high']:.2f}]"
    if accepted:
        own, passed = _own_tests(bench)
        good = good and passed
        text += f"; the package's own tests with all of them applied: {own}"
    return "\n".join([text, *lines]), good


def _own_tests(bench: Bench) -> tuple[str, bool]:
    if not (bench.tests / "tests").exists():
        return _same_output(bench)
    kept = bench.package.with_name(bench.name + ".before")
    shutil.copytree(bench.package, kept)
    try:
        plain = _run([bench.python, "-m", "pytest", "-q", "tests"], bench.tests)
        applied = _perftrace("apply", cwd=bench.project)
        fast = _run([bench.python, "-m", "pytest", "-q", "tests"], bench.tests)
    finally:
        package = bench.package
        shutil.rmtree(package)
        kept.rename(package)
    ends = [run.stdout.strip().splitlines()[-1].partition(" in ")[0] for run in (plain, fast)]
    same = applied.returncode == 0 and ends[0] == ends[1]
    return f"before {ends[0]}, after {ends[1]}", same


def _same_output(bench: Bench) -> tuple[str, bool]:
    """Without tests in the source distribution: is the workload's output still the same?"""
    command = [bench.python, bench.script.name]
    kept = bench.package.with_name(bench.name + ".before")
    shutil.copytree(bench.package, kept)
    try:
        plain = _run(command, bench.project)
        applied = _perftrace("apply", cwd=bench.project)
        fast = _run(command, bench.project)
        again = _perftrace("replay", cwd=bench.project)
    finally:
        package = bench.package
        shutil.rmtree(package)
        kept.rename(package)
    same = (plain.stdout, plain.returncode) == (fast.stdout, fast.returncode)
    good = same and not applied.returncode and not again.returncode
    tests = "pass" if again.returncode == 0 else "FAIL"
    output = "identical" if same else "DIFFERENT"
    return f"its source distribution has none; output {output}, replay tests {tests}", good


def _tree(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("test_*.py")))


def _perftrace(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    return _run([sys.executable, "-c", code, *arguments], cwd)


def _run(
    command: Sequence[object], cwd: Path, *, timeout: float = 1800
) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(
        words,
        cwd=cwd,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def _ok(command: Sequence[object], cwd: Path | None = None) -> str:
    done = _run(command, cwd or Path.cwd())
    if done.returncode:
        raise SystemExit(f"{command}: {done.stderr}")
    return done.stdout


def _environment() -> Mapping[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


if __name__ == "__main__":
    sys.exit(main())
