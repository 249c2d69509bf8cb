"""How an answer was computed: command, versions, inputs."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.document import (
    CodeBlock,
    Paragraph,
    Row,
    Section,
    Table,
    TableColumn,
    say,
)
from cbreplay.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run

__all__ = ["how_computed"]


def how_computed(
    runs: Sequence[Run], semantics: Sequence[str], *, command: str, made: str
) -> Section:
    """Return the section that another person needs to repeat the report.

    A run that was read from a file has that file's checksum. `command` and `made`, its
    date, are written as given.
    """
    facts = [
        ("cbreplay", __version__),
        ("Keras rules", ", ".join(semantics) or "none"),
        ("Python", platform.python_version()),
        ("NumPy", np.__version__),
        ("made", made),
    ]
    versions = Table(
        (TableColumn("what", "What"), TableColumn("which", "Which")),
        tuple(Row(fact) for fact in facts),
        "Versions",
    )
    inputs = Table(
        (
            TableColumn("run", "Run", "name"),
            TableColumn("source", "Read from", "name"),
            TableColumn("bytes", "Bytes", "count"),
            TableColumn("sha256", "SHA-256"),
        ),
        tuple(Row(_input_row(run)) for run in runs),
        "Inputs",
    )
    where = "Of a run directory the checksum is that of its logs.csv."
    blocks = (CodeBlock(command, "shell"), versions, inputs)
    small = Paragraph(say(where), small=True)
    return Section("How this was computed", (*blocks, small), on="page")


def _input_row(run: Run) -> tuple[str, str, str, str]:
    """Return a run's file with its checksum; of a run directory, its ``logs.csv``."""
    try:
        path = Path(run.source)
        if path.is_dir():
            path /= "logs.csv"
        if not path.is_file():
            return run.name, run.source, "-", "-"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return run.name, run.source, "-", "cannot be read any more"
    return run.name, str(path), str(size), digest
