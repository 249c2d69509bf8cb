"""The code that is printed to be pasted decides in a real fit as the replay says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    EmaStopping,
    EvidenceError,
    MeanStopping,
    PrecheltGL,
    PrecheltPQ,
    PrecheltUP,
    Run,
    TargetStopping,
    replay_run,
    write_keras_code,
)
from cbreplay.expressions import parse_callbacks
from cbreplay.rules.base import format_callback
from cbreplay.rules.parameters import parameters_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cbreplay import Replay

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    # Keras's own warning about an epoch without the monitor
    pytest.mark.filterwarnings("ignore:.*which is not available:UserWarning"),
]

Logs = list[dict[str, float]]


def pasted(code: str) -> list[Any]:
    """Return the callbacks that a script with the printed code would have."""
    names: dict[str, Any] = {"__name__": "train"}
    exec(code, names)  # noqa: S102 - what a user does with it
    callbacks: list[Any] = names["callbacks"]
    return callbacks


def draw_logs(rng: np.random.Generator) -> Logs:
    """Draw falling curves with ties and flat pieces; a few values are odd."""
    n = int(rng.integers(1, 26))
    noise = float(rng.choice([0.0, 0.01, 0.1]))
    training = 0.9 * np.exp(-np.arange(n) / 8) + 0.1 + rng.normal(0, noise / 4, n)
    validation = training + 0.01 * np.arange(n) + rng.normal(0, noise, n)
    digits = int(rng.choice([1, 2, 8]))
    rows: Logs = []
    for a, b in zip(training.tolist(), validation.tolist(), strict=True):
        row = {
            "loss": max(float(np.float32(round(a, digits))), 0.01),
            "val_loss": max(float(np.float32(round(b, digits))), 0.01),
        }
        row["val_accuracy"] = 1 - row["val_loss"]
        for name in list(row):
            odd = rng.random()
            if odd < 0.02:
                row[name] = float(rng.choice([math.nan, math.inf]))
            elif odd < 0.04 and name != "loss":
                del row[name]
        rows.append(row)
    rows[0].setdefault("val_loss", 1.0)
    rows[0].setdefault("val_accuracy", 0.0)
    return rows


def draw_rule(rng: np.random.Generator) -> Any:
    kind = int(rng.integers(0, 3))
    length, restores = int(rng.choice([1, 2, 5, 5])), bool(rng.random() < 0.7)
    if kind == 0:
        alpha = float(rng.choice([0, 1, 5, 20, 100]))
        return PrecheltGL(alpha, restore_best_weights=restores)
    if kind == 1:
        alpha = float(rng.choice([0, 0.01, 0.1, 0.5, 2]))
        return PrecheltPQ(alpha, strip_length=length, restore_best_weights=restores)
    monitor = str(rng.choice(["val_loss", "val_accuracy"]))
    return PrecheltUP(
        int(rng.integers(1, 4)),
        monitor,
        strip_length=length,
        restore_best_weights=restores,
    )


def draw_beyond_patience(rng: np.random.Generator) -> Any:
    """Draw a rule with a smoothed monitor, a target, or a patience and a target."""
    kind = int(rng.integers(0, 4))
    monitor = str(rng.choice(["val_loss", "val_loss", "val_accuracy"]))
    restores = bool(rng.random() < 0.7)
    waiting: dict[str, Any] = {
        "patience": int(rng.integers(1, 6)),
        "monitor": monitor,
        "min_delta": float(rng.choice([0, 0, 0.01, -0.05])),
        "restore_best_weights": restores,
    }
    if kind == 0:
        return EmaStopping(**waiting, smoothing=float(rng.choice([0, 0.5, 0.9])))
    if kind == 1:
        return MeanStopping(**waiting, window=int(rng.choice([1, 2, 5])))
    target = float(np.float32(rng.choice([0.1, 0.3, 0.5, 0.9])))
    rule = TargetStopping(target, monitor, restore_best_weights=restores)
    if kind == 2:
        return rule
    # of a played fit Keras has no metrics to ask for a direction
    mode = "min" if monitor == "val_loss" else "max"
    stopper = EarlyStopping(
        monitor, patience=3, mode=mode, restore_best_weights=restores
    )
    return [stopper, rule]


def replayed(logs: Sequence[dict[str, float]], callbacks: Any, first: int) -> Replay:
    run = Run.from_logs(logs, first_epoch=first, planned_epochs=first + len(logs))
    return replay_run(run, callbacks, semantics="keras-3.15.1", objective="loss")


@pytest.mark.parametrize("draw", [draw_rule, draw_beyond_patience])
@pytest.mark.parametrize("seed", range(2))
def test_the_printed_code_decides_in_a_fit_as_the_replay(
    seed: int, draw: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    from tests.oracles.played_fit import play_fit

    rng = np.random.default_rng(seed)
    stopped = 0
    for _ in range(300 if request.config.getoption("--all-keras-cases") else 10):
        logs, rule = draw_logs(rng), draw(rng)
        first = int(rng.choice([0, 0, 3]))
        played = play_fit(logs, pasted(write_keras_code(rule)), first_epoch=first)
        replay = replayed(logs, rule, first)
        theirs = (played.stopped_epoch, played.kept_epoch)
        assert (replay.stopped_epoch, replay.kept_epoch) == theirs, (rule, logs)
        stopped += played.stopped_epoch is not None
    assert stopped > 2, "too few stops to compare"


def test_a_list_is_printed_whole_and_in_order() -> None:
    from tests.oracles.played_fit import play_fit

    rng = np.random.default_rng(7)
    for _ in range(3):
        logs = draw_logs(rng)
        stopper = EarlyStopping("loss", patience=3, restore_best_weights=True)
        lists: list[list[Any]] = [[stopper, PrecheltGL(10)], [PrecheltGL(10), stopper]]
        for callbacks in lists:
            played = play_fit(logs, pasted(write_keras_code(callbacks)))
            replay = replayed(logs, callbacks, 0)
            theirs = (played.stopped_epoch, played.kept_epoch)
            assert (replay.stopped_epoch, replay.kept_epoch) == theirs, logs


@pytest.mark.parametrize("draw", [draw_rule, draw_beyond_patience])
def test_a_pasted_callback_is_replayed_as_the_rule_that_it_is_for(
    draw: Callable[..., Any],
) -> None:
    rng = np.random.default_rng(11)
    for _ in range(30):
        logs, rule = draw_logs(rng), draw(rng)
        driven = replayed(logs, pasted(write_keras_code(rule)), 0)
        replay = replayed(logs, rule, 0)
        assert driven.stopped_epoch == replay.stopped_epoch
        assert driven.kept_epoch == replay.kept_epoch


def test_where_the_replay_refuses_the_pasted_callback_warns_and_lets_go() -> None:
    from tests.oracles.played_fit import play_fit

    logs = [{"loss": 1.0, "val_loss": one} for one in (0.5, 0.0, 9.0, 9.0)]
    for rule in (PrecheltGL(1), PrecheltPQ(1, strip_length=1)):
        with pytest.raises(EvidenceError):
            replayed(logs, rule, 0)
        with pytest.warns(UserWarning, match="no longer stops"):
            played = play_fit(logs, pasted(rule.to_keras_code()))
        # trained to its end; worse weights are not put back over the better ones
        assert (played.stopped_epoch, played.kept_epoch) == (None, 3)


@pytest.mark.parametrize(
    "rule",
    [
        PrecheltGL(2.5, "val_mae", restore_best_weights=False),
        PrecheltPQ(0.5, "val_mae", "mae", strip_length=3),
        PrecheltUP(4, "val_mae", strip_length=2),
        EmaStopping(4, "val_mae", smoothing=0.5, min_delta=0.1),
        MeanStopping(4, "val_mae", window=3, restore_best_weights=False),
        TargetStopping(0.5, "val_mae"),
    ],
)
def test_the_printed_call_has_every_parameter(rule: Any) -> None:
    from cbreplay.record.keras_callbacks import describe_callback, make_keras_callback

    made = make_keras_callback(rule)
    told = {name: vars(made)[name] for name in parameters_of(rule) if name != "mode"}
    assert told == {name: parameters_of(rule)[name] for name in told}
    assert made.restore_best_weights is rule.restore_best_weights
    # what run.json says of it reads back as it
    assert parse_callbacks(describe_callback(made)) == [rule]
    assert type(made).__name__ in format_callback(rule)


def test_a_training_under_a_rule_ends_where_its_replay_says(tmp_path: Path) -> None:
    from cbreplay import load_runs
    from cbreplay.expressions import parse_recorded
    from cbreplay.record import train_experiment

    rule = PrecheltUP(1, strip_length=2)
    where = train_experiment(
        "breast-cancer", out=tmp_path / "run", epochs=60, callbacks=[rule]
    )
    (run,) = load_runs(where)
    assert run.metadata is not None
    assert run.metadata.ended is not None
    assert run.metadata.ended.by == "PrecheltUP"
    recorded = parse_recorded(run.metadata.callbacks)
    assert recorded[0] == rule
    replay = replay_run(run, recorded)
    assert replay.stopped_epoch == run.metadata.ended.epoch == run.horizon
    assert run.horizon < 59
