"""`drift kql check`: what the gates find, one line each, as compilers print it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cli import console
from cli.query_source import BadRequestError
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE

if TYPE_CHECKING:
    from kql.gate.check import Report
    from kql.gate.sources import Finding


def check(files: Sequence[Path], *, json: bool, require_parser: bool) -> int:
    """Check files, or all that ship; 1 when something is found."""
    from kql.gate.check import check as run

    for file in files:
        if not file.is_file():
            raise BadRequestError(f"{file}: there is no such file; give .kql files, or none to check all that ship")
    report = run(files, require_parser=require_parser)
    _show_json(report) if json else _show(report)
    return EXIT_FAILURE if report.findings else EXIT_DONE


def _show(report: "Report") -> None:
    for finding in report.findings:
        console.show_text(f"{_path(finding)}:{finding.line}:{finding.column}: {finding.code} {finding.message}\n")
    if report.skipped:
        console.say(f"SKIPPED: {report.skipped}. What only Microsoft's parser can tell was not checked.")
    found = counted(len(report.findings), "finding") if report.findings else "nothing found"
    console.say(f"{counted(report.files, 'file')} checked, {found}")


def _show_json(report: "Report") -> None:
    findings = [
        {"file": _path(one), "line": one.line, "column": one.column, "code": one.code, "message": one.message}
        for one in report.findings
    ]
    console.show_json({"files": report.files, "parser_skipped": report.skipped, "findings": findings})


def _path(finding: "Finding") -> str:
    path = finding.path.absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
