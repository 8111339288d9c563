"""Do what a simple pattern does by a string's own methods."""

import re
from collections.abc import Iterator

import libcst as cst

from perftrace.optimizer.analysis.tree import operand, text
from perftrace.optimizer.engines.rules.evidence import evidence
from perftrace.optimizer.engines.rules.rule import Proposal, Rule, Target, Tier, rewrite
from perftrace.optimizer.facts import Facts
from perftrace.optimizer.patch import Addition

_SPACES = frozenset({r"\s", r"\s+"})
_LITERAL = re.compile(r"[A-Za-z0-9 _,;:!@%&=<>/'\"#~-]+")
_CLASS = re.compile(r"\[([^\]\[\\^]+)\]\+?")
_MOST = 128  # characters of a class


class RegexMethod(Rule):
    r"""Replace by a string's own methods what a simple pattern finds.

    Matches: `re.sub("[a-z]", "", s)` with a class of ASCII characters, which becomes `translate`
    with a table of the module; `re.sub(r"\s+", "", s)`, which becomes `"".join(s.split())`;
    `re.sub("literal", "new", s)` and `re.split("literal", s)` without special characters.

    Sound when: `s` is exactly a string in all recorded calls, pattern and replacement are literals
    (of a class with `+`, the replacement is empty), and neither flags nor a count are given.
    `\s` and `split` mean the same characters.

    Faster because: no pattern is searched for; a class is a table in C.
    """

    name = "regex-method"
    tier = Tier.T1
    needs = ("types",)

    def propose(self, target: Target, facts: Facts) -> Iterator[Proposal]:
        """One proposal per call."""
        around, scope = target.analysis.around, target.analysis.scope
        for call in target.find(cst.Call):
            origin = around.origin(call.func, scope)
            given = [_literal(one.value) for one in call.args[:-1]]
            plain = all(one.keyword is None and not one.star for one in call.args)
            if not plain or None in given or not call.args:
                continue
            subject, known = call.args[-1].value, [one for one in given if one is not None]
            if not target.analysis.types.known(subject, "str"):
                continue
            made = None
            if origin == "re.sub" and len(known) == 2:
                made = _substituted(target, call, known[0], known[1], operand(subject))
            elif origin == "re.split" and len(known) == 1 and _LITERAL.fullmatch(known[0]):
                made = (f"{operand(subject)}.split({text(call.args[0].value)})", ())
            if made is not None:
                function = rewrite(target.function, {call: cst.parse_expression(made[0])})
                why = f"The pattern {text(call.args[0].value)} needs no regular expression."
                yield Proposal(function, why + evidence(facts, subject), made[1])


def _literal(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _substituted(
    target: Target, call: cst.Call, pattern: str, new: str, subject: str
) -> tuple[str, tuple[Addition, ...]] | None:
    """The call by methods, and the table that it needs."""
    if "\\" in new:
        return None
    if pattern in _SPACES:
        return (f'"".join({subject}.split())', ()) if not new else None
    if _LITERAL.fullmatch(pattern):
        old = text(call.args[0].value)
        return f"{subject}.replace({old}, {text(call.args[1].value)})", ()
    characters = _characters(pattern)
    if characters is None or (new and pattern.endswith("+")):
        return None
    name = target.constant("TABLE")
    mapping = f"dict.fromkeys({characters!r}, {new!r})" if new else f'"", "", {characters!r}'
    addition = Addition(f"{name} = str.maketrans({mapping})", name)
    offered = not any(target.analysis.around.shadows(one) for one in ("dict", "str"))
    return (f"{subject}.translate({name})", (addition,)) if offered else None


def _characters(pattern: str) -> str | None:
    """The characters of a class such as `[a-z_]`; None for anything else."""
    found = _CLASS.fullmatch(pattern)
    if found is None or not found[1].isascii() or "--" in found[1] or "&&" in found[1]:
        return None
    if "||" in found[1] or "~~" in found[1] or found[1][0] in "]-" or found[1][-1] == "-":
        return None
    characters = "".join(map(chr, range(_MOST)))
    return "".join(re.findall(f"[{found[1]}]", characters))
