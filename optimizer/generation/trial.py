"""Tries programs: each case of the tests, in a sandbox, with the program in another than the test.

The process with the tests never loads a program, and the one with the program can read no test:
what goes from one to the other is arguments and plain results.
"""

import ast
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from perftrace import values
from perftrace.errors import CannotError, UsageError
from perftrace.model import Binding, Ending, Kind, Parameter, Process, Run
from perftrace.nodes import MethodNode, Node, OpaqueNode, RefNode
from perftrace.optimizer.generation.cases import Case
from perftrace.optimizer.generation.program import meaning
from perftrace.optimizer.generation.reading import parse
from perftrace.optimizer.generation.task import Task
from perftrace.replay.inside.judge import GONE
from perftrace.replay.requests import NotReplayed, Overlay, Replayed, Reply, Request, Target
from perftrace.replay.servers import Servers
from perftrace.replay.session import Limits, Session
from perftrace.replay.sharing import children

PROGRAM, CASES = "perftrace_program", "perftrace_cases"  # modules
LIMITS = Limits(wall_s=10.0, memory=2 << 30)
NOTHING = b"\x80\x05]."  # no arguments: an empty list
MOST_CALLS = 2000  # of one case
SHOWN = 300  # characters of a value
# Whose objects may be a result: they compare by value. Others could say that they equal anything.
PLAIN = frozenset(
    {"builtins", "collections", "copyreg", "datetime", "decimal", "fractions", "numpy", "uuid"}
)


@dataclass(frozen=True, slots=True)
class Made:
    """A call that a case made of the program."""

    request: Request
    reply: Reply
    refused: str = ""  # why its result is not one

    @property
    def silence(self) -> str:
        """Why it gave nothing that a test can look at, or empty."""
        return self.reply.reason if isinstance(self.reply, NotReplayed) else self.refused

    def text(self, entry: str) -> str:
        """For people and models: the call and what it gave."""
        shown = f"{entry}({_arguments(self.request)})"
        if self.refused or isinstance(self.reply, NotReplayed):
            return f"{shown}: {self.silence}"
        verb = "raised" if self.reply.ending is Ending.RAISED else "returned"
        return f"{shown} {verb} {_result(self.reply)}"


@dataclass(frozen=True, slots=True)
class Right:
    """All cases pass."""

    program: str
    calls: tuple[tuple[Case, tuple[Made, ...]], ...]

    @property
    def requests(self) -> list[Request]:
        """Every call that the tests make."""
        return [made.request for _, calls in self.calls for made in calls]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first case that does not pass."""

    program: str
    case: Case
    reason: str  # what the test says; of a call that has no end or no result, why
    calls: tuple[Made, ...] = ()
    passed: int = 0  # cases before it


type Verdict = Right | Wrong


class Trials:
    """Tries the programs of one task (context manager)."""

    def __init__(
        self,
        task: Task,
        python: Path = Path(sys.executable),
        root: Path | None = None,
        hidden: Sequence[Path] = (),
    ) -> None:
        """Nothing is started yet.

        Args:
            task: what the programs are for.
            python: the interpreter of tests and programs.
            root: a folder that they may import from, last of all.
            hidden: files and folders that no program may read: they hold the tests.

        Raises:
            CannotError: the interpreter does not start.
        """
        path = [*_search_path(python), *([str(root)] if root else [])]
        self.task = task
        self._folder = tempfile.TemporaryDirectory(prefix="perftrace-generate-")
        folder = Path(self._folder.name).resolve()
        self.program = folder / f"{PROGRAM}.py"
        self._cases = folder / "tests" / f"{CASES}.py"
        self._cases.parent.mkdir()
        self._hidden = [self._cases.parent, *(one.resolve() for one in hidden)]
        self._cases.write_text(task.tests.source, encoding="utf-8")
        self._process = _process(python, folder, path)
        self._servers = Servers()
        judging = _process(python, self._cases.parent, path)
        self._judge = Session(judging, limits=LIMITS, servers=self._servers)
        self._lines = _lines(task.tests.source)
        self._known: dict[str, Verdict] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._judge.close()
        self._servers.close()
        self._folder.cleanup()

    def require(self) -> None:
        """See that the tests can be run at all, before anybody is asked for a program.

        Raises:
            UsageError: they can't; most often something that they import is not installed.
        """
        nothing = NotReplayed("there is no program yet")
        for case in self.task.tests.cases:
            found = self._judge.judge(self._test(case), self.task.tests.names, lambda *_: nothing)
            if isinstance(found, NotReplayed):
                raise UsageError("generate-tests", f"The tests can't be run: {found.reason}")
            if found != GONE:
                where = case.text.partition("\n")[0]
                raise UsageError(
                    "generate-tests",
                    f"A test fails before it calls {self.task.entry}: {found} in {where}",
                )

    def session(self, program: str, hash_seed: int = 0) -> Session:
        """A worker that has the program, and can read no test."""
        return Session(
            self._process,
            overlay=Overlay({str(self.program): program}),
            hash_seed=hash_seed,
            limits=LIMITS,
            hidden=self._hidden,
            servers=self._servers,
        )

    def try_(self, program: str) -> Verdict:
        """Whether it passes; the same program is tried once."""
        key = meaning(program)
        if key not in self._known:
            with self.session(program) as session:
                self._known[key] = self._tried(program, session)
        return self._known[key]

    def _tried(self, program: str, session: Session) -> Verdict:
        calls: list[tuple[Case, tuple[Made, ...]]] = []
        for case in self.task.tests.cases:
            made: list[Made] = []
            reason = self._run(case, program, session, made)
            if reason:
                return Wrong(program, case, reason, tuple(made), len(calls))
            calls.append((case, tuple(made)))
        return Right(program, tuple(calls))

    def _run(self, case: Case, program: str, session: Session, made: list[Made]) -> str:
        """Why a case does not pass, or empty; the calls it makes are added to `made`."""

        def answer(arguments: bytes, names: tuple[str, ...]) -> Reply:
            if len(made) >= MOST_CALLS:
                return NotReplayed(f"the test calls it more than {MOST_CALLS} times")
            request = _request(self.program, program, self.task.entry, arguments, names)
            reply = session.call(request)
            refused = _refused(reply)
            made.append(Made(request, reply, refused))
            return NotReplayed(refused) if refused else reply

        found = self._judge.judge(self._test(case), self.task.tests.names, answer)
        if made and made[-1].silence:
            return made[-1].silence
        if isinstance(found, NotReplayed):
            return f"the test did not come to its end: {found.reason}"
        return found

    def _test(self, case: Case) -> Request:
        """The call of a case's function."""
        target = Target(str(self._cases), case.name, self._lines[case.name], CASES)
        return Request(target, NOTHING, Kind.FUNCTION, ())


