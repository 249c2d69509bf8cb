"""A training script as it is run and recorded: its words, and what its fits get."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Program"]


class Program(NamedTuple):
    """What stands behind ``cbreplay record``.

    Parameters
    ----------
    kind : {"script", "module", "notebook"}
        What the target is.
    target : str
        A path, or a module's name.
    arguments : tuple of str
        Its own.
    named : tuple of str
        Class names of callbacks that were asked to be left out.
    without : tuple of str
        Those of them that are left out of this run.
    epochs : int or None
        As in ``FitChanges``.
    environment : mapping of str to str, optional
        The script's environment; this process's by default.
    """

    kind: Literal["script", "module", "notebook"]
    target: str
    arguments: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    epochs: int | None = None
    environment: Mapping[str, str] | None = None

    def words(self, out: Path, **options: Any) -> list[str]:  # noqa: ANN401 - JSON
        """Return the words of a fresh Python that runs it and records its fits.

        Parameters
        ----------
        out : Path
            The directory for the run directories.
        **options
            What else the launcher is told.
        """
        told = {
            "kind": self.kind,
            "out": str(out),
            "named": self.named,
            "without": self.without,
            "epochs": self.epochs,
            **options,
        }
        launcher = Path(__file__).with_name("launch.py")
        # python -P -m cbreplay record: the script is to be run so too
        safe = ["-P"] if sys.flags.safe_path else []
        program = [sys.executable, *safe, str(launcher)]
        return [*program, json.dumps(told), self.target, *self.arguments]
