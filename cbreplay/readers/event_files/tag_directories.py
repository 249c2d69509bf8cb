"""Directories that hold one series each, as ``add_scalars`` of PyTorch writes them.

``writer.add_scalars("loss", {"train": a, "val": b})`` opens a writer of its own for
each curve, in ``loss_train/`` and ``loss_val/`` beside its own event file; both call
their tag ``loss``. They are series of one training, and no trainings.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.entries import event_files, list_entries
from cbreplay.readers.event_files.reading import read_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_tag_directories", "is_tag_directory"]


def find_tag_directories(
    entries: Sequence[os.DirEntry[str]], directory: str
) -> Iterator[os.DirEntry[str]]:
    """Yield those entries of a directory that hold a series of its training each."""
    if not event_files(entries, directory):
        return
    for entry in sorted(entries, key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and is_tag_directory(entry.path):
            yield entry


def is_tag_directory(directory: str) -> bool:
    """Tell whether a directory is called by the one tag in it, and by a curve."""
    name = os.path.basename(directory)
    if "_" not in name or name.startswith("."):
        return False
    files = event_files(list_entries(directory), directory)
    try:
        tags = {tag for file in files for tag in read_events(file.path).tags}
    except LogError:
        return False
    if len(tags) != 1:
        return False
    prefix = tags.pop().replace("/", "_") + "_"
    return name.startswith(prefix) and name != prefix
