"""Which names a function binds, reads, shares with inner functions or lets escape."""

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, auto

import libcst as cst

from perftrace.optimizer.analysis.tree import SCOPES, children, own, walk

INTROSPECTION = frozenset({"locals", "globals", "vars", "eval", "exec", "dir", "breakpoint"})


class How(Enum):
    """How a name gets its value."""

    PARAMETER = auto()
    ASSIGNED = auto()  # the value is bound whole
    UNPACKED = auto()  # an element of the value is bound
    ITERATED = auto()  # an item of the value is bound, in a loop or comprehension
    AUGMENTED = auto()
    OTHER = auto()  # with, except, import, def, class, match, del


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a name gets a value."""

    name: str
    how: How
    node: cst.CSTNode  # the target's name, or the statement
    value: cst.BaseExpression | None = None
    target: cst.BaseExpression | None = None  # the whole target
    operator: cst.BaseAugOp | None = None


class Scope:
    """The names of one function, collected once."""

    def __init__(self, function: cst.FunctionDef) -> None:
        self.function = function
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.order: dict[cst.CSTNode, int] = {}
        self.bindings: dict[str, list[Binding]] = defaultdict(list)
        self.loads: dict[str, list[cst.Name]] = defaultdict(list)
        self.inner: dict[str, list[cst.Name]] = defaultdict(list)  # mentions in inner scopes
        self.captured: set[str] = set()  # mentioned in an inner function, class or lambda
        self.set_attributes: set[str] = set()  # attribute names that are set on any object
        self.outer: set[str] = set()  # declared global or nonlocal, here or within
        self.parameters: tuple[str, ...] = tuple(_parameters(function.params))
        for name in self.parameters:
            self.bindings[name].append(Binding(name, How.PARAMETER, function))
        self._enter(function.body, function)
        self.suspends = any(
            isinstance(node, cst.Yield | cst.Await) or _asynchronous(node)
            for node in own(function.body)
        )
        self.dynamic = not INTROSPECTION.isdisjoint(self.loads.keys() | self.captured)

    # --- questions --------------------------------------------------------------------------

    @property
    def names(self) -> set[str]:
        """Every name that occurs in the function, inner functions included."""
        return {*self.loads, *self.bindings, *self.captured}

    @staticmethod
    def parameters_of(function: cst.FunctionDef) -> list[str]:
        """The names of a function's parameters, those with stars included."""
        return _parameters(function.params)

    def local(self, name: str) -> bool:
        """Whether the name belongs to this function alone."""
        return bool(self.bindings.get(name)) and name not in self.outer

    def plain(self, name: str) -> bool:
        """Whether the name is local and no inner function or lambda mentions it."""
        return self.local(name) and name not in self.captured

    def bound_in(self, region: cst.CSTNode) -> set[str]:
        """The names that get a value inside a region."""
        inside = {id(node) for node in walk(region)}
        return {
            name
            for name, bindings in self.bindings.items()
            if any(id(binding.node) in inside for binding in bindings)
        }

    def loads_outside(self, name: str, region: cst.CSTNode) -> list[cst.Name]:
        """Where the name is read outside a region."""
        inside = {id(node) for node in walk(region)}
        return [node for node in self.loads.get(name, ()) if id(node) not in inside]

    def statement_of(self, node: cst.CSTNode) -> cst.CSTNode:
        """The statement that the node stands in: an entry of a block."""
        while not isinstance(self.parents[node], cst.IndentedBlock | cst.SimpleStatementSuite):
            node = self.parents[node]
        return node

    def above(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """The nodes around it, nearest first, up to the function."""
        found = []
        while node is not self.function:
            node = self.parents[node]
            found.append(node)
        return found

    def fresh_name(self, wanted: str, taken: frozenset[str]) -> str:
        """The wanted name, or with a number where it is taken."""
        used = self.names | taken
        candidates = (wanted if n == 1 else f"{wanted}_{n}" for n in range(1, 1000))
        return next(name for name in candidates if name not in used)

    # --- collecting -------------------------------------------------------------------------

    def _enter(self, node: cst.CSTNode, parent: cst.CSTNode) -> None:
        self.parents[node] = parent
        self.order[node] = len(self.order)
        if isinstance(node, cst.Name):
            self.loads[node.value].append(node)
            return
        if isinstance(node, SCOPES):
            self._inner(node)
            return
        if isinstance(node, cst.Attribute):
            self._enter(node.value, node)
            return
        self._bind(node)
        for child in children(node):
            if isinstance(node, cst.Arg) and child is node.keyword:
                continue
            if child not in self.parents:
                self._enter(child, node)

    def _bind(self, node: cst.CSTNode) -> None:
        """Record what the node binds; its targets count as stores, not as loads."""
        match node:
            case cst.Assign(targets=targets, value=value):
                for one in targets:
                    self.parents[one] = node
                    self._store(one.target, How.ASSIGNED, value, one)
            case cst.AnnAssign(target=target, value=value) if value is not None:
                self._store(target, How.ASSIGNED, value, node)
            case cst.NamedExpr(target=target, value=value):
                self._store(target, How.ASSIGNED, value, node)
            case cst.AugAssign(target=target, value=value, operator=operator):
                if isinstance(target, cst.Name):
                    self.loads[target.value].append(target)
                    self.bindings[target.value].append(
                        Binding(target.value, How.AUGMENTED, target, value, target, operator)
                    )
                    self._place(target, node)
                elif isinstance(target, cst.Attribute):
                    self.set_attributes.add(target.attr.value)
            case cst.For(target=target, iter=value) | cst.CompFor(target=target, iter=value):
                self._store(target, How.ITERATED, value, node)
            case cst.Global(names=names) | cst.Nonlocal(names=names):
                self.outer |= {one.name.value for one in names}
            case _:
                self._bind_other(node)

    def _bind_other(self, node: cst.CSTNode) -> None:
        match node:
            case cst.AsName(name=target):
                self._store(target, How.OTHER, None, node)
            case cst.Del(target=target):
                self._store(target, How.OTHER, None, node)
            case cst.Import(names=names) | cst.ImportFrom(names=names) if not isinstance(
                names, cst.ImportStar
            ):
                for alias in names:
                    bound = (alias.evaluated_alias or alias.evaluated_name).partition(".")[0]
                    self.bindings[bound].append(Binding(bound, How.OTHER, node))
                    self._settle(alias, node)
                if isinstance(node, cst.ImportFrom) and node.module is not None:
                    self._settle(node.module, node)
            case cst.MatchAs(name=cst.Name() as name) | cst.MatchStar(name=cst.Name() as name):
                self._store(name, How.OTHER, None, node)
            case cst.MatchMapping(rest=cst.Name() as name):
                self._store(name, How.OTHER, None, node)
            case _:
                pass

    def _store(
        self,
        target: cst.CSTNode,
        how: How,
        value: cst.BaseExpression | None,
        parent: cst.CSTNode,
    ) -> None:
        if isinstance(target, cst.Name):
            self._place(target, parent)
            self.bindings[target.value].append(Binding(target.value, how, target, value, target))
        elif isinstance(target, cst.Tuple | cst.List):
            inner = How.UNPACKED if how is How.ASSIGNED else how
            for name in _targets(target):
                self.bindings[name.value].append(Binding(name.value, inner, name, value, target))
            self._unpack(target, parent)
        else:
            self._store_part(target, parent)

    def _unpack(self, target: cst.BaseExpression, parent: cst.CSTNode) -> None:
        """Visit a target whose names are recorded already."""
        if isinstance(target, cst.Tuple | cst.List):
            self._place(target, parent)
            for element in target.elements:
                self._place(element, target)
                self._unpack(element.value, element)
        elif isinstance(target, cst.Name):
            self._place(target, parent)
        else:
            self._store_part(target, parent)

    def _store_part(self, target: cst.CSTNode, parent: cst.CSTNode) -> None:
        """`a[i]` and `a.b` read what they stand on."""
        if isinstance(target, cst.Attribute):
            self.set_attributes.add(target.attr.value)
        self._enter(target, parent)

    def _place(self, node: cst.CSTNode, parent: cst.CSTNode) -> None:
        self.parents[node] = parent
        self.order[node] = len(self.order)

    def _settle(self, node: cst.CSTNode, parent: cst.CSTNode) -> None:
        """Mark a part that reads no name."""
        self._place(node, parent)
        for child in children(node):
            self._settle(child, node)

    def _inner(self, node: cst.CSTNode) -> None:
        """An inner function, class or lambda: its names are shared with it."""
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            name = node.name.value
            self.bindings[name].append(Binding(name, How.OTHER, node))
        for inside in walk(node):
            for child in children(inside):
                self._place(child, inside)
            if isinstance(inside, cst.Name):
                self.captured.add(inside.value)
                self.inner[inside.value].append(inside)
            if isinstance(inside, cst.Global | cst.Nonlocal):
                self.outer |= {one.name.value for one in inside.names}


def _parameters(params: cst.Parameters) -> list[str]:
    stars = (params.star_arg, params.star_kwarg)
    found = [*params.posonly_params, *params.params, *params.kwonly_params]
    found += [star for star in stars if isinstance(star, cst.Param)]
    return [param.name.value for param in found]


def _targets(target: cst.CSTNode) -> list[cst.Name]:
    """The names a target binds."""
    if isinstance(target, cst.Name):
        return [target]
    if isinstance(target, cst.Tuple | cst.List):
        return [name for element in target.elements for name in _targets(element.value)]
    return []


def _asynchronous(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.For | cst.With | cst.CompFor) and node.asynchronous is not None
