"""The architecture, kept by tests: each guard returns the breaches, and is itself tested."""

import ast
import graphlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKED = ("tracer", "replay", "optimizer")  # beside perftrace/, installed within it

# Lowest first. A level holds groups; a module may import its own group and the levels below, so
# that `tracer` and `replay`, two groups of one level, never meet. A name stands for all within it.
LEVELS: tuple[tuple[frozenset[str], ...], ...] = (
    (
        frozenset({"perftrace", "errors", "model", "schema", "compress", "nodes"}),
        frozenset(
            {"snapshot", "restore", "reduce", "near", "native", "layout", "naming", "effects"}
            | {"adapters", "constants"}
        ),
    ),
    (frozenset({"config", "key", "faults", "advice"}),),
    (frozenset({"values", "show", "rows", "database", "store", "locate", "secret", "rewrites"}),),
    (frozenset({"merge", "retain", "examine", "target"}),),
    (frozenset({"tracer"}), frozenset({"replay"})),
    (frozenset({"optimizer"}),),
    (frozenset({"report"}),),
    (frozenset({"cli"}),),
    (frozenset({"__main__"}),),
)

# Each dependency has one door: the modules that may import it. What has no door is not imported.
DOORS = {
    "sqlite3": {"perftrace.store", "perftrace.database", "perftrace.rewrites"},
    "sqlite_utils": {"perftrace.store"},
    "libcst": {"perftrace.optimizer"},
    "msgspec": {"perftrace.config", "perftrace.optimizer.decisions"},  # what is typed JSON, TOML
    "backports": {"perftrace.compress"},
    "compression": {"perftrace.compress"},
    "click": {"perftrace.cli"},
    "rich": {"perftrace.cli", "perftrace.report"},
    "anthropic": {"perftrace.optimizer.models.anthropic"},
    "openai": {"perftrace.optimizer.models.openai"},
    "mcp": {"perftrace.cli.mcp"},
    "pytest": {"perftrace.tracer.plugin"},
    "sitecustomize": {"perftrace.tracer.inject", "perftrace.replay.inject"},  # the user's own
}

# What runs inside foreign interpreters: the standard library and each other, nothing else.
INSIDE = {
    *(
        f"perftrace.{name}"
        for name in (
            "snapshot",
            "restore",
            "reduce",
            "near",
            "native",
            "adapters",
            "constants",
            "layout",
            "naming",
            "effects",
        )
    ),
    "perftrace.tracer.inside",
    "perftrace.tracer.inject",
    "perftrace.tracer.plugin",  # and pytest, which loads it
    "perftrace.tracer.shares",
    "perftrace.replay.inside",
    "perftrace.replay.inject",
    "perftrace.replay.testing",  # replay tests import it in the user's environment
}
HOSTS = {"perftrace.tracer.plugin": "pytest"}  # what loads a module is there already
TOO_HEAVY = {"asyncio", "ctypes", "logging", "multiprocessing", "sqlite3"}  # for a traced program


