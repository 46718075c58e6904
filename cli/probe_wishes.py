"""What `drift probe` was asked for, laid over the environment: an option wins over its PROBE_* setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import typer

from core.arm_id import ArmId
from core.errors import InputError
from core.probe_settings import SYSTEM, VIRTUAL_NETWORK, ResolverAddress, TargetSource
from probe.verdict import Verdict

STDIN: Final = "-"
ANY: Final = "any"
NEVER: Final = "never"


class Format(StrEnum):
    """How the result is printed."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"
    PROMETHEUS = "prometheus"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options as they were given; None and empty leave it to the environment. Times are seconds.

    `watch` is the pause between two runs. `fail_on` are the verdicts that make the exit code 1.
    """

    resolvers: tuple[str, ...] = ()
    targets: str | None = None
    source: TargetSource | None = None
    vnet: str | None = None
    confirm_seconds: float | None = None
    concurrency: int | None = None
    timeout_seconds: float | None = None
    deadline_seconds: float | None = None
    fail_on: frozenset[Verdict] = frozenset()
    format: Format = Format.TABLE
    watch: float | None = None
    record: bool = True

    @property
    def is_given(self) -> bool:
        """Tell whether a list of targets was given on the command line."""
        return self.targets is not None

    def over(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Give the environment with these options in the place of its settings."""
        wanted = {
            "PROBE_RESOLVERS": ",".join(self.resolvers) or None,
            "PROBE_SOURCE": self.source.value if self.source else TargetSource.GIVEN.value if self.is_given else None,
            "PROBE_VANTAGE": self.vnet,
            "PROBE_CONFIRM_SECONDS": _number(self.confirm_seconds),
            "PROBE_CONCURRENCY": _number(self.concurrency),
            "PROBE_TIMEOUT_SECONDS": _number(self.timeout_seconds),
            "PROBE_DEADLINE_SECONDS": _number(self.deadline_seconds),
        }
        laid = {**environment, **{name: value for name, value in wanted.items() if value is not None}}
        if self.targets is not None:
            laid |= {"PROBE_TARGETS": "", "PROBE_TARGETS_FILE": self.targets}
        return laid


def checked_resolvers(values: Sequence[str]) -> tuple[str, ...]:
    """Check the addresses of name servers; raises a usage error."""
    try:
        return tuple(SYSTEM if value.lower() == SYSTEM else str(ResolverAddress.parse(value)) for value in values)
    except InputError as error:
        raise typer.BadParameter(f"{error}; '{SYSTEM}' stands for the system's own", param_hint="--resolver") from error


def checked_vnet(value: str | None) -> str | None:
    """Check the id of a virtual network; raises a usage error."""
    if value is None:
        return None
    try:
        is_network = ArmId.parse(value).is_a(VIRTUAL_NETWORK)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--vnet") from error
    if not is_network:
        raise typer.BadParameter(f"not the id of a virtual network: {value[:200]!a}", param_hint="--vnet")
    return value


def checked_targets(path: str | None) -> str | None:
    """Check that there is a file to read; raises a usage error."""
    if path is not None and path != STDIN and (not Path(path).exists() or Path(path).is_dir()):
        raise typer.BadParameter(f"there is no file {path!a}; {STDIN} is stdin", param_hint="--targets")
    return path


def checked_source(source: TargetSource | None, targets: str | None) -> TargetSource | None:
    """Check that a list of targets is not given beside another place to take them from; raises a usage error."""
    if targets is not None and source not in {None, TargetSource.GIVEN}:
        raise typer.BadParameter(f"--targets gives them already; leave out --from {source}", param_hint="--from")
    return source


def chosen_format(text: str, *, json: bool) -> Format:
    """Read --format, for which --json is short; raises a usage error."""
    try:
        kind = Format(text) if text else Format.JSON if json else Format.TABLE
    except ValueError as error:
        known = ", ".join(Format)
        raise typer.BadParameter(f"{text[:80]!a} is none of: {known}", param_hint="--format") from error
    if json and kind is not Format.JSON:
        raise typer.BadParameter(f"--json is --format json; leave one of the two out, not {kind}", param_hint="--json")
    return kind


def checked_watch(seconds: float | None, kind: Format) -> float | None:
    """Check that what is printed again and again can be read so; raises a usage error."""
    if seconds is not None and kind in {Format.JUNIT, Format.PROMETHEUS}:
        raise typer.BadParameter(f"a {kind} document is one run; use table or json", param_hint="--watch")
    return seconds


def checked_fail_on(values: Sequence[str]) -> frozenset[Verdict]:
    """Read verdicts, each value one or several with commas; `any` is every one but ok. Raises a usage error."""
    words = [word.strip().lower() for value in values for word in value.split(",") if word.strip()] or [ANY]
    failing = frozenset(Verdict) - {Verdict.OK}
    if NEVER in words:
        if len(words) > 1:
            raise typer.BadParameter(f"{NEVER!r} stands alone", param_hint="--fail-on")
        return frozenset()
    unknown = [word for word in words if word != ANY and word not in {verdict.value for verdict in failing}]
    if unknown:
        known = ", ".join([ANY, NEVER, *sorted(verdict.value for verdict in failing)])
        raise typer.BadParameter(f"{unknown[0][:80]!a} is none of: {known}", param_hint="--fail-on")
    return failing if ANY in words else frozenset(Verdict(word) for word in words)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"
