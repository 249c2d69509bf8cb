"""One run and one list of callbacks, replayed epoch by epoch.

`answer` has `replay_run`; `records` the `Replay` that it returns; `walk` and `walker`
go through the epochs; `choices`, `unsure_stops` and `replaced_rows` find where a log
leaves the decision open; `compare` and `fits` put several replays together.
"""

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
