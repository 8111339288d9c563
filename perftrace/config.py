"""`[tool.perftrace]` of the project's pyproject.toml as one frozen Settings."""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from perftrace.errors import UsageError

# How near floats have to be: "rtol 1e-9" or "4 ulps".
TOLERANCE = r"^(rtol \d+(\.\d+)?([eE]-?\d+)?|[1-9]\d* ulps?)$"
# US dollars for a million tokens, in and out: "2/10".
PRICE = r"^\d+(\.\d+)?/\d+(\.\d+)?$"
PERCENT = r"^\d+(\.\d+)?%$"


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The project's settings; each has a default, so no file is needed."""

    source: tuple[str, ...] = ()  # folders that hold user code; default: the project's root
    exclude: tuple[str, ...] = ()  # globs never traced
    include: tuple[str, ...] = ()  # globs traced although outside the root
    database: str = ".perftrace/trace.db"
    replay_dir: str = "tests/replay"
    max_cases: Annotated[int, Meta(ge=1)] = 12  # replay tests of one function
    max_value_bytes: Annotated[int, Meta(ge=1)] = 4096  # of a value written into a replay test
    min_speedup: Annotated[float, Meta(ge=1)] = 1.05  # the interval's lower end must reach it
    tolerance: dict[str, Annotated[str, Meta(pattern=TOLERANCE)]] = {}  # of floats, by function
    max_slowdown: Annotated[str, Meta(pattern=PERCENT)] = "5%"  # before `ci` and `bench` fail
    limits: dict[str, Annotated[str, Meta(pattern=PERCENT)]] = {}  # the same, by function
    redact: tuple[str, ...] | bool = ()  # more names of secrets; false: record secrets too
    overhead: Annotated[float, Meta(gt=0, le=1)] = 0.02  # of the program's CPU time, to record
    value_size: Annotated[str, Meta(pattern=r"^[1-9]\d{0,3}KB$|^([1-9]|1[0-6])MB$")] = "8KB"
    model: str = ""  # of a language model, for `optimize --engine`
    base_url: str = ""  # of the server that has it
    send_values: Literal["none", "shapes", "samples"] = "shapes"  # what of the values it is told
    prices: dict[str, Annotated[str, Meta(pattern=PRICE)]] = {}  # of models: "2/10"
    prompts: str = ""  # a folder with texts of one's own
    risk: Literal["T0", "T1", "T2"] = "T2"  # how far the rules may go
    memory: bool = True  # use and keep what was accepted, for all projects of this user
    retain: Annotated[str, Meta(pattern=r"^[1-9]\d*(KB|MB|GB)$")] = "256MB"  # of the trace file

    @property
    def retain_bytes(self) -> int:
        """How large the trace file may get."""
        return _bytes(self.retain)

    @property
    def value_bytes(self) -> int:
        """How large a recorded value may be at first."""
        return _bytes(self.value_size)


def _bytes(size: str) -> int:
    return int(size[:-2]) << {"KB": 10, "MB": 20, "GB": 30}[size[-2:]]


def key_file() -> Path:
    """Where this user's key for digests lies."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "perftrace" / "key"


def missing_sources(settings: Settings, root: Path) -> list[str]:
    """The `source` folders that are not there: nothing below them can be recorded."""
    return [folder for folder in settings.source if not (root / folder).is_dir()]


def find_root(start: Path) -> Path:
    """The project's root: the nearest folder upwards with a pyproject.toml or .git, else start."""
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file() or (folder / ".git").exists():
            return folder
    return start


def load(root: Path) -> Settings:
    """The settings of the project at root.

    Raises:
        UsageError: the file does not parse, or a key is unknown or of the wrong type.
    """
    path = root / "pyproject.toml"
    if not path.is_file():
        return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("config-syntax", f"{path} cannot be read: {error}") from error
    own = document.get("tool", {})
    own = own.get("perftrace", {}) if isinstance(own, dict) else {}
    if isinstance(own, dict):
        _refuse_unknown(path, own)
    try:
        return msgspec.convert(own, Settings)
    except msgspec.ValidationError as error:
        raise UsageError("config-value", f"{path}, [tool.perftrace]: {error}") from error


def _refuse_unknown(path: Path, table: dict[str, object]) -> None:
    known = [name.encode_name for name in msgspec.structs.fields(Settings)]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known keys: {', '.join(known)}."
            message = f"{path}, [tool.perftrace]: unknown key {key}.{hint}"
            raise UsageError("config-key", message)
