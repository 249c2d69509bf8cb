"""A setting that holds on runs it was not chosen on, or why there is none.

Everything here is numbers and callbacks; ``answers/advice/`` puts it into words.

`build` goes through all of it in order. What settings cost on the runs is in
`cbreplay.setting_costs`, and how far that holds for the next run in
`cbreplay.generalization`, with the words of each. *Left out*: a setting is chosen
without a group, and then scored on that group.
"""

from __future__ import annotations

from cbreplay.generalization.promise import Promise, count_needed
from cbreplay.generalization.track_record import Odds
from cbreplay.recommend.answer import (
    ComparedGroups,
    CountedGroup,
    Expected,
    MonitorScore,
    Plan,
    PlanAdvice,
    Recommendation,
    RunDoubt,
)
from cbreplay.recommend.build import recommend_config
from cbreplay.recommend.costs import Costs, measure_costs
from cbreplay.recommend.held_out import Forward, LeftOut
from cbreplay.setting_costs.scored import Scored, Setting
from cbreplay.setting_costs.study import Advising
from cbreplay.setting_costs.swept_settings import Excluded, Reason, sweep_patience
from cbreplay.setting_costs.tolerance import Tolerance
from cbreplay.sweep.groups import find_groups

__all__ = [
    "Advising",
    "ComparedGroups",
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
