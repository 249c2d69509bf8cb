"""A training script as a text: run as it stands, and read as `lint` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.lint.scripts import lint_script
from cbreplay.scripts.training_scripts import read_training_script

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.rules.checks import Finding
    from cbreplay.scripts.training_scripts import TrainingScript


def run_script(text: str) -> dict[str, Any]:
    """Run a script of the tests' own, and return what its names stand for."""
    names: dict[str, Any] = {}
    exec(compile(text, "train.py", "exec"), names)  # noqa: S102 - of the tests' own
    return names


def read_script(path: Path, text: str) -> TrainingScript:
    """Write a script into a directory, and read it."""
    script = path / "train.py"
    script.write_text(text)
    return read_training_script(str(script))


def findings_in(
    path: Path, text: str, semantics: str | None = "keras-3.15"
) -> list[Finding]:
    """Return what `lint` finds in a script."""
    found = lint_script(read_script(path, text), semantics=semantics)
    return [placed.finding for placed in found]
