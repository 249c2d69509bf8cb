"""Logs in, runs out: each format in its own module, and how they are found."""

from __future__ import annotations

from cbreplay.readers.discovery import load_runs

__all__ = ["load_runs"]
