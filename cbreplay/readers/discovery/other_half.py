"""What lies beside a log that was given alone: the other data set of its training."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import LogError
from cbreplay.plain_text import is_url
from cbreplay.readers.entries import event_files, is_event_file, list_entries
from cbreplay.series_names import PARTS_OF_CAMEL, is_validation

if TYPE_CHECKING:
    from cbreplay.run import Run

__all__ = [
    "DATA_SET",
    "TRAINING_WORDS",
    "FileName",
    "may_name_data_set",
    "name_of",
    "with_other_half",
]

# the words by which files of a data set are called
TRAINING_WORDS = ("train", "training")
DATA_SET = "(?<![a-z])(train(?:ing)?|val(?:id|idation)?|eval(?:uation)?|test)(?![a-z])"
# some of these letters are in every name of a data set
_LETTERS = ("train", "val", "eval", "test")
# the directories of Keras's TensorBoard callback, each with the other one
_OTHER_WRITER = {"train": "validation", "validation": "train"}


def with_other_half(run: Run, path: str) -> Run:
    """Return a run that says where the other data set of its training is.

    Parameters
    ----------
    run : Run
        What was read: a training alone, or a validation alone.
    path : str
        The only source that was given.
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
    return name_of(source).data_set.startswith("val")


def _is_of_other_data_set(source: str, other: str) -> bool:
    """Tell whether two files are called alike, one for training, one for validation.

    >>> _is_of_other_data_set("train.csv", "val.csv")
    True
    >>> _is_of_other_data_set("train.csv", "test.csv")
    False
    """
    if not any(map(may_name_data_set, (source, other))):
        return False
    names = name_of(source), name_of(other)
    trained = {name.data_set for name in names} & {"", *TRAINING_WORDS}
    alike = names[0].others == names[1].others
    return alike and bool(trained) and (_is_judged(source) or _is_judged(other))


def may_name_data_set(source: str) -> bool:
    """Tell, without much work, whether a file or its directory may name one."""
    called = "".join(source.rsplit(os.sep, 2)[-2:]).lower()
    return any(letters in called for letters in _LETTERS)


class FileName(NamedTuple):
    """What a file is called: its data set, '' if none, and everything else."""

    data_set: str
    others: tuple[str, ...]


def name_of(source: str) -> FileName:
    """Return the data set by which a file is called, or else its directory.

    >>> name_of("run/log_train.csv")
    FileName(data_set='train', others=('run', 'log', 'csv'))
    >>> name_of("run/val/log.csv")
    FileName(data_set='val', others=('run', '*', 'log', 'csv'))
    >>> name_of("run/loss.csv")
    FileName(data_set='', others=('run', 'loss', 'csv'))
    """
    place, file = os.path.split(source)
    above, directory = os.path.split(place)
    name = re.sub(PARTS_OF_CAMEL, "_", file).lower()
    found = re.findall(DATA_SET, name)
    where: tuple[str, ...] = (place,)
    if re.fullmatch(DATA_SET, directory.lower()) and {*found} <= {directory.lower()}:
        found, where = [directory.lower()], (above, "*")
    if len(found) > 1:
        return FileName("", (source,))
    words = re.split(r"[-_. ]+", re.sub(DATA_SET, "", name))
    return FileName("".join(found), (*where, *filter(None, words)))
