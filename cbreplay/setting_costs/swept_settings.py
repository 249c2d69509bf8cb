"""Which settings `recommend` sweeps, and how they are found in a sweep.

`sweep_patience` makes the sweep that a recommendation needs, and `read_axes` finds out
which settings a sweep holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.grid import Choices, Grid, choices, make_grid
from cbreplay.judging import JudgingOptions, read_judging
from cbreplay.rules.families import stopping_rule
from cbreplay.rules.parameters import defaults_of
from cbreplay.rules.registry import row_of
from cbreplay.setting_costs.recorded_ends import usual_cadence
from cbreplay.sweep import Sweep, sweep_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cbreplay.rules.base import Callback
    from cbreplay.run import EpochArray, Run

__all__ = [
    "SHARE_OF_PLAN",
    "USUAL",
    "Axes",
    "Excluded",
    "Reason",
    "Slice",
    "read_axes",
    "sweep_patience",
]

# the fixed patience that a choice has to be better than
USUAL = 10
# the rule of thumb is this share of the plan, or the usual patience
SHARE_OF_PLAN = 10

_KNOWN = ("patience", "monitor", "min_delta")


class Reason(NamedTuple):
    """Why something is as it is: a kind of sentence, and the values in it.

    Parameters
    ----------
    kind : str
        A short, stable name of the sentence (`answers.advice.reasons`).
    facts : mapping
        The values in it, by name.
    """

    kind: str
    facts: Mapping[str, Any]


class Excluded(NamedTuple):
    """A run that does not count, and why."""

    run: str
    why: Reason


class Slice(NamedTuple):
    """The patience values of one monitor and one min_delta.

    Parameters
    ----------
    monitor, min_delta : str, float
        What all of them have.
    columns : array of shape (n_patience,)
        The index of each patience among the configs of the sweep.
    default : int or None
        The index of the rule's default patience; None if it is not swept.
    """

    monitor: str
    min_delta: float
    columns: EpochArray
    default: int | None


class Axes(NamedTuple):
    """What a sweep varies of one stopping rule: its patience, monitor and min_delta.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending, from 1 on: a patience of 0 acts as 1.
    slices : tuple of Slice
        One for each monitor and min_delta; for each monitor, the min_delta nearest to
        Keras's default comes first.
    kind : type
        The class of the rule whose patience is varied.
    defaults : mapping
        Its parameters, with the values that they have where nobody gives one.
    fixed : mapping
        The parameters that all of its settings share.
    around : (tuple of Callback, tuple of Callback)
        The callbacks before and after it in the list.
    """

    patience: EpochArray
    slices: tuple[Slice, ...]
    kind: type[Any]
    defaults: dict[str, Any]
    fixed: dict[str, Any]
    around: tuple[tuple[Callback, ...], tuple[Callback, ...]]

    def rule(self, chosen: Slice, **parameters: Any) -> Callback:  # noqa: ANN401
        """Return the rule with a chosen patience, and more if named."""
        rule: Callback = self.kind(**self._shared(chosen) | parameters)
        return rule

    def grid(self, chosen: Slice, **varied: Any) -> Grid:  # noqa: ANN401
        """Return the list with these parameters of the rule varied."""
        before, after = self.around
        tried = choices(self.kind, **self._shared(chosen) | varied)
        return make_grid([*before, tried, *after])

    def _shared(self, chosen: Slice) -> dict[str, Any]:
        """Return what all patience values of a slice share."""
        own = {"monitor": chosen.monitor, "min_delta": chosen.min_delta}
        held = {name: value for name, value in own.items() if name in self.defaults}
        return self.fixed | held

    def around_rule(self, *rules: Callback) -> tuple[Callback, ...]:
        """Return the whole list with this rule, or several, in its place."""
        before, after = self.around
        return (*before, *rules, *after)

    def of_each_monitor(self) -> list[Slice]:
        """Return each monitor's slice with the min_delta nearest to Keras's default."""
        first: dict[str, Slice] = {}
        for slice_ in self.slices:
            first.setdefault(slice_.monitor, slice_)
        return list(first.values())


@checked
def sweep_patience(
    runs: Iterable[Run],
    *,
    monitor: str | Sequence[str] = "val_loss",
    mode: str = "auto",
    keep: Literal["best", "last"] = "best",
    min_delta: float | Sequence[float] = 0,
    progress: Callable[[int, int], None] | None = None,
    **judging: Unpack[JudgingOptions],
) -> tuple[Sweep, tuple[Excluded, ...]]:
    """Sweep every patience that the logs can tell apart, for `recommend_config`.

    Parameters
    ----------
    runs : iterable of Run
        The runs.
    monitor, min_delta : str, float, or sequences of them
        As in ``keras.callbacks.EarlyStopping``; several are tried beside each other.
    mode : str
        As there.
    keep : {"best", "last"}
        ``restore_best_weights=True`` or Keras's default False.
    progress : callable, optional
        As in `sweep_runs`.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Returns
    -------
    Sweep
        Over the runs that hold the monitors, and the objective if it is named.
    tuple of Excluded
        The others, and why they are left out.

    Raises
    ------
    CbreplayError
        As `replay_run`, if no run can be replayed.
    """
    chosen = read_judging(judging)
    monitors = _read_monitors(monitor, chosen.objective)
    judged_by = [] if chosen.objective is None else [chosen.objective]
    kept, left_out = _holding(list(runs), list(dict.fromkeys([*monitors, *judged_by])))
    longest = max((run.n_epochs for run in kept), default=0)
    values = [*range(max(longest, USUAL) + 1)]
    # where logs broke off early, the rule of thumb may exceed their length
    thumbs = {_tenth_of_plan(run, monitors[0]) for run in kept}
    values += sorted(thumb for thumb in thumbs if thumb > values[-1])
    stopper = choices(
        stopping_rule(),
        monitor=monitors if len(monitors) > 1 else monitors[0],
        mode=mode,
        min_delta=[*min_delta] if isinstance(min_delta, Sequence) else min_delta,
        patience=values,
        restore_best_weights=keep == "best",
    )
    sweep = sweep_runs(kept, make_grid([stopper]), judging=chosen, progress=progress)
    return sweep, left_out


def _tenth_of_plan(run: Run, monitor: str) -> int:
    """Return a tenth of the values that a run was planned to have; 0 if unknown."""
    return (run.planned_epochs or 0) // usual_cadence(run, monitor) // SHARE_OF_PLAN


def _read_monitors(monitor: str | Sequence[str], objective: str | None) -> list[str]:
    """Return the monitors, each once; several need a named objective."""
    given = [monitor] if isinstance(monitor, str) else monitor
    monitors = list(dict.fromkeys(given))
    if not monitors:
        sentence = "monitor is an empty list. Name one series or more"
        raise ConfigError(sentence)
    if len(monitors) > 1 and objective is None:
        sentence = (
            f"{', '.join(monitors)} are several monitors, and what they keep has to be "
            "judged by one series. Give --objective or objective="
        )
        raise ConfigError(sentence)
    return monitors


def _holding(
    runs: list[Run], needed: Sequence[str]
) -> tuple[list[Run], tuple[Excluded, ...]]:
    """Return the runs that hold all the series, and why the others do not count."""
    kept, left_out, first = [], [], None
    for run in runs:
        try:
            for name in needed:
                run.monitored(name)
        except CbreplayError as error:
            first = first or error
            missing = tuple(name for name in needed if name not in run.series)
            kind = "missing-series" if missing else "unrecorded-series"
            left_out.append(Excluded(run.name, Reason(kind, {"series": missing})))
        else:
            kept.append(run)
    if first is not None and not kept:
        raise first
    return kept, tuple(left_out)


def read_axes(sweep: Sweep) -> Axes:
    """Read the settings of a sweep.

    Raises
    ------
    ConfigError
        If it varies what cannot be chosen from logs, or no patience, or lacks 10.
    """
    grid = sweep.configs
    place = _find_stopper(grid) if isinstance(grid, Grid) else None
    if place is None:
        sentence = f"no patience of a stopping rule is varied in this sweep. {_hint()}"
        raise ConfigError(sentence)
    entry = grid.entries[place]
    _check_parameters(grid, entry)
    values = list(entry.varied["patience"])
    order = [at for at in np.argsort(values, kind="stable") if values[at] >= 1]
    patience = np.array([values[at] for at in order])
    whole = all(float(value).is_integer() for value in values)
    if USUAL not in patience.tolist() or not whole:
        sentence = (
            f"a recommendation is compared with patience {USUAL}, and the sweep does "
            f"not hold it, or holds fractions. {_hint()}"
        )
        raise ConfigError(sentence)
    return Axes(
        patience.astype(np.int64),
        _slices(grid, entry, order),
        entry.kind,
        defaults_of(entry.kind),
        dict(entry.fixed),
        (tuple(grid.entries[:place]), tuple(grid.entries[place + 1 :])),
    )


def _hint() -> str:
    """Say which sweep can be recommended from."""
    return (
        f"Give a sweep of make_grid([choices({stopping_rule().__name__}, "
        "patience=range(0, 101), restore_best_weights=True)]), or that of "
        "recommend.sweep_patience"
    )


def _find_stopper(grid: Grid) -> int | None:
    """Return the index in the list of the stopping rule whose patience is varied."""
    for place, entry in enumerate(grid.entries):
        if (
            isinstance(entry, Choices)
            and "patience" in entry.varied
            and row_of(entry.kind) is not None
            and entry.kind.stops_early
        ):
            return place
    return None


def _check_parameters(grid: Grid, entry: Choices) -> None:
    """Refuse a sweep that varies what cannot be chosen from logs."""
    foreign = [
        name
        for name in grid.parameters
        if name.rpartition(".")[0] != entry.kind.__name__
        or name.rpartition(".")[2] not in _KNOWN
    ]
    if foreign:
        sentence = (
            f"this sweep varies {', '.join(foreign)}, and a recommendation chooses "
            f"{', '.join(_KNOWN)} of one stopping rule. {_hint()}"
        )
        raise ConfigError(sentence)


def _slices(grid: Grid, entry: Choices, order: list[int]) -> tuple[Slice, ...]:
    """Return the patience values of each monitor and min_delta.

    `order` is where the values of patience stand, ascending.
    """
    names = [name.rpartition(".")[2] for name in grid.parameters]
    numbers = np.arange(len(grid)).reshape(grid.shape)
    numbers = np.moveaxis(numbers, names.index("patience"), -1)
    names.remove("patience")
    defaults = {"min_delta": 0} | defaults_of(entry.kind)
    values, usual = list(entry.varied["patience"]), defaults["patience"]
    place = values.index(usual) if usual in values else None
    varied: dict[str, list[Any]] = {
        name: list(entry.varied.get(name, [entry.fixed.get(name, defaults[name])]))
        for name in ("monitor", "min_delta")
    }
    slices = []
    for i, monitor in enumerate(varied["monitor"]):
        of_monitor = []
        for j, min_delta in enumerate(varied["min_delta"]):
            at = {"monitor": i, "min_delta": j}
            columns = numbers[tuple(at[name] for name in names)]
            default = None if place is None else int(columns[place])
            of_monitor.append(Slice(monitor, min_delta, columns[order], default))
        slices += sorted(of_monitor, key=lambda chosen: abs(chosen.min_delta))
    return tuple(slices)
