"""The settings along patience and min_delta: swept for an answer, priced for a picture.

`sweep_patience` makes the sweep that a recommendation needs, `read_axes` finds out
which settings a sweep holds, and `measure_costs` prices patience x min_delta.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

import numpy as np

from cbreplay.errors import CbreplayError, ConfigError, EvidenceError
from cbreplay.grid import Choices, Grid, choices, make_grid
from cbreplay.judging import JudgingOptions, read_judging
from cbreplay.recommend.answer import Advising, Excluded, Reason, Recommendation
from cbreplay.recommend.choice import OFTEN, SHARE_OF_PLAN, USUAL
from cbreplay.recommend.pricing import cells_of, price
from cbreplay.recommend.rivals import score_named, sweep_beside
from cbreplay.recommend.study import (
    Axes,
    Slice,
    Study,
    begin_study,
    keep_alike,
    part_runs,
)
from cbreplay.recommend.tolerance import measure_scale
from cbreplay.recorded_ends import find_cadence
from cbreplay.rules.registry import row_of, stopping_rule
from cbreplay.sweep import Sweep, sweep_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cbreplay.recommend.scored import Scored
    from cbreplay.rules.base import Callback
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = ["Costs", "measure_costs", "read_axes", "sweep_patience"]

_KNOWN = ("patience", "monitor", "min_delta")


class Costs(NamedTuple):
    """What settings cost on the groups on which all of them can be priced.

    Means over different groups do not compare. So all are over the groups that tell the
    recommended setting, or over all that tell any where these are fewer than four in
    five; and only settings are priced that each of these tells.

    Parameters
    ----------
    patience : array of shape (n_patience,)
        The values, ascending.
    min_delta : tuple of float
        The values, ascending.
    told : int array of shape (n_min_delta, n_patience)
        On how many groups a setting is exact.
    regret, cost : array of shape (n_min_delta, n_patience)
        Means over the compared groups: what is lost in the objective's unit, and the
        share of the recorded epochs that is trained. NaN where not all of these tell.
    n_compared, n_telling, n_groups : int
        The compared groups, those that tell any setting at all, and all.
    chosen : int
        Which min_delta the recommendation was chosen with.
    named : tuple of Scored
        The named settings that all compared groups tell, over these.
    """

    patience: EpochArray
    min_delta: tuple[float, ...]
    told: EpochArray
    regret: FloatArray
    cost: FloatArray
    n_compared: int
    n_telling: int
    n_groups: int
    chosen: int
    named: tuple[Scored, ...]

    def require_compared(self, unit: str) -> None:
        """Refuse where no setting has a price, so that a picture would be empty.

        Parameters
        ----------
        unit : str
            What is compared: ``"run"`` or ``"group"``.

        Raises
        ------
        EvidenceError
            If no groups can be compared.
        """
        if not self.n_compared:
            sentence = (
                f"no patience is told by enough {unit}s to be compared, so there is "
                "nothing to draw. The recommendation says why"
            )
            raise EvidenceError(sentence)


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
        Of the runs that hold the monitor.
    tuple of Excluded
        The others, and why they are left out.

    Raises
    ------
    CbreplayError
        As `replay_run`, if it holds for every run.
    """
    chosen = read_judging(judging)
    monitors = _read_monitors(monitor, chosen.objective)
    judged_by = [] if chosen.objective is None else [chosen.objective]
    kept, left_out = _holding(list(runs), list(dict.fromkeys([*monitors, *judged_by])))
    longest = max((run.n_epochs for run in kept), default=0)
    values = [*range(max(longest, USUAL) + 1)]
    # where logs broke off early, the rule of thumb is beyond what they tell
    thumbs = {_tenth_of_plan(run, monitors[0]) for run in kept}
    values += sorted(thumb for thumb in thumbs if thumb > values[-1])
    stopper = choices(
        stopping_rule(),
        monitor=monitors if len(monitors) > 1 else monitors[0],
        mode=mode,
        min_delta=min_delta if isinstance(min_delta, int | float) else [*min_delta],
        patience=values,
        restore_best_weights=keep == "best",
    )
    sweep = sweep_runs(kept, make_grid([stopper]), judging=chosen, progress=progress)
    return sweep, left_out


def _tenth_of_plan(run: Run, monitor: str) -> int:
    """Return a tenth of the values that a run was planned to have; 0 if unknown."""
    return (run.planned_epochs or 0) // find_cadence(run, monitor) // SHARE_OF_PLAN


def _read_monitors(monitor: str | Sequence[str], objective: str | None) -> list[str]:
    """Return the monitors, each once; several take a series to judge them all."""
    given = [monitor] if isinstance(monitor, str) else monitor
    monitors = list(dict.fromkeys(given))
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
    """Return the runs with all the series, and why the others do not count."""
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
        If it varies something that is not chosen from logs, or lacks a patience.
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
        _defaults(entry.kind),
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
    """Return where in the list the stopping rule stands whose patience is varied."""
    for place, entry in enumerate(grid.entries):
        if (
            isinstance(entry, Choices)
            and "patience" in entry.varied
            and row_of(entry.kind) is not None
            and entry.kind.stops_early
        ):
            return place
    return None


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """Return the parameters of a rule with their defaults."""
    return {parameter.name: parameter.default for parameter in fields(kind)}


