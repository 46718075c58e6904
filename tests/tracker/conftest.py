"""An audit of a small fleet on the local Azure, as a principal that may only read."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import build, run_context
from cloud.sink import MemorySink
from core.errors import ToolkitError
from core.settings import Settings
from local_azure.faults import Fault, FaultRule
from tracker.audit import AuditOptions, audit

REVERSE = "10.in-addr.arpa"
ENTRY: dict[str, Any] = {
    "forward_zone": "corp.internal", "reverse_zones": [REVERSE], "zones_resource_group": "rg-dns",
}  # fmt: skip
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


@dataclass
class Auditor:
    """An audit of the lab's fleet, and the rows that it wrote."""

    lab: Any
    zone_map: dict[str, Any] = field(default_factory=lambda: {"rg-apps": {**ENTRY}, "rg-jobs": {**ENTRY}})
    more: dict[str, str] = field(default_factory=lambda: {"AUDIT_SUBSCRIPTION_ID": SUBSCRIPTION})
    rows: list[dict[str, Any]] = field(default_factory=list)
    heartbeat: dict[str, Any] = field(default_factory=dict)
    error: ToolkitError | None = None

    def run(self, options: AuditOptions | None = None, run_id: str = "run-1") -> dict[str, Any]:
        """Audit once and give `audit_completed`; the other rows are in `rows`."""
        environment = {**self.lab.environment(json.dumps(self.zone_map)), **self.more}
        settings = Settings.from_env(environment, lambda _: "")
        sink = MemorySink()
        services = build(settings, credential=FixedTokenCredential("read-only", 9999999999), sink=sink)
        try:
            audit(run_context(services, settings, run_id), options)
        finally:
            services.close()
            self.rows = [event.to_row() for event in sink.events]
            self.heartbeat = self.rows.pop()
        assert self.heartbeat["EventType"] == "audit_completed"
        return self.heartbeat

    def fails(self, options: AuditOptions | None = None) -> dict[str, Any]:
        """Audit, which must fail, and give `audit_completed` all the same."""
        with pytest.raises(ToolkitError) as raised:
            self.run(options)
        self.error = raised.value
        return self.heartbeat

    def found(self) -> list[tuple[str, str]]:
        return sorted((row["DriftKinds"][0], row.get("ContainerGroup", "")) for row in self.drift())

    def drift(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["EventType"] == "drift_detected"]

    def right(self, name: str, ip: str, resource_group: str = "rg-apps") -> str:
        """Make a running group whose records are right."""
        group: str = self.lab.group(name, ip, resource_group)
        self.lab.record("corp.internal", "A", name, ip, owner=group)
        self.lab.record(REVERSE, "PTR", ".".join(reversed(ip.split(".")[1:])), f"{name}.corp.internal", owner=group)
        return group

    def fault(self, operation: str, status: int, **where: str) -> None:
        rule = FaultRule(operation=operation, fault=Fault("error", status), where=where)
        self.lab.azure.call(lambda: self.lab.world.faults.add(rule))


@pytest.fixture
def auditor(lab: Any) -> Auditor:
    """Zones linked to one network, two resource groups, and a group in each whose records are right."""
    for zone in ("corp.internal", REVERSE):
        lab.zone(zone, "spoke")
    found = Auditor(lab)
    found.right("web", "10.0.1.4")
    found.right("job", "10.0.1.5", "rg-jobs")
    return found
