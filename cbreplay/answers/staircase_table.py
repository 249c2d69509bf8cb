"""The table of one log: a row for each step of patience, with its curve and key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.answers.spoken_runs import beside_best, saved_of_recorded
from cbreplay.document import (
    Cell,
    Code,
    Fact,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
    TableColumn,
    Trend,
    footnotes,
    phrase,
    say,
)
from cbreplay.evidence.outcomes import provisional_of
from cbreplay.evidence.words import Limit, spoken_evidence, takes_nan
from cbreplay.series_names import is_validation
from cbreplay.wording.shown_digits import ValueScale, scale_of
from cbreplay.wording.words import count, spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.document import Text
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = ["EVERY_PATIENCE", "steps_section"]

EVERY_PATIENCE = "Every patience that this log can tell apart"

# patience values that people often try: where room is short, their steps come first
_TRIED = (0, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 200, 500)
_OTHER_SERIES, _MOST_STEPS = 4, 20
_HOW_MEASURED = (
    "on the validation set; about two in three such differences held on test data"
)


def steps_section(staircase: Staircase) -> Section:
    """Return the staircase: which patience values end with which weights."""
    setting = Paragraph(say(Code(_setting(staircase))))
    legend = footnotes(_legend(staircase))
    blocks = (_trend(staircase), setting, _table(staircase), legend)
    return Section(EVERY_PATIENCE, blocks, untitled=True)


def _setting(staircase: Staircase) -> str:
    restores = staircase.keep == "best"
    return (
        f'EarlyStopping(monitor="{staircase.monitor}", patience=..., '
        f"restore_best_weights={restores})"
    )


def _trend(staircase: Staircase) -> Trend:
    run = staircase.replay.run
    if staircase.has_several_bests:
        caption = say("several values in an epoch: which is the best is not told")
    elif staircase.best_epoch is None or staircase.best_value is None:
        caption = say(f"no finite {staircase.objective} is recorded")
    else:
        caption = phrase(
            "best {} at epoch {} of {}",
            Fact(staircase.best_value, "value", "best_value", kept_scale(staircase)),
            Fact(staircase.best_epoch, "epoch", "best_epoch"),
            Fact(run.horizon, "epoch", "horizon"),
        )
    return Trend(staircase.objective, list(run.series[staircase.objective]), caption)


def kept_scale(staircase: Staircase) -> ValueScale:
    """Return the scale of the values of the objective."""
    values = [step.kept_value for step in staircase.steps]
    return scale_of([*values, staircase.best_value])


def _table(staircase: Staircase) -> Table:
    steps, scale = staircase.steps, kept_scale(staircase)
    side = beside_best([staircase.objective_mode])
    others = list(steps[0].others)
    columns = (
        TableColumn("patience", "patience", "patience", shown="people"),
        TableColumn("first_patience", "from", "patience", shown="programs"),
        TableColumn("last_patience", "to", "patience", shown="programs"),
        TableColumn("stopped", "stops at", "epoch", shown="people"),
        TableColumn("first_stopped_epoch", "from", "epoch", shown="programs"),
        TableColumn("last_stopped_epoch", "to", "epoch", shown="programs"),
        TableColumn("evidence", "evidence", "evidence", shown="programs"),
        TableColumn("kept_epoch", "keeps", "epoch"),
        TableColumn("kept_value", staircase.objective, "value", scale=scale),
        TableColumn("regret", side, "difference", fold=1, scale=scale),
        *(
            TableColumn(name, name, "value", fold=3 + place).for_people_if(
                place < _OTHER_SERIES
            )
            for place, name in enumerate(others)
        ),
        TableColumn("saved", "saved", "count", fold=2, shown="people"),
        TableColumn("most_epochs_saved", "at most", "count", shown="programs"),
        TableColumn("fewest_epochs_saved", "at least", "count", shown="programs"),
        TableColumn("bounds", "bounds", "text", shown="programs"),
        TableColumn("provisional", "provisional", "text", shown="programs"),
    )
    rows = tuple(_row(staircase, step) for step in steps)
    return Table(
        columns,
        rows,
        "What every patience would have done",
        is_answer=True,
        most_on_screen=_MOST_STEPS,
    )


def _row(staircase: Staircase, step: StaircaseStep) -> Row:
    cells = (
        Span(step.first_patience, step.last_patience),
        step.first_patience,
        step.last_patience,
        Span(step.first_stopped_epoch, step.last_stopped_epoch),
        step.first_stopped_epoch,
        step.last_stopped_epoch,
        step.evidence,
        step.kept_epoch,
        step.kept_value,
        Cell(step.regret, "lower" if staircase.lacks_values else None),
        *step.others.values(),
        Span(step.most_epochs_saved, step.fewest_epochs_saved),
        step.most_epochs_saved,
        step.fewest_epochs_saved,
        ";".join(_bounds(staircase, step)),
        ";".join(provisional_of(step.evidence)),
    )
    if step.last_patience is None:
        name = cells[0] if len(staircase.steps) > 1 else say("every patience")
        return Row((name, *cells[1:]), say(_rest_words(staircase)))
    if step.gap_epoch is not None:
        limit = Limit(staircase.replay.run, "incomplete", gap_epoch=step.gap_epoch)
        return Row(cells, say(limit.spoken()))
    tried = any(step.first_patience <= tried <= step.last_patience for tried in _TRIED)
    chosen = step == staircase.sufficient_step()
    return Row(cells, rank=0 if tried or chosen else 1, marked=chosen)


def _bounds(staircase: Staircase, step: StaircaseStep) -> Iterator[str]:
    """Yield which columns of a row are bounds, and of which kind, for programs."""
    if step.regret is not None and staircase.lacks_values:
        yield "regret:lower"
    if step.evidence != "exact":
        yield from ("most_epochs_saved:upper", "fewest_epochs_saved:upper")


def _rest_words(staircase: Staircase) -> str:
    """Say what becomes of the patience values that never stop inside the log."""
    rest, run = staircase.steps[-1], staircase.replay.run
    if rest.kept_epoch is None:
        return spoken_evidence(staircase.replay)
    if rest.evidence == "exact":
        words = f"runs to the end of its plan, keeps epoch {rest.kept_epoch + 1}"
        return spoken_rows(words, run)
    words = f"not in the log: it ends at epoch {run.horizon + 1}"
    unbeaten = _unbeaten(staircase)
    if unbeaten:
        gap = run.horizon - (staircase.replay.best_epoch or 0)
        words += f", {count(gap, 'epoch')} after the {unbeaten} that is its best"
    elif staircase.best_epoch is not None and staircase.best_epoch < run.horizon:
        gap = run.horizon - staircase.best_epoch
        words += f", {count(gap, 'epoch')} after its best"
    return spoken_rows(words, run)


def _unbeaten(staircase: Staircase) -> str:
    """Return "NaN" or the infinity that the rule holds as best; empty if neither."""
    replay = staircase.replay
    if takes_nan(replay, staircase.monitor):
        return "NaN"
    extreme = -math.inf if replay.objective_mode == "min" else math.inf
    watches = staircase.monitor == staircase.objective
    return f"{extreme:g}" if watches and replay.best == extreme else ""


def _legend(staircase: Staircase) -> Iterator[tuple[str, Text]]:
    yield from saved_of_recorded([staircase.replay.run])
    n_hidden = len(staircase.steps[0].others) - _OTHER_SERIES
    if n_hidden > 0:
        yield "", say(f"{n_hidden} more series in --format csv")
    told = any(step.regret for step in staircase.steps if step.evidence == "exact")
    # whatever its framework calls it; a test set is what the measure is held against
    watched = staircase.objective
    if told and is_validation(watched) and "test" not in watched.lower():
        side = beside_best([staircase.objective_mode])
        yield side, say(f"{side}: {_HOW_MEASURED}")
