"""The loop: programs for a task, repaired until they are right, then refined until they are fast.

All samples take each step together: their questions are asked at once, their programs tried one
after the other. A step that leads to a wrong program costs nothing but the step: the right program
before it stays.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice

from perftrace.optimizer.generation import methods
from perftrace.optimizer.generation.methods import Role, Step
from perftrace.optimizer.generation.program import NoProgram, extract
from perftrace.optimizer.generation.race import Time, race, slowest
from perftrace.optimizer.generation.task import Task
from perftrace.optimizer.generation.trial import Right, Trials, Verdict, Wrong
from perftrace.optimizer.models.asking import (
    NoAnswer,
    Provider,
    Question,
    Reply,
    Turn,
    ask_all,
)
from perftrace.optimizer.models.prompts import Prompts

FOLDER = "generate"
NAMES = frozenset({"system", "first", "another", "unreadable"}) | methods.prompts()
MOST_RACED = 12  # right programs in the last race
SHOWN_CALLS = 5  # of a case that fails
BASE = "first"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked, and in which way."""

    samples: int = 5
    rounds: int = 2  # in which wrong programs go back
    correctness: str = "reflection"
    performance: str = "slowest"


@dataclass(frozen=True, slots=True)
class Version:
    """A program that was proposed, and what became of it."""

    step: str
    verdict: Verdict | NoProgram


