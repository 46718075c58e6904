"""`drift config check`: the effective configuration, or every reason why it cannot be used."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli import console, failures
from cli.session import read_settings
from core.errors import EXIT_BAD_CONFIGURATION, EXIT_DONE, ConfigurationError
from core.settings import Settings

if TYPE_CHECKING:
    from rich.table import Table


def check(file: Path | None, *, json: bool, environment: Mapping[str, str] = os.environ) -> int:
    """Check the environment's settings; `file` is a zone map to use in place of the environment's."""
    try:
        settings = read_settings(environment if file is None else with_file(environment, file))
    except ConfigurationError as error:
        if json:
            console.show_json({"ok": False, **failures.to_json(error)["error"]})
        show_reasons(error)
        return EXIT_BAD_CONFIGURATION
    identity = identity_of(environment, settings)
    if json:
        console.show_json(
            {"ok": True, "settings": settings_json(settings, identity), "zone_map": settings.zone_map.to_json()}
        )
    else:
        console.show(zone_map_table(settings))
        console.show(settings_table(settings_json(settings, identity)))
    return EXIT_DONE


def with_file(environment: Mapping[str, str], file: Path) -> dict[str, str]:
    """Give the environment with this file as its zone map."""
    return {**environment, "DNS_ZONE_MAP": "", "DNS_ZONE_MAP_FILE": str(file)}


def identity_of(environment: Mapping[str, str], settings: Settings) -> str:
    """Say as whom commands would act. Nothing is asked: this works without a network."""
    if not environment.get("IDENTITY_ENDPOINT"):
        return "your own sign-in (DefaultAzureCredential)"
    return f"managed identity {settings.client_id}" if settings.client_id else "the system-assigned managed identity"


def settings_json(settings: Settings, identity: str) -> dict[str, Any]:
    """Give the settings besides the zone map."""
    return {
        "identity": identity,
        "arm_endpoint": settings.arm_endpoint,
        "requests_ca_bundle": settings.ca_bundle,
        "logs_ingestion_endpoint": settings.logs.ingestion_endpoint,
        "logs_dcr_immutable_id": settings.logs.dcr_immutable_id,
        "reconcile_deadline_seconds": settings.reconcile_deadline_seconds,
        "reconcile_attempts": settings.worker_attempts,
    }


def show_reasons(error: ConfigurationError) -> None:
    """Print every reason, each where it is."""
    count = len(error.reasons)
    lines = "\n".join(f"{reason.path}\n    {reason.message}" for reason in error.reasons)
    title = f"the configuration cannot be used: {count} reason{'s' if count != 1 else ''}"
    failures.show_problem(title, "\n" + lines if not console.stderr().is_terminal else lines)


def zone_map_table(settings: Settings) -> "Table":
    """Show which zones belong to which resource group."""
    table = console.table("zone map")
    for name in ("resource group", "forward zone", "reverse zones", "zones are in", "TTL", "ownership", "on stop"):
        table.add_column(name, overflow="fold", justify="right" if name == "TTL" else "left")
    for key, entry in settings.zone_map.to_json().items():
        place = "/".join(filter(None, (entry["zones_subscription_id"], entry["zones_resource_group"])))
        reverse = "\n".join(entry["reverse_zones"]) or "none: no PTR is written"
        ttl = f"{entry['ttl_seconds']} s"
        table.add_row(key, entry["forward_zone"], reverse, place, ttl, entry["ownership"], entry["on_stop"])
    return table


def settings_table(values: Mapping[str, Any]) -> "Table":
    """Show the other settings, one per line."""
    table = console.table("\nsettings", headings=False)
    for name, value in values.items():
        table.add_row(
            name if name == "identity" else name.upper(),
            "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value),
        )
    return table
