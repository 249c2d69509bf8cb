"""Settings on runs, decided: by a sweep if its arrays suffice, else by replays.

Few cells are replayed one by one, because importing the sweep takes longer. A test
holds that both ways give the same for every cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.setting_cells import read_replays
from cbreplay.errors import ConfigError
from cbreplay.replay import replay_run
from cbreplay.replay.fits import replay_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.grid import Grid
    from cbreplay.judging import Judging
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = ["decide_fits", "decide_settings"]

_MOST_CELLS = 1_000_000
# up to so many replays, of so many epochs in all, are faster than importing the sweep
_FEW_CELLS, _FEW_EPOCHS = 50, 100_000


def decide_settings(
    runs: Sequence[Run],
    grid: Grid,
    judging: Judging,
    progress: Callable[[int, int], None] | None = None,
    *,
    replayed: bool = False,
    traced: bool = False,
) -> SettingCells:
    """Decide every setting on every run.

    `progress` is called now and then with the number of cells that are decided and of
    all cells. If the caller will ask for the replays (`replayed`), or for them with
    every step of their traces (`traced`), they are made at once.

    Raises
    ------
    CbreplayError
        As `replay_run` for the first cell for which it does; `ConfigError` if there
        are too many.
    """
    _check_size(runs, grid)
    if not (replayed or traced) and not _are_few(runs, grid):
        from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
        from cbreplay.sweep import sweep_runs

        if reads_from_sweep(grid):
            sweep = sweep_runs(runs, grid, progress=progress, judging=judging)
            return read_sweep(sweep)
    replays = _replay_settings(runs, grid, judging, progress, traced=traced)
    return read_replays(runs, grid, replays)


def decide_fits(runs: Sequence[Run], grid: Grid, judging: Judging) -> SettingCells:
    """Decide every setting on runs that are fits under the same callback instances.

    `runs` are the fits in their order, as of a loop over folds whose callbacks were
    made before it.
    """
    _check_size(runs, grid)
    by_config = [replay_fits(runs, config, judging=judging) for config in grid]
    replays = [fits[row] for row in range(len(runs)) for fits in by_config]
    return read_replays(runs, grid, replays)


def _replay_settings(
    runs: Sequence[Run],
    grid: Grid,
    judging: Judging,
    progress: Callable[[int, int], None] | None,
    *,
    traced: bool,
) -> list[Replay]:
    """Replay every setting on every run, run by run; many may share a replay."""
    if _are_few(runs, grid):
        return [
            replay_run(run, config, judging=judging) for run in runs for config in grid
        ]
    from cbreplay.sweep import SharedReplays

    shared = SharedReplays.of_grid(runs, grid, judging, whole_trace=traced)
    return shared.every(progress)


def _are_few(runs: Sequence[Run], grid: Grid) -> bool:
    """Return whether there are so few cells that they are replayed one by one."""
    n_epochs = sum(run.recorded_epochs for run in runs) * len(grid)
    return len(runs) * len(grid) < _FEW_CELLS and n_epochs < _FEW_EPOCHS


def _check_size(runs: Sequence[Run], grid: Grid) -> None:
    """Refuse more cells than can be shown."""
    n_cells = len(runs) * len(grid)
    if n_cells > _MOST_CELLS:
        sentence = (
            f"{len(runs)} runs and {len(grid)} settings make {n_cells} replays, "
            f"{_MOST_CELLS} at most. Name fewer settings"
        )
        raise ConfigError(sentence)
