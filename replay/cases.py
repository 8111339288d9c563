"""Which recorded calls become tests: those that tell most, repeat, and can be written and run."""

import tokenize
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from perftrace.model import Call, Ending, Outcome, Recorded, Run
from perftrace.replay import compare, recorded, sample
from perftrace.replay.calling import Subject
from perftrace.replay.committed import Checkout
from perftrace.replay.emit import Score, Test, write_test
from perftrace.replay.literals import NotWritten
from perftrace.replay.mistakes import MOST, Mutants, Weighed, weigh
from perftrace.replay.outcome import Behaviour
from perftrace.replay.requests import NotReplayed, Replayed, Request
from perftrace.replay.servers import Servers
from perftrace.replay.session import Session
from perftrace.replay.unsafe import unsafe
from perftrace.store import Store
from perftrace.values import BadValue, ListNode, Node, read

SEEDS = (0, 1, 2)  # of hashes: a call is made again under each, in a process of its own
WEIGHERS = 2  # workers that mistakes are tried in
OTHERWISE = "it does something else when it is made again"
TWO_RESULTS = "not deterministic: the same call gave two results"
TRIED = 3  # candidates for each test there may be: some will turn out not to be usable


@dataclass(frozen=True, slots=True)
class Drafts:
    """Tests of one function that could be written, and why others could not."""

    tests: tuple[Test, ...]
    left: Counter[str] = field(default_factory=Counter)  # reason -> calls
    mistakes: int = 0  # that were tried; 0: what the tests notice is not known
    notices: Mapping[str, frozenset[int]] = field(default_factory=dict)  # test -> their numbers

    def score(self, names: Collection[str]) -> Score | None:
        """What so many of the tests notice together."""
        if not self.mistakes:
            return None
        found = {number for name in names for number in self.notices.get(name, ())}
        return Score(len(found), self.mistakes)


@dataclass(frozen=True, slots=True)
class _Drafted:
    """A test, and the call that it makes."""

    test: Test
    seen: sample.Seen
    request: Request
    wall_ns: int


class Drafter:
    """Turns recorded calls into tests (context manager: it holds worker processes)."""

    def __init__(
        self,
        store: Store,
        run: Run,
        mutants: Mutants | None = None,
        checkout: Checkout | None = None,
    ) -> None:
        """With mutants, the calls are chosen by what they notice of them."""
        self._checkout = checkout
        self._store = store
        self._run = run
        self._mutants = mutants
        self._sessions: dict[int, list[Session]] = {}
        self._mistaken: dict[int, list[Session]] = {}  # apart: a mistake may spoil what follows
        self._open = ExitStack()
        self._servers = self._open.enter_context(Servers())  # nothing is started yet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def draft(self, subject: Subject, most: int) -> Drafts:
        """Tests for the calls of a function that tell the most, those first that tell more."""
        left: Counter[str] = Counter()
        drafted: list[_Drafted] = []
        for call in sample.choose(self._store, self._usable(subject, left), most * TRIED):
            try:
                made = self._attempt(subject, call)
            except BadValue as error:
                made = NotWritten(f"its values can't be read: {error}")
            if isinstance(made, NotWritten):
                left[made.reason] += 1
            else:
                drafted.append(made)
        weighed = self._weigh(subject, drafted)
        noticed = weighed.noticed if weighed else {}
        seen = [replace(one.seen, notices=noticed.get(place)) for place, one in enumerate(drafted)]
        tests = {one.seen.call.id: one.test for one in drafted}
        chosen = sample.tell_most(seen, most)
        named = {test.name: test for test in (tests[one.call.id] for one in chosen)}
        notices = {one.test.name: noticed.get(n, frozenset()) for n, one in enumerate(drafted)}
        return Drafts(tuple(named.values()), left, weighed.tried if weighed else 0, notices)

    def _weigh(self, subject: Subject, drafted: Sequence[_Drafted]) -> Weighed | None:
        """What the calls notice of small mistakes; None: it is not known."""
        function = subject.function
        if self._mutants is None or not drafted:
            return None
        source = self._store.source_text(function)
        if not _is_text_of(source, Path(function.file)):
            return None  # the function that was recorded may not be the one that is there
        processes = Counter(one.seen.call.process_id for one in drafted)
        process_id = processes.most_common(1)[0][0]  # one worker knows those of one process
        texts = self._mutants(source, function.qualname, function.line, most=MOST)
        calls = {
            place: (one.request, one.wall_ns)
            for place, one in enumerate(drafted)
            if one.seen.call.process_id == process_id
        }
        target = recorded.target_in(source, function)
        recorded_ns = {
            place: drafted[place].seen.call.duration_ns or wall_ns
            for place, (_, wall_ns) in calls.items()
        }
        workers = self._workers_for_mistakes(process_id)
        return weigh(workers, target, texts, calls, recorded_ns)

    def _workers_for_mistakes(self, process_id: int) -> list[Session]:
        if process_id not in self._mistaken:
            process = self._store.process(process_id)
            self._servers.learn(process, self._sessions[process_id][0].modules())
            self._mistaken[process_id] = [
                self._open.enter_context(
                    Session(process, hash_seed=SEEDS[0], servers=self._servers)
                )
                for _ in range(WEIGHERS)
            ]
        return self._mistaken[process_id]

    def _usable(self, subject: Subject, left: Counter[str]) -> list[Call]:
        """One call for each of the arguments, where it may become a test; the others counted."""
        alike: dict[bytes, list[Call]] = {}
        for call in self._store.calls(subject.function, run=self._run):
            reason = _unusable(call, subject.cap)
            if not reason and self._checkout is not None:
                reason = self._checkout.lacks(call)
            if reason:
                left[reason] += 1
            elif isinstance(call.arguments, Recorded):
                alike.setdefault(call.arguments.digest, []).append(call)
        kept: list[Call] = []
        for calls in alike.values():
            if self._contradict(calls):
                left[TWO_RESULTS] += len(calls)
            else:
                kept.append(calls[0])
        return kept

    def _contradict(self, calls: Sequence[Call]) -> bool:
        """Whether calls with the same arguments ended otherwise."""
        first, *others = {call.outcome: call.outcome for call in calls}
        return any(
            other.ending is not first.ending
            or isinstance(
                compare.compare(self._read(first), self._read(other), ending=first.ending),
                compare.Different,
            )
            for other in others
        )

    def _attempt(self, subject: Subject, call: Call) -> _Drafted | NotWritten:
        """Make the call again under each hash seed; it has to do what was recorded."""
        request = recorded.request(self._store, call)
        if isinstance(request, NotReplayed):
            return NotWritten(request.reason)
        expected = self._read(call.outcome)
        replies: list[Replayed] = []
        sessions = self._workers(call)
        waiting = [session.ask(request, lines=session is sessions[0]) for session in sessions]
        for session, reply in zip(sessions, [wait() for wait in waiting], strict=True):
            if isinstance(reply, NotReplayed):
                return NotWritten(reply.reason)
            if not _is_same(call, expected, reply, session):
                return NotWritten(OTHERWISE)
            replies.append(reply)
        if len({reply.stdout for reply in replies}) > 1:
            return NotWritten("it prints something else each time")
        test = _write(subject, call, read(request.arguments), replies[0])
        if isinstance(test, NotWritten):
            return test
        seen = sample.look(self._store, call, replies[0].lines)
        return _Drafted(test, seen, request, max(reply.wall_ns for reply in replies))

    def _read(self, outcome: Outcome) -> Node:
        assert isinstance(outcome.value, Recorded), "only usable calls come here"
        return read(self._store.blob(outcome.value))

    def _workers(self, call: Call) -> list[Session]:
        if call.process_id not in self._sessions:
            process = self._store.process(call.process_id)
            opened = [Session(process, hash_seed=seed) for seed in SEEDS]
            self._sessions[call.process_id] = [self._open.enter_context(one) for one in opened]
        return self._sessions[call.process_id]


