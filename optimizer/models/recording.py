"""What was asked and answered, one JSON line each: nothing is asked twice, and all can be replayed.

The lines lie beside the trace file, in `.perftrace/answers.jsonl`. A run that was interrupted finds
its answers there; `--from-recording` needs no key and no network.
"""

import json
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perftrace.database import make_folder
from perftrace.optimizer.models.asking import (
    Answer,
    NoAnswer,
    Provider,
    Question,
    Reply,
    Usage,
    Why,
)

NAME = "answers.jsonl"


@dataclass(slots=True)
class Recording:
    """A provider with a memory; alone it answers from memory only."""

    file: Path
    provider: Provider | None = None  # None: nothing is asked
    provider_name: str = ""
    model: str = ""
    replayed: int = 0  # questions that were answered from memory
    _known: dict[str, Answer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Read what is there."""
        if self.provider is not None:
            self.provider_name, self.model = self.provider.name, self.provider.model
        if self.file.exists():
            for line in self.file.read_text(encoding="utf-8", errors="replace").splitlines():
                self._remember(line)

    @property
    def name(self) -> str:
        """Of the provider that answered."""
        return self.provider_name

    def _remember(self, line: str) -> None:
        """One line; what an interrupted run left half-written is asked again."""
        try:
            row: dict[str, Any] = json.loads(line)
            usage = Usage(**row["usage"])
            self._known[str(row["id"])] = Answer(str(row["answer"]), usage)
        except (ValueError, KeyError, TypeError):
            return

    def ask(self, question: Question) -> Reply:
        """The recorded answer, or a new one, which is recorded."""
        identity = question.identity(self.provider_name, self.model)
        with self._lock:
            if identity in self._known:
                self.replayed += 1
                return Answer(self._known[identity].text)  # it costs nothing now
        if self.provider is None:
            return NoAnswer(Why.MISSING, f"of {self.provider_name} {self.model} in {self.file}")
        reply = self.provider.ask(question)
        if isinstance(reply, Answer):
            self.keep(question, reply)
        return reply

    def keep(self, question: Question, answer: Answer) -> None:
        """Remember an answer."""
        identity = question.identity(self.provider_name, self.model)
        row = {
            "id": identity,
            "provider": self.provider_name,
            "model": self.model,
            "asked": datetime.now(UTC).isoformat(timespec="seconds"),
            "question": asdict(question),
            "answer": answer.text,
            "usage": asdict(answer.usage),
        }
        with self._lock:
            self._known[identity] = answer
            make_folder(self.file)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def last_model(file: Path) -> tuple[str, str]:
    """Provider and model of the newest recorded answer; empty where there is none."""
    found = ("", "")
    if file.exists():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
                found = (str(row["provider"]), str(row["model"]))
            except (ValueError, KeyError, TypeError):
                continue
    return found
