"""The report's text."""

import textwrap


def money(cents):
    """Cents as euros: 1234567 is 12,345.67."""
    return f"{cents / 100:,.2f}"


def relative(totals):
    """Each number as a share of the largest one."""
    shares = {}
    for name in totals:
        shares[name] = totals[name] / max(totals.values())
    return shares


def bars(totals):
    """A bar for each entry, the longest for the largest."""
    shares = relative(totals)
    lines = []
    for name in sorted(totals):
        bar = "#" * round(40 * shares[name])
        lines.append(f"{name:<8} {bar:<40} {money(totals[name]):>14}")
    return lines


def table(rows):
    """Rows of texts as a table; numbers to the right."""
    text = ""
    for row in rows:
        for column, cell in enumerate(row):
            width = max(len(other[column]) for other in rows)
            if cell.replace(",", "").replace(".", "").isdigit():
                text += cell.rjust(width) + "  "
            else:
                text += cell.ljust(width) + "  "
        text = text.rstrip() + "\n"
    return text


def section(title, body):
    """A heading and its text."""
    return f"{title}\n{'-' * len(title)}\n{body.rstrip()}\n"


def note(items, nothing):
    """A wrapped list in a sentence, or the sentence for none."""
    if not items:
        return nothing
    return textwrap.fill(", ".join(items), 78)
