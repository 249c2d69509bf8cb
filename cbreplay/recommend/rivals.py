"""The recommended setting beside the two answers, the baselines and other axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay.expressions import parse_recorded
from cbreplay.grid import choices, make_grid
from cbreplay.recommend.other_rules import PRECHELT_LABELS, sweep_beside
from cbreplay.recommend.pricing import (
    Cells,
    cells_of,
    group_means,
    price,
    score_setting,
)
from cbreplay.recommend.records import recorded_stoppers
from cbreplay.recommend.selection import cheapest_patience, sufficient_for_most
from cbreplay.recommend.validation import USUAL, choose_patience
from cbreplay.rules.base import format_callback
from cbreplay.rules.keras.early_stopping import EarlyStopping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.recommend.answer import Recommendation, Scored
    from cbreplay.recommend.axes import Slice
    from cbreplay.recommend.study import Study
    from cbreplay.recommend.validation import Choice, Priced
    from cbreplay.rules.base import Callback
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "score_named",
    "score_rivals",
    "score_without_stopping",
]

_SHORT = 5
_LATER = (5, 10, 20, 30, 50)


def score_rivals(
    study: Study,
    chosen: Slice,
    priced: Priced,
    choice: Choice,
    current: tuple[Callback, ...] | None,
) -> tuple[Scored, ...]:
    """Score the recommended setting and everything that it is to be compared with."""
    rivals = _Rivals(study, chosen, priced)
    rows = [rivals.patience("recommended", choice.patience, choice.left_out)]
    if not choice.unknown:
        rows.append(
            rivals.patience("tolerance", choice.sufficient, choice.tuned_left_out)
        )
    cheapest = cheapest_patience(priced.patience, priced.score)
    if cheapest is not None:
        rows.append(rivals.patience("cheapest", cheapest[0], cheapest[1]))
    rows += rivals.current(current)
    rows += [
        rivals.patience("default", 1),
        rivals.patience(str(_SHORT), _SHORT),
        rivals.patience(str(USUAL), USUAL),
        rivals.none(),
        rivals.hindsight(),
        *rivals.later_start(),
        *rivals.other_min_deltas(),
    ]
    return tuple(rows)


def score_named(
    study: Study,
    chosen: Slice,
    advice: Recommendation,
    current: tuple[Callback, ...] | None,
) -> tuple[Scored, ...]:
    """Score the settings that an answer names again, on some of its groups."""
    rivals = _Rivals(study, chosen, None)
    rows: list[Scored] = []
    for one in advice.settings:
        if one.label == "current":
            rows += rivals.current(current)
        elif one.label == "none":
            rows.append(rivals.none())
        elif one.label == "hindsight":
            rows.append(rivals.hindsight())
        elif one.label in PRECHELT_LABELS:
            rows.append(rivals.named(one))
        elif one.label == "default":
            rows.append(rivals.patience("default", 1))
        elif one.setting.removeprefix("patience=").isdecimal():
            patience = int(one.setting.removeprefix("patience="))
            rows.append(rivals.patience(one.label, patience))
    return tuple(rows)


class _Rivals:
    """Settings under scoring."""

    def __init__(self, study: Study, chosen: Slice, priced: Priced | None) -> None:
        self.study, self.chosen, self.priced = study, chosen, priced
        self.panel, self.sweep = study.panel, study.sweep

    def patience(
        self, label: str, patience: int, left_out: EpochArray | None = None
    ) -> Scored:
        """Score a patience of the sweep, and its choice on groups left out."""
        at = np.searchsorted(self.study.axes.patience, patience)
        cells = cells_of(self.sweep, self.panel.rows, self.chosen.columns[[at]])
        exact = cells.exact & (patience <= self.panel.own_patience[:, None])
        setting = f"patience={0 if label == 'default' else patience}"
        scored = score_setting(self.panel, label, setting, cells._replace(exact=exact))
        if left_out is None or self.priced is None:
            return scored
        regret = self.priced.look_up(self.priced.regret, left_out)
        score = self.priced.look_up(self.priced.score, left_out)
        known = ~np.isnan(score)
        if not known.any():
            return scored
        return scored._replace(
            left_out_regret=float(regret[known].mean()),
            left_out_score=float(score[known].mean()),
        )

    def current(self, given: tuple[Callback, ...] | None) -> Iterator[Scored]:
        """Score the setting in use: as given, else as every ``run.json`` names it."""
        setting = given or self._recorded()
        if setting is not None:
            cells = self._replayed([setting])
            yield score_setting(self.panel, "current", _written(setting), cells)

    def named(self, scored: Scored) -> Scored:
        """Score a setting again that was scored before."""
        before, after = self.study.axes.around
        (rule,) = parse_recorded([scored.setting])
        cells = self._replayed([[*before, rule, *after]])
        return score_setting(self.panel, scored.label, scored.setting, cells)

    def _recorded(self) -> tuple[Callback, ...] | None:
        named = [recorded_stoppers(run) for run in self.study.runs]
        known = [tuple(one) for one in named if one is not None]
        if not known or not known[0] or len(set(known)) > 1:
            return None
        return known[0]

    def _replayed(self, configs: object) -> Cells:
        """Replay other settings on the runs, judged by the same series."""
        sweep = sweep_beside(self.study, configs)
        columns = np.arange(len(sweep.configs))
        return cells_of(sweep, np.arange(len(self.panel.rows)), columns)

    def none(self) -> Scored:
        """Score training to the end of the log, and keeping its last weights."""
        return score_setting(
            self.panel, "none", "no EarlyStopping", _unstopped(self.study)
        )

    def hindsight(self) -> Scored:
        """Score stopping each run at its own best epoch, which nobody can know."""
        costs = []
        for row in self.panel.rows:
            judged, run = self.sweep.runs[row].judged[0], self.sweep.runs[row]
            best = np.flatnonzero(judged.regrets == 0)
            costs.append((best[0] + 1) / run.n_epochs if len(best) else np.nan)
        cost = np.array(costs)[:, None]
        cells = Cells(np.isfinite(cost), np.where(np.isnan(cost), np.nan, 0.0), cost)
        return score_setting(
            self.panel, "hindsight", "the best epoch in hindsight", cells
        )

    def later_start(self) -> Iterator[Scored]:
        """Score the best of some later starts, each with its own choice of patience."""
        axes, asked = self.study.axes, self.study.asked
        shortest = min(run.n_epochs for run in self.study.runs)
        first = min(run.first_epoch for run in self.study.runs)
        starts = [first + later for later in _LATER if 2 * later <= shortest]
        if "start_from_epoch" in axes.fixed or not starts:
            return
        own = {"monitor": self.chosen.monitor, "min_delta": self.chosen.min_delta}
        varied = choices(
            EarlyStopping,
            **axes.fixed | own,
            start_from_epoch=starts,
            patience=axes.patience.tolist(),
        )
        before, after = axes.around
        cells = self._replayed(make_grid([*before, varied, *after]))
        found = []
        for place, start in enumerate(starts):
            mine = cells.take(place * len(axes.patience), len(axes.patience))
            priced = price(self.panel, mine, axes.patience)
            patience = sufficient_for_most(priced.sufficient, asked.confidence)
            if patience is None or not np.isfinite(patience):
                continue
            at = int(np.searchsorted(axes.patience, patience))
            setting = f"patience={int(patience)}, start_from_epoch={start}"
            found.append(score_setting(self.panel, "start", setting, mine.take(at, 1)))
        told = [one for one in found if one.n_groups == len(self.panel.groups)]
        if told:
            yield min(told, key=lambda one: one.score or 0.0)

    def other_min_deltas(self) -> Iterator[Scored]:
        """Score what would be chosen with the other values of min_delta asked about."""
        study = self.study
        for one in study.axes.slices:
            if one.monitor != self.chosen.monitor or one is self.chosen:
                continue
            cells = cells_of(self.sweep, self.panel.rows, one.columns)
            priced = price(self.panel, cells, study.axes.patience)
            choice = choose_patience(priced, study.asked.confidence, study.own.cap)
            rivals = _Rivals(study, one, priced)
            row = rivals.patience("min_delta", choice.patience, choice.left_out)
            setting = f"patience={choice.patience}, min_delta={one.min_delta:g}"
            yield row._replace(setting=setting)


def score_without_stopping(study: Study) -> FloatArray:
    """Return each group's score where nothing stops; NaN where that is not known."""
    cells, panel = _unstopped(study), study.panel
    score = cells.regret[:, 0] / panel.scale + panel.cost_weight
    return group_means(np.where(cells.exact[:, 0], score, np.nan), panel.groups)


def _unstopped(study: Study) -> Cells:
    """Return what training to the end of the log costs, with its last weights."""
    judged = [study.sweep.runs[row].judged[0] for row in study.panel.rows]
    regret = np.array([[one.regrets[-1]] for one in judged])
    # where an EarlyStopping ended it, nobody knows how it would have gone on
    exact = np.isinf(study.panel.own_patience)[:, None]
    return Cells(exact, regret, np.ones_like(regret))


def _written(setting: tuple[Callback, ...]) -> str:
    return ", ".join(format_callback(one) for one in setting)
