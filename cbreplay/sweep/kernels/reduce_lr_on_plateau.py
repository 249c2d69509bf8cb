"""ReduceLROnPlateau: the first epoch that would be trained at another rate.

The improvements depend on min_delta alone, so the first reduction of every setting is
looked up. Only where it is the one that was recorded is the rest stepped through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.sweep.kernels.candidates import find_candidates
from cbreplay.sweep.kernels.early_stopping import NEVER, whole_patience
from cbreplay.sweep.kernels.improvements import find_improvements, find_stretches

if TYPE_CHECKING:
    from cbreplay.monitor import Precision
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep.kernels.improvements import Compared, Stretches

__all__ = ["Partings", "Record", "Settings", "find_partings", "follow_rates"]

_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


class Settings(NamedTuple):
    """The settings of ReduceLROnPlateau that are tried, one array a parameter.

    Parameters
    ----------
    lane : array of shape (n_settings,)
        Which size of min_delta.
    patience, cooldown, factor, min_lr : array of shape (n_settings,)
        As in Keras.
    precision : {"float32", "float64"}
        To what this Keras rounds `factor`.
    """

    lane: EpochArray
    patience: FloatArray
    cooldown: FloatArray
    factor: FloatArray
    min_lr: FloatArray
    precision: Precision


class Record(NamedTuple):
    """The rates of some runs.

    Parameters
    ----------
    rates : array of shape (n_runs, n_epochs)
        The recorded rates, float64 of float32 values; NaN where nothing tells it.
    known : bool array of shape (n_runs,)
        Whether a rate is known at all; without one any reduction parts from it.
    n_epochs : array of shape (n_runs,)
        The recorded epochs of each run.
    """

    rates: FloatArray
    known: BoolArray
    n_epochs: EpochArray


class Partings(NamedTuple):
    """Where settings part from the recorded rates, in epochs from the first recorded.

    Parameters
    ----------
    divergence : array of shape (n_runs, n_settings)
        The first position trained at another rate; NEVER if there is none.
    first_reduction : array of shape (n_runs, n_settings)
        The position of the first reduction, as if it were reached; NEVER without one.
    overflown : bool array of shape (n_runs,)
        Whether a rate was too large for float32 somewhere.
    """

    divergence: EpochArray
    first_reduction: EpochArray
    overflown: BoolArray


def find_partings(
    values: FloatArray,
    n_steps: EpochArray,
    positions: EpochArray,
    record: Record,
    *,
    sizes: FloatArray,
    settings: Settings,
    compared: Compared,
) -> Partings:
    """Find where each setting first trains at another rate than the recorded one.

    Parameters
    ----------
    values : array of shape (n_steps, n_runs)
        The monitored values, small is good; NaN past a run's end.
    n_steps : array of shape (n_runs,)
        The monitored epochs of each run.
    positions : array of shape (n_runs, n_steps + 1)
        The epoch of each step, counted from the first recorded one; NEVER past the end.
    record : Record
        Their rates.
    sizes : array of shape (n_lanes,)
        The sizes of min_delta.
    settings : Settings
        What is tried.
    compared : Compared
        How this Keras compares.
    """
    starts = np.zeros((values.shape[1], len(sizes)), dtype=np.int64)
    candidates = find_candidates(values, starts, sizes)
    improved = find_improvements(candidates.values, candidates.first, sizes, compared)
    stretches = find_stretches(improved, candidates, n_steps)
    reduced_at = _first_reductions(stretches, positions, record, settings)
    divergence, bad, same = _part_at_first(reduced_at, record, settings)
    if len(same[0]):
        # the steps of the epochs; the monitor may be missing in some
        step_of = np.full((len(n_steps), record.rates.shape[1] + 1), -1)
        for one, count in enumerate(n_steps.tolist()):
            step_of[one, positions[one, :count]] = np.arange(count)
        every = candidates.spread(improved)
        parted, wild = follow_rates(record, step_of, every, settings, same)
        run, setting = same[:2]
        divergence[run, setting] = parted
        bad[run[wild]] = True
    return Partings(divergence, reduced_at, bad)


def _first_reductions(
    stretches: Stretches, positions: EpochArray, record: Record, settings: Settings
) -> EpochArray:
    """Return the position of each setting's first reduction; NEVER without one."""
    n_runs, most = len(positions), stretches.n_steps
    waits = whole_patience(settings.patience, most)
    distinct, place = np.unique(waits, return_inverse=True)
    reached = stretches.first_reaching(distinct)
    begins = reached.spread(np.where(reached.missing, NEVER, reached.begin))
    # the lanes are those of one run after another
    n_lanes = len(stretches.last) // n_runs
    begin = begins.reshape(n_runs, n_lanes, -1)[:, settings.lane, place]
    step = np.minimum(begin + waits, most)
    reduced_at = np.take_along_axis(positions, step, axis=1)
    with np.errstate(invalid="ignore"):
        floored = record.known[:, None] & ~(
            record.rates[:, :1] > settings.min_lr.astype(np.float32).astype(np.float64)
        )
    return np.minimum(np.where(floored, NEVER, reduced_at), NEVER)


