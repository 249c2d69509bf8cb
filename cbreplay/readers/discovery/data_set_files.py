"""One training whose log has a file for each data set: ``train.log``, ``val.log``.

They lie in one directory, or are called alike in ``train/`` and ``val/``.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cbreplay.readers.building.evaluations import shown
from cbreplay.readers.discovery.common_epochs import goes_with, laid_over
from cbreplay.readers.discovery.found_logs import has_rows
from cbreplay.readers.discovery.other_half import (
    DATA_SET,
    TRAINING_WORDS,
    may_name_data_set,
    name_of,
)
from cbreplay.series_names import PARTS_OF_CAMEL, is_validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import Run

__all__ = ["join_data_sets"]


def join_data_sets(found: FoundLogs) -> None:
    """Join the log of a training with that of its validation beside it.

    Their names differ in the data set alone, both hold a metric of the same name, and
    the validation is of the same epochs, or of every k-th of them.
    """
    if not any(may_name_data_set(log.run.source) for log in found.logs):
        return
    groups: dict[tuple[str, ...], dict[str, RunsOfLog]] = {}
    for log in found.logs:
        source = log.run.source
        if len(log.runs) == 1 and has_rows(source):
            called = name_of(source)
            groups.setdefault(called.others, {}).setdefault(called.data_set, log)
    joined: dict[RunsOfLog, RunsOfLog] = {}
    for logs in groups.values():
        trained = _training_among(logs)
        for data_set, log in logs.items():
            if trained is None or log is trained or data_set in ("", *TRAINING_WORDS):
                continue
            if _join(trained, log, data_set):
                joined[log] = trained
    found.join(joined)


def _training_among(logs: Mapping[str, RunsOfLog]) -> RunsOfLog | None:
    """Return the log of a training among logs whose names differ in the data set."""
    named = [logs[word] for word in TRAINING_WORDS if word in logs]
    # beside val_loss.csv that is loss.csv; logs_test.csv may be of a mere trial
    if not named and any(word.startswith("val") for word in logs):
        return logs.get("")
    return named[0] if named else None


def _join(trained: RunsOfLog, log: RunsOfLog, data_set: str) -> bool:
    """Join the log of a data set with that of a training; tell whether it was done.

    Where only their epochs do not go together, that is noted.
    """
    run, judged = trained.run, log.run
    names = _validations(judged, data_set)
    if not _are_alike(run, judged) or not run.series.keys().isdisjoint(names.values()):
        return False
    place = os.path.commonpath([os.path.dirname(own.source) for own in (run, judged)])
    files = " and ".join(
        os.path.relpath(own.source, place or None) for own in (run, judged)
    )
    if not goes_with(judged, run):
        trained.note(
            f"{files} may be of one training, by their names: their epochs do not go "
            "together, so each was read as a run"
        )
        return False
    trained.run = _with_validation(run, laid_over(judged, run).renamed(names), files)
    if os.path.dirname(run.source) != os.path.dirname(judged.source):
        trained.call_by_directory(place)
    return True


def _validations(judged: Run, data_set: str) -> dict[str, str]:
    """Return the names that the series of a data set get, by those they have."""
    if all(map(is_validation, judged.series)):
        return {name: name for name in judged.series}
    prefix = "val_" if data_set.startswith("val") else f"{data_set}_"
    return {name: f"{prefix}{name}" for name in judged.series}


def _are_alike(run: Run, judged: Run) -> bool:
    """Tell whether two logs hold a metric of one name, apart from its data set."""
    told = {*map(is_validation, judged.series)}
    trained = [name for name in run.series if not is_validation(name)]
    return len(told) == 1 and bool(_metrics(trained) & _metrics(judged.series))


def _metrics(names: Iterable[str]) -> set[str]:
    """Return what series measure, without the data set.

    >>> sorted(_metrics(["val_loss", "train/acc", "valLoss"]))
    ['acc', 'loss']
    """
    parted = [re.sub(PARTS_OF_CAMEL, "_", name).lower() for name in names]
    return {re.sub(DATA_SET, "", name).strip("-_./ ") for name in parted}


def _with_validation(run: Run, judged: Run, files: str) -> Run:
    """Return the run of a training with the series of its validation."""
    n_judged, n_epochs = judged.recorded_epochs, run.recorded_epochs
    note = f"{files} are of one training: the latter's series are "
    note += shown([*judged.series])
    if n_judged < n_epochs:
        note += f", with a value in {n_judged} of {n_epochs} epochs"
    return replace(
        run,
        series={**run.series, **judged.series},
        rounded_to={**run.rounded_to, **judged.rounded_to},
        not_logged=run.not_logged | judged.not_logged,
        empty_cells=run.empty_cells | judged.empty_cells,
        left_out={**judged.left_out, **run.left_out},
        notes=(*run.notes, *(own for own in judged.notes if own not in run.notes)),
    ).with_notes(note)
