"""The page of several runs: a setting, fixed ones beside it, and the advice."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.answers.pictures import small_figure
from cbreplay.answers.rate_cells import still_gained
from cbreplay.answers.schedules import told_schedules
from cbreplay.answers.setting_cells import read_replays
from cbreplay.answers.setting_code import setting_code
from cbreplay.answers.spoken_runs import (
    beside_best,
    by_keras_rules,
    counts_otherwise,
    judged_by,
    spoken_end,
    with_cut_runs,
)
from cbreplay.document import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Fact,
    Notice,
    Paragraph,
    Row,
    Section,
    Strong,
    Table,
    TableColumn,
    phrase,
    say,
)
from cbreplay.document.on_pages import Gallery
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.evidence.words import AT_LEAST, BY_PLAN, brief_evidence, limits_of_replays
from cbreplay.grid import make_grid
from cbreplay.rules.families import spoken_version
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import count, list_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from cbreplay.document import Text
    from cbreplay.evidence.outcomes import Outcome
    from cbreplay.evidence.validity import Evidence
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["DOUBTS", "ManyRuns", "SettingOnRuns", "many_runs_page"]

DOUBTS = "Before you trust it"
MOST_DRAWN = 24
_MOST_NAMES = 5
# the columns that count the runs of a row by their evidence
_COUNTED: Mapping[Evidence, str] = {
    "exact": "Exact",
    "censored": "Not in the log",
    "diverged": "After a rate change",
    "incomplete": "Lacks values",
}
_ALWAYS_COUNTED = ("exact", "censored")
_NO_DOUBT = (
    "Nothing stood out in these logs. They say something about runs like these only."
)


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

    def exact(self) -> list[Replay]:
        """Return the replays that may be averaged: exact, with a number, no bound."""
        return [
            replay
            for replay in self.replays
            if replay.evidence == "exact"
            and replay.outcome.regret is not None
            and "regret" not in replay.outcome.bounds
        ]


class ManyRuns(NamedTuple):
    """What a page about several runs says: the settings on them, and the advice.

    Parameters
    ----------
    drawn : SettingOnRuns
        The setting that is drawn: the one asked about, or the recommended one.
    callbacks : tuple of Callback or None
        The setting that was asked about; None if none was.
    baselines : sequence of SettingOnRuns
        Fixed settings that are shown beside it.
    left_out : sequence of (Run, str)
        The runs that could not be replayed, and why.
    advice : Document or str
        What is recommended from the runs, or why nothing can be.
    doubts : sequence of Text
        What to know about the runs before trusting the answer.
    restores : bool
        Whether the baselines restore the best weights.
    """

    drawn: SettingOnRuns
    callbacks: tuple[Callback, ...] | None
    baselines: Sequence[SettingOnRuns]
    left_out: Sequence[tuple[Run, str]]
    advice: Document | str
    doubts: Sequence[Text]
    restores: bool


def many_runs_page(asked: ManyRuns, closing: Section) -> Document:
    """Say what a setting would have done on several runs.

    `closing` says how it was computed.
    """
    advice, drawn = asked.advice, asked.drawn
    recommends = not isinstance(advice, str) and asked.callbacks is None
    runs = [replay.run for replay in drawn.replays]
    headline = with_cut_runs(_headline(drawn), runs)
    headline = by_keras_rules(headline, runs, judged_by(drawn.replays))
    lead = _lead(asked)
    if recommends and isinstance(advice, Document):
        headline = advice.headline
        lead = say(advice.lead, " ", _counts(asked))
    sections = [
        *_given(asked),
        *_with_doubts(asked),
        *_baseline_section(asked),
        _gallery(drawn),
        _every_run(drawn),
        *_unreplayed(asked.left_out),
        closing,
    ]
    return Document("report", headline, lead, tuple(sections))


def _headline(drawn: SettingOnRuns) -> Text:
    n_runs, exact = len(drawn.replays), drawn.exact()
    if not exact:
        return say(
            f"None of {count(n_runs, 'run')} can say what {drawn.name} would cost."
        )
    regrets = [replay.outcome.regret or 0.0 for replay in exact]
    mean = math.fsum(regrets) / len(regrets)
    scale = scale_of(replay.outcome.kept_value for replay in exact)
    cost = "{mean} {objective:code} on average" if mean else "no {objective:code}"
    which = f"the {len(exact)} of {n_runs} runs that can tell"
    if len(exact) == n_runs:
        which = f"these {count(n_runs, 'run')}"
    return phrase(
        f"{{}} would have cost {cost} on {which}.",
        drawn.name[:1].upper() + drawn.name[1:],
        mean=Fact(mean, "difference", "mean_regret", scale),
        objective=exact[0].judged_by[0],
    )


def _lead(asked: ManyRuns) -> Text:
    replays = asked.drawn.replays
    better = "smaller" if replays[0].objective_mode == "min" else "larger"
    rules = dict.fromkeys(spoken_version(replay.semantics.name) for replay in replays)
    return phrase(
        f"{count(len(replays), 'run')}, {{}} Judged by {{objective:code}}, {better} is "
        f"better; rules of {', '.join(rules)}. Epochs count from 1. What was measured, "
        "not what to use next.",
        _counts(asked),
        objective=replays[0].judged_by[0],
    )


def _counts(asked: ManyRuns) -> Text:
    epochs = sum(replay.run.recorded_epochs for replay in asked.drawn.replays)
    n_out = len(asked.left_out)
    out = f" {count(n_out, 'run')} could not be replayed." if n_out else ""
    words = f"{{recorded_epochs:count}} recorded epochs.{out}"
    return phrase(words, recorded_epochs=epochs)


def _given(asked: ManyRuns) -> Iterator[Section]:
    if asked.callbacks is None:
        return
    code = CodeBlock(setting_code(asked.callbacks), "python")
    yield Section("The setting", (code,))
    if isinstance(asked.advice, Document):
        sentence = say(*asked.advice.headline.parts, " ", *asked.advice.lead.parts)
        yield Section("What these runs recommend", (Paragraph(sentence),))


def _with_doubts(asked: ManyRuns) -> Iterator[Section]:
    """Yield the advice's sections, with the doubts about the runs among its own."""
    if isinstance(asked.advice, str):
        why = say(Strong("This page recommends nothing."), f" {asked.advice}")
        others = counts_otherwise(replay.run for replay in asked.drawn.replays)
        points = (why, *_about_setting(asked), *asked.doubts, *others)
        yield Section(DOUBTS, (Notice(points),))
        return
    about = _about_setting(asked) if asked.callbacks is not None else ()
    more = (*about, *asked.doubts)
    for section in asked.advice.sections:
        if section.title != DOUBTS:
            yield section
            continue
        own = [block for block in section.blocks if isinstance(block, Notice)]
        points = (*(point for block in own for point in block.points), *more)
        yield section._replace(blocks=(Notice(points or (say(_NO_DOUBT),)),))


