"""Makes one DataFrame of many batches of stored rows, in little memory: ten million events of LEAN take two gigabytes.

Each batch is reduced at once to what lasts: a text column to small numbers and the few texts that they stand for.
Arrow joins the dictionaries of the batches, not their rows, and a column is put in order while it is moved, so no
column is there twice for longer than it takes to move it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ORDER: Final = "TimeGenerated"
_TIME: Final = np.dtype("datetime64[us]")
_NUMBERS: Final = {"int": np.dtype("int32"), "long": np.dtype("int64")}
_CODES: Final = (np.dtype("int8"), np.dtype("int16"), np.dtype("int32"))
Kept = dict[str, Any]
"""A batch's columns as they last: see `kept`."""


def kept(batch: pa.RecordBatch, kinds: Mapping[str, str]) -> Kept:
    """Reduce a batch to what lasts, and copy it: its columns share one owner, and one kept column would keep all.

    Of a text (`kinds`: notebooks/frames.py) the numbers of its values and the values, each once; of a number its
    values and where there is none; of a time and of an id the values.
    """
    columns = zip(batch.schema.names, batch.columns, strict=True)
    return {name: _reduced(column, kinds[name]) for name, column in columns}


def _reduced(column: pa.Array, kind: str) -> Any:
    if kind == "text":
        return _text(column)
    if kind == "id":
        return pa.concat_arrays([column, column.slice(0, 0)])
    return _time(column) if kind == "datetime" else _number(column, kind)


def _text(column: pa.Array) -> tuple[NDArray[Any], pa.Array]:
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    numbers, values = encoded.indices, encoded.dictionary
    if numbers.null_count:
        # None and an empty text are the same here.
        place = values.index("").as_py()
        values = values if place >= 0 else pa.concat_arrays([values, pa.array([""], values.type)])
        numbers = numbers.fill_null(place if place >= 0 else len(values) - 1)
    return numbers.to_numpy().astype(_smallest(len(values))), values


def _time(column: pa.Array) -> NDArray[Any]:
    times: NDArray[Any] = column.to_numpy(zero_copy_only=False).astype(_TIME, copy=True)
    return times


def _number(column: pa.Array, kind: str) -> tuple[NDArray[Any], NDArray[Any]]:
    values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(_NUMBERS[kind], copy=True)
    return values, column.is_null().to_numpy(zero_copy_only=False)


class Gathered:
    """Rows of batches, column by column."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds
        self._parts: dict[str, list[Any]] = {name: [] for name in kinds}

    def add(self, batch: Kept) -> None:
        """Take a batch's columns; those that are not wanted are left out."""
        for name, parts in self._parts.items():
            parts.append(batch[name])

    def frame(self) -> pd.DataFrame:
        """Give the rows as one frame, ordered by TimeGenerated; rows of one time stay as they came. Used up then."""
        order = _order(_joined(self._parts[ORDER], _TIME))
        columns = {name: self._column(name, order) for name in self._kinds}
        return pd.DataFrame(columns, copy=False)

    def _column(self, name: str, order: NDArray[Any] | None) -> Any:
        parts, kind = self._parts.pop(name), self._kinds[name]
        if kind == "text":
            return _categorical(parts, order)
        if kind == "id":
            return _strings(parts, order)
        if kind == "datetime":
            times = _moved(_joined(parts, _TIME), order)
            return pd.Series(times, copy=False).dt.tz_localize("UTC")
        values = _moved(_joined([part[0] for part in parts], _NUMBERS[kind]), order)
        missing = _moved(_joined([part[1] for part in parts], np.dtype("bool")), order)
        return pd.arrays.IntegerArray(values, missing)


def _order(times: NDArray[Any]) -> NDArray[Any] | None:
    """Give the places of the rows in order of time; None when they are in order."""
    numbers = times.view("int64")
    if len(numbers) < 2 or bool((numbers[1:] >= numbers[:-1]).all()):  # noqa: PLR2004 - one row is in order
        return None
    return np.argsort(numbers, kind="stable")


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)


def _moved(values: NDArray[Any], order: NDArray[Any] | None) -> NDArray[Any]:
    return values if order is None else values[order]


def _smallest(count: int) -> np.dtype[Any]:
    """Give the smallest whole numbers that can count so many, as pandas chooses them."""
    return next((kind for kind in _CODES if count <= np.iinfo(kind).max), np.dtype("int64"))


def _categorical(parts: Sequence[tuple[NDArray[Any], pa.Array]], order: NDArray[Any] | None) -> Any:
    """Join the dictionaries: Arrow says which place each value of each of them has in the whole."""
    told = [pa.DictionaryArray.from_arrays(pa.array(range(len(each)), pa.int32()), each) for _, each in parts]
    whole = pa.chunked_array(told, pa.dictionary(pa.int32(), pa.string())).unify_dictionaries()
    values = whole.chunk(0).dictionary if whole.num_chunks else pa.array([], pa.string())
    kind = _smallest(len(values))
    codes = np.empty(sum(len(numbers) for numbers, _ in parts), dtype=kind)
    at = 0
    for (numbers, _), places in zip(parts, whole.chunks, strict=True):
        np.take(places.indices.to_numpy().astype(kind), numbers, out=codes[at : at + len(numbers)])
        at += len(numbers)
    names = pd.Index(values.to_pandas(), dtype="str")
    return pd.Categorical.from_codes(_moved(codes, order), dtype=pd.CategoricalDtype(names), validate=False)


def _strings(parts: list[pa.Array], order: NDArray[Any] | None) -> Any:
    whole = pa.chunked_array(parts, pa.string())
    parts.clear()
    if order is not None:
        whole = whole.cast(pa.large_string()).combine_chunks().take(pa.array(order))
    return pd.Series(whole.to_pandas(), dtype="str", copy=False)
