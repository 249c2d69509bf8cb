"""Readers of what other tools than Keras write, one format in each module."""

from __future__ import annotations
