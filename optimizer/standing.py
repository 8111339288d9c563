"""What has become of the changes that were accepted: a later verdict or an edit may end them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.errors import CannotError, StaleError, TraceError
from perftrace.model import Candidate, Decision, Function, Inconclusive
from perftrace.optimizer import decisions, patch, rebase, write
from perftrace.store import Store


@dataclass(frozen=True, slots=True)
class Ready:
    """It can be written."""

    elsewhere: bool  # the file was edited since, but neither the function nor what it depends on


@dataclass(frozen=True, slots=True)
class Written:
    """It is in the file."""


@dataclass(frozen=True, slots=True)
class Stale:
    """What it was measured with is another now."""

    reason: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """There is a newer verdict on the function."""

    verdict: str
    by: str = ""  # the id of the change that was accepted instead, if one was


type State = Ready | Written | Stale | Replaced


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was accepted, and whether that still holds."""

    decision: Decision
    candidate: Candidate
    state: State


def changes(store: Store) -> list[Change]:
    """Every change that was ever accepted, the newest first.

    Raises:
        TraceError: the file is damaged.
    """
    every = decisions.every(store)
    known = [one.candidate for one in every if one.id and one.candidate]
    newer: dict[tuple[str, str, int], Decision] = {}
    found = []
    for decision in every:
        identity = _identity(store, decision)
        if decision.id and decision.candidate:
            state = _state(decision.candidate, newer.get(identity), known)
            found.append(Change(decision, decision.candidate, state))
        if decision.candidate or not isinstance(decision.verdict, Inconclusive):
            newer.setdefault(identity, decision)  # else nothing was tried: that replaces nothing
    return found


def together(found: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Those that can be written together or are already, and the others that a user may miss.

    The newest go first. Of those that another change replaced nothing is said.
    """
    known = [one.candidate for one in found]
    chosen: list[Change] = []
    left: list[Change] = []
    for one in found:
        match one.state:
            case Written():
                chosen.append(one)
            case Ready():
                wanted = [*(each.candidate for each in chosen), one.candidate]
                try:
                    write.plan(wanted, known)
                except CannotError as error:
                    left.append(Change(one.decision, one.candidate, Stale(str(error))))
                else:
                    chosen.append(one)
            case Stale() | Replaced(by=""):
                left.append(one)
            case Replaced():
                pass
    return chosen, left


def reason(state: State) -> str:
    """The state in words."""
    match state:
        case Ready(elsewhere):
            return "can be applied" + ("; its file was edited elsewhere" if elsewhere else "")
        case Written():
            return "applied"
        case Stale(text):
            return text
        case Replaced(verdict, by):
            return f"replaced by {by}" if by else f"a newer verdict replaces it: {verdict}"


def of_file(function: Function, original: str, source: str) -> str:
    """How the file on disk differs from the recorded one, in words; empty where it does not."""
    path = Path(function.file)
    try:
        text = write.read(path).text
    except StaleError as error:
        return str(error)
    if text == original:
        return ""
    candidate = Candidate(function, "", (), "", original, source)
    if rebase.is_made(candidate, text):
        return f"{path} already holds this change"
    return f"{path} is not as it was recorded any more"


def _state(candidate: Candidate, newer: Decision | None, known: Sequence[Candidate]) -> State:
    path = Path(candidate.function.file)
    try:
        file = write.read(path)
        if rebase.is_made(candidate, file.text):
            return Written()
        if newer is not None:
            return Replaced(decisions.reason(newer.verdict), newer.id)
        write.plan([candidate], known)
    except CannotError as error:
        return Stale(str(error))
    return Ready(elsewhere=file.text != rebase.measured_with(candidate, file.text, known))


def _identity(store: Store, decision: Decision) -> tuple[str, str, int]:
    """The function, wherever in its file it stood."""
    function = decision.function
    ordinal = 0
    for text in _texts(store, decision):
        try:
            ordinal = patch.ordinal_of(text, function.qualname, function.line)
            break
        except (StaleError, SyntaxError, ValueError):
            continue
    return function.file, function.qualname, ordinal


def _texts(store: Store, decision: Decision) -> Iterator[str]:
    """What the function's file may have been when it was decided on."""
    if decision.candidate:
        yield decision.candidate.original
    try:
        yield store.source_text(decision.function)
    except TraceError:
        return
