"""A log whose rates were rounded when it was saved again is compared to its digits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Replay,
    Run,
    choices,
    load_runs,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.json_fields import describe_replay
from cbreplay.answers.swept_cells import read_sweep
from cbreplay.evidence.rounded import count_digits
from cbreplay.evidence.words import brief_evidence, limits_of_replays
from cbreplay.readers.building.written_digits import hold_float32
from cbreplay.run import Series
from cbreplay.staircase.reductions import account_reductions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import Ask

SEMANTICS = "keras-3.15"
# no improvement after the first epoch: patience 2 reduces at the end of epochs 2, 4, 6
VAL_LOSS = [0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
FULL = [1e-3, 1e-3, 1e-3, 2e-4, 2e-4, 4e-5, 4e-5, 8e-6]


def stepped(first: float, factor: float) -> list[float]:
    """Return the float32 rates of the epochs in all their digits, as Keras has them."""
    rate = np.float32(first)
    rates = [float(rate)] * 3
    while len(rates) < len(VAL_LOSS):
        rate = np.float32(float(rate) * factor)
        rates += [float(rate)] * 2
    return rates[: len(VAL_LOSS)]


def read(path: Path, rates: Sequence[float]) -> Run:
    rows = zip(range(8), VAL_LOSS, rates, strict=True)
    lines = [f"{epoch},{loss},{rate!r}\n" for epoch, loss, rate in rows]
    log = path / "log.csv"
    log.write_text("epoch,val_loss,learning_rate\n" + "".join(lines), encoding="ascii")
    (run,) = load_runs(log)
    return run


def replay(run: Run, factor: float) -> Replay:
    callbacks = [
        ReduceLROnPlateau(patience=2, factor=factor),
        EarlyStopping(patience=7),
    ]
    return replay_run(run, callbacks, semantics=SEMANTICS)


def test_rounded_rates_decide_as_the_rates_they_were_rounded_from(
    tmp_path: Path,
) -> None:
    full = stepped(1e-3, 0.2)
    # the third rate is no float32 nearest to 4e-05: the log was rounded there
    assert np.float32(4e-5) != np.float32(full[5])
    assert [float(f"{rate:.1g}") for rate in full] == FULL
    for rates in (full, FULL):
        told = replay(read(tmp_path, rates), 0.2)
        assert told.divergence_epoch is None
        assert [one.epoch for one in told.reductions] == [2, 4, 6]
        assert (told.evidence, told.stopped_epoch) == ("exact", 7)


@pytest.mark.parametrize("patience", [2, 4, 6])
def test_a_rounded_reduction_is_made_also_where_the_list_stops(
    tmp_path: Path, patience: int
) -> None:
    """The reduction is decided at the end of the epoch that is the last trained."""
    run = read(tmp_path, FULL)
    stopping = EarlyStopping(patience=patience)
    reducing = ReduceLROnPlateau(patience=2, factor=0.2)
    told = replay_run(run, [reducing, stopping], semantics=SEMANTICS)
    account = account_reductions(told)
    assert told.stopped_epoch == patience
    assert account.explained == account.recorded == patience // 2


@pytest.mark.parametrize(
    ("rates", "factor", "diverges"),
    [
        # another factor: 5e-4 is not 2e-4
        (FULL, 0.5, 3),
        # 9e-4 would have been written otherwise than .001, and 2e-4 otherwise still
        (FULL, 0.9, 3),
        # the digits of .001 do not tell .00099 from it
        ([1e-3] * 7 + [2e-4], 0.99, 3),
        # the record's rate falls at epoch 2, before any reduction
        ([1e-3, 1e-3, 2e-4, 2e-4, 2e-4, 4e-5, 4e-5, 8e-6], 0.2, 2),
        # it never falls again
        ([1e-3] * 3 + [2e-4] * 5, 0.2, 5),
    ],
)
def test_rates_that_the_digits_do_not_confirm_diverge(
    tmp_path: Path, rates: list[float], factor: float, diverges: int
) -> None:
    told = replay(read(tmp_path, rates), factor)
    assert (told.evidence, told.divergence_epoch) == ("diverged", diverges)


def test_a_sweep_over_rounded_rates_is_replay_by_replay(tmp_path: Path) -> None:
    run = read(tmp_path, FULL)
    grid = make_grid(
        [
            choices(ReduceLROnPlateau, patience=[2, 3], factor=[0.2, 0.5]),
            EarlyStopping(patience=7),
        ]
    )
    sweep = sweep_runs([run], grid, semantics=SEMANTICS)
    # patience and factor: only 2 and .2 are what was recorded
    assert sweep.divergence_epoch.shape == (1, 4)
    for column, (patience, factor) in enumerate(
        [(2, 0.2), (2, 0.5), (3, 0.2), (3, 0.5)]
    ):
        callbacks = [
            ReduceLROnPlateau(patience=patience, factor=factor),
            EarlyStopping(patience=7),
        ]
        told = replay_run(run, callbacks, semantics=SEMANTICS)
        assert bool(sweep.stopped[0, column]) == (told.stopped_epoch is not None)
        if told.divergence_epoch is not None:
            assert sweep.divergence_epoch[0, column] == told.divergence_epoch


@pytest.mark.parametrize("form", ["{:.6f}", "{:.2e}", "{:.4%}", "{:.1E}", "{:.15g}"])
def test_rates_are_the_same_in_whatever_form_they_are_written(
    tmp_path: Path, form: str
) -> None:
    # no value is better than the first: patience 2 reduces after epochs 2, 4 and 6
    rates = [0.003] * 3 + [0.0006] * 2 + [0.00012] * 2
    rows = [f"{epoch},{form.format(rate)},0.5" for epoch, rate in enumerate(rates)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["epoch,learning_rate,val_loss", *rows, ""]))
    (run,) = load_runs(log)
    reducing = ReduceLROnPlateau(factor=0.2, patience=2)
    replay = replay_run(run, reducing, semantics="keras-3.15")
    assert replay.divergence_epoch is None
    assert replay.learning_rate is not None
    assert replay.learning_rate.values == pytest.approx(rates)


def test_a_rate_that_was_rounded_to_0_is_below_the_last_digit(
    ask: Ask, tmp_path: Path
) -> None:
    # 0.003, 0.0003 and 0.00003 with four decimals: the last is written as 0.0000
    rates = ["0.0030"] * 3 + ["0.0003"] * 2 + ["0.0000"] * 2
    rows = [f"{epoch},{rate},{0.5 + epoch / 9}" for epoch, rate in enumerate(rates)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["epoch,learning_rate,val_loss", *rows, ""]))
    assert "(0.003 to below 5e-05)" in ask("simulate", log).out
    (run,) = load_runs(log)

    def evidence(floor: float) -> str:
        reducing = ReduceLROnPlateau(factor=0.1, patience=2, min_lr=floor)
        return replay_run(run, reducing, semantics="keras-3.15").evidence

    assert evidence(0) == "censored"
    # a floor of 0.0001 would have been written as such
    assert evidence(0.0001) == "diverged"


def test_a_half_that_was_rounded_away_is_no_other_rate(tmp_path: Path) -> None:
    # .001, .0005, .00025, .000125 with four decimals: .00025 is half a unit away
    full = stepped(1e-3, 0.5)
    run = read(tmp_path, [float(f"{rate:.4f}") for rate in full])
    assert run.learning_rate is not None
    assert list(run.learning_rate)[5] == np.float32(0.0003)
    assert replay(run, 0.5).divergence_epoch is None
    assert replay(run, 0.2).divergence_epoch == 3


# .001 with one digit, or four decimals, may be anything from .00095 to .0015, so that
# .7 of it may be written alike
@pytest.mark.parametrize(
    ("factor", "brief", "parted_by"),
    [
        (0.7, "rate too rounded at 3", "hidden"),
        # a half is not: .00075 is written as .0008 at most
        (0.5, "rate changes at 3", "reduction"),
    ],
)
def test_a_label_says_that_digits_hide_a_reduction(
    tmp_path: Path, factor: float, brief: str, parted_by: str
) -> None:
    # a half, then a fifth: no plateau rule does that, so digits were rounded away
    run = read(tmp_path, [1e-3] * 6 + [5e-4, 1e-4])
    told = replay(run, factor)
    assert (told.divergence_epoch, brief_evidence(told)) == (3, brief)
    assert describe_replay(told)["diverged_by"] == parted_by
    listed = [
        choices(ReduceLROnPlateau, patience=[2, 3], factor=factor),
        EarlyStopping(patience=7),
    ]
    cells = read_sweep(sweep_runs([run], make_grid(listed), semantics=SEMANTICS))
    # patience 3 reduces an epoch later
    assert cells.columns["parted_by"] == [parted_by] * 2
    assert f'"{brief.partition(" at")[0]}": ' in limits_of_replays([told])


# eight digits or more in the first rates, and fewer than tell float32 in later ones
@pytest.mark.parametrize("form", [".10f", ".9f", ".8f", ".8g", ".10g"])
@pytest.mark.parametrize(
    ("first", "factor"), [(0.002, 0.1**0.5), (0.01, 0.9), (1.0, 0.3)]
)
def test_digits_that_only_some_rates_have_are_no_other_rates(
    tmp_path: Path, form: str, first: float, factor: float
) -> None:
    full = stepped(first, factor)
    run = read(tmp_path, [float(f"{rate:{form}}") for rate in full])
    told = replay(run, factor)
    assert [made.epoch for made in told.reductions] == [2, 4, 6]
    assert (told.evidence, told.stopped_epoch) == ("exact", 7)
    assert replay(run, factor * 0.99).divergence_epoch == 3


def test_below_a_power_of_ten_a_digit_is_ten_times_finer(tmp_path: Path) -> None:
    """A twentieth of .01 is .0005, which nobody writes as .001 beside a .0001."""
    losses = [0.9, 0.8, 0.7, 0.6, 0.61, 0.62, 0.63, 0.5]
    losses += [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]
    rates = [0.01] * 6 + [0.001] * 4 + [0.0001] * 4
    rows = zip(range(14), losses, rates, strict=True)
    lines = [f"{epoch},{loss},{rate}\n" for epoch, loss, rate in rows]
    log = tmp_path / "log.csv"
    log.write_text("epoch,val_loss,lr\n" + "".join(lines), encoding="ascii")
    (run,) = load_runs(log)

    def diverges(factor: float) -> int | None:
        reducing = ReduceLROnPlateau(patience=2, factor=factor)
        return replay_run(run, reducing, semantics=SEMANTICS).divergence_epoch

    # .6 is the best until epoch 7: both reduce at the end of 5
    assert diverges(0.05) == 6
    # with a tenth, the record is what the setting does up to epoch 11: .5 is the best,
    # 9 and 11 reduce, and .00001 is not .0001
    assert diverges(0.1) == 12


# patience 2 first reduces after epoch 2
@pytest.mark.parametrize(
    ("rates", "factor", "others"),
    [
        ([0.01] * 3 + [0.001] * 5, 0.1, [0.05, 0.08, 0.12, 0.15]),
        ([0.01] * 3 + [0.001] * 2 + [0.0001] * 3, 0.1, [0.12, 0.15]),
        ([0.001] * 3 + [0.0005] * 5, 0.5, [0.45, 0.52, 0.55]),
    ],
)
def test_rates_of_one_digit_that_fall_alike_are_what_was_set(
    tmp_path: Path, rates: list[float], factor: float, others: list[float]
) -> None:
    """No rounding left .01 and .001: a training at .0005 is not what was recorded."""
    run = read(tmp_path, rates)
    assert any("taken as written" in note for note in run.notes)
    assert replay(run, factor).reductions[0].epoch == 2
    assert replay(run, factor).divergence_epoch != 3
    assert [replay(run, other).divergence_epoch for other in others] == [3] * len(
        others
    )


def test_a_last_rate_that_is_a_power_of_ten_is_a_min_lr(tmp_path: Path) -> None:
    """Keras 2's CSVLogger writes .001 of ``min_lr=0.001``, and .00080000004 without."""
    run = read(tmp_path, [0.02] * 3 + [0.004] * 2 + [0.001] * 3)

    def stopped_at_6(min_lr: float) -> tuple[str, int | None]:
        told = replay_run(
            run,
            [
                ReduceLROnPlateau(patience=2, factor=0.2, min_lr=min_lr),
                EarlyStopping(patience=6),
            ],
            semantics="keras-2.15",
        )
        return told.evidence, told.divergence_epoch

    assert stopped_at_6(0.001) == ("exact", None)
    assert [stopped_at_6(other) for other in (0, 0.0008)] == [("diverged", 5)] * 2


