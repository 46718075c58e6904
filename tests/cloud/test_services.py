"""Putting the doors together opens nothing, and the worker's imports stay small."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cloud.credentials import FixedTokenCredential
from cloud.services import build, run_context
from cloud.sink import LogLinesSink, LogsSink, MemorySink
from core.errors import DeadlineError
from core.records import ZoneRef
from core.settings import LogsSettings, Settings
from core.zone_map import ZoneMap

ROOT = Path(__file__).parents[2]
TOKEN = FixedTokenCredential("token", 4102444800)
RECORD = {"name": "web", "type": "Microsoft.Network/privateDnsZones/A", "etag": "e1", "properties": {"ttl": 60}}
ZONE = ZoneRef("00000000-0000-0000-0000-000000000001", "rg", "corp.internal")


def settings(**changes):
    return Settings(**{"zone_map": ZoneMap(), "logs": LogsSettings(), **changes})


@pytest.mark.parametrize(
    ("logs", "kind"),
    [(LogsSettings(), LogLinesSink), (LogsSettings("https://dce.example", "dcr-1"), LogsSink)],
)
def test_events_go_where_the_settings_say(logs, kind):
    assert type(build(settings(logs=logs), credential=TOKEN).sink) is kind


def test_a_given_sink_is_used():
    sink = MemorySink()
    assert build(settings(), credential=TOKEN, sink=sink).sink is sink


def test_building_asks_nobody_for_anything(scripted):
    services = build(settings(arm_endpoint=scripted.url, ca_bundle=scripted.ca), credential=TOKEN)
    services.close()
    assert scripted.seen == []


def test_each_invocation_counts_its_own_calls(scripted):
    scripted.reply(200, RECORD)
    configured = settings(arm_endpoint=scripted.url, ca_bundle=scripted.ca)
    services = build(configured, credential=TOKEN)
    one = run_context(services, configured, "one")
    two = run_context(services, configured, "two", attempt=3)
    one.private_dns.get(ZONE, "A", "web")
    two.private_dns.get(ZONE, "A", "web")
    two.private_dns.get(ZONE, "A", "web")
    assert (one.calls.calls, two.calls.calls) == (1, 2)
    assert (one.invocation_id, one.attempt, two.attempt) == ("one", 1, 3)
    assert (one.arm_token(), one.sink) == ("token", services.sink)
    assert one.now().utcoffset().total_seconds() == 0


def test_an_invocation_ends_at_its_deadline(scripted):
    configured = settings(arm_endpoint=scripted.url, ca_bundle=scripted.ca, reconcile_deadline_seconds=0.0)
    context = run_context(build(configured, credential=TOKEN), configured, "one")
    with pytest.raises(DeadlineError):
        context.private_dns.get(ZONE, "A", "web")


WORKER_IMPORTS = """
import json, sys
import cloud.arm, cloud.container_groups, cloud.credentials, cloud.private_dns
arm = cloud.arm.Arm(cloud.credentials.FixedTokenCredential("t", 4102444800))
arm.container_instances("s"), arm.private_dns("s")
print(json.dumps([name for name in sys.modules if name.startswith(("azure.", "msal", "cryptography"))]))
"""


def loaded(code):
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env={})
    return set(json.loads(ran.stdout))


def test_what_the_worker_uses_imports_neither_identity_nor_monitor_nor_async_clients():
    modules = loaded(WORKER_IMPORTS)
    unwanted = [
        name
        for name in modules
        if name.startswith(("azure.identity", "azure.monitor", "msal", "cryptography"))
        or (name.startswith("azure.mgmt") and ".aio" in name)
    ]
    assert "azure.mgmt.privatedns" in modules
    assert unwanted == []


def test_importing_the_package_and_its_services_loads_no_client():
    modules = loaded(
        "import json, sys, cloud, cloud.services\n"
        "print(json.dumps([name for name in sys.modules if name.startswith(('azure.mgmt.', 'azure.i', 'azure.mon'))]))"
    )
    assert not modules & {"azure.mgmt.privatedns", "azure.mgmt.containerinstance", "azure.identity", "azure.monitor"}
