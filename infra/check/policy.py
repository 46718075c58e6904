"""The project's own rules for what is deployed: no keys, no old TLS, no public blobs, identities, logs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from infra.check.findings import Finding
from infra.check.nodes import Constant, Document, Member, Name
from infra.check.values import Arr, Known, Obj, Value, alternatives, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.check.deployment import Instance

Rule = tuple[str, tuple[str, ...], "Callable[[Value | None], bool]", str, str]


def _is(*wanted: bool | str) -> Callable[[Value | None], bool]:
    """Every outcome is one of these constants; an absent value is not."""

    def test(value: Value | None) -> bool:
        found = alternatives(value) if value is not None else ()
        return bool(found) and all(isinstance(each, Known) and each.value in wanted for each in found)

    return test


def _identity(value: Value | None) -> bool:
    return any("Assigned" in text for text in texts(value))


# type, path of the property, what its value must be, the code, the sentence
RULES: Final[tuple[Rule, ...]] = (
    ("microsoft.storage/storageaccounts", ("properties", "allowSharedKeyAccess"), _is(False), "shared-key-access",
     "allowSharedKeyAccess must be false: who has a key needs no role"),
    ("microsoft.storage/storageaccounts", ("properties", "minimumTlsVersion"), _is("TLS1_2", "TLS1_3"), "weak-tls",
     "minimumTlsVersion must be TLS1_2 or newer"),
    ("microsoft.storage/storageaccounts", ("properties", "supportsHttpsTrafficOnly"), _is(True), "http-allowed",
     "supportsHttpsTrafficOnly must be true"),
    ("microsoft.storage/storageaccounts", ("properties", "allowBlobPublicAccess"), _is(False), "public-access",
     "allowBlobPublicAccess must be false"),
    ("microsoft.storage/storageaccounts/blobservices/containers", ("properties", "publicAccess"), _is("None"),
     "public-access", "publicAccess must be None"),
    ("microsoft.web/sites", ("properties", "httpsOnly"), _is(True), "http-allowed", "httpsOnly must be true"),
    ("microsoft.web/sites", ("properties", "siteConfig", "minTlsVersion"), _is("1.2", "1.3"), "weak-tls",
     "siteConfig.minTlsVersion must be 1.2 or newer"),
    ("microsoft.web/sites", ("properties", "siteConfig", "ftpsState"), _is("Disabled"), "http-allowed",
     "siteConfig.ftpsState must be Disabled"),
    ("microsoft.web/sites", ("identity", "type"), _identity, "no-identity", "an identity must be assigned"),
    ("microsoft.web/sites/basicpublishingcredentialspolicies", ("properties", "allow"), _is(False),
     "shared-key-access", "allow must be false: deployments use an identity"),
    ("microsoft.eventgrid/systemtopics", ("identity", "type"), _identity, "no-identity",
     "an identity must be assigned: dead letters are written with it"),
    ("microsoft.eventgrid/topics", ("identity", "type"), _identity, "no-identity",
     "an identity must be assigned: dead letters are written with it"),
    ("microsoft.eventgrid/topics", ("properties", "disableLocalAuth"), _is(True), "shared-key-access",
     "disableLocalAuth must be true: who has a key could publish"),
    ("microsoft.insights/components", ("properties", "DisableLocalAuth"), _is(True), "shared-key-access",
     "DisableLocalAuth must be true: telemetry is taken from identities alone"),
    ("microsoft.operationalinsights/workspaces", ("properties", "features", "disableLocalAuth"), _is(True),
     "shared-key-access", "features.disableLocalAuth must be true"),
    ("microsoft.network/privatednszones/virtualnetworklinks", ("properties", "registrationEnabled"), _is(False),
     "autoregistration", "registrationEnabled must be false: with it a link to a reverse zone cannot even be made"),
    ("microsoft.containerinstance/containergroups", ("properties", "ipAddress", "type"),
     lambda value: "Public" not in texts(value), "public-access", "a container group's address must be private"),
)  # fmt: skip
_DIAGNOSED: Final = frozenset(
    {"microsoft.web/sites", "microsoft.eventgrid/topics", "microsoft.eventgrid/systemtopics"}
    | {"microsoft.insights/datacollectionrules", "microsoft.operationalinsights/workspaces"}
)
"""Types whose logs must go to the workspace; of storage it is the blob service that has logs."""
_DIAGNOSED_SERVICE: Final = "microsoft.storage/storageaccounts/blobservices"
_SECRET_NAME: Final = re.compile(
    r"password|secret|(?:access|account|shared|api|primary|function)_?key$|^key$|token$|sas$", re.IGNORECASE
)
_SECRET_MEMBER: Final = re.compile(r"password|key[12s]?$|connectionstring|instrumentationkey|secret", re.IGNORECASE)
_CONNECTION: Final = re.compile(r"AccountKey=|SharedAccess(Key|Signature)|Password=", re.IGNORECASE)
_NO_SECRET: Final = frozenset({"APPLICATIONINSIGHTS_CONNECTION_STRING"})
"""Not a secret here: the component takes no telemetry without an identity's token."""


