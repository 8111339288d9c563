"""What asking costs: tokens and money, counted, and a limit for each.

Prices are in US dollars for a million tokens, as third-party trackers had them in October 2026;
`prices` in `[tool.perftrace]` replaces them. Of a model without a price only tokens are counted.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from perftrace.errors import UsageError
from perftrace.optimizer.models.asking import (
    FINAL,
    NoAnswer,
    Provider,
    Question,
    Reply,
    Usage,
    Why,
)
from perftrace.optimizer.models.batches import PRICE

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    cache_read: float = 0.1  # of the price of input
    cache_written: float = 1.25

    def of(self, usage: Usage) -> float:
        """What so many tokens cost."""
        cached = usage.cache_read * self.cache_read + usage.cache_written * self.cache_written
        return ((usage.input + cached) * self.input + usage.output * self.output) / MILLION


PRICES: Mapping[str, Price] = {
    "claude-opus-5-5": Price(4, 20),
    "claude-sonnet-5-5": Price(2, 10),
    "claude-haiku-5-5": Price(0.1, 0.5),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be used up; None: no limit."""

    tokens: int | None = None
    cost: float | None = None  # US dollars


@dataclass(slots=True)
class Ledger:
    """A provider whose questions are counted, and refused when a limit is reached."""

    provider: Provider
    limits: Limits = field(default_factory=Limits)
    price: Price | None = None
    usage: Usage = field(default_factory=Usage)
    asked: int = 0
    failed: Counter[Why] = field(default_factory=Counter)
    over: NoAnswer | None = None  # why nothing further is asked
    batched: Usage = field(default_factory=Usage)  # the part of usage that came with batches
    _reserved: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Refuse a limit that could not be kept.

        Raises:
            UsageError: a limit in money for a model without a price.
        """
        if self.limits.cost is not None and self.price is None:
            raise UsageError(
                "engine-price",
                f"No price is known for {self.model}, so --max-cost can't be kept. Give it as"
                f' prices = {{"{self.model}" = "2/10"}} in [tool.perftrace] (dollars for a million'
                " tokens in and out), or limit the tokens: --max-tokens",
            )

    @property
    def name(self) -> str:
        """Of the provider."""
        return self.provider.name

    @property
    def model(self) -> str:
        """Of the provider."""
        return self.provider.model

    @property
    def cost(self) -> float | None:
        """So far, in US dollars; None: no price is known."""
        if self.price is None:
            return None
        return self.price.of(self.usage) - (1 - PRICE) * self.price.of(self.batched)

    def ask(self, question: Question) -> Reply:
        """The answer; none where it could cost more than is left."""
        with self._lock:
            if self.over is not None:
                return self.over
            if self._would_pass(question):
                self.failed[Why.BUDGET] += 1
                return NoAnswer(Why.BUDGET)
            most = question.size + question.max_tokens
            self._reserved += most
        reply = self.provider.ask(question)
        with self._lock:
            if isinstance(reply, NoAnswer) and reply.why is Why.WAITING:
                return reply  # it will cost something, so it stays reserved
            self._reserved -= most
            self._count(reply)
        return reply

    def came(self, reply: Reply) -> None:
        """Count what came with a batch."""
        with self._lock:
            self._count(reply)
            self.batched += reply.usage

    def _count(self, reply: Reply) -> None:
        self.asked += 1
        self.usage += reply.usage
        if isinstance(reply, NoAnswer):
            self.failed[reply.why] += 1
            if reply.why in FINAL:
                self.over = reply

    def _would_pass(self, question: Question) -> bool:
        """Whether the longest answer could pass a limit, with those that are under way."""
        tokens = self.usage.total + self._reserved + question.size + question.max_tokens
        if self.limits.tokens is not None and tokens > self.limits.tokens:
            return True
        if self.limits.cost is None or self.price is None:
            return False
        pending = Usage(question.size, question.max_tokens + self._reserved)
        return self.price.of(self.usage + pending) > self.limits.cost


def price_of(model: str, own: Mapping[str, str]) -> Price | None:
    """The price of a model: the user's, "2/10", else the known one of the longest like name."""
    if model in own:
        first, _, second = own[model].partition("/")
        return Price(float(first), float(second))
    known = [name for name in PRICES if model.startswith(name)]
    return PRICES[max(known, key=len)] if known else None
