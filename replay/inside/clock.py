"""Clocks of the worker's own, taken before any code of the program ran."""

from time import perf_counter_ns, process_time_ns


class Stopwatch:
    """CPU time of the process and wall time, summed over the `with` blocks."""

    def __init__(self) -> None:
        self.cpu_ns = 0
        self.wall_ns = 0

    def __enter__(self) -> None:
        self.wall_ns -= perf_counter_ns()
        self.cpu_ns -= process_time_ns()

    def __exit__(self, *_: object) -> None:
        self.cpu_ns += process_time_ns()
        self.wall_ns += perf_counter_ns()
