"""`drift probe`: what does the resolver answer here, and why is it wrong? Exit code 0 right, 1 wrong, 2 not asked."""

import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli import console, failures
from cli.probe_wishes import STDIN, Format, Wishes
from cli.session import context_of, open_services
from core.errors import EXIT_DONE, EXIT_FAILURE, InputError, ToolkitError
from core.probe_settings import TargetSource
from core.run_context import RunContext
from core.settings import Settings

if TYPE_CHECKING:
    from core.events import Event
    from core.run_context import Sink
    from probe.result import ProbeReport
    from probe.verdict import Verdict

EXIT_NOT_ASKED: Final = failures.EXIT_USAGE
"""Something could not be asked: the same code as for a wrong option, since the repair is the caller's too."""


def probe(wishes: Wishes, environment: Mapping[str, str] = os.environ) -> int:
    """Probe once, or again and again; gives the exit code of the (last) run."""
    settings = read_settings(wishes, environment)
    with doors(settings, record=wishes.record) as context_for:
        if wishes.watch is None:
            return _once(wishes, settings, context_for())
        return _again_and_again(wishes, wishes.watch, settings, context_for)


def read_settings(wishes: Wishes, environment: Mapping[str, str]) -> Settings:
    """Read the settings under the options; a zone map is needed only where targets come from it."""
    laid = wishes.over(environment)
    source = laid.get("PROBE_SOURCE", "").strip().lower()
    is_given = bool(laid.get("PROBE_TARGETS", "").strip() or laid.get("PROBE_TARGETS_FILE"))
    needed = source in {TargetSource.LIVE, TargetSource.DNS} or (not source and not is_given)

    def read(path: str) -> str:
        return _read_targets(path) if path == wishes.targets else _read_file(path)

    settings = Settings.from_env(laid, read, zone_map_needed=needed)
    if wishes.targets is None:
        return settings
    name = "stdin" if wishes.targets == STDIN else wishes.targets
    return replace(settings, probe=replace(settings.probe, targets_source=name))


class NoTargetsError(InputError):
    """The list of targets is empty: most likely what should have filled it has failed."""

    code = "no_targets"
    exit_code = EXIT_NOT_ASKED


def _read_file(path: str) -> str:
    return sys.stdin.read() if path == STDIN else Path(path).read_text(encoding="utf-8")


def _read_targets(path: str) -> str:
    text = _read_file(path)
    if not text.strip():
        raise NoTargetsError(
            f"{'stdin' if path == STDIN else path} is empty: lines 'name address', or JSON, are expected"
        )
    return text


class _NoAzure:
    """Stands where Azure would be when nothing is to be read from it: no credential is looked for."""

    calls = pages = 0

    def get(self, *_args: Any, **_named: Any) -> Any:
        """Refuse."""
        raise ToolkitError("nothing is to be read from Azure when targets are given and no cross-check is asked for")

    list = zones = links = get


class _Unrecorded:
    """Takes events where no event table is configured, or none is wanted."""

    def emit(self, events: "Sequence[Event]") -> None:
        """Drop them: the result is printed."""


@contextmanager
def doors(settings: Settings, *, record: bool) -> Iterator[Callable[[], RunContext]]:
    """Give what makes a run's surroundings. Azure is opened only if targets, cross-check or the event table need it."""
    recorded = record and settings.logs.ingestion_endpoint is not None
    sink: Sink | None = None if recorded else _Unrecorded()
    if settings.probe.source is TargetSource.GIVEN and not settings.probe.cross_check and not recorded:
        yield lambda: _context_without_azure(settings)
        return
    with open_services(settings, sink) as services:
        yield lambda: context_of(services, settings)


def _context_without_azure(settings: Settings) -> RunContext:
    nothing = _NoAzure()
    return RunContext(
        settings=settings,
        calls=nothing,
        container_groups=nothing,
        private_dns=nothing,
        sink=_Unrecorded(),
        arm_token=lambda: "",
        now=lambda: datetime.now(UTC),
        invocation_id=f"drift-{uuid.uuid4()}",
    )


def _once(wishes: Wishes, settings: Settings, context: RunContext) -> int:
    from probe.run import ProbeOptions
    from probe.run import probe as run

    report = run(context, ProbeOptions(settings.probe, context.invocation_id))
    code = exit_code(report, wishes.fail_on)
    show(report, Shown(wishes, code, context.now()))
    return code


def _again_and_again(wishes: Wishes, seconds: float, settings: Settings, context_for: Callable[[], RunContext]) -> int:
    """Probe until Ctrl-C or SIGTERM; what may work later is shown and does not end it."""
    while True:
        try:
            _once(wishes, settings, context_for())
        except ToolkitError as error:
            if not error.retryable:
                raise
            failures.show_error(error)
        console.flush()
        time.sleep(seconds)


def exit_code(report: "ProbeReport", fail_on: "frozenset[Verdict]") -> int:
    """Judge a run. Wrong DNS wins over what could not be asked: the first is known, the second is not.

    Where not one resolver answered anything nothing is known of DNS: that is 2, although each target has its verdict.
    """
    from probe.answer import Failure
    from probe.verdict import Verdict

    no_answer = {Failure.TIMEOUT, Failure.UNREACHABLE, Failure.NOT_ASKED}

    if not report.results:
        return EXIT_NOT_ASKED
    answers = (finding.answer for result in report.results for finding in result.last.findings)
    if all(answer.failure in no_answer for answer in answers):
        return EXIT_NOT_ASKED if fail_on else EXIT_DONE
    failing = {result.verdict for result in report.failing} & fail_on
    if failing - {Verdict.NOT_ASKED}:
        return EXIT_FAILURE
    return EXIT_NOT_ASKED if failing or report.bad_targets else EXIT_DONE


@dataclass(frozen=True, slots=True)
class Shown:
    """What the printing needs besides the report: how, with which exit code, and when the run ended (UTC)."""

    wishes: Wishes
    code: int
    ended: datetime


def show(report: "ProbeReport", shown: Shown) -> None:
    """Print a run in the format that was asked for."""
    kind = shown.wishes.format
    if kind is Format.TABLE:
        from cli.probe_view import show_report

        show_report(report, shown.code, shown.ended if shown.wishes.watch is not None else None)
        return
    if kind is Format.JSON:
        document = {**report.to_json(), "ended": shown.ended.isoformat(), "exit_code": shown.code}
        console.show_json(document, one_line=shown.wishes.watch is not None)
        return
    from cli import probe_formats

    if kind is Format.JUNIT:
        console.show_text(probe_formats.junit(report, shown.wishes.fail_on, shown.ended))
    else:
        console.show_text(probe_formats.prometheus(report, shown.ended, success=shown.code == EXIT_DONE))
