"""Doubts about a recommendation, and the runs that they are about: codes with facts.

``answers/advice/`` writes them as sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.evidence.holes import gap_cause
from cbreplay.evidence.training_course import (
    cuts_schedule,
    find_rounded_tie,
    improves_after,
    never_changes,
    was_still_improving,
)
from cbreplay.recommend.answer import RunDoubt
from cbreplay.rules.families import resolve_semantics
from cbreplay.rules.training import describe_training
from cbreplay.series_names import validation_metrics
from cbreplay.setting_costs.pricing import find_failed, price
from cbreplay.setting_costs.recorded_ends import (
    FailedTraining,
    find_failure,
    usual_cadence,
)
from cbreplay.setting_costs.tolerance import measure_scale
from cbreplay.sweep import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.recommend.choice import Choice
    from cbreplay.run import BoolArray, FloatArray, Run
    from cbreplay.setting_costs.study import Study
    from cbreplay.setting_costs.swept_settings import Slice

__all__ = ["find_doubts"]

# if fewer runs than this share are trained without early stopping, a patience that is
# recommended, used and chosen again gets shorter each time
_SHARE_UNCUT = 0.2
# runs of one setting differ by less; a share of 1 and one of 100 %, or losses of two
# data sets, by more; sentences name it
_OTHER_SCALE = 30


def find_doubts(
    study: Study, chosen: Slice, choice: Choice | None
) -> tuple[RunDoubt, ...]:
    """Return the doubts about an answer, the gravest first."""
    patience = None if choice is None else choice.patience
    # a run that ended by its plan or in NaN is not censored: nothing was to follow
    ended = study.panel.standing.ended | find_failed(study.sweep, study.panel.rows)
    censored = _where_evidence(study, chosen, patience, "censored") & ~ended
    return (
        *(() if choice is None else _about_choice(study, chosen, choice, censored)),
        *_doubt("branch", (study.runs[row] for row in study.grouping.joined)),
        *_other_scales(study),
        *_wide_tolerance(study),
        *_rounded(study),
        *_holes(study),
        *_unknown(study, chosen),
        *_improving(study),
        *_own_stops(study, patience, censored),
        *_not_recorded_under(study),
        *_failed(study),
    )


def _where_evidence(
    study: Study, chosen: Slice, patience: int | None, kind: str
) -> BoolArray:
    """Return which runs are evidence of a kind for a patience; none without one."""
    if patience is None:
        return np.zeros(len(study.runs), bool)
    column = study.column(chosen, patience)
    found: BoolArray = study.sweep.evidence[study.panel.rows, column] == EVIDENCE.index(
        kind
    )
    return found


def _about_choice(
    study: Study, chosen: Slice, choice: Choice, censored: BoolArray
) -> Iterator[RunDoubt]:
    patience = choice.patience
    rows, column = study.panel.rows, study.column(chosen, patience)
    # `_own_stops` speaks of the runs that their own rule ended
    untold = censored & ~study.panel.standing.cut
    yield from _doubt("censored", _where(study, untold), patience=patience)
    parted = _where_evidence(study, chosen, patience, "diverged")
    yield from _doubt("diverged", _where(study, parted), patience=patience)
    stops = study.sweep.stopped[rows, column]
    epochs = study.sweep.stopped_epoch[rows, column].tolist()
    scheduled = (
        run
        for run, stop, epoch in zip(study.runs, stops, epochs, strict=True)
        if stop and cuts_schedule(run, epoch)
    )
    yield from _doubt("scheduled-rate", scheduled, patience=patience)
    alone = np.flatnonzero(choice.left_out != patience)
    if len(alone) == 1 and len(choice.left_out) > 1:
        (group,) = alone
        without = {"patience": int(choice.left_out[group])}
        names = (study.grouping.names[group],)
        yield RunDoubt("one-group-decides", names, without)
    exact = _where_evidence(study, chosen, patience, "exact")
    exact |= _where_evidence(study, chosen, patience, "censored") & ~censored
    yield from _other_metrics(study, np.where(exact, column, -1))


def _where(study: Study, marked: BoolArray) -> Iterator[Run]:
    """Yield the runs that are marked."""
    return (run for run, is_it in zip(study.runs, marked, strict=True) if is_it)


def _other_scales(study: Study) -> Iterator[RunDoubt]:
    """Name the runs whose best value is of quite another size than that of most."""
    # NaN, which no comparison takes, of a run without a finite value
    sizes = np.abs([measure_scale(series).best for series in study.judged])
    known = np.sort(sizes[sizes > 0])
    if not len(known):
        return
    usual = known[(len(known) - 1) // 2]
    apart = (sizes >= _OTHER_SCALE * usual) | (sizes <= usual / _OTHER_SCALE)
    yield from _doubt(
        "other-scale",
        _where(study, apart & (sizes > 0)),
        series=study.objective,
        least=float(known[0]),
        most=float(known[-1]),
        times=_OTHER_SCALE,
    )


def _wide_tolerance(study: Study) -> Iterator[RunDoubt]:
    """Name the runs of which no epoch is worse than the best by more than allowed."""
    spans = np.array([_span(run, study.objective) for run in study.runs])
    wide = (spans > 0) & (spans <= study.panel.tolerance)
    yield from _doubt("wide-tolerance", _where(study, wide), series=study.objective)


def _span(run: Run, name: str) -> float:
    """Return how far a run's values lie apart; 0 where one is no number, or none is."""
    series = run.series.get(name)
    values = [] if series is None else series.values[series.recorded].tolist()
    return max(values) - min(values) if values and np.isfinite(values).all() else 0.0


