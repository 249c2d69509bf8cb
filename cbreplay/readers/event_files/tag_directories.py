"""Directories that hold one series each, as ``add_scalars`` writes them.

``writer.add_scalars("loss", {"train": a, "val": b})`` opens a writer of its own for
each curve, below its own event file: PyTorch's in ``loss_train/`` and ``loss_val/``,
tensorboardX's in ``loss/train/`` and ``loss/val/``. Each calls its tag ``loss``. They
are series of one training, and no trainings.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.entries import event_files, list_entries
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.files import read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_tag_directories", "is_tag_directory", "series_of"]

# what tensorboardX puts a line for in a tag, and leaves in the directory's name
_NO_TAG = re.compile(r"[^-/\w.]")


def find_tag_directories(
    entries: Sequence[os.DirEntry[str]], directory: str
) -> Iterator[str]:
    """Yield the directories below one that hold a series of its training each."""
    if event_files(entries, directory):
        for below in _nearest_writers(entries):
            if is_tag_directory(below, directory):
                yield below


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


def series_of(directory: str, above: str) -> str:
    """Return what a series is called that a directory below a training's holds."""
    return os.path.relpath(directory, above).replace(os.sep, "/")


def is_tag_directory(directory: str, above: str) -> bool:
    """Tell whether a directory is called by the one tag in it, and by a curve.

    Parameters
    ----------
    directory : str
        It holds event files.
    above : str
        The directory of the training that it may belong to.
    """
    name = _NO_TAG.sub("_", series_of(directory, above))
    outer, deeper, _ = name.rpartition("/")
    if not (deeper or "_" in name):
        return False
    files = event_files(list_entries(directory), directory)
    if deeper and not all(outer.encode() in read_beginning(f.path) for f in files):
        # another training, known before the whole of it is read
        return False
    try:
        tags = {tag for file in files for tag in read_events(file.path).tags}
    except LogError:
        return False
    if len(tags) != 1:
        return False
    tag = _NO_TAG.sub("_", tags.pop())
    prefix = f"{tag}/" if deeper else f"{tag.replace('/', '_')}_"
    return name.startswith(prefix) and name != prefix
