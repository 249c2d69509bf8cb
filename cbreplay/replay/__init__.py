"""One run and one list of callbacks, replayed epoch by epoch."""

from __future__ import annotations

from cbreplay.replay.answer import replay_run
from cbreplay.replay.records import (
    HypotheticalReplay,
    Reduction,
    Replay,
    Step,
    read_waited,
)
from cbreplay.replay.walk import find_unsure_stops

__all__ = [
    "HypotheticalReplay",
    "Reduction",
    "Replay",
    "Step",
    "find_unsure_stops",
    "read_waited",
    "replay_run",
]
