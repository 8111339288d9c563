"""Which recorded calls must not be made again, by what they did when they were recorded.

The guard in the worker would stop most of them on the way; these are not even begun. In a folder
for temporary files a call may write: in a worker that is a private folder of its own.
"""

import os
import tempfile
from pathlib import Path

from perftrace.effects import MADE, PLACED, VERBS
from perftrace.model import Call, Effect


def unsafe(call: Call) -> str:
    """Why the call must not be made again; empty: nothing that it did speaks against it."""
    for effect in call.effects:
        if effect.kind in VERBS and not _harmless(effect):
            where = f" {effect.detail}" if effect.detail else ""
            return f"would {VERBS[effect.kind]}{where}, as it did when it was recorded"
    return ""


def _harmless(effect: Effect) -> bool:
    if effect.kind not in PLACED or not effect.detail:
        return False
    if effect.kind == MADE and os.path.lexists(effect.detail):
        return True  # it fails, or it failed when it was recorded
    path = Path(os.path.normpath(effect.detail))
    return path.is_relative_to(os.path.normpath(tempfile.gettempdir()))
