from pathlib import Path

import pytest

from perftrace import config
from perftrace.errors import UsageError


def write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = config.load(tmp_path)
    assert settings == config.Settings()
    assert settings.database == ".perftrace/trace.db"


def test_keys_are_read_in_kebab_case(tmp_path: Path) -> None:
    write(
        tmp_path, '[tool.perftrace]\nreplay-dir = "checks"\nexclude = ["old/*"]\nmin-speedup = 2\n'
    )
    settings = config.load(tmp_path)
    assert (settings.replay_dir, settings.exclude, settings.min_speedup) == (
        "checks",
        ("old/*",),
        2.0,
    )


@pytest.mark.parametrize(
    ("text", "slug", "says"),
    [
        (
            "[tool.perftrace]\nmax-case = 3",
            "config-key",
            "unknown key max-case. Did you mean max-cases?",
        ),
        ("[tool.perftrace]\nzzz = 3", "config-key", "Known keys: source, exclude"),
        ("[tool.perftrace]\nmax-cases = 'many'", "config-value", "max-cases"),
        ("[tool.perftrace]\nmax-cases = 0", "config-value", "max-cases"),
        ("[tool.perftrace]\noverhead = 2", "config-value", "overhead"),
        ("[tool]\nperftrace = 3", "config-value", "Expected `object`"),
        ("[tool.perftrace", "config-syntax", "cannot be read"),
    ],
)
def test_a_bad_setting_is_one_clear_line(tmp_path: Path, text: str, slug: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        config.load(write(tmp_path, text))
    assert caught.value.slug == slug
    assert says in str(caught.value)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_tools_tables_are_left_alone(tmp_path: Path) -> None:
    assert config.load(write(tmp_path, "tool = 3")) == config.Settings()
    assert config.load(write(tmp_path, "[tool.other]\nkey = 1")) == config.Settings()


def test_the_root_is_the_nearest_folder_with_a_project_file(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert config.find_root(deep) == tmp_path / "a"
    write(tmp_path / "a" / "b", "")
    assert config.find_root(deep) == tmp_path / "a" / "b"
