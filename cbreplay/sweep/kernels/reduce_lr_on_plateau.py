"""ReduceLROnPlateau: the first epoch that would be trained at another rate.

Up to the first reduction, `wait` depends on min_delta alone, so that reduction is
looked up. Only where the record has the very same reduction are the epochs after it
stepped through, one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.monitor import LARGEST_FLOAT32
from cbreplay.sweep.kernels.candidates import find_candidates
from cbreplay.sweep.kernels.early_stopping import NEVER, whole_patience
from cbreplay.sweep.kernels.improvements import find_improvements, find_stretches

if TYPE_CHECKING:
    from cbreplay.monitor import Precision
    from cbreplay.run import BoolArray, EpochArray, FloatArray
    from cbreplay.sweep.kernels.improvements import Compared, Stretches

__all__ = [
    "LaterReductions",
    "Partings",
    "Record",
    "Settings",
    "find_partings",
    "follow_rates",
]


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


class LaterReductions(NamedTuple):
    """The reductions after the first, one an entry, those of a setting in order.

    Parameters
    ----------
    run, setting : array
        Of which setting on which run.
    at : array
        The position at whose end it is made, up to where the setting parts from the
        record; as if no callback stopped the training before.
    """

    run: EpochArray
    setting: EpochArray
    at: EpochArray


class Partings(NamedTuple):
    """Where settings part from the recorded rates, in epochs from the first recorded.

    Parameters
    ----------
    divergence : array of shape (n_runs, n_settings)
        The first position trained at another rate; NEVER if there is none.
    first_reduction : array of shape (n_runs, n_settings)
        The position of the first reduction, as if it were reached; NEVER without one.
    later : LaterReductions
        Those after it, where the record has the same first one.
    overflown : bool array of shape (n_runs,)
        Whether a rate was too large for float32 somewhere.
    """

    divergence: EpochArray
    first_reduction: EpochArray
    later: LaterReductions
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
        The monitored values, smaller is better; NaN past a run's end.
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
    later = _NONE_LATER
    if len(same[0]):
        # the steps of the epochs; the monitor may be missing in some
        step_of = np.full((len(n_steps), record.rates.shape[1] + 1), -1)
        for row, count in enumerate(n_steps.tolist()):
            step_of[row, positions[row, :count]] = np.arange(count)
        every = candidates.spread(improved)
        parted, wild, later = follow_rates(record, step_of, every, settings, same)
        run, setting = same[:2]
        divergence[run, setting] = parted
        bad[run[wild]] = True
    return Partings(divergence, reduced_at, later, bad)


_NONE_LATER = LaterReductions(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def _first_reductions(
    stretches: Stretches, positions: EpochArray, record: Record, settings: Settings
) -> EpochArray:
    """Return the position of each setting's first reduction; NEVER without one."""
    n_runs, most = len(positions), stretches.n_steps
    waits = whole_patience(settings.patience, most)
    distinct, place = np.unique(waits, return_inverse=True)
    reached = stretches.first_reaching(distinct)
    begins = reached.spread(np.where(reached.missing, NEVER, reached.begin))
    # the tracks are those of one run after another
    n_lanes = len(stretches.last) // n_runs
    begin = begins.reshape(n_runs, n_lanes, -1)[:, settings.lane, place]
    step = np.minimum(begin + waits, most)
    reduced_at = np.take_along_axis(positions, step, axis=1)
    with np.errstate(invalid="ignore"):
        floored = record.known[:, None] & ~(record.rates[:, :1] > _floor(settings))
    return np.minimum(np.where(floored, NEVER, reduced_at), NEVER)


def _floor(settings: Settings) -> FloatArray:
    """Return the rate from which on each setting reduces no further."""
    return settings.min_lr.astype(np.float32).astype(np.float64)


def _part_at_first(
    reduced_at: EpochArray, record: Record, settings: Settings
) -> tuple[
    EpochArray, BoolArray, tuple[EpochArray, EpochArray, EpochArray, FloatArray]
]:
    """Find where settings part from the record by their first reduction.

    The first two are as in `Partings`. The last, as `follow_rates` takes them, are the
    settings that do not part there, because the record has the same first reduction.
    """
    rates, known, n_epochs = record
    rate = rates[:, 0]
    others = (rates != rate[:, None]) & (np.arange(rates.shape[1]) < n_epochs[:, None])
    changed = np.where(others.any(axis=1) & known, others.argmax(axis=1), NEVER)
    divergence = np.where(reduced_at < changed[:, None], NEVER, changed[:, None])
    # a reduction acts from the next epoch on, if there is one
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
        # as `reduce_rate` does: a factor below the range of float32 becomes its edge
        factor = np.maximum(factor, -LARGEST_FLOAT32).astype(np.float32)
    with np.errstate(all="ignore"):
        wide = np.maximum(rate * factor.astype(np.float64), settings.min_lr[setting])
        new = wide.astype(np.float32).astype(np.float64)
    return new, np.isinf(new) & np.isfinite(wide)


