"""Prechelt's stopping rules beside a patience: each at the best value of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.judging import Judging
from cbreplay.recommend.pricing import cells_of, price, score_setting
from cbreplay.recommend.selection import cheapest_patience
from cbreplay.recommend.validation import is_clearly_better
from cbreplay.rules.base import format_callback
from cbreplay.rules.prechelt import PrecheltGL, PrecheltPQ, PrecheltUP
from cbreplay.sweep import sweep_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.recommend.answer import Scored
    from cbreplay.recommend.axes import Slice
    from cbreplay.recommend.pricing import Panel
    from cbreplay.recommend.study import Study
    from cbreplay.rules.base import Callback
    from cbreplay.run import FloatArray
    from cbreplay.sweep import Sweep

__all__ = ["PRECHELT_LABELS", "RuleScore", "score_prechelt", "sweep_beside"]

# the values of Prechelt (1998)
_TRIED: tuple[tuple[type[Any], str, tuple[float, ...]], ...] = (
    (PrecheltGL, "alpha", (1, 2, 3, 5)),
    (PrecheltPQ, "alpha", (0.5, 0.75, 1, 2, 3)),
    (PrecheltUP, "strips", (2, 3, 4, 6, 8)),
)
PRECHELT_LABELS = tuple(rule.__name__ for rule, *_ in _TRIED)


class RuleScore(NamedTuple):
    """A stopping rule of Prechelt's, beside a patience.

    Parameters
    ----------
    rule : str
        Its name.
    scored : Scored or None
        The value with the least score; None where the rule cannot be compared.
    problem : str or None
        Why it cannot.
    better : bool
        Whether, chosen without a group, it is clearly better there than the patience.
    """

    rule: str
    scored: Scored | None
    problem: str | None = None
    better: bool = False


def score_prechelt(
    study: Study, chosen: Slice, beside: FloatArray
) -> Iterator[RuleScore]:
    """Yield what GL, PQ and UP come to, each at its best value.

    Parameters
    ----------
    study, chosen : Study, Slice
        The runs, and the monitor that is stopped on.
    beside : array of shape (n_groups,)
        What the recommended patience scores on each group, chosen without it.
    """
    before, after = study.axes.around
    # a rule that stopped inside a record is exact, whatever ended that later
    panel = study.panel._replace(own_patience=np.full(len(study.runs), np.inf))
    for rule, parameter, values in _TRIED:
        own = {
            "monitor": chosen.monitor,
            "mode": study.axes.fixed.get("mode", "auto"),
            "restore_best_weights": study.axes.fixed.get("restore_best_weights", False),
        }
        try:
            rules = [rule(**own, **{parameter: value}) for value in values]
            sweep = sweep_beside(study, [[*before, one, *after] for one in rules])
        except CbreplayError as error:
            problem = str(error).removeprefix(f"{rule.__name__}: ").removesuffix(".")
            yield RuleScore(rule.__name__, None, problem)
        else:
            yield _best(panel, sweep, rules, beside)


def _best(
    panel: Panel, sweep: Sweep, rules: list[Callback], beside: FloatArray
) -> RuleScore:
    places, rows = np.arange(len(rules)), np.arange(len(panel.rows))
    cells = cells_of(sweep, rows, places)
    priced = price(panel, cells, places)
    label = type(rules[0]).__name__
    found = cheapest_patience(places, priced.score)
    if found is None:
        return RuleScore(label, None, "too few logs tell what it would have kept")
    place, left_out, _ = found
    regret = priced.look_up(priced.regret, left_out)
    score = priced.look_up(priced.score, left_out)
    known = ~np.isnan(score)
    scored = score_setting(
        panel, label, format_callback(rules[place]), cells.take(place, 1)
    )
    if known.any():
        scored = scored._replace(
            left_out_regret=float(regret[known].mean()),
            left_out_score=float(score[known].mean()),
        )
    return RuleScore(label, scored, better=is_clearly_better(score, beside))


def sweep_beside(study: Study, configs: object) -> Sweep:
    """Sweep other settings on the runs that count, judged by the same series."""
    judging = study.sweep.judging or Judging()
    judging = judging._replace(objective=study.objective, objective_mode=study.mode)
    return sweep_runs(study.runs, configs, judging=judging)
