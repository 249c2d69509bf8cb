"""Logs in, runs out: a room for each kind of format, and how logs are found.

``discovery`` stands on top and chooses a reader; the rooms (``text_tables``,
``other_tools``, ``event_files``, ``in_memory``) do not know each other; ``building``
makes runs of rows, and ``columns`` makes columns of numbers of text.
"""

from __future__ import annotations
