"""Signals, locks, native noise, and files that are written whole or not at all."""

from __future__ import annotations
