"""One log's answer: what every patience would have done, and which was enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.doubts import ONE_RUN_ALONE, doubts_of_staircase
from cbreplay.answers.evaluations import in_evaluations
from cbreplay.answers.headline_limits import by_keras_rules
from cbreplay.answers.next_commands import next_of_one_log
from cbreplay.answers.spoken_runs import lead_of_run, stopped_itself, what_it_saves
from cbreplay.answers.staircase_rate import rate_section
from cbreplay.answers.staircase_table import steps_section
from cbreplay.document import Claim, Document, Notice, Points, Section, phrase, say
from cbreplay.evidence.training_course import find_bad_end, find_rounded_tie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.staircase import Staircase

__all__ = ["staircase_document", "staircase_headline"]

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

    `typed` are the log and the options as they were typed, for the next commands; None
    where it cannot be asked again. A page has `sections` before the doubts, `pictures`
    after them, and ends with `closing`.
    """
    run = staircase.replay.run
    judged = [(staircase.objective, staircase.objective_mode)]
    told_first = staircase.sufficient_step() is not None
    doubts = doubts_of_staircase(staircase, is_alone_told=told_first)
    document = Document(
        "simulate",
        by_keras_rules(
            staircase_headline(staircase), [run], judged, staircase.replay.callbacks
        ),
        lead_of_run(staircase.replay),
        (
            *sections,
            Section("Before you trust it", (Notice(doubts),)),
            *pictures,
            steps_section(staircase),
            *_how_it_keeps(staircase),
            *rate_section(staircase),
            *closing,
        ),
        next_of_one_log(staircase, typed),
        lambda: _members(staircase),
    )
    return in_evaluations(document, [run])


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
    rest, claims = staircase.steps[-1], list[Claim]()
    if staircase.has_several_bests:
        words = (
            "This log holds several values of {objective:code} in an epoch, so it does "
            "not tell which patience was enough."
        )
    elif staircase.best_value is None:
        words = (
            "This log holds no finite {objective:code}, so no patience can be judged."
        )
        claims = [Claim("never_finite", {"series": staircase.objective})]
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
        claims=claims,
        objective=staircase.objective,
        most_unknown=rest.first_patience - 1,
        horizon=staircase.replay.run.horizon,
        kept_epoch=rest.kept_epoch,
    )


def _how_it_keeps(staircase: Staircase) -> Iterator[Section]:
    """Yield what "keeps" means, if it is restoring the best weights."""
    if staircase.keep == "best":
        words = (
            '"keeps" is the epoch whose weights training ends with, under '
            "restore_best_weights=True; Keras's default is False (--keep last)."
        )
        told = (Points((say(words),)),)
        yield Section("Which weights are kept", told, on="asked", untitled=True)
