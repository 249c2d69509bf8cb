"""One setting on one run: what it would have done, and what it would have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.doubts import doubts_of_one_run, doubts_of_staircase
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.misreadings import headline_of_replay
from cbreplay.answers.one_run_headline import headline_of_one
from cbreplay.answers.pictures import curve_figure, curve_section
from cbreplay.answers.rate_cells import still_gained
from cbreplay.answers.schedules import told_schedules
from cbreplay.answers.setting_cells import cells_of
from cbreplay.answers.setting_code import setting_code
from cbreplay.answers.spoken_runs import lead_of_run, spoken_end, spoken_plan
from cbreplay.answers.staircase import staircase_document
from cbreplay.answers.staircase_rate import rate_section
from cbreplay.answers.staircase_table import kept_scale, steps_section
from cbreplay.document import (
    Cell,
    CodeBlock,
    Document,
    Notice,
    Paragraph,
    Row,
    Section,
    Table,
    TableColumn,
    Text,
    say,
)
from cbreplay.evidence.outcomes import judge_certainly
from cbreplay.evidence.words import spoken_evidence
from cbreplay.staircase.build import find_best
from cbreplay.wording.kinds import spoken_value
from cbreplay.wording.shown_digits import ValueScale, scale_of, spoken_figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.replay import Replay
    from cbreplay.staircase import Staircase
    from cbreplay.wording.kinds import Kind

__all__ = ["one_run_page", "one_setting_page"]

_MOST_FILES = 3
_WORDS_OF_STEP = {
    True: (
        "What would have been enough",
        "the smallest patience that keeps the best recorded value",
    ),
    False: (
        "What comes nearest",
        "none keeps the best recorded value, and this patience comes nearest",
    ),
}


def one_run_page(replay: Replay, staircase: Staircase, closing: Section) -> Document:
    """Say one log's answer with everything that a page has room for.

    `replay` is that of the patience that was enough, or that comes nearest; `closing`
    says how it was computed.
    """
    step = staircase.sufficient_step()
    if step is None:
        said = (
            "There is no setting to paste: nothing that stops inside this log can be "
            "judged by it."
        )
        setting = Section(
            _WORDS_OF_STEP[True][0], (Paragraph(say(said)),), half=True, on="page"
        )
    else:
        title, words = _WORDS_OF_STEP[step.regret == 0]
        small = f"On this one run: {words}. Not a recommendation for the next."
        code = CodeBlock(setting_code(replay.callbacks), "python")
        blocks = (code, Paragraph(say(small), small=True))
        setting = Section(title, blocks, half=True, on="page")
    return staircase_document(
        staircase,
        sections=(setting, _outcome(replay, kept_scale(staircase))),
        pictures=(curve_section(curve_figure(replay)),),
        closing=(_the_run(staircase.replay, kept_scale(staircase)), closing),
    )


def one_setting_page(
    replay: Replay, staircase: Staircase | None, closing: Section
) -> Document:
    """Say what a named setting would have done on one run, as a page.

    `staircase` is None where the framework has no rule with a patience; `closing` says
    how it was computed.
    """
    run = replay.run
    cells = cells_of([replay])
    schedules = (*told_schedules(cells),)
    doubts, every_patience, scale = _beside(
        replay, staircase, is_schedule_told=bool(schedules)
    )
    code = CodeBlock(setting_code(replay.callbacks, replay.semantics.name), "python")
    every_doubt = (*doubts, *schedules, *still_gained(cells))
    document = Document(
        "simulate",
        headline_of_replay(headline_of_one(cells), replay),
        lead_of_run(replay),
        (
            Section("The setting", (code,), half=True),
            _outcome(replay, scale),
            Section("Before you trust it", (Notice(every_doubt),)),
            curve_section(curve_figure(replay)),
            *every_patience,
            _the_run(replay if staircase is None else staircase.replay, scale),
            closing,
        ),
    )
    return in_evaluations(document, [run])


def _beside(
    replay: Replay, staircase: Staircase | None, *, is_schedule_told: bool
) -> tuple[tuple[Text, ...], tuple[Section, ...], ValueScale]:
    """Return the doubts of the page, what it says of every patience, and its scale."""
    if staircase is None:
        _, best = find_best(replay)
        scale = scale_of([best, replay.outcome.kept_value])
        return doubts_of_one_run(replay), (), scale
    doubts = doubts_of_staircase(
        staircase, is_schedule_told=is_schedule_told, also=replay.notes
    )
    every_patience = (steps_section(staircase), *rate_section(staircase, replay))
    return doubts, every_patience, kept_scale(staircase)


def _outcome(replay: Replay, scale: ValueScale) -> Section:
    """Return what the setting would have done, as two columns."""
    columns = (TableColumn("outcome", "Outcome"), TableColumn("value", "On this run"))
    rows = tuple(_outcome_rows(replay, scale))
    table = Table(columns, rows, "What the setting would have done on this run")
    return Section("What it would have done", (table,), half=True, on="page")


def _outcome_rows(replay: Replay, scale: ValueScale) -> Iterator[Row]:
    outcome, run = replay.outcome, replay.run
    yield Row(("Evidence", spoken_evidence(replay)))
    if replay.stopped_epoch is not None:
        yield Row(
            ("Stops at epoch", f"{replay.stopped_epoch + 1} of {run.horizon + 1}")
        )
    if replay.kept_epoch is not None:
        so_far = " so far" if outcome.provisional else ""
        side = "Above best" if replay.objective_mode == "min" else "Below best"
        yield Row((f"Keeps epoch{so_far}", str(replay.kept_epoch + 1)))
        value = spoken_value(outcome.kept_value, "value", scale)
        yield Row((f"{replay.objective}{so_far}", value))
        regret = spoken_value(outcome.regret, "difference", scale)
        cell = Cell(regret, outcome.bounds.get("regret"))
        yield Row((f"{side}{so_far}", cell))
    yield from _file_rows(replay, scale)
    figures: list[tuple[str, str, float | None, Kind]] = [
        ("Epochs trained", "trained_epochs", outcome.trained_epochs, "count"),
        ("Epochs saved", "epochs_saved", outcome.epochs_saved, "count"),
        ("Time saved", "seconds_saved", outcome.seconds_saved, "seconds"),
    ]
    for title, name, figure, kind in figures:
        if figure is not None:
            # "at most 0" is 0
            bound = outcome.bounds.get(name) if figure else None
            cell = Cell(spoken_value(figure, kind), bound)
            yield Row((title, cell))
    for number, reduction in enumerate(replay.reductions, 1):
        change = (
            "reduced" if reduction.new is None else f"to {spoken_figure(reduction.new)}"
        )
        yield Row(
            (f"Reduction {number}", f"{change} after epoch {reduction.epoch + 1}")
        )


def _file_rows(replay: Replay, scale: ValueScale) -> Iterator[Row]:
    """Yield what the files hold that are left, of many the last ones."""
    if len(replay.files) > _MOST_FILES:
        yield Row(("Files left", str(len(replay.files))))
    so_far = "" if replay.evidence == "exact" else " so far"
    judged_by = replay.objective, replay.objective_mode
    for file, epoch in [*replay.files.items()][-_MOST_FILES:]:
        value, _ = judge_certainly(replay.run, epoch, *judged_by)
        told = "" if value is None else f", {replay.objective} "
        told += spoken_value(value, "value", scale) if told else ""
        yield Row((f"{file} holds epoch{so_far}", f"{epoch + 1}{told}"))


def _the_run(replay: Replay, scale: ValueScale) -> Section:
    """Return the table of the one run, with its best value of what judges it."""
    run, objective = replay.run, replay.objective
    columns = (
        TableColumn("run", "Run", "name"),
        TableColumn("recorded_epochs", "Recorded epochs", "count"),
        TableColumn("plan", "Plan"),
        TableColumn("ended_by", "Ended by"),
        TableColumn("best_epoch", "Best epoch", "epoch"),
        TableColumn("best_value", f"Best {objective}", "value", scale=scale),
    )
    names = (run.name, run.recorded_epochs, spoken_plan(run), spoken_end(run))
    row = Row((*names, *find_best(replay)))
    table = Table(columns, (row,), "The run as it was recorded")
    return Section("The run", (table,), on="page")
