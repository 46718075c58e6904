"""The triggers of the function app: bind, run, return. Importing this reads no environment and opens nothing.

`reconcile` and `track` take the Event Grid schema and CloudEvents 1.0. There is no retry policy here on purpose: a
failed invocation answers 500, and Event Grid delivers the event again for up to a day, with growing pauses. `probe`,
`audit` and `canary` run by the clock; their next run is their retry.

One package is deployed to two apps, one that writes DNS and one that observes: `AzureWebJobs.<name>.Disabled` switches
a function off in an app.
"""

import functools
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import azure.functions as func

from cloud.services import Services, build, run_context
from cloud.sink import LogLinesSink
from core.canary import canary as canary_row
from core.errors import ToolkitError
from core.events import Component, Event, EventType
from core.run_context import RunContext
from core.settings import Settings
from probe import run as prober
from reconciler import run as reconciler
from tracker import audit as auditor
from tracker import run as tracker

logger = logging.getLogger("aci_dns.function_app")
app = func.FunctionApp()


@app.function_name("reconcile")
@app.event_grid_trigger(arg_name="event")
def reconcile(event: func.EventGridEvent, context: func.Context) -> None:
    """Make DNS right for the container group that the event is about; raises when that failed."""
    run_invocation(event, context, reconciler.reconcile, (Component.RECONCILER, EventType.RECONCILE_FAILED))


@app.function_name("track")
@app.event_grid_trigger(arg_name="event")
def track(event: func.EventGridEvent, context: func.Context) -> None:
    """Say whether DNS is right for the container groups that the event is about; raises when it could not be read."""
    run_invocation(event, context, tracker.track, (Component.TRACKER, EventType.TRACK_FAILED))


# A missing PROBE_SCHEDULE keeps the host from starting this function: the deployment sets it, six fields, UTC.
@app.function_name("probe")
@app.timer_trigger(arg_name="timer", schedule="%PROBE_SCHEDULE%", run_on_startup=False, use_monitor=True)
def probe(timer: func.TimerRequest, context: func.Context) -> None:
    """Ask the resolver of this app's network for every name; wrong answers are rows, what cannot run raises."""
    late = ", past due" if timer.past_due else ""
    logger.info("%s begins: invocation %s%s", context.function_name, context.invocation_id, late)
    room = (Component.PROBE, EventType.PROBE_COMPLETED)
    settings, surroundings = surroundings_of(context, {}, room, deadline_of_probe)
    prober.probe(surroundings, prober.ProbeOptions(settings.probe, context.invocation_id))
    logger.info("%s ends: invocation %s", context.function_name, context.invocation_id)


@app.function_name("audit")
@app.timer_trigger(arg_name="timer", schedule="%AUDIT_SCHEDULE%", run_on_startup=False, use_monitor=True)
def audit(timer: func.TimerRequest, context: func.Context) -> None:
    """Compare the whole fleet with DNS; findings are rows, what could not be read raises."""
    late = ", past due" if timer.past_due else ""
    logger.info("%s begins: invocation %s%s", context.function_name, context.invocation_id, late)
    room = (Component.AUDIT, EventType.AUDIT_COMPLETED)
    settings, surroundings = surroundings_of(context, {}, room, lambda settings: settings.audit.deadline_seconds)
    auditor.audit(surroundings, auditor.AuditOptions(repair=settings.audit.repair))
    logger.info("%s ends: invocation %s", context.function_name, context.invocation_id)


# Nothing but the app's own settings can keep a canary from being sent: it asks Azure nothing.
@app.function_name("canary")
@app.timer_trigger(arg_name="timer", schedule="%CANARY_SCHEDULE%", run_on_startup=False, use_monitor=True)
def canary(timer: func.TimerRequest, context: func.Context) -> None:
    """Write one row on the way of all rows, so that a way that is slow or broken shows."""
    settings, services = doors()
    place = {"app": os.environ.get("WEBSITE_SITE_NAME", ""), "region": os.environ.get("REGION_NAME", "")}
    now, component = datetime.now(UTC), settings.audit.canary_component
    services.sink.emit([canary_row(component, now, context.invocation_id, place, past_due=bool(timer.past_due))])


def deadline_of_probe(settings: Settings) -> float:
    """Give how long a run of the probe may use ARM: targets are read before all questions, facts after them."""
    return settings.probe.deadline_seconds + settings.reconcile_deadline_seconds


def run_invocation(
    event: func.EventGridEvent | func.CloudEvent,
    context: func.Context,
    run: Callable[[object, RunContext], object],
    failure: tuple[Component, EventType],
) -> None:
    """Run one room's recipe. `failure` is what is reported when the app cannot even be put together."""
    logger.info("%s begins: invocation %s, event %a", context.function_name, context.invocation_id, event.id)
    raw = raw_event(event)
    _, surroundings = surroundings_of(context, raw, failure)
    run(raw, surroundings)
    logger.info("%s ends: invocation %s", context.function_name, context.invocation_id)


def surroundings_of(
    context: func.Context,
    raw: dict[str, Any],
    failure: tuple[Component, EventType],
    deadline: Callable[[Settings], float | None] = lambda _: None,
) -> tuple[Settings, RunContext]:
    """Put the invocation's surroundings together; that it cannot be done is reported, and raised."""
    try:
        settings, services = doors()
        attempt, seconds = attempt_of(context), deadline(settings)
        return settings, run_context(services, settings, context.invocation_id, attempt, deadline_seconds=seconds)
    except Exception as error:
        report_unusable(raw, context.invocation_id, failure, error)
        raise


@functools.cache
def doors() -> tuple[Settings, Services]:
    """Build the settings and clients once per process. A failure is not kept: each invocation meets it again."""
    for library in ("azure.core", "azure.identity", "azure.monitor"):
        logging.getLogger(library).setLevel(logging.WARNING)  # lines per HTTP request and token would drown ours
    settings = Settings.from_env(os.environ, lambda path: Path(path).read_text(encoding="utf-8"))
    return settings, build(settings)


def raw_event(event: func.EventGridEvent | func.CloudEvent) -> dict[str, Any]:
    """Give the event's fields as they were sent: the library hands over either schema, whatever the annotation says."""
    common = {"id": event.id, "subject": event.subject, "data": event.get_json()}
    if isinstance(event, func.CloudEvent):
        attributes = {"specversion": event.specversion, "source": event.source, "type": event.type, "time": event.time}
        return {**event.extension_attrs, **attributes, **common}
    return {**common, "topic": event.topic, "eventType": event.event_type, "eventTime": event.event_time}


def attempt_of(context: func.Context) -> int:
    """Count the attempt from 1; a host without a retry policy gives no retry context."""
    retry = context.retry_context
    return 1 + (retry.retry_count or 0) if retry else 1


def report_unusable(
    raw: dict[str, Any], invocation_id: str, failure: tuple[Component, EventType], error: Exception
) -> None:
    """Make it an event that the app cannot work at all: as a log line, since where to upload may be what is unknown."""
    component, kind = failure
    values = {
        "SourceEventId": str(raw.get("id") or ""),
        "CorrelationId": invocation_id,
        "ErrorCode": error.code if isinstance(error, ToolkitError) else "unexpected",
        "ErrorMessage": str(error)[:4000],
    }
    LogLinesSink().emit([Event(component, kind, datetime.now(UTC), invocation_id, values)])
