"""Which runs lie under a path or in an object, and which reader takes each."""

from __future__ import annotations

from cbreplay.readers.discovery.sources import Survey, survey_sources

__all__ = ["Survey", "survey_sources"]
