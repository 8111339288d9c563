"""The language-model engine: first proposals, repairs of wrong ones, faster ones of the best.

The search asks for proposals one at a time and says what became of each before it asks for the next
(`told`), so the rounds of PerfCodeGen (Peng et al. 2024) follow from the order in which they are
made: first the proposals, each with another strategy; then those that are wrong go back with the
call that shows it; then the best goes back with what was measured. Whether anything is right and
faster is judged elsewhere, as for every engine.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from perftrace.model import Candidate, Function, Rejected, Verdict, Witness
from perftrace.optimizer import patch
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.models.answers import Read, read
from perftrace.optimizer.models.asking import (
    FINAL,
    Answer,
    NoAnswer,
    Provider,
    Question,
    Reply,
    Turn,
    Why,
    begun,
)
from perftrace.optimizer.models.context import Pack, Send
from perftrace.optimizer.models.prompts import Prompts

NOTHING = "NOTHING"  # the answer that no faster version is seen
OTHERS = 6  # versions that are told of beside the best
LONGEST = 600  # characters of a reason that goes to the model


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is asked about one function."""

    candidates: int = 4  # first proposals
    repairs: int = 2  # rounds in which wrong ones go back
    faster: int = 2  # questions for a still faster version of each best one


@dataclass(frozen=True, slots=True)
class _Thread:
    """A conversation up to a candidate."""

    question: Question
    answer: str
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class _Aim:
    """What the answers of some questions are changes of."""

    function: Function
    original: str  # the file as it is
    source: str  # the file that is changed
    cut: patch.Excerpt  # the function in it
    steps: tuple[str, ...] = ()  # that led there


