"""What `optimize` has from the rewrite memory, and what it leaves there."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from perftrace import rewrites
from perftrace.config import Settings
from perftrace.errors import CannotError, TraceError
from perftrace.model import Accepted, Decision, Run
from perftrace.optimizer import decisions
from perftrace.optimizer.engines import Engine
from perftrace.optimizer.engines.memory import MemoryEngine
from perftrace.optimizer.facts import gather
from perftrace.optimizer.remember import rewrite_of
from perftrace.store import Store

option = click.option(
    "--no-memory", is_flag=True, help="Neither use nor keep what was accepted before elsewhere."
)


def wanted(settings: Settings, options: Mapping[str, Any]) -> bool:
    """Whether the memory takes part."""
    return settings.memory and not options["no_memory"]


def engines(settings: Settings, options: Mapping[str, Any]) -> list[Engine]:
    """The engine that proposes what was accepted before, where there is anything.

    Raises:
        CannotError: the memory can't be read.
    """
    known = rewrites.every(rewrites.file()) if wanted(settings, options) else []
    return [MemoryEngine(known)] if known else []


def keep(store: Store, run: Run, made: Iterable[Decision]) -> str:
    """Keep what was accepted; a line that says why that could not be, or nothing."""
    created = decisions.now()
    found = []
    try:
        for decision in made:
            if isinstance(decision.verdict, Accepted):
                facts = gather(store, decision.function, store.calls(decision.function, run=run))
                found.append(rewrite_of(decision, facts, created))
        kept = [one for one in found if one is not None]
        if kept:
            rewrites.add(rewrites.file(), kept)
    except (CannotError, TraceError) as error:
        return f"Not kept for other projects: {error}"
    return ""