def _about_setting(asked: ManyRuns) -> Iterator[Text]:
    """Yield on which runs the drawn setting has no exact answer, and why."""
    yield from _about_rates(asked)
    name = asked.drawn.name
    kinds = [
        ("censored", f"cannot say what {name} would have done: the log ends first"),
        ("diverged", f"cannot say it for {name} after a learning-rate change"),
        ("incomplete", f"cannot say it for {name}: the log lacks values"),
    ]
    for evidence, words in kinds:
        runs = [
            replay.run.name
            for replay in asked.drawn.replays
            if replay.evidence == evidence
        ]
        if runs:
            yield say(
                Strong(count(len(runs), "run")),
                f" {words}. They are counted, never averaged ",
                f"({list_names(runs, _MOST_NAMES)}).",
            )


def _about_rates(asked: ManyRuns) -> Iterator[Text]:
    """Yield which schedules its stops cut, and what was gained after its reductions."""
    replays = asked.drawn.replays
    runs = [replay.run for replay in replays]
    grid = make_grid([*(asked.callbacks or replays[0].callbacks)])
    cells = read_replays(runs, grid, replays)
    yield from told_schedules(cells)
    yield from still_gained(cells)


def _baseline_section(asked: ManyRuns) -> Iterator[Section]:
    """Yield the fixed settings side by side, each over its own exact runs."""
    rows = asked.baselines
    if not rows:
        return
    side = beside_best(replay.objective_mode for replay in asked.drawn.replays)
    found = {replay.evidence for row in rows for replay in row.replays}
    counted = [name for name in _COUNTED if name in found or name in _ALWAYS_COUNTED]
    scale = scale_of(
        replay.outcome.kept_value for row in rows for replay in row.exact()
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
        f"The patience rows are with restore_best_weights={asked.restores}. "
        "Means and the worst are over the exact runs of a row whose loss is known; the "
        "others are counted and left out. Rows over different runs do not compare: a "
        "long patience is exact only where the log goes on long enough."
    )
    yield Section("Fixed settings", (table, Paragraph(remark, small=True)))


