"""What is asked for by its name: one file, which is no script, or standard input."""

from __future__ import annotations

import io
import os
import sys

from cbreplay.errors import LogError
from cbreplay.readers.discovery.event_places import run_json_above, run_json_beside
from cbreplay.readers.discovery.training_files import TrainingFiles
from cbreplay.readers.entries import is_event_file
from cbreplay.readers.files import cannot_open, read_beginning
from cbreplay.readers.formats import asked_format
from cbreplay.readers.sizes import too_large

__all__ = ["STDIN", "read_stdin", "training_of"]


def training_of(path: str) -> TrainingFiles:
    """Return the training of one file that was asked for by its name."""
    found = "events"
    _refuse_script(path)
    if not is_event_file(path):
        found = asked_format(read_beginning(path), path)
    if found == "events":
        return TrainingFiles(place=path, events=path, run_json=run_json_above(path))
    return TrainingFiles(
        place=path, log=path, log_format=found, run_json=run_json_beside(path)
    )


def _refuse_script(path: str) -> None:
    """Refuse a script or a notebook: it is no log."""
    kind = _SCRIPTS.get(os.path.splitext(path)[1].lower())
    if kind is not None and os.path.isfile(path):
        problem = f"this is a {kind}, and no log"
        hint = f"Its callbacks are read by -c @{path}, beside a log, and checked by "
        hint += f"cbreplay lint {path}"
        raise LogError(problem, source=path, hint=hint)


_SCRIPTS = {".py": "Python script", ".ipynb": "notebook"}


STDIN = "standard input"


def read_stdin(most: int) -> bytes:
    """Read standard input, up to a size."""
    content: bytes
    try:
        if isinstance(sys.stdin, io.TextIOWrapper):
            content = sys.stdin.buffer.read(most + 1)
        else:
            # a notebook or a test has put something else in its place
            content = sys.stdin.read(most + 1).encode()
    except OSError as error:
        raise cannot_open(STDIN, error) from None
    if len(content) > most:
        raise too_large(STDIN, most)
    return content
