"""Every decision of the replay equals that of the real callback."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, replay_run
from cbreplay.errors import EvidenceError
from tests.oracles.adversarial import Case, draw_case
from tests.oracles.keras_driver import Driven, as_keras, drive

if TYPE_CHECKING:
    from cbreplay.replay import Step

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    # Keras's own warning about an epoch without the monitor
    pytest.mark.filterwarnings("ignore:.*which is not available:UserWarning"),
]

# 4,200 random trainings: alone, together in both orders, and several of a kind
BATCHES = [
    ("E", 1200),
    ("R", 1200),
    ("ER", 700),
    ("RE", 700),
    ("RR", 200),
    ("EE", 200),
]


@pytest.mark.parametrize(("kinds", "count"), BATCHES)
def test_random_trainings_are_decided_as_by_keras(kinds: str, count: int) -> None:
    for seed in range(count):
        rng = np.random.default_rng([seed, *kinds.encode()])
        case = draw_case(rng, kinds)
        difference = find_difference(case)
        assert difference is None, (seed, kinds, difference, case)


def find_difference(case: Case) -> str | None:
    """Drive both, and say where they part; None where they agree."""
    driven = drive(
        [as_keras(one) for one in case.callbacks],
        case.logs,
        learning_rate=case.learning_rate,
        first_epoch=case.first_epoch,
    )
    run = recorded_run(case, driven)
    replay = replay_run(run, case.callbacks, semantics="keras-3.15")
    rate = replay.learning_rate
    ours: dict[str, Any] = {
        "divergence": replay.divergence_epoch,
        "stopped": replay.stopped_epoch,
        "kept": replay.kept_epoch,
        "rates": [] if rate is None else rate.values.tolist(),
        "reductions": [(one.epoch, one.new) for one in replay.reductions],
    }
    theirs: dict[str, Any] = {
        "divergence": None,
        "stopped": driven.stopped_epoch,
        "kept": driven.kept_epoch,
        "rates": driven.rates[:-1],
        "reductions": rate_changes(case, driven),
    }
    for name, value in theirs.items():
        same = ours[name] == value
        if name == "reductions":
            # a factor near 1 can reduce to the same float32 rate, which no rate shows
            seen = {one.epoch: one.new for one in replay.reductions}
            same = all(seen.get(epoch) == new for epoch, new in value)
        if not same:
            return f"{name}: ours {ours[name]}, Keras {value}"
    return counters_differ(case, driven, replay.trace)


def recorded_run(case: Case, driven: Driven) -> Run:
    """Record the driven training, with the rate that every epoch was trained at."""
    rates = driven.rates[:-1]
    rates += [driven.rates[-1]] * (len(case.logs) - len(rates))
    rows = [
        {**logs, "learning_rate": rate}
        for logs, rate in zip(case.logs, rates, strict=True)
    ]
    return Run.from_logs(
        rows,
        first_epoch=case.first_epoch,
        planned_epochs=case.first_epoch + len(rows),
    )


def rate_changes(case: Case, driven: Driven) -> list[tuple[int, float]]:
    pairs = zip(driven.rates, driven.rates[1:], strict=False)
    return [
        (case.first_epoch + i, new) for i, (old, new) in enumerate(pairs) if old != new
    ]


def counters_differ(case: Case, driven: Driven, trace: tuple[Step, ...]) -> str | None:
    for step in trace:
        counters = driven.counters[step.epoch - case.first_epoch][step.callback]
        for name, theirs in counters.items():
            ours = getattr(step.state, name)
            if name == "best_epoch" and ours is None:
                ours = 0  # Keras's attribute before the first monitored epoch
            if not _same(ours, theirs):
                return f"{name} at {step}: Keras has {theirs}"
    return None


def _same(ours: object, theirs: object) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)


@pytest.mark.parametrize("kinds", ["R", "ER"])
def test_hypothetical_decisions_are_keras_decisions_on_the_same_values(
    kinds: str,
) -> None:
    for seed in range(300):
        rng = np.random.default_rng([seed, 7, *kinds.encode()])
        case = draw_case(rng, kinds)
        driven = drive(
            [as_keras(one) for one in case.callbacks],
            case.logs,
            learning_rate=case.learning_rate,
            first_epoch=case.first_epoch,
        )
        # the same values at a constant recorded rate: after the first reduction fiction
        rows = [{**logs, "learning_rate": case.learning_rate} for logs in case.logs]
        run = Run.from_logs(rows, first_epoch=case.first_epoch)
        replay = replay_run(
            run, case.callbacks, semantics="keras-3.15", hypothetical=True
        )
        fiction = replay.hypothetical or replay
        assert fiction.stopped_epoch == driven.stopped_epoch, (seed, case)
        assert fiction.kept_epoch == driven.kept_epoch, (seed, case)
        assert fiction.learning_rate is not None
        assert fiction.learning_rate.values.tolist() == driven.rates[:-1], (seed, case)


def test_a_value_beyond_float32_fails_in_keras_and_is_refused_here() -> None:
    logs = [{"val_loss": 0.5}, {"val_loss": 1e39}]
    early_stopping = EarlyStopping(mode="min")
    with pytest.raises(ValueError, match="out of range"):
        drive([as_keras(early_stopping)], logs, learning_rate=0.1)
    with pytest.raises(EvidenceError, match="does not fit into float32"):
        replay_run(Run.from_logs(logs), early_stopping, semantics="keras-3.15")


def test_a_factor_of_one_is_refused_by_both() -> None:
    import keras

    with pytest.raises(ValueError, match="factor >= 1"):
        keras.callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.raises(ValueError, match="factor is 1"):
        ReduceLROnPlateau(factor=1.0)
