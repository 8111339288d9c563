"""This user's key: the digests of recorded values are made with it."""

import os
import secrets
import tempfile
from pathlib import Path

from perftrace.config import key_file
from perftrace.errors import CannotError

KEY_BYTES = 32


def user_key() -> bytes:
    """This user's key for digests; made on first use, readable by the user alone.

    Raises:
        CannotError: it cannot be kept, or the file is not a key.
    """
    path = key_file()
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise CannotError(
            "no-key",
            f"Cannot keep this user's key in {path}: {error.strerror}."
            " Set XDG_CONFIG_HOME to a folder that can be written.",
        ) from error
    if len(key) != KEY_BYTES:
        raise CannotError(
            "bad-key",
            f"{path} is not a key perftrace made. Delete it; traces recorded with it are lost.",
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix="key.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        os.link(fresh, path)  # the first of two processes wins; both then read the same key
    except FileExistsError:
        pass
    finally:
        Path(fresh).unlink()
