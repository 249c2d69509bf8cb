"""One training whose log has a file for each series: those files as one run.

TensorBoard's page offers a CSV of one series at a time, Neptune's users save one for
each, called by it, and DVCLive and CatBoost write TSVs: files of one run in one
directory are no trainings of their own.

The newer page names a file by its tag alone, and a browser numbers the next:
``epoch_loss.csv`` and ``epoch_loss (1).csv``. Keras writes the value of an epoch's
validation a moment after that of its training.
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
from cbreplay.near_series import METRIC_ALIASES
from cbreplay.readers.building.rate_columns import KERAS_RATE_TAGS, logged_rate
from cbreplay.readers.columns.column_names import CATBOOST
from cbreplay.readers.discovery.common_epochs import (
    goes_with,
    laid_over,
    with_series_of,
)
from cbreplay.readers.discovery.found_logs import note_left_out
from cbreplay.readers.files import read_beginning
from cbreplay.readers.formats import content_format, is_stored_metric
from cbreplay.readers.other_tools.tensorboard_page import (
    NAMED_BY_RUN,
    UNTOLD_DATA_SET,
)
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.readers.discovery.found_logs import FoundLogs, RunsOfLog
    from cbreplay.run import FloatArray, Run

__all__ = ["join_series_files", "leave_out_rates", "tell_data_sets"]

# a file that the newer page names by a tag of Keras's, and what browsers add
_BY_TAG = (
    r"(?i)(?P<tag>epoch_(?P<metric>\w+?))(?:[ -]?\(?\d+\)?)?\.(?:csv|json)(?:\.gz)?"
)
# what Keras's callback calls its two writers, at the end of a run's name
_WRITER = r"(?i)(?:^|[_./\\-])(?:train|validation)$"
_DVCLIVE = r"(?P<place>.*)[/\\]plots[/\\]metrics[/\\](?P<name>.+)\.tsv"


def join_series_files(found: FoundLogs) -> None:
    """Join the files of one training that hold one series each."""
    groups = by_key(found.logs, _training_of)
    joined: dict[RunsOfLog, RunsOfLog] = {}
    refused: dict[RunsOfLog, LogError] = {}
    for (place, training), own in groups.items():
        logs = _with_one_rate(own)
        named = [name for log in logs for name in log.run.series]
        kind, _, label = training.partition(" ")
        told = {*map(_measure, named)} if kind == "called" else {*named}
        several = len(logs) > 1 and len(told) == len(named)
        try:
            whole = _whole(logs, found.options) if several else None
        except LogError as error:
            refused |= dict.fromkeys(logs, error)
            continue
        if whole is None:
            continue
        first, *others = logs
        joined |= dict.fromkeys(others, first)
        first.run = whole
        if label and len([other for other in groups if other[0] == place]) > 1:
            # files of several runs lie here, named by the run
            above, above_long = map(os.path.dirname, (first.name, first.long_name))
            first.name = os.path.join(above, label)
            first.long_name = os.path.join(above_long, label)
        else:
            first.call_by_directory(place)
    found.join(joined)
    _leave_out(found, refused)


def _whole(logs: Sequence[RunsOfLog], options: ReadOptions) -> Run | None:
    """Return the run of which files hold a series each; None if they are of several.

    MLflow's say which metric a row is of: they are read as one where their steps do not
    go together, which tells what these count.

    Raises
    ------
    LogError
        If nothing tells what the steps count.
    """
    if _are_alike(logs):
        return _joined(logs)
    paths = [log.run.source for log in logs]
    if not all(map(os.path.isfile, paths)):
        # what a URL gave is here no longer
        return None
    beginnings = [*map(read_beginning, paths)]
    of_mlflow = {*map(content_format, beginnings)} == {"mlflow"}
    if not of_mlflow or any(map(is_stored_metric, beginnings)):
        return None
    from cbreplay.readers.other_tools.mlflow import MLflowReader

    runs = [*MLflowReader(options).read_files(paths)]
    return runs[0].with_notes(_joined_note(paths)) if len(runs) == 1 else None


def _leave_out(found: FoundLogs, errors: Mapping[RunsOfLog, LogError]) -> None:
    """Leave out logs with a note of each error; raise it if nothing else is there."""
    if errors and len(errors) == len(found.logs):
        raise next(iter(errors.values()))
    found.take_out({log: own.problem for log, own in errors.items()}, "dropped")
    once = dict.fromkeys(errors.values())
    found.notes += [note_left_out(error, strict=True) for error in once]


def _holds_only_rates(log: RunsOfLog) -> bool:
    """Tell whether a file holds a learning rate, which is no training by itself."""
    return all(all(map(is_rate_name, run.series)) for run in log.runs)


def _with_one_rate(logs: list[RunsOfLog]) -> list[RunsOfLog]:
    """Return the files of metrics, and that of their rate where there is just one.

    Several rates, or one of other epochs, keep no metric from the others.
    """
    metrics = [log for log in logs if not _holds_only_rates(log)]
    rates = [log for log in logs if _holds_only_rates(log)]
    alone = bool(metrics) and len(rates) == 1
    return (
        logs if alone and _span(rates[0].run) == _span(_longest(metrics)) else metrics
    )


def leave_out_rates(found: FoundLogs) -> None:
    """Leave out learning rates that belong to no file of metrics, with notes of them.

    Raises
    ------
    LogError
        If nothing else is there.
    """
    errors = {
        log: LogError(
            "it holds no metric, only a learning rate",
            source=log.run.source,
            hint="Give the log of a metric too, and one rate of the same epochs",
        )
        for log in filter(_holds_only_rates, found.logs)
    }
    _leave_out(found, errors)


def _training_of(log: RunsOfLog) -> tuple[str, str] | None:
    """Return the directory and name of the training that a log is one series of.

    None for any other log. Series of CatBoost and DVCLive get their full names, in
    `log` itself.
    """
    run = log.run
    trees = re.fullmatch(CATBOOST, os.path.basename(run.source))
    if trees is not None and len(log.runs) == 1:
        log.run = run.renamed({name: f"{trees[1]}/{name}" for name in run.series})
        return os.path.dirname(run.source), "catboost"
    live = re.fullmatch(_DVCLIVE, run.source)
    timed = len(log.runs) == 1 and len(run.series) > 1 and _TIMES in run.series
    if live is not None and timed:
        # older versions of DVCLive write the time as a number
        others = {name: own for name, own in run.series.items() if name != _TIMES}
        run = log.run = replace(run, series=others)
    if len(log.runs) > 1 or len(run.series) > 1 or run.seams:
        return None
    place, file = os.path.split(run.source)
    page = re.fullmatch(NAMED_BY_RUN, file)
    if page is not None:
        return place, f"page {re.sub(_WRITER, '', page['run'])}"
    if re.fullmatch(_BY_TAG, file) is not None:
        return place, "page "
    if live is None:
        called, series = (
            re.sub("[ -]", "_", name) for name in (file.partition(".")[0], *run.series)
        )
        label = called.removesuffix(series)
        is_called_so = called.endswith(series) and (not label or label.endswith("_"))
        return (place, f"called {label[:-1]}") if is_called_so else None
    name = live["name"].replace(os.sep, "/")
    log.run = run.renamed(dict.fromkeys(run.series, name))
    return live["place"], "dvclive"


def _measure(name: str) -> tuple[str, bool]:
    """Return the metric in a file's name, without the training or part it may tell.

    >>> _measure("seed0_loss") == _measure("seed1_loss") != _measure("val_loss")
    True
    """
    short = METRIC_ALIASES.get(name, name)
    return short.rpartition("_")[2], is_validation(name)


def _are_alike(logs: Sequence[RunsOfLog]) -> bool:
    """Tell whether series are of the same epochs; a validation may be of every k-th."""
    longest = _longest(logs)
    return all(goes_with(log.run, longest) for log in logs)


def _span(run: Run) -> tuple[int, int, int]:
    return run.first_epoch, run.horizon, run.counts_from


def _longest(logs: Sequence[RunsOfLog]) -> Run:
    """Return the run that has the most epochs, the first of several."""
    return max((log.run for log in logs), key=lambda run: run.recorded_epochs)


def _joined(logs: Sequence[RunsOfLog]) -> Run:
    # a rate is that of the run that the metrics make
    logs = sorted(logs, key=_holds_only_rates)
    longest = _longest(logs)
    runs = [laid_over(log.run, longest) for log in logs]
    metrics = runs[:-1] if _holds_only_rates(logs[-1]) else runs
    paths = [run.source for run in runs]
    notes = (_joined_note(paths), *with_series_of(*runs).notes)
    joined = replace(with_series_of(*metrics), notes=notes)
    if len(metrics) < len(runs):
        file = os.path.basename(paths[-1])
        page = re.fullmatch(NAMED_BY_RUN, file) or re.fullmatch(_BY_TAG, file)
        # another tool writes the rate of each row
        source = KERAS_RATE_TAGS.get("" if page is None else page["tag"], "")
        logged = logged_rate(next(iter(runs[-1].series.values())), source)
        joined = replace(
            joined,
            learning_rate=logged.rate,
            learning_rate_rounding=logged.rounding,
            rate_source=logged.source,
        ).with_notes(*logged.notes)
    return joined


def _joined_note(paths: Sequence[str]) -> str:
    names = list(map(os.path.basename, paths))
    if len(set(names)) < len(names):
        above = os.path.commonpath(paths)
        names = [os.path.relpath(path, above) for path in paths]
    files = list_first(names, _SHOWN)
    return f"{files} hold a series each, and were read as one training"


_SHOWN, _TIMES = 5, "timestamp"


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
    named = re.fullmatch(_BY_TAG, file)
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
