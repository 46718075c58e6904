"""`drift kql list` and `drift kql show`."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from cli import console
from core.errors import EXIT_DONE, InputError

if TYPE_CHECKING:
    from kql.catalog import Entry


class UnknownNameError(InputError):
    """Nothing that ships has this name."""

    code = "unknown_name"


def find(name: str) -> "Entry":
    """Give the query or function of a name; raises UnknownNameError with what may have been meant."""
    from kql import catalog

    known = {**catalog.functions(), **catalog.queries()}
    wanted = name.removesuffix("()")
    if wanted in known:
        return known[wanted]
    folded = {entry.casefold(): entry for entry in known}
    near = [folded[match] for match in get_close_matches(wanted.casefold(), folded, n=3, cutoff=0.5)]
    meant = f"; did you mean {' or '.join(near)}?" if near else "; `drift kql list` shows them all"
    raise UnknownNameError(f"there is no query or function {name[:80]!a}{meant}")


def show_all(*, json: bool) -> int:
    """Show what there is."""
    from rich.markup import escape

    from kql import catalog

    entries = [*catalog.queries().values(), *catalog.functions().values()]
    if json:
        console.show_json([_summary(entry) for entry in entries])
        return EXIT_DONE
    for title, found in (("Queries", catalog.queries()), ("Workspace functions", catalog.functions())):
        table = console.table(title)
        table.add_column("name", no_wrap=True)
        table.add_column("what it answers", overflow="fold")
        table.add_column("parameters", overflow="fold")
        for entry in found.values():
            parameters = ", ".join(f"{one.name}={one.default or repr('')}" for one in entry.parameters)
            table.add_row(entry.name, escape(entry.summary), escape(parameters))
        console.show(table)
        console.show()
    return EXIT_DONE


def show_one(name: str, *, json: bool) -> int:
    """Show one in full."""
    entry = find(name)
    if json:
        console.show_json(_whole(entry))
        return EXIT_DONE
    parts = [f"{entry.name} ({entry.kind}): {entry.summary}"]
    if entry.prose:
        parts.append(entry.prose)
    given = [f"  {parameter}" for parameter in entry.parameters]
    parts.append("\n".join(["Parameters", *given]) if given else "Parameters: none")
    width = max(len(column) for column, _ in entry.columns)
    parts.append("\n".join(["Columns", *(f"  {column:{width}}  {kind}" for column, kind in entry.columns)]))
    parts.extend([f"Reads {', '.join(entry.tables) or 'no table'}", entry.body])
    console.show_text("\n\n".join(parts) + "\n")
    return EXIT_DONE


def _summary(entry: "Entry") -> dict[str, Any]:
    return {"name": entry.name, "kind": entry.kind, "summary": entry.summary, "parameters": _parameters(entry)}


def _whole(entry: "Entry") -> dict[str, Any]:
    return {
        **_summary(entry),
        "prose": entry.prose,
        "columns": [{"name": name, "type": kind} for name, kind in entry.columns],
        "tables": list(entry.tables),
        "body": entry.body,
    }


def _parameters(entry: "Entry") -> list[dict[str, str]]:
    return [{"name": one.name, "type": one.type, "default": one.default} for one in entry.parameters]
