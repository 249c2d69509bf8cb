"""One log's answer, as data."""

from __future__ import annotations

from cbreplay.staircase.build import (
    Staircase,
    StaircaseStep,
    build_staircase,
    measure_usual_change,
)
from cbreplay.staircase.rate_history import (
    FirstReduction,
    RateHistory,
    RecordedReduction,
    explain_rate,
)

__all__ = [
    "FirstReduction",
    "RateHistory",
    "RecordedReduction",
    "Staircase",
    "StaircaseStep",
    "build_staircase",
    "explain_rate",
    "measure_usual_change",
]
