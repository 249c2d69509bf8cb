"""What the recommended setting is compared with, and what each of these costs.

These are the promised and the cheapest setting, the setting in use, usual baselines,
the best epoch in hindsight, a later start and other values of min_delta. Rules other
than a patience are in `other_rules`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.generalization.promise import needed_rank, sufficient_for_most
from cbreplay.recommend.choice import Choice, choose_patience
from cbreplay.recommend.scores import cheapest_patience
from cbreplay.rules.families import resolve_semantics
from cbreplay.setting_costs.pricing import CellCosts, Priced, find_failed, group_means
from cbreplay.setting_costs.recorded_ends import recorded_stoppers
from cbreplay.setting_costs.scored import (
    Scored,
    Setting,
    beside_left_out,
    score_setting,
)
from cbreplay.setting_costs.swept_settings import USUAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.setting_costs.study import Study
    from cbreplay.setting_costs.swept_settings import Slice

__all__ = ["score_named", "score_rivals", "score_without_stopping"]

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
    rivals = _Rivals(study, chosen)
    rows = [
        beside_left_out(
            rivals.patience("recommended", choice.patience), priced, choice.left_out
        )
    ]
    if choice.pick.rank_patience is not None:
        promised = rivals.patience("tolerance", choice.pick.rank_patience)
        rows.append(beside_left_out(promised, priced, choice.promised_left_out))
    compared = study._replace(panel=study.compared).price(chosen.columns)
    cheapest, chosen_by = _cheapest(compared), _cheapest(priced)
    if cheapest is not None and chosen_by is not None:
        row = rivals.patience("cheapest", cheapest[0])
        rows.append(beside_left_out(row, priced, chosen_by[1]))
    rows += [
        *rivals.current(current),
        rivals.default(),
        rivals.patience(str(_SHORT), _SHORT),
        rivals.patience(str(USUAL), USUAL),
        rivals.none(),
        rivals.hindsight(),
        *rivals.all_epochs(),
        *rivals.later_start(),
        *rivals.other_min_deltas(),
    ]
    _, expected = choice.pick.expected or (None, {})
    return tuple(_beside_expected(row, expected) for row in rows)


def _cheapest(priced: Priced) -> tuple[int, EpochArray, int] | None:
    """Return the patience that loses and trains least, as in `cheapest_patience`."""
    counted = priced.lost + priced.frame.cost_weight * priced.trained
    return cheapest_patience(priced.patience, counted)


def _beside_expected(scored: Scored, expected: Mapping[int, float]) -> Scored:
    """Return a setting with its expected score, if it is a patience alone."""
    if scored.label == "all" or set(scored.parameters) != {"patience"}:
        return scored
    return scored._replace(expected_score=expected.get(scored.parameters["patience"]))


def score_named(
    study: Study, chosen: Slice, settings: Sequence[Setting]
) -> tuple[Scored, ...]:
    """Score settings that an answer names again, on the groups of this study.

    A later start and another min_delta are left out.
    """
    rivals = _Rivals(study, chosen)
    own = {"none": rivals.none, "hindsight": rivals.hindsight}
    named = [row for row in settings if row.label not in ("start", "min_delta")]
    swept = [setting for setting in named if setting.label not in own]
    if not swept:
        return tuple(own[setting.label]() for setting in named)
    cells = study.cells_beside([setting.callbacks for setting in swept])
    scored = (
        score_setting(study.panel, setting, cells.take(place, 1))
        for place, setting in enumerate(swept)
    )
    return tuple(
        own[setting.label]() if setting.label in own else next(scored)
        for setting in named
    )


class _Rivals:
    """Scores settings beside the recommended one, on the runs of one study."""

    def __init__(self, study: Study, chosen: Slice) -> None:
        self.study, self.chosen = study, chosen
        self.panel, self.sweep = study.compared, study.sweep

    def patience(self, label: str, patience: int, **more: float) -> Scored:
        """Score a patience of the sweep; `more` are parameters that its name shows."""
        setting = self._setting(label, patience=patience, **more)
        return self._of_sweep(setting, self.study.column(self.chosen, patience))

    def default(self) -> Scored:
        """Score the default patience of the rule."""
        patience, column = self.study.axes.defaults["patience"], self.chosen.default
        setting = self._setting("default", patience=patience)
        if column is None:
            return self.replayed(setting)
        return self._of_sweep(setting, column)

    def current(self, given: tuple[Callback, ...] | None) -> Iterator[Scored]:
        """Score the setting in use: as given, else as most ``run.json`` name it."""
        callbacks = given or self._recorded()
        if callbacks is not None:
            yield self.replayed(Setting("current", callbacks, None, {}))

    def replayed(self, setting: Setting) -> Scored:
        """Score a list that the sweep does not hold."""
        cells = self.study.cells_beside([setting.callbacks])
        return score_setting(self.panel, setting, cells)

    def none(self) -> Scored:
        """Score no early stopping: the last weights at the end of the log."""
        setting = Setting("none", (), None, {})
        return score_setting(self.panel, setting, _unstopped(self.study))

    def all_epochs(self) -> Iterator[Scored]:
        """Score training the whole plan and keeping the best epoch.

        Before Keras 3, without a stop, restore_best_weights keeps the last.
        """
        longest = int(self.study.axes.patience[-1])
        recorded = max(run.n_epochs for run in self.study.runs)
        restored = self.study.axes.fixed.get("restore_best_weights") and all(
            resolve_semantics(run.semantics).semantics.restores_without_stop
            for run in self.sweep.runs
        )
        if longest >= recorded and restored:
            cells = self.study.cells(self.chosen.columns[-1:])
            # the longest patience stops in no log: it ends as the recorded training did
            ends = _told_to_its_end(self.study)[:, None] & ~cells.silent
            cells = cells._replace(
                exact=cells.exact | ends,
                # it goes on to the plan, where a failed training may have broken off
                cost=np.where(ends, 1.0, cells.cost),
            )
            setting = self._setting("all", patience=longest)
            yield score_setting(self.panel, setting, cells)

    def hindsight(self) -> Scored:
        """Score stopping each run at its own best epoch, which nobody can know."""
        bests = (np.flatnonzero(own.regrets == 0) for own in self.study.judged)
        epochs = np.array([best[0] + 1 if len(best) else np.nan for best in bests])
        cost = (epochs / self.panel.standing.length)[:, None]
        regret = np.where(np.isnan(cost), np.nan, 0.0)
        exact = np.isfinite(cost) & _told_to_its_end(self.study)[:, None]
        never = np.zeros(cost.shape, bool)
        cells = CellCosts(exact, regret, cost, silent=never, cut=never)
        setting = Setting("hindsight", None, None, {})
        return score_setting(self.panel, setting, cells)

    def later_start(self) -> Iterator[Scored]:
        """Score the best of some later starts, each with its own choice of patience."""
        starts = self._rule_out(self._later_starts())
        if not starts:
            return
        patience = self.study.axes.patience
        cells = self.study.cells_beside(self._grid_of_starts(starts))
        rows = []
        for place, priced in enumerate(self.study.price_parts(cells)):
            enough = sufficient_for_most(priced.sufficient, self.study.confidence)
            if enough is None or not np.isfinite(enough):
                continue
            at = place * len(patience) + int(np.searchsorted(patience, enough))
            setting = self._setting(
                "start", patience=int(enough), start_from_epoch=starts[place]
            )
            rows.append(score_setting(self.panel, setting, cells.take(at, 1)))
        told = [row for row in rows if row.n_groups == len(self.panel.groups)]
        if told:
            yield min(told, key=lambda row: row.score or 0.0)

    def other_min_deltas(self) -> Iterator[Scored]:
        """Score what would be chosen with the other values of min_delta asked about."""
        study = self.study
        for other in study.axes.slices:
            if other.monitor != self.chosen.monitor or other is self.chosen:
                continue
            priced = study.price(other.columns)
            choice = choose_patience(priced, *study.confidences)
            scored = _Rivals(study, other).patience(
                "min_delta", choice.patience, min_delta=other.min_delta
            )
            yield beside_left_out(scored, priced, choice.left_out)

    def _setting(self, label: str, **chosen: Any) -> Setting:  # noqa: ANN401
        """Return the list with some parameters of the rule that has the patience."""
        axes = self.study.axes
        rule = axes.rule(self.chosen, **chosen)
        return Setting(label, axes.around_rule(rule), rule, chosen)

    def _of_sweep(self, setting: Setting, column: int) -> Scored:
        """Score a setting of the sweep."""
        return score_setting(self.panel, setting, self.study.cells(np.array([column])))

    def _recorded(self) -> tuple[Callback, ...] | None:
        """Return the stopping rules that the ``run.json`` of most runs names.

        One run among many says little of what is in use; and that some were recorded
        without a stop, as is advised, says nothing against it.
        """
        named = [recorded_stoppers(run) for run in self.study.runs]
        for rules, often in Counter(tuple(held) for held in named if held).items():
            if 2 * often > len(named):
                return rules
        return None

    def _later_starts(self) -> list[int]:
        """Return the starts to try: none if the sweep has one, or logs are short."""
        runs, axes = self.study.runs, self.study.axes
        if "start_from_epoch" not in axes.defaults or "start_from_epoch" in axes.fixed:
            return []
        shortest = min(run.n_epochs for run in runs)
        first = min(run.first_epoch for run in runs)
        return [first + later for later in _LATER if 2 * later <= shortest]

    def _rule_out(self, starts: list[int]) -> list[int]:
        """Return the starts with which some patience may be enough for enough groups.

        On rounded logs a replay follows thousands of ways (`replay.choices`), and is
        slow. So the groups that tell least are replayed first: a start that leaves more
        of them open than a promise allows is ruled out without the other groups.
        """
        groups = self.study.panel.groups
        n_allowed = len(groups) - needed_rank(len(groups), self.study.confidence)
        if n_allowed < 0 or not starts:
            return []
        columns = np.ix_(self.panel.rows, self.chosen.columns)
        n_open = self.study.sweep.incomplete[columns].sum(axis=1)
        of_group = np.array([n_open[rows].max() for rows in groups])
        least_told = np.argsort(-of_group, kind="stable")[: n_allowed + 1]
        if not of_group[least_told].all():
            return starts
        study = self.study.take_groups(least_told.tolist())
        cells = study.cells_beside(self._grid_of_starts(starts))
        return [
            start
            for start, priced in zip(starts, study.price_parts(cells), strict=True)
            if np.isfinite(priced.sufficient).any()
        ]

    def _grid_of_starts(self, starts: list[int]) -> object:
        axes = self.study.axes
        return axes.grid(
            self.chosen, start_from_epoch=starts, patience=axes.patience.tolist()
        )


def score_without_stopping(study: Study) -> FloatArray:
    """Return each group's score where nothing stops; NaN where that is not known."""
    cells, panel = _unstopped(study), study.panel
    score = cells.regret[:, 0] / panel.scale + panel.frame.cost_weight
    return group_means(np.where(cells.exact[:, 0], score, np.nan), panel.groups)


def _unstopped(study: Study) -> CellCosts:
    """Return what training to the end of the log costs, with its last weights."""
    regret = np.array([[series.regrets[-1]] for series in study.judged])
    regret[find_failed(study.sweep, np.array(study.panel.rows))] = np.inf
    exact = _told_to_its_end(study)[:, None]
    never = np.zeros_like(exact)
    return CellCosts(exact, regret, np.ones_like(regret), silent=never, cut=never)


def _told_to_its_end(study: Study) -> BoolArray:
    """Return which logs tell how a training without early stopping ends.

    Not those that their own rule ended, nor those that broke off before the plan, nor
    those with a hole, where what is lost against the best is only a bound. But those
    that ended in NaN do: more epochs would not bring them back.
    """
    standing = study.panel.standing
    planned = [
        study.part.plan is not None or own.plan is not None for own in study.endings
    ]
    whole = [not series.lacks_values for series in study.judged]
    failed = find_failed(study.sweep, np.array(study.panel.rows))
    ended = standing.ended | ~np.array(planned) | failed
    told: BoolArray = ~standing.cut & ended & np.array(whole)
    return told
