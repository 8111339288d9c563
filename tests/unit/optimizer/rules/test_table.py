"""Tests of the table of rules and of the page made from it."""

import runpy
from pathlib import Path

import pytest

from perftrace.model import Function, Kind
from perftrace.optimizer import patch
from perftrace.optimizer.engines.rules import LIMIT, LOOK, RulesEngine, within
from perftrace.optimizer.engines.rules.rule import Rule, Tier
from perftrace.optimizer.engines.rules.table import RULES
from perftrace.optimizer.facts import NOTHING, Facts, ParameterFacts
from perftrace.optimizer.shapes import INT, Shape

ROOT = Path(__file__).parents[4]
RULES_FOLDER = ROOT / "optimizer" / "engines" / "rules"
PARTS = {
    "inner",
    "__init__",
    "chains",
    "evidence",
    "loops",
    "rule",
    "standard",
    "table",
}  # not rules

INTS = ParameterFacts({"list": 3}, Shape.of("list", items=INT))
SOURCE = """\
def f(xs, ys):
    out = []
    for y in ys:
        if y in xs:
            out.append(y * len(xs))
    return out
"""
F = Function(1, "/m.py", "f", 1, "m", Kind.FUNCTION, ())
FACTS = Facts(calls=3, distinct=3, parameters={"xs": INTS, "ys": INTS})


def test_the_page_says_what_the_docstrings_say() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "rules_doc.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"]()


def test_each_rule_has_its_file_its_test_and_its_place_in_the_table() -> None:
    modules = {path.stem for path in RULES_FOLDER.glob("*.py")} - PARTS
    names = [rule.name for rule in RULES]
    assert modules == {name.replace("-", "_") for name in names}
    assert len(set(names)) == len(names)
    assert all((Path(__file__).parent / f"test_{module}.py").exists() for module in modules)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_docstring_says_what_is_matched_when_it_is_sound_and_why_it_helps(rule: Rule) -> None:
    text = type(rule).__doc__ or ""
    assert all(part in text for part in ("Matches:", "Sound when:", "Faster because:"))


def test_the_engine_explains_with_the_recorded_evidence() -> None:
    (candidate, *_) = RulesEngine().propose(F, SOURCE, FACTS)
    assert candidate.steps == ("membership-set",)
    assert "In 3 recorded calls `xs` was lists" in candidate.explanation


def test_the_engine_proposes_nothing_twice() -> None:
    sources = [one.source for one in RulesEngine((*RULES, *RULES)).propose(F, SOURCE, FACTS)]
    assert len(sources) == len(set(sources))


def test_the_engine_stops_at_its_limit() -> None:
    assert len(list(RulesEngine(limit=1).propose(F, SOURCE, FACTS))) == 1
    assert len(list(RulesEngine().propose(F, SOURCE, FACTS))) <= LIMIT


def test_refining_adds_a_step_to_a_candidate() -> None:
    first = next(RulesEngine().propose(F, SOURCE, FACTS))
    second = next(one for one in RulesEngine().refine(first, FACTS) if len(one.steps) == 2)
    assert second.original == SOURCE
    assert second.function == F
    assert second.source not in {SOURCE, first.source}


def test_refining_finds_a_function_that_an_import_moved_down() -> None:
    source = "def f(xs):\n    return sorted(xs, key=lambda x: x[0]), max(1, 2)\n"
    moved = next(one for one in RulesEngine().propose(F, source, NOTHING) if "import" in one.source)
    assert patch.line_of(moved.source, "f", 0) > 1
    assert list(RulesEngine().refine(moved, NOTHING))


def test_functions_that_look_at_their_own_variables_are_left_alone() -> None:
    source = "def f(a, b):\n    c = max(a, b)\n    return locals()\n"
    assert not list(RulesEngine().propose(F, source, NOTHING))


def test_a_risk_leaves_out_the_rules_beyond_it() -> None:
    assert {rule.tier for rule in within(Tier.T0)} == {Tier.T0}
    assert {rule.tier for rule in within(Tier.T1)} == {Tier.T0, Tier.T1}
    assert within(Tier.T2) == RULES


def test_what_needs_a_look_says_so() -> None:
    found = list(RulesEngine().propose(F, SOURCE, FACTS))
    tiers = {rule.name: rule.tier for rule in RULES}
    assert found
    assert all(one.explanation.endswith(LOOK) == (tiers[one.steps[0]] > Tier.T1) for one in found)
