"""Values that look like secrets: neither the trace file nor a replay test may hold one.

By its name (`password`, `api_key`, `Authorization`) or by its form (keys of known services, JSON
web tokens, private keys, addresses with a password). Names that also mean something harmless, such
as a parser's `token`, count where the text under them might be one. A value that holds a secret is
left out as a whole: one that was altered would be replayed wrongly.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from perftrace.nodes import (
    ByteArrayNode,
    DictNode,
    FrozenSetNode,
    InstanceNode,
    ListNode,
    MethodNode,
    Node,
    ReduceNode,
    SetNode,
    TupleNode,
)

REMOVED = "<secret>"  # stands for one on a command line

# Whatever text stands under such a name is a secret.
SURE = (
    r"pass(?:words?|wd|phrases?)|(?:api|private|secret|secret[-_ ]access)[-_ ]?keys?|authorization"
    r"|(?:access|auth|refresh|bearer|session|csrf|id)[-_ ]?tokens?|client[-_ ]?secrets?"
)
# Under these, what might be one: long, without spaces, of letters and digits.
LIKELY = r"tokens?|secrets?|cookies?|credentials?"
WORD = re.compile(r"[A-Za-z0-9]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MOST_NAMES = 10_000  # judged once: the keys of dicts are names too
LEAST = 16  # characters of what might be a secret
PREFIXES = ("ghp_", "gho_", "github_pat_", "sk-", "AKIA", "xoxb-", "xoxp-", "eyJ", "-----BEGIN")
FORMS = (
    r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    r"\bgithub_pat_\w{22,}",
    r"\bglpat-[\w-]{20,}",
    r"\b[sr]k[-_](?:live_|test_|ant-|proj-)?[A-Za-z0-9_-]{20,}",
    r"\bA(?:KIA|SIA)[A-Z0-9]{16}\b",
    r"\bxox[abeprs]-[\w-]{10,}",
    r"\bAIza[\w-]{35}",
    r"\bnpm_[A-Za-z0-9]{36}",
    r"\bpypi-AgE[\w-]{50,}",
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"(?i:\bbearer )[\w.~+/-]{16,}",
    r"\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@]*:[^\s/@]+@",
)
FORM = re.compile("|".join(FORMS))
FORM_BYTES = re.compile("|".join(FORMS).replace(r"\b", "").encode())  # what is before it, is length
# What the bytes of any value with a secret hold, in small letters: quickly looked for, and mostly
# not there.
NAME_HINTS = (
    *(b"passw", b"passphr", b"apikey", b"api_key", b"api-key", b"api key", b"private"),
    *(b"token", b"secret", b"authoriz", b"cookie", b"credential"),
)
FORM_HINTS = (
    *(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_", b"glpat-", b"sk-", b"sk_"),
    *(b"rk-", b"rk_", b"akia", b"asia", b"xox", b"aiza", b"npm_", b"pypi-a", b"eyj"),
    *(b"-----begin", b"bearer ", b"://"),
)
LONG_HEX = re.compile(r"[0-9a-fA-F]{32,}")
LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
# Bits per character, as detect-secrets has them: random text lies above, words and paths below.
HEX_BITS = 3.0
WORD_BITS = 4.5


def named(name: str) -> bool:
    """Whether what bears this name is likely a secret: `api_key`, `userToken`, `Cookie`."""
    return STANDARD.weight(name) > 0


def looks_random(text: str) -> bool:
    """Whether a text looks like a key or a token."""
    if text.startswith(PREFIXES) and len(text) >= 16:
        return True
    bits = {LONG_HEX: HEX_BITS, LONG_WORD: WORD_BITS}
    return any(
        _entropy(found) > least for rule, least in bits.items() for found in rule.findall(text)
    )


def _entropy(text: str) -> float:
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def has_form(text: str) -> bool:
    """Whether there is a secret of a known form in the text."""
    return FORM.search(text) is not None


class Rules:
    """What counts as a secret: the rules above, and names of the project's own."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        words = [found for name in names if (found := WORD.findall(_spaced(name)))]
        self._sure = _words("|".join([SURE, *("[-_ ]?".join(parts) for parts in words)]))
        self._likely = _words(LIKELY)
        own = [max(parts, key=len).lower().encode() for parts in words]
        self._by_name = _any_of((*NAME_HINTS, *own))
        self._by_any = _any_of((*NAME_HINTS, *own, *FORM_HINTS))
        self._weights: dict[str, int] = {}

    def weight(self, name: str) -> int:
        """2: any text under this name is a secret; 1: one that might be; 0: none."""
        known = self._weights.get(name)
        if known is None:
            spaced = _spaced(name)
            known = 2 if self._sure.search(spaced) else 1 if self._likely.search(spaced) else 0
            if len(self._weights) < MOST_NAMES:
                self._weights[name] = known
        return known

    def may_hold(self, blob: bytes) -> bool:
        """Whether it is worth while to read a recorded value: fast, and mostly not so."""
        small = blob.lower()
        if self._by_any.search(small) is None:
            return False
        return bool(self._by_name.search(small) or FORM_BYTES.search(blob))

    def find(self, node: Node, names: Sequence[str] = ()) -> str | None:
        """The name, or the form, of the first secret in a value; `names` are those of its items."""
        waiting: list[tuple[Node, str]] = [(node, "")]
        if names and isinstance(node, ListNode):
            waiting = list(zip(node.items, names, strict=False))
        seen: set[tuple[int, str]] = set()
        while waiting:
            item, name = waiting.pop()
            if isinstance(item, str | bytes | ByteArrayNode):
                if self._is_secret(_text(item), name):
                    return name or "a text of a known form"
            elif (id(item), name) not in seen and not isinstance(item, int | float | None):
                seen.add((id(item), name))
                waiting += _parts(item, name)
        return None

    def _is_secret(self, text: str, name: str) -> bool:
        weight = self.weight(name) if name and text else 0
        return weight == 2 or (weight == 1 and might_be(text)) or has_form(text)

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """A command line without the secrets in it: `--password=x`, `--token x`, `KEY=x`."""
        kept: list[str] = []
        hidden = ""  # the option that the next word belongs to
        for word in words:
            name, equals, value = word.partition("=")
            bare = name.lstrip("-")
            if hidden and not word.startswith("-") and self._hides(hidden, word):
                kept.append(REMOVED)
            elif equals and value and self._hides(bare, value):
                kept.append(f"{name}={REMOVED}")
            else:
                kept.append(FORM.sub(REMOVED, word))
            hidden = bare if word.startswith("-") and not equals else ""
        return tuple(kept)

    def _hides(self, name: str, value: str) -> bool:
        """Whether an option's value is kept back: `--tokens 100` is a number of them."""
        weight = self.weight(name)
        return weight == 2 or (weight == 1 and not value.isdigit())


