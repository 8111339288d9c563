"""Writes accepted changes into the user's files: all of them or none, and edits of theirs stay."""

import contextlib
import io
import os
import tempfile
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.errors import CannotError, StaleError
from perftrace.model import Candidate
from perftrace.optimizer import patch, rebase


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file as it is on disk."""

    path: Path
    text: str  # with its line ends, as it is recorded too
    encoding: str  # "utf-8-sig" where it begins with a byte order mark


@dataclass(frozen=True, slots=True)
class Edit:
    """A file to be written."""

    file: SourceFile
    text: str

    @property
    def data(self) -> bytes:
        """The new bytes, in the file's own encoding."""
        return self.text.encode(self.file.encoding)


def read(path: Path) -> SourceFile:
    """The file, decoded as Python decodes it.

    Raises:
        StaleError: it is gone, or can't be read as Python source any more.
    """
    try:
        data = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return SourceFile(path, data.decode(encoding), encoding)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise StaleError(
            "stale-file", f"{path} can't be read: {error}. Record it again: perftrace run"
        ) from error


def unchanged(path: Path, text: str) -> SourceFile:
    """The file, if it still has this text.

    Raises:
        StaleError: it has not.
    """
    file = read(path)
    if file.text != text:
        raise StaleError(
            "stale-file",
            f"{path} changed since it was recorded; record again: perftrace run",
        )
    return file


def plan(candidates: Iterable[Candidate], known: Sequence[Candidate] = ()) -> list[Edit]:
    """The edits that make these changes, one for each file; none where all are made already.

    A file that was edited elsewhere since keeps those edits.

    Args:
        candidates: the changes.
        known: accepted changes; those of them that were written before are no edits.

    Raises:
        StaleError: what a change was measured with is another now.
        CannotError: changes of one file can't be put together.
    """
    by_file: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_file.setdefault(candidate.function.file, []).append(candidate)
    found = [_edit(Path(path), changes, known) for path, changes in by_file.items()]
    return [edit for edit in found if edit.text != edit.file.text]


def _edit(path: Path, changes: Sequence[Candidate], known: Sequence[Candidate]) -> Edit:
    file = read(path)
    todo = [change for change in changes if not rebase.is_made(change, file.text)]
    if all(change.original == file.text for change in todo):
        merged = patch.merge(file.text, [change.source for change in todo])
        if isinstance(merged, patch.Conflict):
            raise CannotError(
                "apply-conflict",
                f"{path}: {merged.reason}. Apply one, record and optimize again.",
            )
        return Edit(file, merged.text)
    text = file.text
    for change in todo:
        found = rebase.rebase(change, file.text, text, known)
        if isinstance(found, rebase.Refused):
            raise StaleError(
                "stale-file",
                f"{path}: {found.reason}. Record and optimize again: perftrace run",
            )
        text = found.text
    return Edit(file, text)


def write(edits: Sequence[Edit]) -> None:
    """Write every file anew, or none; all is on disk before the first file is replaced.

    Raises:
        CannotError: a file can't be written; what was replaced is put back.
    """
    with contextlib.ExitStack() as stack:
        ready: list[tuple[Edit, Path]] = []
        for edit in edits:
            with _told(edit.file.path):
                fresh = _beside(edit.file.path, edit.data)
            stack.callback(fresh.unlink, missing_ok=True)
            ready.append((edit, fresh))
        done: list[Edit] = []
        try:
            for edit, fresh in ready:
                with _told(edit.file.path):
                    unchanged(edit.file.path, edit.file.text)
                    fresh.replace(edit.file.path.resolve())
                done.append(edit)
        except (CannotError, KeyboardInterrupt):
            for edit in done:
                old = edit.file.text.encode(edit.file.encoding)
                _beside(edit.file.path, old).replace(edit.file.path.resolve())
            raise


def _beside(path: Path, data: bytes) -> Path:
    """A new file with this content and the mode of the file it will replace."""
    real = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(file.fileno(), real.stat().st_mode & 0o7777)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotError(
            "apply-write", f"Cannot write {path}: {error.strerror}. Nothing was changed."
        ) from error
