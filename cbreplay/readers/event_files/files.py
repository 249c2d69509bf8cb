"""The event files of a directory: where they are, what they hold, what is damaged."""

from __future__ import annotations

import os
import re
import stat
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.by_key import by_key
from cbreplay.errors import LogError
from cbreplay.readers.base import MOST_BYTES, SKIP_HINT
from cbreplay.readers.entries import (
    event_files,
    holds_events,
    is_directory,
    is_event_file,
    list_entries,
)
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.files import check_size, read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import Damage
    from cbreplay.readers.event_files.layouts import Layout
    from cbreplay.readers.event_files.scalar_table import EventTable

__all__ = [
    "LogFiles",
    "curve_roots",
    "find_files",
    "is_tag_directory",
    "read_files",
    "report_damage",
]

# the directories of the two writers of Keras's TensorBoard callback
_WRITERS = ("train", "validation")
_TIME = r"(?a)tfevents\.(\d+)"
_NUMBER_OR_TEXT = r"(?a)(\d+)|(\D+)"
_SHOWN = 3
# characters that tensorboardX replaces by _ in a tag, but not in a directory's name
_NO_TAG = r"[^-/\w.]"


def find_files(path: str) -> dict[str, list[str]]:
    """Return the event files of each writer, in the order they were begun.

    The path is a directory's or a file's. A writer of one series alone is called by it;
    see `curve_roots`.
    """
    files: dict[str, list[str]] = {"": [], "train": [], "validation": []}
    path = path.rstrip(os.sep) or path
    if not os.path.isdir(path):
        if is_event_file(path) or holds_events(read_beginning(path, 64)):
            files[_writer_of(os.path.dirname(path))].append(path)
        return files
    entries = list_entries(path)
    beside = event_files(entries, path)
    for writer, own in _by_writer(beside, path).items():
        files[writer] = _in_order(own)
    for entry in entries:
        if entry.name in _WRITERS and is_directory(entry, path):
            inside = list_entries(entry.path)
            files[entry.name] += _in_order(event_files(inside, path))
    others = [entry for entry in entries if not files.get(entry.name)]
    below = list(_nearest_writers(others))
    curves = curve_roots([path, *below] if beside else below, path)
    for at in below:
        if curves.get(at) == path:
            inside = list_entries(at)
            files[_series_of(at, path)] = _in_order(event_files(inside, path))
    return files


def _writer_of(directory: str) -> str:
    name = os.path.basename(os.path.abspath(directory))
    return name if name in _WRITERS else ""


def _by_writer(
    files: list[os.DirEntry[str]], directory: str
) -> dict[str, list[os.DirEntry[str]]]:
    r"""Return the files of a directory by their writers.

    An archive of Windows, unpacked elsewhere, leaves ``logs\train\events...`` as the
    name of a file. Only where all such names are of one training they tell the writer.
    """
    by_writer: dict[str, list[os.DirEntry[str]]] = {}
    roots = set()
    for file in files:
        *root, writer, _ = ["", *file.name.split(_OF_WINDOWS)]
        told = writer if writer in _WRITERS else ""
        roots.add((*root, "" if told else writer))
        by_writer.setdefault(told, []).append(file)
    if len(roots) > 1 or by_writer.keys() <= {""}:
        return {_writer_of(directory): files}
    return by_writer


_OF_WINDOWS = "\\"


def _in_order(files: list[os.DirEntry[str]]) -> list[str]:
    def begun(file: os.DirEntry[str]) -> tuple[int, list[tuple[int, str]]]:
        time = re.search(_TIME, file.name)
        # a process counts its writers: the tenth of a second comes after the ninth
        parts = re.findall(_NUMBER_OR_TEXT, file.name)
        named = [(int(number or 0), text) for number, text in parts]
        return int(time[1]) if time else 0, named

    return [file.path for file in sorted(files, key=begun)]


# how the curves of a training and of its validation are called
_DATA_SET = (
    r"(?i)(?<=[_/\\])(train(ing)?|val(id|idation)?|test(ing)?|eval(uation)?|dev)\Z"
)


def curve_roots(directories: Sequence[str], root: str) -> dict[str, str]:
    """Return which of some directories are of one curve each, with its training's.

    ``writer.add_scalars("loss", {"train": a, "val": b})`` opens a writer of its own for
    each curve, below its own event file: PyTorch's in ``loss_train/`` and
    ``loss_val/``, tensorboardX's in ``loss/train/`` and ``loss/val/``. Each calls its
    tag ``loss``. They are series of one training, and no trainings. Where its own
    event file is not there, those are that are called by data sets. A training's
    directory is looked for up to the root.
    """
    writers = set(directories)
    alike = by_key(directories, lambda at: re.sub(_DATA_SET, "", at))
    found: dict[str, str] = {}
    roots = set()
    for stem, curves in sorted(alike.items(), key=lambda own: -len(own[1])):
        several = len(curves) > 1
        # Keras calls its two writers so, which are no curves
        of_keras = several and {*map(os.path.basename, curves)} <= {*_WRITERS}
        for at in curves:
            for above in () if at in found else _above(at, root):
                if above in writers:
                    found |= {at: above} if is_tag_directory(at, above) else {}
                    break
                may_be = at != stem and not of_keras and (several or above in roots)
                if may_be and all(is_tag_directory(own, above) for own in curves):
                    found |= dict.fromkeys(curves, above)
                    roots.add(above)
                    break
    return found


def _above(directory: str, root: str) -> Iterator[str]:
    """Yield the directories above one, up to the root."""
    while directory not in (root, os.path.dirname(directory)):
        directory = os.path.dirname(directory)
        yield directory


