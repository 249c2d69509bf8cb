"""Which findings a list gets; that each claim is true is in the lint laws."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    SemanticsError,
    lint_callbacks,
    parse_callbacks,
    replay_run,
)
from cbreplay.rules.keras.metric_directions import METRIC_DIRECTIONS
from cbreplay.run_metadata import Fit, RunMetadata
from cbreplay.series_names import plain_direction

if TYPE_CHECKING:
    from cbreplay.lint import Finding

NEW, OLD = "keras-3.15", "keras-3.6"


def found(*texts: str, semantics: str = NEW, **known: Any) -> tuple[Finding, ...]:
    callbacks: list[Any] = parse_callbacks(*texts)
    return lint_callbacks(callbacks, semantics=semantics, **known)


def codes(*texts: str, **known: Any) -> list[str]:
    return [one.code for one in found(*texts, **known)]


# --- no false alarm

ORDINARY = [
    "[EarlyStopping(patience=5, restore_best_weights=True)]",
    "[EarlyStopping('val_loss', patience=10, restore_best_weights=True)]",
    "[EarlyStopping(monitor='val_accuracy', patience=3, restore_best_weights=True)]",
    (
        "[EarlyStopping(monitor='val_accuracy', mode='max', patience=15, "
        "restore_best_weights=True, verbose=1)]"
    ),
    (
        "[EarlyStopping(monitor='val_auc', mode='max', patience=10, min_delta=1e-3, "
        "restore_best_weights=True)]"
    ),
    "[EarlyStopping(min_delta=0.001, patience=20, restore_best_weights=True)]",
    "[EarlyStopping(monitor='accuracy', patience=3, restore_best_weights=True)]",
    "[EarlyStopping()]",
    "[EarlyStopping(patience=8, start_from_epoch=10, restore_best_weights=True)]",
    "[ReduceLROnPlateau()]",
    "[ReduceLROnPlateau(factor=0.2, patience=5, min_lr=1e-5)]",
    "[ReduceLROnPlateau(monitor='val_accuracy', factor=0.5, patience=3, verbose=1)]",
    "[ReduceLROnPlateau(factor=0.1, patience=5, cooldown=2, min_delta=1e-3)]",
    (
        "[ReduceLROnPlateau(patience=3, factor=0.5), "
        "EarlyStopping(patience=10, restore_best_weights=True), CSVLogger('logs.csv')]"
    ),
    (
        "[EarlyStopping(patience=10, restore_best_weights=True), "
        "ReduceLROnPlateau(patience=5), TensorBoard('logs')]"
    ),
    "[TensorBoard(log_dir='logs'), ReduceLROnPlateau(patience=5)]",
    "[CSVLogger('a.csv'), EarlyStopping(patience=5, restore_best_weights=True)]",
    (
        "[EarlyStopping('val_mae', patience=12, restore_best_weights=True), "
        "ReduceLROnPlateau('val_loss', patience=12)]"
    ),
    "[EarlyStopping('my_metric', patience=4, mode='max', restore_best_weights=True)]",
    "[EarlyStopping(patience=5, baseline=0.6, restore_best_weights=True)]",
    "[BackupAndRestore('backup'), CSVLogger('a.csv'), TensorBoard('logs')]",
]
CURVE = Run.from_logs(
    [
        {
            "loss": 1 / (1 + epoch),
            "val_loss": 0.5 + 0.4 / (1 + epoch),
            "val_mae": 0.5 + 0.4 / (1 + epoch),
        }
        | dict.fromkeys(("accuracy", "my_metric"), 0.5 - 0.4 / (1 + epoch))
        | dict.fromkeys(("val_accuracy", "val_auc"), 0.5 - 0.4 / (1 + epoch))
        for epoch in range(9)
    ]
)


@pytest.mark.parametrize("text", ORDINARY)
@pytest.mark.parametrize("semantics", ["keras-2.15", "keras-3.6", "keras-3.15"])
def test_an_ordinary_list_gets_no_finding(text: str, semantics: str) -> None:
    if "TensorBoard(log_dir" in text and semantics == "keras-2.15":
        # there its log has no learning rate
        assert codes(text, semantics=semantics) == ["rate-not-logged"]
        return
    assert codes(text, semantics=semantics, epochs=100, run=CURVE) == []


def test_the_default_of_restore_best_weights_is_a_remark() -> None:
    (one,) = found("EarlyStopping(patience=5)")
    assert (one.code, one.severity) == ("keeps-later-weights", "remark")
    assert "5 epochs or more after the best val_loss" in one.message


# --- each finding, and its neighbour that is none

KEEP = "restore_best_weights=True"


@pytest.mark.parametrize(
    ("texts", "known", "expected"),
    [
        (["ReduceLROnPlateau(cooldown=1)"], {}, ["cooldown-of-one"]),
        (["ReduceLROnPlateau(cooldown=0.5)"], {}, ["cooldown-of-one"]),
        (["ReduceLROnPlateau(cooldown=1.5)"], {}, []),
        ([f"EarlyStopping(patience=-1, {KEEP})"], {}, ["negative-patience"]),
        (["ReduceLROnPlateau(patience=-2, factor=0.5)"], {}, ["negative-patience"]),
        (["ReduceLROnPlateau(patience=0, factor=0.5)"], {}, ["patience-zero-is-one"]),
        (["ReduceLROnPlateau(patience=1, factor=0.5)"], {}, []),
        # 0, the default of EarlyStopping, decides as 1 does
        (["EarlyStopping(patience=0)"], {}, []),
        (["EarlyStopping(patience=1)"], {}, []),
        (["EarlyStopping(patience=2)"], {}, ["keeps-later-weights"]),
        ([f"EarlyStopping(patience=0, {KEEP})"], {}, []),
        ([f"EarlyStopping(patience=2.5, {KEEP})"], {}, ["fractional-patience"]),
        ([f"EarlyStopping(patience=2.0, {KEEP})"], {}, []),
        (
            ["ReduceLROnPlateau(patience=0.5, factor=0.5)"],
            {},
            ["fractional-patience"],
        ),
        (["ReduceLROnPlateau(patience=4)"], {}, ["steep-factor"]),
        (["ReduceLROnPlateau(patience=5)"], {}, []),
        (["ReduceLROnPlateau(patience=4, factor=0.11)"], {}, []),
        # the floor decides how far it goes
        (["ReduceLROnPlateau(patience=4, min_lr=1e-5)"], {}, []),
        ([f"EarlyStopping('loss', {KEEP})"], {}, ["restores-by-training-loss"]),
        ([f"EarlyStopping('loss', mode='max', {KEEP})"], {}, ["mode-against-metric"]),
        ([f"EarlyStopping(min_delta=-0.1, {KEEP})"], {}, ["negative-min-delta"]),
        (["ReduceLROnPlateau(min_delta=-0.1)"], {}, ["negative-min-delta"]),
        (
            ["EarlyStopping('val_accuracy', mode='min')"],
            {},
            ["mode-against-metric"],
        ),
        (["ReduceLROnPlateau('loss', mode='max')"], {}, ["mode-against-metric"]),
        (["ReduceLROnPlateau('val_auc')"], {}, []),
        (
            ["ReduceLROnPlateau('val_auc')"],
            {"semantics": OLD},
            ["auto-mode-against-metric"],
        ),
        (
            ["EarlyStopping('val_recall')"],
            {"semantics": "keras-2.15"},
            ["auto-mode-against-metric"],
        ),
        (
            [f"EarlyStopping(start_from_epoch=9, {KEEP})"],
            {"epochs": 9},
            ["starts-after-plan"],
        ),
        ([f"EarlyStopping(start_from_epoch=7, {KEEP})"], {"epochs": 9}, []),
        (
            [f"EarlyStopping(start_from_epoch=8, {KEEP})"],
            {"epochs": 9},
            ["patience-beyond-plan"],
        ),
        # 9 values: the first improves, so 8 are waited on
        ([f"EarlyStopping(patience=8, {KEEP})"], {"epochs": 9}, []),
        (
            [f"EarlyStopping(patience=9, {KEEP})"],
            {"epochs": 9},
            ["patience-beyond-plan"],
        ),
        (
            [f"EarlyStopping(patience=9, baseline=1, {KEEP})"],
            {"epochs": 9},
            [],
        ),
        (["ReduceLROnPlateau()"], {"epochs": 10}, ["patience-beyond-plan"]),
        (["ReduceLROnPlateau()"], {"epochs": 11}, []),
        (
            [f"EarlyStopping(patience=3, {KEEP})"],
            {"validation_freq": 2},
            ["patience-in-validations"],
        ),
        (
            [f"EarlyStopping('accuracy', patience=3, {KEEP})"],
            {"validation_freq": 2},
            [],
        ),
        # values at epochs 2, 4, 6, 8 of 9
        (
            ["ReduceLROnPlateau(patience=4, factor=0.5)"],
            {"validation_freq": 2, "epochs": 9},
            ["patience-in-validations", "patience-beyond-plan"],
        ),
        (["ReduceLROnPlateau(factor=0.9999999999)"], {}, ["factor-of-one"]),
        (["ReduceLROnPlateau(factor=0.999999)"], {}, []),
        (["ReduceLROnPlateau(factor=0)"], {}, ["factor-leaves-nothing"]),
        (["ReduceLROnPlateau(factor=-1e300)"], {}, ["factor-leaves-nothing"]),
        (["ReduceLROnPlateau(factor=1e-60)"], {}, ["factor-leaves-nothing"]),
        (["ReduceLROnPlateau(factor=1e-6)"], {}, []),
        (["CSVLogger('a')", "ReduceLROnPlateau()"], {}, ["rate-not-logged"]),
        (
            ["ReduceLROnPlateau()", "CSVLogger('a')", "ReduceLROnPlateau(patience=6)"],
            {},
            [],
        ),
        (
            ["LearningRateScheduler({0: 0.1})", "ReduceLROnPlateau()"],
            {},
            ["schedule-undoes-reduction"],
        ),
        (["LearningRateScheduler({9: 0.1})", "ReduceLROnPlateau()"], {}, []),
        (["ModelCheckpoint('best.keras')"], {}, ["overwrites-one-file"]),
        (["ModelCheckpoint('last.keras')"], {}, []),
        (["ModelCheckpoint('best.keras', save_best_only=True)"], {}, []),
        (["ModelCheckpoint('{epoch}.keras')"], {}, []),
        (
            [
                "ModelCheckpoint('a.keras', save_best_only=True)",
                "ModelCheckpoint('a.keras', 'loss', save_best_only=True)",
            ],
            {},
            ["shares-a-file"],
        ),
        (["CSVLogger('a')", "CSVLogger('a')"], {}, ["identical-callbacks"]),
        (["CSVLogger('a')", "CSVLogger('b')"], {}, []),
        (["EarlyStopping()", "EarlyStopping()"], {}, ["identical-callbacks"]),
        (
            [
                "EarlyStopping(patience=1e999)",
                "CSVLogger('a')",
            ],
            {"epochs": 5},
            # it never stops there, so a stop keeps nothing
            ["patience-beyond-plan"],
        ),
        (
            [f"EarlyStopping(start_from_epoch=1e999, {KEEP})"],
            {"epochs": 5},
            ["starts-after-plan"],
        ),
    ],
)
def test_a_setting_gets_its_finding_and_no_other(
    texts: list[str], known: dict[str, Any], expected: list[str]
) -> None:
    assert codes(*texts, **known) == expected


STOP = f"EarlyStopping(patience=5, {KEEP})"


@pytest.mark.parametrize(
    ("reducer", "stopper", "semantics", "expected"),
    [
        ("patience=5, min_delta=0", "patience=5", NEW, ["reduce-after-stop"]),
        ("patience=4, min_delta=0", "patience=5", NEW, []),
        ("patience=5, min_delta=0.1", "patience=5, min_delta=0.1", NEW, "always"),
        ("patience=5", "patience=5", NEW, ["reduce-rarely-before-stop"]),
        ("patience=5, min_delta=0", "patience=5, min_delta=0.1", NEW, "rarely"),
        # before 3.11 one compares in float64 and the other in float32
        ("patience=5, min_delta=0", "patience=5", OLD, "rarely"),
        ("patience=5, min_delta=0", "patience=5", "keras-2.15", "always"),
        (
            "patience=5, min_delta=.1",
            "patience=5, min_delta=.1",
            "keras-2.15",
            "rarely",
        ),
        # a first NaN is waited on there, and nothing stops at epoch 0
        ("patience=1, min_delta=0", "patience=1", "keras-2.15", []),
        ("patience=1, min_delta=0", "patience=0", NEW, "always"),
        ("patience=0, min_delta=0", "patience=1", NEW, "always"),
        ("patience=9, min_delta=0", "patience=5, start_from_epoch=1", NEW, []),
        ("patience=9, min_delta=0, monitor='loss'", "patience=5", NEW, []),
        (
            "patience=9, min_delta=0, cooldown=3",
            "patience=5, baseline=1",
            NEW,
            "always",
        ),
        ("patience=9, min_delta=0", "patience=1e999", NEW, []),
        (
            "patience=9, min_delta=0, monitor='f', mode='min'",
            "patience=5, monitor='f', mode='min'",
            NEW,
            "always",
        ),
        (
            "patience=9, min_delta=0, monitor='f', mode='max'",
            "patience=5, monitor='f', mode='min'",
            NEW,
            [],
        ),
    ],
)
def test_a_reducer_that_comes_after_the_stop(
    reducer: str, stopper: str, semantics: str, expected: list[str] | str
) -> None:
    named = {"always": ["reduce-after-stop"], "rarely": ["reduce-rarely-before-stop"]}
    wanted = named[expected] if isinstance(expected, str) else expected
    texts = [
        f"ReduceLROnPlateau({reducer}, factor=0.5)",
        f"EarlyStopping({stopper}, {KEEP})",
    ]
    for listed in (texts, reversed(texts)):
        told = codes(*listed, semantics=semantics)
        assert [code for code in told if code != "patience-zero-is-one"] == wanted


# 0.5 at epoch 1 is the best, so the patience of 2 stops after epoch 3, 4 long before
SECOND = {
    "patience=4": ["keeps-later-weights", "stop-after-stop"],
    f"patience=4, {KEEP}": ["stop-after-stop"],
    # its own stop would come later; what it holds is put back all the same
    f"patience=4, {KEEP}, min_delta=0.1": [],
    f"patience=4, {KEEP}, monitor='loss'": ["restores-by-training-loss"],
    f"patience=4, {KEEP}, baseline=0.1": [],
}


@pytest.mark.parametrize(("second", "expected"), SECOND.items())
def test_what_a_stop_keeps_depends_on_the_other_stop_too(
    second: str, expected: list[str]
) -> None:
    texts = ["EarlyStopping(patience=2)", f"EarlyStopping({second})"]
    assert codes(*texts) == expected
    losses = (0.9, 0.5, 0.6, 0.7, 0.8, 0.9)
    run = Run.from_logs([{"val_loss": one, "loss": one} for one in losses])
    replay = replay_run(run, parse_callbacks(*texts), semantics=NEW)
    assert replay.kept_epoch == (3 if KEEP not in second else 1)


@pytest.mark.parametrize(
    ("semantics", "order", "expected", "kept"),
    [
        # both restore when training ends, in the order of the list: the last one wins
        (NEW, 1, [], 1),
        (NEW, -1, ["restores-by-training-loss"], 3),
        # the one that stops restores, and that may be either
        ("keras-2.15", 1, [], 1),
        ("keras-2.15", -1, [], 1),
    ],
)
def test_whose_weights_are_restored_depends_on_the_order(
    semantics: str, order: int, expected: list[str], kept: int
) -> None:
    texts = [f"EarlyStopping('loss', patience=2, {KEEP})", STOP.replace("5", "2")]
    assert codes(*texts[::order], semantics=semantics) == expected
    # val_loss is best at epoch 1 and stops after epoch 3, where loss is least
    values = [(0.9, 0.9), (0.8, 0.5), (0.7, 0.6), (0.6, 0.7), (0.5, 0.8)]
    run = Run.from_logs([{"loss": one, "val_loss": two} for one, two in values])
    listed = parse_callbacks(*texts[::order])
    assert replay_run(run, listed, semantics=semantics).kept_epoch == kept


@pytest.mark.parametrize(
    ("given", "patience", "values", "semantics"),
    [
        # below the best, but not below the baseline: the wait goes on, without a stop;
        # in epoch 3 both have waited 4
        ("baseline=0.5", 4, [1.0, 0.9, 0.8, 0.8], NEW),
        # compared with infinity, NaN is no improvement: both wait from epoch 0 on, in
        # which none stops; in epoch 1 both have waited 2
        ("mode='min'", 2, [math.nan, math.nan], "keras-2.15"),
    ],
)
def test_two_stops_of_another_patience_may_stop_together(
    given: str, patience: int, values: list[float], semantics: str
) -> None:
    texts = [f"EarlyStopping(patience={own}, {given})" for own in (1, patience)]
    run = Run.from_logs([{"val_loss": value} for value in values])
    for text in texts:
        replay = replay_run(run, parse_callbacks(text), semantics=semantics)
        assert replay.stopped_epoch == len(values) - 1
    assert "stop-after-stop" not in codes(*texts, semantics=semantics)


def test_keras_2_restores_only_where_it_stops_itself() -> None:
    texts = ["EarlyStopping(patience=2)", f"EarlyStopping(patience=4, {KEEP})"]
    two = "keras-2.15"
    assert codes(*texts, semantics=two) == ["keeps-later-weights", "stop-after-stop"]
    run = Run.from_logs([{"val_loss": one} for one in (0.9, 0.5, 0.6, 0.7, 0.8, 0.9)])
    replay = replay_run(run, parse_callbacks(*texts), semantics=two)
    assert replay.kept_epoch == 3
    # another min_delta may stop it in the same epoch, where it restores
    texts[1] = f"EarlyStopping(patience=4, min_delta=0.1, {KEEP})"
    assert codes(*texts, semantics=two) == []


def test_the_certain_rival_is_named_first() -> None:
    one = "EarlyStopping(patience=3, min_delta=0.1, restore_best_weights=True)"
    (finding,) = found(one, STOP, "ReduceLROnPlateau(patience=7, min_delta=0)")
    assert (finding.code, finding.callback) == ("reduce-after-stop", 2)
    assert "patience 5 of EarlyStopping" in finding.message
    assert finding.fix.startswith("patience=2 here")


# --- with a record


def recorded(*losses: float | None, rate: float | None = None, **told: Any) -> Run:
    run = Run.from_logs([{"val_loss": one, "lr": rate, "loss": 1.0} for one in losses])
    object.__setattr__(run, "metadata", RunMetadata(**told))
    return run


FALLING = (1.0, 0.875, 0.75, 0.625, 0.5, 0.375)


@pytest.mark.parametrize(
    ("text", "run", "expected"),
    [
        ("min_delta=0.5", recorded(1.0, 0.75, 0.5), []),
        ("min_delta=0.6", recorded(1.0, 0.75, 0.5), ["min-delta-beyond-record"]),
        ("min_delta=0.6", recorded(1.0), []),
        # five new bests, each 0.125 better: of them one is more than 0.5 below 1.0
        ("min_delta=0.5", recorded(*FALLING), ["min-delta-beyond-steps"]),
        # two: 0.75 is more than 0.2 below 1.0, and 0.5 below 0.75
        ("min_delta=0.2", recorded(*FALLING), []),
        ("min_delta=0.5", recorded(*FALLING[:-1]), []),
        ("min_delta=0.5", recorded(1e39, 1.0, *FALLING), []),
        ("start_from_epoch=3", recorded(1.0, 0.75, 0.5), ["starts-after-record"]),
        ("start_from_epoch=2", recorded(1.0, 0.75, 0.5), []),
        ("min_delta=0.6", recorded(1.0, 0.75, float("inf")), []),
        ("min_delta=0.6, monitor='mae'", recorded(1.0, 0.75), ["absent-monitor"]),
        ("min_delta=0.3, start_from_epoch=1", recorded(1.0, 0.75, 0.5), "beyond"),
        ("baseline=0.5", recorded(1.0, 0.75, 0.5), ["baseline-never-beaten"]),
        ("baseline=0.51", recorded(1.0, 0.75, 0.5), []),
        ("baseline=0.51", recorded(float("nan")), []),
        ("baseline=0.5, monitor='f', mode='min'", recorded(1.0), ["absent-monitor"]),
    ],
)
def test_what_the_values_tell(text: str, run: Run, expected: list[str] | str) -> None:
    wanted = ["min-delta-beyond-record"] if expected == "beyond" else expected
    assert codes(f"EarlyStopping({text})", run=run) == wanted


@pytest.mark.parametrize(
    ("threshold", "losses", "expected"),
    [
        (0.5, (1.0, 0.75, 0.5), ["threshold-never-beaten"]),
        (0.51, (1.0, 0.75, 0.5), []),
        (0.25, (math.nan, 0.5), ["threshold-never-beaten"]),
        (0.25, (math.nan,), []),
    ],
)
def test_a_threshold_that_no_value_beats_saves_nothing(
    threshold: float, losses: tuple[float, ...], expected: list[str]
) -> None:
    saving = ModelCheckpoint(
        "a.keras", save_best_only=True, initial_value_threshold=threshold
    )
    run = recorded(*losses)
    found = lint_callbacks(saving, run=run, semantics=NEW)
    assert [finding.code for finding in found] == expected
    saves = replay_run(run, saving, semantics=NEW).saves
    assert bool(saves) == (min(losses) < threshold)
    every = replace(saving, save_best_only=False, filepath="{epoch}.keras")
    assert lint_callbacks(every, run=run, semantics=NEW) == ()


@pytest.mark.parametrize(
    ("call", "semantics", "refused"),
    [
        # keras/src/callbacks/model_checkpoint.py: .keras; from 3.8.0 on .h5 as well
        ("ModelCheckpoint('a.keras', save_best_only=True)", "keras-3.15", False),
        ("ModelCheckpoint('a.h5', save_best_only=True)", "keras-3.15", False),
        ("ModelCheckpoint('a.h5', save_best_only=True)", "keras-3.6", True),
        ("ModelCheckpoint('a.hdf5', save_best_only=True)", "keras-3.15", True),
        ("ModelCheckpoint('a', save_best_only=True)", "keras-2.15", False),
        (
            "ModelCheckpoint('a.h5', save_best_only=True, save_weights_only=True)",
            "keras-3.15",
            True,
        ),
        (
            "ModelCheckpoint('{epoch}.weights.h5', save_weights_only=True)",
            "keras-3.15",
            False,
        ),
    ],
)
def test_a_file_that_keras_does_not_take_is_found(
    call: str, semantics: str, *, refused: bool
) -> None:
    expected = ["refused-filepath"] if refused else []
    assert codes(call, semantics=semantics) == expected


def test_a_directory_is_not_told_to_be_a_file_without_a_name() -> None:
    (told,) = found("ModelCheckpoint('saved/', save_best_only=True)")
    assert told.fix == "filepath='saved/model.keras'"


def test_a_plateau_beside_the_optimizers_schedule_is_found() -> None:
    run = recorded(1.0, schedule="CosineDecay")
    assert codes("ReduceLROnPlateau()", run=run) == ["schedule-beside-plateau"]
    assert codes(f"EarlyStopping({KEEP}, patience=2)", run=run) == []
    (told,) = found("ReduceLROnPlateau()", schedule="CosineDecay")
    assert told.message.endswith(
        "the optimizer's learning rate is the schedule CosineDecay"
    )
    assert "raises TypeError" in told.message
    # a fit of Keras 2.15 trains every batch at the rate of the schedule
    (told,) = found(
        "ReduceLROnPlateau()", schedule="CosineDecay", semantics="keras-2.15"
    )
    assert "changes no rate that is trained at" in told.message


def test_a_schedule_leaves_nothing_to_say_of_the_factor() -> None:
    text = "ReduceLROnPlateau(patience=2, factor=0.1)"
    assert codes(text, schedule="CosineDecay") == ["schedule-beside-plateau"]


@pytest.mark.parametrize(
    ("monitor", "min_delta", "is_found"),
    [
        ("val_auc", 1, True),
        ("val_AUC_2", 1.0, True),
        ("val_head_accuracy", 5, True),
        ("val_f1", 1, True),
        ("accuracy", 0.2, True),
        ("accuracy", 0.19, False),
        ("val_loss", 1, False),
        # from -1 to 1, and below every bound
        ("val_cosine_similarity", 1, False),
        ("val_r2_score", 1, False),
        ("val_accuracy_percent", 1, False),
        ("val_psnr", 1, False),
    ],
)
@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau"])
def test_a_min_delta_of_one_is_found_for_what_lies_between_0_and_1(
    kind: str, monitor: str, min_delta: float, *, is_found: bool
) -> None:
    text = f"{kind}(monitor={monitor!r}, mode='max', patience=7, min_delta={min_delta})"
    assert ("min-delta-beyond-range" in codes(text)) is is_found
    # a record tells more: there it is in percent
    run = Run.from_logs([{monitor: 50.0}, {monitor: 52.0}, {monitor: 53.0}])
    assert "min-delta-beyond-range" not in codes(text, run=run)


@pytest.mark.parametrize(
    ("min_delta", "most"),
    # 0, above 0.5; above 0.2, 0.4, 0.6 and 0.8; above 0.3, 0.6 and 0.9
    [(1, 0), (7, 0), (0.999, 1), (0.5, 1), (0.2, 4), (0.3, 3)],
)
def test_a_large_min_delta_leaves_so_many_improvements_between_0_and_1(
    min_delta: float, most: int
) -> None:
    (told,) = found(f"EarlyStopping('val_acc', {min_delta}, 5, mode='max', {KEEP})")
    assert told.facts == {"most_improvements": most}
    assert told.severity == ("remark" if most else "warning")
    assert ("none counts" in told.message) is (most == 0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # a value has to be above the baseline by more than min_delta, and 1 is the most
        ("EarlyStopping('val_accuracy', baseline=90, mode='max', {})", "baseline"),
        (
            "EarlyStopping('val_f1', baseline=0.9, min_delta=0.1, mode='max', {})",
            "baseline",
        ),
        ("EarlyStopping('val_f1', baseline=0.9, mode='max', {})", ""),
        ("EarlyStopping('val_accuracy', baseline=90, mode='min', {})", ""),
        ("EarlyStopping('val_loss', baseline=90, {})", ""),
    ],
)
def test_no_value_between_0_and_1_beats_a_bound_in_percent(
    text: str, code: str
) -> None:
    written = text.format("patience=3, restore_best_weights=True")
    found = [name for name in codes(written) if name.endswith("-never-beaten")]
    assert found == ([f"{code}-never-beaten"] if code else [])


def test_no_file_is_saved_above_a_threshold_in_percent() -> None:
    best = "ModelCheckpoint('a.keras', 'val_auc', mode='max', save_best_only=True, {})"
    assert codes(best.format("initial_value_threshold=80")) == [
        "threshold-never-beaten"
    ]
    assert codes(best.format("initial_value_threshold=0.8")) == []


def test_a_floor_at_the_initial_rate_is_found() -> None:
    text = "ReduceLROnPlateau(min_lr=0.01)"
    assert codes(text, run=recorded(1.0, rate=0.01)) == ["floor-above-rate"]
    # as the first epoch of a warmup
    assert codes(text, run=recorded(1.0, rate=0.0)) == []
    assert codes(text, run=recorded(1.0, rate=0.02)) == []
    told = recorded(1.0, initial_learning_rate=0.001)
    assert codes(text, run=told) == ["floor-above-rate"]
    assert codes(text, run=recorded(1.0)) == []
    assert codes(text, run=recorded(1.0, initial_learning_rate=1e300)) == []


def test_the_run_says_the_plan_the_frequency_and_the_directions() -> None:
    run = recorded(
        1.0,
        fit=Fit(epochs=4, validation_freq=2),
        metrics={"score": "max", "auc": "max"},
        keras_version="keras-3.7.0",
    )
    object.__setattr__(run, "planned_epochs", 4)
    listed: list[Any] = [
        EarlyStopping(patience=2, restore_best_weights=True),
        EarlyStopping("val_score", mode="min"),
        ReduceLROnPlateau("val_auc", factor=0.5, patience=0),
    ]
    told = lint_callbacks(listed, run=run)
    assert [(one.callback, one.code) for one in told] == [
        (0, "patience-in-validations"),
        (0, "patience-beyond-plan"),
        (1, "absent-monitor"),
        (1, "mode-against-metric"),
        (2, "absent-monitor"),
        (2, "patience-zero-is-one"),
        (2, "auto-mode-against-metric"),
    ]
    several = recorded(1.0, fit=Fit(validation_freq=[1, 3]))
    assert lint_callbacks(listed[0], run=several, semantics=NEW) == ()


def test_a_negative_min_delta_says_what_this_version_does() -> None:
    text = "ReduceLROnPlateau(min_delta=-0.1)"
    assert "acts as min_delta 0.1" in found(text)[0].message
    assert "worse value" in found(text, semantics=OLD)[0].message


def test_a_best_file_is_overwritten_by_the_first_epoch_after_a_resume() -> None:
    # 0.5 is saved at epoch 2; the fit that goes on with epoch 3 begins with no best
    run = recorded(1.0, 0.5, 0.75, 0.6)
    object.__setattr__(run, "seams", (2,))
    save = "ModelCheckpoint('best.keras', save_best_only=True{})"
    (told,) = found(save.format(""), run=run)
    assert told.code == "overwrites-after-resume"
    assert "went on with epoch 3 saves" in told.message
    assert codes(save.format(", initial_value_threshold=0.5"), run=run) == []
    (parsed,) = parse_callbacks(save.format(""))
    replay = replay_run(run, [parsed], semantics=NEW, hypothetical=True)
    saved = [step.decision.saved_epoch for step in replay.trace]
    assert saved == [0, 1, 2, 3]


# --- the monitor's name


def logged(*names: str) -> Run:
    return Run.from_logs([dict.fromkeys(names, 0.5), dict.fromkeys(names, 0.25)])


@pytest.mark.parametrize(
    ("monitor", "names", "what", "instead"),
    [
        (
            "val_acc",
            ("loss", "accuracy", "val_loss", "val_accuracy"),
            "the log has no 'val_acc', and has 'val_accuracy'",
            "monitor='val_accuracy'",
        ),
        (
            "val_accuracy",
            ("loss", "acc", "val_loss", "val_acc"),
            "the log has no 'val_accuracy', and has 'val_acc'",
            "monitor='val_acc'",
        ),
        (
            "Val_Loss",
            ("loss", "val_loss"),
            "the log has no 'Val_Loss', and has 'val_loss'",
            "monitor='val_loss'",
        ),
        (
            "val_AUC",
            ("loss", "val_loss", "val_auc"),
            "the log has no 'val_AUC', and has 'val_auc'",
            "monitor='val_auc'",
        ),
        (
            "val_auc",
            ("loss", "val_loss", "val_auc_1"),
            "the log has no 'val_auc', and has 'val_auc_1'",
            "monitor='val_auc_1'",
        ),
        # another instance of a metric is not the one that is meant
        (
            "val_auc_1",
            ("loss", "val_loss", "val_auc_12"),
            "the log has no 'val_auc_1'; it has loss, val_loss, val_auc_12",
            "a monitor that is logged",
        ),
        (
            "val_accurracy",
            ("loss", "val_loss", "val_accuracy"),
            "the log has no 'val_accurracy', and has 'val_accuracy'",
            "monitor='val_accuracy'",
        ),
        (
            "val_loss",
            ("loss", "accuracy"),
            "the log has no 'val_loss': nothing in it was validated",
            "validation data for fit, or a monitor that is logged",
        ),
        (
            "val_recall",
            ("loss", "val_loss"),
            "the log has no 'val_recall'; it has loss, val_loss",
            "a monitor that is logged",
        ),
    ],
)
def test_a_monitor_that_the_log_has_not_is_found_with_what_it_has(
    monitor: str, names: tuple[str, ...], what: str, instead: str
) -> None:
    stop = EarlyStopping(monitor, mode="min", patience=3, restore_best_weights=True)
    told = lint_callbacks(stop, run=logged(*names), semantics=NEW)
    absent = [one for one in told if one.code == "absent-monitor"]
    assert [(one.message, one.fix) for one in absent] == [(what, instead)]
    assert (
        absent[0].reason == "EarlyStopping skips an epoch without it, so it never acts"
    )


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("Loss", "Val_Loss", "Val_Accuracy"), "Val_Accuracy"),
        (
            ("train_acc", "valid_acc", "train_accuracy", "valid_accuracy"),
            "valid_accuracy",
        ),
    ],
)
def test_a_validation_may_be_called_otherwise(
    names: tuple[str, ...], meant: str
) -> None:
    stop = EarlyStopping("val_accuracy", mode="max", restore_best_weights=True)
    (absent,) = lint_callbacks(stop, run=logged(*names), semantics=NEW)
    assert (absent.code, absent.fix) == ("absent-monitor", f"monitor={meant!r}")


def test_the_other_findings_come_beside_an_absent_monitor() -> None:
    text = "ReduceLROnPlateau('val_acc', mode='max', cooldown=1)"
    run = logged("loss", "val_loss", "val_accuracy")
    assert codes(text, run=run) == ["absent-monitor", "cooldown-of-one"]
    # what decides nothing is not missed, but Keras asks for its direction
    assert codes("ModelCheckpoint('last.h5', 'val_f', mode='max')", run=run) == []
    (auto,) = found("ModelCheckpoint('last.h5', 'val_acc')", run=run)
    assert (auto.code, auto.severity) == ("auto-unknown", "warning")
    assert codes("ModelCheckpoint('last.h5', 'val_accuracy')", run=run) == []


@pytest.mark.parametrize(
    ("field", "instead"),
    [("val_acc", "{val_accuracy}"), ("Val_Loss", "{val_loss}"), ("Epoch", "{epoch}")],
)
def test_a_field_of_a_file_s_name_that_the_log_lacks_is_found(
    field: str, instead: str
) -> None:
    # keras/src/callbacks/model_checkpoint.py: KeyError, "Failed to format this ..."
    run = logged("loss", "val_loss", "val_accuracy")
    (absent,) = found(f"ModelCheckpoint('{{{field}}}.keras')", run=run)
    assert (absent.code, absent.fix) == ("absent-field", instead)
    kept = "ModelCheckpoint('{epoch}-{val_loss:.3f}.keras')"
    assert codes(kept, run=run) == []


def test_how_auto_is_resolved_is_said_and_not_that_it_works() -> None:
    (auto,) = found(f"EarlyStopping('my_metric', {KEEP})")
    assert auto.reason.startswith("that is how Keras 3.15 resolves mode='auto'; a ")


def test_what_this_keras_does_without_the_monitor_is_said() -> None:
    save = "ModelCheckpoint('a.keras', 'val_f', mode='max', save_best_only=True)"
    run = logged("loss", "val_loss")
    (new,), (old,) = (found(save, run=run, semantics=name) for name in (NEW, OLD))
    assert new.reason.endswith(
        "sees epochs without it only, and saves those all the same"
    )
    assert old.reason == "ModelCheckpoint skips an epoch without it, so it never acts"
    # keras/src/callbacks/monitor_callback.py: no metric of that name, no direction
    (auto,) = found(f"EarlyStopping('val_acc', {KEEP})", run=run)
    assert "raises ValueError for mode='auto'" in auto.reason
    # the metric is compiled, and only its validation is not logged
    (half,) = found(f"EarlyStopping('val_acc', {KEEP})", run=logged("loss", "acc"))
    assert "never acts" in half.reason


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_f1", "max"),
        ("val_f1_score", "max"),
        ("val_dice_coef", "max"),
        ("val_dice_loss", "min"),
        ("val_mean_iou", "max"),
        ("head_accuracy", "max"),
        ("val_head_loss", "min"),
        ("Top-1 Accuracy", "max"),
        ("perplexity", "min"),
        ("val_rmse_2", "min"),
        ("val_f1_m", "max"),
        ("val_mIoU", "max"),
        ("val_wer", "min"),
        ("val_map", "max"),
        ("valLoss", "min"),
        # TensorFlow's tutorial of imbalanced data: AUC(name="prc", curve="PR")
        ("val_prc", "max"),
        # TensorFlow Ranking: keras/metrics.py, with and without a rank to cut at
        ("val_metric/mrr", "max"),
        ("val_metric/ndcg_5", "max"),
        ("val_metric/arp", "min"),
        ("mean_reciprocal_rank", "max"),
        ("val_precision_at_5", "max"),
        # TensorFlow Addons
        ("val_MatthewsCorrelationCoefficient", "max"),
        ("val_r_square", "max"),
        ("val_hamming_loss", "min"),
        # KerasHub and KerasCV
        ("val_edit_distance", "min"),
        ("val_MaP", "max"),
        ("val_MaP@[IoU=50]", "max"),
        # segmentation_models, and what scripts of its kind call their functions
        ("val_iou_score", "max"),
        ("val_f2-score", "max"),
        ("val_tversky_index", "max"),
        ("val_jacard_coef", "max"),
        # not plain
        ("val_distance", None),
        ("true_positives", None),
        ("val_neg_mse", None),
        ("1-accuracy", None),
        ("loss_scale", None),
        ("accuracy_gap", None),
        ("inaccuracy", None),
        ("d_loss", None),
        ("score", None),
        ("my_metric", None),
        ("", None),
    ],
)
def test_which_way_a_name_plainly_says(name: str, direction: str | None) -> None:
    assert plain_direction(name) == direction


def test_no_plain_name_is_against_kerass_own_table() -> None:
    for name, direction in METRIC_DIRECTIONS.items():
        assert plain_direction(f"val_{name}") in (None, direction)


@pytest.mark.parametrize(
    ("text", "semantics", "expected"),
    [
        ("EarlyStopping('val_f1', mode='min')", NEW, ["mode-against-metric"]),
        ("EarlyStopping('val_f1')", "keras-2.15", ["auto-mode-against-metric"]),
        ("EarlyStopping('val_f1')", NEW, ["auto-unknown"]),
        ("EarlyStopping('my_metric')", NEW, ["auto-unknown"]),
        # whether a reward is to be small is not what its name tells
        ("EarlyStopping('my_metric')", "keras-2.15", ["auto-unknown"]),
        ("EarlyStopping('my_metric')", "tf_keras-2.21", ["auto-unknown"]),
        ("EarlyStopping('my_metric', mode='min')", "keras-2.15", []),
        ("ReduceLROnPlateau('my_metric')", OLD, ["auto-unknown"]),
        ("EarlyStopping('val_mape')", "keras-2.15", []),
        # by an acc in the name it means max, and without save_best_only nothing
        ("ReduceLROnPlateau('my_accord')", OLD, []),
        ("ModelCheckpoint('last.keras', 'my_metric')", "keras-2.15", []),
        ("EarlyStopping('val_head_loss')", NEW, ["auto-unknown"]),
        ("EarlyStopping('val_head_loss', mode='min')", NEW, []),
        ("ReduceLROnPlateau('val_f1')", OLD, ["auto-mode-against-metric"]),
        ("ReduceLROnPlateau('val_f1')", NEW, ["auto-unknown"]),
        (
            "ModelCheckpoint('a.keras', 'val_auc', save_best_only=True)",
            OLD,
            ["auto-mode-against-metric"],
        ),
        ("ModelCheckpoint('a.keras', 'val_auc', save_best_only=True)", NEW, []),
        (
            "ModelCheckpoint('a.keras', 'val_loss', mode='max', save_best_only=True)",
            NEW,
            ["mode-against-metric"],
        ),
        # every epoch is saved, and Keras asks for the direction all the same
        ("ModelCheckpoint('last.keras', 'val_f1')", NEW, ["auto-unknown"]),
        ("ModelCheckpoint('last.keras', 'val_f1', mode='min')", NEW, []),
    ],
)
def test_the_direction_of_a_name_in_each_keras(
    text: str, semantics: str, expected: list[str]
) -> None:
    assert codes(text, semantics=semantics) == expected


def test_an_unknown_auto_says_which_mode_the_name_means() -> None:
    (plain,) = found("EarlyStopping('val_head_loss')")
    assert (plain.fix, plain.severity) == ("mode='min'", "remark")
    (unclear,) = found("EarlyStopping('my_metric')")
    assert unclear.fix == "mode='min' or mode='max'"
    run = recorded(1.0, metrics={"loss": "min"})
    told = found("ModelCheckpoint('last.keras', 'val_loss_of_mine')", run=run)
    assert [(one.code, one.severity) for one in told] == [("auto-unknown", "warning")]


# --- what is no question


@pytest.mark.parametrize(
    ("listed", "known", "message"),
    [
        ([3], {}, "3 is not a callback"),
        ([], {"epochs": 0}, "epochs is 0, where 1 or more"),
        ([], {"validation_freq": 0}, "validation_freq is 0"),
    ],
)
def test_what_cannot_be_linted_is_refused(
    listed: list[Any], known: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        lint_callbacks(listed, **known)


def test_an_unknown_keras_is_refused() -> None:
    with pytest.raises(SemanticsError):
        lint_callbacks([], semantics="keras-1.0")


@pytest.mark.parametrize(
    ("checkpoint", "is_kept"),
    [
        ("ModelCheckpoint('best.keras', save_best_only=True)", True),
        # stopped by the loss, kept by the accuracy: a choice that people make
        ("ModelCheckpoint('b.keras', 'val_accuracy', save_best_only=True)", True),
        ("ModelCheckpoint('all/{epoch:02d}.keras')", True),
        ("ModelCheckpoint('last.keras')", False),
        # the training loss tends to be least in the last epoch
        ("ModelCheckpoint('b.keras', 'loss', save_best_only=True)", False),
    ],
)
def test_a_checkpoint_may_keep_what_early_stopping_does_not(
    checkpoint: str, *, is_kept: bool
) -> None:
    found = codes_of(EarlyStopping(patience=5), *parse_callbacks(checkpoint))
    assert found == (set() if is_kept else {"keeps-later-weights"})


def test_a_scheduler_changes_the_rate_too() -> None:
    scheduler = LearningRateScheduler({0: 1e-3})
    assert codes_of(*parse_callbacks("CSVLogger('logs.csv')"), scheduler) == {
        "rate-not-logged"
    }


def codes_of(*callbacks: Any) -> set[str]:
    return {one.code for one in lint_callbacks(callbacks, semantics="keras-3.15")}


def test_under_a_table_from_the_first_epoch_on_no_reduction_is_ever_trained_at() -> (
    None
):
    # the replay on a flat record: reduced at the end of every epoch, and set back
    listed = parse_callbacks(
        "LearningRateScheduler({0: 0.5})", "ReduceLROnPlateau(patience=1, factor=0.1)"
    )
    run = Run.from_logs([{"val_loss": 1.0, "learning_rate": 0.5}] * 6)
    replay = replay_run(run, listed)
    assert len(replay.reductions) == 5
    assert replay.divergence_epoch is None
    assert replay.learning_rate is not None
    assert set(replay.learning_rate.values.tolist()) == {0.5}


def test_a_log_that_begins_late_is_of_a_fit_that_knows_no_best_either() -> None:
    save = "ModelCheckpoint('best.keras', save_best_only=True)"
    run = replace(recorded(1.0, 0.5, 0.75, 0.6), first_epoch=4)
    (told,) = found(save, run=run)
    assert told.code == "overwrites-after-resume"
    assert "a fit that begins with epoch 5 saves" in told.message
    # a number of a finding stands in its data, where epochs count from 0
    assert told.facts == {"first_epoch": 4}
    assert codes(save, run=recorded(1.0, 0.5, 0.75, 0.6)) == []


def test_a_stop_that_cannot_come_inside_the_plan_forestalls_no_reduction() -> None:
    # 15 epochs, validated in every third, have 5 values: no patience of 20 acts, and
    # the half of it would not either
    listed = [EarlyStopping(patience=20), ReduceLROnPlateau(patience=20)]
    found = lint_callbacks(listed, epochs=15, validation_freq=3)
    told = sorted(finding.code for finding in found if finding.callback == 1)
    assert told == ["patience-beyond-plan", "patience-in-validations"]
    # nothing but the plan of 63 epochs, which has 21 values, lets the stop come
    longer = lint_callbacks(listed, epochs=63, validation_freq=3)
    assert "reduce-rarely-before-stop" in [finding.code for finding in longer]


def test_a_log_is_given_as_anything_that_is_read_into_a_run() -> None:
    stopper = EarlyStopping(monitor="val_F1", patience=5, mode="max")
    (finding,) = lint_callbacks(stopper, run={"val_f1": [0.1, 0.2]})
    assert (finding.code, finding.fix) == ("absent-monitor", "monitor='val_f1'")


@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau"])
def test_a_learning_rate_has_no_direction(kind: str) -> None:
    """Keras 3.15.1 raised ValueError for both, with a metric compiled and without."""
    text = f"[ReduceLROnPlateau(), {kind}(monitor='learning_rate', patience=3)]"
    assert "auto-unknown" in codes(text)
    assert "auto-unknown" not in codes(text.replace("patience", "mode='min', patience"))


@pytest.mark.parametrize(
    ("semantics", "own", "other"),
    [("keras-3.15", "learning_rate", "lr"), ("keras-2.15", "lr", "learning_rate")],
)
def test_a_learning_rate_is_logged_by_one_name_and_behind_its_writer(
    semantics: str, own: str, other: str
) -> None:
    """Keras 3.15.1 and 2.15.0 logged the rate by their own name, behind a plateau.

    Of six epochs with an unchanged rate, EarlyStopping with that name stopped in the
    third. With the other one, or before the plateau, it warned and never stopped;
    ModelCheckpoint raised KeyError for the name in its filepath.
    """
    plateau = ReduceLROnPlateau(monitor="loss", patience=9)

    def found(callback: object, *before: object) -> list[tuple[str, str]]:
        told = lint_callbacks([*before, callback], semantics=semantics)
        absent = ("absent-monitor", "absent-field")
        return [(each.code, each.fix) for each in told if each.code in absent]

    def stopper(monitor: str) -> EarlyStopping:
        return EarlyStopping(monitor, patience=2, mode="min")

    assert found(stopper(own), plateau) == []
    named = [("absent-monitor", f"monitor={own!r}")]
    assert found(stopper(other), plateau) == named
    assert found(stopper(own)) == [("absent-monitor", "one of these before it")]
    saver = ModelCheckpoint(f"{{{other}}}.keras")
    assert found(saver, plateau) == [("absent-field", f"{{{own}}}")]
    assert found(ModelCheckpoint(f"{{{own}}}.keras"), plateau) == []
