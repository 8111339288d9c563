"""A placeholder stands for what was not recorded: passing it on is fine, using it is not."""

import functools
import importlib
import io
import pathlib
import pickle
from typing import Any

import pytest

from perftrace.replay.compare import Different, Same, compare
from perftrace.restore import Placeholder, Unreplayable, decode
from perftrace.snapshot import encode
from perftrace.values import ListNode, OpaqueNode, read

CAP = 1 << 22


def resolve(module: str, qualname: str) -> object:
    found: object = importlib.import_module(module)
    return functools.reduce(getattr, qualname.split("."), found) if qualname else found


def restored(value: object) -> Any:
    return decode(encode(value, CAP)[0], resolve)


TOUCHES = [
    lambda p: p.attribute,
    lambda p: setattr(p, "attribute", 1),
    lambda p: p(),
    lambda p: list(p),
    lambda p: next(p),
    lambda p: len(p),
    lambda p: bool(p),
    lambda p: p == 1,
    lambda p: p != p,  # noqa: PLR0124
    lambda p: p < 1,
    lambda p: {p: 1},
    lambda p: 1 in p,
    lambda p: p[0],
    lambda p: p + 1,
    lambda p: 1 + p,
    lambda p: -p,
    lambda p: int(p),
    lambda p: str(p),
    lambda p: f"{p}",
    lambda p: repr(p),
    lambda p: isinstance(p, int),
    lambda p: pickle.dumps(p),
    lambda p: p.__enter__(),
    lambda p: round(p),
    lambda p: pathlib.Path(p),
    lambda p: print(p, file=io.StringIO()),
]


@pytest.mark.parametrize("touch", TOUCHES)
def test_touching_a_placeholder_says_that_it_was_not_recorded(touch: Any) -> None:
    placeholder = restored(memoryview(b"a"))
    assert type(placeholder) is Placeholder
    with pytest.raises(Unreplayable, match=r"a memoryview that could not be recorded: its state"):
        touch(placeholder)


def test_a_placeholder_may_be_passed_on_and_is_written_as_seen() -> None:
    first, second = restored([memoryview(b"a"), memoryview(b"a")])
    node = read(encode([second, {"k": second}, first], CAP)[0])
    assert isinstance(node, ListNode)
    assert isinstance(node.items[0], OpaqueNode)
    assert (node.items[0].number, node.items[0].seen) == (1, True)
    assert encode([second], CAP)[1] == 1


def test_the_same_placeholder_is_the_same_and_another_is_not() -> None:
    def replay(index: int) -> Any:
        return read(encode([restored([memoryview(b"a"), memoryview(b"a")])[index], None], CAP)[0])

    assert compare(replay(0), replay(0)) == Same()
    assert isinstance(compare(replay(0), replay(1)), Different)


def test_a_method_of_a_placeholder_is_a_placeholder() -> None:
    assert type(restored([memoryview(b"a").release])[0]) is Placeholder
