"""What stands in a directory, and which of its event files may be followed."""

from __future__ import annotations

import os

from cbreplay.readers.base import cannot_open

__all__ = ["event_files", "list_entries"]


def list_entries(directory: str) -> list[os.DirEntry[str]]:
    """Return what stands in a directory, in the order of the system.

    Raises
    ------
    LogError
        If it cannot be listed.
    """
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError as error:
        raise cannot_open(directory, error) from None


def event_files(directory: str, root: str) -> list[str]:
    """Return the names of the event files in a directory under the root.

    Links that lead out of the root are left alone.

    Raises
    ------
    LogError
        If the directory cannot be listed.
    """
    if not os.path.isdir(directory):
        return []
    linked = directory != root and os.path.islink(directory)
    if linked and not _is_inside(directory, root):
        return []
    return [
        entry.name
        for entry in list_entries(directory)
        if "tfevents" in entry.name and _is_ours(entry, root)
    ]


def _is_ours(entry: os.DirEntry[str], root: str) -> bool:
    """Tell whether a file lies under the root."""
    try:
        # a pipe would wait for its writer
        if entry.name.startswith(".") or not entry.is_file():
            return False
    except OSError:
        # links that lead in a circle
        return False
    return not entry.is_symlink() or _is_inside(entry.path, root)


def _is_inside(path: str, root: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(os.path.realpath(root), ""))
