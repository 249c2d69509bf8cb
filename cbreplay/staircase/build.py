"""`build_staircase`: one log under every patience, and its usual change."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cbreplay.arguments import checked
from cbreplay.evidence.holes import find_gap
from cbreplay.evidence.median import median_of
from cbreplay.evidence.outcomes import best_recorded_epoch, has_ambiguous_best
from cbreplay.evidence.training_course import never_changes
from cbreplay.given import as_run
from cbreplay.judging import Judging, read_judging
from cbreplay.replay import Replay, replay_run
from cbreplay.rules.families import stopping_rule
from cbreplay.showing import show_frame, show_html, show_plot, show_text
from cbreplay.staircase.steps import (
    StaircaseStep,
    find_other_best,
    known_stops,
    steps_of,
    value_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    import pandas as pd
    from matplotlib.figure import Figure

    from cbreplay.judging import JudgingOptions
    from cbreplay.run import Mode, Run, Series
    from cbreplay.staircase.rate_history import RateHistory

__all__ = [
    "Staircase",
    "build_staircase",
    "find_best",
    "measure_usual_change",
    "replay_patience",
]


class RateExplanation:
    """What explains a recorded rate, worked out on first use: it takes many replays.

    Parameters
    ----------
    run, monitor, mode, semantics : Run, str, str, str
        As `explain_rate` takes them.
    """

    def __init__(self, run: Run, monitor: str, mode: str, semantics: str) -> None:
        self._run, self._semantics = run, semantics
        self._monitor, self._mode = monitor, mode

    @cached_property
    def found(self) -> RateHistory:
        """The recorded changes of the learning rate, and what explains them."""
        from cbreplay.staircase.rate_history import explain_rate

        return explain_rate(
            self._run,
            monitor=self._monitor,
            mode=self._mode,
            semantics=self._semantics,
        )


class Staircase(NamedTuple):
    """What every patience would have done on one log.

    Parameters
    ----------
    replay : Replay
        The replay of the largest patience: it never stops, and the steps are read
        from it. It names the run, the rules and the objective.
    monitor : str
        The series that EarlyStopping watches.
    keep : {"best", "last"}
        Whether the best weights are restored.
    steps : tuple of StaircaseStep
        In the order of patience.
    best_epoch, best_value : int or None, float or None
        The best recorded value of the objective; None if epochs have several values
        and the best depends on which is true.
    usual_change : float or None
        The median absolute change of the objective from one epoch to the next, over
        the second half of the record.
    other_best : mapping of str to (epoch, value)
        The best recorded epoch of each other validation series whose direction is
        known.
    explanation : RateExplanation
        Of the recorded learning rate; it is only worked out when `rate` is asked for.
    notes : tuple of str
        What was assumed, and what else to know about the log.
    """

    replay: Replay
    monitor: str
    keep: Literal["best", "last"]
    steps: tuple[StaircaseStep, ...]
    best_epoch: int | None
    best_value: float | None
    usual_change: float | None
    other_best: Mapping[str, tuple[int, float]]
    explanation: RateExplanation
    notes: tuple[str, ...]

    def _repr_html_(self) -> str:
        return show_html(self)

    def __str__(self) -> str:
        return show_text(self)

    def __hash__(self) -> int:
        """Return a hash of what can have one: `other_best` is a dict."""
        return hash((self.replay, self.monitor, self.keep))

    def __repr__(self) -> str:
        """Return what was asked and how many answers there are, without these."""
        return (
            f"<Staircase of {self.replay.run.name!r}: {len(self.steps)} steps of "
            f"patience for {self.monitor}>"
        )

    def plot(self, *, patience: float | Sequence[float] | None = None) -> Figure:
        """Draw the patience that was enough, or the ones that are named."""
        return show_plot(self, patience=patience)

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0."""
        return show_frame(self)

    @property
    def rate(self) -> RateHistory:
        """The recorded changes of the learning rate, and what explains them."""
        return self.explanation.found

    @property
    def objective(self) -> str:
        """The series that outcomes are judged by."""
        # a rule that stops monitors a series, and that is the objective by default
        return self.replay.objective or self.monitor

    @property
    def objective_mode(self) -> Mode:
        """Its direction."""
        return self.replay.objective_mode or "min"

    @property
    def has_several_bests(self) -> bool:
        """Whether the best depends on which of several values of an epoch is true."""
        run = self.replay.run
        return has_ambiguous_best(run, self.objective, self.objective_mode)

    @property
    def lacks_values(self) -> bool:
        """Whether the log lacks values of the objective, a better one perhaps."""
        return find_gap(self.replay.run, self.objective) is not None

    @property
    def unchanging(self) -> str | None:
        """The monitor or the objective, if all its values are equal; None otherwise.

        Such a log tells nothing about patience.
        """
        for name in dict.fromkeys((self.monitor, self.objective)):
            if never_changes(self.replay.run, name):
                return name
        return None

    def sufficient_step(self) -> StaircaseStep | None:
        """Return the first step that stops inside the log and has the least regret.

        None where nothing stops there with a finite value, or where a series never
        changes. It describes this log and is no advice.
        """
        if self.unchanging is not None:
            return None
        stopping = [
            step
            for step in self.steps
            if step.first_stopped_epoch is not None
            and step.regret is not None
            and math.isfinite(step.regret)
            and _is_finite(step.kept_value)
        ]
        return min(stopping, key=lambda step: step.regret or 0.0, default=None)

    def sufficient_patience(self) -> int | None:
        """Return the smallest patience of `sufficient_step`, as people write it."""
        step = self.sufficient_step()
        if step is None or step.last_patience is None:
            return None
        # 0 and 1 are the same to Keras
        return max(step.first_patience, min(1, step.last_patience))