@dataclass(slots=True)
class Sample:
    """One line of development: a first program and what was made of it."""

    number: int
    versions: list[Version] = field(default_factory=list)
    problem: str = ""  # why there was no answer: then nothing more is asked
    said: dict[str, str] = field(default_factory=dict)  # words that later questions repeat
    talks: dict[Role, tuple[Question, str]] = field(default_factory=dict)  # with the last answer

    @property
    def goes_on(self) -> bool:
        """Whether there is something to go on from."""
        return bool(self.versions) and not self.problem

    @property
    def right(self) -> list[Right]:
        """Its right programs, in their order."""
        return [one.verdict for one in self.versions if isinstance(one.verdict, Right)]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task."""

    task: Task
    samples: tuple[Sample, ...]
    chosen: Right | None
    times: dict[str, Time]  # by program: of those that took part in the last race
    interrupted: bool = False  # before the last race

    @property
    def first(self) -> Right | None:
        """The first right program: the one that the others are compared with."""
        return next((one for sample in self.samples for one in sample.right), None)


class Generator:
    """Asks a provider for the programs of a task."""

    def __init__(
        self,
        provider: Provider,
        prompts: tuple[Prompts, Prompts],
        plan: Plan,
        say: Callable[[str], None] = lambda _: None,
        dice: random.Random | None = None,
    ) -> None:
        """Nothing is asked yet; `prompts` are those of this loop, and those for functions."""
        self._provider = provider
        self._prompts, self._general = prompts
        self._plan = plan
        self._say = say
        self._dice = dice or random.Random()  # noqa: S311 - the order in a race
        self._samples: tuple[Sample, ...] = ()

    def questions(self, task: Task) -> list[Question]:
        """The first questions, one for each sample."""
        system = self._prompts.fill("system")
        strategies = islice(cycle(self._general.strategies().values()), self._plan.samples)
        return [
            Question(system, task.text, (Turn("user", self._opening(task, number, strategy)),))
            for number, strategy in enumerate(strategies, 1)
        ]

    def _opening(self, task: Task, number: int, strategy: str) -> str:
        parts = {"entry": task.entry, "number": str(number), "strategy": strategy}
        return self._prompts.fill("first" if number == 1 else "another", parts)

    def run(self, task: Task, trials: Trials) -> Result:
        """Ask, try, repair, refine, and choose the fastest."""
        samples = [Sample(number) for number in range(1, self._plan.samples + 1)]
        self._samples = tuple(samples)
        self._say("asking for programs")
        asked = list(zip(samples, self.questions(task), strict=True))
        self._take_all(trials, Step(BASE), asked)
        for number in range(self._plan.rounds):
            for step in methods.CORRECTNESS[self._plan.correctness]:
                wrong = [one for one in samples if one.goes_on and not one.right]
                self._say(f"repairing {len(wrong)} programs, round {number + 1}")
                self._step(trials, step, wrong)
        for step in methods.PERFORMANCE[self._plan.performance]:
            right = [one for one in samples if one.goes_on and one.right]
            self._say(f"refining {len(right)} programs: {step.prompt}")
            self._step(trials, step, right)
        self._say("timing")
        return self._chosen(task, trials, self._samples)

    def so_far(self, task: Task) -> Result:
        """What an interrupted `run` has: of its right programs the first, as none was timed."""
        result = Result(task, self._samples, None, {}, interrupted=True)
        return replace(result, chosen=result.first)

    # --- asking ---------------------------------------------------------------------------

    def _step(self, trials: Trials, step: Step, samples: Sequence[Sample]) -> None:
        """The next question of each sample, and what comes of it."""
        self._take_all(trials, step, [(one, self._question(trials, step, one)) for one in samples])

    def _take_all(
        self, trials: Trials, step: Step, asked: Sequence[tuple[Sample, Question]]
    ) -> None:
        replies = ask_all(self._provider, [question for _, question in asked])
        for (sample, question), reply in zip(asked, replies, strict=True):
            self._take(trials, step, sample, question, reply)

    def _question(self, trials: Trials, step: Step, sample: Sample) -> Question:
        text = self._prompts.fill(step.prompt, self._parts(trials, sample))
        if step.role in sample.talks:
            question, answer = sample.talks[step.role]
            return question.followed(answer, text)
        return Question(self._prompts.fill("system"), trials.task.text, (Turn("user", text),))

    def _take(
        self, trials: Trials, step: Step, sample: Sample, question: Question, reply: Reply
    ) -> None:
        """What an answer says: words for later, or a program; one that can't be read goes back."""
        unread: NoProgram | None = None
        for last in (False, True):
            if isinstance(reply, NoAnswer):
                sample.problem = reply.text
                sample.versions += [Version(step.prompt, unread)] if unread else []
                return
            sample.talks[step.role] = question, reply.text
            if step.says:
                sample.said[step.says] = reply.text.strip()
                return
            program = extract(reply.text, trials.task)
            if isinstance(program, str):
                sample.versions.append(Version(step.prompt, trials.try_(program)))
                return
            if last:
                sample.versions.append(Version(step.prompt, program))
                return
            unread = program
            parts = {"entry": trials.task.entry, "reason": program.reason}
            question = question.followed(reply.text, self._prompts.fill("unreadable", parts))
            reply = self._provider.ask(question)

    # --- feedback -------------------------------------------------------------------------

    def _parts(self, trials: Trials, sample: Sample) -> dict[str, str]:
        """All that a question may speak of."""
        parts = {"entry": trials.task.entry, **sample.said}
        newest = sample.versions[-1].verdict
        if isinstance(newest, Wrong | NoProgram):
            parts["failure"] = failure(newest, trials.task.entry)
        if not sample.right:
            return parts
        best = sample.right[-1]
        longest = slowest(best)
        return {
            **parts,
            "program": (sample.right[-2] if len(sample.right) > 1 else best).program.rstrip(),
            "new": getattr(newest, "program", best.program).rstrip(),
            "slowest": longest[0] if longest else "",
            "measured": self._measured(trials, sample),
        }

    def _measured(self, trials: Trials, sample: Sample) -> str:
        """What the newest version takes beside the one before."""
        newest, right = sample.versions[-1].verdict, sample.right
        if not isinstance(newest, Right):
            wrong = failure(newest, trials.task.entry)
            code = f"```python\n{right[-1].program.rstrip()}\n```"
            return f"That version is wrong.\n\n{wrong}\n\nGo on from the right one:\n\n{code}"
        if len(right) < 2:
            return "The program is right."
        before, after = race(trials, right[-2:], self._dice)
        if before is None or after is None:
            return "The program is right."
        ratio = after.seconds / before.seconds
        word = "less" if ratio < 1 else "more"
        return f"That version is right. It takes {ratio:.2f} of the time before: {word}."

    # --- choosing -------------------------------------------------------------------------

    def _chosen(self, task: Task, trials: Trials, samples: tuple[Sample, ...]) -> Result:
        """The fastest right program, if it is surely faster than the first one."""
        found = {one.program: one for sample in samples for one in sample.right}
        raced = list(found.values())[:MOST_RACED]
        result = Result(task, samples, raced[0] if raced else None, {})
        if not raced:
            return result
        times = {
            one.program: time
            for one, time in zip(raced, race(trials, raced, self._dice), strict=True)
            if time is not None
        }
        surely = [
            one for one in raced[1:] if one.program in times and _is_faster(times[one.program])
        ]
        chosen = min(surely, key=lambda one: times[one.program].seconds, default=raced[0])
        return replace(result, chosen=chosen, times=times)


def _is_faster(time: Time) -> bool:
    return time.speedup.low > 1


def failure(verdict: Wrong | NoProgram, entry: str) -> str:
    """Why a program is not right, for a model."""
    if isinstance(verdict, NoProgram):
        return verdict.reason
    calls = "\n".join(f"- {made.text(entry)}" for made in verdict.calls[-SHOWN_CALLS:])
    said = "The assertion does not hold." if verdict.reason == "AssertionError" else verdict.reason
    return f"This test fails:\n\n```python\n{verdict.case.text}\n```\n\n{calls}\n\n{said}"