def test_a_half_of_a_rate_in_one_digit_is_seen_where_the_log_keeps_it(
    tmp_path: Path,
) -> None:
    """A warm-up to .001, which no writer makes of .0015: its half is another rate."""
    told = replay(read(tmp_path, [1e-4] * 2 + [1e-3] * 6), 0.5)
    assert told.divergence_epoch == 2
    run = read(tmp_path, [1e-4] * 7 + [1e-3])
    assert brief_evidence(replay(run, 0.5)) == "rate changes at 3"


def as_digits(rate: float, size: int) -> float:
    return float(f"{rate:.{size}g}")


def as_decimals(rate: float, size: int) -> float:
    return float(f"{rate:.{size}f}")


@pytest.mark.parametrize(("write", "sizes"), [(as_digits, 10), (as_decimals, 10)])
@pytest.mark.parametrize("seed", range(60))
def test_a_rate_lies_between_the_ends_of_what_was_written(
    tmp_path: Path, write: Callable[[float, int], float], sizes: int, seed: int
) -> None:
    """Whatever the rates, and however they are rounded."""
    drawn = np.random.default_rng(seed)
    powers = 10.0 ** drawn.integers(-5, 1, 8)
    # half of them hardly beside a power of ten, where the ends differ
    beside = np.where(drawn.random(8) < 0.5, drawn.uniform(0.94, 1.16, 8), 1)
    drawn_rates = powers * beside * drawn.choice([1, 2, 5, 9.99], 8)
    true = drawn_rates.astype(np.float32).tolist()
    size = int(drawn.integers(1, sizes + 1))
    written = [write(rate, size) for rate in true]
    run = read(tmp_path, written)
    # rates as .5 and 0 are float32 numbers, and nothing shows that they were rounded
    shown = len({*written}) > 1 and not hold_float32(np.array(written)).all()
    for rate, said in zip(true, written, strict=True) if shown else ():
        known = float(np.float32(said))
        lowest, highest = run.learning_rate_rounding.get(known, (known, known))
        assert lowest <= rate <= highest


