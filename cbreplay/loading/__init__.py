"""Sources in, runs out: what readers read, and what the recorded list says of it.

A reader knows one format and no rule. What only a replay of the recorded callbacks can
tell, such as which rate an epoch was trained at where two of them wrote its column, is
settled here.
"""

from __future__ import annotations

from cbreplay.loading.runs import load_runs, survey_sources

__all__ = ["load_runs", "survey_sources"]
