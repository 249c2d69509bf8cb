"""Real objects, custom callbacks and nested lists decide as they do in a real fit."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import EvidenceError, Run, explain_replay, replay_fits, replay_run

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    # Keras's own warning about an epoch without the monitor
    pytest.mark.filterwarnings("ignore:.*which is not available:UserWarning"),
    pytest.mark.filterwarnings("ignore:Can save best model only:UserWarning"),
]

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.oracles.played_fit import Played

LR = 0.5


def lists() -> dict[str, Callable[[], Any]]:
    """Return lists of real and custom callbacks, by what they show."""
    import keras.callbacks as kc
    from keras.callbacks import CallbackList

    from tests import custom_callbacks as own

    def lambda_stop() -> list[Any]:
        """A LambdaCallback that speaks to nobody, and one that changes logs."""
        return [
            kc.LambdaCallback(on_epoch_end=lambda at, logs: logs.update(e=1.0 * at)),
            kc.EarlyStopping("e", mode="max", patience=1, start_from_epoch=2),
        ]

    def entangled() -> list[Any]:
        """Callbacks that hold one another, or stand in the list twice."""
        stopper = kc.EarlyStopping(patience=4)
        return [stopper, own.HalveWhileWaiting(stopper, 2), stopper]

    def closing() -> list[Any]:
        """A function that closes over a callback of the list."""
        stopper = kc.EarlyStopping(patience=1)
        change = lambda at, _: setattr(stopper, "patience", 4) if at == 1 else None  # noqa: E731
        return [stopper, kc.LambdaCallback(on_epoch_end=change)]

    def replaced() -> list[Any]:
        """An object of Keras with a hook of its own."""
        stopper = kc.EarlyStopping(patience=1)
        stopper.on_epoch_end = lambda epoch, logs=None: None  # noqa: ARG005
        return [stopper, kc.EarlyStopping(patience=3)]

    def twice() -> list[Any]:
        """One instance in two places, which acts once in a while."""
        halving = own.HalveOnRise(0.3)
        return [halving, halving, kc.EarlyStopping(patience=4)]

    return {
        "twice": twice,
        "entangled": entangled,
        "closing over": closing,
        "replaced hook": replaced,
        "save at the end": lambda: [own.SaveAtEnd(), kc.EarlyStopping(patience=2)],
        "old and new names": lambda: [own.EitherName(0.5)],
        "stop at a loss": lambda: [own.StopAtLoss(0.4)],
        "early stopping by hand": lambda: [own.StopAtMinimum(2)],
        "delayed": lambda: [
            own.DelayedStopping(2, patience=1, restore_best_weights=True)
        ],
        "either": lambda: [own.StopOnEither(patience=2, restore_best_weights=True)],
        "overfit": lambda: [own.StopWhenOverfit(1.2), kc.EarlyStopping(patience=4)],
        "at least": lambda: [kc.EarlyStopping(patience=1), own.AtLeast(6)],
        "at least, first": lambda: [own.AtLeast(6), kc.EarlyStopping(patience=1)],
        "cancelled after a restore": lambda: [own.StopAtMinimum(1), own.AtLeast(4)],
        "table": lambda: [own.RateTable({3: 0.25, 6: 0.125})],
        "table before a plateau": lambda: [
            own.RateTable({4: 0.3}),
            kc.ReduceLROnPlateau(patience=2, factor=0.5),
        ],
        "halve": lambda: [own.HalveOnRise(0.3), kc.EarlyStopping(patience=3)],
        "back to best": lambda: [own.BackToBest(patience=2, factor=0.3)],
        "smoothed": lambda: [
            own.Smoothed(),
            kc.EarlyStopping("val_loss_smoothed", mode="min", patience=1),
        ],
        "saves": lambda: [
            own.SaveImproved("a.weights.h5"),
            kc.EarlyStopping(patience=3),
        ],
        "keep best": lambda: [kc.EarlyStopping(patience=2), own.KeepBest()],
        "history": lambda: [own.StopByHistory()],
        "own history": lambda: [own.NamedHistory("a"), own.RisingHistory()],
        "own history, first": lambda: [own.RisingHistory(), own.StopByHistory()],
        "own history, last": lambda: [own.StopByHistory(), own.RisingHistory()],
        "half": lambda: [own.StopAtHalf(), kc.EarlyStopping(patience=2)],
        "lambda": lambda_stop,
        "rate as a monitor": lambda: [
            kc.ReduceLROnPlateau(patience=1, factor=0.5),
            kc.EarlyStopping("learning_rate", mode="min", patience=2),
        ],
        "rate as its own monitor": lambda: [
            kc.ReduceLROnPlateau("learning_rate", mode="min", patience=2)
        ],
        "nested list": lambda: [
            CallbackList([kc.ReduceLROnPlateau(patience=1, factor=0.5)]),
            kc.ReduceLROnPlateau("loss", factor=0.3, patience=2),
            kc.EarlyStopping(patience=3),
        ],
        "nested list keeps its logs": lambda: [
            CallbackList([own.Smoothed(), kc.EarlyStopping(patience=3)]),
            kc.EarlyStopping("loss", patience=4),
        ],
        "list in a list": lambda: [
            [kc.ReduceLROnPlateau(patience=1)],
            [kc.EarlyStopping("learning_rate", mode="min", patience=1)],
        ],
        "one, without a list": lambda: kc.EarlyStopping(patience=2),
        "checkpoint": lambda: [
            kc.ModelCheckpoint("{epoch}.keras", save_best_only=True, mode="min"),
            kc.TerminateOnNaN(),
        ],
        "schedules": lambda: [
            kc.LearningRateScheduler(lambda epoch: 1.0 / (1 + epoch)),
            kc.ReduceLROnPlateau(patience=2, factor=0.5),
            kc.LearningRateScheduler(lambda _, rate: rate * 0.9),
        ],
    }


NAMES = [
    "twice",
    "entangled",
    "closing over",
    "replaced hook",
    "save at the end",
    "old and new names",
    "stop at a loss",
    "early stopping by hand",
    "delayed",
    "either",
    "overfit",
    "at least",
    "at least, first",
    "cancelled after a restore",
    "table",
    "table before a plateau",
    "halve",
    "back to best",
    "smoothed",
    "saves",
    "keep best",
    "history",
    "own history",
    "own history, first",
    "own history, last",
    "half",
    "lambda",
    "rate as a monitor",
    "rate as its own monitor",
    "nested list",
    "nested list keeps its logs",
    "list in a list",
    "one, without a list",
    "checkpoint",
    "schedules",
]


def draw_logs(rng: np.random.Generator) -> list[dict[str, float]]:
    """Draw falling, noisy curves with ties, of which a few epochs lack a value."""
    n = int(rng.integers(2, 14))
    train = np.round(0.9 * np.exp(-np.arange(n) / 4) + rng.normal(0, 0.05, n), 2)
    validation = np.round(train + rng.normal(0.05, 0.08, n), 2)
    rows = [
        {"loss": float(a), "val_loss": float(b)}
        for a, b in zip(train, validation, strict=True)
    ]
    for row in rows[1:]:
        if rng.random() < 0.08:
            del row["val_loss"]
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_a_list_decides_as_in_a_real_fit(
    name: str, request: pytest.FixtureRequest
) -> None:
    from tests.oracles.played_fit import play_fit

    build = lists()[name]
    for seed in range(100 if request.config.getoption("--all-keras-cases") else 6):
        rng = np.random.default_rng([seed, *name.encode()])
        logs = draw_logs(rng)
        first_epoch = int(rng.choice([0, 0, 3]))
        played = play_fit(logs, build(), learning_rate=LR, first_epoch=first_epoch)
        difference = find_difference(logs, build(), played, first_epoch)
        assert difference is None, (name, seed, difference)


def find_difference(
    logs: list[dict[str, float]], callbacks: Any, played: Played, first_epoch: int
) -> str | None:
    """Record the fit with its rates, and compare."""
    rates = played.rates + [played.rates[-1]] * (len(logs) - len(played.rates))
    rows = [
        {**row, "learning_rate": rate} for row, rate in zip(logs, rates, strict=True)
    ]
    run = Run.from_logs(
        rows, first_epoch=first_epoch, planned_epochs=first_epoch + len(rows)
    )
    replay = replay_run(run, callbacks, semantics="keras-3.15.1", hypothetical=True)
    told = replay.hypothetical or replay
    ours: dict[str, Any] = {
        "stopped": told.stopped_epoch,
        "kept": told.kept_epoch,
        "rates": told.learning_rate and told.learning_rate.values.tolist(),
        "saves": [(epoch, file) for epoch, file, _ in told.saves],
        # the epoch from which training goes on from weights that were put back
        "divergence": replay.divergence_epoch,
    }
    changed = [
        first_epoch + position
        for position, weights in enumerate(played.weights)
        if weights != first_epoch + position - 1
    ]
    theirs: dict[str, Any] = {
        "stopped": played.stopped_epoch,
        "kept": played.kept_epoch,
        "rates": played.rates,
        "saves": played.saves,
        "divergence": next(iter(changed), None),
    }
    assert explain_replay(replay).closing
    return next(
        (
            f"{key}: ours {ours[key]}, Keras {value}; {logs}"
            for key, value in theirs.items()
            if ours[key] != value
        ),
        None,
    )


def test_every_list_is_tried() -> None:
    assert list(lists()) == NAMES


def test_the_same_instances_decide_in_later_fits_as_keras_has_them() -> None:
    import keras.callbacks as kc

    from tests import custom_callbacks as own
    from tests.oracles.played_fit import play_fit

    def build() -> list[Any]:
        return [
            kc.EarlyStopping(patience=2, restore_best_weights=True),
            kc.ModelCheckpoint("{epoch}.keras", save_best_only=True, mode="min"),
            # it does not forget its average
            own.Smoothed(),
            kc.EarlyStopping("val_loss_smoothed", mode="min", patience=3),
            own.SaveImproved(),
        ]

    for seed in range(12):
        rng = np.random.default_rng([seed, 5])
        fits = [draw_logs(rng) for _ in range(3)]
        kept = build()
        played = [play_fit(logs, kept) for logs in fits]
        runs = [Run.from_logs(logs, planned_epochs=len(logs)) for logs in fits]
        replays = replay_fits(runs, build(), semantics="keras-3.15.1")
        for theirs, ours in zip(played, replays, strict=True):
            assert ours.stopped_epoch == theirs.stopped_epoch, seed
            assert ours.kept_epoch == theirs.kept_epoch, seed
            assert [(one[0], one[1]) for one in ours.saves] == theirs.saves, seed


def test_an_object_is_not_changed_and_can_be_replayed_again() -> None:
    from tests import custom_callbacks as own

    callback = own.StopAtMinimum(1)
    before = copy.copy(vars(callback))
    run = Run.from_logs({"loss": loss} for loss in [0.5, 0.4, 0.45, 0.3])
    answers = [
        replay_run(run, callback, objective="loss").stopped_epoch for _ in range(2)
    ]
    assert answers == [2, 2]
    assert vars(callback) == before


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("PredictionScore", "model.predict in on_epoch_end"),
        ("ForgivingScore", "model.predict in on_epoch_end"),
        ("BatchLosses", "on_train_batch_end"),
        ("TimeBudget", "time in on_"),
        ("WeightNorms", "model.layers"),
        ("MetricReader", "model.metrics in on_epoch_end"),
        ("SumOfWeights", "the values of the weights"),
        ("OwnLogger", "would write its file anew"),
        ("TeacherLoss", "holds a model as teacher"),
    ],
)
def test_what_no_log_can_answer_is_refused_by_name(name: str, asked: str) -> None:
    import keras

    from tests import custom_callbacks as own

    arguments = {
        "PredictionScore": [np.zeros((2, 1))],
        "ForgivingScore": [np.zeros((2, 1))],
        "OwnLogger": ["never.csv"],
        "TeacherLoss": [keras.Sequential([keras.layers.Dense(1)])],
    }
    given: Any = arguments.get(name, [])
    callback = getattr(own, name)(*given)
    run = Run.from_logs({"val_loss": loss} for loss in [0.5, 0.4, 0.45, 0.3])
    with pytest.raises(EvidenceError, match=asked) as raised:
        replay_run(run, callback)
    assert name in str(raised.value)


@pytest.mark.parametrize("kind", ["SwapEMAWeights", "OrbaxCheckpoint"])
def test_callbacks_of_keras_that_no_log_can_follow_are_refused(kind: str) -> None:
    import keras

    build = {
        "SwapEMAWeights": lambda: keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        "OrbaxCheckpoint": lambda: object.__new__(keras.callbacks.OrbaxCheckpoint),
    }
    run = Run.from_logs([{"val_loss": 0.5}])
    with pytest.raises(EvidenceError, match=kind):
        replay_run(run, build[kind]())


def fit_for_real(callbacks: list[Any]) -> tuple[list[dict[str, float]], int | None]:
    """Train a small classifier that is noisy enough to stop; return what it logs."""
    import keras

    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(96, 4)).astype("float32")
    labels = (inputs.sum(axis=1) + rng.normal(0, 2, 96) > 0).astype("float32")
    model = keras.Sequential(
        [keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    metrics = ["accuracy", "mae", keras.metrics.AUC(name="auc")]
    model.compile("sgd", "binary_crossentropy", metrics=metrics)
    model.optimizer.learning_rate = 2.0
    history = model.fit(
        inputs[:64],
        labels[:64],
        validation_data=(inputs[64:], labels[64:]),
        epochs=12,
        batch_size=16,
        callbacks=callbacks,
        verbose=0,
    )
    named = history.history
    rows = [
        dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)
    ]
    return rows, len(rows) - 1 if len(rows) < 12 else None


def test_a_rule_inside_another_callback_finds_the_direction_of_its_metric() -> None:
    """With mode="auto" Keras asks the compiled metrics of the model."""
    import keras.callbacks as kc

    from tests.custom_callbacks import Wrapping

    rows, _ = fit_for_real([])
    run = Run.from_logs(rows, planned_epochs=12)
    stopped = set()
    for monitor in ("val_loss", "val_accuracy", "val_mae", "val_auc", "auc"):
        make = functools.partial(kc.EarlyStopping, monitor, patience=1)
        ours = replay_run(run, make()).stopped_epoch
        for late in (False, True) if monitor == "val_accuracy" else (False,):
            _, theirs = fit_for_real([Wrapping(make, late=late)])
            replay = replay_run(run, Wrapping(make, late=late))
            assert (replay.stopped_epoch, ours) == (theirs, theirs), monitor
        stopped.add(ours)
    # a test in which nothing stops, or all at once, would show nothing
    assert len(stopped) > 2


def test_a_direction_that_no_log_tells_is_refused_inside_another_callback() -> None:
    import keras.callbacks as kc

    from tests.custom_callbacks import Wrapping

    run = Run.from_logs({"val_loss": x, "val_gain": x} for x in [0.5, 0.4, 0.45])
    with pytest.raises(
        EvidenceError, match="the direction of 'gain' for a mode='auto'"
    ):
        replay_run(run, Wrapping(lambda: kc.EarlyStopping("val_gain")))


def test_a_logger_of_keras_that_is_only_made_otherwise_decides_nothing(
    tmp_path: Path,
) -> None:
    import keras.callbacks as kc

    from tests.custom_callbacks import NamedHistory

    class Quiet(kc.ProgbarLogger):  # type: ignore[misc]
        """Nothing of its own."""

    class Renamed(kc.CSVLogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(tmp_path / "never.csv")

    run = Run.from_logs({"val_loss": loss} for loss in [0.5, 0.4, 0.45, 0.3])
    loggers = [NamedHistory("a"), Quiet(), Renamed()]
    replay = replay_run(run, [*loggers, kc.EarlyStopping(patience=1)])
    assert (replay.stopped_epoch, replay.stopped_by) == (2, (3,))
    told = "History, ProgbarLogger, CSVLogger in the list decide nothing"
    assert told in replay.notes
    assert not (tmp_path / "never.csv").exists()
