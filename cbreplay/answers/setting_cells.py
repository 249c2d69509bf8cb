"""What every setting decides on every run, a column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import never_stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.grid import Grid
    from cbreplay.outcomes import Bound
    from cbreplay.replay import Replay
    from cbreplay.run import Mode, Run

__all__ = ["SettingCells", "never_stops", "only_saves"]


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

    def bound_of(self, place: int, field: str) -> Bound | None:
        """Return whether a cell's figure is a lower or upper bound; None if none."""
        for bound in self.columns["bounds"][place].split(";"):
            name, _, kind = bound.partition(":")
            if name == field:
                return "lower" if kind == "lower" else "upper"
        return None


def never_stops(cells: SettingCells) -> bool:
    """Return whether none of the settings can end a training before its plan."""
    return never_stop(map(type, read_callbacks(cells.grid[0]).callbacks))


def only_saves(cells: SettingCells) -> bool:
    """Return whether the settings save files, and do nothing else to a training."""
    held = cells.columns
    leaves_training = {"censored", "exact"}.issuperset(held["evidence"])
    return any(held["saves"]) and leaves_training and never_stops(cells)
