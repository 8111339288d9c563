"""The nouns of asking a language model: a question, an answer, why there is none."""

import hashlib
import json
import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal, Protocol

MAX_TOKENS = 16_000  # of an answer, what the model thinks included
# What was measured is never the same twice, and the question is the same all the same.
MEASURED = re.compile(r"1/[\d.]+ of the original's time")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent. Its first two parts are the same in many questions, so providers cache them."""

    system: str
    context: str  # begins the first turn: the function, and what was recorded of it
    turns: tuple[Turn, ...]  # the last one is the user's
    max_tokens: int = MAX_TOKENS

    def followed(self, answer: str, text: str) -> "Question":
        """The next question of the same conversation."""
        turns = (*self.turns, Turn("assistant", answer), Turn("user", text))
        return Question(self.system, self.context, turns, self.max_tokens)

    def identity(self, provider: str, model: str) -> str:
        """The same for the same question to the same model, whatever was measured."""
        text = MEASURED.sub("", json.dumps([provider, model, asdict(self)], sort_keys=True))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def size(self) -> int:
        """About how many tokens it has: four characters make one in English text and code."""
        texts = (self.system, self.context, *(turn.text for turn in self.turns))
        return sum(map(len, texts)) // 4 + 1


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one question and its answer."""

    input: int = 0  # not counting those read from or written to the provider's cache
    output: int = 0
    cache_read: int = 0
    cache_written: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        """Both together."""
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_written + other.cache_written,
        )

    @property
    def total(self) -> int:
        """All of them."""
        return self.input + self.output + self.cache_read + self.cache_written


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said."""

    text: str
    usage: Usage = Usage()


class Why(StrEnum):
    """Why there is no answer."""

    KEY = "no valid key"
    CREDIT = "no credit left"
    MODEL = "no such model"
    FORBIDDEN = "not allowed"
    TOO_LONG = "the question is too long"
    REFUSED = "the model declined"
    CUT = "the answer was cut off"
    EMPTY = "the answer was empty"
    LIMITED = "too many requests"
    SERVER = "the provider fails"
    UNREACHABLE = "the provider can't be reached"
    BROKEN = "the answer is not as agreed"
    BUDGET = "the budget is used up"
    MISSING = "no recorded answer"
    WAITING = "it is to come with a batch"
    SECRET = "it holds what looks like a secret"  # noqa: S105 - a reason


# Nothing that is asked after one of these gets an answer either.
FINAL = frozenset({Why.KEY, Why.CREDIT, Why.MODEL, Why.FORBIDDEN, Why.BUDGET})


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is none."""

    why: Why
    detail: str = ""
    usage: Usage = Usage()  # it may have cost something all the same

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.why}: {self.detail}" if self.detail else str(self.why)


type Reply = Answer | NoAnswer


class Provider(Protocol):
    """Sends questions to one model; may be asked from several threads at once."""

    @property
    def name(self) -> str:
        """Of the engine: anthropic, openai, manual."""
        ...

    @property
    def model(self) -> str:
        """Of those that it has."""
        ...

    def ask(self, question: Question) -> Reply:
        """The answer, or why there is none; never raises for what the other side does."""
        ...


def begun(provider: Provider, question: Question) -> Callable[[], Reply]:
    """Ask in another thread, which nothing waits for in the end; what waits for the answer."""
    box: queue.SimpleQueue[Reply] = queue.SimpleQueue()

    def ask() -> None:
        try:
            reply = provider.ask(question)
        except Exception as error:  # noqa: BLE001 - somebody waits
            reply = NoAnswer(Why.BROKEN, f"{type(error).__name__}: {error}")
        box.put(reply)

    threading.Thread(target=ask, daemon=True, name="perftrace question").start()
    return box.get


def ask_all(provider: Provider, questions: Sequence[Question]) -> list[Reply]:
    """The answers, in order: the first is asked alone, as it fills the provider's cache."""
    if not questions:
        return []
    first = provider.ask(questions[0])
    if isinstance(first, NoAnswer) and first.why in FINAL:
        return [first] * len(questions)
    waiting = [begun(provider, question) for question in questions[1:]]
    return [first, *(answer() for answer in waiting)]
