"""The values that Prechelt (1998) tried, which `recommend` tries beside a patience."""

from __future__ import annotations

from cbreplay.rules.tried_values import TriedValues

__all__ = ["GL", "PQ", "UP"]

_ORIGIN = "the values of Prechelt (1998)"

GL = TriedValues("alpha", (1, 2, 3, 5), _ORIGIN)
PQ = TriedValues("alpha", (0.5, 0.75, 1, 2, 3), _ORIGIN)
UP = TriedValues("strips", (2, 3, 4, 6, 8), _ORIGIN)
