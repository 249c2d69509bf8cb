"""Reasons for a recommendation, or for none, and doubts about it: codes with facts.

``answers/advice/`` writes them as sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.holes import gap_cause
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.evidence.training_course import (
    cuts_schedule,
    find_rounded_tie,
    improves_after,
    never_changes,
    was_still_improving,
)
from cbreplay.generalization.promise import count_needed, needed_rank
from cbreplay.recommend.answer import RunDoubt
from cbreplay.recommend.choice import Choice, Pick, broke_off, rule_of_thumb
from cbreplay.rules.registry import resolve_semantics
from cbreplay.rules.training import describe_training
from cbreplay.setting_costs.pricing import Priced, find_failed, price
from cbreplay.setting_costs.recorded_ends import (
    FailedTraining,
    find_failure,
    usual_cadence,
)
from cbreplay.setting_costs.swept_settings import Reason
from cbreplay.sweep import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.run import BoolArray, FloatArray, Mode, Run
    from cbreplay.setting_costs.scored import Scored
    from cbreplay.setting_costs.study import Study
    from cbreplay.setting_costs.swept_settings import Slice

__all__ = [
    "find_doubts",
    "reasons_for_choice",
    "reasons_for_none",
    "too_short",
]

# with two values every patience stops at the second one or not at all: all are alike
_FEWEST_VALUES = 3
# if fewer runs than this share are trained without early stopping, a patience that is
# recommended, used and chosen again gets shorter each time
_SHARE_UNCUT = 0.2
# runs of one setting differ by less; a share of 1 and one of 100 %, or losses of two
# data sets, by more; sentences name it
_OTHER_SCALE = 30


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

    Parameters
    ----------
    study, pick : Study, Pick
        The runs, and what was picked.
    n_monitors : int
        How many monitors it was chosen from.
    stops : bool
        Whether it is better than no early stopping.
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
        facts = {"n_broken": study.endings.count_broken(), "n_runs": len(study.runs)}
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
    longest = [own == study.panel.frame.floor for own in study.endings.own]
    return {
        "n_cut": int(cut.sum()),
        "n_under": int((cut & np.array(longest)).sum()),
        "n_runs": len(cut),
        "guessed": bool((cut & np.array(study.endings.guessed)).any()),
    }


def reasons_against_stopping(settings: Sequence[Scored]) -> Iterator[Reason]:
    """Yield that no early stopping scores better than the recommendation, if it does.

    This does not change the choice: it is seen on one set of runs.

    Parameters
    ----------
    settings : sequence of Scored
        The rows of the table: the recommended setting, if any, and its rivals.
    """
    own, unstopped = (
        next((row for row in settings if row.label == label), None)
        for label in ("recommended", "none")
    )
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
    # what those do not tell that their own rule ended is part of `_own_stops`
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
    name = study.objective
    sizes = np.array([_best_size(run, name, study.mode) for run in study.runs])
    known = np.sort(sizes[sizes > 0])
    if not len(known):
        return
    usual = known[(len(known) - 1) // 2]
    apart = (sizes >= _OTHER_SCALE * usual) | (sizes <= usual / _OTHER_SCALE)
    facts = {"series": name, "least": float(known[0]), "most": float(known[-1])}
    facts["times"] = _OTHER_SCALE
    yield from _doubt("other-scale", _where(study, apart & (sizes > 0)), **facts)


def _best_size(run: Run, name: str, mode: Mode) -> float:
    """Return the size of a run's best value; 0 where it has none."""
    epoch = best_recorded_epoch(run, name, mode)
    if epoch is None:
        return 0.0
    return abs(float(run.series[name].values[epoch - run.first_epoch]))


def _rounded(study: Study) -> Iterator[RunDoubt]:
    """Name the runs whose best loss stands in several epochs, maybe by rounding."""
    name = study.objective
    ties: dict[int, list[Run]] = {}
    for run in study.runs:
        tie = find_rounded_tie(run, name, study.mode)
        if tie is not None:
            ties.setdefault(tie[1], []).append(run)
    for decimals, runs in sorted(ties.items()):
        yield from _doubt("rounded", runs, series=name, decimals=decimals)


def _holes(study: Study) -> Iterator[RunDoubt]:
    """Name the runs with incomplete cells, and from which epoch on these are."""
    sweep = study.sweep
    by_cause: dict[str, list[tuple[Run, int]]] = {}
    for run, row in zip(study.runs, study.panel.rows.tolist(), strict=True):
        lacking = sweep.incomplete[row]
        if lacking.any():
            first = int(sweep.gap_epoch[row][lacking].min())
            by_cause.setdefault(gap_cause(run, first), []).append((run, first))
    for cause, found in by_cause.items():
        epochs = tuple(epoch for _, epoch in found)
        yield from _doubt(
            "gap", (run for run, _ in found), cause=cause, gap_epoch=epochs
        )


def _unknown(study: Study, chosen: Slice) -> Iterator[RunDoubt]:
    """Name the runs on which no patience is known to be enough.

    Those on which the monitor never changes apart. Of those that failed `_failed` says
    it, and of those that their own rule ended `_own_stops`.
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
    for name, series in run.series.items():
        if not name.startswith("val_") or name == study.objective:
            continue
        mode = training.find_direction(name)
        if mode is None:
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
    """Name the runs that their own stopping rule ended, and all that they do not tell.

    That is any longer patience, and so which one is enough; `n_untold` of them do not
    tell the chosen one (`untold`) either.
    """
    endings = study.endings
    cut = study.panel.standing.cut.tolist()
    few_uncut = cut.count(False) < _SHARE_UNCUT * len(cut)
    for code, is_guess in (("own-stop", False), ("own-stop-guessed", True)):
        rows = [
            row
            for row, was_cut in enumerate(cut)
            if was_cut and endings.guessed[row] == is_guess
        ]
        under = sorted({endings.own[row] or 1 for row in rows})
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
            for run, own in zip(study.runs, study.endings.own, strict=True)
            if run.metadata is None and own is None
        )
        yield from _doubt("not-recorded-under", planned, patience=patience)


def _doubt(code: str, runs: Iterable[Run], **facts: Any) -> Iterator[RunDoubt]:  # noqa: ANN401
    """Yield a doubt about some runs, if there are any."""
    names = tuple(run.name for run in runs)
    if names:
        yield RunDoubt(code, names, facts)
