"""Numbers, names and sentences as people read them, and texts made fit to print."""

from __future__ import annotations
