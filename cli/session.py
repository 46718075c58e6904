"""Whom the command acts as, and with which settings: the environment is read here and nowhere else."""

import logging
import os
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.settings import Settings

if TYPE_CHECKING:
    from cloud.credentials import TokenCredential
    from cloud.services import Services
    from core.run_context import RunContext, Sink


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises ConfigurationError with every reason."""
    return Settings.from_env(environment, lambda path: Path(path).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """Where events are queried; without an endpoint, the public cloud's."""

    endpoint: str | None
    ca_bundle: str | None


def read_query_settings(environment: Mapping[str, str] = os.environ) -> QuerySettings:
    """Read where to query: no zone map is needed to look at events."""
    return QuerySettings(environment.get("LOGS_QUERY_ENDPOINT") or None, environment.get("REQUESTS_CA_BUNDLE") or None)


def credential_for(client_id: str | None, environment: Mapping[str, str] = os.environ) -> "TokenCredential":
    """Give the managed identity where there is one, and otherwise a person's own sign-in."""
    from cloud import credentials

    if environment.get("IDENTITY_ENDPOINT"):
        return credentials.managed_identity(client_id)
    return credentials.developer()


@contextmanager
def open_services(settings: Settings, sink: "Sink | None" = None) -> Iterator["Services"]:
    """Open the doors to Azure and close them afterwards."""
    from cloud.services import build

    services = build(settings, credential=credential_for(settings.client_id), sink=sink)
    try:
        yield services
    finally:
        services.close()


def context_of(services: "Services", settings: Settings, deadline_seconds: float | None = None) -> "RunContext":
    """Give one command its surroundings; its id stands for the invocation's."""
    from cloud.services import run_context

    return run_context(services, settings, f"drift-{uuid.uuid4()}", deadline_seconds=deadline_seconds)


def configure_logging(*, debug: bool) -> None:
    """Warnings of ours to stderr; with `debug` everything. The SDKs' own say what our errors say already."""
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    # An event that the table refused is a log line: it must not be lost because it is good news.
    logging.getLogger("aci_dns.events").setLevel(logging.INFO)
    # What the probe and the audit find is the result of the command, printed as such: it must not stand there twice.
    logging.getLogger("aci_dns.probe").setLevel(logging.DEBUG if debug else logging.ERROR)
    logging.getLogger("aci_dns.audit").setLevel(logging.DEBUG if debug else logging.CRITICAL)
    logging.getLogger("azure").setLevel(logging.INFO if debug else logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.INFO if debug else logging.CRITICAL)
