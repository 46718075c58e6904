"""The contract between the wrapper and the worker: an environment built from nothing, and one JSON line back.

Every variable is listed here and checked twice: by `worker.sh` before Python starts, and here when it is read. The ARM
token is not among them: it is read from the inherited file descriptor that TOKEN_FD numbers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.arm_id import ArmId, container_group_id
from core.errors import InputError
from core.live import LiveGroup, LiveState
from core.names import ReverseZone, parse_address, parse_zone
from core.zone_map import DnsConfig, OnStop, Ownership


@dataclass(frozen=True, slots=True)
class Contract:
    """What one worker run is asked to do. `deadline_seconds` counts from the worker's start."""

    live: LiveGroup
    config: DnsConfig
    arm_endpoint: str
    deadline_seconds: float
    attempts: int = 5
    dry_run: bool = False

    def to_environment(self) -> dict[str, str]:
        """Give the variables; the paths and the token's descriptor are added where the process is started."""
        group = self.live.id
        return {
            "SUBSCRIPTION_ID": group.subscription_id,
            "RESOURCE_GROUP": group.resource_group,
            "CONTAINER_GROUP": group.name,
            "LIVE_STATE": self.live.state.value,
            "LIVE_IP": str(self.live.address or ""),
            "FORWARD_ZONE": self.config.forward_zone,
            "REVERSE_ZONES": ",".join(zone.name for zone in self.config.reverse_zones),
            "ZONES_SUBSCRIPTION_ID": self.config.zones_subscription_id or group.subscription_id,
            "ZONES_RESOURCE_GROUP": self.config.zones_resource_group,
            "TTL_SECONDS": str(self.config.ttl_seconds),
            "OWNERSHIP": self.config.ownership.value,
            "ON_STOP": self.config.on_stop.value,
            "ARM_ENDPOINT": self.arm_endpoint,
            "DEADLINE_SECONDS": f"{self.deadline_seconds:g}",
            "ATTEMPTS": str(self.attempts),
            "DRY_RUN": "1" if self.dry_run else "0",
        }

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Contract":
        """Read the variables; raises InputError, naming the variable, when one is missing or not what it must be."""
        try:
            return Contract(
                live=_live(environment),
                config=_config(environment),
                arm_endpoint=environment["ARM_ENDPOINT"],
                deadline_seconds=float(environment["DEADLINE_SECONDS"]),
                attempts=int(environment["ATTEMPTS"]),
                dry_run=environment["DRY_RUN"] == "1",
            )
        except KeyError as error:
            raise InputError(f"the worker's environment lacks {error.args[0]}") from error
        except ValueError as error:
            raise InputError(f"the worker's environment has a value that cannot be read: {error}") from error


def _live(environment: Mapping[str, str]) -> LiveGroup:
    group: ArmId = container_group_id(
        environment["SUBSCRIPTION_ID"], environment["RESOURCE_GROUP"], environment["CONTAINER_GROUP"]
    )
    state, ip = LiveState(environment["LIVE_STATE"]), environment["LIVE_IP"]
    if (state is LiveState.RUNNING) != bool(ip):
        raise InputError(f"LIVE_IP and LIVE_STATE disagree: {state.value} with {ip or 'no address'}")
    return LiveGroup(group, state, parse_address(ip) if ip else None)


def _config(environment: Mapping[str, str]) -> DnsConfig:
    zones = [text for text in environment["REVERSE_ZONES"].split(",") if text]
    return DnsConfig(
        resource_group=environment["RESOURCE_GROUP"],
        subscription_id=None,
        forward_zone=parse_zone(environment["FORWARD_ZONE"]),
        reverse_zones=tuple(ReverseZone.parse(text) for text in zones),
        zones_resource_group=environment["ZONES_RESOURCE_GROUP"],
        zones_subscription_id=environment["ZONES_SUBSCRIPTION_ID"],
        ttl_seconds=int(environment["TTL_SECONDS"]),
        ownership=Ownership(environment["OWNERSHIP"]),
        on_stop=OnStop(environment["ON_STOP"]),
    )


@dataclass(frozen=True, slots=True)
class WorkerResult:
    """The worker's last line. `outcome` is an event type; `changes` are those made, or planned in a dry run.

    `arm_calls` counts requests sent, retries included; durations are in milliseconds; `error` has code and message.
    """

    outcome: str
    live_state: str = ""
    live_ip: str = ""
    old_ips: tuple[str, ...] = ()
    fqdn: str = ""
    ptr_name: str = ""
    reverse_zone: str = ""
    changes: tuple[Mapping[str, Any], ...] = ()
    took_back: tuple[Mapping[str, Any], ...] = ()
    left_behind: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dry_run: bool = False
    rounds: int = 0
    arm_calls: int = 0
    arm_reads: int = 0
    arm_writes: int = 0
    duration_ms: int = 0
    error: Mapping[str, Any] | None = field(default=None)

    def to_line(self) -> str:
        """Give the one line that is printed."""
        names = self.__dataclass_fields__
        return json.dumps({name: getattr(self, name) for name in names}, ensure_ascii=True, separators=(",", ":"))

    @staticmethod
    def from_line(line: str) -> "WorkerResult | None":
        """Read the worker's last line; None when it is not a result (the worker was killed, or never began)."""
        try:
            raw = json.loads(line)
        except ValueError:
            return None
        if not isinstance(raw, dict) or not isinstance(raw.get("outcome"), str):
            return None
        known = {name: value for name, value in raw.items() if name in WorkerResult.__dataclass_fields__}
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return WorkerResult(**{**known, **lists})
