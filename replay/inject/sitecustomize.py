"""Started through PYTHONPATH: serves the overlay to programs that are re-run by a command.

`PERFTRACE_OVERLAY` names a JSON file: absolute path -> source text. The user's own sitecustomize,
if there is one, runs afterwards. A script that is itself overlaid needs `inside/runner.py`.
"""

import importlib.machinery
import importlib.util
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name: str, path: str) -> object:
    """Run a file as a module that imports don't find."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def install() -> None:
    """Serve the overlay in this process."""
    path = os.environ.get("PERFTRACE_OVERLAY")
    if path:
        inside = os.path.join(os.path.dirname(HERE), "inside", "overlay.py")
        with open(path, encoding="utf-8") as file:
            files = json.load(file)
        load("_perftrace_overlay", inside).Overlay(files).install()  # type: ignore[attr-defined]


def hand_over() -> None:
    """Run the sitecustomize that ours stands before; children inherit PYTHONPATH, so ours again."""
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


install()
hand_over()
