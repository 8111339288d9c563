"""What the user's source says about classes and functions, read without importing anything."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perftrace.model import Kind
from perftrace.replay.construction import Construction, construction

type Definition = ast.FunctionDef | ast.AsyncFunctionDef

# A class with one of these may build something else than the fields it is given.
OWN_WAYS = frozenset({"__init__", "__new__", "__post_init__", "__setattr__", "__getattribute__"})
RECORDED_NAME = "__main__"
MAIN = frozenset({RECORDED_NAME, "__mp_main__"})


@dataclass(frozen=True, slots=True)
class Located:
    """A function as its file has it now."""

    definition: Definition
    order: int  # among the functions of the file
    owner: str  # qualified name of its class, or ""

    @property
    def line(self) -> int:
        """Its first line: that of the first decorator, where there is one."""
        decorators = self.definition.decorator_list
        return min(node.lineno for node in (self.definition, *decorators))

    @property
    def decorators(self) -> tuple[str, ...]:
        """The decorators' dotted names, outermost first."""
        return tuple(_dotted(node) for node in self.definition.decorator_list)

    @property
    def kind(self) -> Kind:
        """What a call gives back, judged by its own statements."""
        own = list(_own_nodes(self.definition))
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own)
        if isinstance(self.definition, ast.AsyncFunctionDef):
            return Kind.ASYNC_GENERATOR if yields else Kind.COROUTINE
        return Kind.GENERATOR if yields else Kind.FUNCTION

    @property
    def defaulted(self) -> frozenset[str]:
        """The parameters that have a default value."""
        arguments = self.definition.args
        both = [*arguments.posonlyargs, *arguments.args]
        late = both[len(both) - len(arguments.defaults) :]
        return frozenset(argument.arg for argument in late)


class Sources:
    """The modules of one recorded process, found along its `sys.path`."""

    def __init__(
        self, path: Sequence[str], main: Path | None = None, module: str | None = None
    ) -> None:
        """Where to look; main: the file of `__main__`; module: its name for `python -m`."""
        self._path = [Path(entry) for entry in path if entry]
        self._main = main
        self._main_name = module or (main.stem if main else RECORDED_NAME)
        self._trees: dict[Path, ast.Module | None] = {}

    def name(self, module: str) -> str:
        """The name to import a module by: the script's own file is a module too."""
        return self._main_name if module in MAIN else module

    def file(self, module: str) -> Path | None:
        """The file of a module; None for what is not Python source."""
        if module in {*MAIN, self._main_name}:
            return self._main
        inner = Path(*module.split("."))
        for entry in self._path:
            for found in (entry / inner / "__init__.py", entry / inner.with_suffix(".py")):
                if found.is_file():
                    return found
        return None

    def tree(self, file: Path) -> ast.Module | None:
        """The file's syntax tree; None if it cannot be read or does not parse."""
        if file not in self._trees:
            try:
                self._trees[file] = ast.parse(file.read_bytes())
            except (OSError, SyntaxError, ValueError):
                self._trees[file] = None
        return self._trees[file]

    def functions(self, file: Path) -> Mapping[str, Located]:
        """The functions a name leads to, by qualified name; the last one of a name counts."""
        return dict(self._located(file))

    def locate(self, file: Path, qualname: str, line: int) -> Located | None:
        """The function of this name that starts at a line; the last of the name if none does."""
        named = [located for name, located in self._located(file) if name == qualname]
        exact = [located for located in named if located.line == line]
        return next(iter([*exact, *reversed(named)]), None)

    def _located(self, file: Path) -> Iterator[tuple[str, Located]]:
        tree = self.tree(file)
        for order, (owner, node) in enumerate(_functions(tree.body, "") if tree else ()):
            yield f"{owner}.{node.name}" if owner else node.name, Located(node, order, owner)

    def is_class(self, file: Path, qualname: str) -> bool:
        """Whether the name is that of a class."""
        tree = self.tree(file)
        return tree is not None and isinstance(_find(tree.body, qualname), ast.ClassDef)

    def fields(self, module: str, qualname: str) -> tuple[str, ...] | None:
        """The names a dataclass or named tuple is made of; None if its call may do otherwise."""
        file = self.file(module)
        tree = self.tree(file) if file else None
        return _fields(tree, qualname) if tree else None

    def construction(self, module: str, qualname: str) -> Construction | None:
        """How a call makes an instance of a class that only keeps what it is given."""
        file = self.file(module)
        tree = self.tree(file) if file else None
        found = _find(tree.body, qualname) if tree else None
        return construction(found) if isinstance(found, ast.ClassDef) else None


