"""What `perftrace replay --write` says of new tests."""

from perftrace.report import replay


def test_slow_tests_are_told_the_slowest_first() -> None:
    spent = {("till", "test_a"): 0.9, ("till", "test_b"): 1.0, ("work", "test_main"): 8.04}
    assert list(replay.slow(spent)) == [
        "work: test_main takes 8.0 s, as the recorded call did",
        "till: test_b takes 1.0 s, as the recorded call did",
    ]
