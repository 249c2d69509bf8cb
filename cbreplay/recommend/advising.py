"""What a recommendation shall keep, and of what runs: the options of its question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Advising"]


class Advising(NamedTuple):
    """The options of `recommend_config`, by its names and with its defaults."""

    tolerance: str | float | None = None
    confidence: float = 0.9
    cost_weight: float = 0.05
    group_by: str | Sequence[Any] | None = None
    recorded_under: int | None = None
    prechelt: bool = False
