"""Accepted changes as examples: which of them are shown."""

from collections import Counter
from dataclasses import replace

from perftrace.model import (
    Accepted,
    Candidate,
    Decision,
    Evidence,
    Function,
    Inconclusive,
    Kind,
    Measurement,
)
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.models.context import Background, Send, pack
from perftrace.optimizer.models.pairs import Pair, nearest, pairs_of
from perftrace.optimizer.shapes import Shape

SOURCE = """\
def unrelated(n):
    return n


def known(orders, customers):
    return [order for order in orders if order.customer in customers]


class Desk:
    def joined(self, words):
        text = ""
        for word in words:
            text = text + word.strip()
        return text
"""
FASTER = SOURCE.replace(
    "    return [order for order in orders if order.customer in customers]",
    "    found = set(customers)\n    return [order for order in orders if order.customer in found]",
)
MEASURED = Measurement(3.0, 2.5, 3.5, 4, 0.2, 0.1, "cpu")


def function(name: str, line: int) -> Function:
    return Function(line, "/shop.py", name, line, "shop", Kind.FUNCTION, ())


def decision(name: str, line: int, source: str) -> Decision:
    candidate = Candidate(function(name, line), "rules", ("step",), "words", SOURCE, source)
    verdict = Accepted(Evidence(recorded=1, direct=1, indirect=0), MEASURED)
    return Decision(function(name, line), candidate, verdict, id=f"{name}-1")


KNOWN = decision("known", 5, FASTER)
JOINED = decision("Desk.joined", 10, SOURCE.replace("text + word", "text +  word"))


def test_accepted_changes_are_pairs_each_once() -> None:
    refused = replace(KNOWN, verdict=Inconclusive("nothing can be said"))
    gone = replace(KNOWN, function=function("other", 5))
    [pair] = pairs_of([KNOWN, KNOWN, refused, gone])
    assert pair.ratio == 3.0
    assert pair.before.startswith("def known(orders, customers):\n    return [")
    assert "found = set(customers)" in pair.after


def test_the_likest_come_first_and_nothing_of_the_function_itself() -> None:
    pairs = pairs_of([JOINED, KNOWN])
    code = (
        "def blocked(lines, names):\n"
        "    return [line for line in lines if line.name in names and line.open]\n"
    )
    found = nearest(pairs, function("blocked", 1), code, most=1)
    assert [one.function.qualname for one in found] == ["known"]
    method = "    def told(self, parts):\n        text = ''\n        for part in parts:\n"
    method += "            text = text + part.strip()\n        return text\n"
    found = nearest(pairs, function("Desk.told", 1), method)
    assert found[0].function.qualname == "Desk.joined"
    assert nearest(pairs, function("known", 5), pairs[1].before, most=1) != [pairs[1]]


def test_what_is_not_alike_is_not_shown() -> None:
    pairs = pairs_of([KNOWN])
    assert nearest(pairs, function("f", 1), "def f():\n    raise ValueError\n") == []
    assert nearest(pairs, function("f", 1), "no python (") == []


def test_they_are_told_after_what_is_known_of_the_function() -> None:
    facts = Facts(
        calls=1, distinct=1, parameters={}, result=Shape(frozenset({"int"})), exceptions=Counter()
    )
    background = Background(0.5, (), (), tuple(pairs_of([KNOWN])))
    text = pack(function("unrelated", 1), SOURCE, facts, background, Send.SHAPES).text
    assert "## An accepted change of this program: known as it was" in text
    assert "## known as it is now, 3.0 times as fast" in text
    assert isinstance(background.accepted[0], Pair)
