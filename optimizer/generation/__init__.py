"""From a description and tests to a program: right, then fast (PerfCodeGen, Peng et al. 2024)."""
