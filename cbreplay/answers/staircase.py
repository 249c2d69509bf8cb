"""One log's answer: what every patience would have done, and which was enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.answers.doubts import ONE_RUN_ALONE, doubts_of_staircase
from cbreplay.answers.next_commands import next_of_one_log
from cbreplay.answers.spoken_runs import (
    beside_best,
    by_keras_rules,
    lead_of_run,
    saved_of_recorded,
    stopped_itself,
    what_it_saves,
)
from cbreplay.answers.staircase_rate import rate_section
from cbreplay.document import (
    Cell,
    Claim,
    Code,
    Document,
    Fact,
    Notice,
    Paragraph,
    Points,
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
from cbreplay.evidence.training_course import find_bad_end, find_rounded_tie
from cbreplay.evidence.words import Limit, spoken_evidence, takes_nan
from cbreplay.wording.shown_digits import ValueScale, scale_of
from cbreplay.wording.words import count, spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Block, Text
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = [
    "EVERY_PATIENCE",
    "staircase_document",
    "staircase_headline",
    "steps_section",
]

EVERY_PATIENCE = "Every patience that this log can tell apart"

# patience values that people often try: where room is short, their steps come first
_TRIED = (0, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 200, 500)
_OTHER_SERIES, _MOST_STEPS = 4, 20
_HOW_MEASURED = (
    "on the validation set; about two in three such differences held on test data"
)
# people take "the best epoch" as that of this series; any other series is named
_KERAS_DEFAULT = "val_loss"


def staircase_document(
    staircase: Staircase,
    *,
    typed: str | None = None,
    sections: Sequence[Section] = (),
    pictures: Sequence[Section] = (),
    closing: Sequence[Section] = (),
) -> Document:
    """Say one log's answer.

    Parameters
    ----------
    staircase : Staircase
        The answer.
    typed : str, optional
        The log and the options as they were typed, for the next commands; none where
        it cannot be asked again.
    sections : sequence of Section
        What a page says before the doubts.
    pictures : sequence of Section
        What it shows after them.
    closing : sequence of Section
        What it says at its end.
    """
    run = staircase.replay.run
    judged = [(staircase.objective, staircase.objective_mode)]
    document = Document(
        "simulate",
        by_keras_rules(
            staircase_headline(staircase), [run], judged, staircase.replay.callbacks
        ),
        lead_of_run(staircase.replay),
        (
            *sections,
            Section("Before you trust it", (Notice(_doubts(staircase)),)),
            *pictures,
            steps_section(staircase),
            *_how_it_keeps(staircase),
            *rate_section(staircase),
            *closing,
        ),
        next_of_one_log(staircase, typed),
        lambda: _members(staircase),
    )
    if run.steps is None:
        return document
    from cbreplay.answers.evaluations import in_evaluations

    return in_evaluations(document, [run])


def _doubts(staircase: Staircase) -> tuple[Text, ...]:
    told_first = staircase.sufficient_step() is not None
    return doubts_of_staircase(staircase, is_alone_told=told_first)


def _members(staircase: Staircase) -> dict[str, Any]:
    from cbreplay.answers.json_fields import describe_staircase, staircase_members

    own = describe_staircase(staircase)
    return {**staircase_members([staircase]), "staircase": own}


def staircase_headline(staircase: Staircase) -> Text:
    """Say which patience was enough on this log, or why none was.

    A training that its own callback stopped says so first: whether that was too early
    is what people ask, and the log cannot tell.
    """
    return say(stopped_itself(staircase.replay.run), _which_was_enough(staircase))


def _which_was_enough(staircase: Staircase) -> Text:
    if staircase.replay.gap_epoch is not None:
        return _before_the_hole(staircase)
    if staircase.unchanging is not None:
        return _nothing_decided(staircase.unchanging)
    step, patience = staircase.sufficient_step(), staircase.sufficient_patience()
    if step is None or patience is None:
        return _headline_without_step(staircase)
    run, objective = staircase.replay.run, staircase.objective
    if step.regret == 0:
        # that a training failed is said first
        failed = find_bad_end(run, objective) is not None
        which = "record" if failed else "run"
        words = f"On this {which} patience {{patience:patience}} was enough: it keeps "
        words += "the {best}, "
        claim = Claim("is_best", {"series": objective, "epoch": step.kept_epoch})
    else:
        some = any(step.gap_epoch is not None for step in staircase.steps)
        which = "this log tells of" if some else "stops inside this log"
        recorded = "recorded " if staircase.lacks_values else ""
        words = (
            f"No patience that {which} keeps its best {recorded}{{objective:code}}; "
        )
        words += "patience {patience:patience} comes nearest: it keeps epoch "
        claim = Claim("none_keeps_best", {"series": objective})
    return phrase(
        f"{words}{{kept_epoch:epoch}}, and stops at {{stopped_epoch:epoch}} of "
        f"{{horizon:epoch}}{{}}. {ONE_RUN_ALONE}",
        what_it_saves(step.most_epochs_saved, step.most_seconds_saved),
        patience=patience,
        best=_called_best(staircase),
        objective=objective,
        kept_epoch=step.kept_epoch,
        stopped_epoch=step.first_stopped_epoch,
        horizon=run.horizon,
        claims=[claim],
    )


def _nothing_decided(unchanging: str) -> Text:
    words = (
        "There is nothing that a patience decides: {:code} never changes in this log."
    )
    claim = Claim("never_changes", {"series": unchanging})
    return phrase(words, unchanging, claims=[claim])


def _called_best(staircase: Staircase) -> str:
    """Name the best epoch, with its objective unless that is Keras's default."""
    objective = staircase.objective
    if staircase.lacks_values:
        return f"epoch of the best recorded {objective}"
    if find_rounded_tie(staircase.replay.run, objective, staircase.objective_mode):
        return f"first epoch of the best {objective} as written"
    if {objective, staircase.monitor} != {_KERAS_DEFAULT}:
        return f"epoch of the best {objective}"
    return "best epoch"


