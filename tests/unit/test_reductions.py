"""What a record shows of a ReduceLROnPlateau: by hand, with a stop and without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    build_staircase,
    replay_run,
)
from cbreplay.answers.staircase_rate import rate_section
from cbreplay.document import Points, plain_text
from cbreplay.staircase.rate_history import explain_rate
from cbreplay.staircase.reductions import (
    account_reductions,
    later_gains,
    rate_kept_until,
    recorded_reductions,
)

if TYPE_CHECKING:
    from cbreplay.staircase.reductions import ReductionAccount

# with patience 1: reductions at the ends of epochs 2 and 4; with patience 2: none
LOSSES = [0.8, 0.6, 0.7, 0.5, 0.55, 0.45, 0.4]
RATES = [0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def make_run(rates: list[float | None] | None = None) -> Run:
    rows = [
        {"val_loss": loss, "learning_rate": rate}
        for loss, rate in zip(LOSSES, rates or RATES, strict=True)
    ]
    return Run.from_logs(rows)


def account(
    *callbacks: Any, rates: list[float | None] | None = None
) -> ReductionAccount:
    return account_reductions(
        replay_run(make_run(rates), callbacks, semantics="keras-3.15")
    )


def reduce(patience: int, factor: float = 0.5) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(patience=patience, factor=factor, min_delta=0)


def test_the_setting_that_made_the_record_explains_all_of_it() -> None:
    assert account(reduce(1))._asdict() == {
        "first_reduction_epoch": 2,
        "explained": 2,
        "recorded": 2,
        "evident_epochs": 7,
        "recorded_epochs": 7,
        "acts_first": "reduce",
    }
    told = explain_rate(make_run(), monitor="val_loss", semantics="keras-3.15")
    assert recorded_reductions(make_run()) == list(told.reductions)


def test_another_factor_explains_none_and_ends_the_evidence() -> None:
    # it reduces in the same epoch, to .05
    one = account(reduce(1, 0.1))
    assert (one.first_reduction_epoch, one.explained, one.recorded) == (2, 0, 2)
    assert (one.evident_epochs, one.recorded_epochs) == (3, 7)


def test_more_patience_does_not_reduce_where_the_record_does() -> None:
    # never in the three epochs that are evidence: whether it would later, nobody knows
    one = account(reduce(2), EarlyStopping(patience=3))
    assert (one.first_reduction_epoch, one.explained) == (None, 0)
    assert (one.evident_epochs, one.acts_first) == (3, None)


def test_up_to_a_stop_only_those_before_it_are_asked_for() -> None:
    # EarlyStopping(1) stops at epoch 2, in which the reduction acts on nothing
    one = account(reduce(1), EarlyStopping(patience=1))
    assert (one.first_reduction_epoch, one.acts_first) == (2, "stop")
    # it is decided all the same, as recorded
    assert (one.explained, one.recorded) == (1, 1)
    assert (one.evident_epochs, one.recorded_epochs) == (3, 3)
    # to another rate, it is not the recorded one
    other = account(reduce(1, 0.1), EarlyStopping(patience=1))
    assert (other.explained, other.recorded) == (0, 1)


def test_a_stop_before_any_reduction_is_one() -> None:
    one = account(reduce(5), EarlyStopping(patience=1))
    assert (one.first_reduction_epoch, one.acts_first) == (None, "stop")
    assert (one.explained, one.recorded) == (0, 1)


def test_without_a_recorded_rate_nothing_is_there_to_explain() -> None:
    one = account(reduce(1), rates=[None] * 7)
    assert (one.explained, one.recorded) == (None, None)
    # taken as constant: it diverges after its first reduction
    assert (one.first_reduction_epoch, one.evident_epochs) == (2, 3)


def test_a_rate_that_rises_is_no_reduction() -> None:
    rates: list[float | None] = [0.5, 0.5, 0.25, 0.5, 0.5, 0.25, 0.25]
    found = recorded_reductions(make_run(rates))
    assert [(one.epoch, one.new) for one in found] == [(1, 0.25), (4, 0.25)]


@pytest.mark.parametrize("patience", [1, 2, 3, 5])
def test_what_is_explained_is_never_more_than_what_is_recorded(patience: int) -> None:
    for stopper in (EarlyStopping(patience=1), EarlyStopping(patience=2)):
        one = account(reduce(patience), stopper)
        assert one.explained is not None
        assert one.recorded is not None
        assert 0 <= one.explained <= one.recorded
        assert 0 <= one.evident_epochs <= one.recorded_epochs


def gains_of(losses: list[float], **options: Any) -> list[Any]:
    run = Run.from_logs([{"val_loss": loss} for loss in losses])
    staircase = build_staircase(run, semantics="keras-3.15", **options)
    return [tuple(later) for later in later_gains(staircase)]


def test_what_the_record_still_gained_after_a_first_reduction() -> None:
    # best 0.5 by the third wait at epoch 4, and 0.4 in the end: a fifth less
    assert gains_of([1, 0.5, 0.6, 0.7, 0.6, 0.4]) == [(3, 4, pytest.approx(0.2))]
    assert gains_of([1, 0.5, 0.6, 0.7, 0.6, 0.5]) == [(3, 4, 0.0)]


def test_shares_of_what_is_no_positive_loss_say_nothing() -> None:
    assert gains_of([1, 0.5, 0.6, 0.7, 0.6, -0.4]) == []
    assert gains_of([0.2, 0.5, 0.4, 0.3, 0.4, 0.9], mode="max") == []


def test_a_record_that_is_reduced_then_as_well_gained_at_no_kept_rate() -> None:
    # patience 3 acts at the end of epoch 4, where the recorded rate falls as well, but
    # by no factor that anybody writes
    losses = [1, 0.5, 0.6, 0.7, 0.6, 0.4, 0.3]
    rates = [0.1] * 5 + [0.0123457] * 2
    rows = [
        {"val_loss": loss, "learning_rate": rate}
        for loss, rate in zip(losses, rates, strict=True)
    ]
    staircase = build_staircase(Run.from_logs(rows), semantics="keras-3.15")
    assert [tuple(first) for first in staircase.rate.first_reductions] == [(3, 4)]
    assert later_gains(staircase) == ()


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (
            0.5,
            (
                # the best value before the reduction stays, so this is a law
                "did not lower its best val_loss after epoch 5. A reduction there "
                "cannot make that best worse."
            ),
        ),
        (0.49, "57 % of those with 1 to 3 % still to come ended more than 1 % worse."),
        (0.46, "77 % of those with 3 to 10 % still to come ended more than 1 % worse."),
        (
            0.4,
            (
                "by 20 % after epoch 5. Of 2,208 retrainings with an earlier "
                "reduction, 85 % of those with over 10 % still to come ended "
                "more than 1 % worse."
            ),
        ),
    ],
)
def test_what_as_much_still_to_come_meant_in_retrainings(
    last: float, said: str
) -> None:
    run = Run.from_logs([{"val_loss": loss} for loss in [1, 0.5, 0.6, 0.7, 0.6, last]])
    staircase = build_staircase(run, semantics="keras-3.15")
    (section,) = rate_section(staircase)
    (points,) = section.blocks
    assert isinstance(points, Points)
    assert plain_text(points.points[-1]).endswith(said)


def rated(rates: list[float]) -> Run:
    losses = [1, 0.5, 0.6, 0.7, 0.6, 0.4]
    return Run.from_logs(
        {"val_loss": loss, "learning_rate": rate}
        for loss, rate in zip(losses, rates, strict=True)
    )


@pytest.mark.parametrize(
    ("rates", "until"),
    [
        # never changed: up to the end of the record
        ([0.1] * 6, 5),
        # reduced at the end of epochs 4 and 1
        ([0.1] * 5 + [0.05], 4),
        ([0.1] * 2 + [0.05] * 4, 1),
        # rises, be it late
        ([0.1] * 5 + [0.2], 0),
    ],
)
def test_until_when_a_record_kept_its_rate(rates: list[float], until: int) -> None:
    assert rate_kept_until(rated(rates)) == until


def test_both_readings_of_a_rate_have_kept_it() -> None:
    other = rated([0.1] * 3 + [0.05] * 3).learning_rate
    assert rate_kept_until(replace(rated([0.1] * 6), other_learning_rate=other)) == 2


def test_a_reduction_among_epochs_without_a_rate_is_in_one_of_them() -> None:
    # reduced at the end of epoch 2, 3 or 4, counted from 0
    run = make_run([0.5, 0.5, 0.5, None, None, 0.25, 0.125])
    assert [(drop.epoch, drop.latest) for drop in recorded_reductions(run)] == [
        (2, 4),
        (5, 5),
    ]
    (section,) = rate_section(build_staircase(run, semantics="keras-3.15"))
    points = section.blocks[-1]
    assert isinstance(points, Points)
    said = plain_text(points.points[0])
    assert "was reduced after epochs 3-5, 6 (0.5 to 0.125)" in said
