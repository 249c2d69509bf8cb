"""Callback text into callbacks and choices, by syntax tree; nothing is run."""

from __future__ import annotations

from cbreplay.expressions.text import (
    Expressions,
    parse_callbacks,
    parse_recorded,
    read_expressions,
)
from cbreplay.scripts.script import ScriptCallbacks, read_script_callbacks

__all__ = [
    "Expressions",
    "ScriptCallbacks",
    "parse_callbacks",
    "parse_recorded",
    "read_expressions",
    "read_script_callbacks",
]
