"""Keeps secrets out of the trace file: what holds one is not recorded, and the reason says so."""

import hashlib
from collections.abc import Iterable, Sequence

from perftrace import secret, values
from perftrace.values import BadValue, ListNode, Node

SMALL = 512  # bytes: such values are remembered


class Redactor:
    """The rules applied to recorded values; without rules nothing is kept back."""

    def __init__(self, names: Sequence[str] | None) -> None:
        """The project's own names of secrets; None: secrets are recorded like all else."""
        self._rules = None if names is None else secret.Rules(names)
        self._names: dict[tuple[tuple[str, ...], str], bool] = {}
        self._harmless: set[bytes] = set()
        self._known: dict[tuple[bytes, tuple[str, ...], str], str | None] = {}

    def arguments(self, blob: bytes, names: tuple[str, ...]) -> str | None:
        """Why a call's arguments, of these names, are not recorded; None: nothing against it."""
        return self._judge(blob, names, "")

    def outcome(self, blob: bytes, names: tuple[str, ...], function: str) -> str | None:
        """Why what came of a call is not recorded: `[payload, after]`, see docs/values.md."""
        return self._judge(blob, names, function)

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """A command line without the secrets in it."""
        return tuple(words) if self._rules is None else self._rules.command(words)

    def text(self, text: str) -> str:
        """A text without secrets of a known form."""
        return text if self._rules is None else secret.without(text)

    def _judge(self, blob: bytes, names: tuple[str, ...], function: str) -> str | None:
        rules = self._rules
        if rules is None:
            return None
        if not self._telling(rules, names, function) and self._is_harmless(rules, blob):
            return None
        key = (hashlib.blake2b(blob, digest_size=16).digest(), names, function)
        if key not in self._known:
            try:
                found = _find(rules, values.read(blob), names, function)
            except BadValue:
                found = None  # whoever reads it will say so
            self._known[key] = None if found is None else f"holds a secret ({found})"
        return self._known[key]

    def _is_harmless(self, rules: secret.Rules, blob: bytes) -> bool:
        """Whether a value holds nothing that looks like a secret; small ones come again."""
        if blob in self._harmless:
            return True
        if rules.may_hold(blob):
            return False
        if len(blob) <= SMALL:
            self._harmless.add(blob)
        return True

    def _telling(self, rules: secret.Rules, names: tuple[str, ...], function: str) -> bool:
        """Whether one of the names themselves is that of a secret."""
        known = self._names.get((names, function))
        if known is None:
            known = any(map(rules.weight, (*names, function)))
            self._names[names, function] = known
        return known


def _find(rules: secret.Rules, node: Node, names: Sequence[str], function: str) -> str | None:
    match node:
        case ListNode(items=[payload, after]) if function:
            found = (rules.find(ListNode([part]), (function,)) for part in _whole(payload))
            return next(filter(None, found), None) or rules.find(after, names)
        case _:
            return rules.find(node, names)


def _whole(payload: Node) -> Iterable[Node]:
    """A payload, and the items of a generator: each is bytes that were written by themselves."""
    yield payload
    match payload:
        case ListNode(items=[ListNode(items=items), str(), _]):
            for item in items:
                if isinstance(item, bytes) and item.startswith(b"\x80\x05"):
                    yield values.read(item)
        case _:
            return
