"""Scripts that do their work when they are imported are told so."""

import dataclasses
from pathlib import Path

import pytest
from replaying import Program

from perftrace.optimizer import main_guard


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def main():\n    pass\nmain()\n", True),
        ("for n in range(9):\n    print(n)\n", True),
        ("try:\n    main()\nexcept E:\n    pass\n", True),
        ('"""Text."""\nimport os\nN = len("x")\nif __name__ == "__main__":\n    print(1)\n', False),
        ("def broken(:\n", False),
    ],
)
def test_work_at_the_top_level_is_told_of(text: str, told: bool, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(text)
    recorded = Program(tmp_path).process.run
    run = dataclasses.replace(recorded, command=("app.py",), wall_s=3.04)
    found = main_guard.advice(run)
    assert bool(found) is told
    assert not told or "app.py does its work whenever it is imported" in found
    assert not told or "(3.0 s when it was recorded)" in found
    assert main_guard.advice(dataclasses.replace(run, wall_s=0.1)) == ""
    assert main_guard.advice(dataclasses.replace(run, form="module")) == ""
