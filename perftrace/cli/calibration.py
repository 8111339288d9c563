"""`perftrace doctor --calibrate`: how far a measured speed-up can be trusted on this machine."""

import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perftrace.cli import output
from perftrace.config import Settings
from perftrace.errors import CannotError
from perftrace.optimizer import calibrate
from perftrace.optimizer.calibrate import Calibration
from perftrace.optimizer.measure import NotMeasured
from perftrace.store import Store
from perftrace.tracer import sampler
from perftrace.tracer.launch import Program
from perftrace.tracer.record import Choices, record

SUPPLIES = Path("/sys/class/power_supply")
BUSY = 0.5  # of the cores: a load from which on others are in the way
WIDE = 0.03  # of an interval's half: smaller speed-ups than that drown


def run(python: str, settings: Settings, seconds: float) -> Calibration:
    """Record the program of ours in a temporary folder and compare it with itself.

    Raises:
        CannotError: it could not be recorded or measured.
    """
    with tempfile.TemporaryDirectory(prefix="perftrace-calibrate-") as name:
        folder = Path(name)
        (folder / "app.py").write_text(calibrate.PROGRAM, encoding="utf-8")
        words = ("app.py",)
        program = Program("script", words, python, (python, *words), folder)
        choices = Choices(database=folder / "trace.db", overhead=0.5, sample=False)
        result = record(program, folder, Settings(), choices)
        if result.problem:
            raise CannotError("no-calibration", f"Calibrating needs a recording: {result.problem}")
        with Store.open(choices.database) as store, output.progress("calibrating") as tell:
            found = calibrate.calibrate(store, settings.min_speedup, seconds, tell)
    if isinstance(found, NotMeasured):
        raise CannotError("no-calibration", f"Nothing can be measured here: {found.reason}")
    return found


def warnings(found: Calibration) -> Iterator[str]:
    """What makes this machine a bad place to measure."""
    cores, load = sampler.cores(), os.getloadavg()[0]
    ours = 1.0  # calibrating keeps one core busy
    if load - ours > BUSY * cores:
        busy = f"load {load:.1f} on {cores} cores"
        yield f"Other programs are busy ({busy}). Measure when they are not."
    if _on_battery():
        yield "The machine runs on its battery, where the CPU changes its speed. Plug it in."
    if found.half_width > WIDE:
        yield (
            f"Noisy: nine intervals in ten reach up to {found.half_width:.1%} below the ratio."
            " Small speed-ups are not found here."
        )
    if found.accepted:
        yield "The same code was called faster. Don't trust a speed-up that is near the limit."


def _on_battery() -> bool:
    try:
        states = [file.read_text().strip() for file in SUPPLIES.glob("BAT*/status")]
    except OSError:
        return False
    return "Discharging" in states


def lines(found: Calibration) -> Iterator[str]:
    """The calibration for people."""
    count = len(found.same)
    yield (
        f"calibration ({found.seconds:.0f} s): the same code called faster {found.accepted} times"
        f" in {count}; the rate is at most {found.rate_at_most:.1%} (95 % confidence)"
    )
    yield (
        f"  code that does 5 % less, found to be faster than {found.faster_wanted:.3f}x:"
        f" {found.found} times in {len(found.faster)}"
    )
    sure = f"{found.smallest:.2f}x" if math.isfinite(found.smallest) else "none"
    yield (
        f"  smallest speed-up that is found nine times in ten: {sure}"
        f" (min-speedup is {found.min_speedup:.2f}, intervals reach {found.half_width:.1%} below)"
    )
    yield from (f"  warning: {text}" for text in warnings(found))


def document(found: Calibration) -> dict[str, Any]:
    """The same as data; shares from 0 to 1."""
    ratios = [one.ratio for one in found.same]
    wide = math.isinf(found.half_width)
    return {
        "seconds": found.seconds,
        "min_speedup": found.min_speedup,
        "same": {
            "comparisons": len(found.same),
            "accepted": found.accepted,
            "rate_at_most": found.rate_at_most,
            "confidence": calibrate.CONFIDENCE,
            "ratio_lowest": min(ratios),
            "ratio_median": statistics.median(ratios),
            "ratio_highest": max(ratios),
        },
        "faster": {
            "true": calibrate.TRUE,
            "wanted": found.faster_wanted,
            "comparisons": len(found.faster),
            "found": found.found,
        },
        "half_width": None if wide else found.half_width,
        "smallest": None if wide else found.smallest,
        "warnings": list(warnings(found)),
    }


def interpreter(found: str) -> str:
    """The interpreter to measure with: the project's, or our own."""
    return found or sys.executable
