import pytest

from perftrace.cli import main

HUGE = "9" * 20  # more than an index or SQLite can hold


@pytest.mark.parametrize(
    "words",
    [
        ("top", "-n", "-3"),
        ("top", "-n", HUGE),
        ("calls", "f", "-n", "-1"),
        ("calls", "f", "-n", HUGE),
        ("calls", "f", "--slowest", "0"),
        ("calls", "f", "--slowest", HUGE),
        ("optimize", "--top", "0"),
        ("optimize", "--top", HUGE),
        ("optimize", "--min-speedup", "nan"),
        ("optimize", "--min-speedup", "inf"),
        ("optimize", "--max-cost", "nan"),
        ("optimize", "--max-cost", "-1"),
        ("optimize", "--max-tokens", HUGE),
        ("bench", "--top", HUGE),
    ],
)
def test_a_number_that_cannot_be_used_is_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"Invalid value for '{words[-2]}'" in capsys.readouterr().err
