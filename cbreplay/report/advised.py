"""What a report asks to recommend a setting from several runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.advice import advice_document
from cbreplay.errors import CbreplayError
from cbreplay.recommend import (
    Advising,
    measure_costs,
    recommend_config,
    sweep_patience,
)
from cbreplay.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.report.asked import ReportQuestion
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["Advised", "advise"]


class Advised(NamedTuple):
    """What is recommended from several runs.

    Parameters
    ----------
    callbacks : tuple of Callback
        The setting; empty where none is recommended.
    document : Document
        What it rests on, with pictures.
    """

    callbacks: tuple[Callback, ...]
    document: Document


def advise(runs: Sequence[Run], question: ReportQuestion) -> Advised | str:
    """Recommend a setting from several runs, or say why they cannot be compared."""
    monitor, mode = question.watched
    several = len(question.monitors) > 1
    try:
        sweep, without = sweep_patience(
            runs,
            monitor=question.monitors if several else monitor,
            mode=mode,
            keep=question.keep,
            judging=question.judging,
            progress=question.progress,
        )
        options = question.advising
        advice = recommend_config(
            sweep, current=question.callbacks, excluded=without, **options._asdict()
        )
        costs = measure_costs(
            sweep,
            advice,
            current=question.callbacks,
            group_by=options.group_by,
            recorded_under=options.recorded_under,
        )
    except CbreplayError as error:
        # what was asked about a recommendation shall not be passed over
        if several or question.advising != Advising():
            raise
        return f"{count(len(runs), 'run')} cannot be compared: {error}"
    document = advice_document(advice, sweep, runs=runs, costs=costs)
    return Advised(advice.callbacks, document)