@dataclass(frozen=True)
class Module:
    """A module under its installed name."""

    name: str
    text: str
    package: bool = False

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def imports(self) -> Iterator[tuple[str, bool]]:
        """Each imported dotted name, and whether the import was written relatively."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, False) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from ((f"{base}.{alias.name}", node.level > 0) for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        keep = len(self.name.split(".")) - node.level + self.package
        return ".".join([*self.name.split(".")[:keep], *filter(None, [node.module])])


@cache
def modules() -> tuple[Module, ...]:
    """Every module of ours."""
    return tuple(
        Module(_installed_name(path), path.read_text(encoding="utf-8"), path.stem == "__init__")
        for folder in ("perftrace", *LINKED)
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not (folder == "perftrace" and path.relative_to(ROOT).parts[1] in LINKED)
    )


def _installed_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "perftrace" else ("perftrace", *parts)
    return ".".join(parts).removesuffix(".__init__")


def within(name: str, places: Iterable[str]) -> bool:
    """Whether the name is one of the places or lies within one."""
    return any(name == place or name.startswith(f"{place}.") for place in places)


def own_imports(module: Module, known: set[str]) -> set[str]:
    """Our modules that a module imports: `from a import b` is `a.b` where that is a module."""
    found = set()
    for name, _ in module.imports():
        target = name if name in known else name.rpartition(".")[0]
        if target in known and target != module.name:
            found.add(target)
    return found


# --- the guards -----------------------------------------------------------------------------


def upward_imports(ours: Iterable[Module]) -> list[str]:
    ours = list(ours)
    known = {module.name for module in ours}
    breaches = []
    for module in ours:
        level, group = _place(module.name)
        for target in own_imports(module, known):
            other_level, other_group = _place(target)
            if not (other_level < level or other_group == group):
                breaches.append(f"{module.name} imports {target}")
    return breaches


def _place(name: str) -> tuple[int, frozenset[str]]:
    room = name.split(".")[1] if "." in name else name
    for level, groups in enumerate(LEVELS):
        for group in groups:
            if room in group:
                return level, group
    raise LookupError(f"{name} has no place in LEVELS")


def cycles(ours: Iterable[Module]) -> list[str]:
    ours = list(ours)
    known = {module.name for module in ours}
    graph = {module.name: own_imports(module, known) for module in ours}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def side_doors(ours: Iterable[Module]) -> list[str]:
    breaches = []
    for module in ours:
        for name, relative in module.imports():
            top = name.split(".")[0]
            ordinary = top in sys.stdlib_module_names or top in {"perftrace", "_perftrace"}
            if top in DOORS:
                if not within(module.name, DOORS[top]):
                    breaches.append(f"{module.name} imports {top}")
            elif not (ordinary or relative):
                breaches.append(f"{module.name} imports {top}, which has no door")
    return breaches


def outside_imports(ours: Iterable[Module]) -> list[str]:
    """Imports by which a module that runs in a foreign interpreter would need more than itself."""
    breaches = []
    for module in ours:
        if not within(module.name, INSIDE):
            continue
        for name, relative in module.imports():
            private = name.startswith("_perftrace.")
            inner = within(name.replace("_perftrace", "perftrace", 1), INSIDE)
            there = {*sys.stdlib_module_names, "sitecustomize", HOSTS.get(module.name)}
            standard = name.split(".")[0] in there
            hosted = module.name in HOSTS and name.startswith("perftrace.")  # under its own name
            if not (inner if relative or private or hosted else standard):
                breaches.append(f"{module.name} imports {name}")
    return breaches


def poor_docstrings(ours: Iterable[Module]) -> list[str]:
    return [
        module.name
        for module in ours
        if not (ast.get_docstring(module.tree) or "").partition("\n")[0].endswith(".")
    ]


def long_files(ours: Iterable[Module]) -> list[str]:
    counts = ((module.name, module.text.count("\n")) for module in ours)
    return [f"{name}: {count} lines" for name, count in counts if count > 400]


def borrowed_names(ours: Iterable[Module]) -> list[str]:
    """Modules that would hide one of the standard library if their folder were on sys.path."""
    return [m.name for m in ours if m.name.rpartition(".")[2] in sys.stdlib_module_names]


def vague_names(ours: Iterable[Module]) -> list[str]:
    vague = {"utils", "util", "helpers", "common", "misc", "manager", "base"}
    return [module.name for module in ours if vague & set(module.name.split("."))]


def prints(ours: Iterable[Module]) -> list[str]:
    return [
        f"{module.name}:{node.lineno}"
        for module in ours
        if not within(module.name, {"perftrace.cli"})
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]


GUARDS: tuple[Callable[[Iterable[Module]], list[str]], ...] = (
    upward_imports,
    cycles,
    side_doors,
    outside_imports,
    poor_docstrings,
    long_files,
    borrowed_names,
    vague_names,
    prints,
)


@pytest.mark.parametrize("guard", GUARDS)
def test_the_architecture_holds(guard: Callable[[Iterable[Module]], list[str]]) -> None:
    assert guard(modules()) == []


# --- each guard can fail ----------------------------------------------------------------------

DOC = '"""One sentence."""\n'
BREACHES = [
    (upward_imports, "perftrace.model", "from perftrace import store"),
    (upward_imports, "perftrace.tracer.launch", "import perftrace.replay.compare"),
    (upward_imports, "perftrace.replay.compare", "from perftrace.tracer.launch import x"),
    (upward_imports, "perftrace.optimizer.rank", "from perftrace.report import page"),
    (upward_imports, "perftrace.store", "def f():\n    from perftrace.cli import main"),
    (cycles, "perftrace.model", "from perftrace.errors import x"),
    (side_doors, "perftrace.replay.compare", "import sqlite3"),
    (side_doors, "perftrace.optimizer.rank", "import sqlite_utils"),
    (side_doors, "perftrace.replay.compare", "from libcst import parse_module"),
    (side_doors, "perftrace.cli.run", "import requests"),
    (outside_imports, "perftrace.snapshot", "from perftrace.model import Call"),
    (outside_imports, "perftrace.tracer.inside.monitor", "from perftrace import snapshot"),
    (outside_imports, "perftrace.tracer.inside.monitor", "from ...store import Store"),
    (outside_imports, "perftrace.replay.inside.worker", "import _perftrace.store"),
    (outside_imports, "perftrace.tracer.inject.sitecustomize", "import click"),
    (outside_imports, "perftrace.tracer.inside.monitor", "import pytest"),
    (poor_docstrings, "perftrace.model", "# no docstring"),
    (long_files, "perftrace.model", "\n" * 401),
    (borrowed_names, "perftrace.optimizer.select", ""),
    (vague_names, "perftrace.replay.helpers", ""),
    (prints, "perftrace.replay.compare", "print(1)"),
]
AROUND = (
    Module("perftrace.errors", DOC + "from perftrace.model import y"),
    Module("perftrace.store", DOC),
    Module("perftrace.report.page", DOC),
    Module("perftrace.cli", DOC, package=True),
)


def planted(name: str, text: str) -> list[Module]:
    fresh = Module(name, text)
    names = ("perftrace.model", "perftrace.tracer.launch", "perftrace.replay.compare", name)
    others = [Module(other, DOC) for other in names if other != name]
    kept = [module for module in AROUND if module.name != name]
    return [fresh, *dict.fromkeys(others), *kept]


@pytest.mark.parametrize(("guard", "name", "text"), BREACHES)
def test_a_planted_breach_is_found(
    guard: Callable[[Iterable[Module]], list[str]], name: str, text: str
) -> None:
    found = guard(planted(name, text if guard is poor_docstrings else DOC + text))
    assert len(found) == 1
    assert name in found[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("perftrace.tracer.inside.monitor", "from ...snapshot import encode\nimport os.path"),
        ("perftrace.tracer.inside.monitor", "from . import budget"),
        ("perftrace.replay.inside.worker", "from _perftrace.restore import decode"),
        ("perftrace.cli.run", "import click\nfrom perftrace.tracer import launch"),
        ("perftrace.optimizer.engines.rules.join", "import libcst as cst"),
    ],
)
def test_an_allowed_import_is_no_breach(name: str, text: str) -> None:
    ours = [Module(name, DOC + text)]
    assert [guard(ours) for guard in GUARDS] == [[] for _ in GUARDS]


def test_a_module_without_a_place_is_noticed() -> None:
    with pytest.raises(LookupError, match="has no place in LEVELS"):
        upward_imports([Module("perftrace.fresh", DOC)])


# --- packaging --------------------------------------------------------------------------------


def test_packages_folders_and_links_agree() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = table["tool"]["setuptools"]
    packages = {module.name for module in modules() if module.package}
    assert set(setuptools["packages"]) == packages
    assert setuptools["package-dir"] == {f"perftrace.{name}": name for name in LINKED}
    for name in LINKED:
        assert (ROOT / "perftrace" / name).resolve() == ROOT / name


def test_every_file_is_installed() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    setuptools = table["tool"]["setuptools"]
    installed = set(setuptools["packages"])
    for package, patterns in setuptools["package-data"].items():
        installed |= {f"{package}.{Path(p).parent}" for p in patterns if p.endswith("/*.py")}
    homeless = {m.name for m in modules() if not m.package} - {
        m.name for m in modules() if m.name.rpartition(".")[0] in installed
    }
    assert sorted(homeless) == []


# --- inside the user's process ------------------------------------------------------------------

LOAD = """
import importlib, json, sys, types
before = set(sys.modules)
for name, folder in json.loads(sys.argv[1]).items():
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [folder]
for name in sys.argv[2:]:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_the_recorder_loads_only_light_parts_of_the_standard_library() -> None:
    packages = {"_perftrace": ROOT / "perftrace", "_perftrace.tracer": ROOT / "tracer"}
    names = [
        m.name.replace("perftrace", "_perftrace", 1)
        for m in modules()
        if m.name.startswith("perftrace.tracer.inside.")
    ]
    folders = json.dumps({name: str(folder) for name, folder in packages.items()})
    command = [sys.executable, "-I", "-S", "-c", LOAD, folders, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)} - {"_perftrace"}
    assert loaded - sys.stdlib_module_names == set()
    assert loaded & TOO_HEAVY == set()
