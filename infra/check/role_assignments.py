"""Role assignments: exactly those that infra/roles.yaml grants, each on its resource and never above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from infra.check.findings import Finding
from infra.check.values import Obj, Unknown, Value, alternatives, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from infra import roles
    from infra.check.deployment import Instance

_ASSIGNMENT: Final = "microsoft.authorization/roleassignments"
# Known only to be refused: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BROAD: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "749f88d5-cbae-40b8-bcfc-e573ddc772fa": "Monitoring Contributor",
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293": "Log Analytics Contributor",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab": "Storage Account Contributor",
    "befefa01-2a29-4197-83a8-272ff33ce314": "DNS Zone Contributor",
}
_SCOPES: Final = {
    "microsoft.network/privatednszones": ("forward_zone", "reverse_zone"),
    "microsoft.network/virtualnetworks": ("virtual_network",),
    "microsoft.storage/storageaccounts": ("storage",),
    "microsoft.storage/storageaccounts/blobservices/containers": ("dead_letters",),
    "microsoft.insights/datacollectionrules": ("data_collection_rule",),
    "microsoft.insights/components": ("telemetry",),
    "microsoft.eventgrid/topics": ("repair_topic",),
    "microsoft.containerregistry/registries": ("registry",),
    "": ("aci_group",),
}
# Whose identity a principal id is, by the module that it comes out of.
_IDENTITIES: Final = {
    "writer": "writer",
    "observer": "observer",
    "identity": "probe",
    "systemTopics": "events",
    "repairTopic": "events",
}
_WHOLE: Final = frozenset({"subscription", "managementGroup", "tenant"})
# Whose a storage account is: an app that may write another one's package can become it.
_STORAGE: Final = {"storage": "writer", "observerStorage": "observer"}


@dataclass(frozen=True, slots=True)
class Assigned:
    """One assignment as far as it is known: the identity's key (empty when it is not), the role's name, the scope."""

    identity: str
    role: str
    scope: str
    path: Path
    line: int
    scope_owner: str = ""


def check_roles(instances: Iterable[Instance], document: roles.Roles) -> Iterator[Finding]:
    """Compare the assignments of a deployment with the grants; nothing is said where there are none at all."""
    assigned: list[Assigned] = []
    for instance in instances:
        if instance.declared.resource_type.lower() == _ASSIGNMENT:
            found, findings = _read(instance, document)
            assigned += found
            yield from findings
    if assigned:
        yield from _compare(assigned, document)


def _read(instance: Instance, document: roles.Roles) -> tuple[list[Assigned], list[Finding]]:
    path, line = instance.document.path, instance.declared.line
    if not isinstance(instance.body, Obj):
        return [], []
    whole = (
        instance.scope_type if instance.scope_type in _WHOLE else "" if instance.scope_type else instance.target_scope
    )
    if whole in _WHOLE:
        message = f"the assignment {instance.declared.name!a} is on a whole {whole}"
        return [], [Finding(path, line, "broad-role", message)]
    role_id = instance.body.get("properties", "roleDefinitionId")
    names = {role.id: role.name for role in document.built_in}
    found, findings = [], []
    for text in filter(None, texts(role_id)):
        key = text.rpartition("/")[2]
        if key in BROAD:
            findings.append(Finding(path, line, "broad-role", f"{BROAD[key]} may do far more than is needed"))
        elif key not in names:
            message = f"{text!a} is not the id of a role in infra/roles.yaml"
            findings.append(Finding(path, line, "unknown-role", message))
        else:
            found += [
                Assigned(identity, names[key], scope, path, line, _STORAGE.get(_module(instance.scope_origin), ""))
                for scope in _SCOPES.get(instance.scope_type.lower(), (instance.scope_type,))
                for identity in _identities(instance.body.get("properties", "principalId"))
            ]
    return found, findings


def _identities(principal: Value | None) -> Iterator[str]:
    """Tell whose a principal id may be."""
    for outcome in alternatives(principal) if principal is not None else ():
        origin = outcome.origin if isinstance(outcome, Unknown) else ""
        yield _IDENTITIES.get(_module(origin), "")


def _module(origin: str) -> str:
    return origin.partition(".")[0]


def _compare(assigned: list[Assigned], document: roles.Roles) -> Iterator[Finding]:
    granted = {
        (identity.key, grant.role, grant.scope): grant for identity in document.identities for grant in identity.grants
    }
    # In the small form one identity is both; what it may do then is what the two may do.
    one_app = {("writer", role, scope) for key, role, scope in granted if key == "observer"}
    for each in assigned:
        key = (each.identity, each.role, each.scope)
        if key not in granted and key not in one_app:
            who = each.identity or "an identity that cannot be traced"
            message = f"{each.role} on {each.scope} for {who} is not granted in infra/roles.yaml"
            yield Finding(each.path, each.line, "role-not-granted", message)
        elif each.scope == "storage" and each.scope_owner not in {"", each.identity}:
            message = f"{each.identity} may write the package of {each.scope_owner}, and so become it"
            yield Finding(each.path, each.line, "role-not-granted", message)
    made = {(each.identity, each.role, each.scope) for each in assigned}
    for identity, role, scope in sorted(set(granted) - made):
        first = min(assigned, key=lambda each: (each.path, each.line))
        message = f"infra/roles.yaml grants {identity} the role {role} on {scope}, and nothing assigns it"
        yield Finding(first.path.parent / "roles-home.bicep", 1, "role-missing", message)
