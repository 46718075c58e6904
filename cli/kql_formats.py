"""How a result is printed or written: a table for people, JSON, CSV or Parquet for programs."""

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli import console
from cli.kql import Format

if TYPE_CHECKING:
    import pyarrow as pa

    from kql.engine import KqlType, ResultTable

NARROWEST: Final = 9
"""Characters that a column needs to be read; where they do not fit beside one another, rows become blocks."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def write(result: "ResultTable", kind: Format, out: Path | None) -> None:
    """Print a result, or write it to a file that is there whole or not at all."""
    if out is not None:
        _to_file(out, _bytes(result, kind))
        console.say(f"{len(result):,} rows written to {out}")
    elif kind is Format.TABLE:
        _show(result)
    else:
        console.show_text(_bytes(result, kind).decode())


def _bytes(result: "ResultTable", kind: Format) -> bytes:
    return _WRITERS[kind](result)


def _to_file(out: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        # mkstemp makes a file for its owner alone; what is left should be as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _show(result: "ResultTable") -> None:
    if len(result.columns) * NARROWEST > console.stdout().width:
        _show_blocks(result)
        return
    from rich.text import Text

    table = console.table()
    for column in result.columns:
        right = column.type in {"int", "long", "real", "decimal", "timespan"}
        table.add_column(column.name, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in result.rows:
        table.add_row(*(Text(text_of(value)) for value in row))
    if result.columns:
        console.show(table)


def _show_blocks(result: "ResultTable") -> None:
    from rich.text import Text

    width = max(len(column.name) for column in result.columns)
    for number, row in enumerate(result.rows, start=1):
        console.show(Text(f"row {number}", style="bold"))
        for column, value in zip(result.columns, row, strict=True):
            console.show(Text(f"  {column.name:{width}}  {text_of(value)}"))


def _as_table(result: "ResultTable") -> bytes:
    """Columns separated by tabs: a file has no width to fit."""
    rows = ["\t".join(column.name for column in result.columns)]
    rows += ["\t".join(text_of(value).replace("\t", " ") for value in row) for row in result.rows]
    return ("\n".join(rows) + "\n").encode()


def _as_json(result: "ResultTable") -> bytes:
    rows = [{name: to_json(value) for name, value in row.items()} for row in result]
    return (json.dumps(rows, indent=2) + "\n").encode()


def _as_csv(result: "ResultTable") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(column.name for column in result.columns)
    for row in result.rows:
        writer.writerow(_plain(value) for value in row)
    return stream.getvalue().encode("utf-8", "replace")


def _as_parquet(result: "ResultTable") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [
        [_for_arrow(column.type, row[index]) for row in result.rows] for index, column in enumerate(result.columns)
    ]
    types = [_arrow_type(pa, column.type) for column in result.columns]
    arrays = [pa.array(values, type=kind) for values, kind in zip(columns, types, strict=True)]
    stream = io.BytesIO()
    pq.write_table(pa.table(arrays, names=[column.name for column in result.columns]), stream)
    return stream.getvalue()


def _arrow_type(pa: Any, kind: "KqlType") -> "pa.DataType":
    known = {
        "bool": pa.bool_(),
        "datetime": pa.timestamp("us", "UTC"),
        "int": pa.int32(),
        "long": pa.int64(),
        "real": pa.float64(),
        "timespan": pa.duration("us"),
    }
    return known.get(kind, pa.string())


def _for_arrow(kind: "KqlType", value: Any) -> Any:
    if value is None or kind not in {"dynamic", "decimal"}:
        return value
    return str(value) if kind == "decimal" else json.dumps(value, ensure_ascii=False)


def to_json(value: Any) -> Any:
    """Give a value as JSON has it: times and durations as Kusto writes them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124 - NaN
        return str(value)  # JSON has no such numbers
    return str(value) if isinstance(value, Decimal) else value


def text_of(value: Any) -> str:
    """Write a value for a person; what could steer a terminal is shown, not obeyed."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"  # noqa: PLR2004 - a taste
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group(0)):02x}", _plain(value)).replace("\n", " ")


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(to_json(value))


def _duration(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    rest = abs(value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{rest.days}." if rest.days else ""
    parts = f".{rest.microseconds:06d}" if rest.microseconds else ""
    return f"{sign}{days}{hours:02d}:{minutes:02d}:{seconds:02d}{parts}"


_WRITERS: Final[dict[Format, Callable[["ResultTable"], bytes]]] = {
    Format.TABLE: _as_table,
    Format.JSON: _as_json,
    Format.CSV: _as_csv,
    Format.PARQUET: _as_parquet,
}
