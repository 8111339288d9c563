"""Revisions, read from a small repository."""

import os
import subprocess
from pathlib import Path

import pytest

from perftrace.errors import UsageError
from perftrace.optimizer.git import Commit, Repository

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    for number, text in enumerate(["x = 1\n", "x = 2\n"]):
        (tmp_path / "a.py").write_text(text)
        (tmp_path / "b ü.py").write_text(f"# {number // 2}\n")
        if not number:
            subprocess.run([*GIT, "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run([*GIT, "add", "-A"], cwd=tmp_path, check=True)
        subprocess.run([*GIT, "commit", "-qm", str(number)], cwd=tmp_path, check=True)
    return Repository(tmp_path)


def test_a_file_has_the_text_of_its_revision(repository: Repository) -> None:
    (repository.root / "a.py").write_text("x = 3\n")
    texts = [repository.text(repository.place(name), "a.py") for name in ("HEAD~1", "HEAD", ".")]
    assert texts == ["x = 1\n", "x = 2\n", "x = 3\n"]


def test_what_differs_is_told_for_commits_and_for_the_files_as_they_are(
    repository: Repository,
) -> None:
    (repository.root / "b ü.py").write_text("# other\n")
    (repository.root / "new.py").write_text("")
    head, before, here = (repository.place(name) for name in ("HEAD", "HEAD~1", "WORKTREE"))
    assert repository.changed(before, head) == {"a.py"}
    assert repository.changed(head, here) == {"b ü.py"}
    assert repository.changed(here, here) == set()
    assert repository.untracked() == {"new.py"}


def test_an_edit_of_the_same_size_in_the_moment_of_a_checkout_is_seen(
    repository: Repository,
) -> None:
    subprocess.run([*GIT, "config", "core.trustctime", "false"], cwd=repository.root, check=True)
    edited, index = repository.root / "a.py", repository.root / ".git" / "index"
    then = (1_000_000_000, 1_000_000_000)
    os.utime(edited, then)
    subprocess.run([*GIT, "update-index", "-q", "--refresh"], cwd=repository.root, check=True)
    os.utime(index, then)  # written in the same second as the file, so git must read the file
    edited.write_text("x = 9\n")
    os.utime(edited, then)
    assert repository.changed(repository.place("HEAD"), repository.place(".")) == {"a.py"}


def test_a_file_that_is_not_there_has_no_text(repository: Repository) -> None:
    for name in ("HEAD", "."):
        assert repository.text(repository.place(name), "none.py") is None


def test_what_is_no_python_text_can_not_be_decoded(repository: Repository) -> None:
    (repository.root / "a.py").write_bytes(b"# coding: no-such-coding\n")
    with pytest.raises(ValueError, match="no-such-coding"):
        repository.text(repository.place("."), "a.py")


def test_reading_leaves_the_index_as_it_is(repository: Repository) -> None:
    index = repository.root / ".git" / "index"
    os.utime(repository.root / "a.py", (1_000_000_000, 1_000_000_000))  # git would note the time
    before = index.read_bytes()
    assert repository.changed(repository.place("HEAD"), repository.place(".")) == set()
    assert index.read_bytes() == before


@pytest.mark.parametrize("name", ["none", "--all", "HEAD:a.py", ""])
def test_an_unknown_revision_is_wrong_usage(repository: Repository, name: str) -> None:
    with pytest.raises(UsageError, match="git knows no revision"):
        repository.place(name)


def test_without_git_it_says_so(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="git can't be started"):
        repository.place("HEAD")


def test_a_branch_is_left_where_it_forked(repository: Repository, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=repository.root, check=True, capture_output=True)

    start = repository.place("HEAD")
    assert isinstance(start, Commit)
    git("checkout", "-qb", "trunk")
    git("commit", "-qm", "more", "--allow-empty")
    git("checkout", "-qb", "work", "HEAD~1")
    assert repository.fork_point("trunk") == Commit("trunk", start.id)
    git("checkout", "-q", "--orphan", "other")
    git("commit", "-qm", "nothing in common")
    assert repository.fork_point("trunk") == repository.place("trunk")
    with pytest.raises(UsageError, match="no revision to compare with"):
        repository.fork_point("WORKTREE")
    shallow = tmp_path / "shallow"
    subprocess.run(
        [*GIT, "clone", "-q", "--depth", "1", f"file://{repository.root}", str(shallow)], check=True
    )
    with pytest.raises(UsageError, match="fetch-depth: 0"):
        Repository(shallow).fork_point("trunk")
