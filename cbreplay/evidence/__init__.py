"""What a log is evidence for, how its training went, and what a setting would save."""

from __future__ import annotations
