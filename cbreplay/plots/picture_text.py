"""Names and numbers, shortened for pictures."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from cbreplay.wording.shown_digits import shown_digits
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from cbreplay.recommend import Recommendation

__all__ = ["FONT", "drawable_text", "format_number", "lost_words", "shorten"]

_LONGEST_NAME = 28
# comes with matplotlib, so a picture is the same everywhere
FONT = "DejaVu Sans"


def shorten(text: str, longest: int = _LONGEST_NAME) -> str:
    """Cut a long name in its middle; its two ends tell runs apart.

    >>> shorten("baseline/learning-rate-3e-3/seed0", 20)
    'baseline/l…e-3/seed0'
    """
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def drawable_text(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name shortened, with □ for characters that matplotlib's font lacks."""
    shown = shorten(visible_text(text), longest)
    return "".join(letter if _has_glyph(letter) else "□" for letter in shown)


def lost_words(advice: Recommendation) -> str:
    """Return words for the regret; with the monitor, if that is not the objective."""
    side = "above best" if advice.objective_mode == "min" else "below best"
    words = f"{drawable_text(advice.objective)} {side}"
    if advice.monitors or advice.monitor != advice.objective:
        words += f", stopping on {drawable_text(advice.monitor)}"
    return words


@functools.cache
def _has_glyph(character: str) -> bool:
    """Tell whether matplotlib's own font holds a character; without, it would warn."""
    from matplotlib.font_manager import findfont, get_font

    return get_font(findfont(FONT)).get_char_index(ord(character)) != 0


def format_number(value: float | None) -> str:
    """Write a value with `shown_digits` significant digits, trailing zeros too.

    >>> [format_number(number) for number in (0.31207, 12.5, 31207, 2e-7, None)]
    ['0.3121', '12.50', '31207', '2.000e-07', '']
    """
    if value is None:
        return ""
    if not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "NaN")
    if value == 0:
        return "0"
    digits = shown_digits()
    exponent = math.floor(math.log10(abs(value)))
    if not -digits <= exponent <= digits + 1:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - exponent)}f}"
