"""A size in bytes on the command line."""

import re

import click

from perftrace.advice import LARGEST_KB

KILOBYTES = {"KB": 1, "MB": 1 << 10}


class Size(click.ParamType[int]):
    """`64KB` or `2MB`, in bytes."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9]\d{0,5})(KB|MB)", str(value).strip().upper())
        if not found:
            self.fail(f"{value!r} is not a size; write 64KB or 2MB", param, ctx)
        kilobytes = int(found[1]) * KILOBYTES[found[2]]
        if kilobytes > LARGEST_KB:
            self.fail(f"{value} is too much: {LARGEST_KB >> 10}MB at most", param, ctx)
        return kilobytes << 10
