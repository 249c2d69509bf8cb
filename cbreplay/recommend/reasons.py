"""Reasons for a recommendation, or for none: codes with facts.

``answers/advice/`` writes them as sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.training_course import never_changes
from cbreplay.generalization.promise import count_needed, needed_rank
from cbreplay.recommend.choice import Pick, broke_off, rule_of_thumb
from cbreplay.setting_costs.swept_settings import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.setting_costs.pricing import Priced
    from cbreplay.setting_costs.scored import Scored
    from cbreplay.setting_costs.study import Study

__all__ = [
    "reasons_against_stopping",
    "reasons_for_choice",
    "reasons_for_none",
    "too_short",
]

# with two values every patience stops at the second one or not at all: all are alike
_FEWEST_VALUES = 3


def reasons_for_none(study: Study, priced: Sequence[Priced]) -> tuple[Reason, ...]:
    """Return why nothing can be recommended; nothing where something can."""
    grouping = study.grouping
    n_runs = sum(len(rows) for rows in grouping.rows)
    if n_runs == 1:
        return (Reason("one-run", {}),)
    if len(grouping.rows) == 1:
        kind = "one-training" if grouping.by == "training" else "one-group"
        return (Reason(kind, {"n_runs": n_runs}),)
    if too_short(study):
        facts = {"monitor": study.axes.slices[0].monitor, "most": _most_values(study)}
        return (Reason("short-logs", facts),)
    monitors = {slice_.monitor: None for slice_ in study.axes.slices}
    if all(never_changes(run, name) for run in study.runs for name in monitors):
        return (Reason("constant", {"monitors": (*monitors,), "n_runs": n_runs}),)
    cut = study.panel.standing.cut.any()
    if not cut and all(np.isnan(of_monitor.lost).all() for of_monitor in priced):
        return (Reason("untold", {}),)
    return ()


def too_short(study: Study) -> bool:
    """Return whether every run has too few values to tell patience values apart."""
    return _most_values(study) < _FEWEST_VALUES


def _most_values(study: Study) -> int:
    """Return the largest number of values of a monitor in any run."""
    monitors = {slice_.monitor for slice_ in study.axes.slices}
    return max(
        int(np.count_nonzero(run.monitored(monitor).recorded))
        for run in study.runs
        for monitor in monitors
    )


def reasons_for_choice(
    study: Study, pick: Pick, n_monitors: int, *, stops: bool
) -> tuple[Reason, ...]:
    """Return why this patience, and why no promise goes with it where none does.

    It was picked from so many monitors; `stops` tells whether it is better than no
    early stopping.
    """
    n_groups = len(study.panel.groups)
    rank = needed_rank(n_groups, pick.confidence)
    reasons = [*_against_promise(study, pick, rank, n_monitors)]
    if stops:
        reasons = [*_for_patience(study, pick, rank), *reasons]
    else:
        reasons.insert(0, Reason("worse-than-no-stop", {"patience": pick.patience}))
    return tuple(reasons)


def _against_promise(
    study: Study, pick: Pick, rank: int, n_monitors: int
) -> Iterator[Reason]:
    n_groups = len(study.panel.groups)
    if rank > n_groups:
        facts = {
            "confidence": study.confidence,
            "n_monitors": n_monitors,
            "needed": count_needed(pick.confidence),
            "n_groups": n_groups,
        }
        yield Reason("too-few-groups", facts)
    elif pick.unknown:
        facts = {
            "n_unknown": pick.n_unknown,
            "n_groups": n_groups,
            "allowed": n_groups - rank,
        }
        yield Reason("unknown-groups", facts)


def _for_patience(study: Study, pick: Pick, rank: int) -> Iterator[Reason]:
    n_groups, frame = len(study.panel.groups), study.panel.frame
    facts: dict[str, Any] = {"patience": pick.patience}
    if pick.basis == "promise":
        facts |= {"rank": rank, "n_groups": n_groups, "usual": rule_of_thumb(frame)}
    elif pick.basis == "thumb":
        facts |= {"plan": study.part.plan, "n_records": frame.plan}
        facts |= {"untold": not broke_off(frame)}
        if study.part.plan is None:
            facts |= {"n_ends": len({run.horizon for run in study.runs})}
    elif pick.basis == "cut":
        facts |= {"under": frame.floor, **_cut_facts(study)}
    yield Reason(pick.basis, facts)
    if broke_off(frame):
        n_broken = sum(ending.is_broken for ending in study.endings)
        facts = {"n_broken": n_broken, "n_runs": len(study.runs)}
        yield Reason("broke-off", facts)
    if pick.basis == "score" and 1 < pick.patience == frame.floor:
        yield Reason("recorded-under", {"patience": frame.floor, **_cut_facts(study)})
    promised = pick.rank_patience
    if promised is not None and pick.patience < promised:
        facts = {"patience": pick.patience, "promised": promised}
        yield Reason("below-promise", facts)


def _cut_facts(study: Study) -> dict[str, Any]:
    """Return how many runs were ended by their own rule, and whether that is a guess.

    `n_under` are those of them that had the longest patience.
    """
    cut = study.panel.standing.cut
    endings = study.endings
    longest = [ending.own == study.panel.frame.floor for ending in endings]
    guessed = [ending.guessed for ending in endings]
    return {
        "n_cut": int(cut.sum()),
        "n_under": int((cut & np.array(longest)).sum()),
        "n_runs": len(cut),
        "guessed": bool((cut & np.array(guessed)).any()),
    }


def reasons_against_stopping(settings: Sequence[Scored]) -> Iterator[Reason]:
    """Yield that no early stopping scores better than the recommendation, if it does.

    This does not change the choice: it is seen on one set of runs. `settings` are the
    rows of the table: the recommended setting, if any, and its rivals.
    """
    by_label = {row.label: row for row in settings}
    own, unstopped = by_label.get("recommended"), by_label.get("none")
    if own is None or unstopped is None or own.n_groups != unstopped.n_groups:
        return
    if own.score is None or unstopped.score is None or own.score <= unstopped.score:
        return
    facts = {
        "patience": own.parameters["patience"],
        "score": own.score,
        "unstopped": unstopped.score,
    }
    yield Reason("no-stop-better", facts)
