"""Settings: read once at the door from a mapping (the environment), then values.

Nothing here is secret: identities are managed, so there is no key or password to configure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import ConfigurationError, Reason
from core.zone_map import ZoneMap

PUBLIC_ARM_ENDPOINT: Final = "https://management.azure.com"
PUBLIC_QUERY_ENDPOINT: Final = "https://api.loganalytics.io/v1"
_URL = re.compile(r"https://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~/\-]*)?", re.ASCII)
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
    arm_endpoint: str = PUBLIC_ARM_ENDPOINT
    client_id: str | None = None
    ca_bundle: str | None = None
    reconcile_deadline_seconds: float = 120.0
    worker_attempts: int = 5

    @staticmethod
    def from_env(environment: Mapping[str, str], read_file: Callable[[str], str]) -> "Settings":
        """Read the settings; raises ConfigurationError with every reason. `read_file` gives a file's text."""
        reader = _Reader(environment)
        zone_map = reader.zone_map(read_file)
        settings = Settings(
            zone_map=zone_map,
            logs=reader.logs(),
            arm_endpoint=reader.url("ARM_ENDPOINT") or PUBLIC_ARM_ENDPOINT,
            client_id=reader.matching("AZURE_CLIENT_ID", _CLIENT_ID, "the client id of a managed identity"),
            ca_bundle=environment.get("REQUESTS_CA_BUNDLE") or None,
            reconcile_deadline_seconds=reader.number("RECONCILE_DEADLINE_SECONDS", 120.0, 1, 540),
            worker_attempts=reader.whole("RECONCILE_ATTEMPTS", 5, 1, 20),
        )
        if reader.reasons:
            raise ConfigurationError("the settings cannot be used:", reader.reasons)
        return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.reasons: list[Reason] = []

    def zone_map(self, read_file: Callable[[str], str]) -> ZoneMap:
        text, source = self.environment.get("DNS_ZONE_MAP", ""), "DNS_ZONE_MAP"
        path = self.environment.get("DNS_ZONE_MAP_FILE", "")
        if text.strip() and path:
            self.reasons.append(Reason("DNS_ZONE_MAP_FILE", "DNS_ZONE_MAP is set too; set one of the two"))
            return ZoneMap()
        if path:
            source = f"DNS_ZONE_MAP_FILE ({path})"
            try:
                text = read_file(path)
            except (OSError, UnicodeDecodeError) as error:
                self.reasons.append(Reason("DNS_ZONE_MAP_FILE", f"cannot be read: {error}"))
                return ZoneMap()
        if not text.strip():
            self.reasons.append(Reason(source, "is not set: no resource group is configured"))
            return ZoneMap()
        try:
            return ZoneMap.parse(text, source)
        except ConfigurationError as error:
            self.reasons.extend(Reason(f"{source} {reason.path}", reason.message) for reason in error.reasons)
            return ZoneMap()

    def logs(self) -> LogsSettings:
        endpoint = self.url("LOGS_INGESTION_ENDPOINT")
        rule = self.matching("LOGS_DCR_IMMUTABLE_ID", _CLIENT_ID, "the immutable id of a data collection rule")
        names = ("LOGS_INGESTION_ENDPOINT", "LOGS_DCR_IMMUTABLE_ID")
        missing = [name for name in names if not self.environment.get(name, "").strip()]
        if len(missing) == 1:
            self.reasons.append(Reason(missing[0], "is not set, but its partner is; set both or none"))
        return LogsSettings(endpoint, rule)

    def url(self, name: str) -> str | None:
        return self.matching(name, _URL, "an https URL")

    def matching(self, name: str, pattern: re.Pattern[str], what: str) -> str | None:
        text = self.environment.get(name, "").strip()
        if text and not pattern.fullmatch(text):
            self.reasons.append(Reason(name, f"{what} is expected, not {text[:100]!a}"))
            return None
        return text.rstrip("/") or None

    def number(self, name: str, default: float, low: float, high: float) -> float:
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.reasons.append(Reason(name, f"a number between {low:g} and {high:g} is expected, not {text[:50]!a}"))
            return default
        return value

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high)
        if value != int(value):
            self.reasons.append(Reason(name, f"a whole number is expected, not {value:g}"))
        return int(value)