def without(text: str) -> str:
    """The text without secrets of a known form."""
    return FORM.sub(REMOVED, text)


def might_be(text: str) -> bool:
    """Whether a text might be a secret: long, without spaces, of letters and digits."""
    return (
        len(text) >= LEAST
        and not any(letter.isspace() for letter in text)
        and any(letter.isdigit() for letter in text)
        and any(letter.isalpha() for letter in text)
    )


def _parts(node: Node, name: str) -> Iterator[tuple[Node, str]]:
    """What a value is made of, each under its name; items are under that of what holds them."""
    match node:
        case DictNode(items=pairs):
            yield from _pairs(pairs, name)
        case ListNode() | TupleNode() | SetNode() | FrozenSetNode():
            yield from ((item, name) for item in node.items)
        case InstanceNode():
            yield node.base, name
            yield node.items, name
            yield from ((value, own) for own, value in node.attributes.items())
        case ReduceNode():
            yield node.arguments, name
            yield node.state, name
            yield from ((item, name) for item in node.list_items)
            yield from _pairs(node.dict_items, name)
        case MethodNode():
            yield node.owner, name
        case _:
            return


def _pairs(pairs: Sequence[tuple[Node, Node]], name: str) -> Iterator[tuple[Node, str]]:
    for key, value in pairs:
        yield key, ""
        yield value, _text(key) if isinstance(key, str | bytes) else name


def _text(value: str | bytes | ByteArrayNode) -> str:
    if isinstance(value, str):
        return value
    return (value.data if isinstance(value, ByteArrayNode) else value).decode("latin-1")


def _spaced(name: str) -> str:
    """`userToken` as `user_Token`: its words apart."""
    return HUMP.sub("_", name)


def _any_of(hints: Sequence[bytes]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, hints)))


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])", re.IGNORECASE)


STANDARD = Rules()
