"""Every test runs in an empty folder of its own, with a configuration folder of its own."""

from pathlib import Path

import pytest

FOREIGN = ("PERFTRACE_DATABASE", "CI", "NO_COLOR", "FORCE_COLOR", "PYTHONPATH", "PYTHONSTARTUP")


@pytest.fixture(autouse=True)
def _isolated(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path.with_name(f"{tmp_path.name}-data")))
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
