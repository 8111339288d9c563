import dis
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from perftrace.tracer.inside.sites import loaded, opened_to


@pytest.mark.parametrize(
    ("call", "written"),
    [
        ("open(p)", False),
        ("open(p, 'r')", False),
        ("open(p, 'w')", True),
        ("open(p, 'rb+')", True),
        ("open(p, 'x', -1, 'utf-8')", True),
        ("open(p, encoding='utf-8')", False),
        ("open(p, mode='a', encoding='utf-8')", True),
        ("open(p, 'w', encoding=str())", None),
        ("open(p, how)", None),
        ("open(p, mode)", True),
        ("open(p, flags=flags)", None),
        ("open(*[p, 'w'])", None),
    ],
)
def test_the_byte_code_before_a_call_tells_the_mode(call: str, written: bool | None) -> None:
    answers: list[bool | None] = []

    def ask(*_: Any, **__: Any) -> None:
        frame = sys._getframe(1)
        found = dis.get_instructions(frame.f_code)
        offset = [one.offset for one in found if one.opname.startswith("CALL")][-1]
        answers.append(opened_to(frame.f_code, offset, frame))

    given = {"how)": ", how='w'", "mode)": ", mode='w'", "=flags)": ", flags=None"}
    parameters = "".join(text for end, text in given.items() if call.endswith(end))
    names: dict[str, Any] = {"open": ask}
    exec(f"def f(p{parameters}):\n    {call}\n", names)
    names["f"](Path("x"))
    assert answers == [written]


def test_the_dotted_names_that_code_loads() -> None:
    def f(x: Any) -> Any:
        return os.environ.get(x.name) or os.sep, sys

    assert list(loaded(f.__code__)) == [["os", "environ", "get"], ["os", "sep"], ["sys"]]
