"""Microsoft's KQL parser, a Node program (parse.js), asked about many texts at once.

It knows the tables and functions that it is given, and says what a workspace with them would: every error with its
place, the columns and types of the answer, and what the text uses.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from core.errors import ToolkitError
from kql import catalog, tables
from kql.engine import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UseKind = Literal["table", "function", "builtin", "plugin", "operator", "column", "variable"]
Columns = tuple[tuple[str, str], ...]
PACKAGE: Final = "@kusto/language-service-next"
TIMEOUT_SECONDS: Final = 120.0
_PROGRAM: Final = Path(__file__).with_name("parse.js")
_THROWN: Final = re.compile(r"\w*Error: ")
_ROOT: Final = Path(__file__).resolve().parents[2]


class ParserMissingError(ToolkitError):
    """Node, or the package, is not on this machine. The message says which, and how it is got."""

    code = "parser_missing"


class ParserFailedError(ToolkitError):
    """The Node program ended without an answer."""

    code = "parser_failed"


@dataclass(frozen=True, slots=True)
class Text:
    """A text to check: its name, and the parameters that it may use, as Kusto declares them (`n:long=10, s:string`)."""

    name: str
    kql: str
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a workspace has: tables (name -> columns and types) and functions (name -> parameters, body)."""

    tables: Mapping[str, Columns]
    functions: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint. `code` is the parser's (KS142), `place` where it stands: None for the declared parameters."""

    code: str
    severity: str
    message: str
    place: Place | None

    def __str__(self) -> str:
        where = f"line {self.place.line}, column {self.place.column}: " if self.place else "in its parameters: "
        return f"{where}{self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a text names: a `function` is the schema's, a `builtin` Kusto's, a `plugin` follows evaluate."""

    kind: UseKind
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the parser says about one text. `columns` (name, type) are None where the text gives no table."""

    name: str
    diagnostics: tuple[Diagnostic, ...]
    columns: Columns | None
    uses: tuple[Use, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Why a workspace would refuse the text; empty when it would not."""
        return tuple(found for found in self.diagnostics if found.severity == "Error")

    def names(self, kind: UseKind) -> frozenset[str]:
        """Give the names of one kind that the text itself uses, not those inside the functions that it calls."""
        return frozenset(use.name for use in self.uses if use.kind == kind)


def shipped_schema() -> Schema:
    """Give our tables, and the functions of kql/functions."""
    functions = {name: (entry.signature, entry.body) for name, entry in catalog.functions().items()}
    typed = {name: tuple(columns) for name, columns in tables.typed_schema().items() if name not in functions}
    typed.pop(tables.ONCE, None)  # the local engine's own
    return Schema(typed, functions)


class Parser:
    """The parser with one schema. Raises ParserMissingError when it is made and cannot run here."""

    def __init__(self, schema: Schema | None = None, *, node: str | None = None) -> None:
        self._schema = schema or shipped_schema()
        found = shutil.which(node or "node")
        if found is None:
            raise ParserMissingError("Microsoft's KQL parser needs Node 18 or newer, which is not here: install nodejs")
        if not (_ROOT / "node_modules" / PACKAGE).is_dir():
            raise ParserMissingError(f"Microsoft's KQL parser ({PACKAGE}) is not here: run `make setup-node`")
        self._node = found

    def check(self, texts: Iterable[Text]) -> list[Diagnosis]:
        """Check texts, in one process: one diagnosis for each, in order. Raises ParserFailedError."""
        asked = list(texts)
        prefixes = [_declaration(text) for text in asked]
        request = {
            "tables": self._schema.tables,
            "functions": [
                {"name": name, "parameters": parameters, "body": body}
                for name, (parameters, body) in self._schema.functions.items()
            ],
            "texts": [{"prefix": prefix, "text": text.kql} for prefix, text in zip(prefixes, asked, strict=True)],
        }
        answers = self._run(json.dumps(request)) if asked else []
        return [_diagnosis(text, answer) for text, answer in zip(asked, answers, strict=True)]

    def _run(self, request: str) -> list[dict[str, Any]]:
        try:
            done = subprocess.run(
                [self._node, str(_PROGRAM)],
                input=request,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ParserFailedError(f"the KQL parser did not answer within {TIMEOUT_SECONDS:g} s") from error
        if done.returncode:
            why = (
                [line for line in done.stderr.splitlines() if _THROWN.match(line)] or done.stderr.splitlines() or ["?"]
            )
            raise ParserFailedError(f"the KQL parser ended with code {done.returncode}: {why[0].strip()}")
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers


def _declaration(text: Text) -> str:
    return f"declare query_parameters({text.parameters}); " if text.parameters else ""


def _diagnosis(text: Text, answer: Mapping[str, Any]) -> Diagnosis:
    place = _Lines(text.kql).place
    found = [
        Diagnostic(one["code"], one["severity"], one["message"], place(one["start"], one["length"]))
        for one in answer["diagnostics"]
    ]
    if answer["kind"] != "Query":
        found.append(Diagnostic("COMMAND", "Error", "this is a management command, not a query", Place(1, 0)))
    uses = [
        Use(use["kind"], use["name"], where)
        for use in answer["uses"]
        if (where := place(use["start"], len(use["name"]))) is not None
    ]
    columns = tuple((name, kind) for name, kind in answer["columns"]) if answer["columns"] is not None else None
    return Diagnosis(text.name, tuple(found), columns, tuple(uses))


class _Lines:
    """Turns the parser's offsets, which count UTF-16 units as JavaScript does, into lines and columns."""

    def __init__(self, text: str) -> None:
        self._units = text.encode("utf-16-le")

    def place(self, start: int, length: int) -> Place | None:
        if start < 0:
            return None
        before = self._units[: 2 * start].decode("utf-16-le", "ignore")
        token = self._units[2 * start : 2 * (start + length)].decode("utf-16-le", "ignore")
        return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1), token)
