"""Peak memory of a recorded program over that of the same program by itself.

    python benchmarks/memory.py

Two programs: one passes 100 MB of bytes, a list of two million numbers and a large dict around;
the other is recorded with half of its CPU time, so that its journal grows to a hundred megabytes.
Each says at its end how much memory it had at most (`ru_maxrss`). Fails where recording takes
more than a tenth and 32 MB.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ALLOWED = 1.1
SPARE_MB = 32
END = """
import resource
with open("peak", "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""
PROGRAMS = {
    "large arguments, 2%": (
        "2%",
        """
class Archive:
    def __init__(self):
        self.blob = b"x" * 100_000_000
        self.numbers = list(range(2_000_000))
        self.names = {n: str(n) for n in range(200_000)}
    def sizes(self, blob, numbers, names):
        return len(blob) + len(numbers) + len(names) + sum(range(2000))
archive = Archive()
for turn in range(40_000):
    archive.sizes(archive.blob, archive.numbers, archive.names)
""",
    ),
    "a large journal, 50%": (
        "50%",
        "".join(f"def work{n}(text, pairs): return len(text) + len(pairs)\n" for n in range(150))
        + """
pairs = [(n, n + 1) for n in range(100)]
works = [value for name, value in globals().items() if name.startswith("work")]
for turn in range(800_000):
    pairs[turn % 100] = (turn, turn * 7919)
    works[turn % 150](f"{turn}" * (turn % 200), pairs)
""",
    ),
}


def peak_mb(share: str, text: str) -> tuple[float, float]:
    """Peak memory of the program in MB, and what its recording takes on disk; no share: plain."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(text + END, encoding="utf-8")
        perftrace = str(Path(sys.executable).with_name("perftrace"))
        command = [perftrace, "run", "--overhead", share] if share else [sys.executable]
        subprocess.run([*command, "app.py"], cwd=folder, check=True, capture_output=True)
        trace = folder / ".perftrace" / "trace.db"
        size = trace.stat().st_size if trace.exists() else 0
        return int((folder / "peak").read_text(encoding="utf-8")) / 1024, size / 2**20


def main() -> int:
    """Measure and print; 1: it is more than allowed."""
    print("| program | plain | recorded | allowed | trace file |\n| --- | --: | --: | --: | --: |")
    failed = False
    for name, (share, text) in PROGRAMS.items():
        plain, _ = peak_mb("", text)
        recorded, size = peak_mb(share, text)
        allowed = ALLOWED * plain + SPARE_MB
        failed |= recorded > allowed
        figures = f"{plain:.0f} MB | {recorded:.0f} MB | {allowed:.0f} MB | {size:.0f} MB"
        print(f"| {name} | {figures} |")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
