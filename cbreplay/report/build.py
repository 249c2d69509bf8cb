"""Which answers a report needs, and what it asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cbreplay.answers.axes import short_setting
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.doubts import about_logs, about_runs, notes_of_many
from cbreplay.answers.many_runs import ManyRuns, SettingOnRuns, many_runs_page
from cbreplay.answers.one_setting import one_run_page, one_setting_page
from cbreplay.answers.origins import how_computed
from cbreplay.answers.pictures import MOST_ON_A_CURVE, settings_figure
from cbreplay.answers.setting_code import setting_name
from cbreplay.answers.settings import EVERY_SETTING, settings_document
from cbreplay.answers.staircase_doubts import ONE_RUN_ALONE
from cbreplay.document import Notice, Section, Strong, say
from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.judging import read_judging
from cbreplay.recommend import Advising
from cbreplay.report.advised import advise
from cbreplay.report.asked import ReportQuestion
from cbreplay.rules.registry import resolve_semantics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Unpack

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Document
    from cbreplay.grid import Grid
    from cbreplay.judging import JudgingOptions
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["build_report", "build_settings_report"]

_BASELINES = (0, 5, 10, 20, 50)
_REFERENCE = 10


def build_report(
    runs: Sequence[Run],
    *,
    callbacks: Iterable[Callback] | None = None,
    monitor: str | Sequence[str] | None = None,
    mode: str | None = None,
    keep: Literal["best", "last"] = "best",
    tolerance: str | float | None = None,
    confidence: float | None = None,
    cost_weight: float = 0.05,
    group_by: str | Sequence[Any] | None = None,
    recorded_under: int | None = None,
    prechelt: bool = False,
    beyond_patience: bool = False,
    progress: Callable[[int, int], None] | None = None,
    command: str = "cbreplay.report.build_report(...)",
    made: str = "",
    **judging: Unpack[JudgingOptions],
) -> Document:
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
    tolerance, confidence, cost_weight, group_by, recorded_under : optional
        As in `recommend_config`.
    prechelt, beyond_patience : optional
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
    question = ReportQuestion(
        callbacks=None if callbacks is None else tuple(callbacks),
        monitors=monitors,
        mode=mode,
        keep=keep,
        judging=read_judging(judging),
        advising=Advising(
            tolerance,
            confidence,
            cost_weight,
            group_by,
            recorded_under,
            prechelt,
            beyond_patience,
        ),
        progress=progress,
    )
    rules = _rules(runs, question)
    closing = how_computed(runs, rules, command=command, made=made)
    if len(runs) == 1:
        return _report_on_one(runs[0], question, closing)
    return _report_on_many(runs, question, closing)


def build_settings_report(
    runs: Sequence[Run],
    grid: Grid,
    *,
    progress: Callable[[int, int], None] | None = None,
    command: str = "cbreplay.report.build_settings_report(...)",
    made: str = "",
    **judging: Unpack[JudgingOptions],
) -> Document:
    """Build the report on several settings beside each other.

    Parameters
    ----------
    runs, grid : sequence of Run, Grid
        The records, and the settings.
    progress : callable, optional
        As in `sweep_runs`.
    command, made : str
        As in `build_report`.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Raises
    ------
    CbreplayError
        As `replay_run` for the first run and setting for which it does.
    """
    cells = decide_settings(
        runs, grid, read_judging(judging), progress, replayed=len(runs) == 1
    )
    document = settings_document(cells, each=True)
    closing = how_computed(runs, list(cells.rules), command=command, made=made)
    *rows, doubts = document.sections
    # what the settings come to stands before every run
    rows.sort(key=lambda section: section.title == EVERY_SETTING)
    sections = (
        *rows,
        *_curve_of_settings(cells),
        *_doubts_of_settings(doubts, is_alone=len(runs) == 1),
        closing,
    )
    return document._replace(sections=sections)


def _doubts_of_settings(doubts: Section, *, is_alone: bool) -> Iterator[Section]:
    """Yield the doubts, if there is any, with what one run cannot say."""
    points = [say(Strong(ONE_RUN_ALONE))] if is_alone else []
    for block in doubts.blocks:
        points += block.points if isinstance(block, Notice) else []
    if points:
        yield doubts._replace(blocks=(Notice(tuple(points)),))


def _curve_of_settings(cells: SettingCells) -> Iterator[Section]:
    """Yield the curve of one run with a few settings on it."""
    if len(cells.runs) == 1 and len(cells.grid) <= MOST_ON_A_CURVE:
        names = [short_setting(cells.grid, config) for config in range(len(cells.grid))]
        figure = settings_figure(dict(zip(names, cells.replays(), strict=True)))
        yield Section("The decisions on the curve", (figure,), on="page")


def _rules(runs: Sequence[Run], question: ReportQuestion) -> list[str]:
    """Return the names of the rules that decide."""
    names: dict[str, None] = {}
    for run in runs:
        try:
            resolved = resolve_semantics(
                question.judging.semantics,
                metadata=run.metadata,
                callbacks=question.callbacks or (),
            )
        except CbreplayError:
            continue
        names[f"{resolved.semantics.name} (rules of {resolved.semantics.row})"] = None
    return list(names)


def _report_on_one(run: Run, question: ReportQuestion, closing: Section) -> Document:
    if question.callbacks is not None and not question.asks_every_patience:
        replay = question.replay(run, question.callbacks)
        return one_setting_page(replay, None, closing)
    staircase = question.staircase(run)
    if question.callbacks is not None:
        replay = question.replay(run, question.callbacks)
        return one_setting_page(replay, staircase, closing)
    patience = staircase.sufficient_patience()
    if patience is None:
        patience = staircase.steps[-1].first_patience
    replay = question.replay(run, question.early_stopping(patience))
    return one_run_page(replay, staircase, closing)


def _report_on_many(
    runs: Sequence[Run], question: ReportQuestion, closing: Section
) -> Document:
    """Build the report on several runs; one that cannot be replayed is listed.

    Raises
    ------
    CbreplayError
        If none of them can be replayed.
    """
    advised = advise(runs, question)
    recommended = () if isinstance(advised, str) else advised.callbacks
    given = question.callbacks
    callbacks = given or recommended or (question.early_stopping(_REFERENCE),)
    answers = [(run, question.replay_or_reason(run, callbacks)) for run in runs]
    replays = [answer for _, answer in answers if not isinstance(answer, str)]
    left_out = [(run, answer) for run, answer in answers if isinstance(answer, str)]
    if not replays:
        question.replay(runs[0], callbacks)
    baselines = []
    drawn = SettingOnRuns(_drawn_name(given, callbacks), replays)
    if isinstance(advised, str) or given is not None:
        baselines = list(_baselines(question, [replay.run for replay in replays]))
        baselines += [drawn] if given is not None else []
    doubts = [
        *(about_logs(replays) if isinstance(advised, str) else ()),
        *about_runs([run for run, _ in left_out], "could not be replayed"),
        *notes_of_many(replays),
    ]
    asked = ManyRuns(
        drawn,
        given,
        baselines,
        left_out,
        advised if isinstance(advised, str) else advised.document,
        doubts,
        restores=question.keep == "best",
    )
    return many_runs_page(asked, closing)


def _drawn_name(
    given: tuple[Callback, ...] | None, callbacks: tuple[Callback, ...]
) -> str:
    """Name the setting of the small pictures and of the last table."""
    if given is not None:
        return setting_name(given)
    stopper: Any = next(callback for callback in callbacks if callback.sets_objective)
    return f"patience {stopper.patience:g}"


def _baselines(
    question: ReportQuestion, runs: Sequence[Run]
) -> Iterator[SettingOnRuns]:
    for patience in _BASELINES:
        setting = question.early_stopping(patience)
        default = " (Keras's default patience)" if patience == 0 else ""
        replays = [question.replay_or_reason(run, setting) for run in runs]
        told = [replay for replay in replays if not isinstance(replay, str)]
        yield SettingOnRuns(f"patience {patience}{default}", told)
