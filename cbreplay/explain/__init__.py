"""The trace of one replay, in numbers and in words."""

from __future__ import annotations

from cbreplay.explain.trace import Explanation, explain_replay
from cbreplay.rules.words import TraceRow

__all__ = ["Explanation", "TraceRow", "explain_replay"]
