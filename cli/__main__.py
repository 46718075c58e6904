"""`python -m cli` is `drift`: for processes that start each other without knowing where the launcher is."""

import sys

from cli.main import run

if __name__ == "__main__":
    sys.exit(run())
