"""What counts as better: the mode, the signed min_delta, the precision."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from cbreplay.errors import EvidenceError

if TYPE_CHECKING:
    from cbreplay.run import Mode

__all__ = ["LARGEST_FLOAT32", "Comparison", "Precision", "round_float32"]

Precision: TypeAlias = Literal["float32", "float64"]

_FLOAT32 = struct.Struct("<f")
_SMALLEST_NORMAL_FLOAT32 = 2.0**-126
LARGEST_FLOAT32 = 2.0**128 - 2.0**104


def round_float32(value: float) -> float:
    """Round to the nearest float32, ties to even, and return it as a float.

    Raises
    ------
    OverflowError
        If a finite value is too large for float32.

    Examples
    --------
    >>> round_float32(0.1)
    0.10000000149011612
    """
    rounded: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return rounded


class Comparison(NamedTuple):
    """Whether a value improves on another, as one Keras version computes it.

    Parameters
    ----------
    mode : {"min", "max"}
        Whether smaller or larger is better.
    delta : float
        The signed ``min_delta``: added to the reference, or taken from the value, it
        makes an improvement harder. Negative in min mode.
    delta_on : {"value", "reference"}
        Which side of the comparison carries `delta`. The sum is always float64.
    precision : {"float32", "float64"}
        To what both sides are rounded before they are compared.
    flush_subnormals : bool
        Whether float32 values below 2**-126 count as zero, as on TensorFlow.
    """

    mode: Mode
    delta: float
    delta_on: Literal["value", "reference"]
    precision: Precision
    flush_subnormals: bool

    def sides(self, value: float, reference: float) -> tuple[float, float]:
        """Return both sides as they are compared, the value's first.

        Raises
        ------
        EvidenceError
            If a side is finite and too large for float32, where Keras itself fails.
        """
        if self.delta_on == "value":
            value = value - self.delta
        else:
            reference = reference + self.delta
        if self.precision == "float64":
            return value, reference
        return self._round(value), self._round(reference)

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Return whether `value` improves on `reference`; on None, always."""
        if reference is None:
            return True
        left, right = self.sides(value, reference)
        return left < right if self.mode == "min" else left > right

    def _round(self, side: float) -> float:
        try:
            rounded = round_float32(side)
        except (OverflowError, struct.error):
            # the number itself may have hundreds of digits
            sentence = (
                f"{side!r} does not fit into float32, in which this Keras compares; "
                "its own callback raises ValueError there"
            )
            raise EvidenceError(sentence) from None
        if self.flush_subnormals and abs(rounded) < _SMALLEST_NORMAL_FLOAT32:
            return 0.0
        return rounded
