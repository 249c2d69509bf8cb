"""How a report was computed: command, versions, inputs; and the table of runs."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cbreplay import __version__
from cbreplay.report.document import CodeBlock, Column, Paragraph, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run

__all__ = ["how_computed", "spoken_end", "spoken_plan"]


def how_computed(
    runs: Sequence[Run], semantics: Sequence[str], *, command: str, made: str
) -> Section:
    """Return the section with which another person can repeat the report.

    Parameters
    ----------
    runs : sequence of Run
        The inputs; a run that was read from a file has that file's checksum.
    semantics : sequence of str
        Which Keras rules decided.
    command, made : str
        The command and the date, as they were given.
    """
    facts = [
        ("cbreplay", __version__),
        ("Keras rules", ", ".join(semantics) or "none"),
        ("Python", platform.python_version()),
        ("NumPy", np.__version__),
        ("made", made),
    ]
    return Section(
        "How this was computed",
        (
            CodeBlock(command, "shell"),
            Table(
                (Column("What", "left"), Column("Which", "left")),
                tuple(facts),
                "Versions",
            ),
            Table(
                (
                    Column("Run", "left"),
                    Column("Read from", "left"),
                    Column("Bytes"),
                    Column("SHA-256", "left"),
                ),
                tuple(_input_row(run) for run in runs),
                "Inputs",
            ),
            Paragraph(
                ("Of a run directory the checksum is that of its logs.csv.",),
                small=True,
            ),
        ),
    )


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


def spoken_plan(run: Run) -> str:
    """Say what fit was told."""
    if run.planned_epochs is None:
        return "plan unknown"
    return f"{run.planned_epochs} planned"


def spoken_end(run: Run) -> str:
    """Say how the training ended, as far as ``run.json`` tells."""
    ended = run.metadata.ended if run.metadata is not None else None
    if ended is None or not ended.by:
        return "end of the plan" if run.reached_plan else "not recorded"
    words = {
        "plan": "end of the plan",
        "interrupt": "an interrupt",
        "error": "an error",
    }
    return words.get(ended.by, f"its own {ended.by}")