class _Followed(NamedTuple):
    """Settings that have followed the record so far, one an entry of every array.

    Parameters
    ----------
    place : array
        Where they stand in what `follow_rates` was given, and returns.
    run, setting : array
        As there.
    begin : array
        The position from which the first reduction acts.
    rate : array
        The rate they train at, a float32 value.
    floor : array
        The rate from which on it is reduced no further.
    wait, cooldown : array
        Keras's counters.
    """

    place: EpochArray
    run: EpochArray
    setting: EpochArray
    begin: EpochArray
    rate: FloatArray
    floor: FloatArray
    wait: EpochArray
    cooldown: FloatArray

    @classmethod
    def after_first(
        cls,
        settings: Settings,
        run: EpochArray,
        setting: EpochArray,
        at: EpochArray,
        rate: FloatArray,
    ) -> _Followed:
        """Return the settings as they are after their first reduction.

        The arguments are those of `follow_rates`.
        """
        return cls(
            place=np.arange(len(run)),
            run=run,
            setting=setting,
            begin=at,
            rate=rate.copy(),
            floor=_floor(settings)[setting],
            wait=np.zeros(len(run), dtype=np.int64),
            cooldown=settings.cooldown[setting],
        )

    def only(self, which: BoolArray) -> _Followed:
        """Return some of the settings."""
        kept: list[Any] = [column[which] for column in self]
        return _Followed(*kept)


def follow_rates(
    record: Record,
    step_of: EpochArray,
    improved: BoolArray,
    settings: Settings,
    reduced: tuple[EpochArray, EpochArray, EpochArray, FloatArray],
) -> tuple[EpochArray, BoolArray, LaterReductions]:
    """Step through the epochs after a first reduction that the record has too.

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
    later : LaterReductions
        As in `Partings`.
    """
    going = _Followed.after_first(settings, *reduced)
    divergence = np.full(len(going.place), NEVER)
    overflown = np.zeros(len(going.place), dtype=np.bool_)
    made: list[LaterReductions] = []
    for position in range(int(going.begin.min()), int(record.n_epochs.max())):
        ended = record.n_epochs[going.run] <= position
        here = record.rates[going.run, position]
        parts = (going.begin <= position) & ~ended & ~(here == going.rate)
        divergence[going.place[parts]] = position
        if (parts | ended).any():
            going = going.only(~(parts | ended))
        if len(going.place) == 0:
            break
        steps = step_of[going.run, position]
        better = improved[steps, going.run, settings.lane[going.setting]]
        seen = (going.begin <= position) & (steps >= 0)
        going, hit, wild = _step(going, seen, better, settings)
        if len(hit):
            overflown[going.place[hit[wild]]] = True
            at_end = np.full(len(hit), position)
            made.append(LaterReductions(going.run[hit], going.setting[hit], at_end))
    joined = [
        np.concatenate(columns) for columns in zip(_NONE_LATER, *made, strict=True)
    ]
    return divergence, overflown, LaterReductions(*joined)


def _step(
    going: _Followed, seen: BoolArray, better: BoolArray, settings: Settings
) -> tuple[_Followed, EpochArray, BoolArray]:
    """Step through one epoch, in which a setting has `seen` its monitor or not.

    The settings after it, which of them reduce, and for each of these whether it does
    to a rate that does not fit float32.
    """
    setting, rate = going.setting, going.rate
    # Keras counts the cooldown down before it compares, and keeps wait at 0 in it
    cooling = seen & (going.cooldown > 0)
    cooldown = going.cooldown - cooling
    waits = seen & ~better & ~(cooldown > 0)
    wait = np.where(cooling | (seen & better), 0, going.wait) + waits
    reduces = waits & (wait >= settings.patience[setting]) & (rate > going.floor)
    hit = np.flatnonzero(reduces)
    wild = np.zeros(0, dtype=np.bool_)
    if len(hit):
        rate[hit], wild = _reduced(rate[hit], settings, setting[hit])
        cooldown[hit], wait[hit] = settings.cooldown[setting[hit]], 0
    return going._replace(rate=rate, wait=wait, cooldown=cooldown), hit, wild