def _nearest_writers(entries: Sequence[os.DirEntry[str]]) -> Iterator[str]:
    """Yield the directories below that hold event files, and none below those."""
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
            continue
        inside = list_entries(entry.path)
        if event_files(inside, entry.path):
            yield entry.path
        else:
            yield from _nearest_writers(inside)


def _series_of(directory: str, above: str) -> str:
    """Return what a series is called that a directory below a training's holds."""
    return os.path.relpath(directory, above).replace(os.sep, "/")


def is_tag_directory(directory: str, above: str) -> bool:
    """Tell whether a directory is called by the one tag in it, and by a curve.

    `above` is the directory of the training that it may belong to.
    """
    name = re.sub(_NO_TAG, "_", _series_of(directory, above))
    outer, deeper, _ = name.rpartition("/")
    if not (deeper or "_" in name):
        return False
    files = event_files(list_entries(directory), directory)
    if deeper and not all(outer.encode() in read_beginning(f.path) for f in files):
        # another training, known before the whole of it is read
        return False
    try:
        for file in files:
            check_size(file.path, MOST_BYTES)
        tags = {tag for file in files for tag in read_events(file.path).scalars}
    except LogError:
        return False
    if len(tags) != 1:
        return False
    tag = re.sub(_NO_TAG, "_", tags.pop())
    prefix = f"{tag}/" if deeper else f"{tag.replace('/', '_')}_"
    return name.startswith(prefix) and name != prefix


class LogFiles(NamedTuple):
    """The event files of each writer, and those that cannot be read at all."""

    files: dict[str, list[EventTable]]
    unread: list[LogError]
    notes: list[str]
    above: str = ""

    def name_of(self, path: str) -> str:
        """Return what one of the files is called in notes."""
        if self.above:
            return os.path.relpath(path, self.above)
        return os.path.basename(path)

    @property
    def tags(self) -> list[str]:
        """The tags of their scalars, in the order of the files.

        A writer of one series alone calls it by its directory.
        """
        named = [
            file.scalars if writer in ("", *_WRITERS) else [writer]
            for writer, files in self.files.items()
            for file in files
        ]
        return list(dict.fromkeys(tag for tags in named for tag in tags))

    @property
    def tables(self) -> list[EventTable]:
        """What the files hold, in their order."""
        return [table for files in self.files.values() for table in files]


def read_files(paths: Sequence[str], most: int, above: str = "") -> LogFiles:
    """Read the event files of a directory, or one, each of at most so many bytes.

    Several directories, below another one, are read as one log.
    """
    log = LogFiles({}, [], [], above)
    empty: list[LogError] = []
    for writer, listed in chain(*(find_files(path).items() for path in paths)):
        files = log.files.setdefault(writer, [])
        for file in listed:
            try:
                check_size(file, most)
                files.append(read_events(file, most=most))
            except LogError as error:
                (empty if _is_empty(file) else log.unread).append(error)
    if not above:
        log.notes.extend(_several_files(log))
    if not any(log.files.values()) and not log.unread:
        log.unread.extend(empty[:1])
    elif empty:
        # the writer has not written anything yet
        paths = [str(error.source) for error in empty]
        log.notes.append(f"empty files were passed by: {_named(paths)}")
    alone = [name for name in log.files if name not in ("", *_WRITERS)]
    if alone:
        log.notes.append(
            f"{', '.join(alone)}: directories of one series each, as add_scalars "
            "writes them, were read as series of one training"
        )
    log.notes.extend(
        f"{os.path.basename(table.path)} was read as far as it is whole: "
        f"{table.unfinished.problem}"
        for table in log.tables
        if table.unfinished is not None
    )
    return log


def _several_files(log: LogFiles) -> Iterator[str]:
    """Say which writers have several files; name these only if they are of one."""
    held = {
        writer or "the directory": [table.path for table in files if table.scalars]
        for writer, files in log.files.items()
    }
    several = {writer: paths for writer, paths in held.items() if len(paths) > 1}
    if not several:
        return
    (writer, paths), *others = several.items()
    also = "".join(f" and {other} {len(more)}" for other, more in others)
    named = "" if others else f": {_named(paths)}"
    yield (
        f"{writer} holds {len(paths)} event files{also}, read in the order of their "
        f"times{named}"
    )


def _is_empty(path: str) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return found.st_size == 0 and stat.S_ISREG(found.st_mode)


def _named(paths: list[str]) -> str:
    more = ", ..." if len(paths) > _SHOWN else ""
    return ", ".join(map(os.path.basename, paths[:_SHOWN])) + more


def report_damage(log: LogFiles, layout: Layout | None, damage: Damage) -> None:
    """Report what is damaged, file for file, in the order of each file."""
    for error in log.unread:
        damage.report(error)
    for writer, files in log.files.items():
        for table in files:
            errors = [*table.damage.errors]
            if layout is not None:
                errors += _negative_steps(table, writer, layout)
            for error in sorted(errors, key=lambda one: one.byte or 0):
                damage.report(error)
            damage.n_more += table.damage.n_more


def _negative_steps(
    table: EventTable, writer: str, layout: Layout
) -> Iterator[LogError]:
    for tag, own in table.scalars.items():
        if own.steps.min() < 0 and layout.series_name(tag, writer) is not None:
            steps, _, _, offsets = own.below(0)
            for step, byte in zip(steps, offsets.tolist(), strict=True):
                problem = f"{tag} has the step {step}, below 0"
                yield LogError(problem, source=table.path, byte=byte, hint=SKIP_HINT)
