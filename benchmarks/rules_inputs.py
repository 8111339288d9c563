"""What the generators of arguments of data sets need: `rules_sets.py` names it in `inputs.py`."""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

SIZES = (12, 60, 300, 1000, 10**12)
CUTS = (8, 40, 200, 1000, 10**12)


def enamel(
    generate: Callable[[int, int, int], Any], levels: Sequence[int], seed: int
) -> Iterator[tuple[Any, ...]]:
    """Arguments of an ENAMEL generator, from small to large."""
    seen = set()
    for most in SIZES:
        for level, size in enumerate(levels):
            for case in range(2):
                wanted = (min(size, most), level, case)
                if wanted in seen:
                    continue
                seen.add(wanted)
                random.seed(f"{seed} {wanted}")
                yield tuple(generate(*wanted))


def coffe(
    small: Sequence[Sequence[Any]], stress: Sequence[str], seed: int
) -> Iterator[tuple[Any, ...]]:
    """Arguments of COFFE's tests and stress inputs, cut to several sizes; neighbours by seed."""
    dice = random.Random(seed)
    wanted = [tuple(one) for one in small]
    for most in CUTS:
        for text in stress:
            try:
                found = eval(text)
            except (ArithmeticError, LookupError, MemoryError, NameError, TypeError, ValueError):
                continue
            wanted.append(tuple(cut(list(found), most)))
    for one in wanted:
        yield tuple(other(part, dice) for part in one) if seed else one


def cut(value: Any, most: int) -> Any:
    """The value with containers and texts of at most so many parts."""
    if isinstance(value, str | bytes):
        return value[:most]
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(cut(one, most) for one in list(value)[:most])
    if isinstance(value, dict):
        return {key: cut(one, most) for key, one in list(value.items())[:most]}
    return value


def other(value: Any, dice: random.Random) -> Any:
    """A neighbour of the value: parts left out, doubled or in another order."""
    if type(value) is int:
        return value + dice.choice((0, 0, 1, -1)) if abs(value) > 2 else value
    if isinstance(value, str) and len(value) > 2:
        place = dice.randrange(len(value))
        return dice.choice((value, value[place:] + value[:place], value + value[:place]))
    if isinstance(value, list | tuple) and len(value) > 1:
        parts = [other(one, dice) for one in value]
        if len({type(one) for one in parts}) == 1:
            place = dice.randrange(len(parts))
            parts = dice.choice((parts, parts[::-1], parts[place:], parts + parts[:place]))
        return type(value)(parts)
    return value


# --- names that ENAMEL's generators use of their own package, written anew ---------------


def is_prime(number: int) -> bool:
    """By trial division."""
    return number > 1 and all(number % one for one in range(2, math.isqrt(number) + 1))


def rand_probably_prime(low: int, high: int | None = None) -> int:
    """A prime of at most the one bound, or between both."""
    least, most = (max(2, low // 2), max(3, low)) if high is None else (low, high)
    most = min(most, 10**12)
    found = random.randint(min(least, most), most)
    while not is_prime(found):
        found = found - 1 if found > 2 else 3
    return found


def rand_primality(size: int, level: int, case: int) -> int:
    """A prime, the square of one, or any number."""
    if case % 3 == 0:
        return rand_probably_prime(size)
    if case % 3 == 1:
        return rand_probably_prime(max(3, math.isqrt(size))) ** 2
    return random.randint(2, max(3, size))


def rand_parens(size: int, valid: bool = True, par: str = "()") -> str:  # noqa: FBT001, FBT002
    """Brackets that are balanced, or any."""
    if not valid:
        return "".join(random.choice(par) for _ in range(size))
    depth, made = 0, ""
    for left in range(size // 2 * 2, 0, -1):
        grows = depth == 0 or (depth < left and random.random() < 0.5)
        depth += 1 if grows else -1
        made += par[0] if grows else par[1]
    return made


def encode_shift(text: str) -> str:
    """Each letter by five further."""
    return "".join(chr((ord(one) + 5 - ord("a")) % 26 + ord("a")) for one in text)
