"""Numbers with units, harmless text, and tables that fit where they are printed."""

import io

import pytest
from rich.console import Console

from perftrace.report import tables
from perftrace.report.tables import Column

COLUMNS = (Column("hot%"), Column("calls", from_width=50), Column("function", number=False))
ROWS = [("41.2", "18,204", "shop.pricing:quote"), ("9.8", "7", "[bold]f[/bold]")]


def console(width: int = 80, *, terminal: bool = True) -> Console:
    return Console(
        file=io.StringIO(), width=width, force_terminal=terminal, no_color=True, color_system=None
    )


def printed(where: Console) -> list[str]:
    assert isinstance(where.file, io.StringIO)
    return [line.rstrip() for line in where.file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("spent", "text"),
    [
        (None, "-"),
        (0.0, "0 ns"),
        (31e-9, "31 ns"),
        (1.24e-6, "1.2 us"),
        (112e-6, "112 us"),
        (0.00999, "10 ms"),
        (0.9999, "1.0 s"),
        (75.0, "75 s"),
    ],
)
def test_durations_have_the_unit_that_suits_them(spent: float | None, text: str) -> None:
    assert tables.seconds(spent) == text


def test_counts_and_shares() -> None:
    assert (tables.count(18204), tables.count(None)) == ("18,204", "-")
    assert tables.percent(0.41249) == "41.2"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("größe 値 🎉", "größe 値 🎉"),
        ("\x1b[31mred\x07\r\n", "\\x1b[31mred\\x07\\r\\n"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("\ud800", "\\ud800"),
        ("line\u2028break", "line\\u2028break"),
    ],
)
def test_recorded_text_can_do_nothing_to_a_terminal(text: str, harmless: str) -> None:
    assert tables.plain(text) == harmless


def test_a_table_shows_markup_as_it_is() -> None:
    where = console()
    tables.show(where, COLUMNS, ROWS)
    assert printed(where) == [
        "hot%   calls  function",
        "41.2  18,204  shop.pricing:quote",
        " 9.8       7  [bold]f[/bold]",
    ]


def test_a_narrow_terminal_gets_fewer_columns_and_folded_names() -> None:
    where = console(16)
    tables.show(where, COLUMNS, ROWS[:1])
    lines = printed(where)
    assert lines[0] == "hot%  function"
    assert "".join(line[6:] for line in lines[1:]) == "shop.pricing:quote"
    assert max(map(len, lines)) <= 16


def test_a_pipe_gets_whole_lines() -> None:
    where = console(20, terminal=False)
    tables.show(where, COLUMNS, [("1.0", "2", "x" * 300)])
    assert printed(where)[1].endswith("x" * 300)


def test_said_lines_show_markup_as_it_is() -> None:
    where = console()
    tables.say(where, "Next: perftrace show [red]f[/red]\x1b")
    assert printed(where) == ["Next: perftrace show [red]f[/red]\\x1b"]
