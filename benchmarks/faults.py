"""An exception on any line of the recorder: the program must not notice, and the trace must tell.

    python benchmarks/faults.py [--sample N] [--hits 1 4] [--module NAME …]

A copy of the recorder gets a line `fault(N)` before each statement of its functions. The program
is run once to learn which of them are reached and then once for each of those, which raises
ValueError (as a mistake of ours would) or MemoryError. Compared are stdout, stderr and exit code;
the journals must be readable, and after a ValueError one must say that the recorder stopped.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import perftrace
from perftrace.tracer import journals, launch
from perftrace.tracer.inside import journal
from perftrace.tracer.inside.settings import Settings

HOME = Path(perftrace.__file__).resolve().parent
MODULES = (
    *("boot", "budget", "capture", "contexts", "control", "fields", "function", "journal"),
    *("effects", "guard", "monitor", "pending", "process", "scope", "settings", "sites"),
    *("timing", "tools", "turns"),
)
KINDS = ("ValueError", "MemoryError")
TOLD = ("stopped itself", "took the recorder's ids")
TIMEOUT_S = 60

LEARNING_RUNS = 5  # which places are reached depends on how fast the machine is

# In each module: `_fault(N)` notes that line N was reached, or raises there.
PRELUDE = """
def _fault(number, _plan={plan!r}, _state={{}}):
    state = _state
    if not state:
        with _open(_plan) as file:
            kind, line, hit = file.read().split()
        state.update(kind=kind, line=int(line), hit=int(hit), seen=set())
    if state['kind'] == 'learn':
        if number not in state['seen']:
            with _open(_plan + '.reached', 'a') as file:
                file.write(f'{{number}}\\n')
            state['seen'].add(number)  # only now: near the recursion limit there is no room for it
    elif number == state['line']:
        state['hit'] -= 1
        if state['hit'] == 0:
            with _open(_plan + '.raised', 'a') as file:
                file.write('raised')
            raise _kinds[state['kind']]('injected')
_open = open
_kinds = {{'ValueError': ValueError, 'MemoryError': MemoryError}}
"""

PROGRAM = """
import asyncio, os, sys, threading, time
def plain(a, b=2, *rest, **named): return [a, b]
def fails(n): raise KeyError(n)
def items(n):
    for i in range(n): yield {'i': i}
async def wait(n): await asyncio.sleep(0); return n
async def ticks(n):
    for i in range(n): yield i
async def main():
    left = ticks(9); await anext(left); await left.aclose()
    return [await wait(n) for n in range(3)], [i async for i in ticks(3)]
def deep(n): return deep(n - 1) + 1 if n else 0
def endless(n): return endless(n + 1)
def big(data): return len(data)
def lock(value): return value
def change(values): values.append(1)
def late(n): return n
class Thing:
    def __init__(self, n): self.n = n
    def get(self): return self.n
def some():
    for n in range(30):
        plain(n, rest := [n], x=rest); Thing(n).get(); change([n]); late(n)
        try: fails(n)
        except KeyError: pass
    found = sum(item['i'] for item in items(5))
    return found, deep(200), big('x' * 100_000), big(list(range(9999)))
def endings():
    it = items(9); next(it); it.close()
    it = items(200); list(it)
    try: endless(0)
    except RecursionError: return 'deep'
