"""Graphs, recursion and dynamic programming."""

SUBJECT = '''"""Ways through a network."""

import copy


def reached(links, start):
    seen = []
    waiting = [start]
    while waiting:
        node = waiting.pop(0)
        if node in seen:
            continue
        seen.append(node)
        for other in links.get(node, []):
            waiting.append(other)
    return seen


def hops(links, start):
    found = {start: 0}
    waiting = [start]
    while len(waiting) > 0:
        node = waiting.pop(0)
        for other in links.get(node, ()):
            if other not in found.keys():
                found[other] = found[node] + 1
                waiting.append(other)
    return found


def backwards(links):
    found = {}
    for node in links:
        found[node] = sorted(other for other in links if node in links[other])
    return found


def fibonacci(number):
    if number < 2:
        return number
    return fibonacci(number - 1) + fibonacci(number - 2)


def ways(amount, coins):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return ways(amount - coins[0], coins) + ways(amount, coins[1:])


def leaves(tree):
    if not isinstance(tree, list):
        return [tree]
    found = []
    for part in tree:
        found = found + leaves(part)
    return found


def distance(first, second):
    grid = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for row in range(len(first) + 1):
        for column in range(len(second) + 1):
            if row == 0 or column == 0:
                grid[row][column] = row + column
            elif first[row - 1] == second[column - 1]:
                grid[row][column] = grid[row - 1][column - 1]
            else:
                grid[row][column] = 1 + min(
                    grid[row - 1][column], grid[row][column - 1], grid[row - 1][column - 1]
                )
    return grid[-1][-1]


def rising(numbers):
    """The length of the longest part that rises, left to right, with gaps."""
    best = []
    for at in range(len(numbers)):
        longest = 0
        for before in range(at):
            if numbers[before] < numbers[at]:
                longest = max(longest, best[before])
        best.append(longest + 1)
    return max(best, default=0)


def ordered(needs):
    """Tasks so that each comes after those that it needs."""
    done = []
    left = sorted(needs)
    while left:
        ready = [task for task in left if all(need in done for need in needs[task])]
        if not ready:
            raise ValueError(f"a cycle: {left}")
        done.append(ready[0])
        left = [task for task in left if task != ready[0]]
    return done


def primes(limit):
    found = []
    for number in range(2, limit):
        prime = True
        for divisor in range(2, number):
            if number % divisor == 0:
                prime = False
        if prime:
            found.append(number)
    return found


def flooded(grid, row, column):
    """Fills a copy of the grid from a place on."""
    filled = copy.deepcopy(grid)
    waiting = [(row, column)]
    while waiting:
        at, across = waiting.pop(0)
        inside = 0 <= at < len(filled) and 0 <= across < len(filled[at])
        if inside and filled[at][across] == 0:
            filled[at][across] = 2
            waiting.extend(
                [(at + 1, across), (at - 1, across), (at, across + 1), (at, across - 1)]
            )
    return filled


def main():
    for size in range(90, 110, 2):
        links = {at: [at * 2 % size, (at + 7) % size, at * at % size] for at in range(size)}
        reached(links, 1)
        hops(links, 1)
        backwards(links)
        ways(30 + size % 7, [7, 5, 3, 2])
        tree = 0
        for at in range(size // 2):
            tree = [tree, at, [at, at + 1]]
        leaves(tree)
        distance("kitten on the mat" * 2, f"sitting on {size} mats" * 2)
        rising([at * 37 % size for at in range(size)])
        ordered({at: [at - 1, at // 2] if at % 5 else [] for at in range(size // 2)})
        primes(size)
        flooded([[int((at * 7 + one) % 5 == 0) for one in range(16)] for at in range(12)], 0, 1)
    for number in range(4, 15):
        fibonacci(number)


if __name__ == "__main__":
    main()
'''

