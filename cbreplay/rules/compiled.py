"""What a ``compile`` names, so that ``fit`` logs it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.run import Mode

__all__ = ["Compiled"]


class Compiled(NamedTuple):
    """What a ``compile`` names, so that ``fit`` logs it.

    Parameters
    ----------
    place : str
        Where it stands, for people: ``"line 12"``.
    names : tuple of str
        The names as this ``fit`` logs them, without ``val_``.
    spellings : frozenset of str
        Every name that one of them may have in some version of Keras.
    directions : mapping of str to {"min", "max"} or None
        Which way the metrics improve of which that is known; None has no direction.
    has_outputs : bool
        Whether the model may have several outputs, whose names stand before these.
    names_outputs : bool
        Whether it certainly has several, and their names stand in these already.
    is_whole : bool
        Whether it is certain that ``fit`` logs nothing else: the model is made of
        Keras's own layers, and compiled there only.
    is_keras : bool
        Whether the model is certainly of one of Keras's own classes.
    """

    place: str
    names: tuple[str, ...]
    spellings: frozenset[str]
    directions: Mapping[str, Mode | None] = MappingProxyType({})
    has_outputs: bool = True
    is_whole: bool = False
    is_keras: bool = False
    names_outputs: bool = False

    def may_log(self, name: str) -> bool:
        """Return whether ``fit`` may log a name, which stands without its ``val_``."""
        # Keras appends _1, _2 to a name that repeats
        for metric in (name, re.sub(r"_\d+$", "", name)):
            if metric == "loss" or metric in self.spellings:
                return True
            if self.names_outputs:
                ends: tuple[str, ...] = ("_loss",)
            else:
                ends = ("_loss", *(f"_{spelling}" for spelling in self.spellings))
            if self.has_outputs and metric.endswith(ends):
                return True
        return False
