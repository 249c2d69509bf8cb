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
from cbreplay.staircase.reductions import (
    LaterGain,
    ReductionAccount,
    ReductionTotals,
    account_reductions,
    later_gain,
    later_gains,
    rate_kept_until,
    recorded_reductions,
    total_reductions,
)

__all__ = [
    "FirstReduction",
    "LaterGain",
    "RateHistory",
    "RecordedReduction",
    "ReductionAccount",
    "ReductionTotals",
    "Staircase",
    "StaircaseStep",
    "account_reductions",
    "build_staircase",
    "explain_rate",
    "later_gain",
    "later_gains",
    "measure_usual_change",
    "rate_kept_until",
    "recorded_reductions",
    "total_reductions",
]
