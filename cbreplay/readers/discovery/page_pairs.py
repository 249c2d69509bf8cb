"""Downloads of one tag, ``epoch_loss.csv`` and ``epoch_loss (1).csv``: whose is which.

TensorBoard's newer page names a file by its tag alone, and a browser numbers the next.
Keras writes the value of an epoch's validation a moment after that of its training.
"""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.other_tools.tensorboard_page import UNTOLD_DATA_SET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.discovery.found_logs import FoundLogs
    from cbreplay.readers.discovery.run_names import RunsOfLog
    from cbreplay.run import FloatArray, Run

__all__ = ["BY_TAG", "tell_data_sets"]

# a file that the newer page names by a tag of Keras's, and what browsers add
BY_TAG = (
    r"(?i)(?P<tag>epoch_(?P<metric>\w+?))(?:[ -]?\(?\d+\)?)?\.(?:csv|json)(?:\.gz)?"
)
# two values that Keras writes one after the other are half a thousandth apart; two
# trainings do not keep so near to each other
_MOMENT = 0.1
# and so far apart, in seconds, they are not of one epoch
_APART = 60.0


def tell_data_sets(found: FoundLogs) -> None:
    """Name the series of a training and of its validation that were downloaded alike.

    Copies of a download are left out.

    Raises
    ------
    LogError
        If two files of one tag may be of a training and of its validation, and their
        times do not tell which is which.
    """
    copies: dict[RunsOfLog, str] = {}
    for (_, tag), logs in by_key(found.logs, _place_and_tag).items():
        copies |= _copies_among(logs)
        distinct = [log for log in logs if log not in copies]
        if len(distinct) > 1:
            _tell_apart(distinct, tag)
    found.take_out(copies, "passed by")


def _place_and_tag(log: RunsOfLog) -> tuple[str, str] | None:
    place, file = os.path.split(log.run.source)
    named = re.fullmatch(BY_TAG, file)
    if named is None or [*log.run.series] != [named["tag"]]:
        return None
    return place, named["tag"]


def _copies_among(logs: Sequence[RunsOfLog]) -> dict[RunsOfLog, str]:
    """Return the logs with the times and values of one before them, and say so."""
    first: dict[tuple[object, ...], RunsOfLog] = {}
    copies = {}
    for log in logs:
        run = log.run
        (series,) = run.series.values()
        key = (run.first_epoch, run.started, series.values.tobytes())
        home = first.setdefault(key, log)
        if home is not log:
            home.note(f"{log.name} is a copy: it was read once")
            copies[log] = f"the same download as {home.name}"
    return copies


def _tell_apart(logs: Sequence[RunsOfLog], tag: str) -> None:
    """Name the series of two logs that are of one training; refuse doubtful ones."""
    pairs = [
        (trained, judged)
        for trained, judged in itertools.permutations(logs, 2)
        if _follows(judged.run, trained.run)
    ]
    if len(logs) == _TWO and len(pairs) == 1:
        metric = tag.removeprefix("epoch_")
        trained, judged = pairs[0]
        note = (
            f"{trained.name} is of the training, and {judged.name} of its validation: "
            "Keras wrote each value of the latter a moment after that of the former"
        )
        trained.run = _called(trained.run, tag, metric).with_notes(note)
        judged.run = _called(judged.run, tag, f"val_{metric}")
        return
    both = itertools.combinations([log.run for log in logs], 2)
    if pairs or not all(_are_apart(*pair) for pair in both):
        raise _doubtful(logs, tag)


_TWO = 2


def _called(run: Run, tag: str, name: str) -> Run:
    notes = tuple(note for note in run.notes if note != UNTOLD_DATA_SET)
    return replace(run.renamed({tag: name}), notes=notes)


def _doubtful(logs: Sequence[RunsOfLog], tag: str) -> LogError:
    first, second = (os.path.basename(log.run.source) for log in logs[:_TWO])
    problem = (
        f"{first} and {second} may be of a training and of its validation, and nothing "
        "tells which is which"
    )
    hint = (
        "Call each as TensorBoard's older page does, by its run: "
        f"run-train-tag-{tag}.csv, run-validation-tag-{tag}.csv"
    )
    return LogError(problem, source=logs[0].run.source, hint=hint)


def _times(run: Run) -> FloatArray:
    """Return when each epoch of a run was logged; none where a time is not known."""
    took = run.epoch_seconds
    if run.started is None or took is None or not took.recorded[1:].all():
        return np.zeros(0)
    times: FloatArray = run.started + np.append(0.0, np.cumsum(took.values[1:]))
    return times


def _follows(judged: Run, trained: Run) -> bool:
    """Tell whether each value was logged a moment after that of the other run.

    A moment is far less than an epoch takes.
    """
    own, others = _times(judged), _times(trained)
    alike = judged.first_epoch == trained.first_epoch and len(own) == len(others)
    if not alike or len(own) < _FEWEST:
        return False
    later = own - others
    most = min(_MOMENT, float(np.diff(others).min()) / 2)
    return bool(((later > 0) & (later < most)).all())


_FEWEST = 3


def _are_apart(run: Run, other: Run) -> bool:
    """Tell whether two runs logged an epoch at times that one training cannot have."""
    own, others = _times(run), _times(other)
    if not len(own) or not len(others):
        return False
    shift = other.first_epoch - run.first_epoch
    epochs = range(max(0, shift), min(len(own), shift + len(others)))
    apart = [abs(own[epoch] - others[epoch - shift]) for epoch in epochs]
    return max(apart, default=0.0) > _APART
