"""Every config on every run at once, and the table of what they decide."""

from __future__ import annotations

from cbreplay.sweep.engine import sweep_runs
from cbreplay.sweep.replays import SharedReplays, replay_cells
from cbreplay.sweep.table import EVIDENCE, Failure, Judged, Sweep, SweptRun

__all__ = [
    "EVIDENCE",
    "Failure",
    "Judged",
    "SharedReplays",
    "Sweep",
    "SweptRun",
    "replay_cells",
    "sweep_runs",
]
