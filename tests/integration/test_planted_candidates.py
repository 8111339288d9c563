"""Wrong candidates of every kind are rejected with a witness; an honest faster one passes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perftrace import locate
from perftrace.model import Accepted, Candidate, Coverage, Inconclusive, Rejected
from perftrace.optimizer import oracle, pipeline
from perftrace.optimizer.verify import Passed, verify
from perftrace.optimizer.workers import Version, Workers
from perftrace.store import Store

SUBJECT = '''"""A shop's till."""

import asyncio
import random

STATS = {"counted": 0}
LAST = None


class Basket:
    touched = 0

    def __init__(self):
        self.counts = {}

    def add(self, name):
        self.counts[name] = self.counts.get(name, 0) + 1
        return len(self.counts)


def settle(rows):
    total = 0
    for row in rows:
        total = total + row[1]
    rows.append(("total", total))
    return total


def quote(region, cents):
    if region not in ("EU", "US"):
        raise ValueError(f"unknown region: {region!r}")
    return {"region": region, "cents": cents, "cheap": cents < 500}


def shelves(count):
    return [[] for _ in range(count)]


def tally(names):
    counts = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def batches(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def count(rows):
    global LAST
    STATS["counted"] += len(rows)
    LAST = rows[-1] if rows else None
    return len(rows)


def touch(times):
    for _ in range(times):
        Basket.touched += 1
    return times


def remember(name, seen=[]):
    seen.append(name)
    return name


def pick(names):
    return [random.choice(names) for _ in names]


async def fetch(names):
    found = []
    for one in names:
        await asyncio.sleep(0)
        found.append(one)
    return found


def announce(name):
    print(f"now serving {name}")


def known(orders, customers):
    kept = []
    for order in orders:
        if order in customers:
            kept.append(order)
    return kept


def main():
    basket = Basket()
    customers = [f"c{number}" for number in range(0, 300, 2)]
    for number in range(4, 16):
        basket.add(f"item {number % 5}")
        settle([(f"row {one}", one) for one in range(number)])
        for region in ("EU", "US", "XX"):
            try:
                quote(region, number * 100)
            except ValueError:
                pass
        shelves(number % 4)
        count(list(range(number)))
        touch(number)
        remember(f"n{number}")
        pick(["a", "b", "c"][: number % 3 + 1])
        tally(["b", "a", "b", "c"][: number % 5])
        list(batches(list(range(number)), 3))
        asyncio.run(fetch(["a", "b"][: number % 3]))
        announce(f"customer {number}")
        known([f"c{one}" for one in range(number, number + 60)], customers)


if __name__ == "__main__":
    main()
'''

# The function, what is planted in it, and where the witness shows it.
PLANTED = {
    "mutation dropped": (
        "settle",
        'rows.append(("total", total))',
        'rows = [*rows, ("total", total)]',
        "rows",
    ),
    "message changed": ("quote", "unknown region:", "bad region:", "exception.args[0]"),
    "1 for True": ("quote", '"cheap": cents < 500', '"cheap": int(cents < 500)', "result['cheap']"),
    "shared list": ("shelves", "[[] for _ in range(count)]", "[[]] * count", "result"),
    "dict order": ("tally", "for name in names:", "for name in reversed(names):", "result"),
    "self not updated": (
        "Basket.add",
        "self.counts[name] = self.counts.get(name, 0) + 1\n        return len(self.counts)",
        "return len({**self.counts, name: 1})",
        "self",
    ),
    "generator truncated": (
        "batches",
        "range(0, len(items), size)",
        "range(0, len(items) - 1, size)",
        "result",
    ),
    "generator made a list's iterator": (
        "batches",
        "yield items[start : start + size]",
        "yield list(items)",
        "result[0]",
    ),
    "global left as it was": (
        "count",
        'STATS["counted"] += len(rows)',
        "len(rows)",
        "till.STATS",
    ),
    "global not rebound": (
        "count",
        "LAST = rows[-1] if rows else None",
        "LAST = None",
        "till.LAST",
    ),
    "class attribute left as it was": (
        "touch",
        "for _ in range(times):",
        "for _ in ():",
        "till.Basket.touched",
    ),
    "default left as it was": (
        "remember",
        "seen.append(name)",
        "seen = [*seen, name]",
        "seen",
    ),
    "an equal global": (
        "count",
        "    global LAST\n",
        "    global LAST, STATS\n    STATS = {**STATS}\n",
        "the object of till.STATS",
    ),
    "an await dropped": ("fetch", "        await asyncio.sleep(0)\n", "", "its course"),
    "one more random number": (
        "pick",
        "return [random",
        "random.random()\n    return [random",
        "result",
    ),
    "random numbers not drawn": (
        "pick",
        "random.choice(names) for _ in names",
        "random.choice(names) if len(names) > 1 else names[0] for _ in names",
        "random numbers",
    ),
    "stdout dropped": ("announce", 'print(f"now serving {name}")', "pass", "stdout"),
    "stdout changed": ("announce", "now serving {name}", "serving {name}", "stdout"),
    "hangs": ("settle", "total = 0", "total = 0\n    while len(rows) > 3: pass", "the call"),
    "exits": ("settle", "total = 0", "total = 0\n    if rows[3:]: raise SystemExit(0)", "result"),
    "ends the process": (
        "settle",
        "total = 0",
        "total = 0\n    if rows[3:]:\n        import os\n        os._exit(0)",
        "the call",
    ),
    "exception swallowed": (
        "quote",
        '        raise ValueError(f"unknown region: {region!r}")',
        "        return None",
        "result",
    ),
}


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Store]]:
    folder = tmp_path_factory.mktemp("till")
    (folder / "pyproject.toml").write_text('[project]\nname = "till"\nversion = "1"\n')
    (folder / "till.py").write_text(SUBJECT)
    config = str(tmp_path_factory.getbasetemp() / "config")
    code = "import sys; from perftrace.cli import main; sys.exit(main())"
    options = ["run", "--overhead", "50%", "--python", sys.executable, "till.py"]
    subprocess.run(
        [sys.executable, "-c", code, *options],
        cwd=folder,
        env={**os.environ, "XDG_CONFIG_HOME": config},
        capture_output=True,
        timeout=120,
        check=True,
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CONFIG_HOME", config)
        with Store.open(folder / ".perftrace" / "trace.db") as store:
            yield folder / "till.py", store


def change(trace: tuple[Path, Store], name: str, old: str, new: str) -> Candidate:
    _, store = trace
    function = locate.find(name, list(store.functions().values()))
    original = store.source_text(function)
    assert original.count(old) == 1
    return Candidate(function, "planted", (new,), "", original, original.replace(old, new))


@pytest.fixture
def workers(trace: tuple[Path, Store]) -> Iterator[Workers]:
    with Workers(trace[1]) as found:
        yield found


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_rejected_and_shown(
    trace: tuple[Path, Store], workers: Workers, planted: str
) -> None:
    name, old, new, where = PLANTED[planted]
    _, store = trace
    candidate = change(trace, name, old, new)
    truth = oracle.consult(
        store.last_run(), Version(candidate.function, candidate.original), workers
    )
    assert truth.cases, truth.dropped
    found = verify(candidate, truth, workers, explain=True)
    assert isinstance(found, Rejected), found
    assert found.witness is not None, found
    assert found.witness.where.startswith(where), found.witness
    assert found.witness.expected != found.witness.got
    assert found.witness.call.startswith((name, "main()"))


def test_without_an_explanation_the_gate_is_reason_enough(
    trace: tuple[Path, Store], workers: Workers
) -> None:
    _, store = trace
    candidate = change(trace, "announce", 'print(f"now serving {name}")', "pass")
    truth = oracle.consult(
        store.last_run(), Version(candidate.function, candidate.original), workers
    )
    found = verify(candidate, truth, workers)
    assert isinstance(found, Rejected)
    assert found.reason.startswith("gate: ")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("settle", "total = total + row[1]", "total += row[1]"),
        ("tally", "counts = {}\n    for", "counts = dict()\n    for"),
        ("quote", 'region not in ("EU", "US")', 'region != "EU" and region != "US"'),
        ("Basket.add", "self.counts.get(name, 0) + 1", "1 + self.counts.get(name, 0)"),
        ("batches", "for start in", "size = size\n    for start in"),
    ],
)
def test_an_honest_change_passes(
    trace: tuple[Path, Store], workers: Workers, name: str, old: str, new: str
) -> None:
    _, store = trace
    candidate = change(trace, name, old, new)
    found = pipeline.check(workers, store.last_run(), candidate, None)
    assert isinstance(found, Passed), found
    assert found.evidence.recorded > 0


def test_an_honest_faster_candidate_is_accepted(
    trace: tuple[Path, Store], workers: Workers
) -> None:
    _, store = trace
    candidate = change(
        trace,
        "known",
        "    for order in orders:\n        if order in customers:",
        "    wanted = set(customers)\n    for order in orders:\n        if order in wanted:",
    )
    found = pipeline.check(workers, store.last_run(), candidate, 1.05)
    assert isinstance(found, Accepted), found
    assert found.measurement.low > 1.05
    assert found.evidence.coverage == Coverage((5, 5), (4, 4))
    assert found.evidence.outside_calls > 10
    costs = found.measurement.costs
    assert costs is not None
    assert costs.growth is not None
    assert costs.growth[0] > found.measurement.ratio  # a list that is searched
    assert costs.memory is not None


def test_the_same_code_again_is_not_faster(trace: tuple[Path, Store], workers: Workers) -> None:
    _, store = trace
    candidate = change(trace, "known", "    kept = []", "    kept = list()")
    found = pipeline.check(workers, store.last_run(), candidate, 1.05)
    assert isinstance(found, Rejected | Inconclusive), found
