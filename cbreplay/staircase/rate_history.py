"""The recorded learning rate: where it fell, and which plateau rule explains that."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import CbreplayError
from cbreplay.evidence.rounded import rate_ends
from cbreplay.monitor import round_float32
from cbreplay.replay import replay_run
from cbreplay.rules.families import reducing_rule, resolve_semantics
from cbreplay.rules.keras.reduce_lr_on_plateau import reduce_rate
from cbreplay.rules.parameters import changed_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.monitor import Precision
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run, Series

__all__ = [
    "FirstReduction",
    "RateHistory",
    "RecordedReduction",
    "explain_rate",
    "recorded_changes",
]

# settings that people use, the defaults first; each candidate is verified by a replay
_MIN_DELTAS = (1e-4, 0.0, 1e-3, 1e-2, 1e-5)
_COOLDOWNS = (0, *range(2, 11), 15, 20, 30, 50)
_SHOWN_PATIENCE = (3, 5, 10, 20)


class RecordedReduction(NamedTuple):
    """A drop of the recorded rate, at the end of `epoch`.

    Where the rates after that epoch are not recorded, it may be as late as at the end
    of `latest`, the epoch before the one that shows the new rate.
    """

    epoch: int
    old: float
    new: float
    latest: int


class FirstReduction(NamedTuple):
    """At the end of which epoch a patience of ReduceLROnPlateau would first act."""

    patience: int
    epoch: int


class RateHistory(NamedTuple):
    """What the log tells about its learning rate.

    Parameters
    ----------
    is_recorded : bool
        Whether the log holds a learning rate at all.
    first, last : float or None
        The rates of the first and the last epoch in which it is recorded.
    reductions : tuple of RecordedReduction
        Where it fell.
    rises : bool
        Whether it ever rose, which no ReduceLROnPlateau does.
    explained_by : ReduceLROnPlateau or None
        A setting whose replay gives the recorded rate in every epoch, to as many digits
        as the log has. Others may too.
    is_other_reading : bool
        Whether `explained_by` explains only the other reading of the rate, for a log
        that cannot tell whether it was written before or after a reduction;
        `reductions` are then of that reading.
    monitor : str
        The series that is watched for `first_reductions`.
    first_reductions : tuple of FirstReduction
        Where other patience values would first act, if that is before the first
        recorded change.
    lowest, highest : float or None
        The bounds of the recorded rates.
    raised_by_fits : tuple of int
        The first epochs of resumed fits, if the rate rises there and nowhere else.
    rounded_to_zero : float
        What a rate that is written as 0 may be at most; 0 if it is not rounded.
    is_rounded : bool
        Whether the log has too few digits of its rates to tell neighbours apart.
    """

    is_recorded: bool
    first: float | None
    last: float | None
    reductions: tuple[RecordedReduction, ...]
    rises: bool
    explained_by: Any
    is_other_reading: bool
    monitor: str
    first_reductions: tuple[FirstReduction, ...]
    lowest: float | None = None
    highest: float | None = None
    raised_by_fits: tuple[int, ...] = ()
    rounded_to_zero: float = 0.0
    is_rounded: bool = False


def explain_rate(
    run: Run, *, monitor: str, mode: str = "auto", semantics: str | None = None
) -> RateHistory:
    """Describe the recorded rate, and find a ReduceLROnPlateau that explains it.

    Parameters
    ----------
    run : Run
        The record.
    monitor, mode : str
        As in ``keras.callbacks.ReduceLROnPlateau``; the loss and its validation are
        tried as well.
    semantics : str, optional
        Which Keras decides; as in `replay_run`.
    """
    history = _explain_reading(run, monitor, mode, semantics)
    if run.other_learning_rate is None:
        return history
    as_other = replace(
        run, learning_rate=run.other_learning_rate, other_learning_rate=None
    )
    other = _explain_reading(as_other, monitor, mode, semantics)
    if _oddity(other.explained_by) < _oddity(history.explained_by):
        return other._replace(is_other_reading=True)
    return history


def _oddity(explanation: Any) -> float:  # noqa: ANN401 - a rule, or None
    """Count the parameters that are not Keras's defaults; infinite for None."""
    if explanation is None:
        return math.inf
    return len(changed_parameters(explanation))


def _explain_reading(
    run: Run, monitor: str, mode: str, semantics: str | None
) -> RateHistory:
    """Describe and explain one reading of the recorded rate."""
    run = replace(run, other_learning_rate=None)
    series = run.learning_rate
    rates = [] if series is None else _recorded_rates(run, series)
    changes = [] if series is None else recorded_changes(run, series)
    rises = any(change.new > change.old for change in changes)
    explained = None
    by_fits = _raised_by_fits(run, changes)
    falls = [change for change in changes if change.new < change.old]
    if falls and (not rises or by_fits):
        explained = _explain(run, falls, monitor, mode, semantics)
    watched = explained or reducing_rule()(monitor=monitor, mode=mode)
    ends = changes[0].epoch if changes else run.horizon
    waits = _waits(run, watched, ends, semantics)
    earlier = [
        patience
        for patience in _SHOWN_PATIENCE
        if not explained or patience < explained.patience
    ]
    return RateHistory(
        is_recorded=run.learning_rate is not None,
        first=rates[0][1] if rates else None,
        last=rates[-1][1] if rates else None,
        reductions=tuple(falls),
        rises=rises,
        explained_by=explained,
        is_other_reading=False,
        monitor=watched.monitor,
        first_reductions=tuple(_first_reductions(waits, earlier, run.first_epoch)),
        lowest=min((rate for _, rate in rates), default=None),
        highest=max((rate for _, rate in rates), default=None),
        raised_by_fits=by_fits,
        rounded_to_zero=rate_ends(run, 0.0)[1],
        is_rounded=bool(run.learning_rate_rounding),
    )


