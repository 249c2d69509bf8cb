"""Runs, replays and staircases as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.base import format_callback

if TYPE_CHECKING:
    from cbreplay.replay import Reduction, Replay
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = ["describe_run", "describe_staircase", "flatten_replay"]


def describe_run(run: Run) -> dict[str, Any]:
    """Return a run without its values, as JSON has it."""
    return {
        "name": run.name,
        "source": run.source,
        "first_epoch": run.first_epoch,
        "horizon": run.horizon,
        "recorded_epochs": run.recorded_epochs,
        "planned_epochs": run.planned_epochs,
        "series": list(run.series),
        "learning_rate": run.learning_rate is not None,
        "wall_seconds": run.wall_seconds,
        "notes": list(run.notes),
    }


def flatten_replay(replay: Replay) -> dict[str, Any]:
    """Return the fields of a replay and its outcome, as JSON has them."""
    outcome, rate = replay.outcome, replay.learning_rate
    return {
        "evidence": replay.evidence,
        "semantics": replay.semantics.name,
        "stopped_epoch": replay.stopped_epoch,
        "stopped_by": list(replay.stopped_by),
        "best_epoch": replay.best_epoch,
        "best": replay.best,
        "kept_epoch": replay.kept_epoch,
        "reductions": [_reduction(one) for one in replay.reductions],
        "learning_rate": None if rate is None else rate.values.tolist(),
        "saves": [list(save) for save in replay.saves],
        "files": dict(replay.files),
        "divergence_epoch": replay.divergence_epoch,
        "trained_epochs": outcome.trained_epochs,
        "epochs_saved": outcome.epochs_saved,
        "seconds_saved": outcome.seconds_saved,
        "kept_value": outcome.kept_value,
        "regret": outcome.regret,
        "bounds": dict(outcome.bounds),
        "provisional": list(outcome.provisional),
        "notes": list(replay.notes),
    }


def _reduction(reduction: Reduction) -> dict[str, Any]:
    return reduction._asdict()


def describe_staircase(staircase: Staircase) -> dict[str, Any]:
    """Return one log's answer, as JSON has it."""
    rate, explained = staircase.rate, staircase.rate.explained_by
    return {
        "monitor": staircase.monitor,
        "keep": staircase.keep,
        "semantics": staircase.replay.semantics.name,
        "objective": {
            "name": staircase.replay.objective,
            "mode": staircase.replay.objective_mode,
        },
        "steps": [_describe_step(step) for step in staircase.steps],
        "best_epoch": staircase.best_epoch,
        "best_value": staircase.best_value,
        "usual_change": staircase.usual_change,
        "other_best": {
            name: {"epoch": epoch, "value": value}
            for name, (epoch, value) in staircase.other_best.items()
        },
        "recorded_reductions": [one._asdict() for one in rate.reductions],
        "learning_rate_rises": rate.rises,
        "explained_by": None if explained is None else format_callback(explained),
        "first_reductions": [one._asdict() for one in rate.first_reductions],
        "notes": list(staircase.notes),
    }


def _describe_step(step: StaircaseStep) -> dict[str, Any]:
    return {
        "patience": [step.first_patience, step.last_patience],
        "stopped_epoch": [step.first_stopped_epoch, step.last_stopped_epoch],
        "evidence": step.evidence,
        "kept_epoch": step.kept_epoch,
        "kept_value": step.kept_value,
        "regret": step.regret,
        "others": dict(step.others),
        "epochs_saved": [step.most_epochs_saved, step.fewest_epochs_saved],
    }
