"""`drift workbook check`: every finding with its file and JSON path, and what shows as a badge."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from cli import console
from cli.words import counted
from core.errors import EXIT_DONE, EXIT_FAILURE
from workbooks.check import Checked, check, count
from workbooks.model import Finding, Severity
from workbooks.parse import Parsed, load

if TYPE_CHECKING:
    from kql.duckdb_engine import DuckDbEngine
    from kql.gate import Parser

_TITLES: Final = {
    "item": "items",
    "visualization": "visualizations of queries and metrics",
    "query": "query types",
    "parameter": "parameter types",
    "formatter": "grid formatters",
    "link": "link targets",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command was asked for."""

    format: Literal["table", "json"] = "table"
    notes: bool = False
    queries: bool = True


def check_files(files: list[Path], wishes: Wishes) -> int:
    """Check files; 1 when one has an error."""
    read = [(file, parsed) for file in files for parsed in load(file)]
    engines = _engines() if wishes.queries else None
    checked = _checked([parsed for _, parsed in read], engines)
    found = [(file, each) for (file, _), each in zip(read, checked, strict=True)]
    if wishes.format == "json":
        console.show_json([_to_json(file, checked) for file, checked in found])
    else:
        _show(found, wishes)
    return EXIT_FAILURE if any(checked.errors for _, checked in found) else EXIT_DONE


def count_files(files: list[Path], wishes: Wishes) -> int:
    """Print how often each element stands in the files."""
    counts = count(parsed for file in files for parsed in load(file))
    if wishes.format == "json":
        console.show_json(counts)
        return EXIT_DONE
    for name, counter in counts.items():
        rows = (
            f"| {what} | {number} |" for what, number in sorted(counter.items(), key=lambda each: (-each[1], each[0]))
        )
        console.show_text("\n".join([f"| {_TITLES[name]} | count |", "| --- | ---: |", *rows]) + "\n\n")
    return EXIT_DONE


def _engines() -> "tuple[DuckDbEngine, Parser | None]":
    """Give the engines; Microsoft's parser is left out, and that is said, where it cannot run."""
    from kql.duckdb_engine import DuckDbEngine, connect, plan_plainly
    from kql.gate import Parser, ParserMissingError

    connection = connect()
    plan_plainly(connection)
    engine = DuckDbEngine(connection)
    try:
        return engine, Parser()
    except ParserMissingError as error:
        console.say(f"queries are checked by the local engine alone: {error}")
        return engine, None


def _checked(read: list[Parsed], engines: "tuple[DuckDbEngine, Parser | None] | None") -> list[Checked]:
    if engines is None:
        return [check(parsed) for parsed in read]
    from workbooks.check_queries import ask_all

    verdicts = ask_all([parsed.workbook for parsed in read], *engines)
    return [check(parsed, said) for parsed, said in zip(read, verdicts, strict=True)]


def _to_json(file: Path, checked: Checked) -> dict[str, Any]:
    return {
        "file": str(file),
        "workbook": checked.name,
        "errors": len(checked.errors),
        "findings": [asdict(each) for each in checked.findings],
        "not_rendered": [asdict(each) for each in checked.not_rendered],
    }


def _show(found: list[tuple[Path, Checked]], wishes: Wishes) -> None:
    for severity in (Severity.ERROR, Severity.WARNING, *([Severity.INFO] if wishes.notes else [])):
        _section(f"{severity.value}s" if severity is not Severity.INFO else "notes", _lines(found, severity))
    badges = [_line(file, each) for file, checked in found for each in checked.not_rendered]
    _section("not rendered here", badges)
    numbers = {severity: sum(1 for _ in _lines(found, severity)) for severity in Severity}
    summary = ", ".join(
        counted(numbers[severity], word)
        for severity, word in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
    )
    hidden = "" if wishes.notes or not numbers[Severity.INFO] else "; --notes shows the notes"
    console.show(f"{counted(len(found), 'workbook')}: {summary}, {counted(len(badges), 'badge')}{hidden}")


def _lines(found: list[tuple[Path, Checked]], severity: Severity) -> Iterator[str]:
    for file, checked in found:
        yield from (_line(file, each) for each in checked.findings if each.severity is severity)


def _line(file: Path, finding: Finding) -> str:
    return f"{file}:{finding.path}: {finding.code} {finding.message}"


def _section(title: str, lines: "Iterator[str] | list[str]") -> None:
    found = list(lines)
    if found:
        console.show_text("\n".join([f"{title}:", *(f"  {line}" for line in found)]) + "\n\n")
