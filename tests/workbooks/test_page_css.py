import re

import pytest

from workbooks.viz.palettes import _ALIASES, PALETTES, STEPS

HUES = ("blue", "orange", "green", "red", "purple", "turquoise", "brown", "magenta", "yellow", "gray")
AA = 4.5
"""The contrast that WCAG 2 asks of ordinary text."""


@pytest.fixture(scope="module")
def css(project_root):
    return (project_root / "workbooks/static/page.css").read_text("utf-8")


def variables(block):
    return dict(re.findall(r"(--[\w-]+):\s*(#[0-9a-f]{6})", block))


@pytest.fixture(scope="module")
def themes(css):
    light = variables(css[css.index(":root {") : css.index("}")])
    start = css.index(':root[data-theme="dark"] {')
    return {"light": light, "dark": {**light, **variables(css[start : css.index("}", start)])}}


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


PAIRS = [
    *((text, ground) for text in ("text", "quiet", "link") for ground in ("ground", "panel", "raised", "hover")),
    *((f"hue-{hue}", ground) for hue in HUES for ground in ("panel", "raised", "ground", f"tint-{hue}")),
    *(("text", f"tint-{hue}") for hue in HUES),
    ("link", "tint-blue"), ("link", "tint-red"), ("link", "tint-green"), ("link", "tint-orange"),
    ("accent-text", "accent"), ("quiet", "tint-blue"),
]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read_on_its_ground(themes, theme, text, ground):
    found = themes[theme]
    assert contrast(found[f"--{text}"], found[f"--{ground}"]) >= AA


def test_dark_by_the_systems_wish_is_the_same_dark(css, themes):
    start = css.index(':root:not([data-theme="light"])')
    assert {**themes["light"], **variables(css[start : css.index("}", start)])} == themes["dark"]


def test_the_stylesheet_loads_nothing(css):
    assert "url(" not in css
    assert "@import" not in css


def test_every_shade_of_every_palette_has_a_rule(css):
    shown = {_ALIASES.get(palette, palette) for palette in PALETTES} - {"none"}
    missing = [f".p-{one}-{step}" for one in shown for step in range(STEPS) if f".p-{one}-{step} " not in css]
    assert missing == []


def test_every_hue_has_a_rule(css):
    assert [hue for hue in HUES if f".c-{hue} " not in css] == []
