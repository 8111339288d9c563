"""Keep the results of a pure function that is called with the same arguments again."""

from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.engines.rules.memoize_recursion import memoizable, self_calls
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier
from perftrace.optimizer.engines.rules.standard import imported
from perftrace.optimizer.facts import Facts

_RATE = 0.5
_CALLS = 8
_SIZE = 1024


class CacheResults(Rule):
    """Cache the results of a pure function.

    Matches: a module-level function, not recursive, that more than half of its recorded calls
    called with arguments it had been given before.

    Sound when: the function is pure by the same test as in `memoize-recursion`; arguments and
    results are of exact built-in types that are hashable and can't change. The cache is typed
    and bounded. It keeps state between calls, so it is never applied without a look.

    Faster because: a repeated call costs one lookup.
    """

    name = "cache-results"
    tier = Tier.T2
    needs = ("types", "results", "repeat rate")

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """At most one proposal."""
        frequent = facts.calls >= _CALLS and facts.repeat_rate > _RATE
        if not frequent or not memoizable(target, facts) or self_calls(target):
            return
        cache, additions = imported(target, "functools", "lru_cache")
        code = f"{cache}(maxsize={_SIZE}, typed=True)"
        decorator = cst.Decorator(cst.parse_expression(code))
        why = (
            f"{facts.calls - facts.distinct} of {facts.calls} recorded calls repeated earlier"
            " arguments: cache the results. This keeps state between calls."
        )
        yield Proposal(target.function.with_changes(decorators=[decorator]), why, additions)
