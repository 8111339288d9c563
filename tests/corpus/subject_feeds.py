"""Generators and coroutines."""

SUBJECT = '''"""Feeds of readings."""

import asyncio


def batches(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def changes(numbers):
    last = None
    for number in numbers:
        if number != last:
            yield number
        last = number
    return last


def parsed(lines):
    for line in lines:
        name, mark, value = line.partition("=")
        if not mark:
            raise ValueError(f"no value in {line!r}")
        yield name.strip(), int(value)


def running(numbers):
    total = 0
    for number in numbers:
        total += number
        yield total


def flat(rows):
    for row in rows:
        for item in row:
            yield item


async def load(names, table):
    found = []
    for name in names:
        await asyncio.sleep(0)
        if name in table:
            found.append(table[name])
    return found


async def gather(names, table):
    parts = []
    for name in names:
        parts.append(await load([name], table))
    return parts


async def ticks(count):
    for number in range(count):
        await asyncio.sleep(0)
        yield number * number


async def total(count):
    result = 0
    async for tick in ticks(count):
        result += tick
    return result


def main():
    table = {f"n{number}": [number] for number in range(9)}
    for number in range(3, 20):
        list(batches(list(range(number)), 3))
        list(changes([1, 1, 2, number, number]))
        try:
            list(parsed([f"a = {number}", "b=2", "c" if number % 3 else "d=4"]))
        except ValueError:
            pass
        list(running(range(number)))
        list(flat([[number], [1, 2], []]))
        asyncio.run(load([f"n{number}", "n1", "x"], table))
        asyncio.run(gather(["n1", "n2", f"n{number}"], table))
        asyncio.run(total(number))


if __name__ == "__main__":
    main()
'''

CHEATS = {
    "the last batch left out": (
        "batches",
        "range(0, len(items), size)",
        "range(0, len(items) - 1, size)",
    ),
    "tuples for slices": (
        "batches",
        "yield items[start : start + size]",
        "yield tuple(items[start : start + size])",
    ),
    "its input yielded": ("batches", "yield items[start : start + size]", "yield items"),
    "one list filled again": (
        "batches",
        "    for start in range(0, len(items), size):\n        yield items[start : start + size]\n",
        "    part = []\n    for start in range(0, len(items), size):\n        part[:] = items[start : start + size]\n        yield part\n",
    ),
    "a list for a generator": (
        "batches",
        "    for start in range(0, len(items), size):\n        yield items[start : start + size]\n",
        "    return [items[start : start + size] for start in range(0, len(items), size)]\n",
    ),
    "its input emptied": (
        "batches",
        "        yield items[start : start + size]\n",
        "        yield items[start : start + size]\n    items.clear()\n",
    ),
    "its return value lost": ("changes", "    return last\n", ""),
    "another return value": ("changes", "return last", "return number"),
    "None taken for the first": ("changes", "    last = None\n", "    last = 1\n"),
    "identity for equality": (
        "changes",
        "if number != last:",
        "if number is not last and number != 2:",
    ),
    "all parsed before the first": (
        "parsed",
        "    for line in lines:\n        name, mark",
        "    lines = [line for line in lines if int(line.partition('=')[2] or 1)]\n    for line in lines:\n        name, mark",
    ),
    "a bad line skipped": ("parsed", 'raise ValueError(f"no value in {line!r}")', "continue"),
    "an end for an error": ("parsed", 'raise ValueError(f"no value in {line!r}")', "return"),
    "names not stripped": ("parsed", "name.strip()", "name"),
    "values left as text": ("parsed", "int(value)", "value"),
    "one total too few": (
        "running",
        "        total += number\n        yield total\n",
        "        yield total\n        total += number\n",
    ),
    "a bool among totals": ("running", "yield total", "yield total or False"),
    "rows flattened twice": (
        "flat",
        "            yield item\n",
        "            yield item\n            yield item\n",
    ),
    "strings taken apart": ("flat", "for item in row:", "for item in list(row)[::-1]:"),
    "a name not awaited": (
        "load",
        "        if name in table:\n",
        "        if name in table and name != 'n1':\n",
    ),
    "values copied": ("load", "found.append(table[name])", "found.append(list(table[name]))"),
    "the table used up": ("load", "found.append(table[name])", "found.append(table.pop(name))"),
    "a plain function": ("load", "async def load", "def load"),
    "parts in another order": (
        "gather",
        "    parts = []\n    for name in names:",
        "    parts = []\n    for name in names[::-1]:",
    ),
    "rows for items": (
        "flat",
        "        for item in row:\n            yield item\n",
        "        yield row\n",
    ),
    "one part for all": ("gather", "    return parts\n", "    return parts[:1] * len(parts)\n"),
    "ticks without squares": ("ticks", "yield number * number", "yield number + number"),
    "ticks in one go": ("ticks", "range(count)", "range(min(count, 3))"),
    "a total of floats": ("total", "result = 0", "result = 0.0"),
    "the last tick left out": ("total", "in ticks(count)", "in ticks(count - 1)"),
}

HONEST = {
    "a step bound once": (
        "batches",
        "    for start in range(0, len(items), size):\n",
        "    length = len(items)\n    for start in range(0, length, size):\n",
    ),
    "the last set where it changes": (
        "changes",
        "        if number != last:\n            yield number\n        last = number\n",
        "        if number != last:\n            last = number\n            yield number\n        last = number\n",
    ),
    "split in two": (
        "parsed",
        "        yield name.strip(), int(value)\n",
        "        number = int(value)\n        yield name.strip(), number\n",
    ),
    "accumulated": (
        "running",
        "        total += number\n        yield total\n",
        "        total = total + number\n        yield total\n",
    ),
    "delegated": (
        "flat",
        "        for item in row:\n            yield item\n",
        "        yield from row\n",
    ),
    "the table's get": (
        "load",
        "        if name in table:\n            found.append(table[name])\n",
        "        if name not in table:\n            continue\n        found.append(table[name])\n",
    ),
    "append bound once": (
        "gather",
        "    for name in names:\n        parts.append(",
        "    add = parts.append\n    for name in names:\n        add(",
    ),
    "a power": ("ticks", "yield number * number", "yield number**2"),
    "a sum in place": ("total", "result += tick", "result = result + tick"),
}
