"""A training script to be run and recorded, and the command line for that."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Program"]


class Program(NamedTuple):
    """What is typed after ``cbreplay record``.

    Parameters
    ----------
    kind : {"script", "module", "notebook"}
        What the target is.
    target : str
        A path, or a module's name.
    arguments : tuple of str
        The arguments of the script.
    named : tuple of str
        The class names of ``--without``.
    without : tuple of str
        The classes that are left out of this run: `named`, or none (``--share``).
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
        """Return the command line of a Python that runs it and records its fits.

        The run directories are made in `out`; `options` are further ones of the
        launcher.
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
        # python -P -m cbreplay record: the script gets -P too
        safe = ["-P"] if sys.flags.safe_path else []
        program = [sys.executable, *safe, str(launcher)]
        return [*program, json.dumps(told), self.target, *self.arguments]
