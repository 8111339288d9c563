"""The types that all rooms speak in."""

from dataclasses import replace
from pathlib import Path

import pytest

from perftrace.model import Run

RUN = Run.unrecorded(Path("/project"), Path("/bin/python"))


@pytest.mark.parametrize(
    ("form", "command", "shown"),
    [
        ("script", ("tools/app.py", "--key", "hunter2"), "python tools/app.py"),
        ("script", ("/home/ann/app.py",), "python app.py"),
        ("module", ("shop", "serve"), "python -m shop"),
        ("command", ("python3.13", "-m", "pytest", "tests"), "python -m pytest"),
        ("command", ("/home/ann/.venv/bin/python", "-m", "pytest"), "python -m pytest"),
        ("command", ("python", "app.py"), "python"),
        ("command", ("./manage.sh", "-m", "hunter2"), "manage.sh"),
        ("command", ("python", "-m"), "python -m"),
    ],
)
def test_a_program_is_shown_without_its_arguments(
    form: str, command: tuple[str, ...], shown: str
) -> None:
    assert replace(RUN, form=form, command=command).program == shown
