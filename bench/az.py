"""azure-cli against a local Azure: a configuration of its own, signed in with the managed identity.

Nothing of the user's azure-cli is read or changed: the configuration lies in a folder of the caller's.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from local_azure.server import LocalAzure

CLOUD: Final = "local"
TIMEOUT_SECONDS: Final = 120


class AzError(RuntimeError):
    """An az command failed; the text is what it said on stderr."""


@dataclass
class Cost:
    """What some processes took, from start to end."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Az:
    """One azure-cli with its own configuration folder. `cost` adds up over the commands run."""

    program: Path
    azure: LocalAzure
    config: Path
    cost: Cost = field(default_factory=Cost)

    def environment(self, *, identity: bool = True) -> dict[str, str]:
        """Give the variables that az needs here; without `identity` it finds no managed identity to use."""
        found = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.config),
            "LANG": "C.UTF-8",
            "AZURE_CONFIG_DIR": str(self.config),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            "AZURE_CORE_NO_COLOR": "true",
            "REQUESTS_CA_BUNDLE": str(self.azure.ca),
        }
        if identity:
            found["IDENTITY_ENDPOINT"] = self.azure.identity_endpoint
            found["IDENTITY_HEADER"] = self.azure.identity_header
        return found

    def __call__(self, *arguments: str, identity: bool = True) -> str:
        """Run one command to its end; gives its stdout. Raises AzError."""
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(self.program), *arguments],
            env=self.environment(identity=identity),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        before = os.times()
        try:
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        after = os.times()
        self.cost.wall_seconds += time.perf_counter() - began
        self.cost.cpu_seconds += after.children_user + after.children_system
        self.cost.cpu_seconds -= before.children_user + before.children_system
        if process.returncode:
            raise AzError(f"az {' '.join(arguments)}: exit code {process.returncode}: {err.strip()[-2000:]}")
        return out

    def json(self, *arguments: str) -> Any:
        """Run one command and read its JSON; None when it printed nothing."""
        out = self(*arguments, "--output", "json")
        return json.loads(out) if out.strip() else None

    def sign_in(self) -> None:
        """Make the local Azure a cloud of az's, choose it, and sign in with the managed identity."""
        self("cloud", "register", "--name", CLOUD, "--endpoint-resource-manager", self.azure.arm)
        self("cloud", "set", "--name", CLOUD)
        self("login", "--identity")


def version(program: Path) -> str:
    """Give azure-cli's version."""
    out = subprocess.run([str(program), "version", "--output", "json"], capture_output=True, check=True, text=True)
    return str(json.loads(out.stdout)["azure-cli"])