def _is_text_of(source: str, file: Path) -> bool:
    """Whether the file still has this text."""
    try:
        with tokenize.open(file) as opened:
            return opened.read() == source
    except (OSError, SyntaxError, UnicodeDecodeError):
        return False


def _unusable(call: Call, cap: int) -> str:
    """Why a call can't become a test, seen without making it again."""
    if not isinstance(call.arguments, Recorded):
        return call.arguments.reason
    if call.outcome.ending is Ending.UNKNOWN:
        return "how it ended was not seen"
    if not isinstance(call.outcome.value, Recorded):
        return call.outcome.value.reason
    if call.arguments.opaque or call.outcome.value.opaque:
        return "holds a part that could not be recorded"
    if max(call.arguments.size, call.outcome.value.size) > cap * 4:
        return f"over {cap / 1024:g} KiB"
    return unsafe(call)


def _is_same(call: Call, expected: Node, reply: Replayed, session: Session) -> bool:
    names = [parameter.name for parameter in call.function.parameters]
    found = compare.compare(
        expected,
        read(reply.result),
        names=names,
        aliases=session.main_alias,
        ending=call.outcome.ending,
    )
    return reply.ending is call.outcome.ending and not isinstance(found, compare.Different)


def _write(subject: Subject, call: Call, arguments: Node, reply: Replayed) -> Test | NotWritten:
    match arguments, read(reply.result):
        case ListNode(), ListNode(items=[payload, ListNode() | None as after]):
            if call.outcome.ending is Ending.YIELDED:
                payload = _with_items(payload)
            kind, ending = call.function.kind, call.outcome.ending
            behaviour = Behaviour(kind, ending, payload, reply.stdout)
            return write_test(subject, arguments, after, behaviour)
        case _:
            return NotWritten("its values are not those of a call")


def _with_items(payload: Node) -> Node:
    """A yielded payload with its items read: each was recorded when it was yielded."""
    match payload:
        case ListNode(items=[ListNode(items=items), how, final]):
            blobs = [item for item in items if isinstance(item, bytes)]
            return ListNode([ListNode([read(blob) for blob in blobs]), how, final])
        case _:
            return payload
