"""What a check says: where, a stable code, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

CODES: Final[dict[str, str]] = {
    "syntax": "one of the parsers does not take the file",
    "duplicate-name": "two declarations of a name",
    "unknown-name": "a name that nothing declares",
    "unused-name": "a parameter or variable that nothing uses",
    "cycle": "a declaration that needs itself",
    "unknown-function": "a function that Bicep does not have",
    "wrong-argument-count": "a call with too few or too many arguments",
    "unknown-property": "a property that the value, model or symbol does not have",
    "read-only-property": "a property that only Azure sets",
    "missing-property": "a required property is absent",
    "wrong-type": "a value of another type than is needed",
    "not-allowed-value": "a value outside the allowed ones",
    "missing-file": "a module or loaded file that is not there, or that cannot be read",
    "unknown-parameter": "a parameter that the module or template does not have",
    "missing-parameter": "a parameter without default that is not given",
    "wrong-scope": "a module or resource in a scope that it cannot be deployed to",
    "not-known-at-start": "a name, scope, condition or loop that needs what is known only during the deployment",
    "unknown-type": "a resource type that is not in the list of api-versions",
    "unknown-api-version": "an api-version that is not known to exist",
    "unmodelled-api-version": "an api-version whose model is not installed: the body cannot be checked",
    "unknown-role": "a role definition id that is not in the table of roles",
    "broad-role": "a role that may do too much",
    "role-not-granted": "a role assignment that infra/roles.yaml does not grant",
    "role-missing": "a grant of infra/roles.yaml that no role assignment makes",
    "shared-key-access": "keys are switched on",
    "weak-tls": "TLS below 1.2",
    "http-allowed": "unencrypted HTTP is allowed",
    "public-access": "blobs can be read by anybody",
    "no-identity": "no managed identity",
    "no-diagnostics": "a resource whose logs go nowhere",
    "unfiltered-subscription": "an event subscription that takes everything",
    "bad-filter": "a filter that Event Grid refuses, or that lets the wrong events through",
    "no-dead-letter": "events that are given up are lost",
    "no-retry-policy": "an event subscription without an explicit retry policy",
    "autoregistration": "a zone link that registers virtual machines",
    "wrong-stream": "a data collection rule whose streams, destinations or table do not fit together",
    "unknown-trigger": "a function that function_app.py does not have",
    "secret": "a secret in an output, a default, a setting or a list… call",
    "not-generated": "a generated file differs from its source",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong. `path` is relative to the project's root, `line` counts from 1."""

    path: Path
    line: int
    code: str
    message: str

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"no such code: {self.code}")

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code}: {self.message}"
