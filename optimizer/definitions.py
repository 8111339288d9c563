"""What differs between two texts of some files: definitions, and the code around them."""

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from perftrace.model import Binding, Parameter
from perftrace.optimizer import patch

type Texts = Mapping[str, str | None]  # absolute path -> source text; None: no such file
type Key = tuple[str, str, int]  # file, qualified name, ordinal among those of that name

GUARD = "__name__ == '__main__'"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Side:
    """The definitions of some files in one revision."""

    places: Mapping[Key, patch.Place]
    around: Mapping[tuple[str, str], str]  # file and name -> the code that gives it its value
    broken: Mapping[str, str] = field(default_factory=dict)  # file -> why it can't be parsed

    @property
    def names(self) -> set[str]:
        """The names that its modules and classes hold."""
        found = {key[1].rpartition(".")[2] for key in self.places if "<locals>" not in key[1]}
        return found | {name.rpartition(".")[2] for _, name in self.around if name}


def side(texts: Texts) -> Side:
    """The definitions of these files."""
    places: dict[Key, patch.Place] = {}
    around: dict[tuple[str, str], str] = {}
    broken: dict[str, str] = {}
    for file, text in texts.items():
        if text is None:
            continue
        try:
            tree = patch.tree_of(text)
            found = patch.places(text)
        except (SyntaxError, ValueError) as error:
            broken[file] = str(error)
            continue
        places |= {(file, place.qualname, place.ordinal): place for place in found}
        for name, code in _around(tree.body, ""):
            around[file, name] = around.get((file, name), "") + code
    return Side(places, around, broken)


def _around(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    """What a module or class holds beside its functions: each name, and its statement.

    A statement that binds no name goes by the empty one.
    """
    for index, node in enumerate(body):
        if isinstance(node, ast.ClassDef):
            name = f"{prefix}{node.name}"
            own = [*node.bases, *node.keywords, *node.decorator_list]
            yield name, " ".join(map(ast.dump, own)) + "class"
            yield from _around(node.body, f"{name}.")
        elif not isinstance(node, _SCOPES):
            bound = ["__doc__"] if index == 0 and _is_text(node) else _bound(node)
            codes = _imported(node) or [ast.dump(node)] * max(1, len(bound))
            for name, code in zip(bound or [""], codes, strict=True):
                yield f"{prefix}{name}", code


def _imported(node: ast.stmt) -> list[str]:
    """The code of each name that an import binds, as if it stood alone; of others nothing."""
    match node:
        case ast.Import(names=names):
            return [ast.dump(ast.Import([one])) for one in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            return [ast.dump(ast.ImportFrom(module, [one], level)) for one in names]
        case _:
            return []


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _bound(node: ast.AST) -> list[str]:
    """The names that a statement gives a value."""
    match node:
        case ast.If(test=test) if ast.unparse(test) == GUARD:
            return [GUARD]  # not run when the module is imported
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            inside = (one for one in ast.iter_child_nodes(node) if not isinstance(one, _SCOPES))
            return [name for one in inside for name in _bound(one)]
        case ast.ExceptHandler(body=body):
            return [name for one in body for name in _bound(one)]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(one.asname or one.name).partition(".")[0] for one in names]
        case ast.Assign(targets=targets):
            inner = [one for target in targets for one in ast.walk(target)]
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            inner = list(ast.walk(target))
        case _:
            return []
    return [one.id for one in inner if isinstance(one, ast.Name)]


# --- which is which -------------------------------------------------------------------------


def pairs(old: Side, new: Side) -> dict[Key, Key]:
    """For each old definition the new one that it became; those that are gone have none.

    The same place counts first, then the same code under another name, then the same name in
    another file.
    """
    found = {key: key for key in old.places.keys() & new.places.keys()}
    for spell in (_nameless, lambda side, key: key[1]):
        left = _unique(old, set(old.places) - found.keys(), spell)
        right = _unique(new, set(new.places) - set(found.values()), spell)
        found |= {left[what]: right[what] for what in left.keys() & right.keys()}
    return found


def _unique(side: Side, keys: set[Key], spell: Callable[[Side, Key], str]) -> dict[str, Key]:
    """The keys by what they are told apart by, where that means only one."""
    groups: defaultdict[str, list[Key]] = defaultdict(list)
    for key in keys:
        groups[spell(side, key)].append(key)
    return {what: group[0] for what, group in groups.items() if len(group) == 1}


def _nameless(side: Side, key: Key) -> str:
    node = side.places[key].node
    parts = [node.args, *node.body, *node.decorator_list]
    return type(node).__name__ + " ".join(map(ast.dump, parts))


def same(old: patch.Place, new: patch.Place) -> bool:
    """Whether two definitions have the same code, whatever they are called."""
    names = old.node.name, new.node.name
    first, second = (ast.dump(one.node) for one in (old, new))
    return first.replace(f"name='{names[0]}'", "", 1) == second.replace(f"name='{names[1]}'", "", 1)


def changed_around(old: Side, new: Side) -> set[tuple[str, str]]:
    """The file and name of what is another thing now: constants, imports, classes."""
    every = old.around.keys() | new.around.keys()
    return {one for one in every if old.around.get(one) != new.around.get(one)}


def mentioned(node: ast.AST) -> set[str]:
    """The names and attributes that some code mentions."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


# --- parameters -----------------------------------------------------------------------------


def refuses(parameters: tuple[Parameter, ...], node: patch.Definition) -> str:
    """Why a call with these parameters can't be made of that definition; empty: it can."""
    assert not isinstance(node, ast.ClassDef)
    now = node.args
    if _takes(parameters, now):
        return ""
    was = ", ".join(one.name for one in parameters)
    return f"its parameters changed: ({was}) and ({ast.unparse(now)})"


def _takes(parameters: tuple[Parameter, ...], now: ast.arguments) -> bool:
    kinds = Counter(one.binding for one in parameters)
    given = [one.name for one in parameters if one.binding in {Binding.POSITIONAL, Binding.EITHER}]
    there = [one.arg for one in (*now.posonlyargs, *now.args)]
    if any(name in there and there.index(name) != place for place, name in enumerate(given)):
        return False
    star, double = kinds[Binding.STAR], kinds[Binding.DOUBLE_STAR]
    if (star or len(given) > len(there)) and not now.vararg:
        return False
    if star and len(given) != len(there):
        return False
    if double and not now.kwarg:
        return False
    keywords = {one.name for one in parameters if one.binding is Binding.KEYWORD}
    free = set(there[len(given) :]) | {one.arg for one in now.kwonlyargs}
    if keywords - free and not now.kwarg:
        return False
    defaults = len(there) - len(now.defaults)
    needed = set(there[len(given) : defaults]) | {
        one.arg for one, value in zip(now.kwonlyargs, now.kw_defaults, strict=True) if value is None
    }
    return needed <= keywords
