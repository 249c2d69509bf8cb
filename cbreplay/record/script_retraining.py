"""Run a recorded script again, and collect what can be compared of its fit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbreplay.errors import ConfigError
from cbreplay.record.retraining import with_file_at
from cbreplay.record.seen_training import HeldFits, Retraining
from cbreplay.system.interrupts import undisturbed
from cbreplay.system.whole_files import passing_directory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.record.launch import Program
    from cbreplay.run import Run

__all__ = ["RetrainedScript"]


class RetrainedScript:
    """A script, one fit of which is the run.

    That fit is found by what it logs. The script runs in its own process, to its end,
    with all of its fits; its output is not shown, and the files that it writes are
    written.

    Raises
    ------
    ConfigError
        If the run is of more than one fit.
    """

    def __init__(self, run: Run, program: Program) -> None:
        if run.seams:
            sentence = (
                f"run {run.name!r} is of several fits, and a script is held against a "
                "run of one"
            )
            raise ConfigError(sentence)
        self._run, self._program = run, program
        self._fit = 0

    def train_as_recorded(self) -> Retraining:
        """Train under the script's own callbacks.

        Returns
        -------
        Retraining
            Of the fit whose logs agree with the run for the most epochs.
        """
        fits = self._train(None)
        self._fit = self._fit or max(fits, key=lambda fit: self._n_equal(fits[fit]))
        return self._of_fit(fits)

    def train(self, callbacks: Sequence[Any], *, kept: bool = False) -> Retraining:  # noqa: ARG002 - one fit keeps nothing
        """Train the fit under other callbacks, in place of those that decide."""
        return self._of_fit(self._train(callbacks))

    def _n_equal(self, fit: Retraining) -> int:
        """Return how many first epochs of a fit log what the run has."""
        differing = fit.first_difference(self._run, self._run.n_epochs)
        return self._run.n_epochs if differing is None else differing[0]

    def _of_fit(self, fits: dict[int, Retraining]) -> Retraining:
        if self._fit not in fits:
            sentence = (
                f"fit {self._fit} of {self._program.target} did not end this time"
            )
            raise ConfigError(sentence)
        return fits[self._fit]

    def _train(self, callbacks: Sequence[Any] | None) -> dict[int, Retraining]:
        """Run the script, and return what each fit did that ended, by its number.

        `callbacks` are None for the script's own.
        """
        with passing_directory() as directory:
            root = Path(directory)
            folder, files = root / "fits", root / "files"
            for made in (folder, files, root / "runs"):
                made.mkdir()
            held = HeldFits(folder, files)
            if callbacks is not None:
                inside = tuple(
                    with_file_at(callback, lambda path: str(files / path))
                    for callback in callbacks
                )
                held = held._replace(fit=self._fit, callbacks=inside)
            _hand_over(held, root / "held")
            ended = self._run_script(root / "runs", root / "held")
            told = {
                int(path.stem): json.loads(path.read_text(encoding="utf-8"))
                for path in folder.glob("*.json")
            }
        fits = {fit: Retraining(**own) for fit, own in told.items()}
        if not fits:
            sentence = f"no fit of {self._program.target} came to its end{ended}"
            raise ConfigError(sentence)
        return dict(sorted(fits.items()))

    def _run_script(self, out: Path, held: Path) -> str:
        """Run it, and return its status and its last line on stderr, in words."""
        # the paths on which the classes of the setting are found
        paths = [*sys.path, os.getcwd()]  # noqa: PTH109 - as Python writes it
        words = self._program.words(out, quiet=True, held=str(held), paths=paths)
        with tempfile.TemporaryFile() as errors:
            status = _run(words, env=self._program.environment, stderr=errors)
            errors.seek(0)
            said = errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        return f" (status {status})" + (f": {last}" if last else "")


def _run(words: Sequence[str], **options: Any) -> int:  # noqa: ANN401 - Popen's
    """Run a process to its end, and return its status; an interrupt ends it too."""
    process = None
    nowhere = subprocess.DEVNULL
    try:
        # an interrupt during the start would leave the process running
        with undisturbed():
            process = subprocess.Popen(  # noqa: S603 - what the user asked to be run
                words, stdin=nowhere, stdout=nowhere, **options
            )
        return process.wait()
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


def _hand_over(held: HeldFits, path: Path) -> None:
    try:
        held.write(path)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        sentence = f"a callback cannot be handed to the process of the script: {error}"
        raise ConfigError(sentence) from None
