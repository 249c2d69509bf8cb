"""Which logs lie under a path, which reader reads each, and which are one training."""

from __future__ import annotations

from cbreplay.readers.discovery.sources import Survey, survey_sources

__all__ = ["Survey", "survey_sources"]
