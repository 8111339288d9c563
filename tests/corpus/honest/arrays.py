"""Arrays: what numpy does in one call."""

SUBJECT = '''"""Arrays of measurements."""

import numpy as np


def clipped(values, low, high):
    out = values.copy()
    for at in range(len(out)):
        if out[at] < low:
            out[at] = low
        elif out[at] > high:
            out[at] = high
    return out


def over(values, limit):
    count = 0
    for value in values:
        if value > limit:
            count += 1
    return count


def diagonal(matrix):
    found = []
    for at in range(min(matrix.shape)):
        found.append(int(matrix[at, at]))
    return found


def main():
    for size in range(300, 400, 10):
        values = np.array([at * 37 % 101 for at in range(size)], dtype=np.int64)
        clipped(values, 10, 80)
        over(values, 50)
        diagonal(np.arange(size * size // 16).reshape(size // 4, -1)[:60, :60])


if __name__ == "__main__":
    main()
'''

FASTER = {
    "masks": (
        "clipped",
        """
def clipped(values, low, high):
    out = values.copy()
    small = out < low
    large = ~small & (out > high)
    out[small] = low
    out[large] = high
    return out
""",
    ),
    "count_nonzero": (
        "over",
        """
def over(values, limit):
    return int(np.count_nonzero(values > limit))
""",
    ),
    "np.diagonal": (
        "diagonal",
        """
def diagonal(matrix):
    return matrix.diagonal().tolist()
""",
    ),
}
