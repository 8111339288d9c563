"""The loop: what is asked after which answer, and which program is chosen."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from perftrace.optimizer.generation import cases, generator, methods
from perftrace.optimizer.generation.generator import Generator, Plan, Result
from perftrace.optimizer.generation.race import keeps_state, race
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.generation.trial import Right, Trials
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Why
from perftrace.optimizer.models.prompts import Prompts

TASK = Task(
    "divisors",
    "How many divisors has n?",
    cases.read("assert divisors(6) == 4\nassert divisors(1) == 1\nassert divisors(30000) == 50\n"),
)
SLOW = "```python\ndef divisors(n):\n    return sum(n % k == 0 for k in range(1, n + 1))\n```"
OFF = SLOW.replace("n + 1", "n")
HALF = SLOW.replace("return sum", "return 1 + sum").replace("n + 1", "n // 2 + 1")
ROOT = """It is enough to look below the root.

```python
from math import isqrt

def divisors(n):
    root = isqrt(n)
    return 2 * sum(n % k == 0 for k in range(1, root + 1)) - (root * root == n)
```"""


@dataclass
class Scripted:
    """A provider that answers by what it is asked."""

    answer: Callable[[Question], str | Reply]
    name: str = "scripted"
    model: str = "scripted"
    asked: list[Question] = field(default_factory=list)

    def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        found = self.answer(question)
        return Answer(found) if isinstance(found, str) else found

    @property
    def texts(self) -> list[str]:
        return [question.turns[-1].text for question in self.asked]


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    with Trials(TASK) as made:
        yield made


def run(trials: Trials, provider: Scripted, plan: Plan) -> Result:
    prompts = Prompts(None, generator.FOLDER, generator.NAMES), Prompts()
    return Generator(provider, prompts, plan, dice=random.Random(1)).run(TASK, trials)


def test_wrong_then_repaired_then_fast(trials: Trials) -> None:
    answers = iter([OFF, "The last divisor is missed.", SLOW, HALF, ROOT])
    provider = Scripted(lambda _: next(answers))
    result = run(trials, provider, Plan(samples=1))
    (sample,) = result.samples
    assert [version.step for version in sample.versions] == ["first", "mend", "faster", "slowest"]
    assert [isinstance(one.verdict, Right) for one in sample.versions] == [False, True, True, True]
    reflect = provider.texts[1]
    assert "assert divisors(6) == 4" in reflect
    assert "divisors(6) returned 3" in reflect
    assert "assert divisors(30000) == 50" in provider.texts[4]
    assert "That version is right. It takes 0." in provider.texts[4]
    assert len(provider.asked[4].turns) == 9
    assert result.chosen is not None
    assert "isqrt" in result.chosen.program
    assert result.first is not None
    assert result.times[result.chosen.program].speedup.low > 5


def test_a_wrong_refinement_is_told_and_the_right_program_stays(trials: Trials) -> None:
    answers = iter([SLOW, OFF, OFF])
    provider = Scripted(lambda _: next(answers))
    result = run(trials, provider, Plan(samples=1))
    assert "That version is wrong." in provider.texts[2]
    assert "for k in range(1, n + 1)" in provider.texts[2]
    assert result.chosen is result.first
    assert result.chosen is not None


def test_each_sample_is_asked_in_another_way_and_they_do_not_mix(trials: Trials) -> None:
    def answer(question: Question) -> str:
        return ROOT if "number 2" in question.turns[0].text else SLOW

    provider = Scripted(answer)
    result = run(trials, provider, Plan(samples=3, performance="none"))
    assert len({question.turns[0].text for question in provider.asked}) == 3
    assert [len(sample.right) for sample in result.samples] == [1, 1, 1]
    assert result.chosen is not None
    assert "isqrt" in result.chosen.program


def test_an_answer_without_a_program_goes_back_once(trials: Trials) -> None:
    answers = iter(["I would use a loop.", SLOW])
    provider = Scripted(lambda _: next(answers))
    result = run(trials, provider, Plan(samples=1, performance="none"))
    assert "could not be used" in provider.texts[1]
    assert result.chosen is not None


def test_without_answers_nothing_more_is_asked(trials: Trials) -> None:
    provider = Scripted(lambda _: NoAnswer(Why.KEY, "it is wrong"))
    result = run(trials, provider, Plan(samples=3))
    assert len(provider.asked) == 1
    assert result.chosen is None
    assert {sample.problem for sample in result.samples} == {"no valid key: it is wrong"}


@pytest.mark.parametrize("method", methods.PERFORMANCE)
def test_every_method_fills_in_its_questions(trials: Trials, method: str) -> None:
    def answer(question: Question) -> str:
        text = question.turns[-1].text
        return "Some words." if "without code" in text or "AGREE" in text else SLOW

    provider = Scripted(answer)
    result = run(trials, provider, Plan(samples=1, performance=method))
    steps = methods.PERFORMANCE[method]
    assert len(provider.asked) == 1 + len(steps)
    assert all("$" not in text for text in provider.texts)
    programs = [step.prompt for step in steps if not step.says]
    assert [version.step for version in result.samples[0].versions] == ["first", *programs]
    if method == "team":
        reviewer, leader = provider.asked[3], provider.asked[4]
        assert len(reviewer.turns) == 1
        assert [turn.role for turn in leader.turns] == ["user", "assistant", "user"]
        assert "Some words." in leader.turns[-1].text


def test_feedback_in_one_step(trials: Trials) -> None:
    answers = iter([OFF, SLOW])
    provider = Scripted(lambda _: next(answers))
    plan = Plan(samples=1, correctness="feedback", performance="none")
    assert run(trials, provider, plan).chosen is not None
    assert "divisors(6) returned 3" in provider.texts[1]


def test_a_program_that_keeps_its_results_is_not_timed_with_them_at_hand(trials: Trials) -> None:
    slow = SLOW.split("\n", 1)[1].removesuffix("```")
    kept = f"from functools import cache\n\n@cache\n{slow}"
    hidden = slow.replace("return ", "found = vars(divisors).get(n) or ") + (
        "    vars(divisors)[n] = found\n    return found\n"
    )
    right = [trials.try_(text) for text in (slow, kept, hidden)]
    for one in right[1:]:
        found = race(trials, [r for r in (right[0], one) if isinstance(r, Right)], random.Random(1))
        assert len(found) == 2
        assert found[1] is not None
        assert found[1].speedup.ratio < 3  # hundreds, if its results were there


@pytest.mark.parametrize(
    ("program", "keeps"),
    [
        ("def f(n):\n    return n\n", False),
        ("LIMIT = 3\ndef f(n):\n    return n < LIMIT\n", False),
        ("def f(n):\n    memo = {}\n    memo[n] = 1\n    return memo\n", False),
        ("memo = {}\ndef f(n):\n    memo[n] = 1\n", True),
        ("def f(n, memo={}):\n    memo[n] = 1\n", True),
        ("def f(n):\n    global last\n    last = n\n", True),
        ("import functools\n@functools.lru_cache\ndef f(n):\n    return n\n", True),
        ("def f(n):\n    f.last = n\n", True),
        ("class Seen:\n    all = []\ndef f(n):\n    Seen.all.append(n)\n", True),
    ],
)
def test_programs_that_may_keep_something(program: str, keeps: bool) -> None:
    assert keeps_state(program) is keeps
