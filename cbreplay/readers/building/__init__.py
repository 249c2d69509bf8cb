"""Rows of a log in, runs out: which epoch, which training, which learning rate."""

from __future__ import annotations
