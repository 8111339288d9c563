"""Is the ranking right where the truth is known? A program whose functions' shares are given.

    python benchmarks/known_shares.py [--runs 3]

Twelve functions run the same loop, each a quarter longer in all than the one before, called in an
order by chance for ten seconds or more. Prints Spearman's rank correlation of `perftrace top` with
the truth, the overlap of the first ten, and the largest error of a share. Fails below 0.95 or 9.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

FUNCTIONS, STEP = 12, 1.25
LEAST, OVERLAP = 0.95, 9
ENTRY = "import sys; from perftrace.cli import main; sys.exit(main())"
BODY = """
def f{number}(times):
    total = 0
    for n in range(times):
        total += n * n % 7
    return total
"""
MAIN = """
import random
dice = random.Random(1)
work = [(f, int(2000 * {step} ** number)) for number, f in enumerate([{names}])] * 1300
dice.shuffle(work)
for f, times in work:
    f(times)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    names = [f"f{number}" for number in range(FUNCTIONS)]
    total = sum(STEP**number for number in range(FUNCTIONS))
    truth = {name: STEP**number / total for number, name in enumerate(names)}
    good = True
    for _ in range(options.runs):
        shares, samples = measured(names)
        pairs = [(truth[name], shares.get(name, 0.0)) for name in names]
        correlation = statistics.correlation(*zip(*pairs, strict=True), method="ranked")
        first, found = (sorted(one, key=one.__getitem__)[-10:] for one in (truth, shares))
        overlap = len(set(first) & set(found))
        error = max(abs(true - share) for true, share in pairs)
        good = good and correlation >= LEAST and overlap >= OVERLAP
        print(
            f"{samples:,} samples: Spearman {correlation:.3f}, {overlap} of 10, largest error of a"
            f" share {error:.1%}"
        )
    return int(not good)


def measured(names: list[str]) -> tuple[dict[str, float], int]:
    """The shares by `perftrace top`, and the samples they rest on."""
    with tempfile.TemporaryDirectory() as folder:
        text = "".join(BODY.format(number=number) for number in range(FUNCTIONS))
        (Path(folder) / "app.py").write_text(text + MAIN.format(step=STEP, names=", ".join(names)))
        environment = {**os.environ, "XDG_CONFIG_HOME": f"{folder}/config"}
        command = [sys.executable, "-c", ENTRY]
        said = [
            subprocess.run(
                [*command, *words], cwd=folder, env=environment, capture_output=True, check=False
            )
            for words in (["run", "app.py"], ["top", "-n", "0", "--json"])
        ]
    if any(one.returncode for one in said):
        raise SystemExit(b"".join(one.stderr for one in said).decode())
    found = json.loads(said[-1].stdout)
    shares = {
        row["function"].rpartition(":")[2]: row["hot_percent"] / 100 for row in found["functions"]
    }
    return {name: shares.get(name, 0.0) for name in names}, found["samples"]


if __name__ == "__main__":
    sys.exit(main())
