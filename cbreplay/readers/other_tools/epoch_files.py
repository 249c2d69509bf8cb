"""JSON with a file for each epoch, as AllenNLP's ``metrics_epoch_0.json``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from cbreplay.errors import LogError
from cbreplay.readers.columns.column_names import EPOCH_NAMES
from cbreplay.readers.entries import list_entries
from cbreplay.readers.files import read_beginning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.readers.base import Damage

__all__ = ["read_files", "rows_of_epoch_files"]

_FILE = r"(metrics[_-])?epoch[_-]?(?P<epoch>[0-9]{1,9})\.json"
_HINT = "Put what is of another training into a directory of its own"


def read_files(directory: str, names: Sequence[str]) -> set[str]:
    """Return the files of epochs in a directory, and AllenNLP's summary of them."""
    of_epochs = {*_files_of_epochs(directory, names)}
    has_summary = any(name.startswith("metrics") for name in of_epochs)
    return of_epochs | {"metrics.json"} if has_summary else of_epochs


def _files_of_epochs(directory: str, names: Sequence[str]) -> list[str]:
    """Return the files of a directory that hold the values of one epoch each."""
    numbered = [name for name in names if re.fullmatch(_FILE, name)]
    # a list in a file is one of several epochs
    whole = len(numbered) > 1 and not any(
        b"[" in read_beginning(os.path.join(directory, name)) for name in numbered
    )
    return numbered if whole else []


def rows_of_epoch_files(directory: str, damage: Damage) -> list[dict[str, Any]]:
    """Return a row for each file of an epoch.

    Raises
    ------
    LogError
        If a file is no row, or says another epoch than its name.
    """
    # every directory is asked for such files, and few hold any
    from cbreplay.readers.other_tools.json_text import read_json

    names = [
        entry.name
        for entry in list_entries(directory)
        if entry.is_file(follow_symlinks=False)
    ]
    rows: dict[int, dict[str, Any]] = {}
    left = damage.max_bytes
    shift: int | None = None
    for name in sorted(_files_of_epochs(directory, names), key=_epoch_of):
        path = os.path.join(directory, name)
        held, epoch = read_json(path, left), _epoch_of(name)
        left -= os.path.getsize(path)
        if not isinstance(held, dict) or epoch in rows:
            problem = "this is not the one file of its epoch"
            raise LogError(problem, source=path, hint=_HINT)
        said = next((held.pop(own) for own in EPOCH_NAMES if own in held), None)
        if isinstance(said, int):
            shift = said - epoch if shift is None else shift
            if said - epoch != shift:
                problem = (
                    f"it says epoch {said}, where its name and the files before it "
                    f"make {epoch + shift}"
                )
                raise LogError(problem, source=path, hint=_HINT)
        rows[epoch] = held
    return [{"epoch": epoch + (shift or 0), **row} for epoch, row in rows.items()]


def _epoch_of(name: str) -> int:
    found = re.fullmatch(_FILE, name)
    return int(found["epoch"]) if found else -1
