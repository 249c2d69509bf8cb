"""The page about a log directory, made again when its files have changed."""

from __future__ import annotations

import hashlib
import html
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.judging import find_sole_loss
from cbreplay.loading import load_runs
from cbreplay.report import build_report, write_html
from cbreplay.wording.words import visible_text
from cbreplay.writers.as_html import script_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run
    from cbreplay.tensorboard_plugin.held_points import HeldPoints

__all__ = ["LogdirPage"]


class LogdirPage:
    """The page about every run below a directory.

    Parameters
    ----------
    logdir : str
        The directory; nothing outside it is shown.
    held : HeldPoints
        What TensorBoard has read, used if the directory is not on this machine.
    """

    def __init__(self, logdir: str, held: HeldPoints) -> None:
        self._logdir, self._held = logdir, held
        self._made: tuple[str, str] = ("", "")

    @property
    def _is_here(self) -> bool:
        return bool(self._logdir) and Path(self._logdir).is_dir()

    def version(self) -> str:
        """Return a digest that changes with the files, or with the points held."""
        if not self._is_here and self._held.are_all():
            return self._held.version()
        digest = hashlib.sha256()
        for path in sorted(_files_below(self._logdir)):
            try:
                status = path.stat()
            except OSError:
                # it was removed meanwhile
                continue
            told = f"{path} {status.st_size} {status.st_mtime_ns}\n"
            digest.update(told.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def source(self) -> tuple[str, list[str]]:
        """Return the page as it is now, and the digests of the scripts in it."""
        version = self.version()
        if self._made[0] != version:
            self._made = version, self._make()
        return self._made[1], [script_digest()]

    def _make(self) -> str:
        try:
            runs = self._read_runs()
            document = build_report(
                runs, monitor=find_sole_loss(runs), command="tensorboard"
            )
        except CbreplayError as error:
            return _sentence(str(error))
        except OSError as error:
            # a disk that is full, or a path that this system does not take
            return _sentence(f"The runs cannot be read here: {error.strerror}.")
        return write_html(document)

    def _read_runs(self) -> list[Run]:
        if not self._is_here:
            if self._held.are_all():
                return self._held.read_runs()
            sentence = (
                "The --logdir of this TensorBoard is no directory on this machine, and "
                "of each series TensorBoard keeps 1,000 points. Start it with "
                "--samples_per_plugin=scalars=0: then it keeps all of them, and they "
                "are read."
            )
            raise ConfigError(sentence)
        inside = Path(self._logdir).resolve()
        return [
            run
            for run in load_runs(self._logdir, errors="skip")
            if Path(run.source.partition("#")[0]).resolve().is_relative_to(inside)
        ]


def _files_below(folder: str) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names)


def _sentence(words: str) -> str:
    """Return a page with one sentence: why there is no report."""
    text = html.escape(visible_text(words))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><title>cbreplay</title>'
        f'<body style="font:16px system-ui,sans-serif;margin:2em"><p>{text}</p>'
    )
