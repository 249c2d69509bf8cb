"""``OPENBLAS_NUM_THREADS``: set for this process, hidden from those of the user."""

from __future__ import annotations

import os

__all__ = ["spare_threads", "users_environment"]

_NAME = "OPENBLAS_NUM_THREADS"
_set_here: list[str] = []


def spare_threads() -> None:
    """Keep numpy from starting threads for linear algebra, which no command uses."""
    if _NAME not in os.environ:
        os.environ[_NAME] = "1"
        _set_here.append(_NAME)


def users_environment() -> dict[str, str]:
    """Return the environment as the user has it, for a process of the user's."""
    return {name: text for name, text in os.environ.items() if name not in _set_here}
