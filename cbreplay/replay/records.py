"""`Replay` and its parts: the decisions, and how far the log is evidence for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.evidence.outcomes import Outcome
from cbreplay.evidence.validity import Evidence
from cbreplay.replay.notes import Notes
from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import Decision
from cbreplay.rules.family import Family
from cbreplay.run import Mode, Run, Series
from cbreplay.showing import show_frame, show_html, show_plot, show_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["HypotheticalReplay", "Reduction", "Replay", "Step", "Waited", "read_waited"]

_NO_FILES: Mapping[str, int] = MappingProxyType({})


class Reduction(NamedTuple):
    """A learning-rate reduction at the end of an epoch.

    Parameters
    ----------
    epoch : int
        The epoch at whose end it was decided; it acts from the next one on.
    old, new : float or None
        The rates, float32 values; None where the rate is not known.
    callback : int
        The index in the list of the callback that decided it.
    """

    epoch: int
    old: float | None
    new: float | None
    callback: int


class Step(NamedTuple):
    """What one callback saw and decided at the end of one epoch.

    Parameters
    ----------
    epoch, callback : int
        The epoch, and the callback's index in the list.
    learning_rate : float or None
        The rate before this callback decided.
    state : object
        The callback's state after the epoch.
    decision : Decision
        What it decided.
    value : float or None
        What it monitors, as ``logs`` held it; None where they did not.
    """

    epoch: int
    callback: int
    learning_rate: float | None
    state: Any
    decision: Decision
    value: float | None = None


class Waited(NamedTuple):
    """EarlyStopping's ``wait`` after an epoch, and the epoch whose weights it holds."""

    wait: int
    epoch: int
    held: int


def read_waited(step: Step) -> Waited | None:
    """Return how long EarlyStopping waited; None where no patience stops.

    Every patience up to that wait stops in this epoch, if it has not stopped before.
    """
    # Keras stops neither at epoch 0 nor in an epoch that improved
    if step.decision.improved is not False or step.epoch == 0:
        return None
    state = step.state
    held = state.best_epoch if state.held_epoch is None else state.held_epoch
    return Waited(state.wait, step.epoch, held)


class HypotheticalReplay(NamedTuple):
    """The decisions if the recorded curve still held past the evidence: a fiction.

    The fields mean what they mean in `Replay`.
    """

    stopped_epoch: int | None
    stopped_by: tuple[int, ...]
    best_epoch: int | None
    best: float | None
    kept_epoch: int
    reductions: tuple[Reduction, ...]
    learning_rate: Series | None
    saves: tuple[tuple[int, str, int], ...]
    files: Mapping[str, int]
    trace: tuple[Step, ...]