def _functions(body: Sequence[ast.stmt], owner: str) -> Iterator[tuple[str, Definition]]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield owner, node
            case ast.ClassDef(name=name):
                yield from _functions(node.body, f"{owner}.{name}" if owner else name)
            case ast.If() | ast.Try() | ast.With():
                inner = [
                    child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
                ]
                yield from _functions(inner, owner)
            case _:
                pass


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            yield from _own_nodes(child)


def _find(body: Sequence[ast.stmt], qualname: str) -> ast.stmt | None:
    """What a dotted name is bound to at the top of a module or class: a class or an assignment."""
    head, _, rest = qualname.partition(".")
    found: ast.stmt | None = None
    for node in body:
        match node:
            case ast.ClassDef(name=name) if name == head:
                found = _find(node.body, rest) if rest else node
            case ast.Assign(targets=[ast.Name(id=name)]) if name == head and not rest:
                found = node
    return found


def _fields(tree: ast.Module, qualname: str) -> tuple[str, ...] | None:
    match _find(tree.body, qualname):
        case ast.ClassDef() as node if not _has_own_ways(node):
            bases = [_dotted(base) for base in node.bases]
            if bases in (["NamedTuple"], ["typing.NamedTuple"]) and not node.decorator_list:
                return _annotated(node)
            if _is_plain_dataclass(node) and not node.keywords:
                return _inherited(tree, bases, _annotated(node))
        case ast.Assign(value=ast.Call(func=function, args=[_, names], keywords=[])):
            if _dotted(function).endswith("namedtuple"):
                return _literal_names(names)
        case _:
            pass
    return None


def _has_own_ways(node: ast.ClassDef) -> bool:
    return any(isinstance(s, ast.FunctionDef) and s.name in OWN_WAYS for s in node.body)


def _is_plain_dataclass(node: ast.ClassDef) -> bool:
    """Whether `@dataclass`, with or without options but `init`, is its only decorator."""
    if len(node.decorator_list) != 1:
        return False
    decorator = node.decorator_list[0]
    options = decorator.keywords if isinstance(decorator, ast.Call) else []
    named = _dotted(decorator) in {"dataclass", "dataclasses.dataclass"}
    return named and all(option.arg not in {None, "init"} for option in options)


def _inherited(
    tree: ast.Module, bases: Sequence[str], own: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """A dataclass's fields after those of its bases in the same module."""
    if own is None:
        return None
    found: list[str] = []
    for base in bases:
        if base in {"object", "ABC", "abc.ABC"} or base.startswith(("Generic", "typing.Generic")):
            continue
        fields = _fields(tree, base)
        if fields is None:
            return None
        found += fields
    return tuple(dict.fromkeys([*found, *own]))


def _annotated(node: ast.ClassDef) -> tuple[str, ...] | None:
    names: list[str] = []
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        annotation = ast.unparse(statement.annotation)
        if "InitVar" in annotation or _is_descriptor_default(statement.value):
            return None
        if "ClassVar" not in annotation and "KW_ONLY" not in annotation:
            names.append(statement.target.id)
    return tuple(names)


def _is_descriptor_default(value: ast.expr | None) -> bool:
    """Whether a field is not simply set to what it is given: `field(init=False)` and the like."""
    if not isinstance(value, ast.Call):
        return False
    return not _dotted(value).endswith("field") or any(k.arg == "init" for k in value.keywords)


def _literal_names(node: ast.expr) -> tuple[str, ...] | None:
    try:
        names = ast.literal_eval(node)
    except ValueError:
        return None
    return tuple(names.replace(",", " ").split() if isinstance(names, str) else names)


def _dotted(node: ast.expr) -> str:
    """`a.b` of `a.b`, `a.b(…)` or `a.b[…]`."""
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _dotted(inner)
        case ast.Attribute(value=inner, attr=name):
            return f"{_dotted(inner)}.{name}"
        case ast.Name(id=name):
            return name
        case _:
            return ""
