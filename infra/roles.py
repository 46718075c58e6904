"""Reads roles.yaml: which identity has which role where, what a role allows, and which code needs it."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE: Final = Path(__file__).parent / "roles.yaml"


@dataclass(frozen=True, slots=True)
class Role:
    """What a role allows. `id` is the GUID of a built-in role, and empty for a custom one, which has a `key`.

    `replaces` and `scopes` say in place of which built-in role a custom one can be assigned, and where.
    """

    name: str
    id: str
    actions: tuple[str, ...]
    data_actions: tuple[str, ...] = ()
    key: str = ""
    description: str = ""
    replaces: str = ""
    scopes: tuple[str, ...] = ()
    source: str = ""

    def allows(self, action: str) -> bool:
        """Tell whether the role allows an action such as Microsoft.Network/privateDnsZones/A/write."""
        return _matches(action, self.actions)

    def allows_data(self, action: str) -> bool:
        """Tell whether the role allows an action on data, e.g. Microsoft.Insights/Telemetry/Write."""
        return _matches(action, self.data_actions)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of one identity on one kind of scope; `optional` says under which condition it is made, or is empty."""

    identity: str
    role: str
    scope: str
    code: str
    why: str
    without: str
    optional: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who acts: `key` is its short name, `what` says who that is."""

    key: str
    what: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """The whole of roles.yaml."""

    built_in: tuple[Role, ...]
    custom: tuple[Role, ...]
    identities: tuple[Identity, ...]

    def role(self, name: str) -> Role:
        """Find a role by name; raises KeyError."""
        found = next((role for role in (*self.built_in, *self.custom) if role.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def identity(self, key: str) -> Identity:
        """Find an identity by its key; raises KeyError."""
        found = next((identity for identity in self.identities if identity.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    def narrow(self, grant: Grant) -> Role:
        """Give the role that is assigned for a grant when custom roles are used."""
        fits = (role for role in self.custom if role.replaces == grant.role and grant.scope in role.scopes)
        return next(fits, self.role(grant.role))


@cache
def load(path: Path = SOURCE) -> Roles:
    """Read the file; raises ConfigurationError for a grant of a role that it does not describe."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    roles = Roles(
        built_in=tuple(_role(item) for item in document["built_in"]),
        custom=tuple(_role(item) for item in document["custom"]),
        identities=tuple(_identity(item) for item in document["identities"]),
    )
    known = {role.name for role in roles.built_in}
    unknown = {grant.role for identity in roles.identities for grant in identity.grants} - known
    if unknown:
        raise ConfigurationError(
            f"{path.name}: granted, but not among the built-in roles: {', '.join(sorted(unknown))}"
        )
    return roles


def _role(item: dict[str, Any]) -> Role:
    return Role(
        name=item["name"],
        id=item.get("id", ""),
        actions=tuple(item["actions"]),
        data_actions=tuple(item.get("data_actions", ())),
        key=item.get("key", ""),
        description=item.get("description", ""),
        replaces=item.get("replaces", ""),
        scopes=tuple(item.get("scopes", ())),
        source=item.get("source", ""),
    )


def _identity(item: dict[str, Any]) -> Identity:
    return Identity(item["key"], item["what"], tuple(Grant(identity=item["key"], **grant) for grant in item["grants"]))


def _matches(action: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