def _lines(source: str) -> dict[str, int]:
    """Where each function of a module begins."""
    tree = parse(source)
    return {node.name: node.lineno for node in tree.body if isinstance(node, ast.FunctionDef)}


def _request(
    file: Path, program: str, entry: str, arguments: bytes, names: Sequence[str]
) -> Request:
    """The call of a program's function with these arguments."""
    given = (Parameter("args", Binding.STAR), *(Parameter(name, Binding.KEYWORD) for name in names))
    line = _lines(program).get(entry, 1)
    return Request(Target(str(file), entry, line, PROGRAM), arguments, Kind.FUNCTION, given)


def _refused(reply: Reply) -> str:
    """Why a result is none that a test may see, or empty."""
    if isinstance(reply, NotReplayed):
        return ""
    try:
        node = values.read(reply.result)
    except values.BadValue as error:
        return f"its result can't be read: {error}"
    for found in _foreign(node):
        return f"its result holds {found}, and can't be compared by its value"
    return ""


def _foreign(node: Node) -> Iterator[str]:
    """What is in a value besides plain data."""
    seen: set[int] = set()
    todo = [node]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case RefNode(module=module) if module.partition(".")[0] not in PLAIN:
                yield values.show(one)
            case MethodNode() | OpaqueNode():
                yield values.type_name(one)
            case _:
                pass  # of an instance, its class follows
        todo.extend(children(one))


def _arguments(request: Request) -> str:
    """The arguments as they are written in a call."""
    match values.read(request.arguments):
        case values.ListNode(items=[values.TupleNode(items=given), *named]):
            names = [parameter.name for parameter in request.parameters[1:]]
            texts = [values.show(one, SHOWN) for one in given]
            texts += [f"{n}={values.show(one, SHOWN)}" for n, one in zip(names, named, strict=True)]
            return ", ".join(texts)
        case other:
            return values.show(other, SHOWN)


def _result(reply: Replayed) -> str:
    match values.read(reply.result):
        case values.ListNode(items=[payload, _]):
            return values.show(payload, SHOWN)
        case other:
            return values.show(other, SHOWN)


def _process(python: Path, folder: Path, path: Sequence[str]) -> Process:
    """A process of this interpreter that imports from the folder first."""
    return Process(0, Run.unrecorded(folder, python), 0, (str(folder), *path), None, None)


def _search_path(python: Path) -> list[str]:
    """Where an interpreter looks for modules, but for the folder that it is started in.

    Raises:
        CannotError: it does not start.
    """
    if str(python) == sys.executable:
        return list(filter(None, sys.path))
    code = "import json, sys; print(json.dumps(sys.path))"
    try:
        done = subprocess.run(
            [str(python), "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        return [str(one) for one in json.loads(done.stdout) if one]
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise CannotError("generate-python", f"{python} does not start: {error}") from None
