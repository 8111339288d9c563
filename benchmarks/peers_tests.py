"""What tests do tools leave behind that record a program's calls? On the program of `make demo`.

    python benchmarks/peers_tests.py [--folder DIR] [--mutants N] [--write]

perftrace, Codeflash's tracer and MonkeyType each record one run of a copy of examples/warehouse
(each in an environment of its own, installed here). Of the files that each adds to the repository:

* how many there are, how large, whether all of them are text, and whether any names the folder;
* how many tests pytest finds, how many pass at once, and how many in a clone in another place;
* mistakes are made in functions of the program, one at a time, the same for all tools: how many of
  them does another set of tests fail with than without?
"""

import argparse
import os
import platform
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from marked import put

from perftrace.optimizer.mutants import mutants

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "replay-tests.md"
PROGRAM = ("-m", "warehouse", "data", "-o", "report.txt")
CODEFLASH = """
[tool.codeflash]
module-root = "warehouse"
tests-root = "tests"
formatter-cmds = ["disabled"]
disable-telemetry = true
"""
FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
PASSED = re.compile(r"(\d+) passed")
TIMEOUT_S = 900
TESTS_S = 120  # for a tool's tests
MEMORY = 4 << 30  # bytes
HEAD = (
    "| tool | files | size | text only | name the folder | tests | pass | pass in a clone"
    " | mistakes noticed |"
)


@dataclass(frozen=True)
class Tool:
    """What records a program, and writes tests where it can."""

    name: str
    needs: Sequence[str]
    record: Callable[[Path], Sequence[Sequence[str | Path]]]  # commands, given the interpreter


TOOLS = (
    Tool(
        "perftrace",
        ("pytest", "-e", str(ROOT)),
        lambda python: (
            (python, "-m", "perftrace", "run", "--overhead", "10%", *PROGRAM),
            (python, "-m", "perftrace", "replay", "--write"),
        ),
    ),
    Tool(
        "Codeflash 0.20.6",
        ("pytest", "codeflash==0.20.6"),
        lambda python: ((python, "-m", "codeflash.tracer", "--trace-only", *PROGRAM),),
    ),
    Tool(
        "MonkeyType 23.3.0",
        ("pytest", "monkeytype==23.3.0"),
        lambda python: ((python, "-m", "monkeytype", "run", *PROGRAM),),
    ),
)


def main() -> None:
    """Record with each tool, and look at what it left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="keep environments here, and use them again")
    parser.add_argument("--mutants", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put it into docs/replay-tests.md")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="perftrace-peers-"))).absolute()
    rows = []
    for tool in TOOLS:
        rows.append(row(tool, folder, mistakes(options.mutants)))
        print(rows[-1], flush=True)
    date = datetime.now(UTC).date().isoformat()
    said = f"Python {platform.python_version()}, {platform.machine()}, {date}:"
    rule = "| --- | --: | --: | --- | --- | --: | --: | --: | --: |"
    text = "\n".join([said, "", HEAD, rule, *rows])
    print(f"\n{text}")
    if options.write:
        put(PAGE, "python benchmarks/peers_tests.py", text)


def mistakes(count: int) -> list[tuple[str, str]]:
    """Files of the program with a mistake in each: a path, the text."""
    dice = random.Random(1)
    found = []
    for path in sorted((ROOT / "examples" / "warehouse" / "warehouse").glob("[a-z]*.py")):
        source = path.read_text()
        for match in FUNCTION.finditer(source):
            line = source.count("\n", 0, match.start()) + 1
            texts = mutants(source, match[1], line, all_kinds=True)
            found += [(f"warehouse/{path.name}", text) for text in dict.fromkeys(texts)]
    dice.shuffle(found)
    return found[:count]


def row(tool: Tool, folder: Path, mistaken: Sequence[tuple[str, str]]) -> str:
    """The tool's row in the table."""
    python = environment(tool, folder)
    with tempfile.TemporaryDirectory() as name:
        project = Path(name) / "warehouse"
        shutil.copytree(
            ROOT / "examples" / "warehouse", project, ignore=shutil.ignore_patterns(".*")
        )
        (project / "pyproject.toml").open("a").write(CODEFLASH)
        (project / ".gitignore").write_text(
            "data/\n__pycache__/\nreport.txt\n.perftrace/\n*.sqlite3\n"
        )
        commit(project)
        run([python, "generate.py", "data"], project)
        for command in tool.record(python):
            run([*command], project)
        added = [project / line for line in commit(project) if "tests/" in line]
        if not added:
            return f"| {tool.name} | 0 | | | | 0 | | | 0 of {len(mistaken)} |"
        places = sorted(
            {str(path.relative_to(project)) for path in added if path.match("test_*.py")}
        )
        passed, failed = tests(python, project, places)
        clone = Path(name) / "elsewhere"
        run(["git", "clone", "-q", str(project), str(clone)], project)
        project.rename(Path(name) / "moved")
        elsewhere, _ = tests(python, clone, places)
        (Path(name) / "moved").rename(project)
        noticed = sum(notices(python, project, places, failed, one) for one in mistaken)
        size = sum(path.stat().st_size for path in added)
        blobs = [path.read_bytes() for path in added]
        return (
            f"| {tool.name} | {len(added)} | {size / 1e6:,.1f} MB"
            f" | {'no' if any(b'\0' in blob for blob in blobs) else 'yes'}"
            f" | {'yes' if any(str(project).encode() in blob for blob in blobs) else 'no'}"
            f" | {passed + len(failed)} | {passed} | {elsewhere}"
            f" | {noticed} of {len(mistaken)} |"
        )


def environment(tool: Tool, folder: Path) -> Path:
    """The interpreter of an environment with the tool."""
    home = folder / tool.name.partition(" ")[0].lower()
    python = home / "bin" / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", home], ROOT)
        run([python, "-m", "pip", "install", "-q", *tool.needs], ROOT)
    return python


def commit(project: Path) -> list[str]:
    """Commit all there is in a repository, made if need be; the files that are new."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    if not (project / ".git").exists():
        run(["git", "init", "-q"], project)
    run(["git", "add", "-A"], project)
    new = run(["git", "diff", "--cached", "--name-only", "--diff-filter=A"], project).split()
    run([*git, "commit", "-qm", "x", "--allow-empty"], project)
    return new


def tests(python: Path, project: Path, places: Sequence[str]) -> tuple[int, frozenset[str]]:
    """How many tests pass, and which do not."""
    try:
        done = subprocess.run(
            [str(python), "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *places],
            cwd=project,
            env={**os.environ, "CODEFLASH_TRACER_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=TESTS_S,
            check=False,
            preexec_fn=_bound,
        )
    except subprocess.TimeoutExpired:
        return 0, frozenset({"they do not end"})
    passed = PASSED.search(done.stdout)
    return int(passed[1]) if passed else 0, frozenset(FAILED.findall(done.stdout))


def _bound() -> None:
    """A mistake may be one that fills the memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def notices(
    python: Path,
    project: Path,
    places: Sequence[str],
    failed: frozenset[str],
    mistake: tuple[str, str],
) -> bool:
    """Whether other tests fail with a mistake in the program than without."""
    path = project / mistake[0]
    source = path.read_text()
    path.write_text(mistake[1])
    try:
        return tests(python, project, places)[1] != failed
    finally:
        path.write_text(source)


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command; what it says."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


if __name__ == "__main__":
    main()