def _part_at_first(
    reduced_at: EpochArray, record: Record, settings: Settings
) -> tuple[
    EpochArray, BoolArray, tuple[EpochArray, EpochArray, EpochArray, FloatArray]
]:
    """Find where settings part from the record by their first reduction.

    Returns
    -------
    divergence, overflown
        As in `Partings`.
    same : (run, setting, at, rate)
        The settings that do not, for theirs is the recorded one, as `follow_rates`
        takes them.
    """
    rates, known, n_epochs = record
    rate = rates[:, 0]
    others = (rates != rate[:, None]) & (np.arange(rates.shape[1]) < n_epochs[:, None])
    changed = np.where(others.any(axis=1) & known, others.argmax(axis=1), NEVER)
    divergence = np.where(reduced_at < changed[:, None], NEVER, changed[:, None])
    # it acts from the next epoch on, if there is one
    acts = reduced_at + 1
    early = (reduced_at < changed[:, None]) & (acts < n_epochs[:, None])
    run, setting = np.nonzero(early)
    new, beyond = _reduced(rate[run], settings, setting)
    at = acts[run, setting]
    same = known[run] & (rates[run, at] == new)
    divergence[run[~same], setting[~same]] = at[~same]
    overflown = np.zeros(len(rates), dtype=np.bool_)
    overflown[run[beyond & known[run]]] = True
    return divergence, overflown, (run[same], setting[same], at[same], new[same])


def _reduced(
    rate: FloatArray, settings: Settings, setting: EpochArray
) -> tuple[FloatArray, BoolArray]:
    """Return the rates after a reduction, and where one does not fit float32."""
    factor = settings.factor[setting]
    if settings.precision == "float32":
        # as `reduce_rate`: a factor below float32 stands at its edge
        factor = np.maximum(factor, -_LARGEST_FLOAT32).astype(np.float32)
    with np.errstate(all="ignore"):
        wide = np.maximum(rate * factor.astype(np.float64), settings.min_lr[setting])
        new = wide.astype(np.float32).astype(np.float64)
    return new, np.isinf(new) & np.isfinite(wide)


def follow_rates(
    record: Record,
    step_of: EpochArray,
    improved: BoolArray,
    settings: Settings,
    reduced: tuple[EpochArray, EpochArray, EpochArray, FloatArray],
) -> tuple[EpochArray, BoolArray]:
    """Step on through settings whose first reduction is the recorded one.

    Parameters
    ----------
    record, settings : Record, Settings
        As `find_partings`.
    step_of : array of shape (n_runs, n_epochs + 1)
        The step of each epoch; -1 where the monitor is missing.
    improved : bool array of shape (n_steps, n_runs, n_lanes)
        The improving steps.
    reduced : (run, setting, at, rate)
        The settings, each on its run, the position from which the reduction acts, and
        the rate there.

    Returns
    -------
    divergence : array of the settings' shape
        As in `Partings`.
    overflown : bool array of the same shape
        Where a rate does not fit float32.
    """
    rates, _, n_epochs = record
    run, setting, at, rate = reduced
    rate = rate.copy()
    divergence = np.full(len(run), NEVER)
    overflown = np.zeros(len(run), dtype=np.bool_)
    place = np.arange(len(run))
    wait = np.zeros(len(run), dtype=np.int64)
    cooldown = settings.cooldown[setting]
    floor = settings.min_lr.astype(np.float32).astype(np.float64)
    for position in range(int(at.min()), int(n_epochs.max())):
        ended = n_epochs[run] <= position
        begun = at <= position
        parts = begun & ~ended & ~(rates[run, position] == rate)
        divergence[place[parts]] = position
        going = ~(parts | ended)
        if not going.all():
            run, setting, at, rate, place, wait, cooldown, begun = (
                one[going]
                for one in (run, setting, at, rate, place, wait, cooldown, begun)
            )
            if len(run) == 0:
                break
        step = step_of[run, position]
        seen = begun & (step >= 0)
        # Keras counts down before it looks, and a cooldown holds wait at 0
        cooling = seen & (cooldown > 0)
        cooldown = cooldown - cooling
        better = improved[step, run, settings.lane[setting]]
        waits = seen & ~better & ~(cooldown > 0)
        wait = np.where(cooling | (seen & better), 0, wait) + waits
        reduces = waits & (wait >= settings.patience[setting])
        reduces &= rate > floor[setting]
        if reduces.any():
            hit = np.flatnonzero(reduces)
            rate[hit], wild = _reduced(rate[hit], settings, setting[hit])
            overflown[place[hit[wild]]] = True
            cooldown[hit], wait[hit] = settings.cooldown[setting[hit]], 0
    return divergence, overflown
