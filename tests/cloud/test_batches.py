"""Splitting at exact limits: nothing is lost, nothing is too large, nothing is cut without saying so."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.batches import MAX_FIELD_BYTES, TARGET_BYTES, encoded_size, fit, split

TEXT = st.text(max_size=60)
ROWS = st.lists(st.dictionaries(st.sampled_from("abcd"), TEXT, min_size=1), max_size=30)


def sent_size(batch):
    return len(json.dumps(batch).encode())


@given(ROWS, st.integers(50, 2000))
def test_batches_hold_all_rows_in_order_and_none_is_larger_than_asked(rows, target):
    batches = list(split(rows, target))
    assert [row for batch in batches for row in batch] == rows
    assert all(batch for batch in batches)
    assert all(sent_size(batch) <= target or len(batch) == 1 for batch in batches)


@given(ROWS, st.integers(50, 2000))
def test_no_batch_could_have_taken_the_next_row(rows, target):
    batches = list(split(rows, target))
    for batch, following in itertools.pairwise(batches):
        assert sent_size([*batch, following[0]]) > target


@pytest.mark.parametrize(("spare", "batches"), [(0, 1), (-1, 2)])
def test_the_limit_itself_is_allowed_and_one_byte_more_is_not(spare, batches):
    rows = [{"a": "x" * 10}, {"a": "y" * 10}]
    assert len(list(split(rows, sent_size(rows) + spare))) == batches


def test_no_rows_make_no_batch():
    assert list(split([])) == []


@given(st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=400), min_size=1), st.integers(1500, 4000))
def test_a_fitted_row_is_within_the_limit_and_keeps_all_its_fields(row, limit):
    fitted = fit(row, limit)
    assert encoded_size(fitted) + 2 <= limit
    assert fitted.keys() == row.keys()


@given(st.text(max_size=300))
def test_a_row_that_fits_is_left_as_it_is(text):
    assert fit({"a": text, "b": [text], "c": 1, "d": None}) == {"a": text, "b": [text], "c": 1, "d": None}


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_a_field_of_just_64_kib_stays_and_a_longer_one_is_cut_with_a_mark(character):
    width = len(character.encode())
    whole = character * (MAX_FIELD_BYTES // width)
    assert fit({"a": whole})["a"] == whole
    longer = fit({"a": whole + "xxxx"})["a"]
    assert longer.endswith(f"…[{len(whole.encode()) + 4} bytes, truncated]")
    assert len(longer.encode()) <= MAX_FIELD_BYTES


def test_a_long_array_becomes_an_object_with_the_beginning_of_its_text():
    fitted = fit({"Changes": [{"n": "x" * 100}] * 2000})
    assert fitted["Changes"]["truncated"].startswith('[{"n": "xxx')
    assert encoded_size(fitted) <= MAX_FIELD_BYTES


def test_many_long_fields_are_cut_until_the_row_fits():
    row = {f"f{number}": "é" * MAX_FIELD_BYTES for number in range(34)} | {"short": "kept"}
    fitted = fit(row)
    assert encoded_size(fitted) + 2 <= TARGET_BYTES
    assert fitted["short"] == "kept"
    assert all(fitted[f"f{number}"].endswith("é…[131072 bytes, truncated]") for number in range(34))


def test_values_that_are_not_of_json_become_text():
    assert fit({"t": datetime(2026, 1, 2, tzinfo=UTC)}) == {"t": "2026-01-02 00:00:00+00:00"}


def test_a_row_that_cannot_be_made_to_fit_is_an_error():
    with pytest.raises(ValueError, match="does not fit"):
        fit({f"f{number}": "x" for number in range(1000)}, 1000)


def test_every_batch_is_filled_up_to_the_limit_itself():
    rows = [{"a": "x" * 10} for _ in range(6)]
    assert [len(batch) for batch in split(rows, sent_size(rows[:2]))] == [2, 2, 2]
