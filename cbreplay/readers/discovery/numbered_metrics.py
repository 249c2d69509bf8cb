"""Names of one metric in several runs: Keras numbers those of a second model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cbreplay.readers.columns.numbered_names import (
    are_one_metric,
    renamed_note,
    without_number,
)

if TYPE_CHECKING:
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import Run

__all__ = ["name_metrics_alike"]


def name_metrics_alike(found: list[RunsOfLog]) -> None:
    """Give a metric one name in all runs, if only Keras's appended number differs.

    ``keras.metrics.AUC()`` is called auc in the first model of a process, auc_1 in the
    second: folds of one script differ in it. A name is changed only if another run has
    it with the next number, or without, and no run has it twice.
    """
    runs = [run for log in found for run in log.runs]
    if len({frozenset(run.series) for run in runs}) < 2:  # noqa: PLR2004 - all alike
        return
    variants: dict[str, set[str]] = {}
    several: set[str] = set()
    for run in runs:
        times = Counter(map(without_number, run.series))
        several |= {base for base, number in times.items() if number > 1}
        for name in run.series:
            variants.setdefault(without_number(name), set()).add(name)
    numbered = {
        base
        for base, names in variants.items()
        if len(names) > 1 and are_one_metric(names, base)
    } - several
    for log in found:
        log.runs[:] = [_renamed(run, numbered) for run in log.runs]


def _renamed(run: Run, numbered: set[str]) -> Run:
    changes = {
        name: base
        for name in run.series
        if (base := without_number(name)) in numbered and base != name
    }
    if not changes:
        return run
    return run.renamed(changes).with_notes(
        renamed_note({base: [name] for name, base in changes.items()})
    )
