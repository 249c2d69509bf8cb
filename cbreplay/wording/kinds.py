"""The kinds of values, and how a value of each kind is written for people.

The kind of a column, or of a number in a sentence, decides its decimals and alignment.
Epochs are written counting from 1; programs get them counting from 0.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

from cbreplay.wording.shown_digits import (
    ValueScale,
    scale_of,
    shown_digits,
    spoken_figure,
)
from cbreplay.wording.words import spoken_number, spoken_range, spoken_seconds

__all__ = ["SCALED", "Kind", "is_number", "ordinal", "spoken_span", "spoken_value"]

Kind: TypeAlias = Literal[
    # the zero-based number of an epoch
    "epoch",
    # a number of epochs, runs, callbacks
    "count",
    # a patience, or another whole setting
    "patience",
    # a value of a series, in its unit: a column shares its decimals
    "value",
    # how far two such values are apart
    "difference",
    # a part of a whole, from 0 to 1
    "share",
    # a share that the user gave, such as a confidence: written as it was given
    "given_share",
    # a score without a unit
    "score",
    # a learning rate
    "rate",
    "seconds",
    # how far something is evidence
    "evidence",
    # of a run, a series, a setting
    "name",
    # to paste
    "code",
    "text",
    # words that a terminal may break into lines, at spaces
    "sentence",
    "flag",
    # any number as it stands
    "number",
    # a number that the user gave: written as it was given
    "given",
    # which one in an order, from 1
    "rank",
]

_TEXTS = ("evidence", "name", "code", "text", "sentence", "flag")
# values that stand together share their decimals
SCALED = ("value", "difference")
_SMALL_SHARE = 0.1


def is_number(kind: Kind) -> bool:
    """Return whether values of a kind stand at the right of their column."""
    return kind not in _TEXTS


def spoken_value(value: Any, kind: Kind, scale: ValueScale | None = None) -> str:  # noqa: ANN401 - a cell holds anything
    """Write a value of a kind for people; ``-`` where there is none.

    `scale` is for a value or difference that shares its decimals with others.

    >>> spoken_value(28, "epoch"), spoken_value(0.38, "share")
    ('29', '38 %')
    >>> spoken_value(0.01, "rate"), spoken_value(0.12169, "value")
    ('0.01', '0.1217')
    """
    if value is None:
        return "-"
    if isinstance(value, str):
        # words in place of a value
        return value
    if kind == "epoch":
        return str(int(value) + 1)
    if kind in SCALED:
        scale = scale or scale_of([value])
        return spoken_number(float(value), scale.decimals)
    write = _WRITERS.get(kind)
    return str(value) if write is None else write(value)


def _share(value: float) -> str:
    """Write a share in whole percents, or two digits where it is small.

    Only a whole is 100 %: a loss that fell from 13 to 0.016 did not fall to nothing.

    >>> _share(0.708), _share(0.05), _share(0.005), _share(1.0)
    ('71 %', '5 %', '0.5 %', '100 %')
    >>> _share(0.9967), _share(0.9999996)
    ('99.7 %', 'over 99.9 %')
    """
    if not math.isfinite(value):
        return "-"
    digits = ".2g" if abs(value) < _SMALL_SHARE else ".0f"
    if value < 1 and f"{100 * value:{digits}}" == "100":
        digits = ".1f"
        if f"{100 * value:{digits}}" == "100.0":
            return "over 99.9 %"
    return f"{100 * value:{digits}} %"


def _score(value: float) -> str:
    """Write a score with the decimals of others, unless a training diverged.

    >>> _score(0.0381), _score(-2e-18), _score(16831592.2845)
    ('0.0381', '0.0000', '1.683e+07')
    """
    if abs(value) < 1:
        # z: a rest of a rounding has no sign
        return f"{value:z.{shown_digits()}f}"
    return spoken_number(value, shown_digits())


def ordinal(number: int) -> str:
    """Write an ordinal.

    >>> [ordinal(number) for number in (1, 2, 3, 11, 12, 22)]
    ['1st', '2nd', '3rd', '11th', '12th', '22nd']
    """
    teens = 10 < number % 100 < 14  # noqa: PLR2004 - 11th to 13th
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


_WRITERS: dict[str, Any] = {
    "share": _share,
    # as it was given: 100 * 0.07 is 7.000000000000001
    "given_share": lambda value: f"{100 * value:.12g} %",
    "score": _score,
    "rate": spoken_figure,
    "number": spoken_figure,
    "given": lambda value: f"{value:g}",
    "rank": ordinal,
    "seconds": spoken_seconds,
    "flag": lambda value: "yes" if value else "no",
}


def spoken_span(first: Any, last: Any, kind: Kind) -> str:  # noqa: ANN401 - as a cell
    """Write both ends of a span, or one if they are equal; None as last leaves it open.

    >>> spoken_span(23, 25, "epoch"), spoken_span(72, None, "patience")
    ('24-26', '72 or more')
    """
    if first is None:
        return "-"
    shift = 1 if kind == "epoch" else 0
    return spoken_range(first + shift, None if last is None else last + shift)
