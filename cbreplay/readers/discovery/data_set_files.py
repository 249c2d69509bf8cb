"""One training whose log has a file for each data set: ``train.log``, ``val.log``.

They lie in one directory, or are called alike in ``train/`` and ``val/``. Of one that
was given alone, the other is named.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import LogError
from cbreplay.readers.building.evaluations import shown
from cbreplay.readers.discovery.common_epochs import (
    goes_with,
    laid_over,
    with_series_of,
)
from cbreplay.readers.discovery.found_logs import has_rows
from cbreplay.readers.entries import event_files, is_event_file, list_entries
from cbreplay.series_names import PARTS_OF_CAMEL, is_validation
from cbreplay.wording.plain_text import is_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cbreplay.readers.discovery.found_logs import FoundLogs, RunsOfLog
    from cbreplay.run import Run

__all__ = ["join_data_sets", "with_other_half"]


def join_data_sets(found: FoundLogs) -> None:
    """Join the log of a training with that of its validation beside it.

    Their names differ in the data set alone, both hold a metric of the same name, and
    the validation is of the same epochs, or of every k-th of them.
    """
    if not any(_may_name_data_set(log.run.source) for log in found.logs):
        return
    groups: dict[tuple[str, ...], dict[str, RunsOfLog]] = {}
    for log in found.logs:
        source = log.run.source
        if len(log.runs) == 1 and has_rows(source):
            called = _name_of(source)
            groups.setdefault(called.others, {}).setdefault(called.data_set, log)
    joined: dict[RunsOfLog, RunsOfLog] = {}
    for logs in groups.values():
        trained = _training_among(logs)
        for data_set, log in logs.items():
            if trained is None or log is trained or data_set in ("", *_TRAINING_WORDS):
                continue
            if _join(trained, log, data_set):
                joined[log] = trained
    found.join(joined)


def _training_among(logs: Mapping[str, RunsOfLog]) -> RunsOfLog | None:
    """Return the log of a training among logs whose names differ in the data set."""
    named = [logs[word] for word in _TRAINING_WORDS if word in logs]
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
    return {re.sub(_DATA_SET, "", name).strip("-_./ ") for name in parted}


def _with_validation(run: Run, judged: Run, files: str) -> Run:
    """Return the run of a training with the series of its validation."""
    n_judged, n_epochs = judged.recorded_epochs, run.recorded_epochs
    note = f"{files} are of one training: the latter's series are "
    note += shown([*judged.series])
    if n_judged < n_epochs:
        note += f", with a value in {n_judged} of {n_epochs} epochs"
    return with_series_of(run, judged).with_notes(note)


# the words by which files of a data set are called
_TRAINING_WORDS = ("train", "training")
_DATA_SET = "(?<![a-z])(train(?:ing)?|val(?:id|idation)?|eval(?:uation)?|test)(?![a-z])"
# some of these letters are in every name of a data set
_LETTERS = ("train", "val", "eval", "test")
# the directories of Keras's TensorBoard callback, each with the other one
_OTHER_WRITER = {"train": "validation", "validation": "train"}


def with_other_half(run: Run, path: str) -> Run:
    """Return a run that says where the other data set of its training is.

    A training alone was read, or a validation alone, and no other source was given.
    """
    if is_url(path) or not os.path.exists(path):
        return run
    try:
        found = _other_events(path) or _other_file(path)
    except LogError:
        # a directory that cannot be listed tells nothing
        return run
    if found is None:
        return run
    beside, give = found
    if all(map(is_validation, run.series)):
        return run.with_notes(f"its training is in {beside}: give {give}")
    reason = f"it is in {beside}, which was not given: give {give}"
    if give.endswith(path):
        reason = f"this is the validation of {beside}, by its name: give {give}"
    return replace(
        run,
        left_out={f"val_{name}": reason for name in run.series} | {**run.left_out},
    )


def _other_events(path: str) -> tuple[str, str] | None:
    """Return the directory of the other writer, and the one above both."""
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    if directory != path and not is_event_file(path):
        return None
    # as it was typed, where that names the writer: "tb/train", not "."
    place = os.path.normpath(directory)
    if os.path.basename(place) not in _OTHER_WRITER:
        place = os.path.abspath(directory)
    above, name = os.path.split(place)
    other = os.path.join(above, _OTHER_WRITER.get(name, name))
    if other == place or not os.path.isdir(other):
        return None
    above = above or os.curdir
    if not event_files(list_entries(other), above):
        return None
    if os.path.isabs(above) and not os.path.isabs(directory):
        other, above = os.path.relpath(other), os.path.relpath(above)
    return other, f"{above} instead"


def _other_file(path: str) -> tuple[str, str] | None:
    """Return the file of the other data set, and what to give to have both."""
    if not os.path.isfile(path):
        return None
    directory = os.path.dirname(path)
    names = sorted(entry.name for entry in list_entries(directory or os.curdir))
    for name in names:
        beside = os.path.join(directory, name)
        if _is_of_other_data_set(path, beside):
            pair = (beside, path) if _is_judged(path) else (path, beside)
            return beside, f"both, {pair[0]} {pair[1]}"
    return None


def _is_judged(source: str) -> bool:
    """Tell whether a file is called that of a validation."""
    return _name_of(source).data_set.startswith("val")


def _is_of_other_data_set(source: str, other: str) -> bool:
    """Tell whether two files are called alike, one for training, one for validation.

    >>> _is_of_other_data_set("train.csv", "val.csv")
    True
    >>> _is_of_other_data_set("train.csv", "test.csv")
    False
    """
    if not any(map(_may_name_data_set, (source, other))):
        return False
    names = _name_of(source), _name_of(other)
    trained = {name.data_set for name in names} & {"", *_TRAINING_WORDS}
    alike = names[0].others == names[1].others
    return alike and bool(trained) and (_is_judged(source) or _is_judged(other))


def _may_name_data_set(source: str) -> bool:
    """Tell, without much work, whether a file or its directory may name one."""
    called = "".join(source.rsplit(os.sep, 2)[-2:]).lower()
    return any(letters in called for letters in _LETTERS)


class _FileName(NamedTuple):
    """What a file is called: its data set, '' if none, and everything else."""

    data_set: str
    others: tuple[str, ...]


def _name_of(source: str) -> _FileName:
    """Return the data set by which a file is called, or else its directory.

    >>> _name_of("run/log_train.csv")
    _FileName(data_set='train', others=('run', 'log', 'csv'))
    >>> _name_of("run/val/log.csv")
    _FileName(data_set='val', others=('run', '*', 'log', 'csv'))
    >>> _name_of("run/loss.csv")
    _FileName(data_set='', others=('run', 'loss', 'csv'))
    """
    place, file = os.path.split(source)
    above, directory = os.path.split(place)
    name = re.sub(PARTS_OF_CAMEL, "_", file).lower()
    found = re.findall(_DATA_SET, name)
    where: tuple[str, ...] = (place,)
    if re.fullmatch(_DATA_SET, directory.lower()) and {*found} <= {directory.lower()}:
        found, where = [directory.lower()], (above, "*")
    if len(found) > 1:
        return _FileName("", (source,))
    words = re.split(r"[-_. ]+", re.sub(_DATA_SET, "", name))
    return _FileName("".join(found), (*where, *filter(None, words)))
