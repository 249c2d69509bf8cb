"""Logs in, runs out: a package for each kind of format, and how logs are found.

``discovery`` finds logs and chooses a reader for each; the readers (``text_tables``,
``other_tools``, ``event_files``, ``in_memory``) do not import each other; ``building``
makes runs of rows, and ``columns`` makes columns of numbers of text.
"""

from __future__ import annotations
