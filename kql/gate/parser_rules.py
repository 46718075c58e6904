"""What Microsoft's parser says about the files, and about what their comment blocks claim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kql.gate.parser import Diagnosis, Parser, Schema, Text, shipped_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kql.catalog import Entry
    from kql.gate.sources import Finding, Source

_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def check(sources: Sequence[Source]) -> Iterator[Finding]:
    """Give what the parser finds, in one run for all files. Raises ParserMissingError, ParserFailedError."""
    schema = schema_with(source.entry for source in sources)
    names = _named([f"{source.entry.name} {source.entry.body}" for source in sources], schema)
    called = [Text(name, schema.functions[name][1], schema.functions[name][0]) for name in names]
    queries = [source for source in sources if source.entry.kind == "query"]
    texts = [Text(source.entry.name, source.entry.body, source.entry.signature) for source in queries]
    diagnoses = Parser(schema).check([*called, *texts])
    functions = {diagnosis.name: diagnosis for diagnosis in diagnoses[: len(called)]}
    for source, diagnosis in zip(queries, diagnoses[len(called) :], strict=True):
        yield from _one(source, diagnosis, functions)
    for source in sources:
        if source.entry.kind == "function":
            yield from _one(source, functions[source.entry.name], functions)


def schema_with(entries: Iterable[Entry]) -> Schema:
    """Give the workspace as it would be with these files: functions that are checked stand for those that ship."""
    schema = shipped_schema()
    checked = {entry.name: (entry.signature, entry.body) for entry in entries if entry.kind == "function"}
    return Schema(schema.tables, {**schema.functions, **checked})


def _named(texts: list[str], schema: Schema) -> list[str]:
    """Give the functions that texts name, and those that these name: analysing one takes a tenth of a second."""
    found: list[str] = []
    todo = list(texts)
    while todo:
        for name in _NAME.findall(todo.pop()):
            if name in schema.functions and name not in found:
                found.append(name)
                todo.append(schema.functions[name][1])
    return found


def _one(source: Source, diagnosis: Diagnosis, functions: Mapping[str, Diagnosis]) -> Iterator[Finding]:
    for found in diagnosis.diagnostics:
        if found.place is None:
            yield source.at_field("Parameters", found.code, found.message)
        else:
            yield source.at(found.place, found.code, found.message)
    if diagnosis.errors:
        return
    if diagnosis.columns is None:
        yield source.at(None, "KQL010", "gives no table")
        return
    difference = compare(source.entry.columns, diagnosis.columns)
    if difference:
        yield source.at_field("Columns", "KQL010", f"{difference} (Microsoft's parser)")
    read, reached = _reach(diagnosis, functions)
    if source.entry.kind == "function" and source.entry.name in reached:
        yield source.at(None, "KQL012", "calls itself, which Kusto does not allow")
    if read != set(source.entry.tables):
        say = f"reads {', '.join(sorted(read)) or 'none'}; declared {', '.join(source.entry.tables) or 'none'}"
        yield source.at_field("Tables", "KQL011", say)


def _reach(diagnosis: Diagnosis, functions: Mapping[str, Diagnosis]) -> tuple[set[str], set[str]]:
    """Give the tables that a text reads in the end, and the functions that it calls on the way."""
    tables: set[str] = set()
    called: set[str] = set()
    todo = [diagnosis]
    while todo:
        at = todo.pop()
        tables |= at.names("table")
        new = {name for name in at.names("function") if name not in called and name in functions}
        called |= new
        todo.extend(functions[name] for name in new)
    return tables, called


def compare(declared: Sequence[tuple[str, str]], given: Sequence[tuple[str, str]]) -> str:
    """Say how columns differ from the declared ones: missing, undeclared, of another type, in another order."""
    wanted, found = dict(declared), dict(given)
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    other = [f"{n} is {found[n]}, declared {wanted[n]}" for n in wanted if n in found and found[n] != wanted[n]]
    said = [
        f"declared but not given: {', '.join(missing)}" if missing else "",
        f"given but not declared: {', '.join(extra)}" if extra else "",
        *other,
    ]
    if not any(said) and [name for name, _ in declared] != [name for name, _ in given]:
        return f"the order is {', '.join(name for name, _ in given)}"
    return "; ".join(filter(None, said))
