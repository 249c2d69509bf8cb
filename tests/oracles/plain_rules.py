"""EarlyStopping and ReduceLROnPlateau of Keras 3.15 once more, with every parameter.

A loop over a list each; neither shares anything with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.oracles.plain_stop import single

if TYPE_CHECKING:
    from collections.abc import Sequence


class Moment(NamedTuple):
    """What a callback holds and does at the end of one epoch; an epoch from 0."""

    epoch: int
    value: float | None
    counted: bool
    improved: bool
    acted: bool
    wait: int
    best: float | None
    held: int | None = None
    cooldown: float = 0
    rate: float | None = None


def stopping(
    values: Sequence[float | None], first_epoch: int, asked: dict[str, Any]
) -> list[Moment]:
    """Return what EarlyStopping does in each epoch, up to its stop."""
    best: float | None = None
    held: int | None = None
    wait = 0
    told = []
    for epoch, value in enumerate(values, first_epoch):
        counted = value is not None and epoch >= asked["start_from_epoch"]
        improved = acted = False
        if counted and value is not None:
            held = epoch if held is None else held
            wait += 1
            improved = best is None or _beats(value, best, asked)
            if improved:
                best, held = value, epoch
                baseline = asked["baseline"]
                if baseline is None or _beats(value, baseline, asked):
                    wait = 0
            acted = not improved and wait >= asked["patience"] and epoch > 0
        told.append(Moment(epoch, value, counted, improved, acted, wait, best, held))
        if acted:
            break
    return told


def _beats(value: float, reference: float, asked: dict[str, Any]) -> bool:
    margin = abs(asked["min_delta"])
    if asked["mode"] == "max":
        return single(value - margin) > single(reference)
    return single(value + margin) < single(reference)


def plateau(
    values: Sequence[float | None],
    first_epoch: int,
    asked: dict[str, Any],
    rate: float,
) -> list[Moment]:
    """Return what ReduceLROnPlateau does in each epoch."""
    best: float | None = None
    cooldown: float = 0
    wait = 0
    told = []
    for epoch, value in enumerate(values, first_epoch):
        improved = acted = False
        if value is not None:
            if cooldown > 0:
                cooldown -= 1
                wait = 0
            improved = best is None or _beats(value, best, asked)
            if improved:
                best, wait = value, 0
            elif cooldown <= 0:
                wait += 1
                acted = wait >= asked["patience"] and rate > single(asked["min_lr"])
            if acted:
                lowered = asked["factor"] * rate
                rate = single(max(lowered, asked["min_lr"]))
                cooldown, wait = asked["cooldown"], 0
        told.append(
            Moment(
                epoch,
                value,
                value is not None,
                improved,
                acted,
                wait,
                best,
                cooldown=cooldown,
                rate=rate,
            )
        )
    return told
