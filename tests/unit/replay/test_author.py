"""The order in which tests get into a file that may get full."""

from perftrace.replay import emit
from perftrace.replay.author import in_turns


def test_each_function_has_its_first_test_before_any_has_its_second() -> None:
    drafts = [emit.Test(name[0], name, "") for name in ("a1", "a2", "a3", "b1", "c1", "c2")]
    assert [test.name for test in in_turns(drafts)] == ["a1", "b1", "c1", "a2", "c2", "a3"]
