"""Role assignments decide as Azure's do: patterns, exceptions, data actions, and scopes that are inherited."""

import pytest

from local_azure.roles import Denial, RoleDefinition, Roles, principal_of

RG = "/subscriptions/s/resourceGroups/rg"
ZONE = f"{RG}/providers/Microsoft.Network/privateDnsZones/corp.internal"
READER = RoleDefinition("Reader", actions=("*/read",))
DNS = RoleDefinition("DNS", actions=("Microsoft.Network/privateDnsZones/*",))
SENDER = RoleDefinition("Sender", actions=("*",), data_actions=("Microsoft.Insights/Telemetry/Write",))
ALL_BUT = RoleDefinition("All but", actions=("*",), not_actions=("Microsoft.Network/*/delete",))


@pytest.mark.parametrize(
    ("role", "action", "granted"),
    [
        (READER, "Microsoft.Network/privateDnsZones/A/read", True),
        (READER, "microsoft.network/privatednszones/a/READ", True),
        (READER, "Microsoft.Network/privateDnsZones/A/write", False),
        (READER, "Microsoft.Insights/Telemetry/Write", False),
        (DNS, "Microsoft.Network/privateDnsZones/PTR/delete", True),
        (DNS, "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read", True),
        (DNS, "Microsoft.Network/privateDnsZonesX/read", False),
        (DNS, "Microsoft.ContainerInstance/containerGroups/read", False),
        (ALL_BUT, "Microsoft.Network/privateDnsZones/A/write", True),
        (ALL_BUT, "Microsoft.Network/privateDnsZones/A/delete", False),
        (ALL_BUT, "Microsoft.Insights/Telemetry/Write", False),
        (SENDER, "Microsoft.Insights/Telemetry/Write", True),
        (SENDER, "Microsoft.EventGrid/events/send/action", False),
        (RoleDefinition("Odd", actions=("a[b]?c/*",)), "a[b]?c/read", True),
        (RoleDefinition("Odd", actions=("a[b]?c/*",)), "abxc/read", False),
    ],
)
def test_a_role_grants_what_its_patterns_name_and_do_not_except(
    role: RoleDefinition, action: str, granted: bool
) -> None:
    assert role.grants(action) is granted


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (ZONE, True),
        (ZONE.upper(), True),
        (f"{ZONE}/A/web", True),
        (f"{ZONE}x", False),
        (RG, False),
        (f"{RG}/providers/Microsoft.Network/privateDnsZones/other.internal", False),
    ],
)
def test_an_assignment_holds_at_its_scope_and_below(scope: str, allowed: bool) -> None:
    roles = Roles()
    roles.assign(principal_of("app"), READER, ZONE)
    assert roles({"oid": principal_of("app")}, "Microsoft.Network/privateDnsZones/read", scope) is allowed


def test_an_assignment_at_the_root_holds_everywhere() -> None:
    roles = Roles()
    roles.assign("p", READER, "/")
    assert roles({"oid": "p"}, "Microsoft.Network/privateDnsZones/read", ZONE)


def test_another_principal_has_none_of_it_and_the_refusal_is_kept() -> None:
    roles = Roles()
    roles.assign(principal_of("app"), READER, RG)
    assert not roles({"oid": principal_of("other")}, "x/read", ZONE)
    assert not roles({}, "x/read", ZONE)
    assert roles.denials == [Denial(principal_of("other"), "x/read", ZONE), Denial("", "x/read", ZONE)]


def test_a_role_that_is_taken_back_grants_nothing_more() -> None:
    roles = Roles()
    made = roles.assign("p", READER, RG)
    assert roles({"oid": "p"}, "x/read", ZONE)
    roles.revoke([made])
    assert not roles({"oid": "p"}, "x/read", ZONE)


def test_what_the_data_plane_addresses_by_another_name_is_found_by_its_arm_id() -> None:
    rule = f"{RG}/providers/Microsoft.Insights/dataCollectionRules/dcr-one"
    roles = Roles(aliases={"/dataCollectionRules/dcr-00aa": rule})
    roles.assign("p", SENDER, rule)
    assert roles({"oid": "p"}, "Microsoft.Insights/Telemetry/Write", "/dataCollectionRules/DCR-00AA")
    assert not roles({"oid": "p"}, "Microsoft.Insights/Telemetry/Write", "/dataCollectionRules/dcr-00bb")
