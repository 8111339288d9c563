import asyncio
import selectors
from time import monotonic_ns

import pytest

from perftrace.tracer.inside import turns as module
from perftrace.tracer.inside.turns import NEVER, Turns


def test_the_select_of_the_standard_librarys_selectors_begins_a_turn() -> None:
    turns = Turns()
    loop = asyncio.new_event_loop()
    code = type(loop._selector).select.__code__  # type: ignore[attr-defined]
    loop.close()
    assert turns.add(code)
    assert turns.codes == {id(code): code}
    assert turns.add(selectors.SelectSelector.select.__code__)
    assert not turns.add(selectors.SelectSelector.register.__code__)


def test_a_select_of_the_programs_own_does_not() -> None:
    class EpollSelector:
        def select(self) -> None:
            pass

    assert not Turns().add(EpollSelector.select.__code__)


def test_a_turn_waits_only_where_a_round_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(module, "sleep", waited.append)
    turns = Turns()
    assert turns.due == NEVER
    turns.begin()
    turns.due = monotonic_ns() + 10**12
    turns.begin()
    assert waited == []
    turns.due = monotonic_ns() - 10**9
    turns.begin()
    assert waited == [module.LET_IN_S]
