"""Numbers on the command line, within what the program can use."""

import math

import click

MOST = 2**31 - 1  # more than there is of anything that is counted


def count(least: int) -> click.IntRange:
    """A whole number: how many of something."""
    return click.IntRange(least, MOST)


class Real(click.FloatRange):
    """A number from `min` on; neither `nan`, which no limit stops, nor `inf`."""

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value!r} is no number to compare with", param, ctx)
        return found