def _before_the_hole(staircase: Staircase) -> Text:
    """Say what a log with a hole can still tell: which patience stops before it."""
    from cbreplay.answers.hole_words import hole_of_setting

    replay = staircase.replay
    told = hole_of_setting(replay.run, replay.callbacks, replay.gap_epoch)
    stopping = [
        step for step in staircase.steps if step.first_stopped_epoch is not None
    ]
    if not stopping:
        return say(told, " No patience stops before that.")
    return phrase(
        "{} Patience up to {patience_before_hole:patience} stops before that, by epoch "
        "{last_decided:epoch}; about a longer one nothing is known.",
        told,
        patience_before_hole=stopping[-1].last_patience,
        last_decided=stopping[-1].last_stopped_epoch,
    )


def _headline_without_step(staircase: Staircase) -> Text:
    """Say why no patience stands out: no number to judge by, or no stop in the log."""
    rest = staircase.steps[-1]
    if staircase.has_several_bests:
        words = (
            "This log holds several values of {objective:code} in an epoch, so it does "
            "not tell which patience was enough."
        )
    elif staircase.best_value is None:
        words = (
            "This log holds no finite {objective:code}, so no patience can be judged."
        )
    elif any(step.first_stopped_epoch is not None for step in staircase.steps):
        words = (
            "Every patience that stops inside this log keeps weights without a finite "
            "{objective:code}."
        )
    elif len(staircase.steps) > 1:
        words = (
            "Of patience up to {most_unknown:patience} this log does not tell, because "
            "rows were written again; a longer one does not stop inside it."
        )
    elif rest.evidence == "exact":
        words = (
            "Every patience runs to the end of the plan, epoch {horizon:epoch}, and "
            "keeps epoch {kept_epoch:epoch}."
        )
    else:
        words = (
            "No patience stops inside this log: it ends at epoch {horizon:epoch}, too "
            "soon to say what would have been enough."
        )
    return phrase(
        words,
        objective=staircase.objective,
        most_unknown=rest.first_patience - 1,
        horizon=staircase.replay.run.horizon,
        kept_epoch=rest.kept_epoch,
    )


def steps_section(staircase: Staircase) -> Section:
    """Return the staircase: which patience values end with which weights."""
    blocks: list[Block] = [_trend(staircase), Paragraph(say(Code(_setting(staircase))))]
    blocks.append(_table(staircase))
    legend = footnotes(_legend(staircase))
    if legend.points:
        blocks.append(legend)
    return Section(EVERY_PATIENCE, tuple(blocks), untitled=True)


def _how_it_keeps(staircase: Staircase) -> Iterator[Section]:
    """Yield what "keeps" means, if it is restoring the best weights."""
    if staircase.keep == "best":
        words = (
            '"keeps" is the epoch whose weights training ends with, under '
            "restore_best_weights=True; Keras's default is False (--keep last)."
        )
        told = (Points((say(words),)),)
        yield Section("Which weights are kept", told, on="asked", untitled=True)


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
            TableColumn(
                name,
                name,
                "value",
                fold=3 + place,
                shown="always" if place < _OTHER_SERIES else "programs",
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
        _regret(staircase, step),
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


def _regret(staircase: Staircase, step: StaircaseStep) -> Cell | None:
    """Return a step's regret, marked as a lower bound where values are missing."""
    if step.regret is None:
        return None
    return Cell(step.regret, "lower" if staircase.lacks_values else None)


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
    if told and staircase.objective.startswith("val_"):
        side = beside_best([staircase.objective_mode])
        yield side, say(f"{side}: {_HOW_MEASURED}")
