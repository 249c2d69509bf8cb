"""The notes of a replay: on its run, on its list of callbacks, on its decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.evidence.holes import find_gap
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.evidence.training_course import (
    bad_end_epoch,
    find_bad_end,
    find_frozen_end,
    find_rounded_tie,
    was_still_improving,
)
from cbreplay.rules.base import read_series
from cbreplay.rules.parameters import parameters_of
from cbreplay.wording.note import Note, topic_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.family import ResolvedSemantics
    from cbreplay.run import Mode, Run

__all__ = [
    "NAN_IS_BEST",
    "Notes",
    "note_broken_off",
    "note_candidates",
    "note_list",
    "note_no_number",
    "note_run",
]

NAN_IS_BEST = (
    "the first monitored value is NaN; it is taken as best, and nothing ever improves "
    "on it"
)

# more candidates than these are counted, not named
_NAMED = 4


class Notes(NamedTuple):
    """The notes of a replay, sorted so that what many replays share is said once.

    Parameters
    ----------
    run : tuple of str
        What holds of the run under every setting that monitors the same series.
    callbacks : tuple of str
        What holds of the list of callbacks on every run.
    setting : tuple of str
        What depends on the decisions of this setting on this run.
    """

    run: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.run, *self.callbacks, *self.setting)


def note_run(
    run: Run,
    callbacks: Sequence[Callback],
    resolved: ResolvedSemantics,
    judged: tuple[str | None, Mode | None],
    *,
    sets_rate: bool,
) -> tuple[str, ...]:
    """Return what holds of a run under every setting that monitors the same series.

    Parameters
    ----------
    run, callbacks, resolved : Run, sequence of Callback, ResolvedSemantics
        The record, the list, and the version whose rules decide.
    judged : (str, {"min", "max"}) or (None, None)
        The objective and its direction.
    sets_rate : bool
        Whether a callback of the list may change the learning rate.
    """
    notes = [*resolved.notes, *_missing(run, callbacks, resolved, judged[0])]
    if sets_rate and run.learning_rate is None:
        notes.append(
            "no learning rate is recorded: it is taken as constant over the record"
        )
    objective, mode = judged
    if was_still_improving(run, objective, mode):
        at_end = best_recorded_epoch(run, objective, mode) == run.horizon
        where = "at" if at_end else "near"
        note = (
            f"{objective} was best {where} the end of the record: the run was still "
            "improving, so what a setting costs is known against the record only"
        )
        notes.append(Note(note, "improving"))
    failed = None if objective is None else find_bad_end(run, objective)
    if failed is not None:
        logged = run.series[failed].values[run.series[failed].recorded]
        end = "NaN" if np.isnan(logged[-1]) else "infinity"
        # a metric may be NaN in a training that has not failed
        broke = find_bad_end(run, "loss") is not None
        told = ": the training failed there" if broke else ""
        since = bad_end_epoch(run, failed) + 1
        note = f"{failed} ended in {end}, from epoch {since} on{told}"
        notes.append(Note(note, "end"))
    if objective is not None:
        notes += _note_equal_values(run, objective, mode)
    return tuple(notes)


def _note_equal_values(run: Run, objective: str, mode: Mode | None) -> Iterator[str]:
    """Yield why a value stands in several epochs: not measured anew, or rounded."""
    frozen = find_frozen_end(run, objective)
    tie = find_rounded_tie(run, objective, mode)
    if frozen is not None:
        yield (
            f"{objective} is the same to the last digit from epoch {frozen + 1} on: "
            "check that it was still measured"
        )
    elif tie is not None:
        n_best, decimals = tie
        written = "1 decimal" if decimals == 1 else f"{decimals} decimals"
        yield (
            f"{objective} was written with {written}, and its best value stands in "
            f"{n_best} epochs: if it was rounded, which one was best is not known, and "
            "a callback that saw all digits may have stopped later"
        )


def note_list(callbacks: Sequence[Callback]) -> tuple[str, ...]:
    """Return the notes about a list on any run: who decides nothing, and remarks."""
    idle = [rule.class_name for rule in callbacks if not rule.acts_at]
    notes = []
    if idle:
        verb = "decide" if len(idle) > 1 else "decides"
        notes.append(f"{', '.join(idle)} in the list {verb} nothing")
    return (*notes, *(remark for rule in callbacks for remark in rule.remarks))


def note_broken_off(
    callbacks: Sequence[Callback],
    breaker: int,
    objective: str | None,
    stopped: int,
    *,
    keeps_it: bool,
) -> Iterator[str]:
    """Say what is not known of an epoch that a callback breaks off.

    Parameters
    ----------
    callbacks, breaker : sequence of Callback, int
        The list, and the index of the callback that broke the epoch off.
    objective : str or None
        The series that is judged.
    stopped : int
        That epoch.
    keeps_it : bool
        Whether its weights are kept.
    """
    name = callbacks[breaker].class_name
    told = f"{name} ends training before epoch {stopped + 1} is over"
    if any("end" in rule.acts_at for rule in callbacks):
        yield (
            f"{told}: the log may have the values of the whole epoch; what the other "
            "callbacks saw there is not known"
        )
    if keeps_it:
        yield f"{told}: the {objective} of the weights that are kept is not known"


def note_candidates(run: Run, candidates: Sequence[int]) -> str:
    """Name the epochs that may be kept, where rounding hides which one is."""
    digits = max(digits for digits, _ in run.rounded_to.values())
    *first, last = (str(epoch + 1) for epoch in candidates)
    named = f"epoch {', '.join(first)} or {last}"
    if len(candidates) > _NAMED:
        named = f"one of {len(candidates)} epochs from {first[0]} to {last}"
    return (
        f"the weights of {named} are kept: the log rounds to {digits} digits, too few "
        "to tell which"
    )


def note_no_number(objective: str, kept: int) -> str:
    """Say that the objective was not recorded, or was NaN, at the kept epoch."""
    ends = f"training ends with the weights of epoch {kept + 1}"
    return f"{ends}, where {objective} has no number"


def _missing(
    run: Run,
    callbacks: Sequence[Callback],
    resolved: ResolvedSemantics,
    objective: str | None,
) -> Iterator[str]:
    """Say, for each series that decides or judges, in how many epochs it is missing."""
    decides = read_series(callbacks)
    for monitor in dict.fromkeys(
        (*decides, *(() if objective is None else (objective,)))
    ):
        if monitor not in run.series:
            # the log lacks it; whether a callback writes it, only the replay tells
            continue
        missing = run.n_epochs - np.count_nonzero(run.monitored(monitor).recorded)
        if not missing:
            continue
        said = f"{monitor} is missing in {missing} of {run.n_epochs} epochs"
        has_gap = find_gap(run, monitor) is not None
        if has_gap and _lacks_rows_alone(run, monitor):
            continue
        if not has_gap:
            if monitor in decides:
                said += f"; {_spoken_skip(callbacks, monitor, resolved)}"
        elif monitor in run.empty_cells:
            said += "; --empty nan (empty='nan') reads an empty cell as NaN"
        yield f"{said}{_suspect_nan(run, monitor)}"


def _lacks_rows_alone(run: Run, monitor: str) -> bool:
    """Return whether a series lacks only epochs without a row, which a note counts."""
    rows = np.any([series.recorded for series in run.series.values()], axis=0)
    is_told = any(topic_of(note) == "lost rows" for note in run.notes)
    return is_told and bool((run.series[monitor].recorded == rows).all())


def _spoken_skip(
    callbacks: Sequence[Callback], monitor: str, resolved: ResolvedSemantics
) -> str:
    """Say what the callbacks that decide by a series do where it is missing."""
    asked = [rule for rule in callbacks if monitor in rule.reads]
    deeds = {
        rule.class_name: rule.acts_without_value(resolved.semantics) for rule in asked
    }
    told = [f"{name} {deed}" for name, deed in deeds.items() if deed]
    if not told:
        skip = f"{resolved.family.title}'s callbacks skip those"
        return f"{skip}, and a patience counts values, not epochs"
    if "" in deeds.values():
        told.append("the others skip them")
    waits = ["patience" in parameters_of(rule) for rule in asked]
    if any(waits) and "" in deeds.values():
        told[-1] += ", and a patience counts values, not epochs"
    return ", ".join(told)


def _suspect_nan(run: Run, monitor: str) -> str:
    """Warn where missing values look like NaN that pandas wrote as empty cells.

    Keras logs a loss in every trained epoch. So an epoch without a loss, but with other
    metrics, shows that something else wrote the file.
    """
    loss = run.series.get("loss")
    if loss is None or "loss" not in run.empty_cells:
        return ""
    absent = ~loss.recorded & ~run.series[monitor].recorded
    others = [series.recorded for series in run.series.values()]
    if not (absent & np.any(others, axis=0)).any():
        return ""
    return (
        ". The loss is missing there too, as where pandas wrote NaN: "
        "--empty nan (empty='nan') reads it so, and decides otherwise"
    )
