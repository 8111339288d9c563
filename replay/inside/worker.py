"""The worker: takes requests from a pipe, calls the program's functions, sends outcomes back."""

import contextlib
import functools
import gc
import os
import random
import sys
from collections.abc import Callable, Iterator
from time import process_time_ns
from types import FunctionType
from typing import Any

from ...restore import Unreplayable, decode
from ...snapshot import TooBig, Unencodable, encode, immutable
from . import judge, landlock, library, sandbox, wire
from .amplify import Amplifier, shrunk
from .block import Block, Work
from .channel import Channel, Message, Request
from .coverage import Coverage
from .drive import Arguments, Drive, seed
from .grow import grown
from .guard import Guard
from .locate import Code, Finder, NotFound
from .notice import Notice, Repeated
from .outside import outsiders
from .overlay import Overlay
from .program import CannotImport, Program, describe
from .spoil import spoil
from .state import State
from .surroundings import Surroundings
from .versions import Apart, Codes, Versions, moved
from .watch import Keywords, Watch

LARGEST_INPUT = 1 << 20  # bytes of the arguments of a generated call
MOST_INPUT = 4 << 20  # of those of all
LARGE_INPUT = 8 << 10  # of which there are few, for each of which many smaller ones are made
SHRUNK = 9
LARGEST_CALLS = 3  # that are made at four times their size

type TwoVersions = tuple[Versions, tuple[Codes, Codes]]  # the other, its own

# What stops a replay that is no fault of ours, and its words.
OBSTACLES: dict[type[BaseException], Callable[[BaseException], str]] = {
    NotFound: str,
    CannotImport: str,
    Apart: str,
    Unreplayable: lambda error: f"needs {error}",
    TooBig: lambda error: f"its result is too large: {error}",
    Unencodable: lambda error: f"its result cannot be written: {error}",
}


