"""What other people's test suites found: programs that a recorder disturbed, cut down."""

from pathlib import Path

import pytest
from running import assert_same

PROGRAMS = {
    "several interpreters": """
try: import _interpreters as interpreters
except ImportError: import _xxsubinterpreters as interpreters
for _ in range(4):
    number = interpreters.create()
    interpreters.run_string(number, 'import json; sum(n for n in range(200_000))')
    interpreters.destroy(number)
print('done')
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_recorded_program_behaves_as_under_plain_python(name: str, tmp_path: Path) -> None:
    assert_same(PROGRAMS[name], tmp_path)
