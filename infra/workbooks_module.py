"""Writes the Bicep module that deploys every workbook as it lies in workbooks/.

It is generated because a path given to a load function must be a constant: the list of files cannot be a loop.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARAMETER: Final = "Workspace"
"""The workbooks' parameter that is bound to the workspace when they are deployed."""
_HEAD: Final = """\
// Written by `drift infra build` from the files in workbooks/. Do not edit.
param location string
param tags object
param workspaceId string

var workbooks = [{entries}]

resource deployed 'Microsoft.Insights/workbooks@2023-06-01' = [for workbook in workbooks: {{
  name: guid(resourceGroup().id, workbook.name)
  location: location
  tags: union(tags, {{
    'hidden-title': workbook.displayName
  }})
  kind: 'shared'
  properties: {{
    displayName: workbook.displayName
    description: workbook.description
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    // The parameter {parameter} is bound to this workspace; left alone it is the first one that a reader may see.
    serializedData: string(union(json(workbook.content), {{
      fallbackResourceIds: [
        workspaceId
      ]
      items: map(json(workbook.content).items, item => item.type == 9 ? union(item, {{
        content: union(item.content, {{
          parameters: map(item.content.parameters, each => each.name == '{parameter}' ? union(each, {{
            value: workspaceId
          }}) : each)
        }})
      }}) : item)
    }}))
  }}
}}]

output workbookIds array = [for (workbook, index) in workbooks: deployed[index].id]
"""
_ENTRY: Final = """
  {{
    name: '{name}'
    displayName: '{title}'
    description: '{description}'
    content: {content}
  }}"""
_LINK: Final = "aci-dns/"
"""How a link names another of these workbooks; deployed, it has a resource id of its own."""
_HEADING: Final = re.compile(r"^#+\s*(.+?)\s*$", re.MULTILINE)


def text(folder: Path) -> str:
    """Give the module's text for the workbooks in a folder. Raises ConfigurationError for one that is not JSON."""
    files = sorted(folder.glob("*.workbook"))
    entries = "".join(_entry(file, [each.stem for each in files]) for file in files)
    return _HEAD.format(entries=f"{entries}\n" if entries else "", parameter=PARAMETER)


def title_of(name: str, items: object) -> tuple[str, str]:
    """Give a workbook's title and its description: the first heading, and the text below it, of its first text item."""
    found = next(_texts(items), "")
    heading = _HEADING.search(found)
    title = heading[1] if heading else name.replace("-", " ").capitalize()
    paragraph = found[heading.end() :] if heading else found
    return title, " ".join(paragraph.strip().partition("\n\n")[0].split())[:300]


def _texts(items: object) -> Iterator[str]:
    for item in items if isinstance(items, list) else []:
        content = item.get("content") if isinstance(item, dict) else None
        if not isinstance(content, dict):
            continue
        if item.get("type") == 1 and isinstance(content.get("json"), str):
            yield content["json"]
        yield from _texts(content.get("items"))


def _entry(file: Path, names: list[str]) -> str:
    written = file.read_text(encoding="utf-8-sig")
    try:
        document = json.loads(written)
    except ValueError as error:
        raise ConfigurationError(f"{file.name} is not JSON: {error}") from error
    title, description = title_of(file.stem, document.get("items"))
    linked = [name for name in names if f'"{_LINK}{name}"' in written]
    texts = {"name": _quoted(file.stem), "title": _quoted(title), "description": _quoted(description)}
    return _ENTRY.format(**texts, content=_content(file.stem, linked))


def _content(name: str, linked: list[str]) -> str:
    """Give the file's content, in which each link names the workbook as it is deployed."""
    content = f"loadTextContent('../../workbooks/{_quoted(name)}.workbook')"
    for other in map(_quoted, linked):
        deployed = f"resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, '{other}'))"
        content = f"replace({content}, '\"{_LINK}{other}\"', '\"${{{deployed}}}\"')"
    return content


def _quoted(value: str) -> str:
    """Escape a text for a Bicep string."""
    return value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
