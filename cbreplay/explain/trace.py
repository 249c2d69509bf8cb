"""One row per epoch and callback: what it held, saw, compared, decided, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cbreplay.arguments import checked
from cbreplay.evidence.words import FICTION, spoken_evidence
from cbreplay.explain.why_it_stopped import tell_ending
from cbreplay.rules.registry import words_of
from cbreplay.rules.words import PLAIN_WORDS, Ending, Moment, TraceRow
from cbreplay.showing import show_frame, show_html, show_plot, show_text
from cbreplay.wording.claims import tell
from cbreplay.wording.spoken_comparisons import nearest_improvement

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from cbreplay.replay import HypotheticalReplay, Replay, Step
    from cbreplay.rules.base import Callback
    from cbreplay.rules.words import DecisionWord, Earlier
    from cbreplay.wording.claims import Told

__all__ = ["Explanation", "explain_replay"]


class Explanation(NamedTuple):
    """The trace of a replay.

    Parameters
    ----------
    replay : Replay
        What is explained.
    rows : tuple of TraceRow
        In the order of the decisions; callbacks that decide nothing have none.
    told : tuple of Told
        Where it stopped and by whom, or why not, and why these weights are kept: each
        sentence with its claims.
    """

    replay: Replay
    rows: tuple[TraceRow, ...]
    told: tuple[Told, ...]

    @property
    def closing(self) -> tuple[str, ...]:
        """Where it stopped and by whom, or why not, and why these weights are kept."""
        return tuple(sentence.words for sentence in self.told)

    def _repr_html_(self) -> str:
        return show_html(self)

    def __str__(self) -> str:
        return show_text(self)

    def plot(self) -> Figure:
        """Draw it on the learning curve."""
        return show_plot(self)

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0."""
        return show_frame(self)

    def __hash__(self) -> int:
        """Return a hash of what can have one: the rows hold dicts."""
        return hash((self.replay, self.closing))

    def __repr__(self) -> str:
        """Return how it ended, without the rows."""
        name = self.replay.run.name
        return f"Explanation({name!r}, {len(self.rows)} rows, closing={self.closing!r})"


@checked
def explain_replay(replay: Replay) -> Explanation:
    """Say why every callback decided as it did, epoch by epoch.

    Parameters
    ----------
    replay : Replay
        As `replay_run` returns it. With its ``hypothetical`` the trace goes on past a
        divergence, marked as fiction; else it ends there.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, Run, replay_run
    >>> run = Run.from_logs({"val_loss": loss} for loss in [0.8, 0.5, 0.5, 0.6])
    >>> replay = replay_run(run, EarlyStopping(patience=2), semantics="keras-3.15")
    >>> for row in explain_replay(replay).rows:
    ...     print(row.why)
    the first val_loss, 0.8000: improvement, wait 0 of 2
    0.5000 is below 0.8000: improvement, wait 0 of 2
    0.5000 only equals 0.5000; wait 1 of 2; stops if epoch 4 is not below 0.5
    0.6000 is not below 0.5000; wait 2 of 2: stop
    """
    rows = tuple(_rows(replay))
    evident = [row for row in rows if not row.hypothetical]
    ending = _ending(replay, replay, evident)
    if replay.end_of_evidence is None:
        return Explanation(replay, rows, tuple(tell_ending(ending)))
    told = [tell(spoken_evidence(replay))]
    if replay.hypothetical is not None:
        fiction = tell_ending(_ending(replay, replay.hypothetical, list(rows)))
        told += [tell(FICTION, sentence) for sentence in fiction]
    return Explanation(replay, rows, tuple(told))


def _rows(replay: Replay) -> Iterator[TraceRow]:
    begun = replay.run.first_epoch
    states = list(replay.begun[begun])
    skipping = [_has_gaps(replay, callback) for callback in replay.callbacks]
    earlier: dict[int, Earlier] = {}
    told = replay.hypothetical
    for step in replay.trace if told is None else told.trace:
        callback = replay.callbacks[step.callback]
        if not callback.acts_at:
            # it decides nothing
            continue
        for seam, new in replay.begun.items():
            if begun < seam <= step.epoch:
                # comparisons of the earlier fit do not count any more
                begun, earlier, states = seam, {}, list(new)
        before = earlier.get(step.callback, "none")
        next_value = f"epoch {step.epoch + 2}"
        if step.epoch + 1 in replay.run.seams:
            next_value = "the next epoch of this fit"
        elif skipping[step.callback]:
            next_value = f"the next {callback.watched}"
        moment = Moment(
            callback=callback,
            epoch=step.epoch,
            value=step.value,
            before=states[step.callback],
            after=step.state,
            decision=step.decision,
            learning_rate=step.learning_rate,
            next_value=next_value,
            earlier=before,
        )
        row = _row(replay, step.callback, moment)
        if begun == step.epoch != replay.run.first_epoch:
            row = row._replace(why=_NEW_FIT + row.why)
        yield row
        states[step.callback] = step.state
        earlier[step.callback] = _seen(step, before)


def _seen(step: Step, before: Earlier) -> Earlier:
    """Return `Moment.earlier` for the steps up to and including this one."""
    if step.decision.improved is not None:
        return "compared"
    return "skipped" if before == "none" and step.value is not None else before


_NEW_FIT = "another fit begins; "


def _row(replay: Replay, callback: int, moment: Moment) -> TraceRow:
    """Return what a callback did in an epoch, in numbers and in its rule's words."""
    rule, decision, value = moment.callback, moment.decision, moment.value
    compared, needed = None, None
    stood, stands = rule.standing(moment.before), rule.standing(moment.after)
    if stood is not None and stands is not None:
        needed = nearest_improvement(stood.comparison, stands.best)
        best = stood.best
        if decision.improved is not None and best is not None and value is not None:
            compared = stood.comparison.sides(value, best)
    told = tell((words_of(rule) or PLAIN_WORDS).moment(moment))
    end = replay.end_of_evidence
    hypothetical = end is not None and moment.epoch >= end
    return TraceRow(
        epoch=moment.epoch,
        callback=callback,
        value=value,
        before=moment.before,
        compared=compared,
        after=moment.after,
        learning_rate=moment.learning_rate,
        new_learning_rate=decision.learning_rate,
        decision=_decision_word(moment, compares=stands is not None),
        needed=needed,
        why=FICTION + told.words if hypothetical else told.words,
        hypothetical=hypothetical,
        claims=told.claims,
    )


def _decision_word(moment: Moment, *, compares: bool) -> DecisionWord:
    decision = moment.decision
    if decision.stop:
        return "stop"
    if decision.reduced:
        return "reduction"
    if decision.scheduled and decision.learning_rate != moment.learning_rate:
        return "schedule"
    if decision.saved_files:
        return "save"
    if decision.improved is None:
        # a rule without comparisons looks at every epoch: it did not act in this one
        return "skip" if compares else "wait"
    return "improvement" if decision.improved else "wait"


def _has_gaps(replay: Replay, callback: Callback) -> bool:
    """Return whether some epochs have no value of what it watches."""
    series = replay.run.series.get(callback.watched or "")
    return series is not None and not series.recorded.all()


def _ending(
    replay: Replay, told: Replay | HypotheticalReplay, rows: list[TraceRow]
) -> Ending:
    return Ending(
        run=replay.run,
        callbacks=replay.callbacks,
        rows=rows,
        stopped_epoch=told.stopped_epoch,
        stopped_by=told.stopped_by,
        kept_epoch=told.kept_epoch,
    )
