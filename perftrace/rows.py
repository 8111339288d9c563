"""Rows of the trace file as nouns; a value of the wrong type is a ValueError or TypeError."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perftrace.model import (
    Binding,
    Call,
    Effect,
    Ending,
    Function,
    Kind,
    Outcome,
    Parameter,
    Process,
    Recorded,
    Run,
    Value,
)

type Row = Mapping[str, Any]

CALLS = """
SELECT call.*, (SELECT json_group_array(json_array(kind, detail, count)) FROM effect
  WHERE call_id = call.id) AS effects
FROM call JOIN process ON process.id = process_id WHERE function_id = ?"""


def run(row: Row) -> Run:
    """A row of `run`."""
    return Run(
        id=int(row["id"]),
        command=_texts(row["command"]),
        form=_text(row["form"]),
        cwd=Path(row["cwd"]),
        root=Path(row["root"]),
        python=Path(row["python"]),
        python_version=_text(row["python_version"]),
        started=_text(row["started"]),
        wall_s=float(row["wall_s"]),
        cpu_s=float(row["cpu_s"]),
        exit_code=int(row["exit_code"]),
        sampler=_text(row["sampler"]),
        interval_s=float(row["interval_s"]),
        samples=int(row["samples"]),
        sampler_note=_text(row["sampler_note"]),
        overhead=float(row["overhead"]),
    )


def process(row: Row, run: Run) -> Process:
    """A row of `process`."""
    return Process(
        id=int(row["id"]),
        run=run,
        pid=int(row["pid"]),
        path=_texts(row["path"]),
        main_file=_text_or_none(row["main_file"]),
        main_module=_text_or_none(row["main_module"]),
    )


def function(row: Row) -> Function:
    """A row of `function`."""
    parameters = json.loads(row["parameters"])
    return Function(
        id=int(row["id"]),
        file=_text(row["file"]),
        qualname=_text(row["qualname"]),
        line=int(row["line"]),
        module=_text(row["module"]),
        kind=Kind(row["kind"]),
        parameters=tuple(Parameter(_text(name), Binding(how)) for name, how in parameters),
    )


def recorded(digest: bytes, row: Row) -> Recorded:
    """A row of `value`, without its bytes."""
    return Recorded(digest, int(row["size"]), int(row["opaque"]))


def call(row: Row, known: Mapping[int, Function], arguments: Value, result: Value) -> Call:
    """A row of `call`."""
    duration = row["duration_ns"]
    return Call(
        id=int(row["id"]),
        function=known[row["function_id"]],
        process_id=int(row["process_id"]),
        thread=int(row["thread"]),
        caller=known.get(row["caller_id"]),
        arguments=arguments,
        outcome=Outcome(Ending(row["ending"]), result),
        started_ns=int(row["started_ns"]),
        duration_ns=None if duration is None else int(duration),
        effects=tuple(
            Effect(_text(kind), _text(detail), int(count))
            for kind, detail, count in json.loads(row["effects"])
        ),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(document: str) -> tuple[str, ...]:
    items = json.loads(document)
    if not isinstance(items, list):
        raise TypeError(f"{document!r} is not a list")
    return tuple(_text(item) for item in items)


def storable(row: Row) -> dict[str, Any]:
    """The row without what SQLite cannot hold: bytes in the name of a file that are not text."""
    return {name: _encodable(value) if type(value) is str else value for name, value in row.items()}


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