FASTER = {
    "visited as a set": (
        "reached",
        """
def reached(links, start):
    seen = []
    known = set()
    waiting = [start]
    for node in waiting:
        if node not in known:
            known.add(node)
            seen.append(node)
            waiting.extend(links.get(node, ()))
    return seen
""",
    ),
    "a deque of nodes": (
        "reached",
        """
from collections import deque


def reached(links, start):
    seen = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        if node not in seen:
            seen[node] = None
            waiting.extend(links.get(node, ()))
    return list(seen)
""",
    ),
    "a deque of hops": (
        "hops",
        """
from collections import deque


def hops(links, start):
    found = {start: 0}
    waiting = deque([start])
    following = links.get
    while waiting:
        node = waiting.popleft()
        away = found[node] + 1
        for other in following(node, ()):
            if other not in found:
                found[other] = away
                waiting.append(other)
    return found
""",
    ),
    "links turned round in one go": (
        "backwards",
        """
def backwards(links):
    found = {node: [] for node in links}
    for other in sorted(links):
        for node in dict.fromkeys(links[other]):
            if node in found:
                found[node].append(other)
    return found
""",
    ),
    "a loop for a recursion": (
        "fibonacci",
        """
def fibonacci(number):
    if number < 2:
        return number
    last, this = 0, 1
    for _ in range(number - 1):
        last, this = this, last + this
    return this
""",
    ),
    "what is known is kept during a call": (
        "ways",
        """
def ways(amount, coins):
    known = {}

    def count(left, first):
        if left == 0:
            return 1
        if left < 0 or first == len(coins):
            return 0
        key = left, first
        if key not in known:
            known[key] = count(left - coins[first], first) + count(left, first + 1)
        return known[key]

    return count(amount, 0)
""",
    ),
    "one list for all leaves": (
        "leaves",
        """
def leaves(tree):
    found = []
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting.extend(reversed(part))
        else:
            found.append(part)
    return found
""",
    ),
    "two rows": (
        "distance",
        """
def distance(first, second):
    before = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        now = [row]
        for column, other in enumerate(second):
            if letter == other:
                now.append(before[column])
            else:
                now.append(1 + min(before[column], before[column + 1], now[column]))
        before = now
    return before[-1]
""",
    ),
    "ends by bisection": (
        "rising",
        '''
from bisect import bisect_left


def rising(numbers):
    """The length of the longest part that rises, left to right, with gaps."""
    ends = []
    for number in numbers:
        at = bisect_left(ends, number)
        if at == len(ends):
            ends.append(number)
        else:
            ends[at] = number
    return len(ends)
''',
    ),
    "the first that is ready": (
        "ordered",
        '''
def ordered(needs):
    """Tasks so that each comes after those that it needs."""
    done = {}
    left = sorted(needs)
    while left:
        for task in left:
            if all(need in done for need in needs[task]):
                break
        else:
            raise ValueError(f"a cycle: {left}")
        done[task] = None
        left.remove(task)
    return list(done)
''',
    ),
    "stop at a divisor": (
        "primes",
        """
def primes(limit):
    found = []
    for number in range(2, limit):
        for divisor in range(2, number):
            if number % divisor == 0:
                break
        else:
            found.append(number)
    return found
""",
    ),
    "a sieve": (
        "primes",
        """
def primes(limit):
    if limit < 3:
        return []
    sieve = bytearray([1]) * limit
    for number in range(2, int(limit**0.5) + 1):
        if sieve[number]:
            for multiple in range(number * number, limit, number):
                sieve[multiple] = 0
    return [number for number in range(2, limit) if sieve[number]]
""",
    ),
    "rows copied": (
        "flooded",
        '''
def flooded(grid, row, column):
    """Fills a copy of the grid from a place on."""
    filled = [list(line) for line in grid]
    waiting = [(row, column)]
    while waiting:
        at, across = waiting.pop()
        if 0 <= at < len(filled):
            line = filled[at]
            if 0 <= across < len(line) and line[across] == 0:
                line[across] = 2
                waiting += ((at + 1, across), (at - 1, across), (at, across + 1), (at, across - 1))
    return filled
''',
    ),
}
