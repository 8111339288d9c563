"""`pytest --perftrace`: record a test session; each test is the context of what it calls.

pytest loads this module in every session, so it needs nothing but pytest and the standard library.
The recorder starts in the process of the tests. What needs more than the standard library (the
plan, py-spy, the trace file) is done by processes of their own before and after the tests.

Nothing in here fails a session: what goes wrong is one line at its end. PYTEST_DONT_REWRITE
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest

from perftrace.tracer.shares import share_of

OPTION = "--perftrace"
SHARE = "--perftrace-overhead"
NAME = "perftrace-session"  # of what is registered once there is something to do
FOLDER = "perftrace_folder"  # what a worker of pytest-xdist is told
PATIENCE_S = {"begin": 60, "end": 900}
ROOT = "_perftrace"  # the private name of our package in the user's process
BOOT = f"{ROOT}.tracer.inside.boot"
HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.dirname(importlib.import_module("perftrace").__file__ or HERE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--perftrace[=DB]`."""
    group = parser.getgroup("perftrace", "recording calls and the hot path")
    group.addoption(
        OPTION,
        nargs="?",
        const="",
        metavar="DB",
        help="Record this session into the project's trace file, or into DB (with an equals sign).",
    )
    group.addoption(
        SHARE,
        type=_share,
        metavar="SHARE",
        help="Of CPU time, for recording, such as 10%% (default: 2%%).",
    )


def _share(text: str) -> float:
    """`10%` or `0.1`; anything else is a usage error, before a test runs."""
    try:
        return share_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """See that `--perftrace tests` does not take the folder of the tests for a trace file."""
    end = args.index("--") if "--" in args else len(args)
    if OPTION in args[:end]:
        args[args.index(OPTION)] = f"{OPTION}="
        known = parser.parse_known_args(args, namespace=early_config.known_args_namespace)
        early_config.known_args_namespace = known


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where something is recorded."""
    if config.getoption(OPTION) is not None or _recorder() or _folder(config):
        config.pluginmanager.register(Session(config), NAME)
    elif config.getoption(SHARE) is not None:
        always = "a share for every recording is `overhead` in [tool.perftrace]"
        raise pytest.UsageError(f"{SHARE} goes with {OPTION}, which records; {always}")


def _recorder() -> Any:
    """The recorder that runs in this process already, as under `perftrace run`."""
    boot = sys.modules.get(BOOT)
    return boot and boot.running


def _folder(config: pytest.Config) -> str:
    """In a worker of pytest-xdist: the folder of the controller's run, if it is on this machine."""
    told = getattr(config, "workerinput", {}).get(FOLDER, "")
    return told if os.path.isdir(told) else ""


