import re
import sqlite3
from pathlib import Path

from perftrace.schema import APPLICATION_ID, SCHEMA

TEXT = (Path(__file__).parents[3] / "docs" / "trace-file.md").read_text(encoding="utf-8")


def test_the_page_shows_the_schema_as_it_is() -> None:
    assert SCHEMA.strip() in TEXT
    assert hex(APPLICATION_ID) in TEXT


def test_the_questions_on_the_page_can_be_asked() -> None:
    blocks = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    shell = re.findall(r"trace\.db '(.*)'", TEXT)
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(SCHEMA)
        for question in [*blocks[0].split(";"), *shell]:
            connection.execute(question)
    finally:
        connection.close()