@pytest.mark.parametrize(
    "column",
    [
        [0.01, 0.001, 0.0003],
        [0.001, 0.0005, 0.0003, 0.0001],
        [1.0, 0.1, 0.013],
        [0.1, 0.0123, 0.001, 0.00045],
    ],
)
def test_ends_are_the_tightest_that_hold_for_either_way_of_rounding(
    tmp_path: Path, column: list[float]
) -> None:
    digits, decimals = count_digits(np.array(column))
    run = read(tmp_path, [*column, *column[-1:] * (8 - len(column))])
    for said in column:
        lowest, highest = run.learning_rate_rounding[float(np.float32(said))]
        # two millionths of the value beyond an end, no way of rounding writes it so
        for rate, is_written in (
            (lowest * (1 - 2e-6), False),
            (lowest * (1 + 2e-6), True),
            (highest * (1 - 2e-6), True),
            (highest * (1 + 2e-6), False),
        ):
            ways = {as_digits(rate, digits), as_decimals(rate, decimals)}
            assert (said in ways) == is_written


def test_a_rate_read_as_that_of_the_epoch_before_keeps_its_digits(
    tmp_path: Path,
) -> None:
    """TensorBoard read each rate after the reduction: row 1 has that of epoch 2."""
    rates = [np.float32(0.01)]
    while len(rates) < 7:
        rates.append(np.float32(float(rates[-1]) * 0.123))
    trained = [float(f"{rate:.2g}") for rate in (rates[0], *rates)]
    run = read(tmp_path, [*trained[1:], 0.0])
    known = np.ones(8, dtype=np.bool_)
    shifted = replace(
        run, learning_rate=Series(np.array(trained).astype(np.float32), known)
    )
    reducing = ReduceLROnPlateau(patience=1, factor=0.123)
    for read_so, diverges in ((run, 1), (shifted, None)):
        told = replay_run(read_so, reducing, semantics=SEMANTICS)
        assert told.divergence_epoch == diverges


