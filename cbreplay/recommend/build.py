"""A setting from many runs, with its evidence, or that there is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.plain_text import shown_value
from cbreplay.recommend.advising import Advising
from cbreplay.recommend.answer import (
    Group,
    LeftOut,
    MonitorScore,
    Promise,
    Recommendation,
)
from cbreplay.recommend.axes import Axes, Slice, read_axes
from cbreplay.recommend.doubts import find_doubts
from cbreplay.recommend.forward import validate_forward
from cbreplay.recommend.monitors import rank_monitors
from cbreplay.recommend.objective import read_tolerance
from cbreplay.recommend.other_rules import RuleScore, score_prechelt
from cbreplay.recommend.pricing import cells_of, price
from cbreplay.recommend.reasons import (
    explain_choice,
    explain_none,
    explain_other_rules,
)
from cbreplay.recommend.rivals import score_rivals, score_without_stopping
from cbreplay.recommend.selection import needed_rank, shared_confidence, unlucky_share
from cbreplay.recommend.study import Study, begin_study, keep_alike
from cbreplay.recommend.validation import USUAL, Choice, Priced, resample_mean
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.run import FloatArray

__all__ = ["recommend_config"]

_MOST_PATIENCE = 2**31


def recommend_config(
    sweep: Sweep,
    *,
    tolerance: str | float | None = None,
    confidence: float = 0.9,
    cost_weight: float = 0.05,
    group_by: str | Sequence[Any] | None = None,
    current: Iterable[Any] | Any | None = None,  # noqa: ANN401 - a callbacks list
    recorded_under: int | None = None,
    prechelt: bool = False,
    excluded: Iterable[tuple[str, str]] = (),
) -> Recommendation:
    """Recommend a patience that holds on runs it was not chosen on, or say why not.

    Parameters
    ----------
    sweep : Sweep
        Every patience on every run, as `sweep_patience` or `sweep_runs` makes it.
    tolerance : float or str, optional
        What a run may lose: in the objective's unit, or ``"1%"`` of its best value.
        By default the spread of the best values between the seeds of its group where
        there are some, else 1 %.
    confidence : float
        On what share of new groups the tolerance shall be kept.
    cost_weight : float
        What training a whole record counts, beside losing the size of the best value.
    group_by : str or sequence, optional
        Which runs count as one; as in `find_groups`.
    current : list of Callback, optional
        The setting in use; by default the EarlyStopping that ``run.json`` names.
    recorded_under : int, optional
        The patience that ended the logs that do not say so themselves.
    prechelt : bool
        Whether to score the rules GL, PQ and UP of Prechelt (1998) too, each at the
        best of the values that he tried.
    excluded : iterable of (str, str)
        Runs that were left out before, and why: part of the answer.

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
    >>> advice.kind, advice.patience, advice.promise.rank
    ('guaranteed', 3, 12)
    """
    given: object = sweep
    if not isinstance(given, Sweep):
        sentence = (
            f"recommend_config takes a Sweep, as sweep_runs returns it, not "
            f"{type(given).__name__}"
        )
        raise ConfigError(sentence)
    if not 0 < confidence < 1 or not 0 <= cost_weight < np.inf:
        sentence = (
            f"confidence is {confidence!r} and cost_weight is {cost_weight!r}, where a "
            "share between 0 and 1, and a number from 0 on, are expected"
        )
        raise ConfigError(sentence)
    if recorded_under is not None and not 1 <= recorded_under <= _MOST_PATIENCE:
        sentence = (
            f"recorded_under is {shown_value(recorded_under)}, where a patience from 1 "
            "on is expected"
        )
        raise ConfigError(sentence)
    if tolerance is not None:
        read_tolerance(tolerance)
    if not sweep.records:
        sentence = (
            "this sweep holds no runs, only what was decided on them, and what was "
            "logged has to be looked at again. Give sweep_runs(load_runs(...), grid)"
        )
        raise ConfigError(sentence)
    axes = read_axes(sweep)
    gone = [*excluded]
    rows = keep_alike(sweep, axes, gone)
    asked = Advising(
        tolerance, confidence, cost_weight, group_by, recorded_under, prechelt
    )
    study = begin_study(sweep, axes, rows, asked)
    in_use = None if current is None else tuple(read_callbacks(current).callbacks)
    return _answer(study, in_use, tuple(gone))


def _answer(
    study: Study,
    current: tuple[Callback, ...] | None,
    gone: tuple[tuple[str, str], ...],
) -> Recommendation:
    axes, panel = study.axes, study.panel
    facts: dict[str, Any] = {
        "monitor": axes.slices[0].monitor,
        "objective": study.objective,
        "objective_mode": study.mode,
        "keep": "best" if axes.fixed.get("restore_best_weights") else "last",
        "confidence": study.asked.confidence,
        "cost_weight": study.asked.cost_weight,
        "tolerance": study.tolerance,
        "unit": study.noun,
        "grouped_by": study.grouping.by,
        "excluded": gone,
    }
    primary = _primary_slices(axes)
    priced = {
        one.monitor: price(
            panel, cells_of(study.sweep, panel.rows, one.columns), axes.patience
        )
        for one in primary
    }
    why_none = explain_none(study.grouping, list(priced.values()))
    if why_none:
        return Recommendation(
            kind="none",
            reasons=why_none,
            groups=_groups(study, priced[facts["monitor"]], None),
            doubts=find_doubts(study, primary[0], None),
            **facts,
        )
    confidence = shared_confidence(study.asked.confidence, len(primary))
    ranking = rank_monitors(list(priced.values()), confidence, study.own.cap)
    chosen, choice = primary[ranking.first], ranking.choices[ranking.first]
    mine = priced[chosen.monitor]
    facts["monitor"] = chosen.monitor
    left_out = score_left_out(mine, choice, *ranking.left_out)
    settings = score_rivals(study, chosen, mine, choice, current)
    told = settings[0].n_groups == len(study.panel.groups)
    stops = choice.kind == "guaranteed" or _beats_no_stopping(study, mine, choice)
    if not stops:
        # what is not recommended stays to be seen, as what it is
        settings = tuple(one for one in settings if one.label != "recommended")
    rules = _other_rules(study, chosen, ranking.left_out[1])
    settings += tuple(one.scored for one in rules if one.scored is not None)
    return Recommendation(
        kind=choice.kind if stops else "none",
        callbacks=axes.build(chosen, patience=choice.patience) if stops else (),
        patience=choice.patience if stops else None,
        reasons=(
            *explain_choice(study, choice, left_out, len(primary), stops=stops),
            *explain_other_rules(rules, choice.patience, study.noun),
        ),
        promise=_promise(mine, choice, study.asked.confidence, len(primary)),
        groups=_groups(study, mine, choice),
        settings=settings,
        left_out=left_out,
        forward=validate_forward(study, mine) if len(primary) == 1 else None,
        monitors=_monitors(primary, priced, ranking.choices),
        told_apart=ranking.told_apart if len(primary) > 1 else None,
        doubts=find_doubts(study, chosen, choice if stops else None),
        unproven=(
            *(() if told else ("mean_regret", "worst_regret")),
            *(("left_out_regret",) if left_out.bounded else ()),
        ),
        **facts,
    )


def _other_rules(
    study: Study, chosen: Slice, beside: FloatArray
) -> tuple[RuleScore, ...]:
    if not study.asked.prechelt:
        return ()
    return tuple(score_prechelt(study, chosen, beside))


def _beats_no_stopping(study: Study, priced: Priced, choice: Choice) -> bool:
    """Return whether a rule of thumb is better than to stop nothing."""
    stopping = priced.look_up(priced.score, choice.left_out)
    apart = stopping - score_without_stopping(study)
    apart = apart[~np.isnan(apart)]
    return not len(apart) or bool(apart.mean() < 0)


def _monitors(
    slices: Sequence[Slice], priced: dict[str, Priced], found: Sequence[Choice]
) -> tuple[MonitorScore, ...]:
    """Return what each of several monitors comes to; nothing for one."""
    if len(slices) == 1:
        return ()
    return tuple(
        MonitorScore(
            one.monitor,
            choice.patience,
            choice.kind,
            int(np.isinf(priced[one.monitor].sufficient).sum()),
            score_left_out(priced[one.monitor], choice),
        )
        for one, choice in zip(slices, found, strict=True)
    )


def _primary_slices(axes: Axes) -> list[Slice]:
    """Return each monitor's slice with the min_delta nearest to Keras's default."""
    first: dict[str, Slice] = {}
    for one in axes.slices:
        first.setdefault(one.monitor, one)
    return list(first.values())


def _promise(
    priced: Priced, choice: Choice, confidence: float, n_monitors: int
) -> Promise | None:
    if choice.rank_patience is None:
        return None
    n_groups = len(priced.sufficient)
    rank = needed_rank(n_groups, shared_confidence(confidence, n_monitors))
    share = unlucky_share(n_groups, rank)
    return Promise(choice.rank_patience, confidence, n_groups, rank, share)


def _groups(study: Study, priced: Priced, choice: Choice | None) -> tuple[Group, ...]:
    regret = (
        np.full(len(priced.sufficient), np.nan)
        if choice is None
        else priced.look_up(priced.regret, choice.left_out)
    )
    return tuple(
        Group(
            name,
            tuple(study.runs[row].name for row in rows),
            tuple(study.panel.tolerance[list(rows)].tolist()),
            int(enough) if np.isfinite(enough) else None,
            None if choice is None else int(choice.left_out[place]),
            None if np.isnan(regret[place]) else float(regret[place]),
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


def score_left_out(
    priced: Priced,
    choice: Choice,
    regret: FloatArray | None = None,
    score: FloatArray | None = None,
) -> LeftOut:
    """Score a choice on the groups that were left out of it.

    Parameters
    ----------
    priced, choice : Priced, Choice
        What was chosen, and from what.
    regret, score : array of shape (n_groups,), optional
        Where the monitor was chosen too, what was lost on each group without it.
    """
    if regret is None or score is None:
        regret = priced.look_up(priced.regret, choice.left_out)
        score = priced.look_up(priced.score, choice.left_out)
    known = ~np.isnan(score)
    if not known.any():
        return LeftOut(None, None, 0, True, None, None, None, None)
    inside = priced.at(priced.regret, choice.patience)
    both = known & ~np.isnan(inside)
    usual = min(USUAL, int(priced.patience[-1]))
    beside = known & ~np.isnan(priced.at(priced.score, usual))
    return LeftOut(
        float(regret[known].mean()),
        float(score[known].mean()),
        int(known.sum()),
        not known.all(),
        _mean(regret[both] - inside[both]),
        resample_mean(regret[known]),
        _mean(priced.at(priced.regret, usual)[beside]),
        _mean(priced.at(priced.score, usual)[beside]),
    )


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if len(values) else None
