"""The losses and metrics that a ``compile`` names, and so what ``fit`` logs."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.run import Mode

__all__ = ["Compiled"]


class Compiled(NamedTuple):
    """The losses and metrics that a ``compile`` names, and so what ``fit`` logs.

    Parameters
    ----------
    place : str
        Where ``compile`` is called, for people: ``"line 12"``.
    names : tuple of str
        The names as this ``fit`` logs them, without ``val_``.
    spellings : frozenset of str
        Every name that one of them may have in some version of Keras.
    directions : mapping of str to {"min", "max"} or None
        The metrics of which it is known which way they improve; None: in neither.
    has_outputs : bool
        Whether the model may have several outputs, whose names are put before these.
    names_outputs : bool
        Whether it certainly has several, and `names` already begin with theirs.
    has_several : bool
        Whether it certainly has several, or is compiled as if it had: then a metric's
        own name may be logged, or only with an output's before it.
    is_whole : bool
        Whether ``fit`` certainly logs nothing else: the model is made of Keras's own
        layers, and compiled here only.
    is_keras : bool
        Whether the model's class is certainly one of Keras's own.
    """

    place: str
    names: tuple[str, ...]
    spellings: frozenset[str]
    directions: Mapping[str, Mode | None] = MappingProxyType({})
    has_outputs: bool = True
    is_whole: bool = False
    is_keras: bool = False
    names_outputs: bool = False
    has_several: bool = False

    def may_log(self, name: str) -> bool:
        """Return whether ``fit`` may log a name, given without its ``val_``."""
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
