"""Stem generated words with two of snowballstemmer's algorithms; the argument is how many words."""

import hashlib
import random
import sys

import snowballstemmer

ALGORITHMS = ("english", "porter")
SYLLABLES = ("ka", "lo", "mi", "ter", "san", "dor", "vel", "qui", "bra", "ston", "eth", "un")
ENDINGS = ("ing", "ed", "ational", "ness", "fulness", "ly", "s", "es", "ization", "able", "")


def words(count: int) -> list[str]:
    """Words of three syllables and an ending, the same for every run."""
    chance = random.Random(22)
    return ["".join(chance.choices(SYLLABLES, k=3)) + chance.choice(ENDINGS) for _ in range(count)]


def main() -> None:
    """Print a digest of all stems."""
    found = words(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
    digest = hashlib.sha256()
    for name in ALGORITHMS:
        stems = snowballstemmer.stemmer(name).stemWords(found)
        digest.update(" ".join(stems).encode())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
