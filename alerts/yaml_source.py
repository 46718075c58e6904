"""Reads YAML strictly and remembers where everything stands, so that a message can say file:line.

A key that is written twice is an error. Only true and false are booleans, and nothing is silently a date or base 60:
`on`, `2026-03-01` and `12:30` stay the text that was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Path = tuple[str | int, ...]


MAX_NODES: Final = 200_000
"""Aliases of aliases can make a short file a huge document; none of ours comes near this."""
MAX_DEPTH: Final = 50


class RuleError(InputError):
    """A rule, a test or a file of them that is not there or cannot be used; the message says what to do."""

    code = "bad_rule"


class SourceError(RuleError):
    """A YAML file that cannot be used; `reasons` has every one of them, each with its file and line."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


@dataclass(slots=True)
class Source:
    """A parsed document: its value, and the line (from 1) of each path in it. Collects what is wrong with it."""

    file: str
    value: Any
    lines: dict[Path, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Give the line where a path stands, or the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def complain(self, path: Path, message: str) -> None:
        """Note one thing that is wrong."""
        shown = ".".join(str(part) for part in path)
        self.reasons.append(f"{self.file}:{self.line(path)}: {f'{shown}: ' if shown else ''}{message}")

    def finish(self) -> None:
        """Raise SourceError when anything is wrong."""
        if self.reasons:
            raise SourceError(self.reasons)


class _Loader(yaml.SafeLoader):
    """Plain scalars are text, whole numbers, real numbers, true, false or null: nothing else."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?\d+", "-+0123456789"),
    ("float", r"[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?", "-+.0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def load(text: str, file: str) -> Source:
    """Read one document. Raises SourceError when it is not YAML or a key stands twice."""
    source = Source(file, None)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        source.value = None if node is None else _construct(loader, node, (), source)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SourceError([f"{file}:{mark.line + 1 if mark else 1}: not YAML: {what}"]) from error
    source.finish()
    return source


def _construct(loader: _Loader, node: yaml.Node, path: Path, source: Source) -> Any:
    source.lines[path] = node.start_mark.line + 1
    if len(source.lines) > MAX_NODES or len(path) > MAX_DEPTH:
        raise yaml.MarkedYAMLError(problem="too large, or nested too deeply", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        return dict(_pairs(loader, node, path, source))
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, index), source) for index, item in enumerate(node.value)]
    return loader.construct_object(node)


def _pairs(loader: _Loader, node: yaml.MappingNode, path: Path, source: Source) -> Iterator[tuple[str, Any]]:
    """Walk a mapping; `<<` merges what it names below the keys written here, as YAML 1.1 has it."""
    written = [pair for pair in node.value if pair[0].value != "<<"]
    own: set[str] = set()
    for key_node, _ in node.value:
        key = str(key_node.value)
        if key in own:
            source.lines[(*path, key)] = key_node.start_mark.line + 1
            source.complain((*path, key), "is written twice")
        own.add(key)
    for key_node, value_node in node.value:
        if key_node.value == "<<":
            merged = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            for one in reversed(merged):
                found = _construct(loader, one, path, source)
                yield from (pair for pair in dict(found).items() if pair[0] not in own)
    for key_node, value_node in written:
        key = str(key_node.value)
        value = _construct(loader, value_node, (*path, key), source)
        source.lines[(*path, key)] = key_node.start_mark.line + 1
        yield key, value
