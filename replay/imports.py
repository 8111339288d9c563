"""The names that a file of replay tests imports."""

import ast
import builtins
import keyword
import re
import sys
from collections.abc import Iterable

# A name that the file or a test uses itself: a user's function called so gets another one.
TAKEN = frozenset(
    {"check", "raises", "restore", "fill", "take", "exhaust", "run", "unchanged", "prints"}
    | {"logs", "warns"}
)
ALWAYS = frozenset({"pytest", "pytestmark", "result", "raised"}) | TAKEN | frozenset(dir(builtins))
COLLECTED = re.compile("[Tt]est")  # names that pytest takes for tests, wherever they come from
HELPERS = "perftrace.replay.testing"
# Modules whose functions are known by the module's name with them.
QUALIFIED = frozenset({"re", "operator"})


class Imports:
    """What to import, and the local name of each thing."""

    def __init__(self) -> None:
        self._local: dict[tuple[str, str], str] = {}  # (module, name or "") -> local name

    @classmethod
    def of(cls, tree: ast.Module) -> "Imports":
        """The imports a file already has: its kept tests use their local names."""
        found = cls()
        for node in tree.body:
            match node:
                case ast.ImportFrom(module=str(module)) if module != HELPERS:
                    for alias in node.names:
                        found._local[module, alias.name] = alias.asname or alias.name
                case ast.Import():
                    for alias in node.names:
                        found._local[alias.name, ""] = alias.asname or alias.name
                case _:
                    pass
        found._local.pop(("pytest", ""), None)
        return found

    def use(self, module: str, name: str) -> str:
        """The expression for a module (name "") or for something in it, `Outer.Inner` as well."""
        top, _, rest = name.partition(".")
        if module == "builtins":
            return name
        if module in QUALIFIED and name:
            return f"{self.use(module, '')}.{name}"
        if (module, top) not in self._local:
            self._local[module, top] = self._free(module, top)
        local = self._local[module, top]
        return f"{local}.{rest}" if rest else local

    def is_local(self, name: str) -> bool:
        """Whether a name is already that of an import."""
        return name in {local.partition(".")[0] for local in self._local.values()}

    def render(self, body: str, *, for_pytest: bool = True) -> str:
        """The import block for what the body of the file uses."""
        used = _names(body)
        helpers = {(HELPERS, name): name for name in TAKEN & used if not self.is_local(name)}
        wanted = {key: name for key, name in self._local.items() if name.split(".")[0] in used}
        third = {("pytest", ""): "pytest"} | helpers if for_pytest else helpers
        own: dict[tuple[str, str], str] = {}
        library: dict[tuple[str, str], str] = {}
        for key, name in wanted.items():
            standard = key[0].partition(".")[0] in sys.stdlib_module_names
            (library if standard else own)[key] = name
        return "\n".join(_block(part) for part in (library, third, own) if part)

    def _free(self, module: str, name: str) -> str:
        if not name:
            return module
        prefix = re.sub(r"\W", "_", module.rpartition(".")[2])
        local = f"_{name}" if COLLECTED.match(name) else name
        while local in ALWAYS or self.is_local(local) or keyword.iskeyword(local):
            local = f"{prefix}_{local}"
            local = f"_{local}" if COLLECTED.match(local) else local
        return local


def _names(body: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}


def _block(wanted: dict[tuple[str, str], str]) -> str:
    plain = sorted(module for module, name in wanted if not name)
    lines = [f"import {module}\n" for module in plain]
    for module in sorted({module for module, name in wanted if name}):
        names = sorted((name, local) for (m, name), local in wanted.items() if m == module and name)
        lines.append(_from(module, [n if n == local else f"{n} as {local}" for n, local in names]))
    return "".join(lines)


def _from(module: str, names: Iterable[str]) -> str:
    line = f"from {module} import {', '.join(names)}\n"
    if len(line) <= 101:
        return line
    inside = "".join(f"    {name},\n" for name in line.strip().partition(" import ")[2].split(", "))
    return f"from {module} import (\n{inside})\n"
