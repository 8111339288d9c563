"""What calls do around themselves: log records, warnings, settings, clocks, what they keep."""

SUBJECT = '''"""An office."""

import decimal
import logging
import os
import sys
import threading
import time
import warnings

log = logging.getLogger("office")


def greet(names):
    greeted = []
    for name in names:
        log.info("greeting %s", name)
        greeted.append("Hello, " + name)
    log.debug("greeted %d of %d", len(greeted), len(names))
    return greeted


def price(cents, region):
    if region == "UK":
        warnings.warn("UK has left", DeprecationWarning)
    return cents * 2


def settle(amounts):
    with decimal.localcontext() as context:
        context.prec = 9
        total = decimal.Decimal(0)
        for amount in amounts:
            total = total + decimal.Decimal(amount)
    os.environ["OFFICE_TOTAL"] = str(total)
    return str(total)


def deep(levels):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + levels)
    found = []
    for level in range(levels):
        found.append(level)
    sys.setrecursionlimit(before)
    return found


def stamped(rows):
    kept = []
    for row in rows:
        start = time.perf_counter()
        kept.append(row.upper())
        spent = time.perf_counter() - start
        if spent < 0:
            kept.pop()
    return kept


def ranks(names):
    found = []
    for place, name in enumerate(names):
        found.append((place, name))
    return found


def index(names):
    table = {}
    for place, name in enumerate(names):
        table[name] = [place, len(name)]
    return table


def seat(names):
    found = []
    done = threading.Event()
    worker = threading.Thread(target=done.wait, daemon=True)
    worker.start()
    for name in names:
        found.append(name[0])
    done.set()
    worker.join()
    return found


def main():
    names = ("Ann", "Bea", "Cid", "Dan", "Eve", "Fay")
    for number in range(3, 20):
        some = [names[(number * step) % 6] for step in range(number)]
        greet(some)
        price(number * 100, ("EU", "UK", "US")[number % 3])
        settle([str(number), "1.25", "0.125"])
        deep(number)
        stamped(some)
        ranks(some)
        index(some)
        seat(some)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
'''

_INDEX = """    table = {}
    for place, name in enumerate(names):
        table[name] = [place, len(name)]
    return table
"""
_RANKS = """def ranks(names):
    found = []
    for place, name in enumerate(names):
        found.append((place, name))
    return found
"""
_STAMPED = """        start = time.perf_counter()
        kept.append(row.upper())
        spent = time.perf_counter() - start
"""

CHEATS = {
    "another template": ("greet", '"greeting %s", name', '"greeting %.9s", name'),
    "text made before the record": ("greet", '"greeting %s", name', '"greeting " + name'),
    "another argument of a record": ("greet", "len(greeted), len(names))", "len(greeted), 0)"),
    "a record at the end only": (
        "greet",
        '        log.info("greeting %s", name)\n        greeted.append("Hello, " + name)\n',
        '        greeted.append("Hello, " + name)\n    log.info("greeting %s", name)\n',
    ),
    "a record after the other": (
        "greet",
        '    for name in names:\n        log.info("greeting %s", name)\n',
        '    log.debug("greeted %d of %d", len(names), len(names))\n'
        '    for name in names:\n        log.info("greeting %s", name)\n',
    ),
    "another category of warning": ("price", "DeprecationWarning", "UserWarning"),
    "another text of a warning": ("price", '"UK has left"', '"left"'),
    "a warning for the others too": ("price", 'region == "UK"', 'region != "EU"'),
    "the precision left as it was set": (
        "settle",
        "    with decimal.localcontext() as context:\n        context.prec = 9\n",
        "    context = decimal.getcontext()\n    context.prec = 9\n    if context:\n",
    ),
    "another text in the environment": (
        "settle",
        'os.environ["OFFICE_TOTAL"] = str(total)',
        'os.environ["OFFICE_TOTAL"] = f"{total} "',
    ),
    "another variable": ("settle", '"OFFICE_TOTAL"', '"OFFICE_SUM"'),
    "the limit left higher": (
        "deep",
        "    sys.setrecursionlimit(before)\n",
        "    sys.setrecursionlimit(before + 1)\n",
    ),
    "the clock asked once": (
        "stamped",
        _STAMPED,
        "        start = time.perf_counter()\n        kept.append(row.upper())\n        spent = 0\n",
    ),
    "another clock": (
        "stamped",
        "spent = time.perf_counter() - start",
        "spent = time.monotonic() - start + 1e9",
    ),
    "one list for every call": (
        "ranks",
        _RANKS,
        "_found = []\n\n\ndef ranks(names):\n    _found[:] = enumerate(names)\n    return _found\n",
    ),
    "three lists in turns": (
        "ranks",
        _RANKS,
        "_found = [[], [], []]\n\n\n"
        "def ranks(names):\n    _found.append(_found.pop(0))\n"
        "    _found[-1][:] = enumerate(names)\n    return _found[-1]\n",
    ),
    "the list that it keeps": (
        "ranks",
        _RANKS,
        "_kept = {}\n\n\ndef ranks(names):\n    key = tuple(names)\n    if key not in _kept:\n"
        "        _kept[key] = list(enumerate(names))\n    return _kept[key]\n",
    ),
    "a copy of the dict that it keeps": (
        "index",
        f"def index(names):\n{_INDEX}",
        "_kept = {}\n\n\ndef index(names):\n    key = tuple(names)\n    if key not in _kept:\n"
        "        _kept[key] = {name: [place, len(name)] for place, name in enumerate(names)}\n"
        "    return dict(_kept[key])\n",
    ),
    "a thread left behind": ("seat", "    done.set()\n    worker.join()\n", ""),
}
HONEST = {
    "an iterator beside the records": (
        "greet",
        "    for name in names:\n        log.info",
        "    for name in iter(names):\n        log.info",
    ),
    "a line above a warning": (
        "price",
        '    if region == "UK":\n',
        '    is_left = region == "UK"\n    if is_left:\n',
    ),
    "a sum": (
        "settle",
        "        total = decimal.Decimal(0)\n        for amount in amounts:\n"
        "            total = total + decimal.Decimal(amount)\n",
        "        total = sum(map(decimal.Decimal, amounts), decimal.Decimal(0))\n",
    ),
    "a list of a range": (
        "deep",
        "    found = []\n    for level in range(levels):\n        found.append(level)\n",
        "    found = list(range(levels))\n",
    ),
    "a clock under a name": (
        "stamped",
        f"    for row in rows:\n{_STAMPED}",
        "    clock = time.perf_counter\n    for row in rows:\n        start = clock()\n"
        "        kept.append(row.upper())\n        spent = clock() - start\n",
    ),
    "a comprehension of pairs": (
        "ranks",
        _RANKS,
        "def ranks(names):\n    return list(enumerate(names))\n",
    ),
    "a comprehension of a table": (
        "index",
        _INDEX,
        "    return {name: [place, len(name)] for place, name in enumerate(names)}\n",
    ),
    "a comprehension beside a thread": (
        "seat",
        "    for name in names:\n        found.append(name[0])\n",
        "    found = [name[0] for name in names]\n",
    ),
}
