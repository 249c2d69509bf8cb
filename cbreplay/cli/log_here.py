"""Choose the log of a command that names none: the newest one in this directory."""

from __future__ import annotations

import os

from cbreplay.errors import ConfigError

__all__ = ["USUAL_LOG", "find_log_here"]

USUAL_LOG = "logs.csv"
_MOST_DIRECTORIES = 20_000


def find_log_here(
    advice: str = "Give the path of a CSVLogger file, a TensorBoard directory, or a "
    "directory of runs",
) -> str:
    """Return ``logs.csv`` if it is here, else the newest log here or below.

    Of a log in a run directory the directory is returned, so that the files beside the
    log are read too. `advice` says what to do where there is neither.

    Raises
    ------
    ConfigError
        If there is neither.
    """
    if os.path.isfile(USUAL_LOG):
        return USUAL_LOG
    from cbreplay.readers.formats import format_of
    from cbreplay.readers.other_tools.mlflow_store import (
        is_stored_run,
        stored_run_above,
    )

    if (run := stored_run_above(os.curdir)) is not None:
        return run
    newest: tuple[float, str] | None = None
    for visited, (folder, below, names) in enumerate(os.walk(".")):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if is_stored_run(folder):
            at = os.stat(os.path.join(folder, "metrics")).st_mtime
            newest = max(newest or (0.0, ""), (at, folder))
        for log in _newest_first(folder, names, newest[0] if newest else 0.0):
            if format_of(log) is not None:
                newest = (os.stat(log).st_mtime, _place_of(log))
                break
        if visited > _MOST_DIRECTORIES:
            break
    if newest is None:
        sentence = f"nothing is named, and there is no log here or below. {advice}"
        raise ConfigError(sentence)
    return os.path.relpath(newest[1])


def _newest_first(folder: str, names: list[str], after: float) -> list[str]:
    """Return files that may be logs and are newer than a time, the newest first."""
    from cbreplay.readers.formats import named_like_a_log

    found = []
    for name in names:
        path = os.path.join(folder, name)
        is_named_so = named_like_a_log(name) or "tfevents" in name
        may_be_log = is_named_so and not name.startswith(".") and os.path.isfile(path)
        if may_be_log and os.access(path, os.R_OK):
            found.append((os.stat(path).st_mtime, path))
    return [path for at, path in sorted(found, reverse=True) if at > after]


def _place_of(log: str) -> str:
    """Return the run directory that a log is part of, or the log itself."""
    folder, name = os.path.split(log)
    # the end of a recording writes run.json after the log that it is about
    logs = (USUAL_LOG, "tensorboard") if name == "run.json" else ()
    if name == USUAL_LOG or any(
        os.path.exists(os.path.join(folder, at)) for at in logs
    ):
        return folder
    if "tfevents" not in name:
        return log
    folder = _training_of_curve(folder)
    # train/ and validation/ of one TensorBoard directory
    above, last = os.path.split(folder)
    board = above if last in ("train", "validation") and above else folder
    around = os.path.dirname(board)
    is_in_run = any(
        os.path.isfile(os.path.join(around, name)) for name in (USUAL_LOG, "run.json")
    )
    return around if is_in_run else board


def _training_of_curve(folder: str) -> str:
    """Return the directory of a training, for one that holds a curve of it alone.

    ``add_scalars`` of PyTorch's writer makes a directory for each curve.
    """
    from cbreplay.readers.entries import event_files, list_entries
    from cbreplay.readers.event_files.files import is_tag_directory

    above = folder
    while above != os.curdir and (above := os.path.dirname(above)):
        if event_files(list_entries(above), above):
            return above if is_tag_directory(folder, above) else folder
    return folder
