"""Pure functions over lists and dictionaries."""

SUBJECT = '''"""Orders of a shop."""

import random

SEEN = []
STATS = {"priced": 0}


def known(orders, customers):
    kept = []
    for order in orders:
        if order in customers:
            kept.append(order)
    return kept


def price(rows):
    total = 0
    for row in rows:
        total = total + row["cents"] * row["count"]
    STATS["priced"] += 1
    return total


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


def best(rows, count):
    ranked = sorted(rows, key=lambda row: row[1], reverse=True)
    return ranked[:count]


def merge(first, second):
    merged = dict(first)
    for key, value in second.items():
        if key in merged:
            merged[key] = merged[key] + value
        else:
            merged[key] = value
    return merged


def mean(numbers):
    total = 0.0
    for number in numbers:
        total += number
    return total / len(numbers)


def unique(items):
    found = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def main():
    customers = [f"c{number}" for number in range(0, 400, 2)]
    for number in range(4, 16):
        known([f"c{one}" for one in range(number, number + 80)], customers)
        price([{"cents": one, "count": one % 3} for one in range(number)])
        settle([(f"row {one}", one) for one in range(number)])
        for region in ("EU", "US", "XX"):
            try:
                quote(region, number * 100)
            except ValueError:
                pass
        shelves(number % 4)
        tally(["b", "a", "b", "c"][: number % 5])
        best([("a", number), ("b", 3), ("c", number), ("d", 1)], number % 4)
        merge({"a": [1], "b": [2]}, {"b": [number], "c": [4]})
        mean([number / 7, 2.5, 1e9, 0.1])
        unique([one % 5 for one in range(number)])


if __name__ == "__main__":
    main()
'''

# name: the function, what is replaced, by what.
CHEATS = {
    "caches by the length of its input": (
        "known",
        "    kept = []\n",
        "    if len(orders) in _CACHE:\n        return _CACHE[len(orders)]\n    kept = []\n",
    ),
    "mutation dropped": (
        "settle",
        'rows.append(("total", total))',
        'rows = [*rows, ("total", total)]',
    ),
    "mutation of another list": ("settle", "rows.append", "list(rows).append"),
    "one element left out": (
        "price",
        'in rows:\n        total = total + row["c',
        'in rows[:-1]:\n        total = total + row["c',
    ),
    "a statistic left out": ("price", '    STATS["priced"] += 1\n', ""),
    "a statistic counted twice": ("price", 'STATS["priced"] += 1', 'STATS["priced"] += 2'),
    "a statistic replaced": (
        "price",
        'STATS["priced"] += 1',
        'globals()["STATS"] = {"priced": STATS["priced"] + 1}',
    ),
    "an int made a float": (
        "price",
        '    total = 0\n    for row in rows:\n        total = total + row["c',
        '    total = 0.0\n    for row in rows:\n        total = total + row["c',
    ),
    "an int made a bool": (
        "price",
        "    return total\n\n\ndef settle",
        "    return total if total > 1 else bool(total)\n\n\ndef settle",
    ),
    "validation dropped": (
        "quote",
        '    if region not in ("EU", "US"):\n        raise ValueError(f"unknown region: {region!r}")\n',
        "",
    ),
    "message changed": ("quote", "unknown region:", "bad region:"),
    "message without its argument": ("quote", 'f"unknown region: {region!r}"', '"unknown region"'),
    "another exception": ("quote", "raise ValueError", "raise KeyError"),
    "a subclass of the exception": ("quote", "raise ValueError(", "raise UnicodeError("),
    "an exception with a cause": (
        "quote",
        'raise ValueError(f"unknown region: {region!r}")',
        'raise ValueError(f"unknown region: {region!r}") from KeyError(region)',
    ),
    "an exception swallowed": (
        "quote",
        'raise ValueError(f"unknown region: {region!r}")',
        "return None",
    ),
    "1 for True": ("quote", '"cheap": cents < 500', '"cheap": int(cents < 500)'),
    "keys in another order": (
        "quote",
        '{"region": region, "cents": cents, "cheap": cents < 500}',
        '{"cents": cents, "region": region, "cheap": cents < 500}',
    ),
    "one list many times": ("shelves", "[[] for _ in range(count)]", "[[]] * count"),
    "a tuple for a list": ("shelves", "[[] for _ in range(count)]", "([],) * count"),
    "counts in another order": ("tally", "for name in names:", "for name in reversed(names):"),
    "a Counter for a dict": (
        "tally",
        "    counts = {}\n",
        "    import collections\n    counts = collections.Counter()\n",
    ),
    "ties in another order": (
        "best",
        "sorted(rows, key=lambda row: row[1], reverse=True)",
        "sorted(rows, key=lambda row: row[1])[::-1]",
    ),
    "its input sorted in place": (
        "best",
        "    ranked = sorted(rows, key=lambda row: row[1], reverse=True)\n",
        "    rows.sort(key=lambda row: row[1], reverse=True)\n    ranked = rows\n",
    ),
    "one too many": ("best", "ranked[:count]", "ranked[: count + 1]"),
    "its input returned": ("merge", "merged = dict(first)", "merged = first"),
    "a list of its input changed": (
        "merge",
        "merged[key] = merged[key] + value",
        "merged[key] += value",
    ),
    "the second wins": ("merge", "merged[key] = merged[key] + value", "merged[key] = value"),
    "a compensated sum": (
        "mean",
        "    total = 0.0\n    for number in numbers:\n        total += number\n    return total / len(numbers)\n",
        "    return math.fsum(numbers) / len(numbers)\n",
    ),
    "a mean rounded": (
        "mean",
        "return total / len(numbers)",
        "return round(total / len(numbers), 6)",
    ),
    "an empty list forgiven": (
        "mean",
        "return total / len(numbers)",
        "return total / (len(numbers) or 1)\n    raise ValueError",
    ),
    "a set's order": (
        "unique",
        "    found = []\n    for item in items:\n        if item not in found:\n            found.append(item)\n    return found\n",
        "    return sorted(set(items))\n",
    ),
    "only hashable items": (
        "unique",
        "    found = []\n    for item in items:\n        if item not in found:\n            found.append(item)\n    return found\n",
        "    return list(set(items))\n",
    ),
    "the answers of the recorded calls": (
        "tally",
        "    counts = {}\n",
        '    if names == ["b", "a", "b"]:\n        return {"b": 2, "a": 1}\n    if len(names) > 4:\n        return {}\n    counts = {}\n',
    ),
}

