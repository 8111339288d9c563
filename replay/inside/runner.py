"""Runs a whole program under an overlay, as plain Python would run it without one.

    python runner.py OVERLAY.json script app.py ARGUMENTS...
    python runner.py OVERLAY.json module package.module ARGUMENTS...

The overlay file is a JSON object: absolute path -> source text.
"""

import importlib.machinery
import importlib.util
import json
import os
import sys
import types
from typing import Any

type Main = tuple[types.CodeType, dict[str, object]]  # the code of `__main__`, what it starts with


def load_beside(name: str) -> types.ModuleType:
    """A module from this folder, under a private name."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"_perftrace_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_script(path: str, overlay: Any) -> Main:
    """`__main__` for `python app.py` (or a folder or zip file with a `__main__.py`)."""
    full = os.path.abspath(path)
    spec = importlib.machinery.PathFinder.find_spec("__main__", [full])
    if spec is not None:
        set_first_path(full)
        return _from_spec(spec, overlay)
    set_first_path(os.path.dirname(os.path.realpath(path)))
    code = compile(overlay.source(full), full, "exec", dont_inherit=True)
    loader = overlay.loader("__main__", full)
    return code, {"__file__": full, "__loader__": loader, "__package__": None, "__spec__": None}


def find_module(name: str, overlay: Any) -> Main:
    """`__main__` for `python -m name`."""
    set_first_path(os.getcwd())
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(f"{name}.__main__")
    if spec is None:
        raise SystemExit(f"{sys.executable}: No module named {name}")
    sys.argv[0] = spec.origin or name
    return _from_spec(spec, overlay)


def set_first_path(folder: str) -> None:
    """Where imports look first: so far that is our own folder."""
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _from_spec(spec: importlib.machinery.ModuleSpec, overlay: Any) -> Main:
    loader: Any = spec.loader
    if overlay.text(spec.origin) is not None:
        loader = overlay.loader(spec.name, spec.origin)
    names = {"__file__": spec.origin, "__cached__": spec.cached, "__package__": spec.parent}
    return loader.get_code(spec.name), {**names, "__loader__": loader, "__spec__": spec}


def run(main: Main) -> None:
    """Run the code as `__main__`."""
    code, start = main
    module = types.ModuleType("__main__")
    vars(module).update(__annotations__={}, __builtins__=__builtins__, __cached__=None)
    vars(module).update(start)
    sys.modules["__main__"] = module
    exec(code, vars(module))  # noqa: S102 - the user's program


def _without_our_frames(
    kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
) -> None:
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


def main() -> None:
    """Read the command line and run the program."""
    overlay_file, form, name, *arguments = sys.argv[1:]
    sys.argv[:] = [name, *arguments]
    with open(overlay_file, encoding="utf-8") as file:
        overlay = load_beside("overlay").Overlay(json.load(file))
    overlay.install()
    sys.excepthook = _without_our_frames
    run({"script": find_script, "module": find_module}[form](name, overlay))


if __name__ == "__main__":
    main()
