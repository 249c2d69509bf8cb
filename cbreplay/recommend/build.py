"""`recommend_config`: a setting from many runs, with its evidence, or why none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import checked, shown_value
from cbreplay.errors import ConfigError
from cbreplay.evidence.training_course import never_changes
from cbreplay.generalization.promise import (
    Promise,
    check_confidence,
    needed_rank,
    unlucky_share,
)
from cbreplay.recommend.answer import (
    ComparedGroups,
    CountedGroup,
    MonitorScore,
    Plan,
    PlanAdvice,
    Recommendation,
    WeightAdvice,
)
from cbreplay.recommend.choice import (
    Choice,
    Pick,
    choose_patience,
    pick_by_weight,
    pick_patience,
)
from cbreplay.recommend.decision import Decided, decide, expect_next
from cbreplay.recommend.doubts import find_doubts
from cbreplay.recommend.held_out import score_left_out, validate_forward
from cbreplay.recommend.other_rules import reasons_of_rules, score_rules
from cbreplay.recommend.reasons import (
    reasons_against_stopping,
    reasons_for_choice,
    reasons_for_none,
    too_short,
)
from cbreplay.recommend.rivals import score_rivals
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.setting_costs.study import Advising, Study, begin_studies
from cbreplay.setting_costs.tolerance import read_tolerance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.setting_costs.pricing import Priced
    from cbreplay.setting_costs.recorded_ends import PlanPart
    from cbreplay.setting_costs.scored import Scored
    from cbreplay.setting_costs.swept_settings import Excluded, Reason, Slice
    from cbreplay.sweep import Sweep

__all__ = ["recommend_config"]

_MOST_PATIENCE = 2**31
_WEIGHTS = (0.01, 0.05, 0.2)


@checked
def recommend_config(
    sweep: Sweep,
    *,
    tolerance: str | float | None = None,
    confidence: float | None = None,
    cost_weight: float = 0.05,
    group_by: str | Sequence[Any] | None = None,
    current: Iterable[Any] | Any | None = None,  # noqa: ANN401 - a callbacks list
    recorded_under: int | None = None,
    prechelt: bool = False,
    beyond_patience: bool = False,
    excluded: Iterable[Excluded] = (),
) -> Recommendation:
    """Recommend a patience that holds on runs it was not chosen on, or say why not.

    Parameters
    ----------
    sweep : Sweep
        Every patience on every run, as `sweep_patience` or `sweep_runs` makes it.
    tolerance : float or str, optional
        What a run may lose: in the objective's unit, or ``"1%"`` of its best value.
        By default 1 %, or the spread of the best values between the seeds of its group
        where that is less.
    confidence : float, optional
        The share of new groups on which the tolerance shall be kept; by default .9, or
        .8 where there are too few groups for that.
    cost_weight : float
        The weight of training the whole plan, where losing as much as the size of the
        best value counts 1.
    group_by : str or sequence, optional
        Which runs count as one; as in `find_groups`.
    current : list of Callback, optional
        The setting in use; by default the EarlyStopping that ``run.json`` names for
        most of the runs.
    recorded_under : int, optional
        The patience that ended the logs which do not tell their own.
    prechelt : bool
        Whether to score the rules GL, PQ and UP of Prechelt (1998) too, each at the
        best of the values that he tried.
    beyond_patience : bool
        Whether to score, too, patience on a smoothed monitor, a target value, and a
        patience or a target, whichever asks first; each at the best of some values.
    excluded : iterable of Excluded
        Runs that were left out before, as `sweep_patience` returns them: part of the
        answer.

    Raises
    ------
    ConfigError
        If an option is not possible, or the sweep does not hold a patience axis.

    Examples
    --------
    >>> from cbreplay import Run
    >>> from cbreplay.recommend import recommend_config, sweep_patience
    >>> curve = [0.9, 0.6, 0.5, 0.52, 0.51, 0.4, 0.45, 0.46, 0.47, 0.48]
    >>> runs = [
    ...     Run.from_logs(
    ...         ({"val_loss": loss * size} for loss in curve),
    ...         name=f"run{size}",
    ...         planned_epochs=10,
    ...     )
    ...     for size in range(1, 13)
    ... ]
    >>> sweep, _ = sweep_patience(runs, semantics="keras-3.15")
    >>> advice = recommend_config(sweep)
    >>> advice.kind, advice.promise.patience, advice.promise.rank
    ('guaranteed', 3, 12)

    Patience 3 keeps the best epoch of all twelve. What it lost on other curves, which
    counts beside so few of them, makes 4 the better choice.

    >>> advice.patience
    4
    """
    asked = Advising(
        tolerance,
        confidence,
        cost_weight,
        group_by,
        recorded_under,
        prechelt,
        beyond_patience,
    )
    _check(sweep, asked)
    (study, *others), gone = begin_studies(sweep, asked, excluded)
    in_use = None if current is None else tuple(read_callbacks(current).callbacks)
    slices = study.axes.of_each_monitor()
    priced = [study.price(slice_.columns) for slice_ in slices]
    why_none = reasons_for_none(study, priced)
    if why_none:
        found = _findings_of_none(study, slices[0], priced[0], why_none)
        if why_none[0].kind in ("one-group", "one-training"):
            found["settings"] = _compare_only(study, slices[0], priced[0], in_use)
        return Recommendation(**found, **_frame(study, gone))
    decided = decide(study, slices, priced)
    plans = tuple(_advise_plan(other, decided.chosen) for other in others)
    found = _findings(study, decided, in_use)
    return Recommendation(plans=plans, **found, **_frame(study, gone))


def _check(sweep: Sweep, asked: Advising) -> None:
    """Raise ConfigError if the sweep or an option allows no recommendation."""
    if asked.confidence is not None:
        check_confidence(asked.confidence)
    if not 0 <= asked.cost_weight < np.inf:
        sentence = (
            f"cost_weight is {shown_value(asked.cost_weight)}, where a number from 0 "
            "on is expected"
        )
        raise ConfigError(sentence)
    recorded_under = asked.recorded_under
    if recorded_under is not None and not 1 <= recorded_under <= _MOST_PATIENCE:
        sentence = (
            f"recorded_under is {shown_value(recorded_under)}, where a patience from 1 "
            "on is expected"
        )
        raise ConfigError(sentence)
    if asked.tolerance is not None:
        read_tolerance(asked.tolerance)
    if not sweep.records:
        sentence = (
            "this sweep holds no runs, only what was decided on them, and what was "
            "logged has to be looked at again. Give sweep_runs(load_runs(...), grid)"
        )
        raise ConfigError(sentence)


def _advise_plan(study: Study, chosen: Slice) -> PlanAdvice:
    """Return what is recommended for the runs of another plan, and how sure it is."""
    priced = study.price(chosen.columns)
    n_groups = len(priced.sufficient)
    pick = pick_patience(priced, study.confidences[0])
    told = n_groups > 1 and not too_short(study)
    return PlanAdvice(
        _plan_of(study.part),
        n_groups,
        study.unit,
        pick.patience if told else None,
        _promise(study, priced, pick) if told else None,
    )


def _frame(study: Study, gone: Sequence[Excluded]) -> dict[str, Any]:
    """Return the fields of an answer that are known before anything is chosen."""
    return {
        "objective": study.objective,
        "objective_mode": study.mode,
        "keep": "best" if study.axes.fixed.get("restore_best_weights") else "last",
        "confidence": study.confidence,
        "cost_weight": study.asked.cost_weight,
        "tolerance": study.tolerance,
        "plan": None if study.part.plan is None else _plan_of(study.part),
        "unit": study.unit,
        "grouped_by": study.grouping.by,
        "compared": ComparedGroups(study.compared_unit, len(study.compared.groups)),
        "excluded": tuple(gone),
    }


def _findings_of_none(
    study: Study, first: Slice, priced: Priced, reasons: tuple[Reason, ...]
) -> dict[str, Any]:
    """Return the results where nothing can be recommended, as in `Recommendation`."""
    return {
        "kind": "none",
        "monitor": first.monitor,
        "reasons": reasons,
        "groups": _counted_groups(study, first, priced, None),
        "doubts": find_doubts(study, first, None),
    }


def _compare_only(
    study: Study, first: Slice, priced: Priced, current: tuple[Callback, ...] | None
) -> tuple[Scored, ...]:
    """Return what settings cost on the runs of one group, which choose nothing."""
    choice = choose_patience(priced, *study.confidences)
    return tuple(
        scored._replace(expected_score=None, left_out_regret=None, left_out_score=None)
        for scored in score_rivals(study, first, priced, choice, current)
        if scored.label not in ("recommended", "tolerance", "start", "min_delta")
    )


def _findings(
    study: Study, decided: Decided, current: tuple[Callback, ...] | None
) -> dict[str, Any]:
    """Return the results, by the names of the fields of `Recommendation`."""
    chosen, choice, left_out = decided.chosen, decided.choice, decided.left_out
    n_monitors = len(decided.slices)
    settings = score_rivals(study, chosen, decided.priced, choice, current)
    told = settings[0].n_groups == len(study.compared.groups)
    rules = [*score_rules(study, chosen, decided.priced, decided.score_without)]
    stops = decided.stops
    if not stops:
        # a row of the same setting as the cheapest or a usual patience stays
        settings = tuple(row for row in settings if row.label != "recommended")
    rule = study.axes.rule(chosen, patience=choice.patience)
    return {
        "kind": choice.pick.kind if stops else "none",
        "monitor": chosen.monitor,
        "callbacks": study.axes.around_rule(rule) if stops else (),
        "patience": choice.patience if stops else None,
        "reasons": (
            *reasons_against_stopping(settings),
            *reasons_for_choice(study, choice.pick, n_monitors, stops=stops),
            *reasons_of_rules(rules, choice.patience),
        ),
        "promise": _promise(study, decided.priced, choice.pick),
        "basis": choice.pick.basis if stops else None,
        "by_weight": (*_by_weight(decided.priced),),
        "expected": expect_next(study, decided, choice.pick) if stops else None,
        "groups": _counted_groups(study, chosen, decided.priced, choice),
        "settings": (*settings, *(tried.scored for tried in rules if tried.scored)),
        "left_out": left_out,
        # with several, the oldest groups would have to choose the monitor too
        "forward": validate_forward(study, decided.priced) if n_monitors == 1 else None,
        "monitors": _monitor_scores(decided),
        "told_apart": decided.told_apart if n_monitors > 1 else None,
        "doubts": find_doubts(study, chosen, choice if stops else None),
        "unproven": (
            *(() if told else ("mean_regret", "worst_regret")),
            *(("left_out_regret",) if left_out.bounded else ()),
        ),
    }


def _monitor_scores(decided: Decided) -> tuple[MonitorScore, ...]:
    """Return what each of several monitors comes to; nothing for one."""
    if len(decided.slices) == 1:
        return ()
    return tuple(
        MonitorScore(
            slice_.monitor,
            choice.patience,
            choice.pick.kind,
            int(np.isinf(costs.sufficient).sum()),
            score_left_out(costs, choice),
        )
        for slice_, costs, choice in zip(
            decided.slices, decided.costs, decided.choices, strict=True
        )
    )


def _promise(study: Study, priced: Priced, pick: Pick) -> Promise | None:
    """Return what is promised of new groups; None where nothing is."""
    if pick.rank_patience is None:
        return None
    n_groups = len(priced.sufficient)
    rank = needed_rank(n_groups, pick.confidence)
    told = ~np.isnan(priced.at(priced.regret, pick.patience))
    return Promise(
        pick.rank_patience,
        study.confidence,
        n_groups,
        rank,
        unlucky_share(n_groups, rank),
        int((told & (priced.sufficient <= pick.patience)).sum()),
    )


def _plan_of(part: PlanPart) -> Plan:
    """Return the plan of a part that has one."""
    if part.plan is None:
        message = "runs of one plan have a plan"
        raise AssertionError(message)
    return Plan(part.plan, part.inferred, part.n_reached)


def _by_weight(priced: Priced) -> Iterator[WeightAdvice]:
    """Yield the patience with the least score for other weights of training."""
    for weight in _WEIGHTS:
        patience = pick_by_weight(priced, weight)
        if patience is not None:
            yield WeightAdvice(weight, patience)


def _counted_groups(
    study: Study, chosen: Slice, priced: Priced, choice: Choice | None
) -> tuple[CountedGroup, ...]:
    """Return every group: what is enough on it, and what is chosen without it."""
    regret = (
        np.full(len(priced.sufficient), np.nan)
        if choice is None
        else priced.look_up(priced.regret, choice.left_out)
    )
    return tuple(
        CountedGroup(
            name,
            tuple(study.runs[row].name for row in rows),
            tuple(study.panel.tolerance[list(rows)].tolist()),
            int(enough) if np.isfinite(enough) else None,
            None if choice is None else int(choice.left_out[place]),
            None if np.isnan(regret[place]) else float(regret[place]),
            tuple(
                study.runs[row].name
                for row in rows
                if never_changes(study.runs[row], chosen.monitor)
            ),
        )
        for place, (name, rows, enough) in enumerate(
            zip(
                study.grouping.names,
                study.grouping.rows,
                priced.sufficient.tolist(),
                strict=True,
            )
        )
    )
