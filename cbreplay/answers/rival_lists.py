"""Two lists of callbacks on the same runs, A and B, and in what they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.replay import replay_run
from cbreplay.replay.compare import compare_replays
from cbreplay.rules.parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.judging import Judging
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["DifferingParameter", "RivalLists", "compare_lists"]

# parameters that decide nothing
_SILENT = ("verbose",)


class DifferingParameter(NamedTuple):
    """A parameter in which two lists of the same callbacks differ.

    Parameters
    ----------
    callback : int
        The index of the callback in both lists.
    parameter : str
        Its name.
    first, rival : object
        Its values.
    """

    callback: int
    parameter: str
    first: Any
    rival: Any


class RivalLists(NamedTuple):
    """Two lists of callbacks on the same runs.

    Parameters
    ----------
    first, rival : sequence of Callback
        The lists, which people know as A and B.
    compared : sequence of ReplayComparison
        One for each run.
    """

    first: Sequence[Callback]
    rival: Sequence[Callback]
    compared: Sequence[ReplayComparison]

    @property
    def runs(self) -> list[Run]:
        """The runs, in order."""
        return [comparison.first.run for comparison in self.compared]

    def replays(self) -> list[Replay]:
        """Return the replays, both of each run."""
        return [replay for comparison in self.compared for replay in comparison[:2]]

    def differing(self) -> list[DifferingParameter]:
        """Return the parameters in which two lists of the same callbacks differ."""
        if [rule.class_name for rule in self.first] != [
            rule.class_name for rule in self.rival
        ]:
            return []
        both = zip(self.first, self.rival, strict=True)
        pairs = [
            DifferingParameter(place, name, value, parameters_of(rival)[name])
            for place, (ours, rival) in enumerate(both)
            for name, value in parameters_of(ours).items()
            if name not in _SILENT
        ]
        differing = [pair for pair in pairs if pair.first != pair.rival]
        # first the parameter that people overlook
        differing.sort(key=lambda pair: pair.parameter != "restore_best_weights")
        return differing


def compare_lists(
    runs: Sequence[Run],
    first: Sequence[Callback],
    rival: Sequence[Callback],
    judging: Judging,
    progress: Callable[[int, int], object] | None = None,
) -> RivalLists:
    """Replay two lists on every run, side by side.

    `progress` is called after each run with the number of runs compared, and of all.

    Raises
    ------
    ConfigError
        If the two are judged by different series.
    """
    compared: list[ReplayComparison] = []
    for run in runs:
        pair = [replay_run(run, each, judging=judging) for each in (first, rival)]
        compared.append(compare_replays(*pair))
        if progress is not None:
            progress(len(compared), len(runs))
    return RivalLists(first, rival, compared)
