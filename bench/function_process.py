"""Stands for the Functions host's Python process in benchmarks: answers one event per line of stdin.

    python -m bench.function_process

It goes the function app's way without the host: function_app's settings and clients, then the reconciler's recipe with
the real worker process. Per event it prints one JSON line: {outcome, worker_ms, worker_cpu_ms, error}. The first event
meets a process that has no token and no connection yet.
"""

import json
import resource
import sys
import uuid
from typing import Any

import function_app
from cloud.services import run_context
from reconciler.report import ReconcileFailedError
from reconciler.run import reconcile


def children_cpu_seconds() -> float:
    """Give the CPU time of this process's children that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answer(raw: object) -> dict[str, Any]:
    """Reconcile once."""
    settings, services = function_app.doors()
    before = children_cpu_seconds()
    try:
        event = reconcile(raw, run_context(services, settings, uuid.uuid4().hex))
    except ReconcileFailedError as error:
        return {"outcome": "failed", "error": str(error)}
    cpu_ms = (children_cpu_seconds() - before) * 1000
    details = event.values.get("Details", {})
    return {"outcome": event.type.value, "worker_ms": details.get("worker_ms"), "worker_cpu_ms": round(cpu_ms, 1)}


def main() -> None:
    """Answer events until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