class Session:
    """A session that is recorded."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._recorder = _recorder()
        self._ours = ""  # the folder of the run, where we began it
        self._started = False  # the recorder, by us
        self._lines: list[str] = []  # for the end of the session
        self._wall = self._cpu = 0.0
        self._helping_s = 0.0  # what our own processes took before and after the tests

    # --- beginning and end ----------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start the recorder: no test module is imported yet."""
        self._safely(self._start)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """All tests have run, and all workers have ended: write the trace file."""
        if self._ours:
            self._safely(self._stop)
            self._safely(self._end, int(exitstatus))

    def pytest_report_header(self) -> list[str]:
        """Say at the beginning that nothing will be recorded: a long session is not run in vain."""
        return self._lines

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was recorded."""
        for line in self._lines:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        """A worker is at its end; a session may have ended without having run."""
        self._safely(self._stop)
        self._safely(self._end, int(pytest.ExitCode.INTERNAL_ERROR))

    # --- tests ----------------------------------------------------------------------------

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None]:
        """The test is the context of its setup, call and teardown."""
        entered = self._recorder is not None and self._recorder.enter(item.nodeid)
        yield
        if entered:
            self._recorder.leave()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of pytest-xdist is about to start: it writes a journal of the same run."""
        if self._recorder is not None:
            node.workerinput[FOLDER] = self._recorder.folder

    # --- what they do ---------------------------------------------------------------------

    def _safely(self, work: Callable[..., None], *details: object) -> None:
        try:
            work(*details)
        except Exception as error:  # noqa: BLE001 - the border to the user's tests
            self._say(f"{type(error).__name__}: {error}")

    def _say(self, problem: str) -> None:
        self._lines = [f"perftrace: Nothing was recorded: {problem}"]

    def _start(self) -> None:
        folder = _folder(self._config)
        if self._recorder is None and not folder and not self._config.getoption("collectonly"):
            folder = self._begin()
        if self._recorder is None and folder:
            self._recorder = _start_recorder(folder)
            self._started = self._recorder is not None
        if self._recorder is not None:
            self._recorder.tell_contexts()

    def _begin(self) -> str:
        """Have a run's folder made and the sampler started."""
        invocation = self._config.invocation_params
        answer = self._help(
            "begin",
            pid=os.getpid(),
            cwd=str(invocation.dir),
            form="module" if sys.argv[0].endswith("__main__.py") else "command",
            words=["pytest", *_without_option(invocation.args)],
            database=self._config.getoption(OPTION),
            overhead=self._config.getoption(SHARE),
        )
        if "problem" in answer:
            self._say(answer["problem"])
            return ""
        self._ours = str(answer["folder"])
        self._wall, self._cpu = time.monotonic(), sum(os.times()[:4])
        return self._ours

    def _stop(self) -> None:
        if self._started:
            self._started = False
            self._recorder.stop()
        self._recorder = None

    def _end(self, code: int) -> None:
        """Have what was recorded written into the trace file."""
        if self._ours:
            folder, self._ours = self._ours, ""
            wall_s = time.monotonic() - self._wall
            answer = self._help(
                "end",
                folder=folder,
                wall_s=wall_s,
                cpu_s=sum(os.times()[:4]) - self._cpu,
                exit_code=code,
            )
            times = [] if "problem" in answer else [_times(wall_s, self._helping_s)]
            self._lines = [*answer["lines"], *times]

    def _help(self, order: str, **details: object) -> Mapping[str, Any]:
        """Run a process of ours, and count its time: pytest takes it for its own."""
        since = time.monotonic()
        try:
            return _helper(order, **details)
        finally:
            self._helping_s += time.monotonic() - since


def _times(wall_s: float, helping_s: float) -> str:
    """Why pytest names a longer time than `perftrace top`."""
    rest = f"{helping_s:.1f} s more are perftrace's own, before and after"
    return f"perftrace: recorded for {wall_s:.1f} s; {rest}: pytest's time has both"


def _start_recorder(folder: str) -> Any:
    """Start the recorder as `inject/sitecustomize.py` does."""
    since = time.thread_time_ns()
    for name, place in ((ROOT, HOME), (f"{ROOT}.tracer", HERE)):
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [place]
    refused = sys.dont_write_bytecode
    sys.dont_write_bytecode = False  # compiling it takes 15 ms
    try:
        boot = importlib.import_module(BOOT)
    finally:
        sys.dont_write_bytecode = refused
    boot.start(folder, since, None, {})
    return boot.running


def _helper(order: str, **details: object) -> Mapping[str, Any]:
    """Run a process of ours to its end; what it answers."""
    import subprocess  # noqa: PLC0415 - only where something is recorded

    done = subprocess.run(
        [sys.executable, "-P", "-m", "perftrace.cli.suite"],
        input=json.dumps({"order": order, **details}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S[order],
        check=False,
    )
    answer = done.stdout.rpartition("\nANSWER ")[2]
    if done.returncode or not answer:
        reason = done.stderr.strip().rpartition("\n")[2]
        return {"problem": reason, "lines": [f"perftrace: {reason}"]}
    found = json.loads(answer)
    assert isinstance(found, dict)
    return found


def _without_option(words: Sequence[object]) -> list[str]:
    """The session's own words: what it would be run with again."""
    kept: list[str] = []
    given = iter(map(str, words))
    for word in given:
        if word == SHARE:
            next(given, None)  # its value
        elif word != OPTION and not word.startswith((f"{OPTION}=", f"{SHARE}=")):
            kept.append(word)
    return kept
