"""Colours: workbooks' names, heatmap palettes, and a text colour that can be read on each.

Names become CSS classes (`c-red`), whose values the stylesheet has for light and for dark; a heatmap's shade is one of
`STEPS` classes of its palette, since a strict content security policy allows no style attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS: Final = 9
"""Shades of a palette."""

COLORS: Final[Mapping[str, str]] = {
    "blue": "blue", "lightblue": "blue", "blueDark": "blue", "green": "green", "lightgreen": "green",
    "greenDark": "green", "greenDarkDark": "green", "red": "red", "redBright": "red", "redDark": "red",
    "orange": "orange", "orangeDark": "orange", "yellow": "yellow", "yellowDark": "yellow", "purple": "purple",
    "purpleDark": "purple", "magenta": "magenta", "magentaDark": "magenta", "pink": "magenta", "brown": "brown",
    "turquoise": "turquoise", "gray": "gray", "grayBlue": "gray", "grayblue": "gray", "grey": "gray",
}  # fmt: skip
"""The portal's colour names, and the hue that each one is here."""

PALETTES: Final = frozenset(
    {"auto", "blue", "green", "red", "orange", "yellow", "purple", "magenta", "brown", "gray", "turquoise", "greenRed",
     "redGreen", "coldHot", "greenBlue", "yellowOrangeRed", "yellowOrangeBrown", "yellowGreenBlue", "whiteBlack",
     "blackWhite", "none", "categorical", "lightBlue", "grayBlue", "orangeRed", "purpleRed", "yellowGreen",
     "purpleBlue", "orangeBlue"}
)  # fmt: skip

HUES: Final = ("blue", "orange", "green", "red", "purple", "turquoise", "brown", "magenta", "yellow", "gray")
"""The order in which series without a colour take theirs."""

_ALIASES: Final[Mapping[str, str]] = {
    "auto": "blue", "lightBlue": "blue", "grayBlue": "gray", "greenBlue": "coldHot", "yellowGreenBlue": "coldHot",
    "yellowOrangeRed": "greenRed", "yellowOrangeBrown": "greenRed", "blackWhite": "gray", "whiteBlack": "gray",
    "categorical": "blue", "orangeRed": "red", "purpleRed": "red", "yellowGreen": "green", "purpleBlue": "blue",
    "orangeBlue": "coldHot",
}  # fmt: skip


def color_class(name: str) -> str:
    """Give the CSS class of a colour by its name; "" for a name that nobody knows."""
    plain = {known.lower(): hue for known, hue in COLORS.items()}.get(name.lower(), "")
    return f"c-{plain}" if plain else ""


def shade_class(palette: str, value: float, low: float, high: float) -> str:
    """Give the CSS class of a value's shade between `low` and `high`; "" for the palette `none`.

    A colour's name is a palette of its hue.
    """
    hue = color_class(palette).removeprefix("c-") or "blue"
    known = {name.lower(): name for name in PALETTES}.get(palette.lower(), hue)
    if known == "none":
        return ""
    return f"p-{_ALIASES.get(known, known)}-{round(share_of(value, low, high) * (STEPS - 1))}"


def share_of(value: float, low: float, high: float) -> float:
    """Give where between `low` and `high` a value lies, from 0 to 1; the middle where there is nothing between."""
    # Halves: the difference of the largest numbers is none.
    span = high / 2 - low / 2
    return 0.5 if span <= 0 else min(max((value / 2 - low / 2) / span, 0.0), 1.0)


def is_known(palette: str) -> bool:
    """Tell whether a palette is drawn as itself (in another hue at most)."""
    return not palette or palette.lower() in {name.lower() for name in PALETTES}
