"""Arrays of numpy: types, shapes, orders, masks, and what shares memory."""

NEEDS = "numpy"
SUBJECT = '''"""A grid of readings."""

import numpy as np


def scaled(rows, factor):
    found = np.empty_like(rows)
    for number in range(len(rows)):
        found[number] = rows[number] * factor
    return found


def column(rows, number):
    return np.array([row[number] for row in rows])


def total(values):
    result = 0
    for value in values.tolist():
        result += value
    return result


def means(rows):
    found = np.zeros(len(rows))
    for number, row in enumerate(rows):
        found[number] = np.nanmean(row)
    return found


def clipped(masked, low, high):
    found = masked.copy()
    for place in range(len(found)):
        if found[place] is not np.ma.masked:
            found[place] = min(max(found[place], low), high)
    return found


def fixed(values):
    found = np.array([value for value in values.tolist() if value > 0])
    found.flags.writeable = False
    return found


def main():
    for number in range(3, 20):
        rows = np.arange(number * 4.0).reshape(number, 4) / 7
        scaled(rows, 1.1)
        column(rows, number % 4)
        total(np.arange(number))
        gaps = rows.copy()
        gaps[0, number % 4] = np.nan
        means(gaps)
        clipped(np.ma.array(np.arange(number), mask=[n % 3 == 0 for n in range(number)]), 2, 9)
        fixed(np.arange(-3, number))


if __name__ == "__main__":
    main()
'''

_SCALED = """    found = np.empty_like(rows)
    for number in range(len(rows)):
        found[number] = rows[number] * factor
    return found
"""
_COLUMN = "    return np.array([row[number] for row in rows])\n"
_TOTAL = """    result = 0
    for value in values.tolist():
        result += value
    return result
"""
_MEANS = """    found = np.zeros(len(rows))
    for number, row in enumerate(rows):
        found[number] = np.nanmean(row)
    return found
"""
_CLIPPED = """    found = masked.copy()
    for place in range(len(found)):
        if found[place] is not np.ma.masked:
            found[place] = min(max(found[place], low), high)
    return found
"""
_FIXED = """    found = np.array([value for value in values.tolist() if value > 0])
    found.flags.writeable = False
    return found
"""

CHEATS = {
    "less precise inside": (
        "scaled",
        _SCALED,
        '    return (rows.astype("f4") * np.float32(factor)).astype(rows.dtype)\n',
    ),
    "another type": ("scaled", _SCALED, '    return (rows * factor).astype("f4")\n'),
    "the argument changed in place": ("scaled", _SCALED, "    rows *= factor\n    return rows\n"),
    "the argument changed, a copy returned": (
        "scaled",
        _SCALED,
        "    rows *= factor\n    return rows.copy()\n",
    ),
    "Fortran's order": ("scaled", _SCALED, '    return np.asarray(rows * factor, order="F")\n'),
    "another byte order": ("scaled", _SCALED, '    return (rows * factor).astype(">f8")\n'),
    "one array for every call": (
        "scaled",
        f"def scaled(rows, factor):\n{_SCALED}",
        "_kept = {}\n\n\ndef scaled(rows, factor):\n"
        "    found = _kept.setdefault(rows.shape, np.empty_like(rows))\n"
        "    found[:] = rows * factor\n    return found\n",
    ),
    "an array that it keeps": (
        "scaled",
        f"def scaled(rows, factor):\n{_SCALED}",
        "_kept = {}\n\n\ndef scaled(rows, factor):\n    key = rows.tobytes(), rows.shape, factor\n"
        "    if key not in _kept:\n        _kept[key] = rows * factor\n    return _kept[key]\n",
    ),
    "a view for a copy": ("column", _COLUMN, "    return rows[:, number]\n"),
    "a column of one": ("column", _COLUMN, "    return rows[:, [number]]\n"),
    "a list": ("column", _COLUMN, "    return rows[:, number].tolist()\n"),
    "numpy's integer": ("total", _TOTAL, "    return values.sum()\n"),
    "a float": ("total", _TOTAL, "    return float(values.sum())\n"),
    "NaN spreads": ("means", _MEANS, "    return rows.mean(axis=1)\n"),
    "NaN counts as zero": ("means", _MEANS, "    return np.nan_to_num(rows).mean(axis=1)\n"),
    "masked entries dropped": (
        "clipped",
        _CLIPPED,
        "    return np.ma.array(np.clip(masked.compressed(), low, high))\n",
    ),
    "no mask": ("clipped", _CLIPPED, "    return np.clip(masked.data, low, high)\n"),
    "masked entries clipped too": (
        "clipped",
        _CLIPPED,
        "    return np.ma.array(np.clip(masked.data, low, high), mask=masked.mask)\n",
    ),
    "another fill value": (
        "clipped",
        "    return found\n\n\ndef fixed",
        "    found.fill_value = 7\n    return found\n\n\ndef fixed",
    ),
    "may be written": ("fixed", _FIXED, "    return values[values > 0]\n"),
}
HONEST = {
    "all at once": ("scaled", _SCALED, "    return rows * factor\n"),
    "a copy of a column": ("column", _COLUMN, "    return rows[:, number].copy()\n"),
    "Python's sum": ("total", _TOTAL, "    return sum(values.tolist())\n"),
    "the sum as Python's": ("total", _TOTAL, "    return int(values.sum())\n"),
    "a mask": (
        "fixed",
        "np.array([value for value in values.tolist() if value > 0])",
        "values[values > 0]",
    ),
}
