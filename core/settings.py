"""Settings: read once at the door from a mapping (the environment), then values.

Nothing here is secret: identities are managed, so there is no key or password to configure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.audit_settings import AuditSettings
from core.endpoints import PUBLIC_ARM
from core.environment import EnvironmentReader, ReadFile
from core.errors import ConfigurationError, Reason
from core.probe_settings import ProbeSettings
from core.zone_map import ZoneMap

_CLIENT_ID = re.compile(r"[0-9A-Za-z\-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogsSettings:
    """Where events are uploaded. All None: events are structured log lines only."""

    ingestion_endpoint: str | None = None
    dcr_immutable_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a part of the toolkit may be told from outside.

    `reconcile_deadline_seconds` bounds one run of the worker. Event Grid waits 30 seconds for an answer and then
    delivers again; that is harmless, because a second run finds nothing left to do.
    """

    zone_map: ZoneMap
    logs: LogsSettings
    arm_endpoint: str = PUBLIC_ARM
    client_id: str | None = None
    ca_bundle: str | None = None
    reconcile_deadline_seconds: float = 120.0
    worker_attempts: int = 5
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)

    @staticmethod
    def from_env(environment: Mapping[str, str], read_file: ReadFile, *, zone_map_needed: bool = True) -> "Settings":
        """Read the settings; raises ConfigurationError with every reason. `read_file` gives a file's text.

        A probe whose targets are given needs no zone map.
        """
        reader = EnvironmentReader(environment)
        settings = Settings(
            zone_map=_zone_map(reader, read_file, needed=zone_map_needed),
            logs=_logs(reader),
            arm_endpoint=reader.url("ARM_ENDPOINT") or PUBLIC_ARM,
            client_id=reader.matching("AZURE_CLIENT_ID", _CLIENT_ID, "the client id of a managed identity"),
            ca_bundle=environment.get("REQUESTS_CA_BUNDLE") or None,
            reconcile_deadline_seconds=reader.number("RECONCILE_DEADLINE_SECONDS", 120.0, 1, 540),
            worker_attempts=reader.whole("RECONCILE_ATTEMPTS", 5, 1, 20),
            probe=ProbeSettings.read(reader, read_file),
            audit=AuditSettings.read(reader),
        )
        if reader.reasons:
            raise ConfigurationError("the settings cannot be used:", reader.reasons)
        return settings


def _zone_map(reader: EnvironmentReader, read_file: ReadFile, *, needed: bool) -> ZoneMap:
    found = reader.text_or_file("DNS_ZONE_MAP", "DNS_ZONE_MAP_FILE", read_file)
    if found is None:
        return ZoneMap()
    text, source = found
    if not text.strip():
        if needed:
            reader.reject(source, "is not set: no resource group is configured")
        return ZoneMap()
    try:
        return ZoneMap.parse(text, source)
    except ConfigurationError as error:
        reader.reasons.extend(Reason(f"{source} {reason.path}", reason.message) for reason in error.reasons)
        return ZoneMap()


def _logs(reader: EnvironmentReader) -> LogsSettings:
    endpoint = reader.url("LOGS_INGESTION_ENDPOINT")
    rule = reader.matching("LOGS_DCR_IMMUTABLE_ID", _CLIENT_ID, "the immutable id of a data collection rule")
    names = ("LOGS_INGESTION_ENDPOINT", "LOGS_DCR_IMMUTABLE_ID")
    missing = [name for name in names if not reader.text(name)]
    if len(missing) == 1:
        reader.reject(missing[0], "is not set, but its partner is; set both or none")
    return LogsSettings(endpoint, rule)
