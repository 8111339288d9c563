"""Record what a Python program really does, and make its hot paths faster without changing that."""

__version__ = "0.1.0"
