"""Runs the calls of replay tests in the project's interpreter and tells what they did.

The parent starts it with `python -c`, writes one JSON document to its standard input and reads
one from its standard output. Unlike a worker it runs unguarded, as pytest will: it is given
only tests that are in the project already, or calls that a guarded worker has made before.
"""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import sys
from contextlib import redirect_stdout, suppress
from importlib import import_module
from importlib.util import find_spec
from select import select
from time import monotonic

from ...snapshot import TooBig, Unencodable, encode
from .. import testing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    type Do = Callable[[dict[str, Any], tuple[str, ...]], dict[str, Any]]

CAN_FORK = sys.platform == "linux"
CASE_S = 60
CAP = 1 << 20  # bytes of an encoded value
NO_CASE = {"call": "0", "drive": "call", "bound": ()} | dict.fromkeys(
    ("imports", "setup", "file", "qualname"), ""
)
HELPERS = "perftrace.replay.testing"


def main() -> None:
    """Answer the document on standard input."""
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    task = json.load(sys.stdin)
    sys.stdin = io.StringIO()
    os.dup2(2, 1)  # what the program prints goes to stderr
    sys.modules.setdefault(HELPERS, testing)
    sys.argv[:] = [HELPERS, "--another", "command line"]  # a test must not depend on it
    sys.path[0] = task["root"]  # as `python -m pytest` has it
    for module, folder in task["roots"].items():
        if find_spec(module) is None:
            sys.path.insert(0, folder)
    ours = _places(task["root"], task["roots"])
    for imports in dict.fromkeys(case["imports"] for case in task["cases"]):
        _load(imports)
    _answer(NO_CASE, ours, _observe)  # imports what each case would import anew, in its own process
    if any(case["drive"] == "run" for case in task["cases"]):
        import_module("asyncio")
    do = {"observe": _observe, "test": _test}[task["action"]]
    answer = _apart if CAN_FORK else _answer
    answers = {case["id"]: answer(case, ours, do) for case in task["cases"]}
    json.dump(answers, reply)
    reply.flush()
    os._exit(0)  # threads and exit handlers of the program have no say in the answer


def _load(imports: str) -> None:
    """Import what cases need before processes are forked for them.

    What can't be imported fails again in each case that needs it, which then says why.
    """
    with suppress(BaseException):
        exec(compile(imports, "<imports>", "exec"), {})  # noqa: S102 - the user's own tests


def _apart(case: dict[str, Any], ours: tuple[str, ...], do: Do) -> dict[str, Any]:
    """The answer of a process of its own: what one case does to the program, no other sees."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writing, "w", encoding="utf-8") as reply:
            json.dump(_answer(case, ours, do), reply)
        os._exit(0)  # threads and exit handlers of the program have no say in the answer
    os.close(writing)
    data = _read(reading)
    if data is None:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if data is None:
        return {"reason": f"it does not end within {CASE_S} s"}
    return json.loads(data) if data and not code else {"reason": f"it ends Python with code {code}"}


def _read(pipe: int) -> bytes | None:
    """All that comes through a pipe until it is closed; None: it stays open for too long."""
    parts: list[bytes] = []
    end = monotonic() + CASE_S
    while (left := end - monotonic()) > 0:
        if select([pipe], [], [], left)[0]:
            part = os.read(pipe, 1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return None


def _places(root: str, roots: dict[str, str]) -> tuple[str, ...]:
    """What the names of the recorded code's files begin with; some may be installed packages."""
    modules = [os.path.join(folder, module) for module, folder in roots.items()]
    return root + os.sep, *(place + end for place in modules for end in (os.sep, ".py"))


def _answer(case: dict[str, Any], ours: tuple[str, ...], do: Do) -> dict[str, Any]:
    try:
        return do(case, ours)
    except (TooBig, Unencodable) as error:
        return {"reason": str(error) or "too large a value"}
    except BaseException as error:  # noqa: BLE001 - user code: anything may come out
        return {"reason": f"{type(error).__name__}: {error}"}


