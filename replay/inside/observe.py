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
import sys
from importlib.util import find_spec

from ...snapshot import TooBig, Unencodable, encode
from .. import testing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

CAP = 1 << 20  # bytes of an encoded value
HELPERS = "perftrace.replay.testing"


def main() -> None:
    """Answer the document on standard input."""
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    task = json.load(sys.stdin)
    sys.stdin = io.StringIO()
    os.dup2(2, 1)  # what the program prints goes to stderr
    sys.modules.setdefault(HELPERS, testing)
    sys.path[0] = task["root"]  # as `python -m pytest` has it
    for module, folder in task["roots"].items():
        if find_spec(module) is None:
            sys.path.insert(0, folder)
    answers = {case["id"]: _answer(case, task["root"]) for case in task["cases"]}
    json.dump(answers, reply)
    reply.flush()
    os._exit(0)  # threads and exit handlers of the program have no say in the answer


def _answer(case: dict[str, Any], root: str) -> dict[str, Any]:
    try:
        return _observe(case, root)
    except (TooBig, Unencodable) as error:
        return {"reason": str(error) or "too large a value"}
    except BaseException as error:  # noqa: BLE001 - user code: anything may come out
        return {"reason": f"{type(error).__name__}: {error}"}


def _observe(case: dict[str, Any], root: str) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    exec(compile(case["imports"], "<imports>", "exec"), scope)  # noqa: S102 - the user's own tests
    exec(compile(case["setup"], "<setup>", "exec"), scope)  # noqa: S102
    before = encode([scope[name] for name in case["bound"]], CAP)[0]
    call = compile(case["call"], "<call>", "eval")
    lines = _Lines(case["file"], case["qualname"], root)
    sys.settrace(lines.enter)
    stdout = sys.stdout
    sys.stdout = printed = io.StringIO()
    try:
        ending, payload = _run(lambda: eval(call, scope), case["drive"])  # noqa: S307
    finally:
        sys.settrace(None)
        sys.stdout = stdout
    after = encode([payload, [scope[name] for name in case["bound"]]], CAP)[0]
    return {
        "ending": ending,
        "before": base64.b64encode(before).decode(),
        "after": base64.b64encode(after).decode(),
        "stdout": printed.getvalue(),
        "lines": sorted(lines.found),
        "reached": sorted(lines.reached),
    }


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


class _Lines:
    """The lines of one function that were run, and which of the project's functions were."""

    def __init__(self, file: str, qualname: str, root: str) -> None:
        self.found: set[int] = set()  # counted from the function's first
        self.reached: set[tuple[str, str]] = set()
        self._target = (file, qualname)
        self._root = root + os.sep

    def enter(self, frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(self._root):
            return None
        name = (code.co_filename, code.co_qualname)
        self.reached.add(name)
        return self._line if name == self._target else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self.found.add(frame.f_lineno - frame.f_code.co_firstlineno)
        return self._line
