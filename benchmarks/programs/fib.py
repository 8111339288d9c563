"""Recursion: nothing but calls; the argument is n."""

import sys


def fib(n: int) -> int:
    """The n-th Fibonacci number, the slow way."""
    return n if n < 2 else fib(n - 1) + fib(n - 2)


if __name__ == "__main__":
    print(fib(int(sys.argv[1])))