class Replay(NamedTuple):
    """What a list of callbacks would have decided on a run.

    Parameters
    ----------
    run, callbacks : Run, tuple of Callback
        The record, and the list.
    semantics, family : object, Family
        Which version of which framework decided. The version has a `name`, such as
        ``"keras-3.15.1"``, and the `row` of the table of known versions that was used.
    objective, objective_mode : str, {"min", "max"}; or both None
        The series that outcomes are judged by, and its direction; None where nothing
        in the list monitors a series, none was named, and there is no ``val_loss``.
    evidence : {"exact", "censored", "diverged", "incomplete"}
        How far the answer is evidence.
    stopped_epoch : int or None
        The zero-based epoch at whose end training ended; None if not, or not known.
    stopped_by : tuple of int
        The indices of the callbacks that asked for it, in list order.
    best_epoch, best : int or None, float or None
        Those of the first EarlyStopping when training ends; None without one, when
        diverged or incomplete, before its first monitored epoch, and where they hang
        on which of several values of an epoch is true.
    kept_epoch : int or None
        Whose weights are in memory when training ends; None when diverged or
        incomplete.
    reductions : tuple of Reduction
        In order, through `last_evident_epoch`.
    learning_rate : Series or None
        The float32 rate of each trained epoch; None if it is not known.
    saves : tuple of (epoch, file, callback)
        Each file that a ModelCheckpoint writes, through `last_evident_epoch`.
    files : mapping of str to int
        The files left after those, each with the epoch whose weights it holds.
    divergence_epoch : int or None
        The first epoch that would have been trained at another rate than recorded, or
        from earlier weights that a callback of the user's own put back.
    gap_epoch : int or None
        The first epoch of which the log lacks what the list decides by, if it comes
        before a stop and before a divergence.
    outcome : Outcome
        What it saves and costs.
    hypothetical : HypotheticalReplay or None
        On request, the decisions carried on past `end_of_evidence`; None without one.
    trace : tuple of Step
        Every callback in every epoch through `last_evident_epoch`, in order.
    noted : Notes
        What was assumed, and what a careful reader should know.
    diverged_by_weights : bool
        Whether the weights differ at the divergence, rather than the rate.
    candidates : tuple of int
        The epochs that may be kept, where the log rounds too far to tell which; empty
        where it does not, or where they are not known.
    begun : mapping of int to tuple
        By the epoch in which each fit began, the states of the callbacks then.
    """

    run: Run
    callbacks: tuple[Callback, ...]
    semantics: Any
    family: Family
    objective: str | None
    objective_mode: Mode | None
    evidence: Evidence
    stopped_epoch: int | None
    stopped_by: tuple[int, ...]
    best_epoch: int | None
    best: float | None
    kept_epoch: int | None
    reductions: tuple[Reduction, ...]
    learning_rate: Series | None
    divergence_epoch: int | None
    outcome: Outcome
    hypothetical: HypotheticalReplay | None
    trace: tuple[Step, ...]
    noted: Notes
    saves: tuple[tuple[int, str, int], ...] = ()
    files: Mapping[str, int] = _NO_FILES
    diverged_by_weights: bool = False
    gap_epoch: int | None = None
    candidates: tuple[int, ...] = ()
    begun: Mapping[int, tuple[Any, ...]] = MappingProxyType({})

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what a careful reader should know."""
        return self.noted.every

    @property
    def judged_by(self) -> tuple[str, Mode]:
        """The objective and its direction.

        Raises
        ------
        ConfigError
            If nothing judges what is kept.
        """
        if self.objective is None or self.objective_mode is None:
            sentence = (
                f"{', '.join(rule.class_name for rule in self.callbacks)} monitors no "
                "series, so nothing judges what is kept. Name one with --objective or "
                "objective=."
            )
            raise ConfigError(sentence)
        return self.objective, self.objective_mode

    @property
    def end_of_evidence(self) -> int | None:
        """The first epoch for which the log is no evidence; None if there is none."""
        return (
            self.gap_epoch if self.divergence_epoch is None else self.divergence_epoch
        )

    @property
    def last_evident_epoch(self) -> int:
        """The last epoch for which the record is evidence.

        Where it stopped, the epoch before the divergence or the hole, or the horizon.
        """
        if self.stopped_epoch is not None:
            return self.stopped_epoch
        if self.end_of_evidence is not None:
            return self.end_of_evidence - 1
        return self.run.horizon

    def _repr_html_(self) -> str:
        return show_html(self)

    def __str__(self) -> str:
        return show_text(self)

    def plot(self) -> "Figure":
        """Draw it on the learning curve."""
        return show_plot(self)

    def to_frame(self) -> "pd.DataFrame":
        """Return its table as a DataFrame; epochs count from 0."""
        return show_frame(self)

    def __hash__(self) -> int:
        """Return a hash of what can have one: `files` is a dict."""
        return hash((self.run, self.stopped_epoch, self.kept_epoch))

    def __repr__(self) -> str:
        """Return what was asked and what was decided, without the run and the trace."""
        return (
            f"Replay({self.run.name!r}, {self.callbacks!r}, "
            f"evidence={self.evidence!r}, stopped_epoch={self.stopped_epoch!r}, "
            f"kept_epoch={self.kept_epoch!r}, reductions={self.reductions!r}, "
            f"outcome={self.outcome!r})"
        )