def _raised_by_fits(run: Run, changes: list[RecordedReduction]) -> tuple[int, ...]:
    """Return where resumed fits raise the rate; nothing if it rises elsewhere too."""
    raised = [change.latest + 1 for change in changes if change.new > change.old]
    return tuple(raised) if set(raised) <= set(run.seams) else ()


def recorded_changes(run: Run, rate: Series) -> list[RecordedReduction]:
    """Return where a reading of the rate changes between recorded epochs."""
    return [
        RecordedReduction(epoch, old, new, following - 1)
        for (epoch, old), (following, new) in itertools.pairwise(
            _recorded_rates(run, rate)
        )
        if old != new
    ]


def _recorded_rates(run: Run, rate: Series) -> list[tuple[int, float]]:
    """Return (epoch, rate) where the rate is recorded."""
    each = zip(run.epochs.tolist(), rate, strict=True)
    return [(epoch, value) for epoch, value in each if value is not None]


def _explain(
    run: Run,
    changes: list[RecordedReduction],
    monitor: str,
    mode: str,
    semantics: str | None,
) -> Any:  # noqa: ANN401 - a rule, or None
    """Return the first candidate whose replay agrees with every recorded rate."""
    first, last = changes[0], changes[-1]
    resolved = resolve_semantics(semantics, metadata=run.metadata)
    precision = resolved.semantics.factor_precision
    factor = _short_factor(run, first, precision)
    if factor is None:
        return None
    # min_lr cut the last reduction short, or equals the last rate, or is not reached
    highest = reduce_rate(rate_ends(run, last.old)[1], factor, precision)
    is_cut = highest < rate_ends(run, last.new)[0]
    floor = _short_number(last.new)
    floors = (floor,) if is_cut else (0.0, floor)
    for watching in _watching(run, monitor, mode, factor):
        waits = _waits(run, watching, first.epoch, semantics)
        # the first reduction comes when `wait` first reaches the patience
        if not waits or waits[-1] <= max(waits[:-1], default=0):
            continue
        for min_lr, cooldown in itertools.product(floors, _COOLDOWNS):
            candidate = replace(
                watching, patience=waits[-1], cooldown=cooldown, min_lr=min_lr
            )
            if not _is_tested(candidate, changes):
                continue
            replay = _replayed(run, candidate, semantics)
            if replay is not None and replay.divergence_epoch is None:
                return candidate
    return None


def _watching(run: Run, monitor: str, mode: str, factor: float) -> Iterator[Any]:
    """Yield rules with this factor, one for each monitor and min_delta to try."""
    monitors = dict.fromkeys([monitor, "val_loss", "loss"])
    recorded = (name for name in monitors if name in run.series)
    for name, min_delta in itertools.product(recorded, _MIN_DELTAS):
        yield reducing_rule()(
            monitor=name,
            mode=mode if name == monitor else "auto",
            min_delta=min_delta,
            factor=factor,
        )


def _is_tested(candidate: Any, changes: list[RecordedReduction]) -> bool:  # noqa: ANN401
    """Tell whether there are enough drops for the parameters that are no defaults.

    Factor and patience are fitted to the first drop; each further parameter needs
    another drop as a test.
    """
    extras: int = (
        (candidate.min_lr != 0)
        + (candidate.cooldown != 0)
        + (candidate.min_delta != _MIN_DELTAS[0])
    )
    return extras < len(changes)


def _short_factor(
    run: Run, drop: RecordedReduction, precision: Precision
) -> float | None:
    """Return the shortest decimal factor that leads from one rate to the next.

    None if it needs more than four digits: nobody writes such a factor.
    """
    lowest, highest = rate_ends(run, drop.new)
    for digits in range(1, 5):
        factor = round(drop.new / drop.old, digits)
        if not 0 < factor < 1:
            continue
        low, high = (
            reduce_rate(rate, factor, precision) for rate in rate_ends(run, drop.old)
        )
        if low <= highest and lowest <= high:
            return factor
    return None


def _short_number(rate: float) -> float:
    """Return the shortest decimal that is the same float32."""
    for digits in range(1, 10):
        short = float(f"{rate:.{digits}g}")
        if round_float32(short) == rate:
            return short
    return rate


def _waits(
    run: Run,
    base: Any,  # noqa: ANN401 - the rule that reduces
    last_epoch: int,
    semantics: str | None,
) -> list[int]:
    """Return `wait` after each epoch up to `last_epoch`, if nothing were ever reduced.

    `last_epoch` is that of the first recorded change: after it the log cannot tell.
    """
    replay = _replayed(run, replace(base, patience=math.inf), semantics)
    if replay is None:
        return []
    return [step.state.wait for step in replay.trace if step.epoch <= last_epoch]


def _replayed(run: Run, callback: Callback, semantics: str | None) -> Replay | None:
    """Replay a candidate, or return None where Keras would refuse it."""
    try:
        return replay_run(run, callback, semantics=semantics)
    except CbreplayError:
        return None


def _first_reductions(
    waits: list[int], patiences: list[int], first_epoch: int
) -> Iterator[FirstReduction]:
    """Yield where patience values would first act, as far as these epochs tell."""
    for patience in patiences:
        reached = next((i for i, wait in enumerate(waits) if wait >= patience), None)
        if reached is not None:
            yield FirstReduction(patience, first_epoch + reached)
