"""What a notebook says besides figures: what was loaded, tables, sentences with numbers in them."""

from __future__ import annotations

import html
import re
from numbers import Integral, Real
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from notebooks.history import what_is_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

_NONE: Final = "\u2013"
_TENTH, _MINUTE, _HOUR, _DAY = 0.1, 60, 3600, 86400


def say(text: str) -> None:
    """Show Markdown."""
    from IPython.display import display  # noqa: PLC0415 - only where something is shown

    display({"text/markdown": text, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types


def describe(events: pd.DataFrame) -> str:
    """Say in Markdown what a loaded history holds; of an empty one, what to do."""
    source, missing = PurePath(events.attrs.get("source", "this source")).name, what_is_missing(events)
    warning = f"\n\n> ⚠ {missing}".replace("\n  ", "\n> - ") if missing else ""
    if events.empty:
        return (
            f"**There are no events in `{source}`** in the time that was asked for, so every figure below says that "
            "it has nothing to show.\n\n- Is the time span right (`LAST`)?\n- Is it the right source (`DATA`)?\n"
            "- To try the notebooks: `drift sample-history --out history.duckdb`, "
            'then `DATA = "history.duckdb"`.' + warning
        )  # fmt: skip
    first, last = events["TimeGenerated"].min(), events["TimeGenerated"].max()
    ids = {str(each).lower() for each in events["ContainerGroupId"].unique()} if "ContainerGroupId" in events else set()
    groups = len(ids - {""})
    return (
        f"**{len(events):,} events** of {groups:,} container groups, "
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, from `{source}`.{warning}"
    )


def agree(events: pd.DataFrame, what: str, here: object, there: object) -> None:
    """Hold what was computed here to what the shipped KQL answers, and say so.

    Over files they must be equal: AssertionError. A workspace goes on taking rows in between the two, so there a
    difference is told, not raised.
    """
    if here == there:
        say(f"✓ *{what}: the same in pandas and in KQL*")
    elif str(events.attrs.get("source", "")).startswith("workspace:"):
        say(f"⚠ *{what}: not the same in pandas and in KQL. Rows may have come in between; load with `refresh=True`.*")
    else:
        raise AssertionError(f"{what}: {str(here)[:300]} here, {str(there)[:300]} in KQL")


def span(seconds: float | None) -> str:
    """Write a length of time for people: 20 ms, 3.2 s, 4.0 min, 2.5 h, 3.1 days; a dash where there is none."""
    if seconds is None or pd.isna(seconds):
        return _NONE
    if 0 < seconds < _TENTH:
        return f"{seconds * 1000:.0f} ms"
    for unit, size in (("days", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def table(rows: pd.DataFrame, *, top: int = 20, without: str = "Nothing.") -> None:
    """Show the first rows as a table for people: words for names of columns, lengths of time with units.

    `without` is said where there are no rows.
    """
    from IPython.display import display  # noqa: PLC0415 - as above

    if rows.empty:
        say(f"*{without}*")
        return
    styled = readable(rows.head(top)).style.hide(axis="index").set_properties(**_LEFT)
    times = [heading(str(name)) for name in rows.columns if isinstance(rows[name].dtype, pd.DatetimeTZDtype)]
    styled = styled.set_properties(subset=pd.Index(times), **{"white-space": "nowrap"})
    styled = styled.set_table_styles([{"selector": "th", "props": [("text-align", "left")]}])
    display(styled)  # type: ignore[no-untyped-call]  # IPython ships no types
    if len(rows) > top:
        say(f"*{top} of {len(rows):,} rows.*")


def commands(lines: Sequence[str], *, top: int = 10, without: str = "Nothing.") -> None:
    """Show commands as a block that can be copied; `without` where there are none."""
    from IPython.display import display  # noqa: PLC0415 - as above

    if not lines:
        say(f"*{without}*")
        return
    text = "\n".join(lines[:top])
    page = f'<pre style="white-space: pre-wrap; font-size: 12px">{html.escape(text)}</pre>'
    display({"text/html": page, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types
    if len(lines) > top:
        say(f"*{top} of {len(lines):,}.*")


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """Give a frame as text: UTC times to the second, `...Seconds` with units, `...Share` in percent, other numbers."""
    return pd.DataFrame({
        heading(str(name)): [_text(str(name), value) for value in rows[name]] for name in rows.columns
    })  # fmt: skip


def heading(name: str) -> str:
    """Write a column's name as words: `WrongForSeconds` as Wrong for, `OldIp` as Old IP."""
    words = _WORDS.findall(name.removesuffix("Seconds")) or [name.removesuffix("Seconds")]
    told = [_ACRONYMS.get(word.lower(), word.lower()) for word in words]
    return " ".join([told[0] if told[0].isupper() else told[0][:1].upper() + told[0][1:], *told[1:]])


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if pd.isna(value):
        return _NONE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if name.endswith("Seconds"):
        return span(float(value))
    return f"{value:.1%}" if name.endswith("Share") else number(value)


def number(value: Any) -> str:
    """Write a number for people: thousands apart, three digits that say something, and none that do not."""
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if not isinstance(value, Real):
        return str(value)
    size = abs(float(value))
    if size >= 1000:  # noqa: PLR2004 - a thousand
        return f"{value:,.0f}"
    if 0 < size < _LITTLE:
        return f"< {_LITTLE}" if float(value) > 0 else f"> -{_LITTLE}"
    return f"{float(value):.3g}"


_LITTLE: Final = 0.001
_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_ACRONYMS: Final = {"ip": "IP", "dns": "DNS", "arm": "ARM", "gb": "GB", "fqdn": "FQDN", "ptr": "PTR"}
_LEFT: Final[dict[str, Any]] = {"text-align": "left", "white-space": "normal", "vertical-align": "top"}
