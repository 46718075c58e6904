"""HTML that cannot be broken out of: text is escaped unless it is already `Html`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, Self
from urllib.parse import urlsplit

_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]+")
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9:-]*")


class Html(str):
    """Text that is HTML already. Made by the functions here alone, from parts that were escaped."""

    __slots__ = ()

    def __html__(self) -> Self:
        """Let Jinja2 take it as it is."""
        return self


Content = str | None | Iterable["str | None"]
Attribute = str | int | float | bool | None


def text(value: str | None) -> Html:
    """Give text as HTML; what is HTML already stays as it is."""
    if value is None:
        return Html()
    return value if isinstance(value, Html) else Html(escape(value, quote=True))


def join(parts: Content, separator: str = "") -> Html:
    """Give parts one after the other, each escaped."""
    if parts is None or isinstance(parts, str):
        return text(parts)
    return Html(text(separator).join(text(part) for part in parts))


def tag(name: str, content: Content = None, attributes: Mapping[str, Attribute] | None = None) -> Html:
    """Give one element. Attributes that are None or False are left out, True stands without a value."""
    return Html(f"{_open(name, attributes)}{join(content)}</{name}>")


def void(name: str, attributes: Mapping[str, Attribute] | None = None) -> Html:
    """Give an element that has no content and no end (input, img, br)."""
    return Html(_open(name, attributes))


def _open(name: str, attributes: Mapping[str, Attribute] | None) -> str:
    written = [name]
    for key, value in (attributes or {}).items():
        if value is None or value is False:
            continue
        if not _NAME.fullmatch(key) or key.lower().startswith("on"):
            raise ValueError(f"attribute {key!r}: handlers and odd names are not written")
        written.append(key if value is True else f'{key}="{escape(str(value), quote=True)}"')
    return f"<{' '.join(written)}>"


def absolute_url(url: str) -> str | None:
    """Give a URL that data may lead to: one that says where, http, https or mailto; None for any other."""
    found = safe_url(url)
    return found if found and urlsplit(found).scheme else None


def safe_url(url: str) -> str | None:
    """Give a URL that may stand in a link: http, https or mailto, or relative to this page; None for any other."""
    cleaned = _CONTROL.sub("", url)
    try:
        parts = urlsplit(cleaned)
    except ValueError:
        return None
    if parts.scheme:
        return cleaned if parts.scheme.lower() in _SCHEMES else None
    # Without a scheme `//host` would leave for another host, and `\` is a slash to browsers.
    return None if cleaned.startswith(("//", "\\", "/\\")) or not cleaned else cleaned
