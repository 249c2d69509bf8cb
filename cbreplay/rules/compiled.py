"""The losses and metrics that a ``compile`` names, and so what ``fit`` logs."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cbreplay.run import Mode

__all__ = ["Compiled", "MetricNames"]


class MetricNames(NamedTuple):
    """The names that one version of Keras gives the metrics of a ``compile``.

    Parameters
    ----------
    names : tuple of str
        The names as its ``fit`` logs them, without ``val_``.
    spellings : frozenset of str
        Every name that one of them may have.
    """

    names: tuple[str, ...] = ()
    spellings: frozenset[str] = frozenset()


class Compiled(NamedTuple):
    """The losses and metrics that a ``compile`` names, and so what ``fit`` logs.

    Parameters
    ----------
    place : str
        Where ``compile`` is called, for people: ``"line 12"``.
    names, spellings : tuple of str, frozenset of str
        As in `MetricNames`, by Keras 3.
    older : MetricNames
        The same by Keras 2.
    directions : mapping of str to {"min", "max"} or None
        The metrics of which it is known which way they improve; None: in neither.
    kinds : mapping of str to str
        The metrics whose class of Keras is known, and the default name of that class.
    texts : mapping of str to str
        The metrics that a text stands for: their names, and the texts.
    refused : tuple of str
        The texts for which this version knows no metric; what they name is not logged.
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
    older: MetricNames = MetricNames()
    directions: Mapping[str, Mode | None] = MappingProxyType({})
    has_outputs: bool = True
    is_whole: bool = False
    is_keras: bool = False
    names_outputs: bool = False
    has_several: bool = False
    kinds: Mapping[str, str] = MappingProxyType({})
    texts: Mapping[str, str] = MappingProxyType({})
    refused: tuple[str, ...] = ()

    def by_keras_2(self) -> Compiled:
        """Return the same, named as Keras 2 does."""
        return self._replace(names=self.older.names, spellings=self.older.spellings)

    def without(self, refused: Collection[str]) -> Compiled:
        """Return the same without the metrics of texts that a version refuses."""
        names = [name for name in self.names if self.texts.get(name) not in refused]
        left_out = {name for name, text in self.texts.items() if text in refused}
        return self._replace(
            names=tuple(names),
            spellings=self.spellings - left_out,
            refused=tuple(refused),
        )

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
