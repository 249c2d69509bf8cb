"""How far an answer is evidence, and what NaN does to it, as people read it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.evidence.holes import gap_cause
from cbreplay.evidence.rounded import may_hide_reduction
from cbreplay.evidence.several_rates import find_rates_apart
from cbreplay.evidence.validity import read_followed_rates
from cbreplay.rules.families import spoken_version
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.evidence.validity import Evidence
    from cbreplay.replay import Replay
    from cbreplay.run import BoolArray, Run

__all__ = [
    "AFTER_A_REDUCTION",
    "AT_LEAST",
    "BY_PLAN",
    "FICTION",
    "GAP_CAUSES",
    "Limit",
    "Parting",
    "brief_evidence",
    "find_non_finite",
    "limits_explained",
    "limits_of_replays",
    "parting_of",
    "parting_words",
    "recorded_rate_changes",
    "spoken_divergence",
    "spoken_evidence",
    "spoken_non_finite",
    "takes_nan",
    "untold_rates",
]

# what differs at a divergence: a rate that a reduction or a schedule sets, one
# that the recorded training alone changed, or weights that were put back. "hidden": a
# reduction that the record may have made too, for its rates have too few digits;
# "either": for one of two readings of its rates shows it; "unrecorded": nothing is
# known to differ, the log does not tell the epoch's rate
Parting: TypeAlias = Literal[
    "reduction", "hidden", "either", "recorded", "schedule", "weights", "unrecorded"
]
# the beginning of every sentence about decisions carried on past a divergence
FICTION = "fiction: "
# explains ">=" at a cost, which is measured against the best value on record
AT_LEAST = '">=": at least that, for a better value may be missing'
# the evidence of an end of training at a plan that was read off the logs
BY_PLAN = "by the plan"
# why settings that reduce the rate are not in a map of costs
AFTER_A_REDUCTION = (
    "A log tells nothing of what comes after a reduction of the learning rate."
)


def spoken_divergence(replay: Replay) -> str:
    """Say from where on the log is no evidence for a replay that diverged."""
    divergence_epoch = replay.divergence_epoch or 0
    parted = _spoken_parting(divergence_epoch, parting_of(replay))
    return spoken_rows(parted, replay.run)


def parting_of(replay: Replay) -> Parting:
    """Return what differs from the recorded training at the divergence of a replay."""
    if replay.diverged_by_weights:
        return "weights"
    run, parted = replay.run, replay.divergence_epoch
    if parted is not None and untold_rates(run)[parted - run.first_epoch]:
        return "unrecorded"
    reduced = {reduction.epoch + 1 for reduction in replay.reductions}
    if replay.divergence_epoch in reduced:
        if _is_hidden(replay):
            return "hidden"
        return "either" if _is_in_one_reading(replay) else "reduction"
    # a schedule sets the rate as an epoch begins, a reduction at the end of the epoch
    # before
    if any("begin" in rule.acts_at for rule in replay.callbacks):
        return "schedule"
    return "recorded" if _record_changes_alone(replay) else "reduction"


def _is_hidden(replay: Replay) -> bool:
    """Return whether the recorded rates have too few digits to show the reduction."""
    run, at, made = replay.run, replay.divergence_epoch, replay.reductions[-1]
    if at is None or made.old is None or made.new is None:
        return False
    changes = recorded_rate_changes(run)[at - run.first_epoch]
    return not changes and may_hide_reduction(run, at, made.new / made.old)


def _is_in_one_reading(replay: Replay) -> bool:
    """Return whether one of two readings, or of several rates, shows the reduction."""
    run, at, other = replay.run, replay.divergence_epoch, replay.run.other_learning_rate
    if at is None or run.learning_rate is None:
        return False
    place, new = at - run.first_epoch, replay.reductions[-1].new
    if other is None:
        return bool(find_rates_apart(run, run.learning_rate)[place])
    return new in (run.learning_rate.values[place], other.values[place])


def _record_changes_alone(replay: Replay) -> bool:
    """Return whether only the recorded rate changes at the divergence."""
    at, run = replay.divergence_epoch, replay.run
    if at is None or any(
        step.decision.learning_rate not in (None, step.learning_rate)
        for step in replay.trace
        if step.epoch == at - 1
    ):
        return False
    return bool(recorded_rate_changes(run)[at - run.first_epoch])


def recorded_rate_changes(run: Run) -> BoolArray:
    """Return in which epochs a recorded rate is not that of the epoch before.

    Of several rates that do not change alike, it is the first epoch that shows so.

    Returns
    -------
    bool array of shape (n_epochs,)
        False where one of the two is missing.
    """
    changes = np.zeros(run.n_epochs, dtype=np.bool_)
    for rate in (run.learning_rate, run.other_learning_rate):
        if rate is not None:
            known = rate.recorded[1:] & rate.recorded[:-1]
            changes[1:] |= known & (rate.values[1:] != rate.values[:-1])
    if run.learning_rate is not None:
        apart = find_rates_apart(run, run.learning_rate)
        changes[1:] |= apart[1:] & ~apart[:-1]
    return changes


def untold_rates(run: Run) -> BoolArray:
    """Return of which epochs the log does not tell the rate, though of others it does.

    Returns
    -------
    bool array of shape (n_epochs,)
        False where the recorded rates before and after a gap are the same.
    """
    untold = np.zeros(run.n_epochs, dtype=np.bool_)
    if run.learning_rate is None or run.learning_rate.recorded.all():
        return untold
    for reading in read_followed_rates(run, None):
        untold |= [rate is None for rate in reading.values]
    return untold


def parting_words(divergence_epoch: int, parted_by: Parting) -> tuple[str, int, str]:
    """Say from where on a log is no evidence, as (text, zero-based epoch, text)."""
    words = _PARTINGS[parted_by]
    before, _, after = words.sentence.partition("{}")
    return before, divergence_epoch - words.at_end_before, after


def _spoken_parting(divergence_epoch: int, parted_by: Parting) -> str:
    before, epoch, after = parting_words(divergence_epoch, parted_by)
    return f"{before}{epoch + 1}{after}"


def spoken_evidence(replay: Replay) -> str:
    """Say how far an answer is evidence."""
    return _limit_of(replay).spoken()


def brief_evidence(replay: Replay) -> str:
    """Say how far an answer is evidence in the few words of a cell."""
    return _limit_of(replay).brief()


def _limit_of(replay: Replay) -> Limit:
    diverged = replay.divergence_epoch is not None
    return Limit(
        replay.run,
        replay.evidence,
        replay.divergence_epoch,
        parting_of(replay) if diverged else "reduction",
        replay.gap_epoch,
    )


class Limit(NamedTuple):
    """How far an answer on a run is evidence: the fields of a `Replay` that tell it.

    Parameters
    ----------
    run : Run
        The record.
    evidence, divergence_epoch, gap_epoch : Evidence, int or None, int or None
        As in `Replay`.
    parted_by : Parting
        What differs from the recorded training at the divergence.
    """

    run: Run
    evidence: Evidence
    divergence_epoch: int | None = None
    parted_by: Parting = "reduction"
    gap_epoch: int | None = None

    def spoken(self) -> str:
        """Say it in a clause."""
        if self.gap_epoch is not None:
            why = GAP_CAUSES[gap_cause(self.run, self.gap_epoch)]
            words = f"unknown from epoch {self.gap_epoch + 1} on: {why}"
        elif self.divergence_epoch is not None:
            words = _spoken_parting(self.divergence_epoch, self.parted_by)
        elif self.evidence == "censored":
            words = f"not in the log (it ends at epoch {self.run.horizon + 1})"
        else:
            return "exact"
        return spoken_rows(words, self.run)

    def brief(self) -> str:
        """Say it in the few words of a cell, which `limits_explained` explains."""
        if self.gap_epoch is not None:
            return f"unknown from {self.gap_epoch + 1}"
        if self.divergence_epoch is not None:
            words = _PARTINGS[self.parted_by]
            epoch = self.divergence_epoch + 1 - words.at_end_before
            return f"{words.brief} at {epoch}"
        censored = self.evidence == "censored"
        return f"log ends at {self.run.horizon + 1}" if censored else "exact"


def limits_explained(
    limits: Iterable[tuple[Evidence, Parting | None]], gaps: Iterable[tuple[Run, int]]
) -> str:
    """Explain the words of `Limit.brief` that occur; "exact" needs no explanation.

    `limits` are the evidence of each cell and what differs at its divergence, `gaps`
    the zero-based epochs from which on incomplete cells are unknown.
    """
    told = set(limits)
    kinds = {evidence for evidence, _ in told}
    words = []
    if "censored" in kinds:
        words.append(
            '"log ends": nothing stops training inside the log, and what follows is '
            "unknown"
        )
    partings = {parted_by for evidence, parted_by in told if evidence == "diverged"}
    words += [
        f'"{own.brief}": {own.explained}'
        for parting, own in _PARTINGS.items()
        if parting in partings
    ]
    causes = dict.fromkeys(GAP_CAUSES[gap_cause(run, epoch)] for run, epoch in gaps)
    words += [f'"unknown from": {cause}' for cause in causes]
    return "; ".join(words)


def limits_of_replays(replays: Sequence[Replay]) -> str:
    """Say the same of replays."""
    return limits_explained(
        [(replay.evidence, parting_of(replay)) for replay in replays],
        [(own.run, own.gap_epoch) for own in replays if own.gap_epoch is not None],
    )


class _PartingWords(NamedTuple):
    """How a parting is spoken of.

    Parameters
    ----------
    brief, explained : str
        In a cell, before the epoch; and below the table, what that means.
    sentence : str
        In a sentence, with the epoch in the place of ``{}``.
    at_end_before : bool
        Whether it happens at the end of the epoch before the first that differs.
    """

    brief: str
    explained: str
    sentence: str
    at_end_before: bool = False


_NOTHING = "from there on the log says nothing"
_PARTINGS: dict[Parting, _PartingWords] = {
    "reduction": _PartingWords(
        "rate changes",
        "this setting changes the learning rate after that epoch, the log does not "
        "show the same change, so it cannot say what follows",
        "this setting changes the learning rate after epoch {}, and the log shows no "
        "such change: from there on it says nothing",
        at_end_before=True,
    ),
    "hidden": _PartingWords(
        "rate too rounded",
        "this setting changes the learning rate after that epoch, and the log's rates "
        "have too few digits to show such a change, so it cannot say what follows",
        "this setting changes the learning rate after epoch {}, and the log has too "
        f"few digits to show such a change: {_NOTHING}",
        at_end_before=True,
    ),
    "either": _PartingWords(
        "rate read two ways",
        "this setting changes the learning rate after that epoch, and the log's rates "
        "can be read two ways, of which one does not show it, so it cannot say what "
        "follows",
        "this setting changes the learning rate after epoch {}, and the log's rates "
        f"can be read two ways, of which one does not show such a change: {_NOTHING}",
        at_end_before=True,
    ),
    "recorded": _PartingWords(
        "log's rate changes",
        "the recorded training changes the learning rate after that epoch, this "
        "setting does not, so the log cannot say what follows",
        "after the recorded learning-rate change at epoch {}, which this setting does "
        "not make, the log says nothing",
        at_end_before=True,
    ),
    "schedule": _PartingWords(
        "rate differs",
        "from that epoch on this setting trains at another learning rate than the "
        "recorded one, so the log cannot say what follows",
        f"epoch {{}} begins at another learning rate than the recorded one: {_NOTHING}",
    ),
    "weights": _PartingWords(
        "weights put back",
        "from that epoch on this setting trains from weights of an earlier epoch, so "
        "the log cannot say what follows",
        "epoch {} goes on from weights of an earlier epoch that were put back: "
        f"{_NOTHING}",
    ),
    "unrecorded": _PartingWords(
        "rate not logged",
        "the log does not tell the learning rate of that epoch, so it cannot say what "
        "follows",
        "the log does not tell the learning rate of epoch {}: from there on it says "
        "nothing",
    ),
}


GAP_CAUSES = {
    "hole": "the log has a hole there",
    "several": "the log holds several values by then",
    "rounded": "the log rounds too far to tell which of two values is better",
    "seam": "another fit began there",
    "possible seam": "a fit may have been resumed, and the log does not tell",
}


def find_non_finite(run: Run, name: str) -> list[int]:
    """Return the epochs in which a series was logged as NaN or infinite."""
    series = run.series.get(name)
    if series is None:
        return []
    (found,) = np.nonzero(series.recorded & ~np.isfinite(series.values))
    epochs: list[int] = (run.first_epoch + found).tolist()
    return epochs


def takes_nan(replay: Replay, name: str) -> bool:
    """Return whether a rule that stops by this series took a first NaN as the best."""
    if replay.best is None or not math.isnan(replay.best):
        return False
    # `replay.best` is that of the first rule that stops
    stoppers = (rule for rule in replay.callbacks if rule.sets_objective)
    return next(stoppers).monitor == name


def spoken_non_finite(replay: Replay, name: str) -> str:
    """Say how a callback that watches a series takes its NaN and infinite values."""
    if takes_nan(replay, name):
        return (
            f"{spoken_version(replay.semantics.name)} takes the first value as the "
            "best, and nothing ever improves on NaN"
        )
    values = replay.run.series[name].values
    extreme = -math.inf if replay.objective_mode == "min" else math.inf
    if name == replay.objective and extreme in values.tolist():
        return f"{extreme:g} is an improvement, and nothing improves on it"
    return "such a value is no improvement"
