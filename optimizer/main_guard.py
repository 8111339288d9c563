"""Whether a script does its work when it is imported: a replay imports it anew for each worker."""

import ast
import os
import tokenize

from perftrace.model import Run

LONG_S = 1.0  # a program that is over sooner may well run again
WORK = (ast.For, ast.While, ast.With, ast.AsyncFor, ast.AsyncWith)


def advice(run: Run) -> str:
    """What to tell the user of a script that does long work at its top level; else empty."""
    if run.form != "script" or not run.command or run.wall_s < LONG_S:
        return ""
    path = os.path.normpath(run.cwd / run.command[0])
    try:
        with tokenize.open(path) as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return ""  # it is gone or has changed: that is told elsewhere
    if not any(_works(statement) for statement in tree.body):
        return ""
    return (
        f"{run.command[0]} does its work whenever it is imported, and each replay imports it"
        f" ({run.wall_s:.1f} s when it was recorded). Put the work under"
        ' if __name__ == "__main__": and record again.'
    )


def _works(statement: ast.stmt) -> bool:
    """Whether a top-level statement may take long; a guard, a definition or a table does not."""
    if isinstance(statement, ast.Try):
        return any(_works(inner) for inner in statement.body)
    is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call | ast.Await)
    return is_call or isinstance(statement, WORK)
