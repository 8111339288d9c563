"""A share of CPU time, as people write it. The pytest plugin reads it too: no other package."""

MOST = 0.5  # a recorder that takes more than the program


def share_of(text: str) -> float:
    """`5%` or `0.05` as a number.

    Raises ValueError, in words for whoever wrote it.
    """
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 < share <= MOST:
        raise ValueError(f"give a share of CPU time up to {MOST:.0%}, such as 5%")
    return share
