"""Which functions of a trace differ between two revisions of its program."""

import ast
import functools
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from perftrace.errors import StaleError, TraceError
from perftrace.model import Function
from perftrace.optimizer import definitions, patch, write
from perftrace.optimizer.definitions import Key, Side, Texts
from perftrace.optimizer.git import Place, Repository
from perftrace.optimizer.workers import Here, Revision
from perftrace.replay import recorded
from perftrace.replay.requests import Target
from perftrace.store import Store

UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Files:
    """The Python files that differ between two places, as each of them has them."""

    old: Texts
    new: Texts
    overlays: tuple[Texts, Texts]  # what stands in for the files on the disk
    root: Path  # of the repository
    others: tuple[str, ...]  # files that differ and are not Python: both see those on the disk
    unreadable: tuple[str, ...]  # Python files that can't be decoded


@dataclass(frozen=True, slots=True)
class Change:
    """A function of the trace that differs, or depends on code that does."""

    function: Function  # as it was recorded
    file: str  # its file, if that differs
    what: str  # "changed", "renamed to total", "deleted", "uses RATES, which changed", …
    old: Key | None
    new: Key | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two revisions, as far as a trace knows it."""

    old: Revision
    new: Revision
    listed: tuple[Change, ...]
    untraced: tuple[str, ...]  # changed definitions of which there is no call
    unshared: frozenset[str]  # names that one revision alone has
    files: Files
    sides: tuple[Side, Side]

    @property
    def several(self) -> bool:
        """Whether more than one function changed, or code around them."""
        return len(self.listed) + len(self.untraced) > 1


def read(repository: Repository, old: Place, new: Place) -> Files:
    """The files that differ.

    Raises:
        UsageError: git fails.
    """
    disk = repository.place(".")
    tracked = repository.changed(old, new)
    loose = repository.untracked() if disk in {old, new} and old != new else set()
    wanted = sorted(tracked | loose | repository.changed(old, disk) | repository.changed(new, disk))
    texts: dict[str, tuple[str | None, str | None]] = {}
    unreadable = []
    for path in wanted:
        if path.endswith(".py"):
            try:
                both = repository.text(old, path), repository.text(new, path)
            except (ValueError, OSError):
                unreadable.append(path)
            else:
                texts[str(repository.root / path)] = both
    kept = {str(repository.root / path) for path in loose}
    return Files(
        old={path: both[0] for path, both in texts.items() if both[0] != both[1]},
        new={path: both[1] for path, both in texts.items() if both[0] != both[1]},
        overlays=(
            {path: a for path, (a, _) in texts.items() if a is not None or path not in kept},
            {path: b for path, (_, b) in texts.items() if b is not None or path not in kept},
        ),
        root=repository.root,
        others=tuple(sorted(path for path in tracked if not path.endswith(".py"))),
        unreadable=tuple(unreadable),
    )


def nothing(root: Path) -> Files:
    """No file differs: both places are the files as they are."""
    return Files({}, {}, ({}, {}), root, (), ())


def find(
    store: Store,
    functions: Sequence[Function],
    files: Files,
    names: tuple[str, str],
    wanted: Collection[int] = (),
) -> Changes:
    """The functions that differ, in the order given, and where each is in the two revisions.

    Args:
        store: the trace.
        functions: all of the trace.
        files: what differs.
        names: of the revisions.
        wanted: ids of functions; these alone are listed then, also where they do not differ.

    Raises:
        TraceError: the trace file is damaged.
    """
    looking = _Looking(store, functions, files)
    targets = looking.targets()
    listed = tuple(looking.listed(wanted))
    as_recorded = looking.as_recorded()
    return Changes(
        old=Revision(names[0], files.overlays[0], targets[0], as_recorded),
        new=Revision(names[1], files.overlays[1], targets[1]),
        listed=listed,
        untraced=tuple(looking.untraced()),
        unshared=frozenset(looking.sides[0].names ^ looking.sides[1].names),
        files=files,
        sides=looking.sides,
    )


class _Looking:
    """Puts the functions of a trace beside two revisions of their files."""

    def __init__(self, store: Store, functions: Sequence[Function], files: Files) -> None:
        self._store = store
        self._functions = [one for one in functions if not one.name.startswith("<")]
        self._files = files
        self._paths = {os.path.realpath(path): path for path in files.old}
        self.sides = definitions.side(files.old), definitions.side(files.new)
        self._pairs = definitions.pairs(*self.sides)
        self._back = {new: old for old, new in self._pairs.items()}
        self._around = definitions.changed_around(*self.sides)
        self._both = {one.id: self._placed(one) for one in self._functions}

    def _placed(self, function: Function) -> tuple[Key | None, Key | None]:
        """Where a function is in each revision, if its file differs."""
        file = self._paths.get(os.path.realpath(function.file))
        if file is None:
            return None, None
        key = file, function.qualname, self._target(function).ordinal
        if key in self.sides[0].places:
            return key, self._pairs.get(key)
        return (self._back.get(key), key) if key in self.sides[1].places else (None, None)

    def _target(self, function: Function) -> Target:
        if function.id < 0:
            return Target(function.file, function.qualname, function.line, function.module)
        return recorded.target(self._store, function)

    # --- what differs ---

    def listed(self, wanted: Collection[int]) -> Iterator[Change]:
        """The functions that differ or depend on what does; those that are wanted, if any."""
        names = self._changed_names()
        found: dict[int, Change] = {}
        for function in sorted(self._functions, key=lambda one: one.file):  # each parsed once
            old, new = self._both[function.id]
            what = self._what(function, old, new)
            if not what and names:
                what = self._uses(function, old, names)
            if (function.id in wanted) if wanted else what:
                file = self._paths.get(os.path.realpath(function.file), "")
                found[function.id] = Change(function, file, what or UNCHANGED, old, new)
        yield from (found[one.id] for one in self._functions if one.id in found)

    def _what(self, function: Function, old: Key | None, new: Key | None) -> str:
        """How the function itself differs; empty: it does not, or its file does not."""
        file = self._paths.get(os.path.realpath(function.file))
        if file is None:
            return ""
        if old is None or new is None:
            broken = [side.broken[file] for side in self.sides if file in side.broken]
            if broken:
                return f"in a file that can't be parsed: {broken[0]}"
            if old is None and new is None:
                return "in neither revision"
            return "deleted" if new is None else "added"
        changed = not definitions.same(self.sides[0].places[old], self.sides[1].places[new])
        if old == new:
            return "changed" if changed else ""
        place = PurePath(new[0]).relative_to(self._files.root)
        where = f"renamed to {new[1]}" if old[0] == new[0] else f"moved to {place}:{new[1]}"
        return f"{where} and changed" if changed else where

    def _changed_names(self) -> dict[str, set[str]]:
        """By file: what its other code may mention that is another thing now."""
        found: dict[str, set[str]] = {}
        for file, name in self._around:
            found.setdefault(file, set()).add(name)
        for key in self._changed_definitions():
            if "<locals>" not in key[1]:
                found.setdefault(key[0], set()).add(key[1])
        return found

    def _changed_definitions(self) -> Iterator[Key]:
        old, new = self.sides
        for key, place in old.places.items():
            now = self._pairs.get(key)
            if now != key or not definitions.same(place, new.places[now]):
                yield key
        yield from (key for key in new.places if key not in self._back)

    def _uses(self, function: Function, old: Key | None, names: Mapping[str, set[str]]) -> str:
        """What an unchanged function depends on that changed; empty: nothing."""
        node, text = self._code(function, old)
        if node is None:
            return ""
        mentioned = definitions.mentioned(node)
        own = self._paths.get(os.path.realpath(function.file))
        for file, changed in names.items():
            if file == own:
                if "" in changed:
                    return "its module runs other code when it is imported"
                inside = [name for name in changed if function.qualname.startswith(f"{name}.")]
                if inside and (file, inside[0]) in self._around:
                    return f"{inside[0]} changed"
            elif not _imports(text, file):
                continue
            used = {name for name in changed if name.rpartition(".")[2] in mentioned}
            used = {name for name in used if (file, name) not in self._traced_keys()}
            if used:
                return f"uses {min(used)}, which changed"
        return ""

    def _traced_keys(self) -> set[tuple[str, str]]:
        """Changed functions of the trace: who calls them is replayed for them anyway."""
        return {(key[0], key[1]) for both in self._both.values() for key in both if key}

    def _code(self, function: Function, old: Key | None) -> tuple[ast.AST | None, str]:
        """The function's code, and its file's text."""
        if old is not None:
            return self.sides[0].places[old].node, self._files.old[old[0]] or ""
        if function.id < 0:
            return None, ""
        try:
            text = self._store.source_text(function)
            place = patch.place_of(text, function.qualname, function.line)
        except (TraceError, StaleError, SyntaxError, ValueError):
            return None, ""
        return place.node, text

    # --- where they are ---

    def targets(self) -> tuple[dict[Target, Here], dict[Target, Here]]:
        """Where each recorded function of the changed files is in the two revisions."""
        found: tuple[dict[Target, Here], dict[Target, Here]] = {}, {}
        for function in self._functions:
            file = self._paths.get(os.path.realpath(function.file))
            if function.id < 0 or file is None:
                continue
            target = self._target(function)
            both = self._both[function.id]
            refused = self._refused(function, both)
            decorated = self._decorated(both)
            for side, key in enumerate(both):
                here = self._here(function, key, self.sides[side], decorated=decorated)
                found[side][target] = Here(here, refused)
        return found

    def _here(
        self, function: Function, key: Key | None, side: Side, *, decorated: bool
    ) -> Target | None:
        if key is None:
            return None
        file, qualname, ordinal = key
        place = side.places[key]
        module = _module(function, file)
        through = decorated and bool(place.node.decorator_list)
        return Target(file, qualname, place.first, module, ordinal, through)

    def _decorated(self, both: tuple[Key | None, Key | None]) -> bool:
        """Whether its decorators differ: then what they make of it is called."""
        made = [
            [ast.dump(one) for one in side.places[key].node.decorator_list]
            for side, key in zip(self.sides, both, strict=True)
            if key is not None
        ]
        return len(made) == 2 and made[0] != made[1]

    def _refused(self, function: Function, both: tuple[Key | None, Key | None]) -> str:
        """Why calls of it can't be made in both revisions; empty: they can."""
        for side, key in zip(self.sides, both, strict=True):
            if key is None:
                return f"{function.qualname} is not there in both revisions"
            why = definitions.refuses(function.parameters, side.places[key].node)
            if why:
                return why
        return ""

    # --- the rest ---

    def untraced(self) -> Iterator[str]:
        """Changed definitions that are not in the trace, as "shop.py:total"."""
        known = {key for both in self._both.values() for key in both if key}
        for file, qualname, ordinal in sorted(set(self._changed_definitions())):
            if (file, qualname, ordinal) not in known and "<locals>" not in qualname:
                yield f"{PurePath(file).name}:{qualname}"

    def as_recorded(self) -> bool:
        """Whether the old files of all these functions are those that were recorded."""
        overlay = {os.path.realpath(path): text for path, text in self._files.overlays[0].items()}
        one_each = {one.file: one for one in self._functions if one.id >= 0}
        for file, function in one_each.items():
            path = os.path.realpath(file)
            text = overlay[path] if path in overlay else _on_disk(path)
            if text is None or _lines(self._store.source_text(function)) != _lines(text):
                return False
        return True


def _on_disk(path: str) -> str | None:
    try:
        return write.read(Path(path)).text
    except StaleError:
        return None


def _lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").splitlines()


def _imports(text: str, file: str) -> bool:
    """Whether a text may import what a file defines."""
    path = PurePath(file)
    return (path.parent.name if path.stem == "__init__" else path.stem) in _imported(text)


@functools.lru_cache(maxsize=8)
def _imported(text: str) -> frozenset[str]:
    """The words of a text's imports: of `from a.b import c` these three."""
    try:
        tree = patch.tree_of(text)
    except (SyntaxError, ValueError):
        return frozenset()
    imports = (one for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom))
    words = (word for one in imports for word in re.findall(r"\w+", ast.unparse(one)))
    return frozenset(words)


def _module(function: Function, file: str) -> str:
    """The name that a file is imported by, like that of the function's own file."""
    if os.path.realpath(file) == os.path.realpath(function.file):
        return function.module
    depth = 0 if function.module == "__main__" else function.module.count(".")
    base = PurePath(function.file).parents[depth]
    path = PurePath(file)
    if not path.is_relative_to(base):
        return path.stem
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
