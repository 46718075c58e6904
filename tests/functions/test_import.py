"""Importing the function app: an import failure would mean 'no functions found', so it must depend on nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import json, sys, time
doing = []
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.posix_spawn", "os.putenv")):
        doing.append(event)
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        doing.append(f"{event} {args[0]}")
sys.addaudithook(watch)
sys.dont_write_bytecode = True
began = time.perf_counter()
import function_app
seconds = time.perf_counter() - began
functions = function_app.app.get_functions()
names = [function.get_function_name() for function in functions]
bindings = [function.get_trigger().type for function in functions]
heavy = sorted({"requests", "azure.identity", "azure.mgmt.privatedns", "azure.mgmt.containerinstance",
                "azure.monitor.ingestion", "local_azure"} & set(sys.modules))
print(json.dumps({"names": names, "bindings": bindings, "doing": doing, "heavy": heavy, "seconds": seconds,
                  "built": function_app.doors.cache_info().currsize}))
"""


def imported(root: Path, environment: dict[str, str]) -> dict[str, object]:
    result = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    "environment",
    [{}, {"DNS_ZONE_MAP": "not JSON", "ARM_ENDPOINT": "nonsense", "RECONCILE_ATTEMPTS": "many"}],
    ids=["empty environment", "unusable environment"],
)
def test_importing_needs_no_environment_and_opens_nothing(project_root: Path, environment: dict[str, str]) -> None:
    found = imported(project_root, environment)
    assert found["names"] == ["reconcile", "track", "probe", "audit", "canary"]
    assert found["bindings"] == ["eventGridTrigger"] * 2 + ["timerTrigger"] * 3
    assert (found["doing"], found["heavy"], found["built"]) == ([], [], 0)
