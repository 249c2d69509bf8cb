"""Where a list sets other rates than were recorded, the log tells no more than that.

Both lists are trained by Keras, on a model that learns as fast as its rate tells: the
replay on the log of one is held to the training under the other.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ReduceLROnPlateau,
    load_runs,
    replay_run,
)
from tests.oracles.keras_driver import as_keras
from tests.oracles.played_fit import Logs, Played, PlayedModel, play_fit

RATE, EPOCHS = 0.5, 16


class Learner(PlayedModel):
    """Its loss falls by the rate, up to the noise of each epoch, and more so later."""

    def __init__(self, seed: int) -> None:
        super().__init__([{}] * EPOCHS, 0)
        self.noise, self.off = np.random.default_rng(seed).normal(size=EPOCHS), 4.0

    def _part(self, *, validation: bool) -> Logs:
        rate = self.played.rates[-1]
        if not validation:
            self.off *= 1 - 0.6 * rate
        value = self.off + 0.6 * rate * self.noise[self.position] ** 2
        return {"loss": float(np.float32(value + 0.1 * validation))}


def train(callbacks: list[Any], seed: int, rate: float, *loggers: Any) -> Played:
    real = [*map(as_keras, callbacks), *loggers]
    return play_fit([{}] * EPOCHS, real, learning_rate=rate, model=Learner(seed))


# Keras gives both
def decays(epoch: int, rate: float) -> float:  # noqa: ARG001
    return rate * 0.9


def warms_up(epoch: int, rate: float) -> float:  # noqa: ARG001
    return RATE * min(1.0, (epoch + 1) / 4)


SCHEDULERS = st.sampled_from([None, None, decays, warms_up])
REDUCING = st.none() | st.builds(
    ReduceLROnPlateau,
    factor=st.sampled_from([0.1, 0.5]),
    patience=st.integers(1, 3),
    cooldown=st.sampled_from([0, 0, 2]),
    min_lr=st.sampled_from([0.0, 0.0, 0.1]),
)
STOPPING = st.none() | st.builds(
    EarlyStopping, patience=st.integers(1, 5), restore_best_weights=st.booleans()
)


@st.composite
def lists(draw: st.DrawFn) -> list[Any]:
    schedule = draw(SCHEDULERS)
    scheduler = None if schedule is None else LearningRateScheduler(schedule)
    drawn = [scheduler, draw(REDUCING), draw(STOPPING)]
    return [one for one in drawn if one is not None]


@settings(max_examples=12, deadline=None)
@given(trained=lists(), asked=lists().filter(bool), seed=st.integers(0, 99))
def test_a_replay_ends_where_the_true_rates_part(
    trained: list[Any], asked: list[Any], seed: int, tmp_path_factory: Any
) -> None:
    log = tmp_path_factory.mktemp("fit") / "log.csv"
    recorded = train(trained, seed, RATE, keras.callbacks.CSVLogger(log))
    (run,) = load_runs(log)
    scheduled = any(isinstance(one, LearningRateScheduler) for one in asked)
    sets_rate = scheduled or any(isinstance(one, ReduceLROnPlateau) for one in asked)
    # a list that sets no rate leaves it to what set the recorded one
    setters = [one for one in trained if not isinstance(one, EarlyStopping)]
    begun = recorded.rates[0] if sets_rate and not scheduled else RATE
    initial = begun if sets_rate else None
    told = replay_run(run, asked, initial_learning_rate=initial)
    asked = asked if sets_rate else [*setters, *asked]
    true = train(asked, seed, begun)
    pairs = zip(recorded.rates, true.rates, strict=False)
    parted = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    assert told.divergence_epoch == parted
    if told.learning_rate is not None:
        rates = told.learning_rate.values.tolist()
        assert rates == true.rates[: len(rates)]
    if told.stopped_epoch is not None:
        assert told.evidence == "exact"
        kept = (true.stopped_epoch, true.kept_epoch)
        assert (told.stopped_epoch, told.kept_epoch) == kept
    elif parted is None:
        assert told.evidence == "censored"
        assert true.rates[: run.n_epochs] == recorded.rates
        assert true.stopped_epoch is None or true.stopped_epoch > run.horizon
