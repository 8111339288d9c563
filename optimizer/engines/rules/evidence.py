"""The recorded evidence in plain words."""

import libcst as cst

from perftrace.optimizer.analysis.tree import walk
from perftrace.optimizer.facts import Facts, ParameterFacts

_PLURALS = {"list": "lists", "tuple": "tuples", "dict": "dicts", "set": "sets", "str": "strings"}


def evidence(facts: Facts, *nodes: cst.CSTNode) -> str:
    """A sentence on the parameters that occur in these expressions; empty if there are none."""
    names = dict.fromkeys(
        one.value for node in nodes for one in walk(node) if isinstance(one, cst.Name)
    )
    said = [
        f"`{name}` {_said(facts.parameters[name])}" for name in names if name in facts.parameters
    ]
    if not said:
        return ""
    calls = "1 recorded call" if facts.calls == 1 else f"{facts.calls} recorded calls"
    return f" In {calls} {', '.join(said)}."


def _said(known: ParameterFacts) -> str:
    kinds = " or ".join(_PLURALS.get(kind, kind) for kind in sorted(known.types)[:3])
    text = f"was {kinds}"
    if known.lengths is not None:
        text += f" of about {known.lengths.median}"
        elements = " or ".join(sorted(known.elements)[:3])
        text += f" {elements}" if elements and "str" not in known.types else " items"
    return text