out = []
out.append(some()); out.append(endings()); lock(threading.Lock()); lock((n for n in []))
out.append(asyncio.run(main()))
threads = [threading.Thread(target=some) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: some()
for n in range(3000):
    try: fails(n)
    except KeyError: pass
for n in range(20): exec(compile(f'def made(n): return n\\nmade({n})', __file__, 'exec'))
sys.stdout.flush()
pid = os.fork()
if not pid: some(); os._exit(late(5))
out.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
some(); endings()
print(out)
sys.exit(3)
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """One exception, at one place."""

    kind: str
    number: int
    hit: int  # the first time the line is reached, or a later one


class Injector:
    """A copy of the recorder with faults in it, and a program to record."""

    def __init__(self, scratch: Path, *, timing: bool) -> None:
        self.scratch = scratch
        self.timing = timing
        self.plan = scratch / "plan"
        self.places: dict[int, str] = {}
        self.home = scratch / "home" / "perftrace"
        shutil.copytree(HOME, self.home, ignore=shutil.ignore_patterns("cli", "__pycache__"))
        for name in MODULES:
            self._prepare(self.home / "tracer" / "inside" / f"{name}.py")
        (scratch / "app.py").write_text(PROGRAM, encoding="utf-8")
        self.expected = self._result([sys.executable, "app.py", "0.02"], dict(os.environ))

    def _prepare(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                self._instrument(function, path.stem)
        prelude = ast.parse(PRELUDE.format(plan=str(self.plan))).body
        at = next(i for i, node in enumerate(tree.body) if isinstance(node, ast.Assign | ast.If))
        tree.body[at:at] = prelude
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")

    def _instrument(self, function: ast.FunctionDef, module: str) -> None:
        for node in ast.walk(function):
            if isinstance(node, ast.FunctionDef) and node is not function:
                continue
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    setattr(node, name, list(self._with_faults(block, module)))

    def _with_faults(self, block: list[ast.stmt], module: str) -> Iterator[ast.stmt]:
        for statement in block:
            done = isinstance(statement, ast.Expr) and "_fault" in ast.unparse(statement)[:7]
            if done:
                return (yield from block)
        for statement in block:
            docstring = isinstance(statement, ast.Expr) and isinstance(
                statement.value, ast.Constant
            )
            if not (docstring or isinstance(statement, ast.Try)):  # to enter a `try` raises nothing
                number = len(self.places) + 1
                self.places[number] = f"{module}.py:{statement.lineno}"
                yield ast.parse(f"_fault({number})").body[0]
            yield statement

    def reached(self) -> list[int]:
        """The places that the program's recording comes by, in any of a few runs."""
        for _ in range(LEARNING_RUNS):
            self.run(Fault("learn", 0, 1))
        text = Path(f"{self.plan}.reached").read_text(encoding="ascii")
        return sorted({int(line) for line in text.split()})

    def run(self, fault: Fault) -> list[str]:
        """Record the program with this fault; what is wrong about the outcome."""
        self.plan.write_text(f"{fault.kind} {fault.number} {fault.hit}", encoding="ascii")
        raised = Path(f"{self.plan}.raised")
        raised.unlink(missing_ok=True)
        folder = self.scratch / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        here = str(self.scratch)
        settings = {"includes": (), "excludes": (), "share": 0.3, "timing": self.timing}
        Settings(cwd=here, sources=(here,), **settings).write(str(folder))  # type: ignore[arg-type]
        environment = launch.environment_for(folder)
        environment["PYTHONPATH"] = str(self.home / "tracer" / "inject")
        environment["PERFTRACE_HOME"] = str(self.home)
        found = self._result([sys.executable, "app.py", "0.15"], environment)
        problems = [
            f"{name}: {got!r}"
            for name, got, wanted in zip(("exit", "out", "err"), found, self.expected, strict=True)
            if got != wanted
        ]
        told, damage = read(folder)
        if raised.exists() and fault.kind == "ValueError" and not told:
            problems.append("the trace does not tell of it")
        return problems + damage

    def _result(self, command: Sequence[str], environment: dict[str, str]) -> tuple[object, ...]:
        try:
            done = subprocess.run(
                command,
                cwd=self.scratch,
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "hangs", "", ""
        return done.returncode, done.stdout, done.stderr


def read(folder: Path) -> tuple[bool, list[str]]:
    """Whether the journals tell of a stop, and what cannot be read of them."""
    told = bool(journals.failures(folder))
    damage = []
    for each in journals.of_run(folder):
        try:
            if any(each.segments[0].read_bytes()):  # else it failed before its first byte
                told |= bool(each.slots()[journal.STOPPED_BROKEN])
            for record in each.records():
                text = str(record.fields)
                told |= record.kind == journal.MISSING and any(word in text for word in TOLD)
        except journals.DamagedError as error:
            damage.append(f"damaged: {error}")
    return told, damage


def try_all(injector: Injector, faults: Sequence[Fault]) -> int:
    """Run them all; how many go wrong."""
    wrong = 0
    for fault in faults:
        problems = injector.run(fault)
        if problems:
            wrong += 1
            print(f"{injector.places[fault.number]} {fault.kind} at hit {fault.hit}:")
            print("\n".join(f"    {problem[:1500]}" for problem in problems), flush=True)
    return wrong


def main() -> int:
    """Inject, compare, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="this many, chosen by chance")
    parser.add_argument("--seed", type=int, default=0, help="of that choice")
    parser.add_argument("--hits", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--module", nargs="+", default=list(MODULES))
    parser.add_argument("--timing", action="store_true", help="record as where py-spy cannot run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        injector = Injector(Path(name), timing=chosen.timing)
        reached = [
            number
            for number in injector.reached()
            if injector.places[number].partition(".")[0] in chosen.module
        ]
        faults = [
            Fault(kind, number, hit) for number in reached for kind in KINDS for hit in chosen.hits
        ]
        if chosen.sample:
            faults = random.Random(chosen.seed).sample(faults, min(chosen.sample, len(faults)))
        wrong = try_all(injector, faults)
        total = len(injector.places)
    print(f"{len(faults)} faults on {len(reached)} of {total} places, {wrong} with problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
