"""The half of replay that runs inside the worker process: standard library only."""
