"""ModelCheckpoint: which files, with whose weights, and what its versions differ in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Replay,
    Run,
    UnknownMonitorError,
    explain_replay,
    replay_run,
)

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.8, 0.6, 0.6, 0.7, 0.5]
OLD = ["keras-2.15", "tf_keras-2.18", "keras-3.0", "keras-3.9"]


def replayed(
    losses: list[float | None], *callbacks: Any, semantics: str = "keras-3.15"
) -> Replay:
    run = Run.from_logs([{"loss": 1.0, "val_loss": one} for one in losses])
    return replay_run(run, callbacks, semantics=semantics)


def saved(losses: list[float | None], callback: Any, semantics: str) -> list[int]:
    return [
        epoch for epoch, *_ in replayed(losses, callback, semantics=semantics).saves
    ]


def test_every_epoch_is_saved_over_the_one_before() -> None:
    replay = replayed([*LOSSES], ModelCheckpoint("last.keras"))
    assert replay.saves == tuple((epoch, "last.keras", 0) for epoch in range(5))
    assert replay.files == {"last.keras": 4}
    assert (replay.evidence, replay.kept_epoch) == ("censored", 4)


def test_only_what_improves_strictly_is_saved_under_its_own_name() -> None:
    # .8 is the first, .6 improves, .6 ties, .7 is worse, .5 improves
    best = ModelCheckpoint("{epoch:02d}-{val_loss:.1f}.keras", save_best_only=True)
    replay = replayed([*LOSSES], best)
    assert replay.saves == (
        (0, "01-0.8.keras", 0),
        (1, "02-0.6.keras", 0),
        (4, "05-0.5.keras", 0),
    )
    assert replay.files == {"01-0.8.keras": 0, "02-0.6.keras": 1, "05-0.5.keras": 4}


def test_a_threshold_is_the_first_best() -> None:
    best = ModelCheckpoint("a.keras", save_best_only=True, initial_value_threshold=0.6)
    assert saved([*LOSSES], best, "keras-3.15") == [4]


@pytest.mark.parametrize("semantics", [*OLD, "keras-3.10", "keras-3.11"])
def test_an_epoch_without_the_monitor_is_skipped_or_saved(semantics: str) -> None:
    best = ModelCheckpoint("a.keras", save_best_only=True)
    replay = replayed([0.5, None, 0.7], best, semantics=semantics)
    epochs = [epoch for epoch, *_ in replay.saves]
    assert epochs == ([0] if semantics in OLD else [0, 1])
    told = "skip those" if semantics in OLD else "saves those all the same"
    assert told in replay.notes[0]


@pytest.mark.parametrize("semantics", [*OLD, "keras-3.10", "keras-3.11"])
def test_a_first_nan_is_best_for_good_from_3_11_on(semantics: str) -> None:
    best = ModelCheckpoint("a.keras", save_best_only=True)
    epochs = saved([math.nan, 1.0, 0.5], best, semantics)
    assert epochs == ([0] if semantics == "keras-3.11" else [1, 2])


@pytest.mark.parametrize("semantics", [*OLD, "keras-3.10", "keras-3.11"])
def test_a_step_below_float32_is_saved_in_float64_alone(semantics: str) -> None:
    best = ModelCheckpoint("a.keras", save_best_only=True)
    epochs = saved([1.0, 1 - 1e-9], best, semantics)
    assert epochs == ([0] if semantics == "keras-3.11" else [0, 1])


def test_auto_follows_the_name_before_3_11() -> None:
    logs = [{"val_auc": 0.5, "val_loss": 1.0}, {"val_auc": 0.6, "val_loss": 1.0}]
    best = ModelCheckpoint("a.keras", monitor="val_auc", save_best_only=True)
    epochs = {
        name: [
            one[0]
            for one in replay_run(Run.from_logs(logs), best, semantics=name).saves
        ]
        for name in ("keras-3.10", "keras-3.11")
    }
    # "min" by its name before, "max" by the metric's own direction since
    assert epochs == {"keras-3.10": [0], "keras-3.11": [0, 1]}


def test_weights_put_back_within_the_epoch_are_what_is_saved() -> None:
    stopping = EarlyStopping(patience=1, restore_best_weights=True)
    after = [stopping, ModelCheckpoint("a.keras")]
    old = replayed([0.8, 0.6, 0.7], *after, semantics="keras-2.15")
    assert (old.stopped_epoch, old.files) == (2, {"a.keras": 1})
    rows = explain_replay(old).rows
    assert rows[-1].why == "saved as a.keras, with the weights of epoch 2 put back"
    new = replayed([0.8, 0.6, 0.7], *after)
    assert (new.stopped_epoch, new.files) == (2, {"a.keras": 2})


def test_nothing_is_said_of_files_past_a_divergence() -> None:
    # flat, patience 1: reduced at the end of epoch 1, so epoch 2 is another training
    plateau = ReduceLROnPlateau(patience=1, factor=0.5)
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": 0.5}] * 4)
    named = ModelCheckpoint("{epoch}-{learning_rate:.2f}.keras")
    replay = replay_run(
        run, [plateau, named], semantics="keras-3.15", hypothetical=True
    )
    assert replay.divergence_epoch == 2
    assert list(replay.files) == ["1-0.50.keras", "2-0.50.keras"]
    assert replay.hypothetical is not None
    assert list(replay.hypothetical.files)[-1] == "4-0.12.keras"


@pytest.mark.parametrize(
    ("semantics", "key"), [("keras-2.15", "lr"), ("keras-3.15", "learning_rate")]
)
def test_a_rate_in_a_name_has_the_digits_of_float64(semantics: str, key: str) -> None:
    # Keras 2 holds a numpy float32 there, which its own formatting widens too
    run = Run.from_logs([{"val_loss": 0.5, "learning_rate": 0.01}])
    named = ModelCheckpoint(f"{{{key}}}.keras")
    replay = replay_run(run, [ReduceLROnPlateau(), named], semantics=semantics)
    assert list(replay.files) == ["0.009999999776482582.keras"]


def test_a_monitor_that_decides_nothing_may_be_absent() -> None:
    run = Run.from_logs([{"val_loss": 0.5}])
    every = ModelCheckpoint("a.keras", monitor="val_mae")
    assert replay_run(run, every, semantics="keras-3.15").files == {"a.keras": 0}
    best = ModelCheckpoint("a.keras", monitor="val_mae", save_best_only=True)
    with pytest.raises(UnknownMonitorError, match="val_mae"):
        replay_run(run, best, semantics="keras-3.15")


def test_a_name_that_is_not_logged_is_refused_where_keras_raises() -> None:
    with pytest.raises(ConfigError, match=r"epoch 1: 'acc' is not logged; there are"):
        replayed([0.5], ModelCheckpoint("{acc}.keras"))
    with pytest.raises(ConfigError, match="gives no name in epoch 1: Unknown format"):
        replayed([0.5], ModelCheckpoint("{val_loss:d}.keras"))


@pytest.mark.parametrize(
    "filepath",
    [
        "{loss.__class__}.keras",
        "{loss[0]}.keras",
        "{}.keras",
        "{0}.keras",
        "{loss:{epoch}}.keras",
        "{loss:999999999}.keras",
        "{loss",
        "}.keras",
    ],
)
def test_braces_hold_names_and_nothing_else(filepath: str) -> None:
    with pytest.raises(ConfigError, match="Write names such as"):
        ModelCheckpoint(filepath)


def test_saving_by_batches_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match="a log of epochs does not tell"):
        ModelCheckpoint("a.keras", save_freq=100)
    with pytest.raises(ConfigError, match="where 'epoch' or a whole"):
        ModelCheckpoint("a.keras", save_freq="batch")


def test_the_end_of_the_name_is_what_this_keras_wants() -> None:
    for name, semantics in [("a.h5", "keras-3.7"), ("a", "keras-3.8")]:
        with pytest.raises(ConfigError, match=r"wants it to end in \.keras"):
            replayed([0.5], ModelCheckpoint(name), semantics=semantics)
    assert replayed([0.5], ModelCheckpoint("a.h5"), semantics="keras-3.8").saves
    assert replayed([0.5], ModelCheckpoint("a"), semantics="keras-2.15").saves
    with pytest.raises(ConfigError, match=r"\.weights\.h5 where"):
        replayed([0.5], ModelCheckpoint("a.keras", save_weights_only=True))


def test_a_path_is_a_name_and_nothing_is_written(tmp_path: Path) -> None:
    replay = replayed([0.5], ModelCheckpoint(tmp_path / "a.keras"))  # type: ignore[arg-type]
    assert replay.files == {str(tmp_path / "a.keras"): 0}
    assert list(tmp_path.iterdir()) == []


def test_it_is_explained_epoch_by_epoch() -> None:
    best = ModelCheckpoint("a.keras", save_best_only=True)
    explanation = explain_replay(replayed([0.8, 0.6, 0.7, None], best))
    assert [(row.decision, row.why) for row in explanation.rows] == [
        ("save", "the first val_loss, 0.8000: saved as a.keras"),
        ("save", "0.6000 is below 0.8000: saved as a.keras"),
        ("wait", "0.7000 is not below 0.6000: not saved"),
        ("save", "no val_loss in this epoch: saved all the same, as a.keras"),
    ]
    told = "ModelCheckpoint saved 3 times, last at the end of epoch 4"
    assert told in explanation.closing
