"""The class to paste for a rule that its framework does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PastedCode"]


class PastedCode(NamedTuple):
    """A class that decides as a rule does, with the same parameters and defaults.

    Parameters
    ----------
    text : str
        The class.
    arguments : callable
        Takes the rule and its changed parameters; returns the arguments with which the
        class is called.
    """

    text: str
    arguments: Callable[[Any, dict[str, Any]], dict[str, Any]]
