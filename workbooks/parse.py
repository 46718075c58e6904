"""Reads workbooks: a gallery file's `Notebook/1.0` JSON, or an ARM template that carries some.

What is wrong with a part never costs the rest: the part is left at its default or becomes an UnknownItem, and a Finding
says so. Only what is no workbook at all is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputError
from workbooks.model import Finding, Severity, Workbook
from workbooks.parse_items import item_style, items
from workbooks.parse_reader import Reader, decode, step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORKBOOK_TYPES: Final = {"microsoft.insights/workbooks", "microsoft.insights/workbooktemplates"}
_EXPRESSION: Final = re.compile(r"\[\s*(?:string\(\s*)?(variables|parameters)\(\s*'([^']+)'\s*\)\s*\)?\s*\]")


class WorkbookError(InputError):
    """A file that cannot be read, is no JSON, or holds no workbook."""

    code = "bad_workbook"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A workbook, and what there is to tell about its JSON, in the order of the file."""

    workbook: Workbook
    findings: tuple[Finding, ...]


def load(path: Path) -> tuple[Parsed, ...]:
    """Read a file. Raises WorkbookError when it cannot be read or holds no workbook."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WorkbookError(f"{path}: cannot be read: {error.strerror or error}") from error
    name = path.name.removesuffix(".json").removesuffix(".workbook")
    return parse_all(content, name=name, source=str(path))


def parse(text: str | bytes, *, name: str = "workbook") -> Parsed:
    """Read the one workbook in a text. Raises WorkbookError when there is none, or more than one."""
    found = parse_all(text, name=name)
    if len(found) > 1:
        raise WorkbookError(f"{name}: this ARM template holds {len(found)} workbooks, and one was expected")
    return found[0]


def parse_all(text: str | bytes, *, name: str = "workbook", source: str = "") -> tuple[Parsed, ...]:
    """Read every workbook in a text: one, or those of an ARM template. Raises WorkbookError when there is none."""
    where = source or name
    try:
        root = decode(_decoded(text))
    except ValueError as error:
        raise WorkbookError(f"{where}: this is not JSON: {error}") from error
    if isinstance(root, dict) and not isinstance(root.get("items"), list):
        wrapped = tuple(_wrapped(root, name))
        if wrapped:
            return wrapped
    if not isinstance(root, dict) or not ("items" in root or "Notebook" in str(root.get("version"))):
        raise WorkbookError(
            f"{where}: this is no workbook: neither a `Notebook/1.0` object with `items`, "
            "nor an ARM template with a microsoft.insights/workbooks resource"
        )
    return (_workbook(root, name, "$"),)


def _decoded(text: str | bytes) -> str:
    """Give the text behind a byte order mark; UTF-8 unless the mark says otherwise."""
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
    return text.decode("utf-16" if wide else "utf-8-sig")


def _workbook(root: dict[str, Any], name: str, path: str) -> Parsed:
    findings: list[Finding] = []
    of = Reader(root, path, findings)
    of.ignore("$schema", "isLocked", "fromTemplateId")
    version = of.text("version")
    if version != "Notebook/1.0":
        said = f"the version is {version!r}" if version else "there is no version"
        of.tell("version", f"{said}; it is read as Notebook/1.0", severity=Severity.WARNING)
    workbook = Workbook(
        name=name,
        items=items(of, "items"),
        version=version or "Notebook/1.0",
        style=item_style(of.child("styleSettings")),
        fallback_resources=of.texts("fallbackResourceIds"),
        default_resources=of.texts("defaultResourceIds"),
        raw=root,
    )
    of.done()
    return Parsed(workbook, tuple(findings))


def _wrapped(root: dict[str, Any], name: str) -> Iterator[Parsed]:
    """Give the workbooks of an ARM template, or of a single resource as the API returns it."""
    resources = root.get("resources")
    members = list(resources.values()) if isinstance(resources, dict) else resources
    if not isinstance(members, list):
        members, base = [root], None
    else:
        base = "$.resources"
    for index, resource in enumerate(members):
        path = "$" if base is None else step(base, index)
        found = _resource(root, resource, name, path) if isinstance(resource, dict) else None
        if found:
            yield found


def _resource(template: dict[str, Any], resource: dict[str, Any], name: str, path: str) -> Parsed | None:
    kind = str(resource.get("type", "microsoft.insights/workbooks")).lower()
    properties = resource.get("properties")
    if kind not in _WORKBOOK_TYPES or not isinstance(properties, dict):
        return None
    key = "serializedData" if "serializedData" in properties else "templateData"
    path = step(step(path, "properties"), key)
    data = _resolved(template, properties.get(key), path)
    if data is None:
        return None
    if not isinstance(data, dict):
        raise WorkbookError(f"{path}: a workbook's JSON object was expected, not {type(data).__name__}")
    title = _resolved(template, properties.get("displayName"), path)
    return _workbook(data, title if isinstance(title, str) and not title.startswith("[") else name, path)


def _resolved(template: dict[str, Any], value: Any, path: str, hops: int = 8) -> Any:
    """Follow `[variables('x')]`, `[parameters('x')]` and `[string(…)]`; unpack JSON that stands in a text."""
    if not isinstance(value, str) or not hops:
        return value
    reference = _EXPRESSION.fullmatch(value.strip())
    if reference:
        declared = template.get(reference[1])
        target = declared.get(reference[2]) if isinstance(declared, dict) else None
        if reference[1] == "parameters" and isinstance(target, dict):
            target = target.get("defaultValue")
        return _resolved(template, target, path, hops - 1)
    if path.endswith("Data") and value.lstrip("\ufeff \r\n\t").startswith("{"):
        try:
            return decode(value.lstrip("\ufeff"))
        except ValueError as error:
            raise WorkbookError(f"{path}: this text is not JSON: {error}") from error
    return value
