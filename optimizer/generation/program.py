"""From a model's words to a program: the code that defines the function, and nothing around it."""

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from perftrace.optimizer import patch
from perftrace.optimizer.generation.reading import parse, why
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.models.answers import BLOCK, LARGEST, PYTHON


@dataclass(frozen=True, slots=True)
class NoProgram:
    """Why an answer is no program."""

    reason: str


def extract(answer: str, task: Task) -> str | NoProgram:
    """The program in an answer: its last block of code that defines the function.

    An answer without blocks may be code as it is, or go on where the task's own code ends.
    """
    answer = answer[:LARGEST].replace("\r\n", "\n")
    reason = "There is no code block in the answer."
    for text in _texts(answer, task.prefix):
        try:
            tree = parse(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            if "```" in answer:
                reason = f"The code is not valid Python: {why(error)}"
            continue
        if any(_defines(node, task.entry) for node in tree.body):
            return _without_tests(text, tree, task.entry)
        reason = f"The code does not define the function {task.entry}, by a `def`."
    return NoProgram(reason)


def meaning(program: str) -> str:
    """The same for programs that differ in layout and comments only."""
    return ast.dump(parse(program))


def _texts(answer: str, prefix: str) -> Iterator[str]:
    """What may be the program, likeliest first."""
    blocks = [code for word, code in BLOCK.findall(answer) if word.lower() in PYTHON]
    for block in reversed(blocks):
        code = textwrap.dedent(block)
        yield code
        if prefix:
            yield _joined(prefix, block)
    if not blocks and "```" not in answer:
        yield answer
        if prefix:
            yield _joined(prefix, answer)


def _joined(prefix: str, rest: str) -> str:
    """The task's code and what goes on from it, which may have lost its indentation."""
    first = next((line for line in rest.splitlines() if line.strip()), "")
    body = rest if first.startswith((" ", "\t")) else textwrap.indent(rest, "    ")
    return f"{prefix.rstrip()}\n{body}"


def _defines(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _without_tests(text: str, tree: ast.Module, entry: str) -> str:
    """The text without a main guard and assertions of its own: they are not the program."""
    lines = patch.lines_of(text)
    for node in reversed(tree.body):
        if _is_test(node, entry):
            del lines[node.lineno - 1 : node.end_lineno]
    return "".join(lines).strip() + "\n"


def _is_test(node: ast.stmt, entry: str) -> bool:
    match node:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="print" | "check"))):
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            return entry in used
        case _:
            return False
