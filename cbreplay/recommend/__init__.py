"""A setting that holds on runs it was not chosen on, or that there is not enough.

Everything here is numbers and callbacks; ``answers/advice/`` puts it into words.
"""

from __future__ import annotations

from cbreplay.groups import find_groups
from cbreplay.recommend.answer import (
    Advising,
    CountedGroup,
    Excluded,
    Expected,
    MonitorScore,
    Plan,
    PlanAdvice,
    Reason,
    Recommendation,
    RunDoubt,
    Tolerance,
)
from cbreplay.recommend.axes import Costs, measure_costs, sweep_patience
from cbreplay.recommend.build import recommend_config
from cbreplay.recommend.left_out import Forward, LeftOut
from cbreplay.recommend.pricing import Scored, Setting
from cbreplay.recommend.prior import Odds
from cbreplay.recommend.promise import Promise, count_needed

__all__ = [
    "Advising",
    "Costs",
    "CountedGroup",
    "Excluded",
    "Expected",
    "Forward",
    "LeftOut",
    "MonitorScore",
    "Odds",
    "Plan",
    "PlanAdvice",
    "Promise",
    "Reason",
    "Recommendation",
    "RunDoubt",
    "Scored",
    "Setting",
    "Tolerance",
    "count_needed",
    "find_groups",
    "measure_costs",
    "recommend_config",
    "sweep_patience",
]