@checked
def build_staircase(
    run: object,
    *,
    monitor: str = "val_loss",
    mode: str = "auto",
    keep: Literal["best", "last"] = "best",
    **judging: Unpack[JudgingOptions],
) -> Staircase:
    """Answer, for one log, what every patience of EarlyStopping would have done.

    Parameters
    ----------
    run : Run, History, dict of lists, DataFrame, or path
        The record, or what `load_runs` reads it from.
    monitor, mode : str
        As in ``keras.callbacks.EarlyStopping``.
    keep : {"best", "last"}
        ``restore_best_weights=True`` or Keras's default False.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`; the monitor is judged by default.

    Raises
    ------
    UnknownMonitorError, ConfigError, SemanticsError
        As `replay_run`.
    """
    # before the stop, `wait` does not depend on patience: one replay is enough
    endless = stopping_rule()(
        monitor=monitor,
        mode=mode,
        patience=math.inf,
        restore_best_weights=keep == "best",
    )
    record = as_run(run)
    chosen = read_judging(judging)
    replay = replay_run(record, endless, judging=chosen)
    replay, stops, unknown = known_stops(replay, endless, chosen)
    judged = record.series[replay.objective or monitor]
    best_epoch, best_value = find_best(replay)
    return Staircase(
        replay=replay,
        monitor=monitor,
        keep=keep,
        steps=tuple(steps_of(replay, stops, keep, unknown)),
        best_epoch=best_epoch,
        best_value=best_value,
        usual_change=measure_usual_change(judged),
        other_best=find_other_best(replay),
        explanation=RateExplanation(record, monitor, mode, replay.semantics.name),
        notes=(*replay.notes, *_own_stop_notes(record)),
    )


def replay_patience(
    staircase: Staircase,
    patience: float | None = None,
    *,
    judging: Judging | None = None,
) -> Replay:
    """Replay one patience on the run of a staircase.

    Parameters
    ----------
    staircase : Staircase
        The answer.
    patience : float, optional
        By default the one that was enough, or else the smallest that does not stop
        inside the log.
    judging : Judging, optional
        As the staircase was built with; by default as it was judged.
    """
    if patience is None:
        patience = staircase.sufficient_patience()
    if patience is None:
        patience = staircase.steps[-1].first_patience
    replay = staircase.replay
    if judging is None:
        judged = replay.objective, replay.objective_mode
        judging = Judging(replay.semantics.name, None, *judged)
    endless: Any = replay.callbacks[0]
    rule = replace(endless, patience=patience)
    return replay_run(replay.run, rule, judging=judging)


def find_best(replay: Replay) -> tuple[int | None, float | None]:
    """Return the epoch of the best recorded objective, and that value.

    None where there is none, or where it depends on which of several values of an epoch
    is true.
    """
    run, name, mode = replay.run, replay.objective, replay.objective_mode
    if name is None or has_ambiguous_best(run, name, mode):
        return None, None
    epoch = best_recorded_epoch(run, name, mode)
    return epoch, value_at(run.series[name], run, epoch)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def measure_usual_change(series: Series) -> float | None:
    """Return the median absolute change from one epoch to the next.

    Over the second half of the record, where a loss no longer falls steeply. Smaller
    differences are within what any epoch changes. None without two finite neighbours.

    >>> from cbreplay.run import Series
    >>> round(measure_usual_change(Series.from_optional([9, 5, 1.0, 1.2, 1.1])), 9)
    0.15
    """
    second_half: list[float] = series.values[len(series.values) // 2 :].tolist()
    pairs = itertools.pairwise(second_half)
    changes = [
        abs(after - before) for before, after in pairs if math.isfinite(after - before)
    ]
    return median_of(changes) if changes else None


def _own_stop_notes(run: Run) -> tuple[str, ...]:
    ended = run.ended
    if ended is None or ended.by in ("plan", ""):
        return ()
    if ended.by == "unknown":
        return ("the training was broken off",)
    if ended.broken_off:
        return (f"the training was ended by an {ended.by}",)
    note = (
        f"its own {ended.by} ended this training: the log says nothing about a "
        "setting that trains for longer"
    )
    return (note,)
