"""Early stopping beyond patience: a smoothed monitor, and a target value.

They go with every framework. As with any callbacks, the first one of a list that asks
for it stops the training.
"""

from __future__ import annotations

from cbreplay.rules.beyond_patience.ema import EmaStopping
from cbreplay.rules.beyond_patience.mean import MeanStopping
from cbreplay.rules.beyond_patience.target import TargetStopping

__all__ = ["EmaStopping", "MeanStopping", "TargetStopping"]
