"""Real workbooks of the public gallery, and what fuzzing makes of them: never a crash, and nothing lost."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbooks.check import check
from workbooks.model import UnknownItem, walk
from workbooks.parse import load, parse
from workbooks.resolve import Inputs, resolve

GALLERY = sorted((Path(__file__).parents[3] / "shared" / "gallery").glob("*.workbook"))
pytestmark = pytest.mark.skipif(not GALLERY, reason="no gallery workbooks beside this checkout")
SMALL = [path for path in GALLERY if path.stat().st_size < 40_000]


def raw_items(value: Any) -> int:
    """Count the items in JSON, by a way of counting of its own."""
    if isinstance(value, list):
        return sum(map(raw_items, value))
    if not isinstance(value, dict):
        return 0
    here = sum(isinstance(each, dict) for each in value.get("items", ()))
    return here + sum(map(raw_items, value.values()))


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_item_of_a_gallery_workbook_is_typed(path: Path) -> None:
    (parsed,) = load(path)
    items = list(walk(parsed.workbook.items))
    assert len(items) == raw_items(json.loads(path.read_text(encoding="utf-8-sig")))
    assert not [item for item in items if isinstance(item, UnknownItem)]


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_every_property_of_a_gallery_workbook_is_understood(path: Path) -> None:
    (parsed,) = load(path)
    assert [finding for finding in parsed.findings if finding.code in {"unknown-property", "wrong-type"}] == []


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the path of everything in a JSON value."""
    found = [path] if path else []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found.extend(places(member, (*path, key)))
    return found


PLACES = {path: places(json.loads(path.read_text(encoding="utf-8-sig"))) for path in SMALL}
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([[{}]]),
    st.just({"a": [1, None]}),
    st.sampled_from(["12", "{", "[1]", '{"x":1}', "true", "value::all", 10**400, -(10**30), 1e308]),
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    path = draw(st.sampled_from(SMALL))
    root = deepcopy(json.loads(path.read_text(encoding="utf-8-sig")))
    for place in draw(st.lists(st.sampled_from(PLACES[path]), min_size=1, max_size=6)):
        _mutate(root, place, draw(st.sampled_from(("drop", "replace", "double", "stringify"))), draw(STRANGE))
    return root


def _mutate(root: Any, place: tuple[Any, ...], how: str, value: Any) -> None:
    for key in place[:-1]:
        try:
            root = root[key]
        except (KeyError, IndexError, TypeError):
            return  # an earlier change took this part away
    key = place[-1]
    if not isinstance(root, dict | list) or (isinstance(root, list) and not (isinstance(key, int) and key < len(root))):
        return
    if isinstance(root, dict) and key not in root:
        return
    if how == "drop":
        del root[key]
    elif how == "double" and isinstance(root, list):
        root.insert(key, deepcopy(root[key]))
    else:
        root[key] = json.dumps(root[key]) if how == "stringify" else value


@given(mutated())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_no_mutation_of_a_workbook_crashes_reading_layout_or_check(root: Any) -> None:
    if not isinstance(root.get("items"), list) and "Notebook" not in str(root.get("version")):
        return
    parsed = parse(json.dumps(root))
    state = resolve(parsed.workbook, Inputs(datetime(2026, 1, 1, tzinfo=UTC), {"TimeRange": ("1h",), "tab": ("x",)}))
    assert set(state.items) == {item.path for item in walk(parsed.workbook.items)}
    for each in state.items.values():
        each.scope.text(json.dumps(each.item.raw))
    check(parsed)
