"""Fits in turn under one list, whose rows may be written again: decided as by Keras."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    load_runs,
    replay_run,
)
from tests.oracles.keras_driver import as_keras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay import Run

pytestmark = [pytest.mark.keras, pytest.mark.slow]

RATE = 0.5
# a fit and an epoch of it: what weights were trained in
Trained = tuple[int, int]
Fit = tuple[int, list[float]]


class _Model:
    """A model whose weights are the fit and the epoch that they come from."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.stop_training = False
        self.weights: Trained = (0, -1)
        self.files: dict[str, Trained] = {}

    def get_weights(self) -> Trained:
        return self.weights

    def set_weights(self, weights: Trained) -> None:
        self.weights = weights

    def save(self, filepath: Any, **_: Any) -> None:
        self.files[os.fspath(filepath)] = self.weights


@dataclass
class Played:
    """What fits in turn did: the rates of each, and how the last one ended."""

    rates: list[list[float]] = field(default_factory=list)
    stopped_epoch: int | None = None
    kept: Trained = (0, -1)
    files: dict[str, Trained] = field(default_factory=dict)


def play(rules: Sequence[Any], fits: Sequence[Fit], *, anew: bool) -> Played:
    """Let the hooks of real callbacks be called as ``fit`` does, one fit after another.

    `anew` makes the callbacks of each fit anew. A fit that is stopped ends there.
    """
    import keras

    played, model = Played(), _Model(keras.optimizers.SGD(RATE))
    listed: list[Any] = []
    for number, (begin, losses) in enumerate(fits):
        if anew or not listed:
            listed = [as_keras(rule) for rule in rules]
        model.stop_training, played.stopped_epoch = False, None
        hooks = keras.callbacks.CallbackList(listed, model=model, verbose=0)
        hooks.on_train_begin()
        played.rates.append([])
        for epoch, loss in enumerate(losses, start=begin):
            model.weights = (number, epoch)
            hooks.on_epoch_begin(epoch)
            played.rates[-1].append(float(model.optimizer.learning_rate))
            hooks.on_epoch_end(epoch, {"val_loss": loss})
            if model.stop_training:
                played.stopped_epoch = epoch
                break
        hooks.on_train_end()
    played.kept, played.files = model.weights, model.files
    return played


def log_of(fits: Sequence[Fit], rates: Sequence[list[float]]) -> Run:
    rows = [
        (epoch, loss, rate)
        for (begin, losses), own in zip(fits, rates, strict=True)
        for epoch, (loss, rate) in enumerate(zip(losses, own, strict=True), begin)
    ]
    table = pd.DataFrame(rows, columns=["epoch", "val_loss", "learning_rate"])
    (run,) = load_runs(table, parts="join")
    return run


def in_the_run(fits: Sequence[Fit]) -> dict[int, Trained]:
    """Return, by the epoch, which row of which fit stands in the joined run."""
    rows: dict[int, Trained] = {}
    for number, (begin, losses) in enumerate(fits):
        rows = {epoch: own for epoch, own in rows.items() if epoch < begin}
        for epoch in range(begin, begin + len(losses)):
            rows[epoch] = (number, epoch)
    return rows


@st.composite
def fits_in_turn(draw: st.DrawFn) -> list[Fit]:
    """Two or three fits, each of which begins in rows of the one before it."""
    losses = st.lists(st.integers(1, 9).map(lambda n: n / 10), min_size=3, max_size=7)
    fits = [(0, draw(losses))]
    for _ in range(draw(st.integers(1, 2))):
        begin, rows = fits[-1]
        since = draw(st.integers(max(begin, 1), begin + len(rows) - 2))
        assume(since > begin)
        fits.append((since, draw(losses)))
    return fits


SAVERS = st.builds(
    ModelCheckpoint,
    st.sampled_from(["best.keras", "{epoch}.keras"]),
    save_best_only=st.booleans(),
)
STOPPERS = st.builds(
    EarlyStopping,
    patience=st.sampled_from([2, 3, 5, 9]),
    restore_best_weights=st.booleans(),
    start_from_epoch=st.sampled_from([0, 0, 3]),
    baseline=st.sampled_from([None, None, 0.4]),
)
RATE_SETTERS = st.builds(
    ReduceLROnPlateau,
    patience=st.integers(1, 3),
    factor=st.just(0.5),
    cooldown=st.integers(0, 2),
) | st.just(LearningRateScheduler(lambda epoch: 0.25 if epoch > 4 else 0.5))
LISTS = st.lists(st.one_of(SAVERS, STOPPERS, RATE_SETTERS), min_size=1, max_size=2)


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(fits=fits_in_turn(), rules=LISTS, recorded=LISTS, anew=st.booleans())
def test_what_is_told_of_fits_in_turn_is_what_keras_did(
    fits: list[Fit], rules: list[Any], recorded: list[Any], *, anew: bool
) -> None:
    # the log of one list, and what is told of another on it
    rates = play(recorded, fits, anew=anew).rates
    cut = [
        (at, losses[: len(own)]) for (at, losses), own in zip(fits, rates, strict=True)
    ]
    assume(all(len(losses) > 1 for _, losses in cut))
    assume(
        all(
            later < begin + len(losses) - 1
            for (begin, losses), (later, _) in itertools.pairwise(cut)
        )
    )
    replay = replay_run(
        log_of(cut, rates), rules, resume="fresh" if anew else "carried"
    )
    if replay.evidence not in ("exact", "censored"):
        return
    truth, rows = play(rules, cut, anew=anew), in_the_run(cut)
    stopped = replay.stopped_epoch
    if stopped is not None and rows[stopped][0] < len(cut) - 1:
        # it ends the training there: no later fit has to be told of
        first = rows[stopped][0] + 1
        truth = play(rules, cut[:first], anew=anew)
    elif any(rule.changes_learning_rate for rule in rules):
        assert truth.rates == [
            own[: len(trained)] for own, trained in zip(rates, truth.rates, strict=True)
        ]
    assert stopped == truth.stopped_epoch
    assert {name: rows[epoch] for name, epoch in replay.files.items()} == truth.files
    assert replay.kept_epoch is None or rows[replay.kept_epoch] == truth.kept
