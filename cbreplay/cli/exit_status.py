"""The exit statuses of all commands."""

from __future__ import annotations

__all__ = [
    "EXIT_ANSWERED",
    "EXIT_CHECK_FAILED",
    "EXIT_DEFECT",
    "EXIT_SIGNALLED",
    "EXIT_UNUSABLE",
]

# 1: a check that the user asked for has failed (--fail-if); 2: unusable input
EXIT_ANSWERED, EXIT_CHECK_FAILED, EXIT_UNUSABLE, EXIT_DEFECT = 0, 1, 2, 3
# plus the number of the signal, as shells do: 130 for Ctrl-C
EXIT_SIGNALLED = 128
