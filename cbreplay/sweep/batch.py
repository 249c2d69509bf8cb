"""Runs that are decided by the same version, as matrices with one column a run."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.errors import CbreplayError
from cbreplay.evidence.validity import read_followed_rates, read_recorded_rates
from cbreplay.rules.registry import PLAIN_STOPS
from cbreplay.sweep.kernels.early_stopping import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.training import Training
    from cbreplay.run import EpochArray, FloatArray, Mode, Run
    from cbreplay.sweep.plan import Block, Slot

__all__ = [
    "Batch",
    "Monitored",
    "RunRules",
    "SlotRules",
    "find_rules",
    "read_slot_rules",
]


class RunRules(NamedTuple):
    """By which rules a run's callbacks decide.

    Parameters
    ----------
    training : Training
        Which Keras, and the compiled metrics.
    modes : dict of (class, monitor, mode) to {"min", "max"}
        Each mode of a block, resolved.
    rates : list of (rates, known)
        Every reading of the run's rates, with NaN for an unknown rate, and whether any
        is known; empty where the list cannot change the rate.
    """

    training: Training
    modes: dict[tuple[Any, str, str], Mode]
    rates: list[tuple[FloatArray, bool]]

    def alike(self) -> tuple[Any, ...]:
        """Return a key: runs with the same one are decided together."""
        return (
            self.training.semantics._replace(name="", row=""),
            *self.modes.values(),
        )


class SlotRules(NamedTuple):
    """What every run needs to know of a slot, worked out once for all runs.

    Parameters
    ----------
    slot : Slot
        The slot.
    watched : list of str
        The series that its settings decide by.
    monitoring : list of ((class, monitor, mode), Callback)
        A rule for each series and mode that is tried.
    """

    slot: Slot
    watched: list[str]
    monitoring: list[tuple[tuple[Any, str, str], Callback]]


def read_slot_rules(block: Block) -> list[SlotRules]:
    """Return what every run needs to know of each slot."""
    read = []
    for slot in block.slots:
        monitoring = []
        if "monitor" in slot.parameters:
            monitoring = [
                ((slot.kind, chosen["monitor"], chosen["mode"]), slot.example(**chosen))
                for chosen in _variants(slot, "monitor", "mode")
            ]
        read.append(SlotRules(slot, _watched(slot), monitoring))
    return read


def find_rules(
    run: Run,
    slots: Sequence[SlotRules],
    training: Training,
    initial_learning_rate: float | None,
) -> RunRules | None:
    """Return a run's rules; None if only the scalar replay can decide it.

    It does where a callback or a file's name is refused, if Keras comes that far.
    """
    if _puts_back_twice(slots, training):
        return None
    try:
        modes: dict[tuple[Any, str, str], Mode] = {}
        rates: list[tuple[FloatArray, bool]] = []
        for slot, watched, monitoring in slots:
            for name in watched:
                run.monitored(name)
            for key, rule in monitoring:
                modes[key] = rule.resolve_mode(training)
            if slot.kernel == "saves":
                _begin_checkpoints(slot, training)
                files = slot.parameters["filepath"].values
                if not all(_has_names(run, name) for name in files):
                    return None
            if slot.kernel == "reduces":
                training.framework.check_run(run, [slot.example()], training)
                rates = _read_rates(
                    run, initial_learning_rate, needs_value=needs_rate(slot)
                )
        if not rates and initial_learning_rate is not None:
            # these settings need no rate, but an impossible one is still refused
            read_followed_rates(run, initial_learning_rate)
    except CbreplayError:
        return None
    return RunRules(training, modes, rates)


def _puts_back_twice(slots: Sequence[SlotRules], training: Training) -> bool:
    """Return whether weights are put back in an epoch, and others when training ends.

    A rule that holds the best value then holds what was put back in the epoch.
    """
    kernels = {read.slot.kernel for read in slots}
    if "stops" not in kernels or kernels.isdisjoint(PLAIN_STOPS):
        return False
    return not training.semantics.restores_without_stop


def needs_rate(slot: Slot) -> bool:
    """Return whether the decisions of some setting depend on the rate's value."""
    # the rule's `needs_learning_rate`, without building a rule for each setting
    floors, factors = slot.parameters["min_lr"], slot.parameters["factor"]
    return any(floor != 0 for floor in floors.values) or any(
        not 0 < factor < 1 - 2**-20 for factor in factors.values
    )


def _read_rates(
    run: Run, initial_learning_rate: float | None, *, needs_value: bool
) -> list[tuple[FloatArray, bool]]:
    readings = read_recorded_rates(
        run, initial_learning_rate=initial_learning_rate, needs_value=needs_value
    )
    return [
        (np.array(reading.values, dtype=np.float64), reading.values[0] is not None)
        for reading in readings
    ]


def _watched(slot: Slot) -> list[str]:
    """Return the series that the settings of a slot decide by."""
    watched = slot.example().watched
    if watched is None:
        return []
    return slot.tried("monitor") if "monitor" in slot.parameters else [watched]


