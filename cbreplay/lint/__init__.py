"""Settings that can never act, or act otherwise than they look; no log is needed."""

from __future__ import annotations

from cbreplay.lint.build import lint_callbacks
from cbreplay.rules.checks import Finding

__all__ = ["Finding", "lint_callbacks"]