def _test(case: dict[str, Any], _: tuple[str, ...]) -> dict[str, Any]:
    """Run the test itself; what it raises is its answer."""
    scope: dict[str, Any] = dict(vars(testing))
    exec(compile(case["test"], "<test>", "exec"), scope)  # noqa: S102 - the user's own tests
    with redirect_stdout(io.StringIO()):
        scope[case["id"]]()
    return {"passes": True}


def _observe(case: dict[str, Any], ours: tuple[str, ...]) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(compile(case["imports"], "<imports>", "exec"), scope)  # noqa: S102 - the user's own tests
    exec(compile(case["setup"], "<setup>", "exec"), scope)  # noqa: S102
    before = encode([scope[name] for name in case["bound"]], CAP)[0]
    call = compile(case["call"], "<call>", "eval")
    printed = io.StringIO()
    with (
        _Watch(case["file"], case["qualname"], ours) as watch,
        redirect_stdout(printed),
        testing.listening() as logged,
        testing.warned() as warned,
    ):
        ending, payload = _run(lambda: eval(call, scope), case["drive"])  # noqa: S307
    after = encode([payload, [scope[name] for name in case["bound"]]], CAP)[0]
    return {
        "ending": ending,
        "before": base64.b64encode(before).decode(),
        "after": base64.b64encode(after).decode(),
        "stdout": printed.getvalue(),
        "said": base64.b64encode(_said(logged, warned)).decode(),
        "lines": sorted(watch.lines),
        "reached": sorted(watch.reached),
    }


def _said(logged: list[Any], warned: list[Any]) -> bytes:
    """As a value; nothing where there is too much, or where it can't be written."""
    try:
        said, opaque = encode([logged, warned], CAP)
    except (TooBig, Unencodable):
        said, opaque = b"", 1
    return encode([[], []], CAP)[0] if opaque else said


def _run(call: Callable[[], Any], drive: str | int) -> tuple[str, Any]:
    """How a call ends, and with what; drive: call, run, exhaust, or how many items to take."""
    try:
        made = call()
        if drive == "call":
            return "returned", made
        if drive == "run":
            return "returned", testing.run(made)
        if drive == "exhaust":
            items, how, final = testing.exhaust(made)
            return "yielded", [items, how, final]
        return "yielded", [testing.take(made, int(drive)), "suspended", None]
    except BaseException as error:  # noqa: BLE001 - an exception is a way to end
        return "raised", error


class _Watch:
    """The lines of one function that are run, and which of the recorded code's functions are."""

    def __init__(self, file: str, qualname: str, ours: tuple[str, ...]) -> None:
        self.lines: set[int] = set()  # counted from the function's first
        self.reached: set[tuple[str, str]] = set()
        self._target = (file, qualname)
        self._ours = ours
        self._watched: list[CodeType] = []

    def __enter__(self) -> _Watch:
        monitoring = sys.monitoring
        self._tool = next(n for n in (3, 4, 2, 1, 0, 5) if monitoring.get_tool(n) is None)
        monitoring.use_tool_id(self._tool, "perftrace replay")
        events = monitoring.events
        monitoring.register_callback(self._tool, events.PY_START, self._started)
        monitoring.register_callback(self._tool, events.LINE, self._line)
        monitoring.set_events(self._tool, events.PY_START)
        monitoring.restart_events()
        return self

    def __exit__(self, *_: object) -> None:
        for code in self._watched:
            sys.monitoring.set_local_events(self._tool, code, 0)
        sys.monitoring.set_events(self._tool, 0)
        sys.monitoring.free_tool_id(self._tool)

    def _started(self, code: CodeType, offset: int) -> Any:
        if code.co_filename.startswith(self._ours):
            name = (code.co_filename, code.co_qualname)
            self.reached.add(name)
            if name == self._target:
                self._watched.append(code)
                sys.monitoring.set_local_events(self._tool, code, sys.monitoring.events.LINE)
        return sys.monitoring.DISABLE  # once is enough

    def _line(self, code: CodeType, line: int) -> Any:
        self.lines.add(line - code.co_firstlineno)
        return sys.monitoring.DISABLE
