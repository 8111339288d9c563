"""For the tests of replay: small programs whose functions are called again by workers."""

import contextlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from perftrace import values
from perftrace.model import Binding, Kind, Parameter, Process, Run
from perftrace.replay.requests import NotReplayed, Replayed, Reply, Request, Target
from perftrace.replay.servers import FORKS, Servers
from perftrace.replay.session import Limits, Session
from perftrace.snapshot import encode

QUICK = Limits(wall_s=5)


STARTS = ("anew", "forked")  # how workers come to life: parameters of a `program` fixture


@contextlib.contextmanager
def started(program: "Program", how: str) -> "Iterator[Program]":
    """The program with workers of one kind."""
    if how == "anew":
        yield program
        return
    if not FORKS:
        pytest.skip("there are no fork servers on this system")
    with Servers() as servers:
        program.servers = servers
        yield program


class Program:
    """A small program in a folder, its functions called again by workers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main_file: Path | None = None
        self.main_module: str | None = None
        self.servers: Servers | None = None  # None: each worker is started anew

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    @property
    def process(self) -> Process:
        run = Run.unrecorded(self.folder, Path(sys.executable))
        library = [entry for entry in sys.path if entry.startswith(sys.base_prefix)]
        path = (str(self.folder), *library)
        main = str(self.main_file) if self.main_file else None
        return Process(1, run, 1, path, main, self.main_module)

    def session(self, **options: Any) -> Session:
        options = {"limits": QUICK, "servers": self.servers, **options}
        return Session(self.process, **options)

    def target(self, place: str, line: int | None = None) -> Target:
        """`file.py:Qual.name`."""
        name, _, qualname = place.partition(":")
        file = self.folder / name
        code = self.code(place, line)
        main = file == self.main_file
        module = "__main__" if main else name.removesuffix(".py").replace("/", ".")
        return Target(str(file), qualname, code.co_firstlineno, module)

    def code(self, place: str, line: int | None = None) -> types.CodeType:
        name, _, qualname = place.partition(":")
        waiting = [compile((self.folder / name).read_text(), name, "exec")]
        while waiting:
            code = waiting.pop(0)
            if code.co_qualname == qualname and line in {None, code.co_firstlineno}:
                return code
            waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        raise AssertionError(place)

    def request(self, place: str, *arguments: object, **options: Any) -> Request:
        """The arguments as the function's frame sees them: *args a tuple, **kw a dict."""
        line = options.pop("line", None)
        code = self.code(place, line)
        return Request(
            target=self.target(place, line),
            arguments=encode(list(arguments), 100_000)[0],
            kind=kind_of(code),
            parameters=tuple(parameters_of(code)),
            **options,
        )


def kind_of(code: types.CodeType) -> Kind:
    for flag, kind in (
        (0x20, Kind.GENERATOR),
        (0x80, Kind.COROUTINE),
        (0x200, Kind.ASYNC_GENERATOR),
    ):
        if code.co_flags & flag:
            return kind
    return Kind.FUNCTION


def parameters_of(code: types.CodeType) -> Iterator[Parameter]:
    names = iter(code.co_varnames)
    plain = [next(names) for _ in range(code.co_argcount)]
    keyword = [next(names) for _ in range(code.co_kwonlyargcount)]
    for place, name in enumerate(plain):
        first = place < code.co_posonlyargcount
        yield Parameter(name, Binding.POSITIONAL if first else Binding.EITHER)
    if code.co_flags & 4:
        yield Parameter(next(names), Binding.STAR)
    for name in keyword:
        yield Parameter(name, Binding.KEYWORD)
    if code.co_flags & 8:
        yield Parameter(next(names), Binding.DOUBLE_STAR)


def parts(reply: Reply) -> list[values.Node]:
    assert isinstance(reply, Replayed), reply
    outcome = values.read(reply.result)
    assert isinstance(outcome, values.ListNode)
    return outcome.items


def payload(reply: Reply) -> str:
    return values.show(parts(reply)[0])


def after(reply: Reply) -> str:
    return values.show(parts(reply)[1])


def items(reply: Reply) -> tuple[list[str], str, str]:
    """Of a yielded call: its items, how it ended, and with what."""
    match parts(reply)[0]:
        case values.ListNode(items=[values.ListNode(items=blobs), str(how), final]):
            shown = [values.show(values.read(blob)) for blob in blobs if isinstance(blob, bytes)]
            return shown, how, values.show(final)
        case _:
            raise AssertionError(reply)


def reason(reply: object) -> str:
    assert isinstance(reply, NotReplayed), reply
    return reply.reason
