"""What came of writing a program, in words and as a document."""

from collections.abc import Iterator
from typing import Any

from perftrace.optimizer.generation.generator import Result, Sample, Version, failure
from perftrace.optimizer.generation.race import Time
from perftrace.optimizer.generation.trial import Right

WIDTH = 160  # characters of a reason


def lines(result: Result) -> Iterator[str]:
    """One line for each sample, then what was chosen."""
    for sample in result.samples:
        yield f"{sample.number:3}  {'; '.join(_steps(result, sample)) or 'no answer'}"
        if sample.problem:
            yield f"     {sample.problem}"
    yield summary(result)


def summary(result: Result) -> str:
    """How many are right, and how fast the best is."""
    right = sum(bool(sample.right) for sample in result.samples)
    asked = len(result.samples)
    head = f"{result.task.name}: {right} of {asked} right"
    if result.chosen is None:
        return f"{head}, interrupted" if result.interrupted else head
    count = len(result.task.tests.cases)
    tests = f"all {count} tests pass" if count != 1 else "its test passes"
    time = result.times.get(result.chosen.program)
    if result.interrupted:
        return f"{head}; {tests}. Interrupted, so this is the first right one, not timed."
    if len({one.program for sample in result.samples for one in sample.right}) == 1:
        return f"{head}; {tests}. There is no other to compare it with."
    if result.chosen == result.first or time is None:
        return f"{head}; {tests}. None is surely faster than the first right one."
    return f"{head}; {tests}. The best is {time.speedup} as fast as the first right one."


def _steps(result: Result, sample: Sample) -> Iterator[str]:
    for version in sample.versions:
        match version.verdict:
            case Right(program=program):
                time = result.times.get(program)
                yield f"{version.step}: right{_ratio(time)}"
            case wrong:
                yield f"{version.step}: {_reason(result, wrong)}"


def _ratio(time: Time | None) -> str:
    return f", {time.speedup}" if time is not None and not _is_first(time) else ""


def _is_first(time: Time) -> bool:
    """Whether it is of the program that the others are compared with."""
    return time.speedup.low == time.speedup.high == 1


def _reason(result: Result, wrong: Any) -> str:
    """The end of what a model is told: the call, what it gave, what the test says."""
    text = failure(wrong, result.task.entry).strip().splitlines()
    shown = [line.removeprefix("- ") for line in text if line.startswith("- ")]
    said = shown[-1] if shown else text[-1]
    return f"wrong: {said if len(said) <= WIDTH else f'{said[:WIDTH]}…'}"


def document(result: Result) -> dict[str, Any]:
    """For programs."""
    return {
        "task": result.task.name,
        "function": result.task.entry,
        "tests": len(result.task.tests.cases),
        "right": result.chosen is not None,
        "interrupted": result.interrupted,
        "program": result.chosen and result.chosen.program,
        **_times(result.times.get(result.chosen.program) if result.chosen else None),
        "samples": [
            {
                "number": sample.number,
                "problem": sample.problem,
                "versions": [_version(result, version) for version in sample.versions],
            }
            for sample in result.samples
        ],
    }


def _version(result: Result, version: Version) -> dict[str, Any]:
    verdict = version.verdict
    if isinstance(verdict, Right):
        time = result.times.get(verdict.program)
        return {"step": version.step, "verdict": "right", "reason": "", **_times(time)}
    reason = failure(verdict, result.task.entry)
    return {"step": version.step, "verdict": "wrong", "reason": reason, **_times(None)}


def _times(time: Time | None) -> dict[str, Any]:
    speedup = None if time is None or _is_first(time) else time.speedup
    return {
        "seconds": time and time.seconds,
        "speedup": speedup and speedup.ratio,  # over the first right program
        "low": speedup and speedup.low,
        "high": speedup and speedup.high,
    }