def _check_parameters(grid: Grid, entry: Choices) -> None:
    """Refuse a sweep that varies what is not chosen from logs."""
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
    defaults = {"min_delta": 0} | _defaults(entry.kind)
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


def measure_costs(
    sweep: Sweep,
    advice: Recommendation,
    *,
    current: tuple[Callback, ...] | None = None,
    group_by: str | Sequence[Any] | None = None,
    recorded_under: int | None = None,
) -> Costs:
    """Price patience x min_delta on the runs of a recommendation.

    Parameters
    ----------
    sweep, advice : Sweep, Recommendation
        What was recommended, and from what.
    current, group_by, recorded_under : optional
        As they were given to `recommend_config`.
    """
    axes = read_axes(sweep)
    asked = Advising(
        None, advice.confidence, advice.cost_weight, group_by, recorded_under
    )
    part, *_ = part_runs(sweep, keep_alike(sweep, axes, []), asked)
    study = begin_study(sweep, axes, asked, part)
    chosen = next(slice_ for slice_ in axes.slices if slice_.monitor == advice.monitor)
    values = _min_deltas(study, chosen)
    at = values.index(chosen.min_delta), _place(axes, advice.patience or USUAL)
    regret, cost = _price_all(study, chosen, values)
    known = ~np.isnan(regret)
    compared = _compare(known, at)
    priced = np.logical_and.reduce(known[compared], axis=0, initial=len(compared) > 0)
    panel = study.panel._replace(
        groups=tuple(study.panel.groups[group] for group in compared),
        tolerance=_tolerance_of(study, advice),
    )
    named: tuple[Scored, ...] = ()
    if len(compared):
        named = score_named(study._replace(panel=panel), chosen, advice, current)
    return Costs(
        axes.patience,
        values,
        known.sum(axis=0),
        _mean_where(priced, regret[compared]),
        _mean_where(priced, cost[compared]),
        len(compared),
        int(known.any(axis=(1, 2)).sum()),
        len(known),
        at[0],
        tuple(row for row in named if 0 < row.n_groups == len(compared)),
    )


def _place(axes: Axes, patience: int) -> int:
    return int(np.searchsorted(axes.patience, patience))


def _compare(known: BoolArray, at: tuple[int, int]) -> EpochArray:
    """Return the groups over which the means are taken.

    The groups that tell the recommended setting, so that it costs here what the table
    says; a patience that some of them do not tell is left without a number, for leaving
    these groups out would keep the easier ones.

    Parameters
    ----------
    known : bool array of shape (n_groups, n_min_delta, n_patience)
        Where a group tells what a setting does.
    at : (int, int)
        Where the recommended one stands.
    """
    telling = known.any(axis=(1, 2))
    compared = np.flatnonzero(known[:, at[0], at[1]])
    if len(compared) < OFTEN * telling.sum():
        compared = np.flatnonzero(telling)
    return compared


def _tolerance_of(study: Study, advice: Recommendation) -> FloatArray:
    """Return what each run may lose by the recommendation."""
    tolerance = study.panel.tolerance.copy()
    for rows, group in zip(study.grouping.rows, advice.groups, strict=True):
        tolerance[list(rows)] = group.tolerance
    return tolerance


def _mean_where(priced: BoolArray, values: FloatArray) -> FloatArray:
    """Return the means over the groups where a setting is priced, and NaN elsewhere."""
    means = np.full(priced.shape, np.nan)
    if priced.any():
        means[priced] = values[:, priced].mean(axis=0)
    return means


def _min_deltas(study: Study, chosen: Slice) -> tuple[float, ...]:
    """Return the values that were asked about, or Keras's default and three decades.

    The decades are from a ten thousandth to a hundredth of what the best values reach.
    """
    asked = {
        slice_.min_delta
        for slice_ in study.axes.slices
        if slice_.monitor == chosen.monitor
    }
    if len(asked) == 1 and "min_delta" in study.axes.defaults:
        tops = [abs(best) for best in _best_values(study) if best != 0]
        power = math.ceil(math.log10(np.median(tops))) if tops else 0
        asked |= {0.0, *(float(f"1e{power - down}") for down in (4, 3, 2))}
    return tuple(sorted(asked))


def _best_values(study: Study) -> list[float]:
    """Return the best finite value of each run's objective."""
    judged = [study.sweep.runs[row].judged[0] for row in study.panel.rows]
    best = [measure_scale(series).best for series in judged]
    return [value for value in best if np.isfinite(value)]


def _price_all(
    study: Study, chosen: Slice, min_delta: tuple[float, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return regret and cost by group, min_delta and patience."""
    axes, panel = study.axes, study.panel
    patience = axes.patience.tolist()
    varied = {"min_delta": list(min_delta)} if "min_delta" in axes.defaults else {}
    sweep = sweep_beside(study, axes.grid(chosen, **varied, patience=patience))
    n_patience = len(patience)
    rows, columns = (np.arange(size) for size in sweep.shape)
    cells = cells_of(sweep, rows, columns, panel.standing)
    priced = [
        price(panel, cells.take(place * n_patience, n_patience), axes.patience)
        for place in range(len(min_delta))
    ]
    return (
        np.stack([costs.regret for costs in priced], axis=1),
        np.stack([costs.cost for costs in priced], axis=1),
    )