class Worker:
    """Serves one program."""

    def __init__(self, channel: Channel, start: Request) -> None:
        self._channel = channel
        self._cwd: str = start["cwd"]
        self._cap: int = start["reply"]
        overlay = Overlay(start["overlay"])
        overlay.install()
        self.program = Program(start["main_file"], start["main_module"], overlay)
        self._finder = Finder(self.program)
        self._state = State(start["root"])
        self._around = Surroundings(start["folder"])
        self._guard = Guard(start["folder"])
        self._guard.arm()
        self._works: list[Work] = []
        self._versions: TwoVersions | None = None
        self._exchanged: TwoVersions | None = None
        self._found: dict[tuple[str, str, int], Versions] = {}
        self._coverage: Coverage | None = None
        self._notice: Notice | None = None
        self._apart: list[list[bytearray]] = []  # kept between the copies of the versions' code

    def serve(self) -> None:
        """Answer requests until the parent closes its end."""
        operations = {
            "call": self._call,
            "amplify": self._amplify,
            "cover": self._cover,
            "exchange": self._exchange,
            "expect": self._expect,
            "notices": self._notices,
            "import": self._import,
            "judge": self._judge,
            "prepare": self._prepare,
            "block": self._block,
            "modules": self._modules,
        }
        while True:
            try:
                request, blobs = self._channel.receive()
            except EOFError:
                return
            try:
                header, answer = operations[request["op"]](request, blobs)
            except BaseException as error:  # noqa: BLE001 - the reason goes to the parent
                header, answer = {"reason": self._reason(error)}, []
            finally:
                os.chdir(self._cwd)
            self.flush()
            self._channel.send(header, answer)

    def _call(self, request: Request, blobs: list[bytes]) -> Message:
        function, arguments = self._load(request, blobs[0])
        watched = self._code(request["reach"] or request["target"])
        drive = Drive(request["kind"], pull=request["pull"], rest=request["rest"], cap=self._cap)
        wanted = request["lines"] or request["reach"]
        watch = Watch(watched, lines=request["lines"]) if wanted else None
        self._begin()
        seed()
        around = self._around if request["state"] else None
        if around is not None:
            self._state.begin()
        keywords = Keywords(function, arguments.keywords)
        with watch or contextlib.nullcontext(), keywords, around or contextlib.nullcontext():
            ending, payload = drive.run(function, arguments)
        if request["repeat"]:
            spoil(payload, arguments.values)
            arguments = self._decode(request, blobs[0])
            ending, payload = drive.run(function, arguments)
        if keywords.found is not None:
            arguments.values[-1] = keywords.found
        after = [None if immutable(value) else value for value in arguments.values]
        result = encode([payload, after], self._cap)[0]
        changed = {}
        if around is not None:
            changed = self._state.changed() | around.changed(payload, after, result)
        self._refuse()
        header: wire.Header = {
            "state": list(changed) if request["state"] else None,
            "ending": ending,
            "cpu_ns": drive.watch.cpu_ns,
            "wall_ns": drive.watch.wall_ns,
            "lines": sorted(watch.lines) if watch else [],
            "reached": watch.starts if watch else 0,
            "implicit": drive.implicit,
            "own": drive.raising is not None and watched.is_in_file(drive.raising),
            "alike": drive.alike,
            "suspended": drive.suspended,
        }
        return header, [result, *changed.values()]

    @staticmethod
    def _modules(_: Request, __: list[bytes]) -> Message:
        return {"modules": library.loaded()}, []

    def _amplify(self, request: Request, blobs: list[bytes]) -> Message:
        """Arguments made of those of the calls, as bytes; each list once, and none of the calls'.

        `how`: "like" them, "outside" their types, or "grown" to four times their size.
        """
        for call, blob in zip(request["calls"], blobs, strict=True):
            self._load(call, blob)
        made = dict.fromkeys(blobs)
        most, room = len(made) + request["count"], MOST_INPUT
        for values in self._made(request, blobs):
            try:
                blob = encode(values, LARGEST_INPUT)[0]
            except (TooBig, Unencodable):
                continue
            room -= len(blob)
            if room < 0:
                break
            made.setdefault(blob)
            if len(made) >= most:
                break
        return {}, [blob for blob in made if blob not in blobs]

    def _made(self, request: Request, blobs: list[bytes]) -> Iterator[list[Any]]:
        small = self._shrunk(blobs, request["seed"])
        if request["how"] == "grown":
            blobs, small = sorted(blobs, key=len, reverse=True), []
        elif request["how"] == "outside" and small:
            blobs, small = small[:1] + blobs, []  # what is changed is the first
        fresh = [functools.partial(self._values, blob) for blob in (*blobs, *small)]
        if request["how"] == "grown":
            return grown(fresh[:LARGEST_CALLS])
        if request["how"] == "outside":
            return outsiders(fresh, [binding for _, binding in request["calls"][0]["parameters"]])
        return Amplifier(fresh, request["seed"]).variants(request["count"])

    def _prepare(self, request: Request, blobs: list[bytes]) -> Message:
        self._works = []
        self._versions, apart = None, ""
        gc.unfreeze()
        for call, blob in zip(request["calls"], blobs, strict=True):
            function, _ = self._load(call, blob)

            def fresh(call: Request = call, blob: bytes = blob) -> Arguments:
                return self._decode(call, blob)

            self._works.append(Work(function, fresh, call["kind"], call["pull"]))
        if request["other"]:
            try:
                self._versions = self._two_versions(request["other"])
            except Apart as error:
                apart = str(error)
        gc.collect()
        gc.freeze()  # each block collects once more: of the program's own objects there are many
        return {"calls": len(self._works), "apart": apart}, []

    def _two_versions(self, other: Request) -> TwoVersions:
        file, name, ordinal = (other["target"][key] for key in ("file", "qualname", "ordinal"))
        found = self._found.get((file, name, ordinal))
        if found is None:  # to look for it among all objects takes milliseconds
            found = Versions(file, name, ordinal, self.program.overlay.source(file))
        if found.lasting:
            self._found[file, name, ordinal] = found
        return found, (found.codes(other["source"]), found.own)

    def _shrunk(self, blobs: list[bytes], seed: int) -> list[bytes]:
        """Small versions of large arguments, several of each: most variants are made of those."""
        dice = random.Random(seed)  # noqa: S311 - no secret
        return [
            encode([shrunk(value, dice) for value in self._values(blob)], self._cap)[0]
            for blob in blobs
            if len(blob) > LARGE_INPUT
            for _ in range(SHRUNK)
        ]

    def _cover(self, request: Request, _blobs: list[bytes]) -> Message:
        """From now on watch what runs of a function; of none: say what ran."""
        found: wire.Header = {}
        if self._coverage is not None:
            self._coverage.stop()
            found, self._coverage = self._coverage.found(), None
        if request["target"]:
            watched = Coverage(self._code(request["target"]))
            watched.start()
            self._coverage = watched
        return found, []

    def _exchange(self, request: Request, _blobs: list[bytes]) -> Message:
        """From now on a function has the code of another text; of none: its own."""
        if self._exchanged is not None:
            versions, (_, own) = self._exchanged
            versions.use(own)
            self._exchanged = None
        if request["other"]:
            self._guard.loading = True
            target = request["other"]["target"]
            self.program.module_of(target["module"], target["file"])
            gc.unfreeze()  # what a server has loaded is not found otherwise
            self._exchanged = self._two_versions(request["other"])
            versions, (other, _) = self._exchanged
            versions.use(other)
        return {}, []

    def _expect(self, request: Request, blobs: list[bytes]) -> Message:
        """Make some calls, to know later which of them notice another code."""
        made = []
        for call, blob in zip(request["calls"], blobs, strict=True):
            function, _ = self._load(call, blob)
            fresh = functools.partial(self._decode, call, blob)
            made.append(Repeated(function, fresh, call["kind"], call["pull"], call["rest"]))
        self._guard.loading = False
        self._notice = Notice(made, self._cap)
        return {"steady": self._notice.steady}, []

    def _notices(self, request: Request, blobs: list[bytes]) -> Message:
        """Which of those calls do something else with another code, and with their own again."""
        assert self._notice is not None
        self._exchange(request, blobs)
        self._guard.loading = False
        try:
            found = self._notice.noticing(request["seconds"])
        finally:
            self._exchange({"other": None}, [])
        self._guard.loading = False
        spoilt = bool(self._notice.noticing(request["seconds"]))
        self._guard.take()
        return {"noticed": found, "spoilt": spoilt}, []

    def _block(self, request: Request, _blobs: list[bytes]) -> Message:
        if self._versions is not None:
            versions, codes = self._versions
            if request["move"]:
                both = [moved(one, request["move"] + place) for place, one in enumerate(codes)]
                codes, self._apart = (both[0][0], both[1][0]), [apart for _, apart in both]
                self._versions = versions, codes
            versions.use(codes[request["version"]])
        block = Block(self._works, request["rounds"])
        used = self._timed(block.run)
        self._refuse()
        return {"calls": block.calls, "cpu_ns": used}, []

    def _judge(self, request: Request, blobs: list[bytes]) -> Message:
        """Run a test that takes no arguments; the parent answers the calls that it makes."""
        test, _ = self._load(request, blobs[0])
        if not isinstance(test, FunctionType):
            raise NotFound("it is no function")
        self._begin()
        found = judge.run(test, request["names"], self._asked)
        self._refuse()
        return found, []

    def _asked(self, arguments: list[Any], named: list[str]) -> tuple[str, list[Any]]:
        """What the function under test does with these arguments."""
        self._channel.send({"asks": named}, [encode(arguments, self._cap)[0]])
        answer, blobs = self._channel.receive()
        return answer["ending"], self._values(blobs[0]) if blobs else []

    def _import(self, request: Request, _blobs: list[bytes]) -> Message:
        """Import a module between the parent's signals."""
        target = request["target"]

        def load() -> None:
            self._guard.loading = True
            self.program.module_of(target["module"], target["file"])

        return {"calls": 1, "cpu_ns": self._timed(load)}, []

    def _timed(self, work: Callable[[], None]) -> int:
        """Nanoseconds of CPU time by our own clock; the parent has its own."""
        self._begin()
        self._channel.wait()
        start = process_time_ns()
        try:
            work()
        finally:  # the parent waits for the byte either way; then it stops its clocks
            used = process_time_ns() - start
            self._channel.signal()
            self._channel.wait()
        return used

    def _load(self, request: Request, blob: bytes) -> tuple[Callable[..., object], Arguments]:
        """Import what the call needs; what that prints or tries to write is not the call's."""
        self._guard.loading = True
        target = request["target"]
        code = self._code(target)
        module = self.program.module_of(target["module"], target["file"])
        function = self._finder.function(code, module, decorated=target["decorated"])
        return function, self._decode(request, blob)

    def _code(self, target: Request) -> Code:
        names = ("file", "qualname", "line", "ordinal")
        return self._finder.code(*(target[name] for name in names))

    def _decode(self, request: Request, blob: bytes) -> Arguments:
        return Arguments(self._values(blob), request["parameters"])

    def _values(self, blob: bytes) -> list[Any]:
        values = decode(blob, self.program.resolve)
        if not isinstance(values, list):
            raise NotFound("the recorded arguments are not a list")
        return values

    def _begin(self) -> None:
        """The program is loaded: from here on it is the call."""
        self.flush()
        for descriptor in (1, 2):
            os.ftruncate(descriptor, 0)
        self._guard.take()
        self._guard.loading = False
        self._channel.send({"started": True}, [])

    def _refuse(self) -> None:
        refused = self._guard.take()
        if refused:
            raise NotFound(refused)

    def _reason(self, error: BaseException) -> str:
        refused = self._guard.take()
        for kind, words in OBSTACLES.items():
            if isinstance(error, kind):
                return words(error)
        return refused or f"replaying fails: {describe(error)}"

    @staticmethod
    def flush() -> None:
        """Let go of what is buffered for stdout and stderr."""
        streams: tuple[Any, ...] = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
        for stream in streams:
            with contextlib.suppress(Exception):  # the program may have closed or replaced it
                stream.flush()


def main(reading: int, writing: int, rules: landlock.Prepared | None = None) -> None:
    """Run a worker on these two pipes; a fork server has rules made for all its workers."""
    channel = Channel(reading, writing)
    start, _ = channel.receive()
    if start["forked"] and library.holds(start["overlay"]):  # it has to be imported anew
        channel.send({"again": True}, [])
        return
    layers = sandbox.enter(start["folder"], start["hidden"], rules)
    sys.path[:] = start["path"]
    sys.argv[:] = [start["main_file"] or ""]
    worker = Worker(channel, start)
    channel.send({"main": worker.program.main, "layers": [layers.files, layers.calls]}, [])
    worker.serve()
