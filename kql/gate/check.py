"""Checks .kql files by every gate that can run here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kql.gate import engine_rules, parser_rules, sources, text_rules
from kql.gate.parser import Parser, ParserMissingError, Schema

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
    if require_parser:
        Parser(Schema({}))  # a parser that is not here is told at once, not after the other gates
    read, findings = sources.read(files)
    findings += [finding for source in read for finding in text_rules.check(source)]
    skipped = None
    # The parser is a process of its own and takes as long as the engine: they work at the same time.
    with ThreadPoolExecutor(1) as beside:
        parsed = beside.submit(list, parser_rules.check(read))
        findings += engine_rules.check(read)
    try:
        findings += parsed.result()
    except ParserMissingError as error:
        skipped = str(error)
    return Report(tuple(sorted(set(findings))), len(files), skipped)
