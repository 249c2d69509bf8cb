"""The answer of a sweep: what every config decides on every run, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.grid import Grid, PairedChoices
from cbreplay.showing import show_html, show_plot, show_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pandas as pd

    from cbreplay.evidence.validity import Evidence
    from cbreplay.judging import Judging
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Mode, Run, Series
    from cbreplay.run_metadata import RunMetadata
    from cbreplay.sweep.cells import Cells

__all__ = ["EVIDENCE", "Failure", "Judged", "Sweep", "SweptRun"]

EVIDENCE: tuple[Evidence, ...] = ("exact", "censored", "diverged", "incomplete")


class Judged(NamedTuple):
    """The series by which a run's outcomes are judged, epoch by epoch.

    Parameters
    ----------
    name, mode : str, {"min", "max"}; or both None
        The objective; None where nothing judges what is kept.
    values : array of shape (n_epochs,)
        The objective in each epoch; NaN where there is no number.
    regrets : array of shape (n_epochs,)
        How much worse it is than the best on record, in its unit; NaN where that is not
        known.
    lacks_values : bool
        Whether the log has a hole in it, so that a better value may have been there.
    """

    name: str | None
    mode: Mode | None
    values: FloatArray
    regrets: FloatArray
    lacks_values: bool = False


class SweptRun(NamedTuple):
    """What a sweep keeps of a run to compute its columns.

    Parameters
    ----------
    name, source, first_epoch, n_epochs, reached_plan : as Run's
        Where it comes from, and how far it goes.
    semantics : str
        The name of the version that decided, such as ``"keras-3.15.1"``.
    judged : tuple of Judged
        Its objectives, one for each that the configs have.
    epoch_seconds, metadata, learning_rate : as Run's
        What tells the seconds saved, and which runs belong together.
    """

    name: str
    source: str
    first_epoch: int
    n_epochs: int
    reached_plan: bool
    semantics: str
    judged: tuple[Judged, ...]
    epoch_seconds: Series | None
    metadata: RunMetadata | None
    learning_rate: Series | None


class Failure(NamedTuple):
    """A log that was left out of a sweep, and why."""

    source: str
    problem: str


@dataclass(frozen=True, eq=False, repr=False)
class Sweep:
    """What every config decides on every run.

    The columns are arrays of shape (n_runs, n_configs), computed when they are first
    asked for; epochs are zero-based. Where a mask stands beside a column, the column
    says nothing outside it.

    Parameters
    ----------
    configs : Grid, PairedChoices or list of tuple of Callback
        The configs, in order.
    runs : tuple of SweptRun
        The runs, in order.
    cells : Cells
        What was decided.
    objectives : array of shape (n_configs,), or None
        Which of a run's `judged` each config is judged by; None where all are judged
        alike.
    failures : tuple of Failure
        The logs that `sweep_logs` could not read or sweep.
    records : tuple of Run
        The runs themselves, in order; empty after `sweep_logs`, which leaves them
        where they were read.
    judging : Judging or None
        The options that it was swept with, where it holds the runs.
    """

    configs: Any
    runs: tuple[SweptRun, ...]
    cells: Cells
    objectives: EpochArray | None
    failures: tuple[Failure, ...] = ()
    records: tuple[Run, ...] = ()
    judging: Judging | None = None

    _repr_html_ = show_html
    __str__ = show_text
    plot = show_plot

    def __repr__(self) -> str:
        """Return how large it is, and how far it is evidence."""
        counts = np.bincount(self.evidence.reshape(-1), minlength=len(EVIDENCE))
        told = ", ".join(
            f"{count} {name}" for name, count in zip(EVIDENCE, counts, strict=True)
        )
        return f"<Sweep of {len(self.runs)} runs x {len(self.configs)} configs: {told}>"

    @property
    def shape(self) -> tuple[int, int]:
        """The number of runs and of configs."""
        return len(self.runs), len(self.configs)

    @property
    def stopped(self) -> BoolArray:
        """Whether training is stopped inside the evidence."""
        return self.cells.stopped

    @property
    def stopped_epoch(self) -> EpochArray:
        """The epoch at whose end it is stopped; within `stopped`."""
        return self.cells.stopped_epoch

    @property
    def kept(self) -> BoolArray:
        """Whether it is known what is kept: not if diverged or incomplete."""
        return self.cells.kept

    @property
    def kept_epoch(self) -> EpochArray:
        """Whose weights are in memory when training ends; within `kept`."""
        return self.cells.kept_epoch

    @property
    def diverged(self) -> BoolArray:
        """Whether a config parts from the recorded training before it stops."""
        return self.cells.diverged

    @property
    def divergence_epoch(self) -> EpochArray:
        """The first epoch trained otherwise than recorded; within `diverged`."""
        return self.cells.divergence_epoch

    @property
    def incomplete(self) -> BoolArray:
        """Whether the log lacks a value that decides, before any stop or divergence."""
        return self.cells.incomplete

    @property
    def gap_epoch(self) -> EpochArray:
        """The first epoch of which the log lacks that value; within `incomplete`."""
        return self.cells.gap_epoch

    @cached_property
    def evident_epoch(self) -> EpochArray:
        """The last epoch for which the log is evidence: at most that of the stop."""
        horizon = [run.first_epoch + run.n_epochs - 1 for run in self.runs]
        last = np.where(self.stopped, self.stopped_epoch, self._by_run(horizon))
        last = np.where(self.incomplete, self.gap_epoch - 1, last)
        return np.where(self.diverged, self.divergence_epoch - 1, last)

    @cached_property
    def reduced(self) -> BoolArray:
        """Whether the learning rate is reduced up to `evident_epoch`."""
        return self.first_reduction_epoch <= self.evident_epoch

    @property
    def first_reduction_epoch(self) -> EpochArray:
        """The epoch at whose end the rate is first reduced; within `reduced`."""
        return self.cells.first_reduction

    @property
    def n_reductions(self) -> EpochArray:
        """How many times the rate is reduced up to `evident_epoch`."""
        return np.where(self.reduced, 1 + self.cells.later_reductions, 0)

    @cached_property
    def evidence(self) -> EpochArray:
        """How far each cell is evidence, int8: its place in ``EVIDENCE``."""
        reached = self._by_run([run.reached_plan for run in self.runs])
        evidence = np.where(self.stopped | reached, np.int8(0), np.int8(1))
        evidence[self.diverged] = EVIDENCE.index("diverged")
        evidence[self.incomplete] = EVIDENCE.index("incomplete")
        return evidence

    @cached_property
    def provisional(self) -> BoolArray:
        """Whether what is kept is right only if training had ended with the log.

        Such values are never ranked, averaged or used to choose.
        """
        return np.asarray(self.evidence == EVIDENCE.index("censored"))

    @cached_property
    def trained_epochs(self) -> EpochArray:
        """The epochs trained from the first recorded one on, or at least so many."""
        first = self._by_run([run.first_epoch for run in self.runs])
        trained = np.where(self.stopped, self.stopped_epoch - first + 1, 0)
        trained = np.where(self.diverged, self.divergence_epoch - first + 1, trained)
        trained = np.where(self.incomplete, self.gap_epoch - first + 1, trained)
        recorded = self._by_run([run.n_epochs for run in self.runs])
        told = self.stopped | self.diverged | self.incomplete
        return np.where(told, trained, recorded)

    @cached_property
    def epochs_saved(self) -> EpochArray:
        """The recorded epochs that are not trained, or at most so many."""
        recorded = self._by_run([run.n_epochs for run in self.runs])
        return np.asarray(recorded - self.trained_epochs)

    @cached_property
    def lacks_values(self) -> BoolArray:
        """Whether the objective has a hole: a regret is then a lower bound."""
        found = np.zeros(self.shape, dtype=np.bool_)
        for row, run in enumerate(self.runs):
            for code, judged in enumerate(run.judged):
                if judged.lacks_values:
                    here = True if self.objectives is None else self.objectives == code
                    found[row] |= here
        return found

    @cached_property
    def kept_value(self) -> FloatArray:
        """The objective at the kept epoch, in its unit; NaN outside `judged`."""
        return self._judge(attrgetter("values"))

    @cached_property
    def regret(self) -> FloatArray:
        """`kept_value` against the best on record, never negative; NaN if unknown."""
        return self._judge(attrgetter("regrets"))

    @property
    def judged(self) -> BoolArray:
        """Whether the objective has a number at the kept epoch."""
        return ~np.isnan(self.kept_value)

    @property
    def ranked(self) -> BoolArray:
        """Whether the regret is known."""
        return ~np.isnan(self.regret)

    @cached_property
    def seconds_saved(self) -> FloatArray:
        """Wall time of the epochs saved in seconds; NaN where it was not recorded."""
        saved = np.full(self.shape, np.nan)
        for row, run in enumerate(self.runs):
            seconds = run.epoch_seconds
            if seconds is None:
                continue
            after = [
                float(seconds.values[start:].sum())
                if seconds.recorded[start:].all()
                else np.nan
                for start in range(run.n_epochs + 1)
            ]
            saved[row] = np.array(after)[self.trained_epochs[row]]
        return saved

    def to_frame(self, *, group_by: str | Sequence[Any] | None = None) -> pd.DataFrame:
        """Return one row a cell: run, group, config, its parameters, every outcome.

        Absent values are missing. Where `bounded` is true, `trained_epochs` is at
        least that, and `epochs_saved` and `seconds_saved` are at most that. A group
        is what `recommend_config` counts as one: runs that differ by seed.

        Parameters
        ----------
        group_by : str or sequence, optional
            As in `recommend_config`.

        Raises
        ------
        ConfigError
            If no run has what is to be grouped by.
        """
        import pandas as pd

        n_runs, n_configs = self.shape
        codes, groups = self._groups(group_by)
        columns: dict[str, Any] = {
            "run": pd.Categorical.from_codes(
                np.repeat(np.arange(n_runs), n_configs),
                categories=pd.Index(_unique(run.name for run in self.runs)),
            ),
            "group": pd.Categorical.from_codes(codes, categories=pd.Index(groups)),
            "config": np.tile(np.arange(n_configs), n_runs),
        }
        for name, values in self._parameter_columns().items():
            columns[name] = np.tile(values, n_runs)
        columns["evidence"] = pd.Categorical.from_codes(
            self.evidence.reshape(-1), categories=pd.Index(EVIDENCE)
        )
        for name, epochs, mask in (
            ("stopped_epoch", self.stopped_epoch, self.stopped),
            ("kept_epoch", self.kept_epoch, self.kept),
            ("divergence_epoch", self.divergence_epoch, self.diverged),
            ("gap_epoch", self.gap_epoch, self.incomplete),
        ):
            columns[name] = pd.arrays.IntegerArray(
                epochs.astype(np.int64).reshape(-1), ~mask.reshape(-1)
            )
        for name, measured in (
            ("kept_value", self.kept_value),
            ("regret", self.regret),
            ("seconds_saved", self.seconds_saved),
        ):
            values = measured.reshape(-1)
            columns[name] = pd.arrays.FloatingArray(values, np.isnan(values))
        columns["trained_epochs"] = self.trained_epochs.reshape(-1).astype(np.int64)
        columns["epochs_saved"] = self.epochs_saved.reshape(-1).astype(np.int64)
        columns["bounded"] = self.evidence.reshape(-1) != 0
        columns["provisional"] = self.provisional.reshape(-1)
        return pd.DataFrame(columns)

    def _groups(self, group_by: str | Sequence[Any] | None) -> tuple[Any, list[str]]:
        """Return the group of each cell, and what each group is called."""
        from cbreplay.sweep.groups import find_groups

        grouping = find_groups(self.runs, group_by)
        of_run = np.zeros(len(self.runs), dtype=np.int64)
        for number, rows in enumerate(grouping.rows):
            of_run[list(rows)] = number
        return np.repeat(of_run, len(self.configs)), _unique(grouping.names)

    def _by_run(self, values: list[Any]) -> Any:  # noqa: ANN401 - any kind of number
        return np.array(values)[:, None]

    def _judge(self, column: Callable[[Judged], FloatArray]) -> FloatArray:
        """Return a column of `Judged`, read at the kept epochs."""
        found = np.full(self.shape, np.nan)
        for row, run in enumerate(self.runs):
            position = self.kept_epoch[row] - run.first_epoch
            position = np.where(self.kept[row], position, 0)
            for code, judged in enumerate(run.judged):
                here = True if self.objectives is None else self.objectives == code
                np.copyto(found[row], column(judged)[position], where=here)
        found[~self.kept | self.cells.broken] = np.nan
        return found

    def _parameter_columns(self) -> dict[str, Any]:
        """Return the value of each varied parameter by config."""
        if isinstance(self.configs, PairedChoices):
            drawn = self.configs.parameters
            return {name: np.array(list(values)) for name, values in drawn.items()}
        if not isinstance(self.configs, Grid):
            from cbreplay.rules.base import format_callback
            from cbreplay.rules.callbacks_list import read_callbacks

            lists = [read_callbacks(config).callbacks for config in self.configs]
            written = [f"[{', '.join(map(format_callback, rules))}]" for rules in lists]
            return {"callbacks": np.array(written, dtype=object)}
        tried = self.configs.parameters
        shape = self.configs.shape
        places = np.indices(shape, sparse=True)
        return {
            name: np.broadcast_to(np.array(list(values))[at], shape).reshape(-1)
            for (name, values), at in zip(tried.items(), places, strict=True)
        }


def _unique(given: Iterable[str]) -> list[str]:
    """Return names made unique: of several that are equal, the later get a number."""
    names: dict[str, None] = {}
    for wanted in given:
        name, number = wanted, 2
        while name in names:
            name, number = f"{wanted} ({number})", number + 1
        names[name] = None
    return list(names)
