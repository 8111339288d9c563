"""Generators and coroutines."""

SUBJECT = '''"""Streams of readings."""

import asyncio
import re

WINDOW = 40


def batches(items, size):
    for start in range(0, len(items), size):
        copied = list(items)
        yield copied[start : start + size]


def fresh(names):
    seen = []
    for name in names:
        if name not in seen:
            seen.append(name)
            yield name


def parsed(lines):
    for line in lines:
        match = re.match(r"^([a-z]+)=([0-9]+)$", line)
        if match is None:
            raise ValueError(f"no value in {line!r}")
        yield match.group(1), int(match.group(2))


def sums(numbers):
    for start in range(len(numbers) - WINDOW + 1):
        yield sum(numbers[start : start + WINDOW])


def pairs(first, second):
    for one in first:
        for other in second:
            if one["key"] == other["key"]:
                yield one["value"], other["value"]


def first_large(rows, least):
    found = [sum(row) for row in rows]
    for total in found:
        if total >= least:
            return total
    return None


async def load(names, table):
    found = []
    for name in names:
        await asyncio.sleep(0)
        if name in list(table):
            found.append(table[name])
    return found


async def ranked(scores, count):
    best = []
    for _ in range(count):
        left = [score for score in scores if score not in best]
        if not left:
            break
        best.append(sorted(left)[-1])
    await asyncio.sleep(0)
    return best


async def distinct(names):
    seen = []
    for name in names:
        if name not in seen:
            seen.append(name)
            yield name


async def report(rows):
    text = ""
    for name, values in rows:
        text = text + name + ":"
        for value in values:
            text = text + " " + str(value)
        text = text + "|"
    await asyncio.sleep(0)
    return text


async def counted(names):
    return [name async for name in distinct(names)]


def main():
    for size in range(120, 150, 3):
        names = [f"n{at * 7 % 90}" for at in range(2 * size)]
        table = {f"n{at}": [at] for at in range(size)}
        list(batches(list(range(4 * size)), 8))
        list(fresh(names))
        try:
            list(parsed([f"key={at}" for at in range(size)] + ["none"] * (size % 2)))
        except ValueError:
            pass
        list(sums([at * 13 % 100 for at in range(3 * size)]))
        left = [{"key": at % 50, "value": at} for at in range(size)]
        right = [{"key": at, "value": -at} for at in range(40)]
        list(pairs(left, right))
        first_large([list(range(at, at + 20)) for at in range(size)], 700)
        asyncio.run(load(names[:60], table))
        asyncio.run(ranked([at * 37 % 997 for at in range(size)], 12))
        asyncio.run(report([(name, [at, at + 1, at / 4]) for at, name in enumerate(names)]))
        asyncio.run(counted(names))


if __name__ == "__main__":
    main()
'''

FASTER = {
    "a slice without a copy": (
        "batches",
        """
def batches(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]
""",
    ),
    "a set of what was seen": (
        "fresh",
        """
def fresh(names):
    seen = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name
""",
    ),
    "a pattern of the module": (
        "parsed",
        """
_PAIR = re.compile(r"^([a-z]+)=([0-9]+)$")


def parsed(lines):
    for line in lines:
        match = _PAIR.match(line)
        if match is None:
            raise ValueError(f"no value in {line!r}")
        yield match[1], int(match[2])
""",
    ),
    "a running sum": (
        "sums",
        """
def sums(numbers):
    if len(numbers) < WINDOW:
        return
    total = sum(numbers[:WINDOW])
    yield total
    for old, new in zip(numbers, numbers[WINDOW:]):
        total += new - old
        yield total
""",
    ),
    "a join by keys": (
        "pairs",
        """
def pairs(first, second):
    if not first:
        return
    known = {}
    for other in second:
        known.setdefault(other["key"], []).append(other["value"])
    for one in first:
        for value in known.get(one["key"], ()):
            yield one["value"], value
""",
    ),
    "no sum more than needed": (
        "first_large",
        """
def first_large(rows, least):
    for row in rows:
        total = sum(row)
        if total >= least:
            return total
    return None
""",
    ),
    "a table without a copy": (
        "load",
        """
async def load(names, table):
    found = []
    for name in names:
        await asyncio.sleep(0)
        if name in table:
            found.append(table[name])
    return found
""",
    ),
    "sorted once": (
        "ranked",
        """
async def ranked(scores, count):
    best = sorted(set(scores), reverse=True)[: max(count, 0)]
    await asyncio.sleep(0)
    return best
""",
    ),
    "a set beside an async generator": (
        "distinct",
        """
async def distinct(names):
    seen = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name
""",
    ),
    "a report that is joined": (
        "report",
        """
async def report(rows):
    text = "".join(
        [f"{name}:{''.join([f' {value}' for value in values])}|" for name, values in rows]
    )
    await asyncio.sleep(0)
    return text
""",
    ),
}
