import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbooks.viz.html import Html, join, safe_url, tag, text, void
from workbooks.viz.markdown import markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><svg onload=alert(1)>",
    '"><a href="javascript:alert(1)">x</a>',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--><script>alert(1)//-->",
    "<style>*{background:url(//evil)}</style>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<form action=//evil><input name=x></form>",
    "<base href=//evil>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
]


class Elements(HTMLParser):
    """Collects what a browser would make: element names and attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)
        self.close()

    def handle_starttag(self, name, attributes):
        self.found.append((name, dict(attributes)))

    handle_startendtag = handle_starttag


def is_inert(elements):
    for name, attributes in elements:
        if name in {
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "base",
            "meta",
            "link",
            "svg",
            "math",
        }:
            return False
        for key, value in attributes.items():
            if key.startswith("on") or key in {"style", "srcdoc", "src", "action", "formaction", "id", "class"}:
                return False
            if key == "href" and not re.match(r"(https?|mailto):", value or ""):
                return False
    return True


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_never_becomes_an_element(hostile):
    assert Elements(str(tag("p", hostile))).found == [("p", {})]
    assert Elements(str(tag("p", None, {"title": hostile}))).found == [("p", {"title": hostile})]


@given(st.text())
def test_whatever_the_text_says_it_is_read_back_as_it_was(value):
    found = Elements(str(tag("p", None, {"title": value}))).found
    assert found == [("p", {"title": value.replace("\r\n", "\n").replace("\r", "\n")})] or found == [
        ("p", {"title": value})
    ]
    assert "<" not in text(value)
    assert ">" not in text(value)


def test_html_that_is_html_already_stays_as_it_is():
    inner = tag("b", "1 < 2")
    assert tag("p", [inner, " & ", None]) == "<p><b>1 &lt; 2</b> &amp; </p>"
    assert join(["a", Html("<br>"), "b"], " < ") == "a &lt; <br> &lt; b"


def test_attributes_that_are_none_or_false_are_left_out_and_true_stands_alone():
    given_ = {"a": None, "b": False, "c": True, "d": 0, "e": 1.5, "f": ""}
    assert void("input", given_) == '<input c d="0" e="1.5" f="">'


@pytest.mark.parametrize("name", ["onclick", "OnLoad", "a b", "x>", "", 'x="', "1a"])
def test_handlers_and_odd_attribute_names_are_refused(name):
    with pytest.raises(ValueError, match="attribute"):
        tag("a", "x", {name: "1"})


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://portal.azure.com/#x", "https://portal.azure.com/#x"),
        ("HTTP://a/", "HTTP://a/"),
        ("mailto:oncall@example.org", "mailto:oncall@example.org"),
        ("/w/fleet?a=b", "/w/fleet?a=b"),
        ("?a=b", "?a=b"),
        ("#step", "#step"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        ("java\tscript:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("blob:https://a/b", None),
        ("//evil.example/", None),
        ("/\\evil.example", None),
        ("\\\\evil.example", None),
        ("http://[", None),
        ("", None),
        ("   ", None),
    ],
)
def test_only_harmless_schemes_become_links(url, safe):
    assert safe_url(url) == safe


@given(st.text())
def test_no_text_is_a_link_of_another_scheme(value):
    found = safe_url(value)
    assert found is None or not re.match(
        r"[\s\x00-\x1f]*(javascript|data|vbscript|file|blob)\s*:", found, re.IGNORECASE
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_html_in_markdown_does_nothing(hostile):
    assert is_inert(Elements(markdown(hostile)).found)


@pytest.mark.parametrize(
    "hostile",
    [
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://evil.example/pixel.png)",
        "![x](javascript:alert(1))",
        "<https://a.example/?'onmouseover=alert(1)>",
        "[x](//evil.example)",
        '<a href="https://a" onclick="x" style="y" id="z" class="c" target="_top">x</a>',
        "<details open ontoggle=alert(1)>x</details>",
        "[a]: javascript:alert(1)\n\n[a]",
    ],
)
def test_markdown_gives_no_script_no_picture_and_no_odd_link(hostile):
    assert is_inert(Elements(markdown(hostile)).found)


@given(st.text(alphabet="<>\"'=/ \n[]()!`*_#:javascriptonerrorhref&;-+.1"))
def test_whatever_markdown_says_the_page_is_inert(value):
    assert is_inert(Elements(markdown(value)).found)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("# Fleet", "<h1>Fleet</h1>"),
        ("**a** `b` ~~c~~", "<p><strong>a</strong> <code>b</code> <s>c</s></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("a<br/>b", "<p>a<br>b</p>"),
        (
            "[x](https://a.example)",
            '<p><a href="https://a.example" target="_blank" rel="noopener noreferrer">x</a></p>',
        ),
        ("1 < 2 & 3", "<p>1 &lt; 2 &amp; 3</p>"),
    ],
)
def test_markdown_is_rendered_as_it_reads(source, html):
    assert markdown(source) == html


def test_a_table_in_markdown_is_a_table():
    assert [name for name, _ in Elements(markdown("| a | b |\n|---|---:|\n| 1 | 2 |")).found] == [
        "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td",
    ]  # fmt: skip
