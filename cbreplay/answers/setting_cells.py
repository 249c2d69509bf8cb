"""What every setting decides on every run, a column at a time; read from replays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.left_files import last_file
from cbreplay.evidence.words import parting_of
from cbreplay.grid import make_grid
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import never_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cbreplay.evidence.outcomes import Bound
    from cbreplay.grid import Grid
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode, Run

__all__ = [
    "SettingCells",
    "cells_of",
    "never_stops",
    "only_saves",
    "read_replays",
    "tell_replay",
]


class SettingCells(NamedTuple):
    """What every setting decides on every run.

    Parameters
    ----------
    runs, grid : sequence of Run, Grid
        The runs, and the settings.
    columns : mapping of str to list
        The value of each cell by the name of the field: run by run, the settings in
        order; None where there is no value. Epochs count from 0.
    rules : tuple of str
        Which versions decided, each once.
    judged_by : tuple of (name, mode), or of (None, None)
        The objectives, each once.
    notes : callable
        Returns, for each run, what a careful reader should know, each note once: about
        the run, the list of callbacks, and the decisions of its settings.
    replays : callable
        Returns the replay of every cell, run by run; many cells may share one.
    """

    runs: Sequence[Run]
    grid: Grid
    columns: Mapping[str, list[Any]]
    rules: tuple[str, ...]
    judged_by: tuple[tuple[str | None, Mode | None], ...]
    notes: Callable[[], Sequence[tuple[str, ...]]]
    replays: Callable[[], Sequence[Replay]]

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """The rules of the first setting, which are those of all: parameters vary."""
        return read_callbacks(self.grid[0]).callbacks

    def places_of(self, config: int) -> range:
        """Return where the cells of a setting are in the columns, run by run."""
        return range(config, len(self.runs) * len(self.grid), len(self.grid))

    def run_at(self, place: int) -> Run:
        """Return the run of a cell."""
        return self.runs[place // len(self.grid)]

    def bound_of(self, place: int, field: str) -> Bound | None:
        """Return whether a cell's figure is a lower or upper bound; None if none."""
        for bound in self.columns["bounds"][place].split(";"):
            name, _, kind = bound.partition(":")
            if name == field:
                return "lower" if kind == "lower" else "upper"
        return None


def never_stops(cells: SettingCells) -> bool:
    """Return whether none of the settings can end a training before its plan."""
    return never_stop(map(type, cells.callbacks))


def only_saves(cells: SettingCells) -> bool:
    """Return whether the settings save files, and do nothing else to a training."""
    held = cells.columns
    leaves_training = {"censored", "exact"}.issuperset(held["evidence"])
    return any(held["saves"]) and leaves_training and never_stops(cells)


def read_replays(
    runs: Sequence[Run], grid: Grid, replays: Sequence[Replay]
) -> SettingCells:
    """Return the cells of replays, which are given run by run, settings in order."""
    distinct = {id(replay): replay for replay in replays}
    told = {key: tell_replay(replay) for key, replay in distinct.items()}
    names = list(next(iter(told.values())))
    of_run = [
        replays[row * len(grid) : (row + 1) * len(grid)] for row in range(len(runs))
    ]
    return SettingCells(
        runs=runs,
        grid=grid,
        columns={
            name: [told[id(replay)][name] for replay in replays] for name in names
        },
        rules=_each_once(replay.semantics.name for replay in distinct.values()),
        judged_by=_each_once(
            (replay.objective, replay.objective_mode) for replay in distinct.values()
        ),
        notes=lambda: [_notes(held) for held in of_run],
        replays=lambda: replays,
    )


def cells_of(replays: Sequence[Replay]) -> SettingCells:
    """Return what one setting does on each run, as the only column of a table."""
    grid = make_grid([*replays[0].callbacks])
    return read_replays([replay.run for replay in replays], grid, replays)


def _notes(replays: Iterable[Replay]) -> tuple[str, ...]:
    """Return the notes of a run's replays: of the run, the list and the settings."""
    noted = {id(replay): replay.noted for replay in replays}.values()
    each = (
        *(notes.run for notes in noted),
        *(notes.callbacks for notes in noted),
        *(notes.setting for notes in noted),
    )
    return _each_once(note for notes in each for note in notes)


def _each_once(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def tell_replay(replay: Replay) -> dict[str, Any]:
    """Return what a cell says of its replay."""
    outcome, made = replay.outcome, replay.reductions
    file, saved_epoch = last_file(replay)
    return {
        "evidence": replay.evidence,
        "stopped_epoch": replay.stopped_epoch,
        "kept_epoch": replay.kept_epoch,
        "kept_value": outcome.kept_value,
        "regret": outcome.regret,
        "trained_epochs": outcome.trained_epochs,
        "epochs_saved": outcome.epochs_saved,
        "seconds_saved": outcome.seconds_saved,
        "bounds": ";".join(f"{name}:{kind}" for name, kind in outcome.bounds.items()),
        "provisional": ";".join(outcome.provisional),
        "first_reduction_epoch": made[0].epoch if made else None,
        "reductions": len(made),
        "divergence_epoch": replay.divergence_epoch,
        "gap_epoch": replay.gap_epoch,
        "parted_by": parting_of(replay),
        "saves": len(replay.saves),
        "last_saved_file": file,
        "last_saved_epoch": saved_epoch,
        **_accounted(replay),
    }


def _accounted(replay: Replay) -> dict[str, Any]:
    """Return a cell's columns on reductions of the rate, if a rule can reduce it."""
    if all(rule.reduction is None for rule in replay.callbacks):
        return {}
    from cbreplay.staircase.reductions import account_reductions

    account = account_reductions(replay)
    return {
        "explained_reductions": account.explained,
        "recorded_reductions": account.recorded,
        "evident_epochs": account.evident_epochs,
        "asked_epochs": account.recorded_epochs,
        "acts_first": account.acts_first,
        "reducing": account.first_reduction_epoch is not None,
    }
