"""How long a worker takes until it can serve: sandboxed, started anew and forked by a server.

    python benchmarks/starts.py [--starts N] [--library NAME …]

Both kinds take turns. A start is all between the request and the worker's first words, which it
says when it has shut itself in: the private folder, the pipes, the process, Landlock and seccomp.
Importing the program itself is not in it, importing the libraries is (of a worker that is started
anew; a server has them loaded).
"""

import argparse
import importlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from perftrace.model import Process, Run
from perftrace.replay.inside import library
from perftrace.replay.servers import Servers
from perftrace.replay.session import Session

LIMIT_S = 0.005


def main() -> int:
    """Print the medians; 1 where a forked worker takes longer than it should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--library", nargs="*", default=["json", "asyncio", "decimal"])
    options = parser.parse_args()
    before = {name for name, _ in library.loaded()}
    for name in options.library:
        importlib.import_module(name)
    modules = [one for one in library.loaded() if one[0] not in before]
    with tempfile.TemporaryDirectory() as folder, Servers() as servers:
        process = _process(Path(folder))
        servers.learn(process, modules)
        times: dict[str, list[float]] = {"anew": [], "forked": []}
        for place in range(options.starts + 1):
            for kind, given in (("anew", None), ("forked", servers)):
                began = time.perf_counter()
                with Session(process, servers=given) as session:
                    holds = session.layers == ("", "")
                    elapsed = time.perf_counter() - began
                if not holds:
                    raise SystemExit(f"no sandbox: {session.layers}")
                if place:  # the first fork starts its server
                    times[kind].append(elapsed)
    print(f"{len(modules)} modules loaded by the server, for: {', '.join(options.library)}")
    for kind, found in times.items():
        edges = statistics.quantiles(found, n=20)
        print(
            f"{kind:>7}: median {statistics.median(found) * 1e3:.1f} ms,"
            f" 5 to 95 % {edges[0] * 1e3:.1f} to {edges[-1] * 1e3:.1f} ms"
        )
    return int(statistics.median(times["forked"]) > LIMIT_S)


def _process(folder: Path) -> Process:
    run = Run.unrecorded(folder, Path(sys.executable))
    return Process(0, run, 0, tuple(sys.path[1:]), None, None)


if __name__ == "__main__":
    sys.exit(main())
