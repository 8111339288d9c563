"""`perftrace mcp`: what was recorded, and verdicts on changes, for agents (Model Context Protocol).

Each tool runs a perftrace command of its own, as a person would: an agent sees what they say, and
whatever goes wrong in one leaves the server as it is.
"""

import asyncio
import functools
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perftrace import __version__, config
from perftrace.cli import output
from perftrace.errors import CannotError
from perftrace.optimizer.models.context import Send

if TYPE_CHECKING:
    from mcp.server import MCPServer

type Tool = Callable[..., Awaitable[Any]]

MOST_TEXT = 200_000  # characters of a candidate
HERE = """
Here, don't answer with a block of code: hand the whole changed file, or a unified diff of it, to
verify_candidate.
"""
INSTRUCTIONS = """\
perftrace recorded a real run of this Python program: where its time goes, and what its functions
were called with. Begin with hot_functions. To make one faster, read question_about, write the whole
file with your change or a unified diff of it, and have it judged by verify_candidate. "accepted"
means: no difference in the recorded and generated calls, and surely faster. Say that, not
"equivalent". A rejection names what shows it: mend that, or leave the function.
"""


@click.command("mcp")
@click.option("--allow-apply", is_flag=True, help="Agents may write accepted changes to files.")
@click.option(
    "--send-values",
    type=click.Choice([one.value for one in Send]),
    help="What of the recorded values agents are told.  [default: shapes]",
)
@output.database_option
def command(*, allow_apply: bool, send_values: str | None, database: Path) -> None:
    """Serve agents over standard input and output (Model Context Protocol).

    They can look at what was recorded, have rules look for faster versions, and have their own
    changes verified and measured. Files stay as they are unless --allow-apply is given.
    """
    root = output.project_root()
    settings = config.load(root)
    send = Send(send_values or settings.send_values)
    server_of(Commands(root, database), send, allow_apply=allow_apply).run("stdio")