def _rounded(study: Study) -> Iterator[RunDoubt]:
    """Name the runs whose best loss stands in several epochs, maybe by rounding."""
    name = study.objective

    def decimals_of(run: Run) -> int | None:
        tie = find_rounded_tie(run, name, study.mode)
        return None if tie is None else tie[1]

    for decimals, runs in sorted(by_key(study.runs, decimals_of).items()):
        yield from _doubt("rounded", runs, series=name, decimals=decimals)


def _holes(study: Study) -> Iterator[RunDoubt]:
    """Name the runs with incomplete cells, and from which epoch on these are."""
    sweep = study.sweep
    lacking = [
        (run, int(sweep.gap_epoch[row][sweep.incomplete[row]].min()))
        for run, row in zip(study.runs, study.panel.rows, strict=True)
        if sweep.incomplete[row].any()
    ]
    for cause, found in by_key(lacking, lambda own: gap_cause(*own)).items():
        runs, epochs = zip(*found, strict=True)
        yield from _doubt("gap", runs, cause=cause, gap_epoch=epochs)


def _unknown(study: Study, chosen: Slice) -> Iterator[RunDoubt]:
    """Name the runs on which no patience is known to be enough.

    Runs on which the monitor never changes are named apart. Runs that failed, and those
    that their own stopping rule ended, are left to `_failed` and `_own_stops`.
    """
    panel, patience = study.panel, study.axes.patience
    cells = study.cells(chosen.columns)
    alone = panel._replace(groups=tuple(np.arange(len(panel.rows))[:, None]))
    unknown = np.isinf(price(alone, cells, patience).sufficient)
    plan = study.part.plan if study.part.inferred else None
    causes: dict[str | None, list[Run]] = {}
    for run, is_unknown, cut in zip(
        study.runs, unknown, panel.standing.cut, strict=True
    ):
        constant = chosen.monitor if never_changes(run, chosen.monitor) else None
        failure = find_failure(run, chosen.monitor)
        # one that was ended early may have been fine
        failed = failure is not None and failure.how in ("not-finite", "error")
        if is_unknown and (constant or not (failed or cut)):
            causes.setdefault(constant, []).append(run)
    for constant, runs in causes.items():
        yield from _doubt("unknown", runs, plan=plan, constant=constant)


