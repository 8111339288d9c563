"""The texts of the questions: Markdown files of this package, or the user's own instead of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from perftrace.errors import UsageError

HERE = Path(__file__).parents[1] / "prompts"
NAMES = ("system", "first", "repair", "unreadable", "faster", "strategies")
VERSION = 1  # goes up with every change of what they ask for


class Prompts:
    """The texts, by name."""

    def __init__(
        self, own: Path | None = None, folder: str = "", names: Iterable[str] = NAMES
    ) -> None:
        """Files of the same names in the user's own folder come first.

        Args:
            own: the user's folder.
            folder: within ours, and within the user's.
            names: of the files, without their suffix.

        Raises:
            UsageError: there is no such folder, or a file in it can't be read.
        """
        if own is not None and not own.is_dir():
            raise UsageError("engine-prompts", f"There is no folder {own} with prompts.")
        self._texts = {name: _read(Path(folder) / f"{name}.md", own) for name in names}

    def fill(self, name: str, parts: Mapping[str, str] | None = None) -> str:
        """A text with its `$names` filled in; code in them may hold dollars of its own."""
        return Template(self._texts[name]).safe_substitute(parts or {}).strip()

    def strategies(self) -> dict[str, str]:
        """What to look at first, one for each proposal: name and words."""
        pairs = (line.partition(":") for line in self._texts["strategies"].splitlines())
        return {name.strip(): words.strip() for name, colon, words in pairs if colon}


def _read(file: Path, own: Path | None) -> str:
    path = HERE / file
    if own is not None and (own / file).exists():
        path = own / file
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("engine-prompts", f"{path} can't be read: {error}") from error
