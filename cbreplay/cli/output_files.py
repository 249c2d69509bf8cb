"""Checks of the file that an answer is to be written to, before any work."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import click

from cbreplay.cli.progress import aside
from cbreplay.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cbreplay.readers.discovery.training_files import Seen

__all__ = ["echo_path", "refuse_printing_into_a_log", "reserve_output"]


def reserve_output(
    output: Path, inputs: Sequence[str], suffixes: Sequence[str]
) -> None:
    """Refuse a file that cannot be written, or that an answer is made from.

    Raises
    ------
    ConfigError
        If its suffix is none of these.
    OutputError
        If it is an input, or if nothing can be written there.
    """
    from cbreplay.readers.formats import format_of
    from cbreplay.whole_files import check_output, is_among

    check_output(output, *suffixes)
    # logs below an input directory are not named: any file that is a log is refused
    if is_among(output, inputs) or format_of(str(output)):
        reason = "it is one of the files that are read"
        hint = "Name another with --output or path="
        raise OutputError(str(output), reason, hint=hint)


def refuse_printing_into_a_log(typed: Sequence[str], seen: Sequence[Seen]) -> None:
    """Refuse to answer into what is asked about: ``simulate a.csv >> a.csv``.

    Raises
    ------
    ConfigError
        If standard output is one of the logs.
    """
    try:
        stdout = sys.stdout.fileno()
        is_file = stat.S_ISREG(os.fstat(stdout).st_mode)
    except (AttributeError, OSError, ValueError):
        return
    if not is_file:
        return
    from cbreplay.whole_files import is_among

    logs = {
        file.path: f"{file.path}, which is one of the logs"
        for file in seen
        if file.fate in _READ
    }
    if "-" in typed:
        logs["-"] = "the file that standard input comes from"
    for path, told in logs.items():
        if is_among(stdout, [path]):
            sentence = f"standard output is {told}. Send the answer to another file"
            raise ConfigError(sentence)


_READ = ("read", "joined")


def echo_path(path: Path) -> None:
    """Print the path of a file that was written, without control characters."""
    from cbreplay.words import visible_text

    with aside():
        click.echo(visible_text(str(path)))
