"""Findings as GitHub and SARIF want them."""

import json

from perftrace.report import findings
from perftrace.report.findings import Finding

SLOW = Finding("slower", "till:total: takes 40 % more\nCPU time | than `main`", "a b/till.py", 12)
LOST = Finding("no-trace", "record: perftrace run")


def test_a_line_names_the_place_and_the_rule() -> None:
    assert list(findings.lines([LOST])) == ["warning: record: perftrace run (no-trace)"]
    [line] = findings.lines([SLOW])
    assert line.startswith("error: a b/till.py:12: till:total")
    assert findings.counts([SLOW, LOST, LOST]) == "1 error, 2 warnings"
    assert findings.counts([]) == "nothing found"


def test_githubs_commands_are_one_line_each() -> None:
    odd = Finding("slower", "a%b\r\nc", "x,y:z.py", 3)
    assert list(findings.annotations([odd, LOST])) == [
        "::error file=x%2Cy%3Az.py,line=3,title=perftrace%3A slower::a%25b%0D%0Ac",
        "::warning title=perftrace%3A no-trace::record: perftrace run",
    ]


def test_the_summary_is_markdown_that_no_message_breaks() -> None:
    text = findings.markdown([SLOW], "2 hold.", [("till:total", "1.4x | <b>slower</b>")], "main")
    assert text.startswith("### perftrace: 1 error\n\n2 hold.\n")
    assert "takes 40 % more CPU time \\| than \\`main\\`" in text
    assert "| `till:total`  | 1.4x \\| &lt;b&gt;slower&lt;/b&gt; |" in text


def test_sarif_has_what_its_standard_asks_for() -> None:
    log = json.loads(json.dumps(findings.sarif([SLOW, LOST])))
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    first, second = run["results"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "slower"
    assert first["level"] == "error"
    [place] = first["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/till.py"
    assert place["physicalLocation"]["region"] == {"startLine": 12}
    assert "locations" not in second


def test_a_finding_is_known_again_when_its_figures_change() -> None:
    def mark(message: str) -> object:
        [found] = findings.sarif([Finding("slower", message, "till.py", 1)])["runs"][0]["results"]
        return found["partialFingerprints"]

    assert mark("till:total: takes 40 %") != mark("till:other: takes 40 %")
    assert mark("till:total: takes 40 %") == mark("till:total: takes 50 %")
