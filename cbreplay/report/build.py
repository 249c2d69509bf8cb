"""A report as a document, by `build_report`; which patience values it compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.doubts import ONE_RUN_ALONE, about_logs, about_runs, notes_of_many
from cbreplay.answers.many_runs_page import ManyRuns, many_runs_page
from cbreplay.answers.many_runs_tables import SettingOnRuns
from cbreplay.answers.moving import MovingQuestion, NamedSetting
from cbreplay.answers.moving.sentences import name_setting
from cbreplay.answers.one_setting_page import one_run_page, one_setting_page
from cbreplay.answers.origins import how_computed
from cbreplay.answers.pictures import (
    MOST_ON_A_CURVE,
    curve_section,
    settings_figure,
)
from cbreplay.answers.setting_code import setting_name
from cbreplay.answers.settings import EVERY_SETTING, settings_document
from cbreplay.answers.spoken_runs import judged_by
from cbreplay.answers.staircase_table import EVERY_PATIENCE
from cbreplay.answers.varied_parameters import short_setting
from cbreplay.arguments import checked
from cbreplay.document import Notice, Section, Strong, say
from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.judging import read_judging
from cbreplay.recommend import Advising
from cbreplay.report.advised import Advised, advise
from cbreplay.report.moving import with_moving
from cbreplay.report.question import ReportQuestion
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.families import resolve_semantics
from cbreplay.staircase import replay_patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Unpack

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Document
    from cbreplay.grid import Grid
    from cbreplay.judging import JudgingOptions
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["build_report", "build_settings_report"]

_BASELINES = (0, 5, 10, 20, 50)
_REFERENCE = 10
_MOST_NAMED = 200


@checked
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
    question = ReportQuestion(
        callbacks=None if callbacks is None else read_callbacks(callbacks).callbacks,
        monitors=_read_monitors(monitor, len(runs)),
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
    closing = how_computed(runs, _rules(runs, question), command=command, made=made)
    if len(runs) == 1:
        return _report_on_one(runs[0], question, closing)
    return _report_on_many(runs, question, closing)


def _read_monitors(monitor: str | Sequence[str] | None, n_runs: int) -> tuple[str, ...]:
    """Return the monitors; refuse no run, and several monitors for a single one."""
    if not n_runs:
        sentence = "there is no run to report on. Give a PATH or runs=."
        raise ConfigError(sentence)
    monitors = (monitor,) if isinstance(monitor, str) else tuple(monitor or ())
    if n_runs == 1 and len(monitors) > 1:
        sentence = (
            f"one run cannot tell which of {', '.join(monitors)} to stop on. Name one "
            "of them with --monitor or monitor=, or give several runs."
        )
        raise ConfigError(sentence)
    return monitors


@checked
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
    _read_monitors(None, len(runs))
    on_curve = len(runs) == 1 and len(grid) <= MOST_ON_A_CURVE
    cells = decide_settings(
        runs, grid, read_judging(judging), progress, replayed=on_curve
    )
    document = settings_document(cells, each=True)
    closing = how_computed(runs, list(cells.rules), command=command, made=made)
    *rows, doubts = document.sections
    # the summary of the settings comes before the table of every run
    rows.sort(key=lambda section: section.title == EVERY_SETTING)
    sections = (
        *rows,
        *([_curve_of_settings(cells)] if on_curve else []),
        _doubts_of_settings(doubts, is_alone=len(runs) == 1),
        closing,
    )
    question = MovingQuestion(
        cells.runs,
        _named_settings(grid),
        judging=read_judging(judging),
        version=cells.rules[0],
    )
    document = document._replace(sections=sections)
    return with_moving(document, question, cells.judged_by)


def _named_settings(grid: Grid) -> list[NamedSetting]:
    """Return the settings that a page offers by name: all, or the first of many."""
    return [
        NamedSetting(short_setting(grid, config), grid[config])
        for config in range(min(len(grid), _MOST_NAMED))
    ]


def _doubts_of_settings(doubts: Section, *, is_alone: bool) -> Section:
    """Return the section of doubts, of which one run alone is one."""
    points = [say(Strong(ONE_RUN_ALONE))] if is_alone else []
    for block in doubts.blocks:
        points += block.points if isinstance(block, Notice) else []
    return doubts._replace(blocks=(Notice(tuple(points)),))


def _curve_of_settings(cells: SettingCells) -> Section:
    """Return the curve of one run with a few settings on it."""
    names = [short_setting(cells.grid, config) for config in range(len(cells.grid))]
    replays = dict(zip(names, cells.replays(), strict=True))
    return curve_section(settings_figure(replays))


def _rules(runs: Sequence[Run], question: ReportQuestion) -> list[str]:
    """Return the names of the Keras versions whose rules decide."""
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
        name, row = resolved.semantics.name, resolved.semantics.row
        names[name if name == row else f"{name} (rules of {row})"] = None
    return list(names)


def _report_on_one(run: Run, question: ReportQuestion, closing: Section) -> Document:
    if question.callbacks is not None:
        staircase = question.staircase(run) if question.asks_every_patience else None
        replay = question.replay(run, question.callbacks)
        document = one_setting_page(replay, staircase, closing)
        return _moving(document, question, {"asked": question.callbacks}, [replay])
    staircase = question.staircase(run)
    step = staircase.sufficient_step()
    replay = replay_patience(staircase, judging=question.judging)
    document = one_run_page(replay, staircase, closing)
    if step is None:
        # nothing stops, so there is no setting that the controls could begin with
        return document
    role = "nearest" if step.regret else "enough"
    named = {role: tuple(replay.callbacks)}
    return _moving(document, question, named, [replay], (EVERY_PATIENCE,))


def _moving(
    document: Document,
    question: ReportQuestion,
    settings: Mapping[str, tuple[Callback, ...]],
    replays: Sequence[Replay],
    replaces: tuple[str, ...] = (),
    *,
    advised: Advised | None = None,
) -> Document:
    """Return a page with controls that look other settings up.

    `settings` are those that it offers by name, each under its role: "enough", "asked".
    `advised` tells the plans that were inferred from the logs.
    """
    runs = [replay.run for replay in replays]
    if advised is not None:
        runs = [advised.planned(run) for run in runs]
    asked = MovingQuestion(
        runs,
        [
            NamedSetting(name_setting(role, setting), setting)
            for role, setting in settings.items()
        ],
        monitors=question.monitors or (question.watched[0],),
        judging=question.judging,
        version=replays[0].semantics.name,
        by_plan=[
            run.name
            for run, replay in zip(runs, replays, strict=True)
            if run is not replay.run
        ],
    )
    is_curve = len(replays) == 1
    return with_moving(
        document, asked, judged_by(replays), replaces=replaces, is_curve=is_curve
    )


def _report_on_many(
    runs: Sequence[Run], question: ReportQuestion, closing: Section
) -> Document:
    """Build the report on several runs; one that cannot be replayed is listed."""
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
    read = None if isinstance(advised, str) or given is not None else advised
    if read is None:
        baselines = list(_baselines(question, [replay.run for replay in replays]))
        baselines += [drawn] if given is not None else []
    else:
        drawn = _by_read_plan(question, read, drawn)
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
    named = _named(recommended, given) or {"start": callbacks}
    document = many_runs_page(asked, closing)
    return _moving(document, question, named, replays, advised=read)


def _named(
    recommended: tuple[Callback, ...], given: tuple[Callback, ...] | None
) -> dict[str, tuple[Callback, ...]]:
    """Return the lists that a page names: what was asked about comes first."""
    named = {"asked": given or (), "recommended": recommended}
    return {role: listed for role, listed in named.items() if listed}


def _by_read_plan(
    question: ReportQuestion, advised: Advised, drawn: SettingOnRuns
) -> SettingOnRuns:
    """Replay a setting on the runs with their inferred plans, where it is censored."""
    replays, by_plan = [], set()
    for replay in drawn.replays:
        run = advised.planned(replay.run)
        if run is replay.run or replay.evidence != "censored":
            replays.append(replay)
        else:
            replays.append(question.replay(run, replay.callbacks))
            by_plan.add(run.name)
    return drawn._replace(replays=replays, by_plan=by_plan)


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
