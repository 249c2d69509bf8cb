"""The recommendation in a report on several runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.advice import advice_document
from cbreplay.errors import CbreplayError
from cbreplay.recommend import Advising, measure_costs, recommend_config, sweep_patience
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document
    from cbreplay.report.question import ReportQuestion
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
        The answer about the recommendation, with pictures.
    read_plans : tuple of int
        The plans that were inferred from the logs, in epochs.
    """

    callbacks: tuple[Callback, ...]
    document: Document
    read_plans: tuple[int, ...] = ()

    def planned(self, run: Run) -> Run:
        """Return a run with its inferred plan, if it has one."""
        end = run.horizon + 1
        ended = run.ended
        if run.planned_epochs is not None or end not in self.read_plans:
            return run
        if ended is not None and ended.by_callback:
            return run
        return replace(run, planned_epochs=end)


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
        # options about a recommendation must not be ignored silently
        if several or question.advising != Advising():
            raise
        return f"{count(len(runs), 'run')} cannot be compared: {error}"
    document = advice_document(advice, sweep, runs=runs, costs=costs)
    plans = (advice.plan, *(other.plan for other in advice.plans))
    read = tuple(plan.epochs for plan in plans if plan is not None and plan.inferred)
    return Advised(advice.callbacks, document, read)
