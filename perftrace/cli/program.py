"""The program that a command line names: `SCRIPT`, `-m MODULE` or `-- COMMAND`, and its words."""

from collections.abc import Sequence

import click

from perftrace.errors import UsageError


class ProgramCommand(click.Command):
    """Tells `-- CMD` from `SCRIPT`: click drops the `--`; what follows `-m MOD` is the module's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; what follows a leading `--` is a command, or is left to a module."""
        at = self._module_at(args)
        if at is not None:  # all that follows is the module's, options too
            super().parse_args(ctx, args[: at + 2])
            ctx.params["words"] = tuple(args[at + 2 :])
            return []
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if error.option_name != "-c":
                raise
            raise _no_code("-c") from error
        words: tuple[str, ...] = ctx.params.get("words", ())
        before = given[: len(given) - len(words)]
        if before[-1:] == ["--"]:
            ctx.params["words"] = ("--", *words)
        return rest

    def _module_at(self, args: Sequence[str]) -> int | None:
        """Where `-m` stands among perftrace's own options."""
        options = [one for one in self.params if isinstance(one, click.Option)]
        valued = {name for one in options if not one.is_flag for name in one.opts}
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            if args[at] == "-m":
                return at
            at += 2 if args[at] in valued else 1
        return None


def form_of(module: str | None, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """`module`, `command` or `script`, and the words that name it.

    Raises:
        UsageError: there are none.
    """
    if module is not None:
        return "module", (module, *words)
    if words[:1] == ("--",):
        words = words[1:]
        form = "command"
    else:
        form = "script"
    if form == "script" and words[:1] == ("-",):
        raise _no_code("-")
    if not words:
        raise UsageError(
            "nothing-to-run", "Nothing to run: give a script, -m MODULE or -- COMMAND."
        )
    return form, words


def _no_code(word: str) -> UsageError:
    """Code that lies in no file, as `python -c` and `python -` take it."""
    return UsageError(
        "no-script",
        f"{word} is no script. For code that is in no file write -- python -c CODE; of it only what"
        " it calls in files is recorded.",
    )
