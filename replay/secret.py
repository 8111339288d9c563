"""Values that look like secrets: a test that would hold one is not written."""

import math
import re
from collections import Counter

NAMES = re.compile(
    r"(?<![a-z])(passwords?|passwd|passphrase|tokens?|secrets?|api[-_ ]?keys?|private[-_ ]?keys?"
    r"|authorization|cookies?|credentials?)(?![a-z])",
    re.IGNORECASE,
)
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
PREFIXES = ("ghp_", "gho_", "github_pat_", "sk-", "AKIA", "xoxb-", "xoxp-", "eyJ", "-----BEGIN")
LONG_HEX = re.compile(r"[0-9a-fA-F]{32,}")
LONG_WORD = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
# Bits per character, as detect-secrets has them: random text lies above, words and paths below.
HEX_BITS = 3.0
WORD_BITS = 4.5


def named(name: str) -> bool:
    """Whether what bears this name is likely a secret: `api_key`, `userToken`, `Cookie`."""
    return bool(NAMES.search(HUMP.sub("_", name)))


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
