"""The probe's recipe: whom to ask for, ask, confirm, judge, cross-check, report."""

from dataclasses import dataclass

from core.probe_settings import ProbeSettings
from core.run_context import RunContext
from probe.result import ProbeReport


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How one run probes: the settings, and what a caller may set beside them."""

    settings: ProbeSettings


def probe(context: RunContext, options: ProbeOptions) -> ProbeReport:
    """Probe once and report; see docs/probe.md."""
    raise NotImplementedError
