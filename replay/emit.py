"""Replay tests as text: a test for a call, a file for a module; and reading such a file again."""

import ast
import hashlib
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from perftrace.replay.calling import CallText, Subject, write_call
from perftrace.replay.imports import Imports
from perftrace.replay.layout import flat
from perftrace.replay.literals import NotWritten
from perftrace.replay.outcome import RAISED, RESULT, Behaviour, write_outcome
from perftrace.values import ListNode

FORMAT = 1
# Keeps tools off: ruff refuses a bare noqa where its rule PGH004 is on, unless that is named too.
UNTOUCHED = "# fmt: off\n# ruff: noqa\n# ruff: noqa: PGH004\n# mypy: ignore-errors\n"
HEADER = re.compile(r"^# perftrace: format=(\d+) .*$", re.MULTILINE)
DIGEST = re.compile(r"(?<= sha=)[0-9a-f]{12}$", re.MULTILINE)
OMITTED = re.compile(r" omitted=\d+ \(([^\n]*)\) sha=")
SECTION = re.compile(r"^# ([\w.]+):([\w.]+) — ")
NOTICE = re.compile(
    r"^# [\w.]+:([\w.]+) — .*; notices? (\d+) of (\d+) small mistakes$", re.MULTILINE
)
EXERCISES = re.compile(r"^# exercises ([\w.]+:[\w.<>]+) \(via ([\w.]+)\)$", re.MULTILINE)
TITLE = re.compile(r'^"""Replay tests for (\S+), recorded by perftrace from `([^`\n]*)`')
MODULE = re.compile(r"perftrace replay --update ([\w.]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Test:
    """One test."""

    qualname: str  # of the function
    name: str
    text: str  # "def test_…():" to its last line


class Style(StrEnum):
    """What is meant to run a file; pytest runs either."""

    PYTEST = "pytest"
    UNITTEST = "unittest"


# What stands around the tests: before the imports, after them, at the end.
AROUND = {
    Style.PYTEST: ("", "pytestmark = pytest.mark.perftrace\n", ""),
    Style.UNITTEST: (
        "import sys\nimport unittest\n\n"
        'if "pytest" not in sys.modules:\n    import conftest  # finds the code, as for pytest\n\n',
        "",
        "\n\ndef load_tests(loader, tests, pattern):\n"
        '    cases = [case for name, case in globals().items() if name.startswith("test_")]\n'
        "    return unittest.TestSuite(map(unittest.FunctionTestCase, cases))\n",
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Score:
    """How many small mistakes in a function its tests notice, of those that were tried."""

    noticed: int
    tried: int


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one module."""

    module: str
    source: str  # the module's file, from the project's root
    command: str  # what was recorded
    tests: tuple[Test, ...] = ()
    omitted: Mapping[str, int] = field(default_factory=dict)  # reason -> calls without a test
    exercises: tuple[tuple[str, str], ...] = ()  # (module:function, qualname it is reached through)
    scores: Mapping[str, Score] = field(default_factory=dict)  # by qualified name
    style: Style = Style.PYTEST

    @property
    def filename(self) -> str:
        """The name of its file."""
        return f"test_replay_{self.module.replace('.', '_')}.py"

    def of(self, qualname: str) -> list[Test]:
        """The tests of one function."""
        return [test for test in self.tests if test.qualname == qualname]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file of replay tests as it was found."""

    suite: Suite
    imports: Imports
    edited: bool  # by hand, since perftrace wrote it


@dataclass(frozen=True, slots=True)
class NotParsed:
    """Why a file can't be read as replay tests."""

    reason: str


# --- writing ------------------------------------------------------------------------------


def write_test(
    subject: Subject, arguments: ListNode, after: ListNode | None, behaviour: Behaviour
) -> Test | NotWritten:
    """The test of one recorded call."""
    writer = subject.writer()
    call = write_call(subject, arguments, after, writer)
    if isinstance(call, NotWritten):
        return call
    body = write_outcome(subject, call.call, call.bound, behaviour, writer)
    if isinstance(body, NotWritten):
        return body
    name = _test_name(subject.function.qualname, call, behaviour)
    setup = "".join(call.setup)
    return Test(subject.function.qualname, name, f"def {name}():\n{setup}{body}")


def _test_name(qualname: str, call: CallText, behaviour: Behaviour) -> str:
    """The name says the function and, by a digest, the call; not what the call does."""
    taken = "" if behaviour.pulled is None else f" {behaviour.pulled}"
    setup = "".join(call.setup)
    canonical = _numbered_anew(f"{setup}{flat(call.call)}{taken}", setup).encode()
    return (
        f"test_{qualname.replace('.', '_')}_{hashlib.blake2b(canonical, digest_size=3).hexdigest()}"
    )


def _numbered_anew(text: str, setup: str) -> str:
    """A text with its variables named as if nothing imported had taken a name from them.

    What a file imports becomes more, and the same call has to keep its name.
    """
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for step in ast.parse(textwrap.dedent(setup)).body:
        match step:
            case ast.Assign(targets=[ast.Name(id=name)]):
                base = re.sub(r"_\d+$", "", name)
                counts[base] += 1
                names[name] = base if counts[base] == 1 else f"{base}_{counts[base]}"
            case _:
                pass
    return re.sub(r"\b[^\W\d]\w*", lambda found: names.get(found[0], found[0]), text)


def render(suite: Suite, imports: Imports, order: Mapping[str, int]) -> str:
    """The whole file; order: the functions' places in the module."""
    functions = sorted({test.qualname for test in suite.tests}, key=lambda q: (order.get(q, 0), q))
    body = "".join(_section(suite, qualname) for qualname in functions)
    first, then, last = AROUND[suite.style]
    imported = imports.render(body, for_pytest=suite.style is Style.PYTEST)
    text = (
        f'"""Replay tests for {suite.source}, recorded by perftrace from `{suite.command}`.'
        " PYTEST_DONT_REWRITE\n\n"
        "Re-record after an intended change of behaviour:"
        f'  perftrace replay --update {suite.module}\n"""\n\n'
        f"{UNTOUCHED}{_header(suite, len(functions))}\n"
        f"{first}{imported}\n{then}{body}{last}"
    )
    return DIGEST.sub(_digest(text), text, count=1)


def _header(suite: Suite, functions: int) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(suite.omitted.items()))
    listed = f" ({reasons})" if reasons else ""
    tested = {test.qualname for test in suite.tests}
    scores = [score for qualname, score in suite.scores.items() if qualname in tested]
    noticed, tried = (sum(one.noticed for one in scores), sum(one.tried for one in scores))
    mistakes = f" mistakes={noticed}/{tried}" if scores else ""
    return (
        f"# perftrace: format={FORMAT} functions={functions} cases={len(suite.tests)}{mistakes}"
        f" omitted={sum(suite.omitted.values())}{listed} sha={'0' * 12}"
    )


def _digest(text: str) -> str:
    blank = DIGEST.sub("0" * 12, text, count=1)
    return hashlib.blake2b(blank.encode(), digest_size=6).hexdigest()


def _section(suite: Suite, qualname: str) -> str:
    tests = sorted(suite.of(qualname), key=lambda test: (len(_act(test)), test.name))
    lines = [f"# {suite.module}:{qualname} — {_summary(tests, suite.scores.get(qualname))}"]
    reached = sorted(other for other, via in suite.exercises if via == qualname)
    lines += [f"# exercises {other} (via {qualname})" for other in reached]
    return "\n\n" + "\n".join(lines) + "\n" + "\n\n".join(test.text for test in tests)


def _act(test: Test) -> str:
    return ast.unparse(ast.parse(test.text).body[0])


def _summary(tests: Sequence[Test], score: Score | None) -> str:
    """What can be said of the tests that no second recording of the same behaviour changes."""
    said = ["1 case" if len(tests) == 1 else f"{len(tests)} cases"]
    raised = sorted({name for test in tests for name in raised_types(test)})
    if raised:
        said.append(f"raises {', '.join(raised)}")
    changed = sorted({name for test in tests for name in _looked_at(test)} - {RESULT, RAISED})
    if changed:
        said.append(f"checks {', '.join(changed)} too")
    if score is not None:
        verb = "notices" if len(tests) == 1 else "notice"
        said.append(f"{verb} {score.noticed} of {score.tried} small mistakes")
    return "; ".join(said)


def _calls(test: Test, helper: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(test.text)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name == helper:
                yield node


def raised_types(test: Test) -> Iterator[str]:
    """What the test's call raises."""
    for call in _calls(test, "raises"):
        if call.args:
            yield ast.unparse(_made(call.args[0]))
    for call in _calls(test, "check"):
        match call.args:
            case [ast.Name(id="raised"), ast.List(elts=[error]), _] | [
                ast.Tuple(elts=[ast.Name(id="raised"), *_]),
                ast.Tuple(elts=[ast.List(elts=[error]), *_]),
                _,
            ]:
                yield ast.unparse(_made(_assigned(test, error)))
            case _:
                pass


def _assigned(test: Test, value: ast.expr) -> ast.expr:
    """What a variable was set to first."""
    for node in ast.walk(ast.parse(test.text)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=first) if (
                isinstance(value, ast.Name) and name == value.id
            ):
                return first
            case _:
                pass
    return value


def _made(value: ast.expr) -> ast.expr:
    """The class of `restore(Class, …)` or `Class(…)`; else what is given."""
    match value:
        case ast.Call(func=ast.Name(id="restore"), args=[cls, *_]):
            return cls
        case ast.Call(func=cls):
            return cls
        case _:
            return value


def _looked_at(test: Test) -> Iterator[str]:
    for call in _calls(test, "check"):
        if len(call.args) == 3:
            yield from re.findall(r"\w+", str(ast.literal_eval(call.args[2])))


# --- reading ------------------------------------------------------------------------------


def parse(text: str) -> Parsed | NotParsed:
    """Read a file that `render` wrote."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return NotParsed(f"line {error.lineno} does not parse: {error.msg}")
    title, module, header = TITLE.match(text), MODULE.search(text), HEADER.search(text)
    if title is None or module is None or header is None:
        return NotParsed("it is not a file of replay tests")
    if int(header[1]) > FORMAT:
        return NotParsed(f"it has format {header[1]}, this perftrace reads up to {FORMAT}")
    suite = Suite(
        module=module[1],
        source=title[1],
        command=title[2],
        tests=tuple(_tests(text, tree)),
        omitted=_omitted(text),
        exercises=tuple(EXERCISES.findall(text)),
        style=Style.UNITTEST if AROUND[Style.UNITTEST][2] in text else Style.PYTEST,
        scores={name: Score(int(some), int(all_)) for name, some, all_ in NOTICE.findall(text)},
    )
    digest = DIGEST.search(text)
    return Parsed(suite, Imports.of(tree), edited=digest is None or digest[0] != _digest(text))


def _tests(text: str, tree: ast.Module) -> Iterator[Test]:
    lines = text.splitlines(keepends=True)
    sections = [(n, found[2]) for n, line in enumerate(lines, 1) if (found := SECTION.match(line))]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            above = [qualname for n, qualname in sections if n < node.lineno]
            own = "".join(lines[node.lineno - 1 : node.end_lineno])
            yield Test(above[-1] if above else "", node.name, own)


def _omitted(text: str) -> dict[str, int]:
    found = OMITTED.search(text)
    counts: Counter[str] = Counter()
    for part in found[1].split(", ") if found else ():
        number, _, reason = part.partition(" ")
        counts[reason] += int(number)
    return dict(counts)


def with_tests(suite: Suite, tests: Sequence[Test]) -> Suite:
    """The suite with these tests instead of its own."""
    return replace(suite, tests=tuple(tests))
