"""Numbers with as many digits as it takes to show a difference or a comparison."""

from __future__ import annotations

import functools
import math
import struct
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from typing import TYPE_CHECKING

from cbreplay.errors import EvidenceError
from cbreplay.monitor import LARGEST_FLOAT32, round_float32
from cbreplay.wording.shown_digits import shown_digits

if TYPE_CHECKING:
    from cbreplay.monitor import Comparison

__all__ = [
    "nearest_improvement",
    "spoken_comparison",
    "spoken_float",
    "spoken_rate",
    "spoken_threshold",
]

_MOST_DIGITS = 17
_SMALLEST_NORMAL_FLOAT32 = 2.0**-126


def spoken_float(value: float, digits: int | None = None) -> str:
    """Write a number with `digits` significant digits, if possible without exponent.

    >>> spoken_float(0.12174563), spoken_float(123456.0), spoken_float(float("nan"))
    ('0.1217', '123456', 'NaN')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return _plain(_rounded(_exact(value), digits or shown_digits()))


def spoken_rate(rate: float | None, beside: float | None = None) -> str:
    """Write a float32 learning rate as the short decimal that it was made from.

    Parameters
    ----------
    rate : float or None
        The rate.
    beside : float, optional
        Another rate in the same sentence: enough digits are written to tell them apart.

    Examples
    --------
    >>> spoken_rate(0.0010000000474974513), spoken_rate(None)
    ('0.001', 'unknown')

    A tenth of that is not the float32 of 0.0001, but the next one:

    >>> tenth, nearest = 0.00010000000474974513, 9.999999747378752e-05
    >>> spoken_rate(tenth), spoken_rate(tenth, nearest)
    ('0.0001', '0.000100000005')
    """
    if rate is None:
        return "unknown"
    texts = [f"{rate:.{digits}g}" for digits in range(1, _MOST_DIGITS + 1)]
    near = _STEP * abs(rate)
    is_told_apart = beside is None or beside == rate or abs(beside - rate) > 2 * near
    return next(
        text
        for text in texts
        if _float32(float(text)) == rate
        or (is_told_apart and abs(float(text) - rate) <= near)
        or text == texts[-1]
    )


# the distance of two float32 is no more than this share of them
_STEP = 2.0**-23


def spoken_comparison(comparison: Comparison, value: float, reference: float) -> str:
    """Say how a value compares with a reference, in enough digits to see it.

    >>> from cbreplay.monitor import Comparison
    >>> strict = Comparison("min", -0.0001, "value", "float32", flush_subnormals=True)
    >>> spoken_comparison(strict, 0.52305, 0.52301)
    '0.5230 is not below 0.5230 - 0.0001'
    """
    word = "below" if comparison.mode == "min" else "above"
    improves = comparison.is_improvement(value, reference)
    verb = f"is {word}" if improves else f"is not {word}"
    size = abs(comparison.delta)
    if not (math.isfinite(value) and math.isfinite(reference) and math.isfinite(size)):
        margin = _spoken_margin(comparison, _plain(_exact(size))) if size else ""
        return f"{spoken_float(value)} {verb} {spoken_float(reference)}{margin}"

    delta = _exact(comparison.delta)
    side, wall = _exact(value), _exact(reference) + delta
    ahead = side < wall if comparison.mode == "min" else side > wall
    if ahead != improves:
        return _spoken_rounding(comparison, value, reference)
    margin = _spoken_margin(comparison, _plain(abs(delta))) if delta else ""
    for digits in range(shown_digits(), _MOST_DIGITS + 1):
        shown, best = _same_places(_exact(value), _exact(reference), digits)
        line = best + delta
        if side == wall and shown == line:
            if not delta:
                return f"{_plain(shown)} only equals {_plain(best)}"
            return f"{_plain(shown)} only equals {_plain(best)}{margin}"
        if (shown < line) == (side < wall) and (shown > line) == (side > wall):
            return f"{_plain(shown)} {verb} {_plain(best)}{margin}"
    return _spoken_rounding(comparison, value, reference)


def nearest_improvement(comparison: Comparison, best: float | None) -> float | None:
    """Return the value nearest to `best` that would improve on it.

    Every value from there on in the direction of `comparison.mode` improves, and the
    next float towards `best` does not. None if everything does (there is no best), or
    nothing does (it is NaN).
    """
    if best is None or math.isnan(best):
        return None
    return _nearest_improvement(comparison, best)


@functools.lru_cache(maxsize=1024)
def _nearest_improvement(comparison: Comparison, best: float) -> float | None:
    sign = 1.0 if comparison.mode == "min" else -1.0

    def improves(position: int) -> bool:
        return comparison.is_improvement(sign * _float_at(position), best)

    lowest, highest = _position(-LARGEST_FLOAT32), _position(LARGEST_FLOAT32)
    try:
        if not improves(lowest) or improves(highest):
            return None
        guess = _position(sign * _likely_wall(comparison, best))
        low = high = min(max(guess, lowest), highest)
        stride = 1
        while not improves(low):
            low, stride = max(low - stride, lowest), 2 * stride
        while improves(high):
            high, stride = min(high + stride, highest), 2 * stride
        while high - low > 1:
            middle = (low + high) // 2
            if improves(middle):
                low = middle
            else:
                high = middle
    except EvidenceError:
        return None
    return sign * _float_at(low)


def _likely_wall(comparison: Comparison, best: float) -> float:
    """Return a value near the last one that improves, so that the search is short."""
    margin = comparison.delta
    on_value = margin if comparison.delta_on == "value" else 0.0
    wall = best if on_value else best + margin
    if comparison.precision == "float32":
        # a value that rounds to the wall does not improve: go half a float32 before it
        near = round_float32(wall)
        towards = -1 if comparison.mode == "min" else 1
        position = _position(near, _SINGLE) + towards
        wall = (near + _float_at(position, _SINGLE)) / 2
    return wall + on_value


def spoken_threshold(comparison: Comparison, nearest: float) -> str:
    """Write the shortest number that a logged value must be beyond to improve.

    A logged value is a float32; the number lies between the last one that improves
    and the first one that does not.
    """
    sign = 1 if comparison.mode == "min" else -1
    inside, outside = _float32_neighbours(sign * nearest)
    for digits in range(1, _MOST_DIGITS + 1):
        with localcontext() as context:
            context.prec = digits
            context.rounding = ROUND_FLOOR
            wall = +Decimal(outside)
        if wall > Decimal(inside):
            return _plain(sign * wall)
    return repr(sign * outside)


def _float32_neighbours(value: float) -> tuple[float, float]:
    """Return the float32 at or below a value, and the next one, without subnormals."""
    near = _float32(value)
    at = _position(near, _SINGLE)
    below = at if near <= value else at - 1
    inside, outside = _float_at(below, _SINGLE), _float_at(below + 1, _SINGLE)
    if 0 < abs(outside) < _SMALLEST_NORMAL_FLOAT32:
        outside = 0.0 if inside < 0 else _SMALLEST_NORMAL_FLOAT32
    return inside, outside


def _spoken_rounding(comparison: Comparison, value: float, reference: float) -> str:
    """Say how rounding decided a comparison, with both sides as Keras compares them."""
    word = "below" if comparison.mode == "min" else "above"
    left, right = comparison.sides(value, reference)
    sign = "+" if comparison.mode == "min" else "-"
    size = _plain(_exact(abs(comparison.delta)))
    told, wall = _plain(_exact(value)), _plain(_exact(reference))
    if comparison.delta and comparison.delta_on == "value":
        told = f"{told} {sign} {size}"
    elif comparison.delta:
        wall += _spoken_margin(comparison, size)
    shown = f"{left:.9g}" if comparison.precision == "float32" else repr(left)
    if left == right:
        return (
            f"{told} and {wall} are the same {comparison.precision}, {shown}: "
            f"not {word}"
        )
    other = f"{right:.9g}" if comparison.precision == "float32" else repr(right)
    verb = "is" if comparison.is_improvement(value, reference) else "is not"
    return (
        f"{told} against {wall}: in {comparison.precision} {shown} {verb} {word} "
        f"{other}"
    )


def _spoken_margin(comparison: Comparison, size: str) -> str:
    # in min mode a negative delta makes an improvement harder
    harder = comparison.delta < 0 if comparison.mode == "min" else comparison.delta > 0
    sign = "-" if (comparison.mode == "min") == harder else "+"
    return f" {sign} {size}"


def _same_places(
    value: Decimal, reference: Decimal, digits: int
) -> tuple[Decimal, Decimal]:
    """Round both to the same decimals, with at least `digits` digits of the larger."""
    larger = max(abs(value), abs(reference))
    places = digits - 1 - larger.adjusted() if larger else digits
    return _rounded(value, digits, places), _rounded(reference, digits, places)


def _rounded(value: Decimal, digits: int, places: int = 0) -> Decimal:
    places = max(places, digits - 1 - value.adjusted() if value else 0, 0)
    return value.quantize(Decimal(1).scaleb(-places), context=_EVERY_DIGIT)


# from 1e308 to 5e-324
_EVERY_DIGIT = Context(prec=700)


def _exact(value: float) -> Decimal:
    """Return the number that people read: the shortest text of the float."""
    return Decimal(repr(float(value)))


def _plain(value: Decimal) -> str:
    if value == 0:
        return "0"
    size = value.adjusted()
    if -5 <= size < 15:  # noqa: PLR2004 - where Python's own floats have an exponent
        return f"{value:f}"
    return f"{value.normalize():e}".replace("e+", "e")


def _float32(value: float) -> float:
    try:
        return round_float32(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


# floats as integers in the same order: a bisection over them takes at most 64 steps
# how a kind of float is packed, how an integer of its size, and its bits but the sign
_DOUBLE, _SINGLE = ("<d", "<q", 63), ("<f", "<i", 31)


def _position(value: float, kind: tuple[str, str, int] = _DOUBLE) -> int:
    as_float, as_integer, size = kind
    bits: int = struct.unpack(as_integer, struct.pack(as_float, value))[0]
    return bits if bits >= 0 else -bits - 2**size


def _float_at(position: int, kind: tuple[str, str, int] = _DOUBLE) -> float:
    as_float, as_integer, size = kind
    bits = position if position >= 0 else -position - 2**size
    value: float = struct.unpack(as_float, struct.pack(as_integer, bits))[0]
    return value
