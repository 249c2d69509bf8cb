"""The trace, row by row, as worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    explain_replay,
    replay_run,
)
from cbreplay.rules.bystander import Bystander

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.explain import Explanation

# 0.48 is 0.479999989 in float32, which does not improve on 0.5 by 0.02; the next one
# below it does, and 0.47999998 is the shortest number between
LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]


def explained(
    losses: Sequence[float | None],
    *callbacks: Any,
    planned: int | None = None,
    rate: float | None = 0.01,
    hypothetical: bool = False,
    semantics: str = "keras-3.15",
) -> Explanation:
    rows = [{"val_loss": loss, "learning_rate": rate} for loss in losses]
    run = Run.from_logs([{"loss": 1.0, **row} for row in rows], planned_epochs=planned)
    return explain_replay(
        replay_run(run, callbacks, semantics=semantics, hypothetical=hypothetical)
    )


def sentences(
    losses: Sequence[float | None], *callbacks: Any, **options: Any
) -> list[str]:
    return [row.why for row in explained(losses, *callbacks, **options).rows]


def closing(
    losses: Sequence[float | None], *callbacks: Any, **options: Any
) -> list[str]:
    return list(explained(losses, *callbacks, **options).closing)


E3 = EarlyStopping(patience=3, min_delta=0.02, restore_best_weights=True)


def test_every_epoch_of_the_worked_example() -> None:
    # the waits are 0 0 0 1 2 3; 0.49 does not beat 0.5 by 0.02
    assert sentences(LOSSES, E3) == [
        "the first val_loss, 0.8000: improvement, wait 0 of 3; holds these weights",
        "0.6000 is below 0.8000 - 0.02: improvement, wait 0 of 3; holds these weights",
        "0.5000 is below 0.6000 - 0.02: improvement, wait 0 of 3; holds these weights",
        "0.5000 is not below 0.5000 - 0.02; wait 1 of 3",
        (
            "0.5200 is not below 0.5000 - 0.02; wait 2 of 3; "
            "stops if epoch 6 is not below 0.47999998"
        ),
        "0.4900 is not below 0.5000 - 0.02; wait 3 of 3: stop",
    ]
    assert closing(LOSSES, E3) == [
        (
            "stopped at the end of epoch 6 by EarlyStopping (patience 3): "
            "val_loss has not improved by 0.02 since epoch 3"
        ),
        (
            "keeps the weights of epoch 3: restore_best_weights=True, and its "
            "val_loss, 0.5000, is the last improvement"
        ),
        (
            "the better val_loss of epoch 6, 0.4900, did not count: "
            "0.4900 is not below 0.5000 - 0.02"
        ),
    ]


def test_the_numbers_of_a_row() -> None:
    explanation = explained(LOSSES, Bystander("History"), E3)
    rows = explanation.rows
    # callbacks that decide nothing have no rows, and indices are those of the list
    assert [row.callback for row in rows] == [1] * 6
    assert [row.epoch for row in rows] == [0, 1, 2, 3, 4, 5]
    assert [row.before.wait for row in rows] == [0, 0, 0, 0, 1, 2]
    assert [row.after.wait for row in rows] == [0, 0, 0, 1, 2, 3]
    assert rows[0].compared is None
    # 0.52 + 0.02 against 0.5, each rounded to float32
    assert rows[4].compared == (0.5400000214576721, 0.5)
    assert [row.decision for row in rows] == [
        *["improvement"] * 3,
        *["wait"] * 2,
        "stop",
    ]


def test_an_explanation_is_shown_without_its_rows() -> None:
    shown = repr(explained([0.5], ReduceLROnPlateau(patience=3)))
    assert shown.startswith("Explanation('run', 1 rows, closing=('not stopped in the")


def test_why_it_did_not_stop() -> None:
    patient = EarlyStopping(patience=6, min_delta=0.02, restore_best_weights=True)
    assert closing(LOSSES, patient)[:2] == [
        "not stopped in the log, which ends at epoch 8",
        # five epochs without 0.5 - 0.02: one is left of six
        (
            "EarlyStopping ended with wait 5 of 6; "
            "it stops after 1 more epoch without a val_loss below 0.47999998"
        ),
    ]
    planned = closing(LOSSES, patient, planned=8)
    assert planned[0] == "not stopped: training went to its planned end, epoch 8"
    assert planned[1] == "EarlyStopping ended with wait 5 of 6"
    assert planned[2].startswith("keeps the weights of epoch 3: restore_best")


def test_the_longest_wait_is_told_where_the_last_one_is_shorter() -> None:
    told = closing([0.5, 0.6, 0.6, 0.4, 0.5], EarlyStopping(patience=3))
    assert told[1].startswith(
        "EarlyStopping ended with wait 1 of 3; its longest wait was 2, at epoch 3; "
        "it stops after 2 more epochs without a val_loss below 0.4"
    )


def test_whose_weights_are_kept_without_restoring() -> None:
    told = closing(LOSSES, EarlyStopping(patience=2))
    # 0.5 at epoch 3 is tied by epoch 4 and missed by epoch 5
    assert told[1] == (
        "keeps the weights of epoch 5, the last one trained: restore_best_weights is "
        "False, which is Keras's default; the best val_loss, 0.5000, was at epoch 3"
    )
    alone = closing([0.5], ReduceLROnPlateau(), planned=1)[-1]
    assert alone == (
        "keeps the weights of epoch 1, the last one trained: no callback in the list "
        "restores others"
    )


def test_keras_2_15_restores_only_after_its_own_stop() -> None:
    stopped = closing(LOSSES, E3, semantics="keras-2.15")
    assert stopped[1] == closing(LOSSES, E3)[1]
    assert stopped[1].startswith("keeps the weights of epoch 3: restore_best_weights")
    never = replace(E3, patience=9)
    assert closing(LOSSES, never, planned=8, semantics="keras-2.15")[-1] == (
        "keeps the weights of epoch 8, the last one trained: this Keras restores the "
        "best ones only after its own stop"
    )


def test_epochs_before_start_from_epoch_do_not_count() -> None:
    late = EarlyStopping(patience=1, start_from_epoch=2, restore_best_weights=True)
    told = explained([0.1, 0.2, 0.5, 0.6], late)
    assert [row.decision for row in told.rows] == [
        "skip",
        "skip",
        "improvement",
        "stop",
    ]
    assert told.rows[0].why == "before start_from_epoch, which is epoch 3: skipped"
    assert told.closing[-1] == (
        "the better val_loss of epoch 1, 0.1000, did not count: it lies before "
        "start_from_epoch"
    )
    never = EarlyStopping(start_from_epoch=9, restore_best_weights=True)
    assert closing([0.1, 0.2], never, planned=2)[-1] == (
        "keeps the weights of epoch 2, the last one trained: no epoch had a val_loss "
        "that counted"
    )


def test_a_missing_value_is_skipped_and_the_next_one_is_not_an_epoch() -> None:
    told = sentences([0.5, 0.6, None, 0.4], EarlyStopping(patience=2))
    assert told[1] == (
        "0.6000 is not below 0.5000; wait 1 of 2; "
        "stops if the next val_loss is not below 0.5"
    )
    assert told[2] == "no val_loss in this epoch: skipped, wait stays 1"


def test_a_baseline_that_is_not_met_keeps_the_wait() -> None:
    told = sentences([0.875, 0.75, 0.9], EarlyStopping(patience=2, baseline=0.5))
    assert told[0] == (
        "the first val_loss, 0.8750: improvement, but 0.8750 is not below 0.5000, "
        "the baseline; wait 1 of 2; stops if epoch 2 is not below 0.875"
    )
    assert told[1].endswith(
        "the baseline; wait 2 of 2; an improving epoch never stops; "
        "stops if epoch 3 is not below 0.75"
    )
    # the third epoch waits on, beyond its patience
    assert told[2] == "0.9000 is not below 0.7500; wait 3, patience 2: stop"
    assert closing([0.9, 0.8, 0.9], EarlyStopping(patience=2, baseline=0.5))[
        0
    ].endswith("in 3 epochs that count, no val_loss beat the baseline 0.5")


def test_a_value_beyond_the_baseline_has_to_improve_as_well() -> None:
    # 0.25 beats the baseline (0.25 + 0.5 < 1), but not the best one (0.75 > 0.5)
    stop = EarlyStopping(patience=3, baseline=1, min_delta=0.5)
    assert closing([0.5, 0.5, 0.25], stop)[0].endswith(
        "in 3 epochs that count, no val_loss that improved beat the baseline 1 by 0.5"
    )


def test_a_wait_that_was_set_back_is_counted_from_the_last_improvement() -> None:
    stop = EarlyStopping(patience=2, baseline=0.85)
    assert closing([0.9, 0.8, 0.9, 0.9], stop)[0].endswith(
        "val_loss has not improved since epoch 2"
    )


def test_the_best_is_that_of_the_series_and_not_the_callbacks() -> None:
    # it counts 0.9 alone: 0.8 and 0.75 are not below 0.9 - 0.5
    told = closing([0.9, 0.8, 0.75, 0.8], EarlyStopping(patience=3, min_delta=0.5))
    assert told[1].endswith("; the best val_loss, 0.7500, was at epoch 3")
    # the kept epoch has the best value too: nothing is to be said
    tied = closing([0.9, 0.8, 0.8], EarlyStopping(patience=1))
    assert tied[1].endswith("restore_best_weights is False, which is Keras's default")


def test_what_has_not_begun_to_wait_names_no_number_of_epochs() -> None:
    late = closing([0.9, 0.8], EarlyStopping(patience=3, start_from_epoch=9))
    assert late[1] == (
        "EarlyStopping has not begun to wait: no epoch had a val_loss that counted"
    )


def test_epochs_without_a_value_are_not_counted_on() -> None:
    told = closing([0.5, None, 0.6, None], EarlyStopping(patience=3))
    assert told[1].endswith(
        "; it stops after 2 more values of val_loss without a val_loss below 0.5"
    )


def test_only_the_first_value_of_the_log_is_called_the_first() -> None:
    late = EarlyStopping(patience=3, start_from_epoch=1)
    assert sentences([0.4, 0.5], late)[1].startswith(
        "the first val_loss that counts, 0.5000: improvement"
    )


def test_a_first_nan_is_best_for_ever() -> None:
    told = sentences([math.nan, 0.5, 0.4], EarlyStopping(patience=2))
    assert told == [
        "the first val_loss, NaN: improvement, wait 0 of 2",
        (
            "0.5000 is not below NaN: nothing ever is; wait 1 of 2; "
            "stops at epoch 3, whatever it is"
        ),
        "0.4000 is not below NaN: nothing ever is; wait 2 of 2: stop",
    ]


def test_a_nan_never_improves() -> None:
    told = sentences([0.5, math.nan, math.inf], EarlyStopping(patience=9))
    assert told[1] == "NaN is not below 0.5000; wait 1 of 9"
    assert told[2] == "inf is not below 0.5000; wait 2 of 9"


def test_what_float32_decides_is_said_with_its_digits() -> None:
    # a float32 has 24 bits: next to 0.5 its step is 2**-25, about 3e-8
    told = sentences([0.5, 0.49999999, 0.4999999], EarlyStopping(patience=9))
    assert told[1] == (
        "0.49999999 and 0.5 are the same float32, 0.5: not below; wait 1 of 9"
    )
    assert told[2] == "0.4999999 is below 0.5000000: improvement, wait 0 of 9"
    tied = sentences([0.5, 0.5], EarlyStopping(patience=9))
    assert tied[1] == "0.5000 only equals 0.5000; wait 1 of 9"
    # 0.4 + 0.1 is 0.5 in every precision
    delta = sentences([0.5, 0.4], EarlyStopping(patience=9, min_delta=0.1))
    assert delta[1] == "0.4000 only equals 0.5000 - 0.1; wait 1 of 9"


def test_max_mode_speaks_of_above() -> None:
    upward = EarlyStopping(mode="max", patience=1, min_delta=0.01)
    assert sentences([0.5, 0.505], upward) == [
        (
            "the first val_loss, 0.5000: improvement, wait 0 of 1; "
            "stops if epoch 2 is not above 0.51"
        ),
        "0.5050 is not above 0.5000 + 0.01; wait 1 of 1: stop",
    ]


PLATEAU = ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0)


def test_a_reduction_tells_the_rates_and_what_led_to_it() -> None:
    told = explained([0.5, 0.5, 0.6, 0.6], PLATEAU)
    assert [row.why for row in told.rows] == [
        "the first val_loss, 0.5000: improvement, wait 0 of 2",
        "0.5000 only equals 0.5000; wait 1 of 2; reduces if epoch 3 is not below 0.5",
        (
            "0.6000 is not below 0.5000; wait 2 of 2: reduction of the learning rate, "
            "0.01 to 0.005"
        ),
    ]
    # the log was trained at 0.01 in the fourth epoch
    assert told.closing == (
        (
            "this setting changes the learning rate after epoch 3, and the log shows "
            "no such change: from there on it says nothing"
        ),
    )


def test_a_fiction_is_marked_on_every_line() -> None:
    told = explained([0.5, 0.5, 0.6, 0.6, 0.4], PLATEAU, hypothetical=True)
    assert [row.hypothetical for row in told.rows] == [False] * 3 + [True] * 2
    assert [row.why.startswith("fiction: ") for row in told.rows] == [
        row.hypothetical for row in told.rows
    ]
    assert told.closing[0] == (
        "this setting changes the learning rate after epoch 3, and the log shows no "
        "such change: from there on it says nothing"
    )
    assert len(told.closing) > 1
    assert all(one.startswith("fiction: ") for one in told.closing[1:])


def test_a_fiction_that_stops_says_so() -> None:
    stop = EarlyStopping(patience=3)
    told = explained([0.5, 0.6, 0.6, 0.6], PLATEAU, stop, hypothetical=True)
    assert told.closing[1].startswith("fiction: stopped at the end of epoch 4 by")


def test_why_the_rate_did_not_drop() -> None:
    plateau = ReduceLROnPlateau(patience=3, min_delta=0)
    assert closing([0.5, 0.6, 0.6, 0.4, 0.5], plateau)[1] == (
        "ReduceLROnPlateau never reduced: its longest wait was 2 of 3, at epoch 3; "
        "it reduces after 2 more epochs without a val_loss below 0.4"
    )
    assert closing([0.5, 0.4], plateau)[1].startswith(
        "ReduceLROnPlateau never reduced: it never waited"
    )


def test_the_floor_is_the_reason() -> None:
    floored = ReduceLROnPlateau(patience=1, min_delta=0, min_lr=0.01)
    told = explained([0.5, 0.6, 0.6], floored)
    assert told.rows[1].why == (
        "0.6000 is not below 0.5000; wait 1 of 1, but the learning rate 0.01 is at its "
        "floor, min_lr 0.01: not reduced"
    )
    assert told.closing[1].endswith("; the learning rate 0.01 is at its floor")


def test_a_step_to_the_floor_says_so() -> None:
    floored = ReduceLROnPlateau(factor=0.1, patience=1, min_delta=0, min_lr=0.002)
    # 0.01 * 0.1 is below min_lr
    assert sentences([0.5, 0.6], floored)[1].endswith(
        "reduction of the learning rate, 0.01 to 0.002, its floor min_lr"
    )


def test_a_cooldown_is_the_reason() -> None:
    cooled = ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0, cooldown=3)
    told = explained([0.5, 0.6, 0.6, 0.6, 0.6], cooled, hypothetical=True)
    # reductions of a constant series with cooldown 3: three epochs apart
    assert [row.decision for row in told.rows[1:]] == [
        "reduction",
        "wait",
        "wait",
        "reduction",
    ]
    assert told.rows[1].why.endswith("0.01 to 0.005; cooldown 3")
    assert told.rows[2].why.endswith("; cooldown 2 left, wait 0 of 1")
    assert told.rows[3].why.endswith(
        "cooldown 1 left, wait 0 of 1; reduces if epoch 5 is not below 0.5"
    )


def test_a_rate_that_is_not_in_the_log_is_not_made_up() -> None:
    assert sentences([0.5, 0.6], ReduceLROnPlateau(patience=1, min_delta=0), rate=None)[
        1
    ].endswith(
        "wait 1 of 1: reduction by factor 0.1 of a rate not in the log; reduces "
        "if epoch 3 is not below 0.5"
    )


def test_two_of_a_kind_are_told_apart() -> None:
    pair = (EarlyStopping(patience=9), EarlyStopping(monitor="loss", patience=1))
    told = closing([0.5, 0.6], *pair)
    assert told[0].startswith("stopped at the end of epoch 2 by EarlyStopping#2 (pat")


@pytest.mark.parametrize("losses", [[1e-40, 0.0], [3e38, -3e38], [math.inf, 1.0]])
def test_extreme_values_have_words(losses: Sequence[float | None]) -> None:
    for why in sentences(losses, EarlyStopping(patience=1), ReduceLROnPlateau()):
        assert why


def test_a_resumed_fit_compares_nothing_with_the_fit_before() -> None:
    """A callback that is created anew at the third epoch takes its first value there.

    By hand: 0.25 is the best of the first fit, and the second one begins at 0.5.
    """
    values = Run.from_logs({"val_loss": loss} for loss in [0.75, 0.25, 0.5, 0.375])
    run = replace(values, seams=(2,))

    def told(callback: Any, resume: Any = "fresh") -> list[str]:
        replay = replay_run(run, callback, semantics="keras-3.15", resume=resume)
        return [row.why for row in explain_replay(replay).rows]

    begins, below = "another fit begins", "is not below"
    improved = "improvement, wait 0 of 1; stops if"
    assert told(EarlyStopping(patience=1)) == [
        f"the first val_loss, 0.7500: {improved} epoch 2 is not below 0.75",
        f"0.2500 is below 0.7500: {improved} the next epoch of this fit {below} 0.25",
        f"{begins}; the first val_loss, 0.5000: {improved} epoch 4 {below} 0.5",
        f"0.3750 is below 0.5000: {improved} epoch 5 is not below 0.375",
    ]
    checkpoint = ModelCheckpoint("b.keras", save_best_only=True)
    assert told(checkpoint)[2:] == [
        "another fit begins; the first val_loss, 0.5000: saved as b.keras",
        "0.3750 is below 0.5000: saved as b.keras",
    ]
    # the same checkpoint in both fits knows the best of the first one
    assert told(checkpoint, "carried")[2:] == [
        "another fit begins; 0.5000 is not below 0.2500: not saved",
        "0.3750 is not below 0.2500: not saved",
    ]


def test_a_negative_min_delta_is_spoken_of_as_it_acts() -> None:
    # EarlyStopping takes abs(min_delta): as in the worked example with 0.02
    stopper = replace(E3, min_delta=-0.02)
    assert sentences(LOSSES, stopper) == sentences(LOSSES, E3)
    assert closing(LOSSES, stopper) == closing(LOSSES, E3)
