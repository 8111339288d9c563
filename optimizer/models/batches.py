"""Questions that go off together, at half the price: their answers come hours later.

What a run has to ask gets no answer in it; at its end all of it is sent as one batch. A later run
takes the answers that have come, goes on with them, and sends what follows from them. What was sent
is kept beside the trace file, in `batches.jsonl`, one JSON line a batch.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from perftrace.database import make_folder
from perftrace.optimizer.models.asking import NoAnswer, Question, Reply, Turn, Why

NAME = "batches.jsonl"
PRICE = 0.5  # of what the same costs at once
GONE = frozenset({Why.MODEL})  # the service does not know the batch (any more): asked anew


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch that is not done."""

    state: str  # in the service's words


class Sender(Protocol):
    """A provider that takes batches."""

    @property
    def name(self) -> str:
        """Of the engine."""
        ...

    @property
    def model(self) -> str:
        """Of those that it has."""
        ...

    def send(self, questions: Mapping[str, Question]) -> str | NoAnswer:
        """Send them, each by its identity: the id of the batch, or why there is none."""
        ...

    def fetch(self, batch: str) -> Mapping[str, Reply] | Pending | NoAnswer:
        """What became of each, by identity; or that it is not done, or why nothing is known."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch that is under way."""

    id: str
    provider: str
    model: str
    questions: Mapping[str, Question]  # by identity

    def as_line(self) -> str:
        """As it is kept."""
        questions = {identity: asdict(one) for identity, one in self.questions.items()}
        return json.dumps(
            {
                "id": self.id,
                "provider": self.provider,
                "model": self.model,
                "questions": questions,
            },
            ensure_ascii=False,
        )

    @classmethod
    def of_line(cls, line: str) -> "Sent | None":
        """From a line; None: it is none, such as one that was half-written."""
        try:
            row: dict[str, Any] = json.loads(line)
            questions = {str(key): _question(one) for key, one in row["questions"].items()}
            return cls(str(row["id"]), str(row["provider"]), str(row["model"]), questions)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def _question(row: Mapping[str, Any]) -> Question:
    turns = tuple(Turn(**turn) for turn in row["turns"])
    return Question(row["system"], row["context"], turns, row["max_tokens"])


@dataclass(frozen=True, slots=True)
class Came:
    """The answers of one batch."""

    id: str
    replies: tuple[tuple[Question, Reply], ...]


@dataclass(slots=True)
class Batches:
    """A provider that answers nothing at once, and sends what it was asked when it is told to."""

    file: Path
    sender: Sender
    new: dict[str, Question] = field(default_factory=dict)  # to be sent, by identity
    under_way: list[Sent] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # what became of batches, for people
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """Of the provider."""
        return self.sender.name

    @property
    def model(self) -> str:
        """Of the provider."""
        return self.sender.model

    def ask(self, question: Question) -> Reply:
        """No answer yet."""
        identity = question.identity(self.name, self.model)
        with self._lock:
            if not any(identity in batch.questions for batch in self._own()):
                self.new[identity] = question
        return NoAnswer(Why.WAITING)

    def fetch(self) -> Iterator[Came]:
        """The batches that are done since. Each is forgotten once the next is asked for."""
        self.under_way = list(_read(self.file))
        for batch in list(self._own()):
            found = self.sender.fetch(batch.id)
            match found:
                case Pending(state=state):
                    self.told.append(f"{_questions(batch)} of batch {batch.id} wait: {state}.")
                    continue
                case NoAnswer(why=why) if why not in GONE:
                    self.told.append(f"Batch {batch.id} can't be asked for: {found.text}")
                    continue
                case NoAnswer():
                    self.told.append(f"Batch {batch.id} is gone: its questions are asked again.")
                case replies:
                    pairs = [(one, replies.get(key)) for key, one in batch.questions.items()]
                    came = tuple((one, reply) for one, reply in pairs if reply is not None)
                    self.told.append(f"{_answers(len(came))} of batch {batch.id} came.")
                    yield Came(batch.id, came)
            self.under_way.remove(batch)
            self._keep()

    def send(self) -> str:
        """Send what was asked: the id of the batch; empty: there was nothing, or it failed."""
        if not self.new:
            return ""
        found = self.sender.send(self.new)
        if isinstance(found, NoAnswer):
            self.told.append(f"{_asked(len(self.new))} could not be sent: {found.text}")
            return ""
        sent = Sent(found, self.name, self.model, dict(self.new))
        self.under_way.append(sent)
        self._keep()
        self.told.append(
            f"{_questions(sent)} sent as batch {found}, at half the price. The answers come within"
            " a day: run this again then."
        )
        self.new.clear()
        return found

    def _own(self) -> Iterator[Sent]:
        """The batches of this provider and model."""
        own = (self.name, self.model)
        return (batch for batch in self.under_way if (batch.provider, batch.model) == own)

    def _keep(self) -> None:
        """Write down what is under way, all or nothing."""
        make_folder(self.file)
        fresh = self.file.with_suffix(".new")
        fresh.write_text("".join(f"{one.as_line()}\n" for one in self.under_way), encoding="utf-8")
        fresh.replace(self.file)


def _read(file: Path) -> Iterator[Sent]:
    if file.exists():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if sent := Sent.of_line(line):
                yield sent


def _questions(sent: Sent) -> str:
    return _asked(len(sent.questions))


def _asked(count: int) -> str:
    return f"{count} question{'s' * (count != 1)}"


def _answers(count: int) -> str:
    return f"{count} answer{'s' * (count != 1)}"