def _other_metrics(study: Study, columns: FloatArray) -> Iterator[RunDoubt]:
    """Name the metrics that still improve clearly after the weights are kept."""
    improving: dict[str, list[Run]] = {}
    for run, row, column in zip(
        study.runs, study.panel.rows.tolist(), columns.tolist(), strict=True
    ):
        if column < 0 or not study.sweep.kept[row, column]:
            continue
        kept = int(study.sweep.kept_epoch[row, column]) - run.first_epoch
        for name in _still_improving(study, row, kept):
            improving.setdefault(name, []).append(run)
    for name, runs in improving.items():
        yield from _doubt("other-metric", runs, series=name)


def _still_improving(study: Study, row: int, kept: int) -> Iterator[str]:
    """Yield the metrics of a run that still improve after a position in its log."""
    run = study.sweep.records[row]
    resolved = resolve_semantics(study.sweep.runs[row].semantics)
    training = describe_training(run, resolved.semantics, resolved.family)
    for name in validation_metrics(run.series):
        series, mode = run.series[name], training.tell_direction(name)
        if mode is None or name == study.objective:
            continue
        if improves_after(series.values if mode == "min" else -series.values, kept):
            yield name


def _improving(study: Study) -> Iterator[RunDoubt]:
    improving = (
        run
        for run in study.runs
        if was_still_improving(run, study.objective, study.mode)
    )
    yield from _doubt("still-improving", improving)


def _failed(study: Study) -> Iterator[RunDoubt]:
    """Name the runs that failed, by how they did."""
    runs = study.runs
    failed: dict[FailedTraining, list[Run]] = {}
    for run, was_cut in zip(runs, study.panel.standing.cut.tolist(), strict=True):
        failure = find_failure(run, study.axes.slices[0].monitor)
        # a run that its own rule ended did not fail, though it ended before its plan
        if failure is not None and not (was_cut and failure.how == "before-plan"):
            failed.setdefault(failure, []).append(run)
    counts = {"n_failed": sum(map(len, failed.values())), "n_runs": len(runs)}
    for failure, named in failed.items():
        yield from _doubt("failed", named, **failure._asdict(), **counts)


def _own_stops(
    study: Study, patience: int | None, censored: BoolArray
) -> Iterator[RunDoubt]:
    """Name the runs that their own stopping rule ended, and what they leave unknown.

    Their logs do not tell what a longer patience would have done, and so not which one
    is enough; `n_untold` of them do not tell what the chosen one (`untold`) does.
    """
    endings = study.endings
    cut = study.panel.standing.cut.tolist()
    few_uncut = cut.count(False) < _SHARE_UNCUT * len(cut)
    for code, is_guess in (("own-stop", False), ("own-stop-guessed", True)):
        rows = [
            row
            for row, was_cut in enumerate(cut)
            if was_cut and endings[row].guessed == is_guess
        ]
        under = sorted({endings[row].own or 1 for row in rows})
        runs = [study.runs[row] for row in rows]
        # where all runs end at one epoch, that may just as well be the plan
        ends = {run.horizon + 1 for run in runs}
        at_once = ends.pop() if is_guess and all(cut) and len(ends) == 1 else None
        facts = {"patience": tuple(under), "few_uncut": few_uncut, "end": at_once}
        facts |= {"untold": patience, "n_untold": int(censored[rows].sum())}
        if is_guess and runs:
            # a patience counts values, however many epochs lie between them
            every = usual_cadence(runs[0], study.axes.slices[0].monitor)
            facts |= {"every": every}
        yield from _doubt(code, runs, **facts)


def _not_recorded_under(study: Study) -> Iterator[RunDoubt]:
    """Name the runs whose end a plan explains, so `recorded_under` is not theirs."""
    patience = study.asked.recorded_under
    if patience is not None:
        planned = (
            run
            for run, ending in zip(study.runs, study.endings, strict=True)
            if run.metadata is None and ending.own is None
        )
        yield from _doubt("not-recorded-under", planned, patience=patience)


def _doubt(code: str, runs: Iterable[Run], **facts: Any) -> Iterator[RunDoubt]:  # noqa: ANN401
    """Yield a doubt about some runs, if there are any."""
    names = tuple(run.name for run in runs)
    if names:
        yield RunDoubt(code, names, facts)
