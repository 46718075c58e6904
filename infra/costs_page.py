"""Writes the tables of docs/costs.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from core.errors import ConfigurationError
from infra.costs import Fleet, estimate, read_prices, shown_price, total

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN: Final = "<!-- costs: written by `drift infra build` from infra/costs.py and infra/prices.yaml -->"
END: Final = "<!-- end of costs -->"
SIZES: Final = (100, 1_000, 10_000)


def updated(page: str) -> str:
    """Give the page with the part between the two marks written anew; raises ConfigurationError without the marks."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(page):
        raise ConfigurationError(f"docs/costs.md: the marks {BEGIN!r} and {END!r} are missing")
    return pattern.sub(lambda _: "\n".join((BEGIN, "", *_lines(), "", END)), page)


def _lines() -> Iterator[str]:
    prices = read_prices()
    columns = [estimate(Fleet(size, probe_all_rows=all_rows), prices) for size in SIZES for all_rows in (False, True)]
    yield (
        "| meter | unit | unit price | "
        + " | ".join(
            f"{size:,} groups{', every probe row' if all_rows else ''}" for size in SIZES for all_rows in (False, True)
        )
        + " |"
    )
    yield "|---|---|---|" + "---:|" * len(columns)
    for number, first in enumerate(columns[0]):
        price = shown_price(first.price)
        cells = " | ".join(_cell(column[number].quantity, column[number].cost) for column in columns)
        yield f"| {first.meter.replace('_', ' ')} | {first.unit} | {price} | {cells} |"
    sums = " | ".join(f"**{total(column):,.0f}**" for column in columns)
    yield f"| **what is priced, USD a month** | | | {sums} |"
    yield ""
    yield "Each cell: the quantity in a month, then USD after the free grant. Sources of the unit prices:"
    yield ""
    for first in columns[0]:
        yield f"- {first.meter.replace('_', ' ')}: {first.source}"


def _cell(quantity: float, cost: float | None) -> str:
    shown = f"{quantity:,.2f}" if quantity < 100 else f"{quantity:,.0f}"  # noqa: PLR2004 - digits that say something
    return shown if cost is None else f"{shown} → {cost:,.2f}"
