"""The workspace functions as the local engine takes them: parsed when a query reaches them, each text once.

Parsing all of them takes a second, and most queries reach one or two.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from duckdb_kql.stored_functions import StoredFunction, parse_functions

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def reached_by(query: str, definitions: Mapping[str, str]) -> dict[str | None, dict[str, StoredFunction]]:
    """Give those of the definitions (`function Name(...) {...}` by name) that a query names, or one that it calls."""
    found: dict[str, StoredFunction] = {}
    texts = [query]
    while texts:
        for name in set(_NAME.findall(texts.pop())):
            if name in definitions and name not in found:
                found[name] = _parsed(definitions[name])
                texts.append(definitions[name])
    return {None: found}


@cache
def _parsed(definition: str) -> StoredFunction:
    parsed = parse_functions([definition]) or {}
    (function,) = parsed[None].values()
    return function
