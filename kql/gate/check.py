"""Checks .kql files by every gate that can run here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kql.gate import engine_rules, parser_rules, sources, text_rules
from kql.gate.parser import ParserMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kql.gate.sources import Finding


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in `files` files; `skipped` says why Microsoft's parser did not run, or is None."""

    findings: tuple[Finding, ...]
    files: int
    skipped: str | None


def check(paths: Sequence[Path] | None = None, *, require_parser: bool = False) -> Report:
    """Check files, or all that ship. Raises OSError, ParserFailedError, and with `require_parser` ParserMissingError.

    A file in a folder `functions` is a workspace function, any other a query.
    """
    files = list(paths) if paths else sources.shipped()
    read, findings = sources.read(files)
    findings += [finding for source in read for finding in text_rules.check(source)]
    skipped = None
    try:
        findings += parser_rules.check(read)
    except ParserMissingError as error:
        if require_parser:
            raise
        skipped = str(error)
    findings += engine_rules.check(read)
    return Report(tuple(sorted(set(findings))), len(files), skipped)
