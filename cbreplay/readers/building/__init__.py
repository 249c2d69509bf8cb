"""Rows of a log in, runs out: epochs, fits that were resumed, learning rates."""

from __future__ import annotations
