"""Runs the calls of replay tests in the project's interpreter: the parent's side."""

import base64
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import perftrace
from perftrace.errors import CannotError
from perftrace.model import Ending
from perftrace.values import BadValue, ListNode, Node, read

HERE = Path(__file__).parent
TIMEOUT_S = 300.0
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "1"}
# Makes the packages _perftrace and _perftrace.replay of the folders given as arguments.
BOOT = """
import sys, types
for name, folder in (("_perftrace", sys.argv[1]), ("_perftrace.replay", sys.argv[2])):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
del sys.argv[1:]
from _perftrace.replay.inside.observe import main
main()
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A test taken apart: what to run, and what to look at."""

    id: str
    imports: str
    setup: str
    call: str
    bound: tuple[str, ...]  # variables to look at before and after
    drive: str | int  # "call", "run", "exhaust", or how many items to take
    file: str  # of the function
    qualname: str
    test: str = ""  # the test itself, with what it imports


@dataclass(frozen=True, slots=True)
class Said:
    """What a call says beside what it returns and prints."""

    logged: tuple[Node, ...] = ()  # tuples: name of the logger, of the level, message
    warned: tuple[Node, ...] = ()  # tuples: category, text


@dataclass(frozen=True, slots=True)
class Observed:
    """What the call of a test did."""

    ending: Ending
    payload: Node
    before: ListNode
    after: ListNode
    stdout: str
    said: Said
    lines: frozenset[int]  # of the function, from its first
    reached: frozenset[tuple[str, str]]  # file and qualified name of the project's functions


@dataclass(frozen=True, slots=True)
class NotObserved:
    """Why the call of a test could not be made."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bench:
    """Where tests run: the interpreter and the project."""

    python: Path
    root: Path
    roots: Mapping[str, Path]  # top-level modules of the project, and the folder each lies in

    def path(self) -> list[str]:
        """Where the interpreter finds modules, the project's own first.

        Raises:
            CannotError: it does not start.
        """
        shown = self._run(["-c", "import json, sys; print(json.dumps(sys.path[1:]))"], "", 0)
        return [*dict.fromkeys(map(str, self.roots.values())), *json.loads(shown)]

    def observe(
        self, scripts: Sequence[Script], *, hash_seed: int = 0
    ) -> dict[str, Observed | NotObserved]:
        """What each call does.

        Raises:
            CannotError: the interpreter does not start, or the program ends or hangs it.
        """
        answers = self._ask(scripts, "observe", hash_seed)
        return {script.id: _answer(answers.get(script.id)) for script in scripts}

    def passing(self, scripts: Sequence[Script], *, hash_seed: int = 0) -> frozenset[str]:
        """The ids of those whose test passes, each in a process of its own.

        Raises:
            CannotError: the interpreter does not start, or the program ends or hangs it.
        """
        answers = self._ask(scripts, "test", hash_seed)
        return frozenset(name for name, answer in answers.items() if answer == {"passes": True})

    def _ask(self, scripts: Sequence[Script], action: str, hash_seed: int) -> dict[str, object]:
        if not scripts:
            return {}
        task = {
            "action": action,
            "root": str(self.root),
            "roots": {name: str(folder) for name, folder in self.roots.items()},
            "cases": [asdict(script) for script in scripts],
        }
        package = str(Path(perftrace.__file__).parent)
        found = json.loads(self._run(["-c", BOOT, package, str(HERE)], json.dumps(task), hash_seed))
        assert isinstance(found, dict)
        return found

    def _run(self, arguments: Sequence[str], text: str, hash_seed: int) -> str:
        environment = {**os.environ, **ENVIRONMENT, "PYTHONHASHSEED": str(hash_seed)}
        try:
            with subprocess.Popen(
                [str(self.python), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=self.root,
                env=environment,
                start_new_session=True,
            ) as process:
                try:
                    shown, errors = process.communicate(text, TIMEOUT_S)
                finally:
                    _end(process.pid)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _cannot(self.python, str(error)) from error
        if process.returncode or not shown:
            last = errors.strip().rpartition("\n")[2]
            raise _cannot(self.python, f"it ended with code {process.returncode} ({last})")
        return shown


def _end(leader: int) -> None:
    """End a session with all its processes: a case may have left some."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def _cannot(python: Path, why: str) -> CannotError:
    return CannotError("replay-run", f"The replay tests can't be run with {python}: {why}.")


def _answer(answer: object) -> Observed | NotObserved:
    match answer:
        case {"reason": str(reason)}:
            return NotObserved(reason)
        case {
            "ending": str(ending),
            "before": str(before),
            "after": str(packed),
            "stdout": str(stdout),
            "said": str(said),
            "lines": list(lines),
            "reached": list(reached),
        }:
            try:
                payload, after = _read(packed).items
                assert isinstance(after, ListNode)
                return Observed(
                    Ending(ending),
                    payload,
                    _read(before),
                    after,
                    stdout,
                    _said(said),
                    frozenset(lines),
                    frozenset((file, name) for file, name in reached),
                )
            except (BadValue, ValueError, AssertionError) as error:
                return NotObserved(f"its result can't be read: {error}")
        case _:
            return NotObserved("the interpreter gave no answer")


def _said(text: str) -> Said:
    logged, given = _read(text).items
    assert isinstance(logged, ListNode)
    assert isinstance(given, ListNode)
    return Said(tuple(logged.items), tuple(given.items))


def _read(text: str) -> ListNode:
    node = read(base64.b64decode(text))
    assert isinstance(node, ListNode)
    return node
