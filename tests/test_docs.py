"""The documentation agrees with the code: links lead somewhere, commands and settings are named."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from perftrace import cli
from perftrace.config import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")}
    | {*ROOT.glob("examples/*.md"), *ROOT.glob("benchmarks/*.md")}
)


def dead_links(page: Path, text: str) -> list[str]:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    return [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead_links(page, page.read_text(encoding="utf-8")) == []


def test_a_dead_link_is_found() -> None:
    text = "[a](README.md) [b](nowhere.md#x) [c](https://example.org/nowhere.md)"
    assert dead_links(ROOT / "page.md", text) == ["nowhere.md"]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"\n| `perftrace {name}" in README


def test_the_readmes_settings_are_real_and_shown_with_their_defaults() -> None:
    block = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert block
    shown = tomllib.loads(block[1])["tool"]["perftrace"]
    defaults = msgspec.to_builtins(Settings())
    assert shown.keys() <= defaults.keys()
    plain = {key: value for key, value in shown.items() if not isinstance(value, list)}
    assert plain == {key: defaults[key] for key in plain}


def test_nobody_is_told_to_install_somebody_elses_package() -> None:
    for page in PAGES:
        assert "pip install perftrace" not in page.read_text(encoding="utf-8"), page
