"""MLflow's own store of files: a file of ``timestamp value step`` for each metric."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.entries import list_entries
from cbreplay.readers.files import read_beginning, read_bytes
from cbreplay.readers.formats import is_stored_metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import Damage

__all__ = ["is_stored_run", "stored_rows", "stored_run_above"]

_METRICS = "metrics"
# a metric may be logged without a step
_CELLS = ("timestamp", "value", "step")


def is_stored_run(directory: str) -> bool:
    """Tell whether a directory is a run of MLflow's store, or a copy of its metrics.

    It lies at ``mlruns/<experiment>/<run>``.
    """
    metrics = _metrics_of(directory)
    if not os.path.isdir(metrics):
        return False
    about = os.path.join(directory, "meta.yaml")
    if os.path.isfile(about) and (told := read_beginning(about)):
        return any(key in told for key in (b"run_id:", b"run_uuid:"))
    try:
        heads = (read_beginning(path, _HEAD) for path in sorted(_files_below(metrics)))
        return is_stored_metric(next(filter(None, heads), b""))
    except LogError:
        # a directory that cannot be listed is none that is known
        return False


_HEAD = 100


def _metrics_of(run: str) -> str:
    return os.path.join(run, _METRICS)


def stored_run_above(path: str) -> str | None:
    """Return the run that a file or directory of metrics belongs to; None if none.

    >>> stored_run_above("logs/val_loss") is None
    True
    """
    try:
        above = os.path.abspath(path)
    except FileNotFoundError:
        # the working directory is gone
        return None
    while (name := os.path.basename(above)) and name != _METRICS:
        above = os.path.dirname(above)
    run = os.path.dirname(above)
    if not name or not is_stored_run(run):
        return None
    return run if os.path.isabs(path) else os.path.relpath(run)


def stored_rows(place: str, damage: Damage) -> list[dict[str, str]]:
    """Return what a run logged, or what one metric's file holds, as an export's rows.

    Raises
    ------
    LogError
        If a line is no metric.
    """
    if not os.path.isdir(place):
        name = os.path.basename(place).removesuffix(".txt")
        return _rows_of_metric(place, name, damage.max_bytes, damage)
    root = _metrics_of(place)
    rows: list[dict[str, str]] = []
    left = damage.max_bytes
    for path in sorted(_files_below(root)):
        # a slash in a metric's name is one in its path
        key = os.path.relpath(path, root).replace(os.sep, "/")
        rows += _rows_of_metric(path, key, left, damage)
        left -= os.path.getsize(path)
    return rows


def _rows_of_metric(
    path: str, key: str, most: int, damage: Damage
) -> list[dict[str, str]]:
    """Read the values of a metric; MLflow ends each line, so one without end is cut."""
    rows = []
    *lines, rest = read_bytes(path, most).decode("utf-8", "replace").split("\n")
    if rest.strip():
        damage.remarks.append(
            f"the last line ({len(lines) + 1}) of {key} has no line end, as if it were "
            "just being written: it was left out"
        )
    for number, line in enumerate(lines):
        cells = line.split()
        if len(cells) > 1:
            row = dict(zip(_CELLS, cells, strict=False))
            rows.append({"key": key, "step": "0", **row})
        elif cells:
            problem = f"{line!r} is no timestamp, value and step"
            hint = "Give the run's directory with whole files"
            raise LogError(problem, source=path, line=number + 1, hint=hint)
    return rows


def _files_below(directory: str) -> Iterator[str]:
    for entry in list_entries(directory):
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(entry.path)
        elif entry.is_file() and not entry.name.startswith("."):
            yield entry.path
