"""Logs in, runs out: readers for each kind of format, and how logs are found.

``discovery`` finds logs and chooses a reader for each. The readers (``csv_logger``,
``other_tools``, ``event_files``, ``in_memory``) do not import each other. ``columns``
turns text into columns of numbers, and ``building`` turns rows into runs.
"""

from __future__ import annotations
