"""Markdown of authors and of data, as HTML that can do nothing: rendered by markdown-it, sanitised by nh3."""

from __future__ import annotations

from functools import cache
from typing import Final

import nh3
from markdown_it import MarkdownIt

from workbooks.viz.html import Html, safe_url

_TAGS: Final = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3",
     "h4", "h5", "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "summary", "sup",
     "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"}
)  # fmt: skip
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"alt", "title"},
    "td": {"align"},
    "th": {"align"},
    "ol": {"start"},
}
"""Images keep their words alone: a page that fetches nothing from elsewhere cannot show them."""


@cache
def _reader() -> MarkdownIt:
    # Authors of workbooks write HTML among Markdown; nh3 decides what of it stays.
    return MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """Let no link lead elsewhere without saying so: `//host` has no scheme that could be looked at."""
    return safe_url(value) if name == "href" else value


def markdown(source: str) -> Html:
    """Give Markdown as HTML: no script, no style, no handler, links to http, https and mailto alone."""
    rendered = _reader().render(source)
    cleaned = nh3.clean(
        rendered,
        tags=set(_TAGS),
        attributes={name: set(allowed) for name, allowed in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto"},
        attribute_filter=_attribute,
        # As in the portal: who follows a link keeps what he looks at.
        set_tag_attribute_values={"a": {"target": "_blank"}},
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    return Html(cleaned.strip())
