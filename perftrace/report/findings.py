"""What `perftrace ci` found: lines for people, GitHub's annotations and summary, SARIF 2.1.0."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from perftrace import __version__

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding."""

    level: str  # error, warning or note: SARIF's words
    text: str


RULES: Mapping[str, Rule] = {
    "replay-changed": Rule("error", "A replay test fails: the code does something else."),
    "replay-orphaned": Rule("error", "A replay test's function is gone."),
    "replay-unclear": Rule("error", "A replay test can't be run."),
    "slower": Rule("error", "A function is slower than before, by more than is allowed."),
    "different": Rule("warning", "A function does something else than before in the same call."),
    "not-compared": Rule("note", "A function could not be compared with the one before."),
    "no-trace": Rule("warning", "No calls were recorded here, so nothing was compared."),
    "no-replay-tests": Rule("note", "There are no replay tests."),
}
# What Markdown and HTML would take for theirs.
MARKS = str.maketrans(
    {mark: f"\\{mark}" for mark in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)
ANNOTATIONS = {"error": "error", "warning": "warning", "note": "notice"}  # GitHub's words


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say, and where."""

    rule: str
    message: str
    file: str = ""  # from the repository's root; empty: it has no place
    line: int = 1

    @property
    def level(self) -> str:
        """How bad it is."""
        return RULES[self.rule].level

    @property
    def place(self) -> str:
        """Where it is, as editors take it."""
        return f"{self.file}:{self.line}: " if self.file else ""


def counts(findings: Iterable[Finding]) -> str:
    """`1 error, 2 warnings`."""
    found = Counter(finding.level for finding in findings)
    words = [f"{found[one]} {one}{'s' * (found[one] != 1)}" for one in ANNOTATIONS if found[one]]
    return ", ".join(words) or "nothing found"


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """For people."""
    for finding in findings:
        yield f"{finding.level}: {finding.place}{finding.message} ({finding.rule})"


def annotations(findings: Iterable[Finding]) -> Iterator[str]:
    """Commands that GitHub's runner takes from a job's output."""
    for one in findings:
        where = f"file={_property(one.file)},line={one.line}," if one.file else ""
        title = _property(f"perftrace: {one.rule}")
        yield f"::{ANNOTATIONS[one.level]} {where}title={title}::{_data(one.message)}"


def markdown(
    findings: Sequence[Finding], tests: str, rows: Iterable[tuple[str, str]], base: str
) -> str:
    """A summary for a job's page: what was found, and each compared function with its outcome."""
    text = [f"### perftrace: {counts(findings)}", "", tests, ""]
    text += [f"- **{one.level}** {_code(one.place)}{_plain(one.message)}" for one in findings]
    table = [f"| {_code(name)} | {_plain(outcome)} |" for name, outcome in rows]
    if table:
        text += ["", f"| function | compared with {_plain(base)} |", "| --- | --- |", *table]
    return "\n".join([*text, ""])


def sarif(findings: Iterable[Finding]) -> dict[str, Any]:
    """The findings as a SARIF log of one run."""
    names = list(RULES)
    rules = [
        {
            "id": name,
            "shortDescription": {"text": rule.text},
            "defaultConfiguration": {"level": rule.level},
        }
        for name, rule in RULES.items()
    ]
    driver = {"name": "perftrace", "version": __version__, "rules": rules}
    results = [_result(one, names.index(one.rule)) for one in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [run]}


def documents(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The findings as data."""
    return [{"level": one.level, **asdict(one)} for one in findings]


def _result(finding: Finding, index: int) -> dict[str, Any]:
    # Known again when lines move, but not when the figures in the message change.
    identity = f"{finding.rule}\0{finding.file}\0{finding.message.partition(': ')[0]}"
    found: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": finding.message},
        "partialFingerprints": {"perftrace/1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if finding.file:
        place = {
            "artifactLocation": {"uri": quote(finding.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": finding.line},
        }
        found["locations"] = [{"physicalLocation": place}]
    return found


def _data(text: str) -> str:
    """The message of a command for GitHub's runner."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of such a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _code(text: str) -> str:
    """Text as Markdown code; nothing stays nothing."""
    clean = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{clean}` " if clean else ""


def _plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is, in one line of a table."""
    return " ".join(text.translate(MARKS).split())
