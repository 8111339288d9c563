"""What the recorded calls don't show: other types, larger inputs, memory, import time."""

SUBJECT = '''"""Codes and numbers."""


def total(rows):
    if not isinstance(rows, list):
        raise TypeError("rows must be a list")
    found = 0
    for row in rows:
        found = found + row
    return found


def unique(items):
    seen = {}
    found = []
    for item in items:
        if seen.get(item, 0) == 0:
            seen[item] = 1
            found.append(item)
    return found


def squares(count):
    found = []
    for number in range(count):
        square = 0
        for _ in range(number):
            square = square + number
        found.append(square)
    return found


def primes(limit):
    found = []
    for number in range(2, limit):
        for divisor in range(2, number):
            if divisor * divisor > number:
                divisor = number
                break
            if number % divisor == 0:
                break
        else:
            divisor = number
        if divisor == number:
            found.append(number)
    return found


def main():
    for number in range(4, 16):
        total(list(range(number * 8)))
        unique([f"code {one % 50}" for one in range(number, number + 55)])
        squares(number * 10)
    for number in range(2):
        primes(80000 + number)


if __name__ == "__main__":
    main()
'''

CHEATS = {
    "a check that lets tuples pass": (
        "total",
        "    if not isinstance(rows, list):\n",
        "    if rows is None:\n",
    ),
    "quadratic beyond the recorded sizes": (
        "unique",
        "    seen = {}\n    found = []\n",
        "    if len(items) <= 64:\n        return list(dict.fromkeys(items))\n"
        "    found = []\n    for item in items:\n        if item not in found:\n"
        "            found.append(item)\n    return found\n    seen = {}\n",
    ),
    "a table made at import": (
        "squares",
        "def squares(count):\n    found = []\n",
        "_TABLE = tuple(number * number for number in range(1_000_000))\n\n\n"
        "def squares(count):\n    return list(_TABLE[: max(count, 0)])\n    found = []\n",
    ),
    "a hundred megabytes for speed": (
        "primes",
        "    found = []\n    for number in range(2, limit):\n        for divisor",
        "    marks = [True] * 13_000_000\n    found = []\n    for number in range(2, limit):\n"
        "        if marks[number]:\n            found.append(number)\n"
        "            marks[number:limit:number] = [False] * len(range(number, limit, number))\n"
        "    return found\n    for number in range(2, limit):\n        for divisor",
    ),
}

# Why each is not accepted: it must not be for another reason.
REASONS = {
    "a check that lets tuples pass": "drops a check: total(",
    "quadratic beyond the recorded sizes": "faster on the recorded sizes, slower at four times",
    "a table made at import": "importing its module takes",
    "a hundred megabytes for speed": "of memory, was",
}

HONEST = {
    "sum": (
        "total",
        "    found = 0\n    for row in rows:\n        found = found + row\n    return found\n",
        "    return sum(rows)\n",
    ),
    "the keys of a dictionary": (
        "unique",
        "    seen = {}\n    found = []\n",
        "    return list(dict.fromkeys(items))\n    seen = {}\n    found = []\n",
    ),
    "multiplied": (
        "squares",
        "        square = 0\n        for _ in range(number):\n            square = square + number\n        found.append(square)\n",
        "        found.append(number * number)\n",
    ),
    "a small sieve": (
        "primes",
        "    found = []\n    for number in range(2, limit):\n        for divisor",
        "    marks = [True] * max(limit, 0)\n    found = []\n    for number in range(2, limit):\n"
        "        if marks[number]:\n            found.append(number)\n"
        "            marks[number:limit:number] = [False] * len(range(number, limit, number))\n"
        "    return found\n    for number in range(2, limit):\n        for divisor",
    ),
}
