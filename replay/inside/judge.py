"""Runs a test of a function that is elsewhere: each call is handed out, its answer comes back.

What a test asserts is decided in this process, where the code under test never is. It gets the
arguments, and what it answers is data, so it can't look like what a test expects.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from .drive import RAISED, RETURNED, seed
from .program import describe

GONE = "gone"  # there is no answer: the test is of no more use

# From positional arguments as one, then named ones, and their names, to how the call ended, and
# `[payload, arguments afterwards]`; of arguments that can't change there is None.
type Ask = Callable[[list[Any], list[str]], tuple[str, list[Any]]]


class Gone(BaseException):
    """A call has no answer. Not an Exception, so that no test takes it for one of the function."""


class Stub:
    """Stands for the function."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function answers; arguments that it changed in place are changed."""
        ending, answer = self._ask([args, *kwargs.values()], list(kwargs))
        if ending not in (RETURNED, RAISED):
            raise Gone
        payload, (first, *others) = answer
        for mine, its in zip((*args, *kwargs.values()), (*(first or args), *others), strict=True):
            _become(mine, its)
        if ending == RAISED:
            raise payload
        return payload


def _become(mine: Any, its: Any) -> None:
    """Give a container the contents that the function left in its copy."""
    if type(mine) is not type(its):
        return
    if isinstance(mine, list | bytearray):
        mine[:] = its
    elif isinstance(mine, dict | set):
        mine.clear()
        mine.update(its)


def run(test: FunctionType, names: list[str], ask: Ask) -> dict[str, str]:
    """How the test went, as a message: an empty `error` where it passed.

    Args:
        test: takes no arguments.
        names: globals of the test's module that stand for the function.
        ask: gets the answer to a call.
    """
    stub = Stub(ask)
    for name in names:
        test.__globals__[name] = stub
    seed()
    try:
        test()
    except Gone:
        return {"error": GONE}
    except BaseException as error:  # noqa: BLE001 - what the test says
        return {"error": describe(error)}
    return {"error": ""}
