"""infra/roles.yaml: least privilege, written down once."""

import re
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from infra import roles
from infra.check.role_assignments import BROAD

DOCUMENT = roles.load()
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WRITES = ("Microsoft.Network/privateDnsZones/A/write", "Microsoft.Network/privateDnsZones/PTR/delete")
READS = ("Microsoft.Network/privateDnsZones/A/read", "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read")


def allowed(identity: str, action: str, *, narrow: bool) -> set[str]:
    """Name the scopes on which an identity may do something."""
    grants = DOCUMENT.identity(identity).grants
    chosen = [(grant.scope, DOCUMENT.narrow(grant) if narrow else DOCUMENT.role(grant.role)) for grant in grants]
    return {scope for scope, role in chosen if role.allows(action)}


def test_roles_have_guids_and_none_is_broad() -> None:
    assert all(GUID.fullmatch(role.id) and role.source for role in DOCUMENT.built_in)
    assert not {role.id for role in DOCUMENT.built_in} & BROAD.keys()


@pytest.mark.parametrize("narrow", [False, True], ids=["built-in", "custom"])
@pytest.mark.parametrize("action", WRITES)
def test_only_the_writer_can_change_dns_and_only_in_zones(action: str, *, narrow: bool) -> None:
    assert allowed("writer", action, narrow=narrow) == {"forward_zone", "reverse_zone"}
    for identity in ("observer", "probe", "events"):
        assert allowed(identity, action, narrow=narrow) == set()


@pytest.mark.parametrize("narrow", [False, True], ids=["built-in", "custom"])
@pytest.mark.parametrize("action", READS)
def test_the_observer_sees_record_sets_and_links(action: str, *, narrow: bool) -> None:
    assert allowed("observer", action, narrow=narrow) >= {"forward_zone", "reverse_zone"}


@pytest.mark.parametrize("identity", ["writer", "observer", "probe"])
@pytest.mark.parametrize("narrow", [False, True], ids=["built-in", "custom"])
def test_whoever_looks_at_container_groups_can_read_them(identity: str, *, narrow: bool) -> None:
    action = "Microsoft.ContainerInstance/containerGroups/read"
    assert "aci_group" in allowed(identity, action, narrow=narrow)
    assert not allowed(identity, "Microsoft.ContainerInstance/containerGroups/restart/action", narrow=narrow)


@pytest.mark.parametrize(
    "action",
    [
        "Microsoft.Network/privateDnsZones/delete",
        "Microsoft.Network/privateDnsZones/write",
        "Microsoft.Network/privateDnsZones/CNAME/write",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks/write",
        "Microsoft.Network/virtualNetworks/join/action",
        "Microsoft.Authorization/roleAssignments/write",
    ],
)
def test_the_narrow_writer_role_writes_record_sets_and_nothing_else(action: str) -> None:
    assert not DOCUMENT.role("ACI DNS Record Writer").allows(action)


def test_custom_roles_never_allow_more_than_what_they_replace() -> None:
    for role in DOCUMENT.custom:
        replaced = DOCUMENT.role(role.replaces)
        assert [action for action in role.actions if not replaced.allows(action) and not action.endswith("/read")] == []
        assert all("*" not in action for action in role.actions)


def test_every_identity_that_sends_events_may_publish_on_the_rule_alone() -> None:
    for key in ("writer", "observer", "probe"):
        grants = DOCUMENT.identity(key).grants
        scopes = {
            grant.scope
            for grant in grants
            if DOCUMENT.role(grant.role).allows_data("Microsoft.Insights/Telemetry/Write")
        }
        assert scopes <= {"data_collection_rule", "telemetry"}
        assert "data_collection_rule" in scopes


def test_a_grant_of_a_role_that_is_not_described_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "roles.yaml"
    grant = "{role: Owner, scope: storage, code: x, why: x, without: x}"
    file.write_text(
        f"built_in: []\ncustom: []\nidentities: [{{key: a, what: b, grants: [{grant}]}}]\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="Owner"):
        roles.load(file)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        DOCUMENT.role("Owner")
    with pytest.raises(KeyError):
        DOCUMENT.identity("nobody")
