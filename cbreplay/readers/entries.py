"""How a directory is listed, and which event files among its entries may be read."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.readers.files import cannot_open, read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "event_files",
    "holds_events",
    "is_directory",
    "is_event_file",
    "is_hidden",
    "list_entries",
]

_HEAD = 64
# bytes that are in no text, but in the length of any record
_NO_TEXT = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")
# when a writer began, in the names that TensorFlow gives; what a text may end with
_TIME = r"(?a)\Aevents\.out\.tfevents\.\d+"
_TEXT = (".csv", ".tsv", ".txt", ".log", ".json", ".jsonl", ".gz")
# TensorFlow's writers begin a file with a record of their version
_VERSION = b"brain.Event:"


def list_entries(directory: str) -> list[os.DirEntry[str]]:
    """Return the entries of a directory, in the order of the system.

    Raises
    ------
    UnreadableError
        If it cannot be listed.
    """
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError as error:
        raise cannot_open(directory, error) from None


def is_hidden(name: str) -> bool:
    """Tell whether a name is that of a hidden file or directory.

    TensorBoard's page calls a download so whose run is the directory itself, ``.``.

    >>> is_hidden(".git"), is_hidden(".-tag-val_loss.csv")
    (True, False)
    """
    return name.startswith(".") and not name.startswith(".-tag-")


def is_event_file(path: str) -> bool:
    """Tell whether a file is one of event records, by its name and its first bytes.

    A name is believed unless the file holds text: ``tfevents...__all.csv`` is a CSV.
    """
    # asked of every file, and of nearly all no more than this
    if "tfevents" not in path or "tfevents" not in (name := os.path.basename(path)):
        return False
    if re.search(_TIME, name) and not name.endswith(_TEXT):
        # known by its name, so that hundreds of files are not opened twice
        return True
    beginning = read_beginning(path, _HEAD)
    return not beginning or not _NO_TEXT.isdisjoint(beginning)


def holds_events(beginning: bytes) -> bool:
    """Tell whether a file that begins with these bytes is one of event records."""
    return beginning[4:8] == bytes(4) and _VERSION in beginning[:_HEAD]


def event_files(
    entries: Iterable[os.DirEntry[str]], root: str
) -> list[os.DirEntry[str]]:
    """Return those of some entries that are event files under the root.

    Links that lead out of the root are left alone.
    """
    return [
        entry
        for entry in entries
        if "tfevents" in entry.name
        and _is_ours(entry, root)
        and is_event_file(entry.path)
    ]


def is_directory(entry: os.DirEntry[str], root: str = "") -> bool:
    """Tell whether an entry is a directory, or links to one, under a root if any."""
    try:
        return entry.is_dir() and (not root or _is_inside(entry, root))
    except OSError:
        return False


def _is_ours(entry: os.DirEntry[str], root: str) -> bool:
    """Tell whether a file is below the root, also after following links."""
    try:
        # a pipe would wait for its writer
        shown = not is_hidden(entry.name) and entry.is_file()
    except OSError:
        # links in a circle
        return False
    return shown and _is_inside(entry, root)


def _is_inside(entry: os.DirEntry[str], root: str) -> bool:
    """Tell whether an entry found under the root is no link that leads out of it."""
    if not entry.is_symlink():
        return True
    inside = os.path.join(os.path.realpath(root), "")
    return os.path.realpath(entry.path).startswith(inside)
