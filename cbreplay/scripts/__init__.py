"""What a training script or notebook says of its callbacks and fits; nothing is run."""

from __future__ import annotations
