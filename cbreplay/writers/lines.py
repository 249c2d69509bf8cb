"""Lines of characters: a sentence wrapped between words, a series drawn by bars."""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from typing import TYPE_CHECKING

from cbreplay.document import Fact
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Part, Text

__all__ = [
    "ASCII_BARS",
    "BARS",
    "draw_sparkline",
    "firm",
    "firm_words",
    "wrap",
    "wrap_text",
    "wrap_words",
]

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-=+*#@"

# a space at which no line may be broken; a private character that no visible text holds
_FIRM_SPACE = "\ue000"
# a share, which is one word with its number
_UNIT = r"(\d) %"


def wrap(sentence: str, width: int, first: str = " ", rest: str = "   ") -> list[str]:
    """Break a sentence into lines, between words only, without control characters.

    >>> wrap("patience 7 keeps the best epoch", 22)
    [' patience 7 keeps the', '   best epoch']
    """
    return wrap_words(visible_text(sentence), width, first, rest)


def wrap_text(text: Text, width: int, first: str = " ", rest: str = "   ") -> list[str]:
    """Break a sentence into lines: no name is broken, and a stamp is on every line.

    >>> from cbreplay.document import say
    >>> wrap_text(say("stops at epoch 5", stamp="fiction: "), 22)
    [' fiction: stops at', '   fiction: epoch 5']
    """
    stamp = visible_text(text.stamp)
    return wrap_words(firm_words(text), width, first + stamp, rest + stamp)


def firm_words(text: Text) -> str:
    """Return a sentence without its stamp, in which every name is one word."""
    return "".join(map(_firm, text.parts))


def _firm(part: Part) -> str:
    shown = visible_text(part if isinstance(part, str) else part.text)
    is_name = isinstance(part, Fact) and part.kind == "name"
    return firm(shown) if is_name else shown


def firm(words: str) -> str:
    """Return visible words as one, which `wrap_words` does not break."""
    return words.replace(" ", _FIRM_SPACE)


def wrap_words(words: str, width: int, first: str, rest: str) -> list[str]:
    """Break words into lines; control characters are already replaced in them.

    Parameters
    ----------
    words : str
        As `firm_words` returns them.
    width : int
        The longest line, unless a word is longer.
    first, rest : str
        What the first line and the other lines begin with.
    """
    if words.strip() == words and 0 < len(words) <= width - len(first):
        # quicker, for the many short cells of a large table
        return [first + words.replace(_FIRM_SPACE, " ")]
    lines = textwrap.wrap(
        re.sub(_UNIT, firm(r"\1 %"), words),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(_FIRM_SPACE, " ") for line in lines]


def draw_sparkline(values: Sequence[float | None], width: int, bars: str = BARS) -> str:
    """Draw a series in one line of characters; a space where nothing is recorded.

    Parameters
    ----------
    values : sequence of float or None
        One per epoch; None where nothing was recorded.
    width : int
        At most so many characters.
    bars : str
        The characters, the lowest first.

    Examples
    --------
    >>> draw_sparkline([3.0, 2.0, None, None, None, 1.0], 6)
    '█ ▁'
    """
    n_recorded = sum(value is not None for value in values)
    drawn = [
        value if value is not None and math.isfinite(value) else None
        for value in values
    ]
    width = max(min(width, n_recorded), 1)
    edges = [round(i * len(drawn) / width) for i in range(width + 1)]
    heights = [
        _mean([value for value in drawn[start:end] if value is not None])
        for start, end in itertools.pairwise(edges)
    ]
    known = sorted(height for height in heights if height is not None)
    if not known:
        return ""
    # a few outliers do not flatten the rest
    low, high = known[len(known) // 20], known[len(known) - 1 - len(known) // 8]
    return "".join(
        " " if height is None else bars[_level(height, low, high, bars)]
        for height in heights
    )


def _level(height: float, low: float, high: float, bars: str) -> int:
    """Return which bar shows a height."""
    if high <= low:
        return 0
    share = min(max((height - low) / (high - low), 0.0), 1.0)
    return math.floor(share * (len(bars) - 1) + 0.5)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
