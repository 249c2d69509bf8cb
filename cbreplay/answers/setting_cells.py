"""What every setting decides on every run, a column at a time.

Many cells are read from a sweep's arrays. Few cells, and lists that only a replay
decides, come from replays. Both say the same, and a test holds them to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.replay import replay_fits, replay_run
from cbreplay.staircase.reductions import account_reductions
from cbreplay.words import parting_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cbreplay.grid import Grid
    from cbreplay.judging import Judging
    from cbreplay.replay import Replay
    from cbreplay.run import Mode, Run

__all__ = ["SettingCells", "decide_fits", "decide_settings", "replay_settings"]

_MOST_CELLS = 1_000_000
# the sweep costs more to import than so many replays
_FEW_CELLS = 50


class SettingCells(NamedTuple):
    """What every setting decides on every run.

    Parameters
    ----------
    runs, grid : sequence of Run, Grid
        What was asked of what.
    columns : mapping of str to list
        What each cell says, by the name of the field, run by run and the settings in
        order; None where there is nothing to say. Epochs count from 0.
    rules : tuple of str
        Which versions decided, each once.
    judged_by : tuple of (name, mode)
        The objectives, each once.
    notes : callable
        Returns, of each run, what a careful reader should know, each note once: of the
        run itself, of the list of callbacks, and of what some setting decides.
    replays : callable
        Returns the replay of every cell, run by run; many may share one.
    """

    runs: Sequence[Run]
    grid: Grid
    columns: Mapping[str, list[Any]]
    rules: tuple[str, ...]
    judged_by: tuple[tuple[str, Mode], ...]
    notes: Callable[[], Sequence[tuple[str, ...]]]
    replays: Callable[[], Sequence[Replay]]


def decide_settings(
    runs: Sequence[Run],
    grid: Grid,
    judging: Judging,
    progress: Callable[[int, int], None] | None = None,
    *,
    replayed: bool = False,
) -> SettingCells:
    """Decide every setting on every run.

    Parameters
    ----------
    runs, grid, judging : sequence of Run, Grid, Judging
        What is asked, and how it is judged.
    progress : callable, optional
        Called with the number of cells that are decided and of all, now and then.
    replayed : bool
        Whether the replays will be asked for: then they are made at once.

    Raises
    ------
    CbreplayError
        As `replay_run` for the first cell for which it does; `ConfigError` if there
        are too many.
    """
    if _check_size(runs, grid) >= _FEW_CELLS and not replayed:
        from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
        from cbreplay.sweep import sweep_runs

        if reads_from_sweep(grid):
            sweep = sweep_runs(runs, grid, progress=progress, judging=judging)
            return read_sweep(sweep)
    return read_replays(runs, grid, replay_settings(runs, grid, judging, progress))


def decide_fits(runs: Sequence[Run], grid: Grid, judging: Judging) -> SettingCells:
    """Decide every setting on runs that are fits under the same callback instances.

    Parameters
    ----------
    runs, grid, judging : sequence of Run, Grid, Judging
        The fits in their order, as the folds of a loop whose callbacks were made
        before it; what is asked, and how it is judged.

    Raises
    ------
    CbreplayError
        As `replay_fits`.
    """
    _check_size(runs, grid)
    by_config = [replay_fits(runs, config, judging=judging) for config in grid]
    replays = [fits[row] for row in range(len(runs)) for fits in by_config]
    return read_replays(runs, grid, replays)


def replay_settings(
    runs: Sequence[Run],
    grid: Grid,
    judging: Judging,
    progress: Callable[[int, int], None] | None = None,
) -> list[Replay]:
    """Replay every setting on every run, run by run; many may share a replay.

    Parameters and errors are those of `decide_settings`.
    """
    if _check_size(runs, grid) < _FEW_CELLS:
        return [
            replay_run(run, config, judging=judging) for run in runs for config in grid
        ]
    from cbreplay.sweep import replay_cells

    return replay_cells(runs, grid, progress=progress, judging=judging)


def _check_size(runs: Sequence[Run], grid: Grid) -> int:
    """Return the number of cells, which must not be too many to be shown."""
    n_cells = len(runs) * len(grid)
    if n_cells > _MOST_CELLS:
        sentence = (
            f"{len(runs)} runs and {len(grid)} settings make {n_cells} replays, "
            f"{_MOST_CELLS} at most. Name fewer settings"
        )
        raise ConfigError(sentence)
    return n_cells


def read_replays(
    runs: Sequence[Run], grid: Grid, replays: Sequence[Replay]
) -> SettingCells:
    """Return what replays say, run by run and the settings in order."""
    distinct = {id(replay): replay for replay in replays}
    told = {key: _told(replay) for key, replay in distinct.items()}
    names = list(next(iter(told.values())))
    of_run = [
        replays[row * len(grid) : (row + 1) * len(grid)] for row in range(len(runs))
    ]
    return SettingCells(
        runs=runs,
        grid=grid,
        columns={name: [told[id(one)][name] for one in replays] for name in names},
        rules=_each_once(one.semantics.name for one in distinct.values()),
        judged_by=_each_once(
            (one.objective, one.objective_mode) for one in distinct.values()
        ),
        notes=lambda: [_notes(held) for held in of_run],
        replays=lambda: replays,
    )


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


def _told(replay: Replay) -> dict[str, Any]:
    """Return what a cell says of its replay."""
    outcome, made = replay.outcome, replay.reductions
    file = replay.saves[-1][1] if replay.saves else None
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
        "last_saved_epoch": None if file is None else replay.files[file],
        **_accounted(replay),
    }


def _accounted(replay: Replay) -> dict[str, Any]:
    """Return what a cell says of the rate's reductions, where a rule makes some."""
    if all(rule.reduction is None for rule in replay.callbacks):
        return {}
    account = account_reductions(replay)
    return {
        "explained_reductions": account.explained,
        "recorded_reductions": account.recorded,
        "evident_epochs": account.evident_epochs,
        "asked_epochs": account.recorded_epochs,
        "acts_first": account.acts_first,
        "reducing": account.first_reduction_epoch is not None,
    }
