"""Text for people: numbers with units, recorded text made harmless, tables that fit."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
PIPED_WIDTH = 100_000  # a pipe has no width: nothing is folded, so that lines can be searched
UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, direction, surrogates, …


@dataclass(frozen=True, slots=True)
class Column:
    """A column: numbers stand to the right; left out where the terminal is narrower than given."""

    title: str
    number: bool = True
    from_width: int = 0


def seconds(spent: float | None) -> str:
    """A duration in the unit that suits it: "112 us"."""
    if spent is None:
        return "-"
    for size, unit in UNITS:
        if abs(spent) >= size * 0.9995:
            return f"{spent / size:.{_places(spent / size)}f} {unit}"
    return "0 ns"


def _places(number: float) -> int:
    """Decimal places for two or three significant digits."""
    return 1 if abs(number) < 9.95 else 0


def percent(share: float) -> str:
    """A share of 1 in percent: "41.2"."""
    return f"{100 * share:.1f}"


def interval(low: float, high: float) -> str:
    """The ends of an interval of shares, in percent: "[38.7, 43.8]"."""
    return f"[{percent(low)}, {percent(high)}]"


def count(number: int | None) -> str:
    """A number of things: "18,204"."""
    return "-" if number is None else f"{number:,}"


def plain(text: str) -> str:
    """Text from the recorded program that can do nothing to a terminal."""
    if text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in UNSAFE
        else char
        for char in text
    )


def say_lines(console: Console, text: str) -> None:
    """Print a text of several lines, which may hold recorded text."""
    for line in text.splitlines():
        say(console, line.expandtabs())


def show(console: Console, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; each row has a text for each column."""
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    shown = [index for index, one in enumerate(columns) if console.width >= one.from_width]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index in shown:
        column = columns[index]
        table.add_column(
            Text(column.title),
            justify="right" if column.number else "left",
            no_wrap=column.number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(plain(row[index])) for index in shown))
    console.print(table)


def say(console: Console, text: str) -> None:
    """Print a line of text, which may hold recorded text."""
    console.print(Text(plain(text)), soft_wrap=not console.is_terminal)