class ModelEngine:
    """Asks a provider; one function at a time."""

    asks = True
    patience = 300.0  # seconds for one function: answers take their time

    def __init__(
        self,
        provider: Provider,
        pack: Callable[[Function, str, Facts], Pack],
        prompts: Prompts,
        effort: Effort,
        send: Send,
    ) -> None:
        """Nothing is asked yet."""
        self.name = provider.name
        self._provider = provider
        self._pack = pack
        self._prompts = prompts
        self._effort = effort
        self._send = send
        self._base = Question("", "", ())
        self._threads: list[_Thread] = []
        self._repaired: set[str] = set()
        self._verdicts: dict[str, tuple[Verdict, float | None]] = {}
        self._meanings: set[str] = set()
        self.problems: list[str] = []  # why there were no answers, or none of use

    def preview(self, function: Function, source: str, facts: Facts) -> list[Candidate]:
        """Nothing can be shown before it is asked for."""
        return []

    def question(self, function: Function, source: str, facts: Facts) -> Question | None:
        """The first question about a function, unless it must not be asked."""
        found = self._pack(function, source, facts)
        if found.unfit:
            return None
        strategy = next(iter(self._prompts.strategies().values()), "")
        base = Question(self._prompts.fill("system"), found.text, ())
        return self._first(base, function, strategy)

    def propose(self, function: Function, source: str, facts: Facts) -> Iterator[Candidate]:
        """Proposals for the function in this source text of its file.

        Raises:
            StaleError: the function is not where it was.
        """
        self._threads, self._verdicts, self._repaired = [], {}, set()
        aim = self._aim(function, source, patch.place_of(source, function.qualname, function.line))
        if aim is None:
            return
        found = self._pack(function, source, facts)
        if found.unfit:
            self.problems.append(f"{function.qualname}: {Why.SECRET}")
            return
        self._meanings = {_meaning(source)}
        self._base = Question(self._prompts.fill("system"), found.text, ())
        strategies = list(self._prompts.strategies().items())[: self._effort.candidates]
        asked = [(name, self._first(self._base, function, words)) for name, words in strategies]
        yield from self._answered(aim, asked)
        for _ in range(self._effort.repairs):
            yield from self._repairs(aim)

    def refine(self, candidate: Candidate, facts: Facts) -> Iterator[Candidate]:
        """Still faster versions of the best so far, whoever proposed it."""
        function = candidate.function
        if not self._base.system or not self._effort.faster:
            return
        ordinal = patch.ordinal_of(candidate.original, function.qualname, function.line)
        line = patch.line_of(candidate.source, function.qualname, ordinal)
        place = patch.place_of(candidate.source, function.qualname, line)
        aim = self._aim(function, candidate.source, place)
        if aim is None:
            return
        aim = replace(aim, original=candidate.original, steps=candidate.steps)
        text = self._prompts.fill("faster", self._measured(candidate, place))
        question = replace(self._base, turns=(Turn("user", text),))
        more = [
            question,
            *(
                replace(self._base, turns=(Turn("user", f"{text}\n\nLook first at: {words}"),))
                for words in self._prompts.strategies().values()
            ),
        ]
        yield from self._answered(aim, [("faster", one) for one in more[: self._effort.faster]])

    def told(self, candidate: Candidate, verdict: Verdict, ratio: float | None) -> None:
        """What became of a candidate, this engine's or another's."""
        self._verdicts[candidate.source] = (verdict, ratio)
        self._meanings.add(_meaning(candidate.source))

    # --- asking ---------------------------------------------------------------------------

    def _first(self, base: Question, function: Function, words: str) -> Question:
        parts = {"function": function.qualname, "strategy": words}
        return replace(base, turns=(Turn("user", self._prompts.fill("first", parts)),))

    def _aim(self, function: Function, source: str, place: patch.Place) -> _Aim | None:
        try:
            return _Aim(function, source, source, patch.excerpt(source, place))
        except cst.ParserSyntaxError as error:
            self.problems.append(f"{function.qualname}: it can't be read: {error}")
            return None

    def _answered(self, aim: _Aim, asked: Sequence[tuple[str, Question]]) -> Iterator[Candidate]:
        """The candidates of some questions: the first alone, as it fills the provider's cache."""
        if not asked:
            return
        (step, question), *rest = asked
        reply = self._provider.ask(question)
        final = isinstance(reply, NoAnswer) and reply.why in FINAL
        others = [] if final else rest
        waiting = [(name, one, begun(self._provider, one)) for name, one in others]
        yield from self._taken(aim, step, question, reply)
        for name, one, answer in waiting:
            yield from self._taken(aim, name, one, answer())

    def _taken(self, aim: _Aim, step: str, question: Question, reply: Reply) -> Iterator[Candidate]:
        """The candidate that an answer is, if it is one; one that can't be read goes back once."""
        for last in (False, True):
            if isinstance(reply, NoAnswer):
                if reply.why is not Why.WAITING:
                    self._problem(aim, reply.text)
                return
            if reply.text.strip().strip(".`*") == NOTHING:
                return
            found = read(reply.text, aim.source, aim.cut)
            if isinstance(found, Read):
                yield from self._fresh(aim, step, question, reply, found)
                return
            if last:
                self._problem(aim, found.reason)
                return
            text = self._prompts.fill("unreadable", {"reason": found.reason})
            question = question.followed(reply.text, text)
            reply = self._provider.ask(question)

    def _fresh(
        self, aim: _Aim, step: str, question: Question, answer: Answer, found: Read
    ) -> Iterator[Candidate]:
        """The candidate, unless there was the same one before."""
        meaning = _meaning(found.source)
        if meaning in self._meanings:
            return
        self._meanings.add(meaning)
        candidate = Candidate(
            function=aim.function,
            engine=self.name,
            steps=(*aim.steps, step),
            explanation=found.explanation,
            original=aim.original,
            source=found.source,
        )
        self._threads.append(_Thread(question, answer.text, candidate))
        yield candidate

    def _problem(self, aim: _Aim, reason: str) -> None:
        self.problems.append(f"{aim.function.qualname}: {reason}")

    # --- feedback -------------------------------------------------------------------------

    def _repairs(self, aim: _Aim) -> Iterator[Candidate]:
        """New versions of those that are wrong, each in its own conversation."""
        asked = []
        for thread in self._threads:
            source = thread.candidate.source
            verdict, _ = self._verdicts.get(source, (None, None))
            if source in self._repaired or not _is_wrong(verdict):
                continue
            self._repaired.add(source)
            assert isinstance(verdict, Rejected)
            text = self._prompts.fill("repair", {"failure": self._failure(verdict)})
            name = f"{thread.candidate.steps[-1]}, repaired"
            asked.append((name, thread.question.followed(thread.answer, text)))
        yield from self._answered(aim, asked)

    def _failure(self, verdict: Rejected) -> str:
        witness = verdict.witness
        if witness is None:
            return verdict.reason[:LONGEST]
        if self._send is not Send.SAMPLES:
            kind = "recorded" if witness.call_id is not None else "generated"
            place, inside, _ = witness.where.partition("[")  # a key is a value too
            return f"On a {kind} call it differs at {place}{'[…]' if inside else ''}."
        call = f"```python\n{witness.call}\n```"
        got, expected = witness.got[:LONGEST], witness.expected[:LONGEST]
        return f"{call}\n\nOn this call {witness.where} is `{got}`; it has to be `{expected}`."

    def _measured(self, best: Candidate, place: patch.Place) -> dict[str, str]:
        """What was measured of the best, and of the others."""
        lines = patch.lines_of(best.source)[place.first - 1 : place.last]
        _, ratio = self._verdicts.get(best.source, (None, None))
        others = [
            f"- {', '.join(thread.candidate.steps)}: {self._outcome(thread.candidate)}"
            for thread in self._threads
            if thread.candidate.source != best.source
        ]
        told = "Other versions that were tried:\n\n" + "\n".join(others[-OTHERS:])
        return {
            "measured": f"1/{ratio:.2f} of the original's time" if ratio else "less time",
            "code": "".join(lines).rstrip(),
            "others": told if others else "",
            "slowest": "",
        }

    def _outcome(self, candidate: Candidate) -> str:
        verdict, ratio = self._verdicts.get(candidate.source, (None, None))
        if ratio is not None:
            return f"right, 1/{ratio:.2f} of the original's time"
        if isinstance(verdict, Rejected):
            return "not the same" if verdict.witness else verdict.reason[:LONGEST]
        return "not tried"


def _is_wrong(verdict: Verdict | None) -> bool:
    """Whether a candidate does something else, or breaks a rule: what a model can mend."""
    if not isinstance(verdict, Rejected) or verdict.measurement is not None:
        return False
    return isinstance(verdict.witness, Witness) or verdict.reason.startswith(
        ("gate:", "it can't be imported")
    )


def _meaning(source: str) -> str:
    """The same for texts that differ in layout and comments only."""
    try:
        return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return source
