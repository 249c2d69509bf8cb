"""A setting that holds on runs it was not chosen on, or why there is none.

Everything here is numbers and callbacks; ``answers/advice/`` puts it into words.

The words of this package:

- A log *tells* what a setting does on a run where that cell of the sweep is exact.
- A *group* is the runs that count as one (seeds of one setting). It tells where all
  of its runs do.
- A patience is *enough* on a run if neither it nor a longer one loses more than the
  tolerance; the smallest such is the run's *sufficient patience*.
- The *promise* is about a rank among the groups' sufficient patience (`promise`).
- The *scale* of a run is the size of its best value; what a setting loses is a share of
  it. The *score* is that share plus cost_weight x the share of the plan it trains.
- The *kinds* are kinds of learning curves known from other data sets (`prior`).
- *Left out*: what is chosen without a group, and how it does on that group.
- A *study* is everything that an answer is made of (`study`), its *panel* the runs
  that count and what they are judged by, *priced* what every patience costs on them.

`build` goes through all of it in order.
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
from cbreplay.recommend.build import recommend_config
from cbreplay.recommend.costs import Costs, measure_costs
from cbreplay.recommend.held_out import Forward, LeftOut
from cbreplay.recommend.promise import Promise, count_needed
from cbreplay.recommend.scored import Scored, Setting
from cbreplay.recommend.swept_settings import sweep_patience
from cbreplay.recommend.track_record import Odds

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
