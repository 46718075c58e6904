"""What `worker.sh` executes: the worker as a process of its own, started and ended cheaply.

Half a worker's CPU time is importing, and almost a third of that was the cycle collector going through classes and
functions that live as long as the process, once more at its end. So it stays off until they are there, and they are
frozen: what the run itself allocates is collected as ever. (`python -m bench.reconcile` measures it.)
"""

import gc
import os
import sys


def start() -> int:
    """Run the worker with this process's environment; give the exit code."""
    gc.disable()
    from reconciler.worker import main  # noqa: PLC0415 - the collector must be off by then

    gc.freeze()
    gc.enable()
    code = main(os.environ, sys.stdout)
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(start())
