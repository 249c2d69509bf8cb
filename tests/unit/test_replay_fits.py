"""One list over several fits: what each Keras carries from one into the next."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    replay_fits,
)
from cbreplay.readers.discovery.run_json import parse_run_metadata

# the best of the first is below all of the second
FOLDS = [[0.5, 0.4, 0.3], [0.9, 0.8, 0.7]]


def recorded(folds: list[list[float]]) -> list[Run]:
    return [
        Run.from_logs(
            [{"val_loss": loss, "learning_rate": 0.5} for loss in fold],
            name=f"fold {number}",
            planned_epochs=len(fold),
        )
        for number, fold in enumerate(folds)
    ]


@pytest.mark.parametrize(
    ("semantics", "second"),
    [
        # best .3 is carried: the second fold waits at 0 and 1, and stops there
        ("keras-3.0", 1),
        ("keras-3.6", 1),
        ("keras-3.11", 1),
        ("keras-3.14", 1),
        # on_train_begin forgets it: every value improves
        ("keras-2.15", None),
        ("tf_keras-2.21", None),
        ("keras-3.7", None),
        ("keras-3.10", None),
        ("keras-3.15", None),
    ],
)
def test_early_stopping_carries_best_where_its_keras_does(
    semantics: str, second: int | None
) -> None:
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    replays = replay_fits(recorded(FOLDS), stopper, semantics=semantics)
    assert [one.stopped_epoch for one in replays] == [None, second]
    if second is not None:
        # the first weights of the fit are held, as nothing improves on the best
        assert (replays[1].kept_epoch, replays[1].best) == (0, 0.3)


@pytest.mark.parametrize(
    ("semantics", "reductions"),
    [
        ("keras-3.11", [1]),
        ("keras-3.14", [1]),
        ("keras-3.10", []),
        ("keras-3.15", []),
        ("tf_keras-2.21", []),
    ],
)
def test_a_plateau_carries_best_where_its_keras_does(
    semantics: str, reductions: list[int]
) -> None:
    runs = recorded([[0.5, 0.4, 0.3], [0.9, 0.8]])
    plateau = ReduceLROnPlateau(patience=2, factor=0.5)
    replays = replay_fits(runs, plateau, semantics=semantics)
    assert [one.epoch for one in replays[1].reductions] == reductions


@pytest.mark.parametrize("semantics", ["keras-2.15", "keras-3.6", "keras-3.15"])
def test_a_checkpoint_carries_best_on_every_keras(semantics: str) -> None:
    saver = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    replays = replay_fits(recorded(FOLDS), saver, semantics=semantics)
    assert [len(one.saves) for one in replays] == [3, 0]


def test_the_wait_begins_anew() -> None:
    # the first ends in a wait of 1; the second stops after two waits of its own
    folds = [[0.5, 0.6], [0.9, 0.95, 0.99]]
    replays = replay_fits(
        recorded(folds), EarlyStopping(patience=2), semantics="keras-3.15"
    )
    assert [one.stopped_epoch for one in replays] == [None, 2]


def test_what_is_carried_from_behind_a_divergence_is_refused() -> None:
    runs = recorded([[0.5, 0.6, 0.7], [0.9, 0.8]])
    plateau = ReduceLROnPlateau(patience=1, factor=0.5)
    with pytest.raises(EvidenceError, match="'fold 0' says nothing from epoch 3 on"):
        replay_fits(runs, plateau, semantics="keras-3.12")
    # nothing is carried here
    replays = replay_fits(runs, plateau, semantics="keras-3.15")
    assert [one.evidence for one in replays] == ["diverged", "exact"]


def test_a_fit_that_would_have_gone_on_is_noted_in_the_next() -> None:
    runs = [
        Run.from_logs(({"val_loss": loss} for loss in fold), name=name)
        for name, fold in zip("ab", FOLDS, strict=True)
    ]
    stopper = EarlyStopping(patience=9)
    _, second = replay_fits(runs, stopper, semantics="keras-3.12")
    assert any("of run 'a', would have gone on" in note for note in second.notes)
    _, second = replay_fits(runs, stopper, semantics="keras-3.15")
    assert not any("carried" in note for note in second.notes)


def test_runs_of_two_keras_versions_are_refused() -> None:
    runs = []
    for version in ("3.12.0", "3.15.1"):
        text = json.dumps({"keras": {"package": "keras", "version": version}})
        metadata = parse_run_metadata(text, source="run.json")
        runs.append(replace(Run.from_logs([{"val_loss": 0.5}]), metadata=metadata))
    with pytest.raises(ConfigError, match="one instance lives in one Keras"):
        replay_fits(runs, EarlyStopping())


def test_the_fits_may_be_whatever_a_run_is_read_from() -> None:
    stopper = EarlyStopping(patience=2)
    lists = [{"val_loss": fold} for fold in FOLDS]
    replays = replay_fits(lists, stopper, semantics="keras-3.0")
    # as the runs themselves
    assert [one.stopped_epoch for one in replays] == [None, 1]
    with pytest.raises(ConfigError, match="several fits, and this is one dict"):
        replay_fits(lists[0], stopper)
