"""What there is to tell about a workbook. See workbooks.model, which hands it out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters to who looks at the workbook."""

    ERROR = "error"  # something is missing or wrong on the page
    WARNING = "warning"  # something may look or behave differently from the portal
    INFO = "info"  # nothing on the page changes


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to tell about a workbook: where (JSON path), which rule (`code`, stable), and what, in words."""

    path: str
    code: str
    message: str
    severity: Severity = Severity.WARNING
