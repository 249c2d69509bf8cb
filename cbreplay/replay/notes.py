"""What a careful reader should know of a replay, by what each note belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.outcomes import was_still_improving
from cbreplay.rules.base import read_series, rule_name, watched_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.keras.semantics import ResolvedSemantics, Semantics
    from cbreplay.run import Mode, Run

__all__ = [
    "NAN_IS_BEST",
    "Notes",
    "name_breaker",
    "note_broken_off",
    "note_list",
    "note_no_number",
    "note_run",
]

NAN_IS_BEST = (
    "the first monitored value is NaN; this Keras takes it as best, and nothing ever "
    "improves on it"
)


class Notes(NamedTuple):
    """The notes of a replay, so that what many replays share is said once.

    Parameters
    ----------
    run : tuple of str
        What holds of the run under every setting that monitors the same series.
    callbacks : tuple of str
        What holds of the list of callbacks on every run.
    setting : tuple of str
        What hangs on what this setting decides on this run.
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
    judged: tuple[str, Mode],
    *,
    sets_rate: bool,
) -> tuple[str, ...]:
    """Return what holds of a run under every setting that monitors the same series.

    Parameters
    ----------
    run, callbacks, resolved : Run, sequence of Callback, ResolvedSemantics
        What is replayed on what, by which Keras.
    judged : (str, {"min", "max"})
        The objective and its direction.
    sets_rate : bool
        Whether the list takes the learning rate into its own hands.
    """
    notes = [*resolved.notes, *_missing(run, callbacks, resolved.semantics)]
    if sets_rate and run.learning_rate is None:
        notes.append(
            "no learning rate is recorded: it is taken as constant over the record"
        )
    objective, mode = judged
    if was_still_improving(run, objective, mode):
        notes.append(
            f"{objective} was best at the end of the record: the run was still "
            "improving, so what a setting costs is known against the record only"
        )
    return tuple(notes)


def note_list(callbacks: Sequence[Callback]) -> tuple[str, ...]:
    """Return what holds of a list on every run: who decides nothing, who is driven."""
    bystanders: list[Any] = [one for one in callbacks if rule_name(one) == "Bystander"]
    idle = [one.name for one in bystanders]
    notes = []
    if idle:
        verb = "decide" if len(idle) > 1 else "decides"
        notes.append(f"{', '.join(idle)} in the list {verb} nothing")
    driven: list[Any] = [one for one in callbacks if rule_name(one) == "DrivenCallback"]
    return (*notes, *(one.origin for one in driven))


def note_broken_off(
    callbacks: Sequence[Callback], objective: str, stopped: int, *, keeps_it: bool
) -> Iterator[str]:
    """Say what is not known of an epoch that a callback breaks off.

    Parameters
    ----------
    callbacks : sequence of Callback
        The list.
    objective : str
        The series that is judged.
    stopped : int
        That epoch.
    keeps_it : bool
        Whether its weights are kept.
    """
    told = f"{name_breaker(callbacks)} breaks epoch {stopped + 1} off in the middle"
    if not {"Bystander", "TerminateOnNaN"}.issuperset(map(rule_name, callbacks)):
        yield (
            f"{told}: what the other callbacks decide at its end is replayed on the "
            "recorded values, and those are of other weights"
        )
    if keeps_it:
        yield f"{told}, so the {objective} of its weights is not recorded"


def name_breaker(callbacks: Sequence[Callback]) -> str:
    """Return the class of the callback that can end an epoch in its middle."""
    breakers: list[Any] = [one for one in callbacks if rule_name(one) in _BREAKERS]
    return str(getattr(breakers[0], "name", rule_name(breakers[0])))


_BREAKERS = ("TerminateOnNaN", "DrivenCallback")


def note_no_number(objective: str, kept: int) -> str:
    """Say that the objective was not recorded, or was NaN, at the kept epoch."""
    return f"{objective} has no number at the kept epoch {kept + 1}"


def _missing(
    run: Run, callbacks: Sequence[Callback], semantics: Semantics
) -> Iterator[str]:
    """Say of each series that decides in how many epochs it is missing."""
    for monitor in read_series(callbacks):
        if monitor not in run.series:
            # a callback before it in the list may write it: known after the walk
            continue
        missing = int((~run.monitored(monitor).recorded).sum())
        if missing:
            yield (
                f"{monitor} is missing in {missing} of {run.n_epochs} epochs; "
                f"{_spoken_skip(callbacks, monitor, semantics)}"
                f"{_suspect_nan(run, monitor)}"
            )


def _spoken_skip(
    callbacks: Sequence[Callback], monitor: str, semantics: Semantics
) -> str:
    saving = [
        rule_name(one) == "ModelCheckpoint"
        for one in callbacks
        if watched_series(one) == monitor
    ]
    if not semantics.saves_without_monitor or not any(saving):
        return "Keras's callbacks skip those"
    if all(saving):
        return "ModelCheckpoint saves those all the same"
    return "ModelCheckpoint saves those all the same, the others skip them"


def _suspect_nan(run: Run, monitor: str) -> str:
    """Say so where missing values look like NaN that was written as nothing.

    Every trained epoch has a loss, so one without it, but with other metrics, was not
    logged by Keras like that.
    """
    loss = run.series.get("loss")
    if loss is None:
        return ""
    absent = ~loss.recorded & ~run.series[monitor].recorded
    others = [one.recorded for one in run.series.values()]
    if not (absent & np.any(others, axis=0)).any():
        return ""
    return (
        ". The loss is missing there too, as where pandas wrote NaN: "
        "--empty nan (empty='nan') reads it so, and decides otherwise"
    )
