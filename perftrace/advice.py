"""What a user can do about a reason why something was not recorded."""

import re

LARGEST_KB = 16 << 10  # that `--value-size` takes
STEP = 8
_LARGE = re.compile(r"larger than (\d+) KB$")


def advised(reason: str) -> str:
    """The reason, with the option that helps where there is one."""
    found = _LARGE.search(reason)
    if found is None or int(found[1]) >= LARGEST_KB:
        return reason
    wanted = min(int(found[1]) * STEP, LARGEST_KB)
    size = f"{wanted >> 10}MB" if wanted >= 1 << 10 else f"{wanted}KB"
    return f"{reason}, perftrace run --value-size {size} allows more"
