"""Which lists of callbacks can never end a training."""

from __future__ import annotations

from typing import Any

from cbreplay import ModelCheckpoint, ReduceLROnPlateau, TerminateOnNaN
from cbreplay.rules.registry import known_rules, never_stop


def test_only_rules_that_are_known_never_to_stop_count() -> None:
    class Own(ModelCheckpoint):
        """It may do anything."""

    assert never_stop([ModelCheckpoint, ReduceLROnPlateau])
    assert not never_stop([ModelCheckpoint, TerminateOnNaN])
    assert not never_stop([Own])
    assert not never_stop([len])
    # a rule that is there to stop early can stop
    assert not any(never_stop([row.load()]) for row in known_rules() if _stops(row))


def _stops(row: Any) -> bool:
    stops: bool = row.load().stops_early
    return stops
