"""Names of one metric in several runs: Keras numbers those of a second model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.by_key import by_key
from cbreplay.readers.columns.numbered_names import (
    are_same_metrics,
    number_of,
    renamed_note,
    without_number,
)

if TYPE_CHECKING:
    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.run import Run

__all__ = ["name_metrics_alike"]


def name_metrics_alike(found: FoundLogs) -> None:
    """Give a metric one name in all runs, if only Keras's appended number differs.

    ``keras.metrics.AUC()`` is called auc in the first model of a process, auc_1 in the
    second: folds of one script differ in it. Two of them in each model are auc and
    auc_1, then auc_2 and auc_3. A column without a value in a run is none of its
    metrics: a table of several folds has those of all. What another framework numbers
    is left as it is.
    """
    runs = [run for log in found.logs for run in log.runs if _may_be_of_keras(run)]
    if not any(name[-1:].isdigit() for run in runs for name in run.series):
        return
    variants: dict[str, set[tuple[str, ...]]] = {}
    for run in runs:
        for base, names in _by_base(run).items():
            variants.setdefault(base, set()).add(names)
    numbered = {
        base
        for base, blocks in variants.items()
        if len(blocks) > 1 and are_same_metrics(blocks, base)
    }
    for log in found.logs:
        log.runs[:] = [
            _renamed(run, numbered) if _may_be_of_keras(run) else run
            for run in log.runs
        ]


def _may_be_of_keras(run: Run) -> bool:
    # a graph of TensorFlow 1 numbers its names, and so an Estimator its summaries
    return not run.framework and _OF_ESTIMATOR not in run.series


_OF_ESTIMATOR = "global_step/sec"


def _by_base(run: Run) -> dict[str, tuple[str, ...]]:
    """Return the series that have values by their names without number, in order."""
    names = [name for name, own in run.series.items() if own.recorded.any()]
    return {
        base: tuple(sorted(own, key=lambda name: number_of(name, base)))
        for base, own in by_key(names, without_number).items()
    }


def _renamed(run: Run, numbered: set[str]) -> Run:
    changes = {
        name: f"{base}_{rank}" if rank else base
        for base, names in _by_base(run).items()
        if base in numbered
        for rank, name in enumerate(names)
    }
    changes = {name: new for name, new in changes.items() if name != new}
    # the other folds' columns of one table
    series = {
        name: own
        for name, own in run.series.items()
        if own.recorded.any() or without_number(name) not in numbered
    }
    if not changes and len(series) == len(run.series):
        return run
    notes = [renamed_note({new: [name] for name, new in changes.items()})]
    alike = replace(run, series=series).renamed(changes)
    return alike.with_notes(*notes[: len(changes)])
