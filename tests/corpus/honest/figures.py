"""Arithmetic, bit by bit the same."""

SUBJECT = '''"""Figures of measurements."""

import math

BOUNDS = [0, 5, 12, 20, 33, 47, 60, 75, 90, 110, 135, 160, 190, 220, 260, 300, 350, 400, 470, 550]


def mean(numbers):
    return sum(numbers) / len(numbers)


def variance(numbers):
    total = 0.0
    for number in numbers:
        total += (number - mean(numbers)) ** 2
    return total / len(numbers)


def cumulated(numbers):
    return [sum(numbers[: at + 1]) for at in range(len(numbers))]


def product(first, second):
    """Of matrices of integers."""
    rows = []
    for row in range(len(first)):
        line = []
        for column in range(len(second[0])):
            total = 0
            for at in range(len(second)):
                total += first[row][at] * second[at][column]
            line.append(total)
        rows.append(line)
    return rows


def classes(numbers):
    counts = [0] * (len(BOUNDS) + 1)
    for number in numbers:
        place = 0
        for bound in BOUNDS:
            if number >= bound:
                place += 1
        counts[place] += 1
    return counts


def powers(coefficients, x):
    total = 0
    for at in range(len(coefficients)):
        total += coefficients[at] * x**at
    return total


def ones(numbers):
    found = []
    for number in numbers:
        found.append(bin(number).count("1"))
    return found


def clipped(numbers, low, high):
    out = []
    for number in numbers:
        if number < low:
            out.append(low)
        elif number > high:
            out.append(high)
        else:
            out.append(number)
    return out


def scaled(numbers, factor):
    out = []
    for number in numbers:
        out.append(number * math.sqrt(factor) / math.log(factor + 2))
    return out


def closest(numbers, wanted):
    gaps = []
    for number in numbers:
        gaps.append((abs(number - wanted), number))
    gaps.sort()
    return gaps[0][1]


def generation(grid):
    """The next one of the game of life, on a torus."""
    height, width = len(grid), len(grid[0])
    new = []
    for row in range(height):
        line = []
        for column in range(width):
            near = 0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if down or right:
                        near += grid[(row + down) % height][(column + right) % width]
            line.append(1 if near == 3 or (near == 2 and grid[row][column]) else 0)
        new.append(line)
    return new


def digits(number):
    total = 0
    while number > 0:
        total += number % 10
        number //= 10
    return total


def main():
    for size in range(60, 80, 2):
        numbers = [at * 37 % 601 for at in range(4 * size)]
        variance([number / 7 for number in numbers[:size]])
        cumulated(numbers)
        square = [[at * one % 17 for one in range(size // 4)] for at in range(size // 4)]
        product(square, square)
        classes(numbers)
        powers(numbers[:size], size)
        ones(numbers)
        clipped(numbers, 50, 400)
        scaled([number / 3 for number in numbers], size / 5)
        closest(numbers, 4 * size)
        generation([[int(at * one % 3 == 0) for one in range(14)] for at in range(size // 4)])
        digits(7**size)


if __name__ == "__main__":
    main()
'''

FASTER = {
    "the mean once": (
        "variance",
        """
def variance(numbers):
    total = 0.0
    if numbers:
        middle = mean(numbers)
        for number in numbers:
            total += (number - middle) ** 2
    return total / len(numbers)
""",
    ),
    "accumulate": (
        "cumulated",
        """
from itertools import accumulate


def cumulated(numbers):
    return list(accumulate(numbers))
""",
    ),
    "rows bound once": (
        "product",
        '''
def product(first, second):
    """Of matrices of integers."""
    depth = range(len(second))
    rows = []
    for left in first:
        line = []
        for column in range(len(second[0])):
            total = 0
            for at in depth:
                total += left[at] * second[at][column]
            line.append(total)
        rows.append(line)
    return rows
''',
    ),
    "bisection": (
        "classes",
        """
from bisect import bisect_right


def classes(numbers):
    counts = [0] * (len(BOUNDS) + 1)
    for number in numbers:
        counts[bisect_right(BOUNDS, number)] += 1
    return counts
""",
    ),
    "Horner's scheme": (
        "powers",
        """
def powers(coefficients, x):
    total = 0
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total
""",
    ),
    "bit_count": (
        "ones",
        """
def ones(numbers):
    return [number.bit_count() for number in numbers]
""",
    ),
    "a comprehension of conditions": (
        "clipped",
        """
def clipped(numbers, low, high):
    return [low if n < low else high if n > high else n for n in numbers]
""",
    ),
    "roots and logarithms once": (
        "scaled",
        """
def scaled(numbers, factor):
    if not numbers:
        return []
    root, log = math.sqrt(factor), math.log(factor + 2)
    return [number * root / log for number in numbers]
""",
    ),
    "the least pair": (
        "closest",
        """
def closest(numbers, wanted):
    if not numbers:
        raise IndexError("list index out of range")
    return min([(abs(number - wanted), number) for number in numbers])[1]
""",
    ),
    "rows of neighbours": (
        "generation",
        '''
def generation(grid):
    """The next one of the game of life, on a torus."""
    height, width = len(grid), len(grid[0])
    new = []
    for row in range(height):
        above, this, below = grid[row - 1], grid[row], grid[(row + 1) % height]
        line = []
        for column in range(width):
            left, right = (column - 1) % width, (column + 1) % width
            near = (
                above[left] + above[column] + above[right]
                + this[left] + this[right]
                + below[left] + below[column] + below[right]
            )
            line.append(1 if near == 3 or (near == 2 and this[column]) else 0)
        new.append(line)
    return new
''',
    ),
    "digits as text": (
        "digits",
        """
def digits(number):
    return sum(map(int, str(number))) if number > 0 else 0
""",
    ),
}
