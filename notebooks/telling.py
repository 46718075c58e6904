"""What a notebook says besides figures: what was loaded, tables, sentences with numbers in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from notebooks.history import what_is_missing

if TYPE_CHECKING:
    from typing import Any

_NONE: Final = "\u2013"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def say(text: str) -> None:
    """Show Markdown."""
    from IPython.display import display  # noqa: PLC0415 - only where something is shown

    display({"text/markdown": text, "text/plain": text}, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types


def describe(events: pd.DataFrame) -> str:
    """Say in Markdown what a loaded history holds; of an empty one, what to do."""
    source, missing = events.attrs.get("source", "this source"), what_is_missing(events)
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
    """Write a length of time for people: 3.2 s, 4 min, 2.5 h, 3.1 days; a dash where there is none."""
    if seconds is None or pd.isna(seconds):
        return _NONE
    for unit, size in (("days", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def table(rows: pd.DataFrame, *, top: int = 20, without: str = "Nothing.") -> None:
    """Show the first rows as a table; `without` where there are none."""
    from IPython.display import display  # noqa: PLC0415 - as above

    if rows.empty:
        say(f"*{without}*")
        return
    shown = rows.head(top).reset_index(drop=True)
    for name in shown.columns:
        if isinstance(shown[name].dtype, pd.DatetimeTZDtype):
            shown[name] = shown[name].dt.strftime("%Y-%m-%d %H:%M:%S").fillna(_NONE)
        elif str(name).endswith("Seconds"):
            shown[name] = [span(value) for value in shown[name]]
    shown.columns = [str(name).removesuffix("Seconds") for name in shown.columns]
    styled = shown.style.hide(axis="index").format(_number, na_rep=_NONE).set_properties(**_LEFT)
    styled = styled.set_table_styles([{"selector": "th", "props": [("text-align", "left")]}])
    display(styled)  # type: ignore[no-untyped-call]  # IPython ships no types
    if len(rows) > top:
        say(f"*{top} of {len(rows):,} rows.*")


def _number(value: object) -> str:
    """Write a value for people: three digits that say something, and thousands apart."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - a thousand
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


_LEFT: dict[str, Any] = {"text-align": "left", "white-space": "normal", "vertical-align": "top"}
