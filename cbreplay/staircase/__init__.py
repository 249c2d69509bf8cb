"""One log's answer, as data."""

from __future__ import annotations

from cbreplay.staircase.build import (
    Staircase,
    build_staircase,
    measure_usual_change,
    replay_patience,
)
from cbreplay.staircase.steps import StaircaseStep

__all__ = [
    "Staircase",
    "StaircaseStep",
    "build_staircase",
    "measure_usual_change",
    "replay_patience",
]
