"""Event files of TensorBoard in, runs out, without TensorBoard or TensorFlow."""

from __future__ import annotations
