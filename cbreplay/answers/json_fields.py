"""What JSON says of a run, a replay and a staircase: its members, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.answers.spoken_runs import epochs_per_value
from cbreplay.evidence.training_course import bad_end_epoch, ends_badly
from cbreplay.evidence.words import parting_of
from cbreplay.rules.base import format_callback
from cbreplay.staircase.reductions import later_gains
from cbreplay.wording.plain_text import well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run, Series
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = [
    "describe_replay",
    "describe_results",
    "describe_run",
    "describe_setting",
    "describe_staircase",
    "staircase_members",
]


def describe_run(run: Run, notes: Iterable[str] = ()) -> dict[str, Any]:
    """Return a run without its series, as JSON has it.

    `notes` is what an answer has to say about it, besides what was noted while reading.
    """
    return {
        "name": run.name,
        "source": well_formed(run.source),
        "first_epoch": run.first_epoch,
        "horizon": run.horizon,
        "recorded_epochs": run.recorded_epochs,
        "planned_epochs": run.planned_epochs,
        "axis_unit": run.axis_unit,
        "framework": run.framework or None,
        "seams": list(run.seams),
        "series": list(run.series),
        "failed_series": [
            {"series": name, "failed_epoch": bad_end_epoch(run, name)}
            for name, series in run.series.items()
            if ends_badly(series)
        ],
        **_sparse(run),
        "learning_rate": _rates(run.learning_rate),
        "wall_seconds": run.wall_seconds,
        "notes": list(dict.fromkeys([*run.notes, *notes])),
    }


def _sparse(run: Run) -> dict[str, Any]:
    """Return which series have a value in every so many epochs, as where validated."""
    every = {name: epochs_per_value(run, name) or 0 for name in run.series}
    sparse = [{"series": own, "every": n} for own, n in every.items() if n > 1]
    return {"sparse_series": sparse} if sparse else {}


def _rates(series: Series | None) -> list[float | None] | None:
    """Return the rate of each epoch, None where it is missing."""
    return None if series is None else list(series)


def describe_results(
    runs: Sequence[Run], results: Sequence[tuple[int, int, Replay]]
) -> dict[str, Any]:
    """Return the members that tell what was replayed, and what came of it.

    Notes on a run are in its member of ``runs``, notes on the list of callbacks in
    ``notes``; only those on a single cell are in its result. `results` are the index of
    the run, that of the setting, and the replay, which many may share.
    """
    replays = {id(replay): replay for *_, replay in results}
    of_run: list[dict[str, None]] = [{} for _ in runs]
    for run, _, replay in results:
        of_run[run].update(dict.fromkeys(replay.noted.run))
    objectives = {
        (replay.objective, replay.objective_mode) for replay in replays.values()
    }
    name, mode = objectives.pop() if len(objectives) == 1 else ("", "")
    listed = (note for replay in replays.values() for note in replay.noted.callbacks)
    described = {key: describe_replay(replay) for key, replay in replays.items()}
    return {
        "semantics": results[0][2].semantics.name if results else None,
        "objective": {"name": name, "mode": mode} if name else None,
        "runs": [
            describe_run(run, notes) for run, notes in zip(runs, of_run, strict=True)
        ],
        "results": [
            {"run": run, "config": config, **described[id(replay)]}
            for run, config, replay in results
        ],
        "notes": list(dict.fromkeys(listed)),
    }


def describe_setting(
    callbacks: Iterable[Callback], varied: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return one list of callbacks, of a grid with what varies, as in ``configs``."""
    listed = list(map(format_callback, callbacks))
    return {"callbacks": listed, "parameters": varied or {}}