def check_policy(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Check every resource of a deployment."""
    found = list(instances)
    for instance in found:
        kind = instance.declared.resource_type.lower()
        for wanted, path, test, code, message in RULES:
            if kind == wanted:
                yield from _apply(instance, path, test, code, message)
        if kind == "microsoft.web/sites":
            yield from _settings(instance)
    yield from _diagnostics(found)


def check_secrets(document: Document) -> Iterator[Finding]:
    """Find secrets among parameters' defaults and outputs."""
    for declared in document.of("param"):
        secret = declared.decorator("secure") is not None or _SECRET_NAME.search(declared.name)
        if secret:
            message = f"the parameter {declared.name!a} is a secret: nothing here needs one, identities are managed"
            yield Finding(document.path, declared.line, "secret", message)
    for declared in document.of("output"):
        for node in declared.value.walk() if declared.value is not None else ():
            name = node.name if isinstance(node, Member | Name) else ""
            if _SECRET_MEMBER.search(name):
                message = f"the output {declared.name!a} gives {name!a} to everybody who may read the deployment"
                yield Finding(document.path, declared.line, "secret", message)
    for declared in document.declarations:
        for node in declared.value.walk() if declared.value is not None else ():
            if isinstance(node, Constant) and isinstance(node.value, str) and _CONNECTION.search(node.value):
                yield Finding(document.path, node.line, "secret", "a connection string with a key or password")


def _apply(
    instance: Instance, path: tuple[str, ...], test: Callable[[Value | None], bool], code: str, message: str
) -> Iterator[Finding]:
    for body in alternatives(instance.body):
        if isinstance(body, Obj) and not test(body.get(*path)):
            line = _line(body, path, instance.declared.line)
            yield Finding(instance.document.path, line, code, f"{instance.declared.resource_type}: {message}")


def _line(body: Obj, path: tuple[str, ...], otherwise: int) -> int:
    found: Value = body
    line = otherwise
    for name in path:
        if not isinstance(found, Obj) or name not in found.entries:
            return line
        line, found = found.entries[name].line or line, found.entries[name].value
    return line


def _settings(instance: Instance) -> Iterator[Finding]:
    """Application settings: identity-based storage, and no connection string."""
    body = instance.body
    listed = body.get("properties", "siteConfig", "appSettings") if isinstance(body, Obj) else None
    names = {
        text
        for outcome in (alternatives(listed) if listed is not None else ())
        for item in (outcome.items if isinstance(outcome, Arr) else ())
        if isinstance(item, Obj)
        for text in texts(item.get("name"))
    }
    line = instance.declared.line
    if "AzureWebJobsStorage__accountName" not in names:
        message = "AzureWebJobsStorage__accountName is not set: the host would need a key"
        yield Finding(instance.document.path, line, "shared-key-access", message)
    for name in sorted(names - _NO_SECRET):
        if name == "AzureWebJobsStorage" or _SECRET_MEMBER.search(name) or _SECRET_NAME.search(name):
            yield Finding(instance.document.path, line, "secret", f"the setting {name} looks like a secret")


def _diagnostics(instances: list[Instance]) -> Iterator[Finding]:
    covered = {
        (each.document.path, each.scope_type.lower())
        for each in instances
        if each.declared.resource_type.lower() == "microsoft.insights/diagnosticsettings"
    }
    for each in instances:
        kind = each.declared.resource_type.lower()
        needed = kind in _DIAGNOSED or kind == _DIAGNOSED_SERVICE
        if needed and (each.document.path, kind) not in covered:
            message = f"{each.declared.resource_type} {each.declared.name!a} has no diagnostic setting"
            yield Finding(each.document.path, each.declared.line, "no-diagnostics", message)
