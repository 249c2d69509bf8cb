"""What every patience would have done on one log, as data.

`build` makes the staircase, of `steps`; `rate_history` and `reductions` are about the
recorded learning rate.
"""

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