def _variants(slot: Slot, *names: str) -> Iterator[dict[str, Any]]:
    """Yield the combinations of values that some parameters have, each once."""
    import itertools

    axes = slot.axes(*names)
    lengths = {
        parameter.axis: len(parameter.values)
        for parameter in slot.parameters.values()
        if parameter.axis is not None
    }
    seen = set()
    for index in itertools.product(*(range(lengths[axis]) for axis in axes)):
        at = dict(zip(axes, index, strict=True))
        held = [slot.parameters[name] for name in names]
        chosen = tuple(
            parameter.values[0 if parameter.axis is None else at[parameter.axis]]
            for parameter in held
        )
        if chosen not in seen:
            seen.add(chosen)
            yield dict(zip(names, chosen, strict=True))


def _begin_checkpoints(slot: Slot, training: Training) -> None:
    """Raise where this Keras refuses a file's name."""
    names = ("filepath", "save_weights_only")
    monitored = next(_variants(slot, "monitor", "mode"))
    for chosen in _variants(slot, *names):
        slot.example(**chosen, **monitored).begin(training)


def _has_names(run: Run, filepath: str) -> bool:
    """Return whether a file's name can be formatted in every epoch."""
    named = {name for _, name, _, _ in string.Formatter().parse(str(filepath)) if name}
    logged = named - {"epoch"}
    if any(
        name not in run.series or not run.series[name].recorded.all() for name in logged
    ):
        return False
    columns = [run.series[name].values.tolist() for name in logged]
    rows = zip(*columns, strict=True) if logged else iter([()])
    try:
        for position, row in enumerate(rows):
            values = dict(zip(logged, row, strict=True))
            str(filepath).format(**values, epoch=run.first_epoch + position + 1)
    except (KeyError, ValueError):
        return False
    return True


class Monitored(NamedTuple):
    """One series of some runs without the epochs in which it is missing.

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        Float64; NaN past a run's end.
    n_steps : array of shape (n_runs,)
        The monitored epochs of each run.
    positions : array of shape (n_runs, n_steps + 1)
        The epoch of each step, from the first recorded one; NEVER past the end.
    plain : bool
        Whether no epoch lacks the series: then steps and positions are equal.
    """

    values: FloatArray
    n_steps: EpochArray
    positions: EpochArray
    plain: bool

    def at(self, steps: EpochArray) -> EpochArray:
        """Return the positions of steps; their first axis is the run."""
        if self.plain:
            return steps
        flat = steps.reshape(len(steps), -1)
        inside = np.minimum(flat, self.positions.shape[1] - 1)
        found = np.take_along_axis(self.positions, inside, axis=1)
        return found.astype(np.int32).reshape(steps.shape)


class Batch:
    """Runs that are decided alike, and their series as matrices.

    The rules are those of each run, which differ in the rates alone.
    """

    def __init__(self, runs: Sequence[Run], rules: Sequence[RunRules]) -> None:
        self.runs, self.rules = runs, rules[0]
        self.rates = [of_run.rates for of_run in rules]
        self.first_epochs = np.array([run.first_epoch for run in runs])
        self.n_epochs = np.array([run.n_epochs for run in runs])
        self._monitored: dict[str, Monitored] = {}

    @property
    def semantics(self) -> Any:  # noqa: ANN401 - a family's own
        """Which version decides."""
        return self.rules.training.semantics

    def sign(self, kind: Any, monitor: str, mode: str) -> float:  # noqa: ANN401
        """Return what a series is multiplied by so that smaller is better: 1 or -1."""
        return 1.0 if self.rules.modes[kind, monitor, mode] == "min" else -1.0

    def monitored(self, name: str) -> Monitored:
        """Return a series of all runs."""
        if name not in self._monitored:
            self._monitored[name] = _read_monitored(
                [run.monitored(name) for run in self.runs]
            )
        return self._monitored[name]

    def first_steps(self, name: str, starts: FloatArray) -> EpochArray:
        """Return the first step at or after each start, of shape (n_runs, n_starts).

        Where there is none, the number of steps of the longest run, plus 1. `starts`
        are zero-based, absolute epochs, as ``start_from_epoch``.
        """
        series = self.monitored(name)
        most = len(series.values)
        found = np.zeros((len(self.runs), len(starts)), dtype=np.int64)
        if starts.max(initial=0) > 0:
            for row, first_epoch in enumerate(self.first_epochs):
                epochs = series.positions[row, : series.n_steps[row]] + first_epoch
                found[row] = np.searchsorted(epochs, starts)
        found[found >= series.n_steps[:, None]] = most + 1
        return found


def _read_monitored(series: Sequence[Any]) -> Monitored:
    counts = np.array([int(of_run.recorded.sum()) for of_run in series])
    most, n_runs = int(counts.max()), len(series)
    values = np.full((n_runs, most), np.nan)
    positions = np.full((n_runs, most + 1), NEVER)
    plain = True
    for row, of_run in enumerate(series):
        count = counts[row]
        if count == len(of_run):
            values[row, :count] = of_run.values
            positions[row, :count] = np.arange(count)
            continue
        plain = False
        values[row, :count] = of_run.values[of_run.recorded]
        positions[row, :count] = np.flatnonzero(of_run.recorded)
    return Monitored(np.ascontiguousarray(values.T), counts, positions, plain)