def without_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict without the values that its words and its evidence hold.

    The words are told only of what was rejected without a call, as by the static check.
    """
    found = dict(row)
    found.pop("tried", None)
    if isinstance(row.get("evidence"), dict):
        found["evidence"] = {
            name: part for name, part in row["evidence"].items() if name != "outside"
        }
    witness = row.get("witness")
    if witness:  # a key in the path is a value too
        where, inside, _ = str(witness["where"]).partition("[")
        found["witness"] = {"where": f"{where}[…]" if inside else where}
        found["reason"] = f"differs at {found['witness']['where']}"
    elif row.get("verdict", "accepted") == "accepted" and "reason" in row:
        found["reason"] = "no difference in recorded and generated calls"
    return found


class FailedError(Exception):
    """A command did not give its document, and what it says."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs perftrace for one project."""

    root: Path
    database: Path

    async def document(self, *words: str) -> dict[str, Any]:
        """The JSON document of a command.

        Raises:
            FailedError: it has none.
        """
        text = await self.text(*words, "--json")
        found = json.loads(text)
        assert isinstance(found, dict)
        return found

    async def text(self, *words: str) -> str:
        """What a command prints.

        Raises:
            FailedError: it printed nothing on stdout.
        """
        command = (sys.executable, "-P", "-m", "perftrace", *words, "-d", str(self.database))
        made = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.root,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await made.communicate()
        finally:
            if made.returncode is None:  # the agent gave up
                made.terminate()
                await made.wait()
        if not out.strip():
            said = err.decode(errors="replace").strip().removeprefix("perftrace: ")
            raise FailedError(said or f"perftrace ended with exit code {made.returncode}")
        return out.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Tools:
    """What agents may ask for; the docstrings are what they read."""

    commands: Commands
    send: Send

    async def hot_functions(self, limit: int = 10) -> dict[str, Any]:
        """The functions by the time that a change to each can save, hottest first.

        `hot_percent` adds up to 100; `replayable` says how many recorded calls can be made again.
        """
        return await self.commands.document("top", "-n", str(max(1, limit)))

    async def show_function(self, function: str) -> dict[str, Any]:
        """All that was recorded of one function: its time, callers, types of arguments, gaps.

        `function` is `path/to/file.py:Qual.name`, `package.module:Qual.name`, or the name alone.
        """
        found = await self.commands.document("show", function)
        if self.send is not Send.SAMPLES and found.get("slowest"):
            found["slowest"] = {"seconds": found["slowest"]["seconds"]}
        return found

    async def recorded_calls(self, function: str, limit: int = 10) -> dict[str, Any]:
        """Recorded calls of a function, with arguments and outcomes."""
        return await self.commands.document("calls", function, "-n", str(max(1, limit)))

    async def question_about(self, function: str) -> str:
        """What to know for making a function faster: source, helpers, types, what has to stay."""
        given = ("--engine", "manual", "--show-prompt", "--send-values", self.send.value)
        return await self.commands.text("optimize", function, *given) + HERE

    async def verify_candidate(
        self, function: str, candidate: str, *, measure: bool = True
    ) -> dict[str, Any]:
        """Judge a change: `candidate` is the whole changed file, or a unified diff of it.

        It is held against the recorded calls and generated ones like them, in a sandbox, and with
        `measure` timed against the original. Takes seconds to a minute. Verdicts: accepted,
        rejected (the witness says what differs), inconclusive. No file is written.
        """
        with tempfile.TemporaryDirectory(prefix="perftrace-mcp-") as folder:
            file = Path(folder) / "candidate"
            file.write_text(candidate[:MOST_TEXT], encoding="utf-8")
            timed = ("--measure",) if measure else ()
            words = ("verify", function, "--candidate", str(file), *timed)
            found = await self.commands.document(*words)
        return found if self.send is Send.SAMPLES else without_values(found)

    async def optimize(self, functions: Sequence[str] = (), top: int = 3) -> dict[str, Any]:
        """Have perftrace's own rules look for faster versions of functions, or of the hottest.

        Takes up to a minute a function. What is accepted is kept to be applied; files stay as they
        are.
        """
        chosen = functions or ("--top", str(max(1, top)))
        found = await self.commands.document("optimize", *chosen, "--no-whole-program")
        if self.send is not Send.SAMPLES:
            found["functions"] = [without_values(row) for row in found["functions"]]
        return found

    async def accepted_changes(self) -> dict[str, Any]:
        """Every change that `optimize` found and accepted, and whether it can be applied.

        Changes of your own that verify_candidate accepts are not among them: write those yourself.
        """
        found = await self.commands.document("apply", "--list")
        if self.send is not Send.SAMPLES:
            found["changes"] = [without_values(row) for row in found["changes"]]
        return found

    async def apply_change(self, change: str) -> dict[str, Any]:
        """Write an accepted change, named by its id, into the program's file."""
        return await self.commands.document("apply", change)

    def given(self, *, allow_apply: bool) -> Iterator[tuple[Tool, bool]]:
        """The tools that an agent gets, and whether each leaves everything as it is."""
        reading: tuple[Tool, ...] = (
            *(self.hot_functions, self.show_function, self.question_about),
            *(self.verify_candidate, self.accepted_changes),
        )
        yield from ((tool, True) for tool in reading)
        yield self.optimize, False
        if self.send is Send.SAMPLES:
            yield self.recorded_calls, True
        if allow_apply:
            yield self.apply_change, False


def server_of(commands: Commands, send: Send, *, allow_apply: bool) -> "MCPServer":
    """The server with its tools.

    Raises:
        CannotError: the SDK is not installed.
    """
    try:
        from mcp.server import MCPServer  # noqa: PLC0415 - takes a second: only where it is used
        from mcp.server.mcpserver.exceptions import ToolError  # noqa: PLC0415
        from mcp.types import ToolAnnotations  # noqa: PLC0415
    except ImportError as error:
        raise CannotError(
            "mcp-sdk", "perftrace mcp needs a package more: pip install 'mcp>=2,<3'"
        ) from error

    def told(tool: Tool) -> Tool:
        """The tool, whose failures are told as they are: the SDK keeps others to itself."""

        @functools.wraps(tool)
        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return await tool(*args, **kwargs)
            except FailedError as error:
                raise ToolError(str(error)) from None

        return call

    server = MCPServer(
        "perftrace", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR"
    )
    for tool, reads in Tools(commands, send).given(allow_apply=allow_apply):
        destroys = tool.__name__ == "apply_change"
        hints = ToolAnnotations(read_only_hint=reads, destructive_hint=destroys)
        server.add_tool(told(tool), annotations=hints)
    return server
