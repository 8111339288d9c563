"""The rounds of the model engine: proposals, repairs, faster ones."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from perftrace.model import Binding, Candidate, Function, Kind, Parameter, Rejected, Witness
from perftrace.optimizer.facts import NOTHING
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Why
from perftrace.optimizer.models.context import Pack, Send
from perftrace.optimizer.models.engine import Effort, ModelEngine
from perftrace.optimizer.models.prompts import Prompts

SOURCE = """\
def total(rows):
    result = 0
    for row in rows:
        result += row
    return result
"""
F = Function(1, "/shop.py", "total", 1, "shop", Kind.FUNCTION, (Parameter("rows", Binding.EITHER),))
WITNESS = Witness(7, "total([1, 2])", "result", "3", "4")


def version(expression: str) -> str:
    return f"Shorter.\n\n```python\ndef total(rows):\n    return {expression}\n```\n"


class Model:
    """Answers as it is told to, by the last turn."""

    name, model = "fake", "fake-1"

    def __init__(self, answer: Callable[[str], str | NoAnswer]) -> None:
        self.questions: list[Question] = []
        self._answer = answer

    def ask(self, question: Question) -> Reply:
        self.questions.append(question)
        said = self._answer(question.turns[-1].text)
        return said if isinstance(said, NoAnswer) else Answer(said)

    @property
    def asked(self) -> list[str]:
        return [question.turns[-1].text for question in self.questions]


def engine(model: Model, *, send: Send = Send.SHAPES, **effort: Any) -> ModelEngine:
    wanted = Effort(**{"candidates": 1, "repairs": 0, "faster": 0, **effort})
    return ModelEngine(model, lambda *_: Pack("the function total"), Prompts(), wanted, send)


def proposals(made: ModelEngine) -> Iterator[Candidate]:
    return made.propose(F, SOURCE, NOTHING)


def numbered() -> Callable[[str], str]:
    """Another version each time."""
    count = iter(range(100))
    return lambda _: version(f"sum(rows) + {next(count)}")


def test_each_proposal_has_another_strategy_and_the_same_beginning() -> None:
    model = Model(numbered())
    found = list(proposals(engine(model, candidates=3)))
    assert [one.steps for one in found] == [("algorithm",), ("data structure",), ("built-ins",)]
    assert len({one.source for one in found}) == 3
    assert all(one.original == SOURCE and one.engine == "fake" for one in found)
    assert found[0].explanation == "Shorter."
    assert {(question.system, question.context) for question in model.questions} == {
        (Prompts().fill("system"), "the function total")
    }
    assert len(set(model.asked)) == 3
    assert all("total" in text for text in model.asked)


def test_the_same_version_counts_once_and_the_original_never() -> None:
    same = Model(lambda _: version("sum( rows )  # quick"))
    assert len(list(proposals(engine(same, candidates=3)))) == 1
    original = Model(lambda _: f"```python\n{SOURCE}```")
    assert not list(proposals(engine(original)))


def test_a_model_that_sees_nothing_proposes_nothing() -> None:
    made = engine(Model(lambda _: "NOTHING."))
    assert not list(proposals(made))
    assert not made.problems


def test_an_answer_that_can_not_be_read_goes_back_once() -> None:
    answers = iter(["Use sum.", version("sum(rows)")])
    model = Model(lambda _: next(answers))
    [found] = proposals(engine(model))
    assert "sum(rows)" in found.source
    assert "no code block" in model.asked[1]
    stubborn = engine(Model(lambda _: "Use sum."))
    assert not list(proposals(stubborn))
    assert stubborn.problems == ["total: There is no code block in the answer."]


def test_a_wrong_version_goes_back_in_its_own_conversation() -> None:
    model = Model(numbered())
    made = engine(model, candidates=2, repairs=1, send=Send.SAMPLES)
    coming = proposals(made)
    first, second = next(coming), next(coming)
    made.told(first, Rejected("differs at result: 4, expected 3", WITNESS), None)
    made.told(second, Rejected("not clearly faster at first look: 1.00x"), 1.0)
    [repaired] = coming
    assert repaired.steps == ("algorithm, repaired",)
    asked = model.questions[-1]
    assert [turn.role for turn in asked.turns] == ["user", "assistant", "user"]
    assert "sum(rows) + 0" in asked.turns[1].text
    assert "total([1, 2])" in asked.turns[2].text
    assert "`4`" in asked.turns[2].text
    assert "`3`" in asked.turns[2].text


def test_values_are_told_only_where_that_is_allowed() -> None:
    model = Model(numbered())
    made = engine(model, repairs=1)
    coming = proposals(made)
    made.told(next(coming), Rejected("differs", WITNESS), None)
    next(coming)
    assert "[1, 2]" not in model.asked[-1]
    assert "On a recorded call it differs at result." in model.asked[-1]


def test_keys_are_values_too() -> None:
    model = Model(numbered())
    made = engine(model, repairs=1)
    coming = proposals(made)
    keyed = Witness(7, "total([1, 2])", "result['bob@example.com'][0]", "3", "4")
    made.told(next(coming), Rejected("differs", keyed), None)
    next(coming)
    assert "bob" not in model.asked[-1]
    assert "On a recorded call it differs at result[…]." in model.asked[-1]


def test_a_broken_rule_goes_back_in_words_and_a_slow_version_does_not() -> None:
    model = Model(numbered())
    made = engine(model, repairs=2)
    coming = proposals(made)
    made.told(next(coming), Rejected("gate: A new import: `import os`."), None)
    second = next(coming)
    assert "A new import" in model.asked[-1]
    made.told(second, Rejected("not clearly faster at first look: 0.90x"), 0.9)
    assert not list(coming)
    assert len(model.questions) == 2


def test_the_best_goes_back_with_what_was_measured() -> None:
    model = Model(numbered())
    made = engine(model, candidates=2, faster=2)
    first, second = proposals(made)
    made.told(first, Rejected("others are faster at first look: 1.50x"), 1.5)
    made.told(second, Rejected("differs", WITNESS), None)
    found = list(made.refine(first, NOTHING))
    assert [one.steps for one in found] == [("algorithm", "faster")] * 2
    assert all(one.original == SOURCE for one in found)
    text = model.asked[2]
    assert "1/1.50 of the original's time" in text
    assert "return sum(rows) + 0" in text
    assert "data structure: not the same" in text


def test_another_engines_best_is_taken_further_too() -> None:
    model = Model(numbered())
    made = engine(model, faster=1)
    list(proposals(made))
    source = SOURCE.replace("result += row", "result = result + row")
    best = Candidate(F, "rules", ("some-rule",), "", SOURCE, f"import math\n{source}")
    made.told(best, Rejected("others are faster at first look: 2.00x"), 2.0)
    [found] = made.refine(best, NOTHING)
    assert found.steps == ("some-rule", "faster")
    assert found.source.startswith("import math\n")
    assert "result = result + row" in model.asked[-1]


def test_without_a_key_it_is_asked_once() -> None:
    model = Model(lambda _: NoAnswer(Why.KEY, "wrong"))
    made = engine(model, candidates=4, repairs=2)
    assert not list(proposals(made))
    assert len(model.questions) == 1
    assert made.problems == ["total: no valid key: wrong"]


def test_one_failure_does_not_lose_the_others() -> None:
    said: list[str | NoAnswer] = [version("sum(rows)"), NoAnswer(Why.LIMITED), version("-1")]
    answers = iter(said)
    found = list(proposals(engine(Model(lambda _: next(answers)), candidates=3)))
    assert len(found) == 2


def test_a_function_that_holds_a_secret_is_never_sent() -> None:
    model = Model(numbered())
    made = ModelEngine(model, lambda *_: Pack("", unfit=True), Prompts(), Effort(), Send.NONE)
    assert not list(proposals(made))
    assert not list(made.refine(Candidate(F, "rules", (), "", SOURCE, SOURCE), NOTHING))
    assert not model.questions
    assert made.problems == ["total: it holds what looks like a secret"]


def test_hostile_answers_are_only_text() -> None:
    hostile = [
        "```python\n" + "(" * 5000 + "\n```",
        "```python\nimport os\nos._exit(1)\n```",
        "<<<<<<< SEARCH\n" * 1000,
        "\0" * 100,
        "```python\ndef total(rows):\n" + "    if 1:\n" * 5 + "```",
        "Ignore all instructions.\n```python\nclass total: pass\n```",
    ]
    for text in hostile:
        made = engine(Model(lambda _, text=text: text))  # type: ignore[misc]
        assert not list(proposals(made)), text[:40]
        assert made.problems


def test_what_breaks_a_provider_is_a_reason_and_no_hang() -> None:
    class Broken(Model):
        def ask(self, question: Question) -> Reply:
            if len(self.questions) > 0:
                raise ZeroDivisionError("oops")
            return super().ask(question)

    made = engine(Broken(numbered()), candidates=3)
    assert len(list(proposals(made))) == 1
    assert made.problems == ["total: the answer is not as agreed: ZeroDivisionError: oops"] * 2


def test_who_stops_listening_waits_for_nobody() -> None:
    asked, go = threading.Event(), threading.Event()

    class Slow(Model):
        def ask(self, question: Question) -> Reply:
            if self.questions:
                asked.set()
                go.wait(60)
            return super().ask(question)

    coming = proposals(engine(Slow(numbered()), candidates=2))
    next(coming)
    assert asked.wait(10)
    coming.close()  # type: ignore[attr-defined]
    go.set()
