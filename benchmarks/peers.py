"""Ways to run a Python program under a tool, for `overhead.py`: perftrace, and its peers.

`values` says whether a tool records what is passed and returned: the peers to compare with.
"""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RUN = """
import runpy, sys
sys.argv[:] = sys.argv[1:]
if sys.argv[0] == "-m":
    sys.argv[:] = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.path[0] = sys.argv[0].rpartition("/")[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
HUNTER = """
import hunter
log = open({log!r}, "w")
hunter.trace(stdlib=False, action=hunter.CallPrinter(stream=log, force_colors=False))
"""
# To know which functions there are is the least that any tool does.
STARTS = """
from sys import monitoring
monitoring.use_tool_id(3, "starts")
monitoring.register_callback(3, monitoring.events.PY_START, lambda *_: monitoring.DISABLE)
monitoring.set_events(3, monitoring.events.PY_START)
"""

type Command = Callable[[Path, list[str]], list[str]]  # from a scratch folder and the arguments


@dataclass(frozen=True)
class Tool:
    """A way to run `python ARGUMENTS…`."""

    name: str
    command: Command
    needs: str = ""  # a package
    values: bool = False
    peer: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def installed(self) -> bool:
        """Whether it can be used here."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


def _module(*options: str) -> Command:
    return lambda scratch, arguments: [
        sys.executable,
        "-m",
        *(option.format(scratch=scratch) for option in options),
        *arguments,
    ]


def _py_spy(scratch: Path, arguments: list[str]) -> list[str]:
    binary = str(Path(sys.executable).with_name("py-spy"))
    options = ["-r", "100", "-f", "raw", "-o", f"{scratch}/spy"]
    return [binary, "record", *options, "--", sys.executable, *arguments]


def _hunter(scratch: Path, arguments: list[str]) -> list[str]:
    return [sys.executable, "-c", HUNTER.format(log=f"{scratch}/hunter") + RUN, *arguments]


def _starts(_: Path, arguments: list[str]) -> list[str]:
    return [sys.executable, "-c", STARTS + RUN, *arguments]


def perftrace(share: str, *more: str) -> Tool:
    """`perftrace run`, allowed this share of CPU time, with more options."""

    def command(scratch: Path, arguments: list[str]) -> list[str]:
        script = Path(sys.executable).with_name("perftrace")
        options = ["-o", str(scratch / "trace.db"), "--python", sys.executable]
        return [str(script), "run", "--overhead", share, *more, *options, *arguments]

    name = " ".join([f"perftrace {share}", *more])
    return Tool(name, command, values=True, peer=False)


PLAIN = Tool("plain", lambda _, arguments: [sys.executable, *arguments], peer=False)
FIRST_STARTS = Tool("first starts alone", _starts, peer=False)
VIZ = ("viztracer", "-o", "{scratch}/viz.json", "--quiet")
PEERS = (
    Tool("cProfile", _module("cProfile", "-o", "{scratch}/profile")),
    Tool(
        "coverage (sysmon)",
        _module("coverage", "run", "--data-file={scratch}/coverage"),
        "coverage",
        environment={"COVERAGE_CORE": "sysmon"},
    ),
    Tool("py-spy", _py_spy),
    Tool("pyinstrument", _module("pyinstrument", "-o", "{scratch}/pyinstrument"), "pyinstrument"),
    Tool("VizTracer", _module(*VIZ), "viztracer"),
    Tool(
        "VizTracer, values",
        _module(*VIZ, "--log_func_args", "--log_func_retval"),
        "viztracer",
        values=True,
    ),
    Tool("MonkeyType (types)", _module("monkeytype", "run"), "monkeytype", values=True),
    Tool("hunter (calls)", _hunter, "hunter", values=True),
    Tool(
        "Codeflash's tracer",
        _module("codeflash.tracer", "--outfile", "{scratch}/codeflash"),
        "codeflash",
        values=True,
    ),
)
