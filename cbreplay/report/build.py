"""Which sections an answer needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cbreplay.answers import origins
from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.judging import read_judging
from cbreplay.recommend.advising import Advising
from cbreplay.report.asked import ReportQuestion
from cbreplay.report.many_runs import report_on_many
from cbreplay.report.origins import how_computed
from cbreplay.rules.keras.semantics import resolve_semantics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Unpack

    from cbreplay.judging import JudgingOptions
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["build_report"]


def build_report(
    runs: Sequence[Run],
    *,
    callbacks: Iterable[Callback] | None = None,
    monitor: str | Sequence[str] | None = None,
    mode: str | None = None,
    keep: Literal["best", "last"] = "best",
    tolerance: str | float | None = None,
    confidence: float = 0.9,
    cost_weight: float = 0.05,
    group_by: str | Sequence[Any] | None = None,
    recorded_under: int | None = None,
    prechelt: bool = False,
    progress: Callable[[int, int], None] | None = None,
    command: str = "cbreplay.report.build_report(...)",
    made: str = "",
    **judging: Unpack[JudgingOptions],
) -> Any:
    """Build the report on one run, or on several.

    Parameters
    ----------
    runs : sequence of Run
        The records.
    callbacks : iterable of Callback, optional
        The setting that is asked about. By default every patience of EarlyStopping
        for one run, and what is recommended from several.
    monitor : str or sequence of str, optional
        What is watched; the setting's own monitor by default. Of several, for several
        runs, the report says which to stop on; they need an `objective`.
    mode, keep : str, optional
        As in `build_staircase`.
    tolerance, confidence, cost_weight, group_by, recorded_under, prechelt : optional
        As in `recommend_config`; for several runs.
    progress : callable, optional
        As in `sweep_runs`; for several runs.
    command, made : str
        What the report says about how and when it was made; no clock is read.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Raises
    ------
    ConfigError
        If there is no run, or several monitors for one.
    CbreplayError
        If no run can be replayed, for the reason of the first.
    """
    if not runs:
        sentence = "there is no run to report on. Give a PATH or runs=."
        raise ConfigError(sentence)
    monitors = (monitor,) if isinstance(monitor, str) else tuple(monitor or ())
    if len(runs) == 1 and len(monitors) > 1:
        sentence = (
            f"one run cannot tell which of {', '.join(monitors)} to stop on. Name one "
            "of them with --monitor or monitor=, or give several runs."
        )
        raise ConfigError(sentence)
    chosen = read_judging(judging)
    question = ReportQuestion(
        callbacks=None if callbacks is None else tuple(callbacks),
        monitors=monitors,
        mode=mode,
        keep=keep,
        judging=chosen,
        advising=Advising(
            tolerance, confidence, cost_weight, group_by, recorded_under, prechelt
        ),
        progress=progress,
    )
    rules = _rules(runs, chosen.semantics)
    closing = how_computed(runs, rules, command=command, made=made)
    if len(runs) == 1:
        return _report_on_one(
            runs[0],
            question,
            origins.how_computed(runs, rules, command=command, made=made),
        )
    return report_on_many(runs, question, closing)


def _report_on_one(run: Run, question: ReportQuestion, closing: Any) -> Any:
    from cbreplay.answers.one_setting import one_run_page, one_setting_page

    staircase = question.staircase(run)
    if question.callbacks is not None:
        replay = question.replay(run, question.callbacks)
        return one_setting_page(replay, staircase, closing)
    patience = staircase.sufficient_patience()
    if patience is None:
        patience = staircase.steps[-1].first_patience
    replay = question.replay(run, question.early_stopping(patience))
    return one_run_page(replay, staircase, closing)


def _rules(runs: Sequence[Run], semantics: str | None) -> list[str]:
    """Return the names of the Keras rules that decide."""
    names: dict[str, None] = {}
    for run in runs:
        try:
            resolved = resolve_semantics(semantics, metadata=run.metadata)
        except CbreplayError:
            continue
        names[f"{resolved.semantics.name} (rules of {resolved.semantics.row})"] = None
    return list(names)
