"""Settings that can never act, or act otherwise than they look; no log is needed.

`callback_lists` checks a list of callbacks, `scripts` and `script_fits` a training
script, `codes` lists all findings. The checks themselves are with the rules
(``rules/keras/checks/``).
"""

from __future__ import annotations

from cbreplay.lint.callback_lists import lint_callbacks
from cbreplay.rules.checks import Finding

__all__ = ["Finding", "lint_callbacks"]
