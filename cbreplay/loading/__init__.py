"""`load_runs`: what the readers read, corrected by what the recorded callbacks tell.

A reader knows one format and no rules of callbacks. What depends on these, such as
which rate an epoch was trained at if two of them wrote its column, is settled here.
"""

from __future__ import annotations

from cbreplay.loading.runs import load_runs, survey_sources

__all__ = ["load_runs", "survey_sources"]