def describe_replay(replay: Replay) -> dict[str, Any]:
    """Return the fields of a replay and its outcome, as JSON has them in a result.

    ``learning_rate`` is None where it is the recorded one, which is in the run's
    member; the notes are those on this setting's decisions.
    """
    outcome = replay.outcome
    return {
        "evidence": replay.evidence,
        "semantics": replay.semantics.name,
        "stopped_epoch": replay.stopped_epoch,
        "stopped_by": list(replay.stopped_by),
        "best_epoch": replay.best_epoch,
        "best": replay.best,
        "kept_epoch": replay.kept_epoch,
        "candidates": list(replay.candidates),
        "reductions": [reduction._asdict() for reduction in replay.reductions],
        "learning_rate": None if _is_recorded(replay) else _rates(replay.learning_rate),
        "saves": [list(save) for save in replay.saves],
        "files": dict(replay.files),
        "divergence_epoch": replay.divergence_epoch,
        "diverged_by": None if replay.divergence_epoch is None else parting_of(replay),
        "gap_epoch": replay.gap_epoch,
        "trained_epochs": outcome.trained_epochs,
        "epochs_saved": outcome.epochs_saved,
        "seconds_saved": outcome.seconds_saved,
        "kept_value": outcome.kept_value,
        "regret": outcome.regret,
        "bounds": dict(outcome.bounds),
        "provisional": list(outcome.provisional),
        "notes": list(replay.noted.setting),
    }


def _is_recorded(replay: Replay) -> bool:
    """Return whether every trained epoch has the recorded rate, where one is."""
    recorded, rates = replay.run.learning_rate, replay.learning_rate
    if recorded is None or rates is None:
        return False
    there = recorded.recorded[: len(rates)]
    same = recorded.values[: len(rates)] == rates.values
    return bool(np.all(same[there]))


def staircase_members(staircases: Sequence[Staircase]) -> dict[str, Any]:
    """Return the members of an answer about patience beside its staircases."""
    replays = [staircase.replay for staircase in staircases]
    first = replays[0]
    return {
        "semantics": first.semantics.name,
        "objective": {"name": first.objective, "mode": first.objective_mode},
        "runs": [describe_run(replay.run, replay.noted.run) for replay in replays],
    }


def describe_staircase(staircase: Staircase) -> dict[str, Any]:
    """Return a staircase as JSON has it, without the notes that its run has."""
    rate, explained = staircase.rate, staircase.rate.explained_by
    of_run = staircase.replay.noted.run
    gains = {later.epoch: later.gain for later in later_gains(staircase)}
    return {
        "monitor": staircase.monitor,
        "keep": staircase.keep,
        "semantics": staircase.replay.semantics.name,
        "objective": {"name": staircase.objective, "mode": staircase.objective_mode},
        "steps": [_describe_step(staircase, step) for step in staircase.steps],
        "best_epoch": staircase.best_epoch,
        "best_value": staircase.best_value,
        "usual_change": staircase.usual_change,
        "other_best": {
            name: {"epoch": epoch, "value": value}
            for name, (epoch, value) in staircase.other_best.items()
        },
        "recorded_reductions": [reduction._asdict() for reduction in rate.reductions],
        "learning_rate_rises": rate.rises,
        "explained_by": None if explained is None else format_callback(explained),
        "first_reductions": [
            first._asdict() | {"later_gain": gains.get(first.epoch)}
            for first in rate.first_reductions
        ],
        "notes": [note for note in staircase.notes if note not in of_run],
    }


def _describe_step(staircase: Staircase, step: StaircaseStep) -> dict[str, Any]:
    is_bound = staircase.lacks_values and step.regret is not None
    gap_epoch = step.gap_epoch
    if step.evidence == "incomplete" and gap_epoch is None:
        gap_epoch = staircase.replay.gap_epoch
    return {
        "patience": [step.first_patience, step.last_patience],
        "stopped_epoch": [step.first_stopped_epoch, step.last_stopped_epoch],
        "evidence": step.evidence,
        "kept_epoch": step.kept_epoch,
        "kept_value": step.kept_value,
        "regret": step.regret,
        "others": dict(step.others),
        "epochs_saved": [step.most_epochs_saved, step.fewest_epochs_saved],
        "bounds": {"regret": "lower"} if is_bound else {},
        "gap_epoch": gap_epoch,
    }
