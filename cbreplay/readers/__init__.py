"""Logs in, runs out: a package for each kind of format, and how logs are found.

``discovery`` finds logs and chooses a reader for each. The readers (``text_tables``,
``other_tools``, ``event_files``, ``in_memory``) do not import each other. ``columns``
turns text into columns of numbers, and ``building`` turns rows into runs.
"""

from __future__ import annotations
