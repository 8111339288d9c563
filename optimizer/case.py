"""A call that the original makes again always in the same way, and when a call is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from perftrace.model import Call, Ending, Recorded
from perftrace.optimizer.difference import compare_values, differ, differ_in_error, text_of
from perftrace.optimizer.workers import Started
from perftrace.replay import recorded
from perftrace.replay.compare import Comparison, Different, Same
from perftrace.replay.inside.state import RANDOM
from perftrace.replay.requests import NotReplayed, Replayed, Request, Target
from perftrace.replay.tolerance import Tolerance
from perftrace.store import Store


@dataclass(frozen=True, slots=True)
class Case:
    """A call that does the same whenever the original makes it again."""

    call: Call
    request: Request
    expected: Replayed
    reach: Target | None = None  # given: the call of a caller, which reaches the function
    generated: bool = False  # with arguments like those of `call`
    grown: bool = False  # with those at four times their size
    unsteady: frozenset[str] = frozenset()  # of what it does outside, what is not always the same
    tolerance: Tolerance | None = None  # of another version's floats
    again: Replayed | None = None  # its outcome once more, after its first result was changed

    def differ(self, got: Replayed, aliases: Mapping[str, str]) -> Comparison:
        """How another replay of it differs."""
        if self.generated and self.expected.implicit:
            return differ_in_error(self.expected, got)
        return differ(self.call, self.expected, got, aliases, self.unsteady, self.tolerance)

    def differ_again(self, got: Replayed, aliases: Mapping[str, str]) -> Comparison:
        """How another replay of it differs from `again`, made in the same way."""
        assert self.again is not None
        return differ(self.call, self.again, got, aliases, tolerance=self.tolerance)

    def patient(self, slower: float, spare_s: float) -> Request:
        """The request with a time limit by what the original took."""
        return replace(self.request, wall_s=self.expected.wall_ns / 1e9 * slower + spare_s)

    @property
    def text(self) -> str:
        """The call as it would be written: "settle([('a', 1.5)])"."""
        return text_of(self.request)  # when it is asked for: large arguments take their time


@dataclass(frozen=True, slots=True)
class Dropped:
    """A recorded call that is no case, and why."""

    reason: str


def case_of(
    store: Store, call: Call, aim: Target | None, started: Sequence[Started], *, as_recorded: bool
) -> Case | Dropped:
    """Make the call again under each hash seed; it has to do the same, and what was recorded."""
    request = recorded.request(store, call)
    if isinstance(request, NotReplayed):
        return Dropped(request.reason)
    found = steady(call, request, aim, started)
    if isinstance(found, Case) and as_recorded:
        aliases = started[0].aliases(call.process_id)
        drew = RANDOM in (found.expected.state or ())  # other numbers than when it was recorded
        if not drew and not _as_recorded(store, call, found.expected, aliases):
            return Dropped("it does not do what was recorded when it is made again")
    return found


def steady(
    call: Call, request: Request, aim: Target | None, started: Sequence[Started]
) -> Case | Dropped:
    """Make the call under each hash seed; it has to do the same."""
    replies: list[Replayed] = []
    for reply in Started.make_all(started, call.process_id, request, reach=aim, state=True):
        if isinstance(reply, NotReplayed):
            return Dropped(reply.reason)
        replies.append(reply)
    aliases = started[0].aliases(call.process_id)
    if aim is not None and started[0].has(aim) and not replies[0].reached:
        return Dropped("it did not reach the function when it was made again")
    plain = [replace(reply, state=None) for reply in replies]
    if any(not isinstance(differ(call, plain[0], other, aliases), Same) for other in plain[1:]):
        return Dropped("it does not do the same each time it is made again")
    return Case(call, request, replies[0], aim)


def _as_recorded(store: Store, call: Call, reply: Replayed, aliases: Mapping[str, str]) -> bool:
    """Whether nothing in the recording speaks against the replay."""
    outcome = call.outcome
    if outcome.ending is Ending.UNKNOWN or not isinstance(outcome.value, Recorded):
        return True
    if outcome.ending is not reply.ending:
        return False
    blob = store.blob(outcome.value)
    found = compare_values(call, blob, reply.result, outcome.ending, aliases)
    return not isinstance(found, Different)
