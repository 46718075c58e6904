"""Fixtures for the tests of workbooks: results, formatters and items in few words, and HTML as a tree."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from kql.engine import ResultColumn, ResultTable
from workbooks import parse
from workbooks.viz.context import RenderContext

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_table(columns, *rows, **more):
    """Give a result: `columns` as `Name:type, Name` (string by default)."""
    named = [each.strip().partition(":") for each in columns.split(",")]
    found = tuple(ResultColumn(name, kind or "string") for name, _, kind in named)
    return ResultTable(found, tuple(tuple(row) for row in rows), **more)


def make_workbook(*items):
    """Give a workbook that holds these items, read as a file is."""
    return parse.parse(json.dumps({"version": "Notebook/1.0", "items": list(items)}), name="try").workbook


def make_query(query="T", **content):
    """Give a query item as a workbook writes it; `item` holds what stands beside its content."""
    beside = content.pop("item", {})
    return {
        "type": 3,
        "name": content.pop("name", "q"),
        "content": {"version": "KqlItem/1.0", "query": query, **content},
        **beside,
    }


def make_parameters(*parameters, **content):
    return {
        "type": 9,
        "name": content.pop("name", "p"),
        "content": {"version": "KqlParameterItem/1.0", "parameters": list(parameters), **content},
    }


@pytest.fixture(scope="session")
def make():
    """Give the makers."""
    return SimpleNamespace(
        table=make_table, workbook=make_workbook, query=make_query, parameters=make_parameters, now=NOW
    )


@pytest.fixture(scope="session")
def soup():
    """Give `soup(html)`: a tree to select in."""
    return lambda html: BeautifulSoup(str(html), "html.parser")


@pytest.fixture
def context():
    """Give a page that can be changed: its choices lead to `?key=value`."""
    return RenderContext(export_url=lambda choices: "?" + "&".join(f"{key}={value}" for key, value in choices.items()))
