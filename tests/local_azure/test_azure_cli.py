"""A real azure-cli against the local Azure. Runs only where AZ_CLI names one: see docs/azure-cli.md.

azure-cli is 733 MB, so it is no dependency, and its absence is a skip even where REQUIRE_TOOLS=1.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.az import Az, AzError
from local_azure.server import LocalAzure

pytestmark = pytest.mark.tools

FORWARD, REVERSE = "corp.internal", "0.10.in-addr.arpa"
ZONE, PTR_ZONE = ("-g", "rg-dns", "-z", FORWARD), ("-g", "rg-dns", "-z", REVERSE)
RECORD_SET = ("network", "private-dns", "record-set")
LINK = ("network", "private-dns", "link", "vnet")


@pytest.fixture(scope="module")
def program() -> Path:
    """Give the azure-cli that AZ_CLI names."""
    named = os.environ.get("AZ_CLI")
    if not named:
        pytest.skip("optional: set AZ_CLI to azure-cli's program (733 MB, docs/azure-cli.md says how to install it)")
    found = shutil.which(named)
    if not found:
        pytest.fail(f"AZ_CLI={named} is no program", pytrace=False)
    return Path(found)


@pytest.fixture(scope="module")
def azure() -> Iterator[LocalAzure]:
    with LocalAzure.start(parts=("local_azure.eventgrid",), new_ip_on_restart=True) as running:
        yield running


@pytest.fixture(scope="module")
def az(program: Path, azure: LocalAzure, tmp_path_factory: pytest.TempPathFactory) -> Az:
    """Give an az that is signed in with the managed identity."""
    az = Az(program, azure, tmp_path_factory.mktemp("az"))
    az.sign_in()
    return az


@pytest.fixture(scope="module")
def vnet(az: Az) -> str:
    """Give the id of a virtual network with the subnet `aci`."""
    space = ("--address-prefixes", "10.0.0.0/16", "--subnet-name", "aci", "--subnet-prefixes", "10.0.1.0/24")
    return str(az.json("network", "vnet", "create", "-g", "rg-net", "-n", "spoke", *space)["newVNet"]["id"])


@pytest.fixture(scope="module")
def zones(az: Az) -> None:
    """Make the forward and the reverse zone."""
    for name in (FORWARD, REVERSE):
        az("network", "private-dns", "zone", "create", "-g", "rg-dns", "-n", name)


def names(items: list[dict[str, Any]]) -> set[str]:
    return {item["name"] for item in items}


def test_az_knows_its_account_after_signing_in_with_the_managed_identity(az: Az, azure: LocalAzure) -> None:
    account = az.json("account", "show")
    assert account["id"] == azure.world.settings.subscription_id
    assert account["user"]["assignedIdentityInfo"] == "MSI"
    assert [found["id"] for found in az.json("account", "list")] == [account["id"]]


def test_az_signs_in_as_a_service_principal(program: Path, azure: LocalAzure, tmp_path: Path) -> None:
    az = Az(program, azure, tmp_path)
    az("cloud", "register", "-n", "local", "--endpoint-resource-manager", azure.arm, identity=False)
    az("cloud", "set", "-n", "local", identity=False)
    who = "33333333-3333-3333-3333-333333333333"
    tenant = azure.world.settings.tenant_id
    az("login", "--service-principal", "-u", who, "-p", "any", "--tenant", tenant, identity=False)
    assert az("account", "show", "--query", "user.name", "-o", "tsv", identity=False).strip() == who
    az("group", "list", identity=False)


def test_az_creates_lists_shows_and_deletes_resource_groups(az: Az) -> None:
    az("group", "create", "-n", "rg-short", "-l", "westeurope")
    assert az.json("group", "show", "-n", "rg-short")["properties"]["provisioningState"] == "Succeeded"
    assert "rg-short" in names(az.json("group", "list"))
    az("group", "delete", "-n", "rg-short", "--yes")
    assert az("group", "exists", "-n", "rg-short").strip() == "false"


def test_az_manages_networks_and_subnets(az: Az, vnet: str) -> None:
    subnet = ("network", "vnet", "subnet")
    place = ("-g", "rg-net", "--vnet-name", "spoke")
    delegation = ("--delegations", "Microsoft.ContainerInstance/containerGroups")
    az(*subnet, "create", *place, "-n", "more", "--address-prefixes", "10.0.2.0/24", *delegation)
    assert names(az.json(*subnet, "list", *place)) == {"aci", "more"}
    az(*subnet, "delete", *place, "-n", "more")
    az("network", "vnet", "update", "-g", "rg-net", "-n", "spoke", "--dns-servers", "10.0.0.4")
    shown = az.json("network", "vnet", "show", "--ids", vnet)
    assert (names(shown["subnets"]), shown["dhcpOptions"]) == ({"aci"}, {"dnsServers": ["10.0.0.4"]})
    assert "spoke" in names(az.json("network", "vnet", "list"))


def test_az_manages_zones(az: Az, zones: None) -> None:
    zone = ("network", "private-dns", "zone")
    assert names(az.json(*zone, "list")) >= {FORWARD, REVERSE}
    az(*zone, "create", "-g", "rg-dns", "-n", "short.internal")
    assert az.json(*zone, "show", "-g", "rg-dns", "-n", "short.internal")["numberOfRecordSets"] == 1
    assert az.json(*zone, "update", "-g", "rg-dns", "-n", "short.internal", "--tags", "a=b")["tags"] == {"a": "b"}
    az(*zone, "delete", "-g", "rg-dns", "-n", "short.internal", "--yes")
    with pytest.raises(AzError, match="ResourceNotFound"):
        az(*zone, "show", "-g", "rg-dns", "-n", "short.internal")


def test_az_manages_links_and_is_told_of_a_second_link_to_the_same_network(az: Az, zones: None, vnet: str) -> None:
    az(*LINK, "create", *ZONE, "-n", "spoke", "-v", vnet, "-e", "false")
    assert names(az.json(*LINK, "list", *ZONE)) == {"spoke"}
    az(*LINK, "update", *ZONE, "-n", "spoke", "--tags", "x=y")
    shown = az.json(*LINK, "show", *ZONE, "-n", "spoke")
    assert (shown["virtualNetworkLinkState"], shown["tags"]) == ("Completed", {"x": "y"})
    with pytest.raises(AzError, match="overlapping namespaces"):
        az(*LINK, "create", *ZONE, "-n", "again", "-v", vnet, "-e", "false")
    az(*LINK, "delete", *ZONE, "-n", "spoke", "--yes")
    assert az.json(*LINK, "list", *ZONE) == []


RECORDS = [
    pytest.param("a", ZONE, "web", "-a", ["10.0.1.4", "10.0.1.5"], "aRecords", "ipv4Address", id="a"),
    pytest.param("ptr", PTR_ZONE, "4.1", "-d", ["web.internal", "x.internal"], "ptrRecords", "ptrdname", id="ptr"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "zone", "name", "option", "values", "records", "inner"), RECORDS)
def test_az_manages_record_sets(  # noqa: PLR0917 - the columns of the table above
    az: Az,
    zones: None,
    kind: str,
    zone: tuple[str, ...],
    name: str,
    option: str,
    values: list[str],
    records: str,
    inner: str,
) -> None:
    command = (*RECORD_SET, kind)
    az(*command, "create", *zone, "-n", name, "--ttl", "60")
    for value in values:
        az(*command, "add-record", *zone, "-n", name, option, value)
    shown = az.json(*command, "show", *zone, "-n", name)
    assert ([item[inner] for item in shown[records]], shown["ttl"]) == (values, 60)
    az(*command, "update", *zone, "-n", name, "--set", "ttl=120", "--metadata", "k=v")
    (listed,) = az.json(*command, "list", *zone)
    assert (listed["ttl"], listed["metadata"]) == (120, {"k": "v"})
    az(*command, "remove-record", *zone, "-n", name, option, values[0])
    assert name in names(az.json(*RECORD_SET, "list", *zone))
    az(*command, "delete", *zone, "-n", name, "--yes")
    with pytest.raises(AzError, match="does not exist"):
        az(*command, "show", *zone, "-n", name)


def test_az_is_refused_where_a_record_set_exists_already(az: Az, zones: None) -> None:
    az(*RECORD_SET, "a", "create", *ZONE, "-n", "once")
    with pytest.raises(AzError, match="exists already"):
        az(*RECORD_SET, "a", "create", *ZONE, "-n", "once")


def test_a_zone_that_az_exports_is_the_one_it_imports(az: Az, zones: None, tmp_path: Path) -> None:
    zone, file = ("network", "private-dns", "zone"), tmp_path / "zone.txt"
    az(*RECORD_SET, "a", "add-record", *ZONE, "-n", "out", "-a", "10.0.1.9")
    az(*RECORD_SET, "txt", "add-record", *ZONE, "-n", "note", "-v", "two words")
    az(*RECORD_SET, "cname", "set-record", *ZONE, "-n", "www", "-c", f"out.{FORWARD}")
    az(*zone, "export", "-g", "rg-dns", "-n", FORWARD, "-f", str(file))
    az(*zone, "import", "-g", "rg-dns", "-n", "copy.internal", "-f", str(file))
    copied = {
        (item["type"].rpartition("/")[2], item["name"])
        for item in az.json(*RECORD_SET, "list", "-g", "rg-dns", "-z", "copy.internal")
    }
    assert copied >= {("SOA", "@"), ("A", "out"), ("TXT", "note"), ("CNAME", "www")}


def test_az_runs_a_container_group_in_a_subnet_through_its_life(az: Az, vnet: str) -> None:
    where = ("-g", "rg-apps", "-n", "web")
    sizes = ("--ports", "80", "--cpu", "1", "--memory", "1", "--os-type", "Linux")
    place = ("--vnet", vnet, "--subnet", "aci", "--ip-address", "Private")
    created = az.json("container", "create", *where, "--image", "nginx", *place, *sizes)
    first = created["ipAddress"]["ip"]
    assert first.startswith("10.0.1.")
    assert az.json("container", "show", *where)["instanceView"]["state"] == "Running"
    assert "web" in names(az.json("container", "list", "-g", "rg-apps"))
    az("container", "logs", *where)
    az("container", "restart", *where)
    assert az.json("container", "show", *where)["ipAddress"]["ip"] != first
    az("container", "stop", *where)
    assert az.json("container", "show", *where)["instanceView"]["state"] == "Stopped"
    az("container", "start", *where)
    assert az.json("container", "show", *where)["instanceView"]["state"] == "Running"
    listed = az.json("resource", "list", "-g", "rg-apps")
    assert {item["type"] for item in listed} == {"Microsoft.ContainerInstance/containerGroups"}
    az("container", "delete", *where, "--yes")
    with pytest.raises(AzError, match="was not found"):
        az("container", "show", *where)


def test_az_lists_event_subscriptions_and_is_told_why_an_endpoint_is_refused(az: Az, azure: LocalAzure) -> None:
    source = f"/subscriptions/{azure.world.settings.subscription_id}"
    assert az.json("eventgrid", "event-subscription", "list", "--source-resource-id", source) == []
    with pytest.raises(AzError, match="validate the provided endpoint"):
        az(
            "eventgrid", "event-subscription", "create", "-n", "one", "--source-resource-id", source,
            "--endpoint", "http://127.0.0.1:9/nobody", "--endpoint-type", "webhook",
        )  # fmt: skip
