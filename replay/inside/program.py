"""Imports the recorded program's modules; `__main__` goes by the name of its file."""

import importlib.util
import os
import sys
from types import ModuleType

from .overlay import Overlay

MAIN = frozenset({"__main__", "__mp_main__"})  # the second: in a child of multiprocessing


class CannotImport(LookupError):  # noqa: N818 - the text is what the user reads
    """A module or a name in it is not there, and why."""


class Program:
    """The modules of the recorded program."""

    def __init__(self, main_file: str | None, main_module: str | None, overlay: Overlay) -> None:
        self.overlay = overlay
        self._main_file = os.path.realpath(main_file) if main_file else None
        self.main = main_module or self._name_main()
        self._main_is_module = main_module is not None

    def _name_main(self) -> str | None:
        """The script's stem, unless another module has that name."""
        if self._main_file is None:
            return None
        stem = os.path.splitext(os.path.basename(self._main_file))[0]
        private = f"_perftrace_main_{stem}"
        if stem in sys.modules or "." in stem:
            return private
        try:
            spec = importlib.util.find_spec(stem)
        except (ImportError, ValueError):
            return private
        if spec is None or (spec.origin and os.path.realpath(spec.origin) == self._main_file):
            return stem
        return private

    def module(self, name: str) -> ModuleType:
        """The module of a name as recorded, imported if need be.

        Raises:
            CannotImport: importing it fails.
        """
        if name in MAIN:
            return self._import_main()
        return self._import(name)

    def module_of(self, name: str, file: str) -> ModuleType:
        """The module with code from a file: by name, else whichever was imported from it.

        Raises:
            CannotImport: importing it fails.
        """
        if name in MAIN or self._same(file, self._main_file):
            return self._import_main()
        missing = None
        try:
            module = self._import(name)
            if self._same(getattr(module, "__file__", None), file):
                return module
        except CannotImport as error:
            missing = error
        for module in list(sys.modules.values()):
            if self._same(getattr(module, "__file__", None), file):
                return module
        if missing is not None:
            raise missing
        return self._load(f"_perftrace_file_{len(sys.modules)}", file)

    def resolve(self, module: str, qualname: str) -> object:
        """What a reference in a value stands for.

        Raises:
            LookupError: it is not there.
        """
        found: object = self.module(module)
        for part in qualname.split(".") if qualname else ():
            try:
                found = getattr(found, mangled(part, found))
            except AttributeError:
                raise CannotImport(f"{module} has no {qualname}") from None
        return found

    def _import_main(self) -> ModuleType:
        if self.main is None:
            raise CannotImport("the recorded program has no script or module")
        loaded = sys.modules.get(self.main)
        if loaded is None:
            if self._main_is_module:
                loaded = self._import(self.main)
            else:
                loaded = self._load(self.main, str(self._main_file))
            sys.modules["__main__"] = loaded  # for `import __main__` in the program
        return loaded

    def _import(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 - the program's own code, SystemExit too
            raise CannotImport(f"importing {name} fails: {describe(error)}") from None

    def _load(self, name: str, file: str) -> ModuleType:
        """Load a file that no import finds under this name."""
        loader = self.overlay.loader(name, file)
        spec = importlib.util.spec_from_file_location(name, file, loader=loader)
        if spec is None:
            raise CannotImport(f"{file} is not a Python source file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            loader.exec_module(module)
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # noqa: BLE001 - the program's own code, SystemExit too
            del sys.modules[name]
            raise CannotImport(f"importing {file} fails: {describe(error)}") from None
        return module

    @staticmethod
    def _same(one: object, other: object) -> bool:
        if not isinstance(one, str) or not isinstance(other, str):
            return False
        return one == other or os.path.realpath(one) == os.path.realpath(other)


def mangled(name: str, owner: object) -> str:
    """The name under which a class keeps a private member."""
    if isinstance(owner, type) and name.startswith("__") and not name.endswith("__"):
        return f"_{owner.__name__.lstrip('_')}{name}"
    return name


def describe(error: BaseException) -> str:
    """An exception as one line."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the user's own __str__
        text = "its text can't be made"
    return f"{type(error).__name__}: {text}"[:500] if text else type(error).__name__
