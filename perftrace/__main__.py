"""`python -m perftrace`, for where the command is not on the path."""

import sys

from perftrace.cli import main

if __name__ == "__main__":
    sys.exit(main())
