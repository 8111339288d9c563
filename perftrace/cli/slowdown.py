"""How much slower is too slow, on the command line."""

import click

from perftrace.config import Settings
from perftrace.optimizer import limits
from perftrace.optimizer.limits import Limits


class Slowdown(click.ParamType[float]):
    """`>5%` or `5%`, as a share."""

    name = "slowdown"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The share."""
        if isinstance(value, float):
            return value
        try:
            return limits.share(str(value))
        except ValueError:
            self.fail(f"{value!r} is no limit; write '>5%'", param, ctx)


def limits_of(settings: Settings, given: float | None) -> Limits:
    """What is allowed: as given for all functions, but where the settings name one."""
    usual = limits.share(settings.max_slowdown) if given is None else given
    return Limits(usual, settings.limits)