def _baseline_row(row: SettingOnRuns, counted: Sequence[Evidence]) -> Row:
    exact = row.exact()
    counts = [
        sum(replay.evidence == evidence for replay in row.replays)
        for evidence in counted
    ]
    if not exact:
        told = f"no run of {len(row.replays)} answers this exactly"
        blank = [None] * 4
        return Row((row.name, *counts, *blank), say(told))
    worst = max(exact, key=lambda replay: replay.outcome.regret or 0.0)
    regrets = [replay.outcome.regret or 0.0 for replay in exact]
    saved = sum(replay.outcome.epochs_saved for replay in exact)
    recorded = sum(replay.run.n_epochs for replay in exact)
    return Row(
        (
            row.name,
            *counts,
            math.fsum(regrets) / len(regrets),
            worst.outcome.regret,
            f"{saved} of {recorded}",
            worst.run.name if worst.outcome.regret else None,
        )
    )


def _gallery(drawn: SettingOnRuns) -> Section:
    """Return small pictures of the runs, or of those that lose most."""
    shown, hidden = list(drawn.replays), len(drawn.replays) - MOST_DRAWN
    if hidden > 0:
        shown = sorted(shown, key=_lost, reverse=True)[:MOST_DRAWN]
    legend = say(
        f"At {drawn.name}. Square: stop. Ring: weights kept. Triangle: best recorded, "
        "if it is another epoch. Grey: recorded after the stop. Shaded: the log says "
        "nothing."
    )
    blocks: list[Block] = [
        Paragraph(legend, small=True),
        Gallery(tuple(small_figure(replay) for replay in shown)),
    ]
    if hidden > 0:
        more = count(hidden, "more run")
        text = say(f"The {MOST_DRAWN} that lose most; {more} in the table below.")
        blocks.append(Paragraph(text, small=True))
    return Section("Where each run would stop", tuple(blocks), on="page")


def _lost(replay: Replay) -> float:
    """Return the regret as a share of the kept value; below 0 if unknown."""
    outcome = replay.outcome
    if replay.evidence != "exact" or outcome.regret is None:
        return -1.0
    return outcome.regret / (abs(outcome.kept_value or 0.0) or 1.0)


def _every_run(drawn: SettingOnRuns) -> Section:
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


def _lost_here(outcome: Outcome) -> Cell | None:
    """Return what a run loses, marked as a lower bound where the log lacks values."""
    regret = outcome.regret
    return None if regret is None else Cell(regret, outcome.bounds.get("regret"))


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
            _lost_here(outcome),
            outcome.epochs_saved,
        )
    evidence, as_recorded = brief_evidence(replay), run
    if run.name in drawn.by_plan:
        evidence, as_recorded = BY_PLAN, replace(run, planned_epochs=None)
    names = (run.name, run.recorded_epochs, spoken_end(as_recorded), best)
    return Row((*names, *cells, evidence))


def _unreplayed(left_out: Sequence[tuple[Run, str]]) -> Iterator[Section]:
    if left_out:
        rows = tuple(Row((run.name, reason)) for run, reason in left_out)
        columns = (TableColumn("run", "Run", "name"), TableColumn("why", "Why"))
        table = Table(columns, rows, "Runs that could not be replayed")
        yield Section("Left out", (table,))
