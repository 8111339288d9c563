"""Names from the standard library: the import that is there, or a new one."""

from perftrace.optimizer.engines.rules.rule import Target
from perftrace.optimizer.patch import Addition


def imported(target: Target, module: str, name: str) -> tuple[str, tuple[Addition, ...]]:
    """The local name of something from a standard module, and the import where it's missing."""
    around, scope = target.analysis.around, target.analysis.scope
    for local, origin in around.imports.items():
        if origin == f"{module}.{name}" and local not in scope.bindings:
            return local, ()
        if origin == module and local not in scope.bindings:
            return f"{local}.{name}", ()
    if name not in around.used and name not in scope.names:
        return name, (Addition(f"from {module} import {name}", name),)
    local = target.local(f"_{name}")
    return local, (Addition(f"from {module} import {name} as {local}", local),)
