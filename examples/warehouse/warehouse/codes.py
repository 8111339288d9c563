"""Stock codes: two letters, four digits, and a check digit, as in `AK-0017-4`."""

import re

from warehouse.models import BadCode


def check_digit(stem):
    """The digit that guards a code against typing errors."""
    total = 0
    for position, character in enumerate(stem.replace("-", "")):
        weights = {0: 7, 1: 3, 2: 1}
        total += (ord(character) % 16) * weights[position % 3]
    return total % 10


def parse_sku(text):
    """The code in its usual form; spaces and small letters are forgiven.

    Raises:
        BadCode: it is not a stock code.
    """
    pattern = re.compile(r"\s*([A-Za-z]{2})-?(\d{4})-?(\d)\s*")
    match = pattern.fullmatch(text)
    if match is None:
        raise BadCode(text, "not a stock code")
    letters, digits, check = match.groups()
    stem = letters.upper() + "-" + digits
    if check_digit(stem) != int(check):
        raise BadCode(text, "wrong check digit")
    return stem + "-" + check
