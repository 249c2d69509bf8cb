"""Findings of `lint` that change how an answer about the settings must be read."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from cbreplay.document import Code, say
from cbreplay.lint import lint_callbacks
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.parameters import parameters_of
from cbreplay.words import as_sentence, count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["misreadings"]

# the findings about a setting that does something else than it looks
_READ_OTHERWISE = frozenset(
    {
        "absent-monitor",
        "auto-mode-against-metric",
        "auto-unknown",
        "fractional-patience",
        "min-delta-beyond-record",
        "mode-against-metric",
        "negative-min-delta",
        "negative-patience",
        "patience-zero-is-one",
    }
)
_MOST_FINDINGS = 3
_MOST_RUNS, _MOST_LISTS = 5, 20


def misreadings(
    runs: Sequence[Run], lists: Iterable[Sequence[Callback]], semantics: str | None
) -> Iterator[Text]:
    """Yield a line for each setting that acts otherwise than it looks.

    Parameters
    ----------
    runs : sequence of Run
        What the answer is about; of many the first few are looked at.
    lists : iterable of sequence of Callback
        The settings, likewise.
    semantics : str or None
        By whose rules, for example ``"keras-3.15"``; None for what decides each run.
    """
    looked_at = list(itertools.islice(lists, _MOST_LISTS))
    found = {
        finding.message: finding
        for run in runs[:_MOST_RUNS]
        for callbacks in looked_at
        for finding in lint_callbacks(list(callbacks), run=run, semantics=semantics)
        if finding.code in _READ_OTHERWISE
    }
    for message, finding in itertools.islice(found.items(), _MOST_FINDINGS):
        yield say(f"{as_sentence(message, runs[0].series)} Write ", finding.fix, ".")
    if len(found) > _MOST_FINDINGS:
        more = count(len(found) - _MOST_FINDINGS, "more such finding")
        yield say(f"{more}: ", Code("cbreplay lint"), ".")
    if not runs[0].framework and any(map(_restores_by_loss, looked_at)):
        yield say(
            "loss is the mean over an epoch's batches while the weights changed: the "
            "weights that an epoch ends with, which are kept, have another."
        )


def _restores_by_loss(callbacks: Sequence[Callback]) -> bool:
    """Tell whether weights are restored by loss, measured while they change."""
    settings = map(parameters_of, read_callbacks(callbacks).callbacks)
    return any(
        setting.get("restore_best_weights") and setting.get("monitor") == "loss"
        for setting in settings
    )