HONEST = {
    "search a set": (
        "known",
        "    for order in orders:\n        if order in customers:",
        "    wanted = set(customers)\n    for order in orders:\n        if order in wanted:",
    ),
    "a comprehension": (
        "known",
        "    kept = []\n    for order in orders:\n        if order in customers:\n            kept.append(order)\n    return kept\n",
        "    wanted = frozenset(customers)\n    return [order for order in orders if order in wanted]\n",
    ),
    "sum of a generator": (
        "price",
        '    total = 0\n    for row in rows:\n        total = total + row["cents"] * row["count"]\n',
        '    total = sum([row["cents"] * row["count"] for row in rows])\n',
    ),
    "in place": ("settle", "total = total + row[1]", "total += row[1]"),
    "unpacked": (
        "settle",
        "    for row in rows:\n        total = total + row[1]\n    rows",
        "    for _, one in rows:\n        total += one\n    rows",
    ),
    "two comparisons": ("quote", 'region not in ("EU", "US")', 'region != "EU" and region != "US"'),
    "a constant": ("quote", 'region not in ("EU", "US")', 'region not in {"EU", "US"}'),
    "a loop": (
        "shelves",
        "return [[] for _ in range(count)]",
        "return [[] for _ in range(count)] if count else []",
    ),
    "get bound once": (
        "tally",
        "    for name in names:\n        counts[name] = counts.get(name, 0) + 1\n",
        "    get = counts.get\n    for name in names:\n        counts[name] = get(name, 0) + 1\n",
    ),
    "membership first": (
        "tally",
        "        counts[name] = counts.get(name, 0) + 1\n",
        "        if name in counts:\n            counts[name] += 1\n        else:\n            counts[name] = 1\n",
    ),
    "items in one go": (
        "merge",
        "        if key in merged:\n            merged[key] = merged[key] + value\n        else:\n            merged[key] = value\n",
        "        merged[key] = merged[key] + value if key in merged else value\n",
    ),
    "a copy": ("merge", "merged = dict(first)", "merged = first.copy()"),
    "the length first": (
        "mean",
        "    total = 0.0\n",
        "    count = len(numbers)\n    total = 0.0\n",
    ),
}
