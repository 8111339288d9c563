"""`perftrace mcp` as agents see it, by the real SDK's client; once over real pipes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from perftrace.cli import main
from perftrace.cli.mcp import Commands, server_of
from perftrace.optimizer.models.context import Send

mcp = pytest.importorskip("mcp", reason="the SDK mcp is not installed")

PROGRAM = '''"""How many divisors numbers have."""


def divisors(n):
    """Of one number."""
    count = 0
    for k in range(1, n + 1):
        if n % k == 0:
            count = count + 1
    return count


def main():
    print(sum(divisors(n) for n in range(1000, 2000)))


if __name__ == "__main__":
    main()
'''
FAST = PROGRAM.replace("range(1, n + 1)", "range(1, n // 2 + 1)").replace(
    "count = 0", "count = int(n > 0)"
)
WRONG = PROGRAM.replace("range(1, n + 1)", "range(1, n)")
ALWAYS = [
    *("accepted_changes", "hot_functions", "optimize", "question_about"),
    *("show_function", "verify_candidate"),
]

type Talk[T] = Callable[[Any], Awaitable[T]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("divisors")
    (folder / "pyproject.toml").write_text('[project]\nname = "divisors"\nversion = "1"\n')
    (folder / "numbers_of.py").write_text(PROGRAM)
    subprocess.run(
        [
            *(sys.executable, "-m", "perftrace", "run", "--overhead", "30%"),
            *("--python", sys.executable, "numbers_of.py"),
        ],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.getbasetemp() / "config")},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder


def talk[T](project: Path, say: Talk[T], send: Send = Send.SHAPES, *, apply: bool = False) -> T:
    """What comes of talking to a server in this process."""

    async def session() -> T:
        commands = Commands(project, project / ".perftrace" / "trace.db")
        server = server_of(commands, send, allow_apply=apply)
        async with mcp.Client(server) as client:
            return await say(client)

    return asyncio.run(session())


async def names(client: Any) -> list[str]:
    return sorted(tool.name for tool in (await client.list_tools()).tools)


def asking(tool: str, **arguments: Any) -> Talk[Any]:
    async def say(client: Any) -> Any:
        return await client.call_tool(tool, arguments)

    return say


def test_which_tools_there_are_depends_on_what_is_allowed(project: Path) -> None:
    assert talk(project, names) == ALWAYS
    assert talk(project, names, Send.SAMPLES, apply=True) == sorted(
        [*ALWAYS, "apply_change", "recorded_calls"]
    )


def test_the_hottest_function_and_what_is_known_of_it(project: Path) -> None:
    found = talk(project, asking("hot_functions", limit=1))
    [row] = found.structured_content["functions"]
    assert row["function"] == "__main__:divisors"
    shown = talk(project, asking("show_function", function="divisors")).structured_content
    assert shown["arguments"] == {"n": {"int": shown["recorded"]}}
    assert set(shown["slowest"]) == {"seconds"}
    told = talk(project, asking("question_about", function="divisors")).content[0].text
    assert "def divisors(n):" in told


def test_values_are_told_only_where_that_is_allowed(project: Path) -> None:
    ask = asking("show_function", function="divisors")
    shown = talk(project, ask, Send.SAMPLES).structured_content
    assert set(shown["slowest"]) == {"seconds", "arguments", "outcome"}
    ask = asking("recorded_calls", function="divisors", limit=2)
    assert len(talk(project, ask, Send.SAMPLES).structured_content["calls"]) == 2
    ask = asking("verify_candidate", function="divisors", candidate=WRONG, measure=False)
    found = talk(project, ask).structured_content
    assert found["witness"] == {"where": "result"}
    assert found["reason"] == "differs at result"
    witness = talk(project, ask, Send.SAMPLES).structured_content["witness"]
    assert int(witness["expected"]) == int(witness["got"]) + 1


def test_a_change_is_judged_and_no_file_is_written(project: Path) -> None:
    ask = asking("verify_candidate", function="divisors", candidate=FAST)
    found = talk(project, ask).structured_content
    assert found["verdict"] == "accepted", found["reason"]
    assert found["low"] > 1.05
    assert found["reason"] == "no difference in recorded and generated calls"
    assert "outside" not in found["evidence"]
    assert (project / "numbers_of.py").read_text() == PROGRAM


def test_what_fails_is_told_as_a_person_would_be(project: Path) -> None:
    found = talk(project, asking("show_function", function="no_such"))
    assert found.is_error
    assert "no_such" in found.content[0].text
    elsewhere = talk(project / "nowhere", asking("hot_functions"))
    assert elsewhere.is_error


def test_an_accepted_change_is_listed_and_applied_where_that_is_allowed(project: Path) -> None:
    assert talk(project, asking("accepted_changes")).structured_content["changes"] == []
    assert talk(project, asking("apply_change", change="divisors")).is_error
    found = talk(project, asking("apply_change", change="divisors"), apply=True)
    assert found.is_error
    assert "No accepted change divisors" in found.content[0].text


def test_over_real_pipes(project: Path) -> None:
    async def session() -> list[str]:
        parameters = mcp.StdioServerParameters(
            command=sys.executable, args=["-m", "perftrace", "mcp"], cwd=str(project)
        )
        from mcp.client.stdio import stdio_client

        async with mcp.Client(stdio_client(parameters)) as client:
            found = await client.call_tool("hot_functions", {"limit": 1})
            assert found.structured_content["functions"][0]["function"] == "__main__:divisors"
            return await names(client)

    assert asyncio.run(session()) == ALWAYS


def test_without_the_sdk_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert main(["mcp"]) == 3
    assert capsys.readouterr().err == (
        "perftrace: perftrace mcp needs a package more: pip install 'mcp>=2,<3'\n"
    )
