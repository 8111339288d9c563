"""Compare a generated word list with textdistance; the argument is the number of pairs."""

import hashlib
import random
import sys

import textdistance

ALGORITHMS = (
    "Levenshtein", "DamerauLevenshtein", "JaroWinkler", "Jaccard", "Sorensen", "Cosine",
    "Hamming", "LCSSeq", "RatcliffObershelp", "MongeElkan", "Tversky", "Overlap",
)  # fmt: skip


def words(count: int) -> list[str]:
    """Words of two to four syllables, the same for every run."""
    chance = random.Random(22)
    syllables = ["ka", "lo", "mi", "ter", "san", "dor", "vel", "qui", "bra", "ston", "eth", "un"]
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(count)]


def main() -> None:
    """Print a digest of all distances and similarities."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12000
    left, right = words(count), words(count + 7)[7:]
    digest = hashlib.sha256()
    for name in ALGORITHMS:
        measure = getattr(textdistance, name)(external=False)
        for one, other in zip(left, right, strict=True):
            distance, share = (
                measure.distance(one, other),
                measure.normalized_similarity(one, other),
            )
            digest.update(f"{name} {one} {other} {distance} {share:.9f}\n".encode())
    print(digest.hexdigest())


if __name__ == "__main__":
    main()
