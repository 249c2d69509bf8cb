"""Early stopping beyond patience: a smoothed monitor, and a target value.

They go with every framework. As with any callbacks, the first one of a list that asks
for it stops the training.
"""

from __future__ import annotations
