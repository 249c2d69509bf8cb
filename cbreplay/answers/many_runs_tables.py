"""The tables of a page of several runs: fixed settings side by side, and every run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.setting_cells import cells_of
from cbreplay.answers.settings_summary import summarise
from cbreplay.answers.spoken_runs import beside_best, spoken_end
from cbreplay.document import Cell, Paragraph, Row, Section, Table, TableColumn, say
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.evidence.words import AT_LEAST, BY_PLAN, brief_evidence, limits_of_replays
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cbreplay.evidence.validity import Evidence
    from cbreplay.replay import Replay
    from cbreplay.run import Mode, Run

__all__ = ["SettingOnRuns", "every_run", "fixed_settings", "unreplayed"]

# the columns that count the runs of a row by their evidence
_COUNTED: Mapping[Evidence, str] = {
    "exact": "Exact",
    "censored": "Not in the log",
    "diverged": "After a rate change",
    "incomplete": "Lacks values",
}
_ALWAYS_COUNTED = ("exact", "censored")


class SettingOnRuns(NamedTuple):
    """One setting on every run that can be replayed.

    Parameters
    ----------
    name : str
        What it is called.
    replays : sequence of Replay
        What it does on each run.
    by_plan : collection of str
        The names of the runs that are exact only if the inferred plan was theirs.
    """

    name: str
    replays: Sequence[Replay]
    by_plan: Collection[str] = ()


def fixed_settings(
    rows: Sequence[SettingOnRuns], modes: Iterable[Mode | None], *, restores: bool
) -> Iterator[Section]:
    """Yield the fixed settings side by side, each over its own exact runs.

    `modes` are the directions in which runs are judged; `restores` tells whether the
    settings restore the best weights.
    """
    if not rows:
        return
    side = beside_best(modes)
    found = {replay.evidence for row in rows for replay in row.replays}
    counted = [name for name in _COUNTED if name in found or name in _ALWAYS_COUNTED]
    scale = scale_of(
        replay.outcome.kept_value
        for row in rows
        for replay in row.replays
        if replay.evidence == "exact"
    )
    columns = (
        TableColumn("setting", "Setting", "name"),
        *(TableColumn(f"n_{name}", _COUNTED[name], "count") for name in counted),
        TableColumn("mean_regret", f"Mean {side}", "difference", scale=scale),
        TableColumn("worst_regret", f"Worst {side}", "difference", scale=scale),
        TableColumn("epochs_saved", "Epochs saved"),
        TableColumn("worst_run", "Worst run", "name"),
    )
    table = Table(
        columns,
        tuple(_baseline_row(row, counted) for row in rows),
        "Fixed settings, each over the runs that answer it exactly",
    )
    remark = say(
        f"The patience rows are with restore_best_weights={restores}. "
        "Means and the worst are over the exact runs of a row whose loss is known; the "
        "others are counted and left out. Rows over different runs do not compare: a "
        "long patience is exact only where the log goes on long enough."
    )
    yield Section("Fixed settings", (table, Paragraph(remark, small=True)))


def _baseline_row(row: SettingOnRuns, counted: Sequence[Evidence]) -> Row:
    counts = [
        sum(replay.evidence == evidence for replay in row.replays)
        for evidence in counted
    ]
    (told,) = summarise(cells_of(row.replays))
    if not told.exact_runs:
        blank = [None] * 4
        words = f"no run of {told.runs} answers this exactly"
        return Row((row.name, *counts, *blank), say(words))
    saved = f"{told.epochs_saved} of {told.recorded_epochs}"
    worst = (told.worst_regret, saved, told.worst_run if told.worst_regret else None)
    return Row((row.name, *counts, told.mean_regret, *worst))


def every_run(drawn: SettingOnRuns) -> Section:
    """Return every run with the drawn setting."""
    first = drawn.replays[0]
    side = "Above best" if first.objective_mode == "min" else "Below best"
    columns = (
        TableColumn("run", "Run", "name"),
        TableColumn("recorded_epochs", "Recorded", "count"),
        TableColumn("ended_by", "Ended by"),
        TableColumn("best_epoch", "Best epoch", "epoch"),
        TableColumn("stopped_epoch", "Stops at", "epoch"),
        TableColumn("kept_epoch", "Keeps", "epoch"),
        TableColumn("kept_value", first.judged_by[0], "value"),
        TableColumn("regret", side, "difference"),
        TableColumn("epochs_saved", "Saved", "count"),
        TableColumn("evidence", "Evidence", "evidence"),
    )
    rows = tuple(_run_row(drawn, replay) for replay in drawn.replays)
    table = Table(columns, rows, f"Every run at {drawn.name}", is_answer=True)
    footnote = limits_of_replays(drawn.replays)
    if drawn.by_plan:
        by_plan = (
            f'"{BY_PLAN}": this setting trains to the end of the plan that was read '
            "off the logs, and the log is exact if it was planned so"
        )
        footnote = "; ".join(filter(None, [by_plan, footnote]))
    if any(_has_bound(replay) for replay in drawn.replays):
        footnote = "; ".join(filter(None, [footnote, AT_LEAST]))
    notes = (Paragraph(say(f"{footnote}."), small=True),) if footnote else ()
    return Section(f"Every run, at {drawn.name}", (table, *notes))


def _has_bound(replay: Replay) -> bool:
    bounded = "regret" in replay.outcome.bounds and replay.evidence == "exact"
    return bounded and replay.outcome.regret is not None


def _run_row(drawn: SettingOnRuns, replay: Replay) -> Row:
    """Return one run; figures that are only provisional are not shown at all."""
    run, outcome = replay.run, replay.outcome
    best = best_recorded_epoch(run, replay.objective, replay.objective_mode)
    cells: tuple[Cell | float | None, ...] = (None, None, None, None, None)
    if replay.evidence == "exact":
        cells = (
            replay.stopped_epoch,
            replay.kept_epoch,
            outcome.kept_value,
            Cell(outcome.regret, outcome.bounds.get("regret")),
            outcome.epochs_saved,
        )
    evidence, as_recorded = brief_evidence(replay), run
    if run.name in drawn.by_plan:
        evidence, as_recorded = BY_PLAN, replace(run, planned_epochs=None)
    names = (run.name, run.recorded_epochs, spoken_end(as_recorded), best)
    return Row((*names, *cells, evidence))


def unreplayed(left_out: Sequence[tuple[Run, str]]) -> Iterator[Section]:
    """Yield the runs that could not be replayed, and why."""
    if left_out:
        rows = tuple(Row((run.name, reason)) for run, reason in left_out)
        columns = (TableColumn("run", "Run", "name"), TableColumn("why", "Why"))
        table = Table(columns, rows, "Runs that could not be replayed")
        yield Section("Left out", (table,))
