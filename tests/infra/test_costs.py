"""The estimate: quantities by hand, prices from the list."""

from pathlib import Path

import pytest

from core.errors import InputError
from infra.costs import ROW_BYTES, Fleet, estimate, read_prices, shown_price, total

PRICES = read_prices()


def quantities(fleet: Fleet) -> dict[str, float]:
    return {line.meter: line.quantity for line in estimate(fleet, PRICES)}


def test_a_fleet_of_one_is_counted_as_by_hand() -> None:
    found = quantities(Fleet(1, changes_per_day=1, subscription_events=0, apps=1))
    # 30 changes: 30 reconciliations, 30 + 90 comparisons; 4,320 probes, 720 audits, 8,640 canaries.
    assert found["function_executions"] == pytest.approx((30 + 120 + 4_320 + 720 + 8_640) / 1e6)
    assert found["event_grid_operations"] == pytest.approx(150 / 1e6)
    assert found["function_gb_seconds"] == pytest.approx((30 * 2 + 120 + 4_320 + 720 + 8_640) * 2)


def test_every_row_of_the_probe_is_what_grows_with_the_fleet() -> None:
    failures, everything = (quantities(Fleet(10_000, probe_all_rows=each))["log_ingestion"] for each in (False, True))
    assert everything - failures == pytest.approx(10_000 * 4_320 * ROW_BYTES / 1e9)


def test_a_free_grant_is_taken_off_and_never_pays_back() -> None:
    lines = {line.meter: line for line in estimate(Fleet(0, subscription_events=0, canary_minutes=60), PRICES)}
    assert lines["event_grid_operations"].cost == 0
    assert lines["log_ingestion"].cost == 0


def test_a_meter_without_a_price_is_counted_and_not_priced() -> None:
    lines = estimate(Fleet(10, alert_rules=7), PRICES)
    rule = next(line for line in lines if line.meter == "alert_rules_5_minutes")
    assert (rule.quantity, rule.cost) == (7, None)
    assert total(lines) == sum(line.cost for line in lines if line.cost is not None)


def test_every_price_says_where_and_when_it_was_read() -> None:
    assert all(meter["source"] and meter["read"] and meter["check"] for meter in PRICES.values())


@pytest.mark.parametrize("text", ["", "meters: 5", "meters: {log_ingestion: {}", "meters: {beer: {price: 1}}"])
def test_a_price_list_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"prices\.yaml"):
        read_prices(file)


@pytest.mark.parametrize("fleet", [Fleet(-1), Fleet(1, probe_minutes=0)])
def test_what_cannot_be_is_refused(fleet: Fleet) -> None:
    with pytest.raises(InputError):
        estimate(fleet, PRICES)


def test_a_price_is_shown_without_an_exponent() -> None:
    assert [shown_price(price) for price in (0.000026, 0.6, 5, None)] == ["0.000026", "0.6", "5", "not known"]
