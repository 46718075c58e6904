"""Azure Resource Manager ids: parsed, validated, formatted. The only string surgery on ids in the project.

Azure spells the same id differently from one message to the next (`resourcegroups`, upper-cased names), so two ids are
equal when they differ by case alone. Names are validated here, before anything else sees them: they end up in URLs, DNS
names and a worker's environment.
"""

import re
from dataclasses import dataclass
from typing import Final

from core.errors import InputError

MAX_ID_LENGTH: Final = 1024
CONTAINER_GROUP: Final = "Microsoft.ContainerInstance/containerGroups"
PRIVATE_ZONE: Final = "Microsoft.Network/privateDnsZones"

GUID: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""What a pattern takes for a subscription's, a workspace's or another resource's id of its own."""
_SEGMENT = r"[A-Za-z0-9_.\-()@*~]{1,260}"
SUBSCRIPTION_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z\-]{0,63}", re.ASCII)
RESOURCE_GROUP_NAME: Final = re.compile(r"[\w\-.()]{0,89}[\w\-()]", re.ASCII)
_CONTAINER_GROUP_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_SEGMENT})/resourcegroups/(?P<group>{_SEGMENT})"
    rf"/providers/(?P<provider>{_SEGMENT})(?P<rest>(?:/{_SEGMENT}/{_SEGMENT})+)",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class ArmId:
    """A resource's id: its subscription, resource group, provider, and its (type, name) pairs from parent to child."""

    subscription_id: str
    resource_group: str
    provider: str
    segments: tuple[tuple[str, str], ...]

    @staticmethod
    def parse(text: str) -> "ArmId":
        """Read an id; raises InputError, saying what is wrong, for anything that is not one resource's id."""
        if len(text) > MAX_ID_LENGTH:
            raise InputError(f"a resource id of {len(text)} characters; at most {MAX_ID_LENGTH} are taken")
        found = _ID.fullmatch(text)
        if not found:
            raise InputError(f"not the id of a resource in a resource group: {text[:200]!a}")
        parts = found["rest"].split("/")[1:]
        segments = tuple(zip(parts[::2], parts[1::2], strict=True))
        if any(set(name) == {"."} for _, name in segments):
            raise InputError(f"a name made of dots in a resource id: {text[:200]!a}")
        if not SUBSCRIPTION_ID.fullmatch(found["subscription"]):
            raise InputError(f"not a subscription id: {found['subscription']!a}")
        if not RESOURCE_GROUP_NAME.fullmatch(found["group"]):
            raise InputError(f"not the name of a resource group: {found['group']!a}")
        return ArmId(found["subscription"], found["group"], found["provider"], segments)

    @property
    def type(self) -> str:
        """The resource type, for example Microsoft.ContainerInstance/containerGroups."""
        return "/".join((self.provider, *(kind for kind, _ in self.segments)))

    @property
    def name(self) -> str:
        """The name of the resource itself, without its parents'."""
        return self.segments[-1][1]

    def is_a(self, resource_type: str) -> bool:
        """Tell whether this is a resource of that type, whatever the case."""
        return self.type.lower() == resource_type.lower()

    def __str__(self) -> str:
        rest = "".join(f"/{kind}/{name}" for kind, name in self.segments)
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/{self.provider}{rest}"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArmId) and str(self).lower() == str(other).lower()

    def __hash__(self) -> int:
        return hash(str(self).lower())


def container_group_id(subscription_id: str, resource_group: str, name: str) -> ArmId:
    """Build a container group's id; raises InputError when one of the names is not allowed."""
    return parse_container_group(
        f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}/providers/{CONTAINER_GROUP}/{name}"
    )


def parse_container_group(text: str) -> ArmId:
    """Read a container group's id; raises InputError for any other resource, a child, or a name that ACI refuses."""
    parsed = ArmId.parse(text)
    if not parsed.is_a(CONTAINER_GROUP):
        raise InputError(f"not a container group but {parsed.type}: {text[:200]!a}")
    if not _CONTAINER_GROUP_NAME.fullmatch(parsed.name):
        raise InputError(
            f"not the name of a container group (1 to 63 letters, digits and inner hyphens): {parsed.name[:80]!a}"
        )
    return parsed


def same_id(left: str, right: str) -> bool:
    """Tell whether two ids name the same resource: they may differ by case alone."""
    return left.rstrip("/").lower() == right.rstrip("/").lower()
