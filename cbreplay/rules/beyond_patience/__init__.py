"""Early stopping beyond patience: a smoothed monitor, and a target value.

They go with every framework. Of several in a list the first one that asks stops, as
with any callbacks: a list is an any-of.
"""

from __future__ import annotations

from cbreplay.rules.beyond_patience.ema import EmaStopping
from cbreplay.rules.beyond_patience.mean import MeanStopping
from cbreplay.rules.beyond_patience.target import TargetStopping

__all__ = ["EmaStopping", "MeanStopping", "TargetStopping"]
