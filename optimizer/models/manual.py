"""A person, or another tool, is the model: questions are files, and so are their answers."""

from pathlib import Path

from perftrace.database import make_folder
from perftrace.optimizer.models.asking import Answer, NoAnswer, Question, Reply, Why

PART = "## {role}\n\n{text}\n"


class Manual:
    """Writes `<id>.question.md` into a folder, and reads `<id>.answer.md` where it is there."""

    name = "manual"

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first question."""
        self.model = "manual"
        self.folder = folder
        self.waiting: list[Path] = []  # answers that are not there yet

    def ask(self, question: Question) -> Reply:
        """The answer, if somebody wrote one."""
        number = question.identity(self.name, self.model)[:12]
        answer = self.folder / f"{number}.answer.md"
        if answer.exists():
            text = answer.read_text(encoding="utf-8", errors="replace")
            return Answer(text) if text.strip() else NoAnswer(Why.EMPTY, str(answer))
        make_folder(self.folder)
        self.folder.mkdir(exist_ok=True)
        asked = self.folder / f"{number}.question.md"
        asked.write_text(as_text(question), encoding="utf-8")
        self.waiting.append(answer)
        return NoAnswer(Why.MISSING, f"write it to {answer}")


def as_text(question: Question) -> str:
    """All of a question, to read."""
    first, *rest = question.turns
    turns = [PART.format(role=turn.role, text=turn.text) for turn in rest]
    return "\n".join([question.system, question.context, first.text, *turns])
