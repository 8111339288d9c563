"""What the recorder adds before a program's first line: CPU time over a bare start, and modules.

    python benchmarks/startup.py [--rounds N]

The program itself says how much CPU time its process had used and what was loaded when its first
line ran; perftrace's own parent process is not part of that.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import time; used = time.process_time()
import sys; loaded = list(sys.modules)
import json
with open(sys.argv[1], "w") as file:
    json.dump([used, loaded], file)
"""


def first_line(command: list[str], scratch: Path) -> tuple[float, set[str]]:
    """CPU seconds used and modules loaded when the program's first line ran."""
    answer = scratch / "answer.json"
    subprocess.run(
        [*command, str(scratch / "program.py"), str(answer)],
        cwd=scratch,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    used, loaded = json.loads(answer.read_text(encoding="utf-8"))
    return used, set(loaded)


def main() -> None:
    """Measure in turn and print both starts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    perftrace = str(Path(sys.executable).with_name("perftrace"))
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "program.py").write_text(PROGRAM, encoding="utf-8")
        commands = {
            "bare": [sys.executable],
            "recorded": [perftrace, "run", "--python", sys.executable, "-o", str(scratch / "t.db")],
        }
        times: dict[str, list[float]] = {kind: [] for kind in commands}
        loaded: dict[str, set[str]] = {}
        for _ in range(rounds):
            for kind, command in commands.items():
                used, loaded[kind] = first_line(command, scratch)
                times[kind].append(used)
    middle = {kind: statistics.median(values) for kind, values in times.items()}
    added = sorted(loaded["recorded"] - loaded["bare"])
    print("| start | CPU time to the first line | modules |\n| --- | --: | --: |")
    for kind in commands:
        print(f"| {kind} | {middle[kind] * 1000:.1f} ms | {len(loaded[kind])} |")
    print(f"\n{middle['recorded'] / middle['bare']:.2f}x; {len(added)} modules added:")
    print(", ".join(added))


if __name__ == "__main__":
    main()