def test_a_rate_that_is_not_logged_is_no_change_of_it(tmp_path: Path) -> None:
    # a loop that writes the rate only where it changes: the cells between are empty
    changed = [f"{new}" if new != old else "" for old, new in pairwise([0.0, *FULL])]
    rows = zip(range(8), VAL_LOSS, changed, strict=True)
    lines = [f"{epoch},{loss},{rate}\n" for epoch, loss, rate in rows]
    log = tmp_path / "log.csv"
    log.write_text("epoch,val_loss,learning_rate\n" + "".join(lines), encoding="ascii")
    (run,) = load_runs(log)
    told = replay(run, 0.2)
    assert (told.divergence_epoch, brief_evidence(told)) == (1, "rate not logged at 2")
    assert describe_replay(told)["diverged_by"] == "unrecorded"
    assert '"rate not logged": the log does not tell' in limits_of_replays([told])
    listed = [choices(ReduceLROnPlateau, patience=[2, 3]), EarlyStopping(patience=7)]
    cells = read_sweep(sweep_runs([run], make_grid(listed), semantics=SEMANTICS))
    assert cells.columns["parted_by"] == ["unrecorded"] * 2


def test_rates_narrowed_to_half_precision_are_compared_in_it(tmp_path: Path) -> None:
    # .0002 is .00020003318786621094 there; the wide rates fit with no other factor
    run = read(tmp_path, [float(np.float16(rate)) for rate in FULL])
    assert replay(run, 0.2).divergence_epoch is None
    assert replay(run, 0.25).divergence_epoch == 3
    assert "learning rates in half precision" in " ".join(run.notes)


def test_logarithms_of_rates_are_no_rates(tmp_path: Path) -> None:
    run = read(tmp_path, [float(np.log10(rate)) for rate in FULL])
    assert run.learning_rate is None
    assert "the learning rate is below 0, as a logarithm is" in " ".join(run.notes)
