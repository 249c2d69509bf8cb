"""Which epoch a row is: counts from 1, parts, seams, and what the user says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    ConfigError,
    Run,
    load_runs,
)

if TYPE_CHECKING:
    from pathlib import Path

KERAS = "epoch,accuracy,loss,val_accuracy,val_loss\r\n"


def read(path: Path, text: str, **options: Any) -> list[Run]:
    log = path / "training_log.csv"
    log.write_text(text, encoding="utf-8", newline="")
    return load_runs(log, **options)


def rows(*epochs: int, end: str = "\n") -> str:
    """Write losses that fall from 1, one row for each epoch."""
    lines = [f"{epoch},{1 / (at + 1)}" for at, epoch in enumerate(epochs)]
    return "".join(line + end for line in ["epoch,train_loss", *lines])


@pytest.mark.parametrize(
    ("epochs", "first", "horizon"),
    [
        ((0, 1, 2), 0, 2),
        ((1, 2, 3), 0, 2),
        ((1,), 0, 0),
        # a log that begins at 1 counts from 1, whatever follows
        ((1, 2, 5, 9), 0, 8),
        # 10 is the tenth epoch if every tenth is logged
        ((10, 20, 30, 40), 9, 39),
        ((5, 10, 15, 18), 4, 17),
        # what begins elsewhere goes on with something
        ((11, 12, 13), 11, 13),
        ((2, 4, 7, 30), 2, 30),
    ],
)
def test_a_log_that_begins_at_one_or_at_its_cadence_counts_from_one(
    tmp_path: Path, epochs: tuple[int, ...], first: int, horizon: int
) -> None:
    (run,) = read(tmp_path, rows(*epochs))
    assert (run.first_epoch, run.horizon) == (first, horizon)
    from_one = first == epochs[0] - 1
    assert from_one == any("taken as counted from 1" in note for note in run.notes)


def test_keras_own_log_counts_from_zero_wherever_it_begins(tmp_path: Path) -> None:
    (run,) = read(tmp_path, KERAS + "1,.5,.4,.5,.6\r\n2,.6,.3,.5,.5\r\n")
    assert (run.first_epoch, run.horizon) == (1, 2)
    assert "taken as counted from 0" in run.notes[-1]
    # the same names in another order, or another line end, are not Keras's
    for other in (
        "epoch,loss,accuracy\r\n1,.5,.4\r\n2,.4,.5\r\n",
        "epoch,accuracy,loss\n1,.5,.4\n2,.4,.5\n",
    ):
        (run,) = read(tmp_path, other)
        assert (run.first_epoch, run.horizon) == (0, 1)


def test_a_restart_in_a_log_that_counts_from_one_counts_from_one(
    tmp_path: Path,
) -> None:
    first, second = read(tmp_path, rows(1, 2, 3, 1, 2))
    assert (first.first_epoch, first.horizon) == (0, 2)
    assert (second.first_epoch, second.horizon) == (0, 1)
    # a 0 anywhere shows that it counts from 0
    runs = read(tmp_path, rows(1, 2, 0, 1))
    assert [run.first_epoch for run in runs] == [1, 0]


@pytest.mark.parametrize("first", [0, 1, 7])
def test_the_user_says_which_epoch_the_first_row_is(tmp_path: Path, first: int) -> None:
    (run,) = read(tmp_path, rows(1, 2, 4), first_epoch=first)
    assert (run.first_epoch, run.horizon) == (first, first + 3)
    assert f"the first row is epoch {first} (counted from 0), as given" in run.notes


def test_lists_and_frames_are_numbered_in_the_same_way() -> None:
    (run,) = load_runs({"epoch": [1, 2, 3], "loss": [0.5, 0.4, 0.3]})
    assert (run.first_epoch, run.horizon) == (0, 2)
    (run,) = load_runs({"epoch": [1, 2], "loss": [0.5, 0.4]}, first_epoch=1)
    assert run.first_epoch == 1


def test_parts_are_trainings_or_one_training_or_rows(tmp_path: Path) -> None:
    text = rows(0, 1, 2, 3, 2, 3, 4)
    first, second = read(tmp_path, text)
    assert (first.horizon, second.first_epoch, second.horizon) == (3, 2, 4)
    (joined,) = read(tmp_path, text, parts="join")
    # the rows 1/5, 1/6, 1/7 stand for the epochs 2, 3, 4
    assert list(joined.series["train_loss"]) == [1, 1 / 2, 1 / 5, 1 / 6, 1 / 7]
    assert joined.seams == (2,)
    (listed,) = read(tmp_path, text, parts="rows")
    assert list(listed.series["train_loss"]) == [1 / n for n in range(1, 8)]
    assert (listed.seams, listed.n_epochs) == ((), 7)
    assert any("every row was taken as the next epoch" in note for note in listed.notes)


def test_fits_of_one_epoch_each_are_numbered_on_request(tmp_path: Path) -> None:
    (run,) = read(tmp_path, rows(0, 0, 0, 0), parts="rows")
    assert (run.first_epoch, run.horizon) == (0, 3)
    (run,) = read(tmp_path, rows(1, 1, 1), parts="rows")
    assert (run.first_epoch, run.horizon) == (0, 2)


def test_seams_are_known_from_a_header_and_from_the_user(tmp_path: Path) -> None:
    text = "epoch,loss\n0,1\n1,.5\nepoch,loss\n2,.6\n3,.4\n"
    (run,) = read(tmp_path, text)
    assert run.seams == (2,)
    (run,) = read(tmp_path, text, seams=[3])
    assert run.seams == (2, 3)
    (run,) = read(tmp_path, rows(0, 1, 2), seams=[1, 9])
    assert run.seams == (1,)
    assert any("--seam 9 or seams=[9] (9 epochs come before" in n for n in run.notes)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        (
            {"parts": "all"},
            "parts is 'all', where 'split', 'join' or 'rows' is",
        ),
        ({"first_epoch": -1}, f"must be a whole number from 0 to {2**62}, not -1"),
        ({"first_epoch": 2**63}, f"must be a whole number from 0 to {2**62}, not"),
        ({"seams": [0]}, "seams must be a whole number from 1 on, not 0"),
    ],
)
def test_options_that_cannot_be_are_refused(
    option: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_runs({"loss": [0.5]}, **option)
    assert sentence in str(caught.value)


def test_a_table_that_was_appended_again_is_read_once(tmp_path: Path) -> None:
    losses = [0.9, 0.7, 0.6, 0.55]
    blocks = [
        "".join(f"{epoch},{loss}\n" for epoch, loss in enumerate(losses[:end]))
        for end in (1, 2, 3, 4, 4, 2)
    ]
    (run,) = read(tmp_path, "epoch,loss\n" + "".join(blocks))
    assert list(run.series["loss"]) == losses
    assert any("its rows stand there 5 times more" in note for note in run.notes)
    header = "epoch,loss\n"
    (run,) = read(tmp_path, header + header.join(blocks[:3]))
    assert list(run.series["loss"]) == losses[:3]


MANY_DIGITS = [0.9123456789012345, 0.7123456789012345, 0.6123456789012345, 0.5]


def saves(times: list[str], ends: list[int]) -> str:
    """Write a table again at each save, all of its rows with the time of that save."""
    return "saved,epoch,loss\n" + "".join(
        f"{time},{epoch},{loss}\n"
        for time, end in zip(times, ends, strict=True)
        for epoch, loss in enumerate(MANY_DIGITS[:end])
    )


@pytest.mark.parametrize("ends", [[1, 2, 3, 4], [2, 4, 4], [2, 3, 4]])
def test_a_time_of_each_save_makes_no_training_of_it(
    tmp_path: Path, ends: list[int]
) -> None:
    times = [f"{1700000000 + 60 * at}" for at in range(len(ends))]
    (run,) = read(tmp_path, saves(times, ends))
    assert list(run.series["loss"]) == MANY_DIGITS


@pytest.mark.parametrize("header", ["", "epoch,loss\n"])
def test_saves_that_stand_newest_first_are_put_in_order_where_they_are_joined(
    tmp_path: Path, header: str
) -> None:
    text = f"epoch,loss\n4,.5\n5,.4\n{header}2,.7\n3,.6\n{header}0,.9\n1,.8\n"
    *_, last = read(tmp_path, text)
    assert any(
        "wrote its rows above the earlier ones, --parts" in n for n in last.notes
    )
    (run,) = read(tmp_path, text, parts="join")
    assert list(run.series["loss"]) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert run.seams == ()
    # of these, the second does not end where the first begins
    apart = "epoch,loss\n4,.5\n5,.4\n0,.9\n1,.8\n"
    assert not any(
        "above the earlier" in n for r in read(tmp_path, apart) for n in r.notes
    )


def test_few_digits_below_another_number_are_no_save(tmp_path: Path) -> None:
    """Two trainings at other rates may well begin with the same rounded losses."""
    text = "rate,epoch,loss\n.1,0,.5\n.1,1,.4\n.2,0,.5\n.2,1,.4\n.2,2,.3\n"
    assert len(read(tmp_path, text)) == 2
    # of fits of one epoch, nothing but a number that both were given is the same
    text = "width,epoch,loss\n0.12345678901234567,0,.5\n0.12345678901234567,0,.4\n"
    assert len(read(tmp_path, text)) == 2


def test_trainings_that_failed_alike_are_not_one(tmp_path: Path) -> None:
    # nan and nan, or a loss that never changes, says nothing about which training it is
    text = "epoch,loss\n0,nan\n1,nan\n0,nan\n1,nan\n2,nan\n"
    assert len(read(tmp_path, text)) == 2
    text = "epoch,loss\n0,.5\n1,.5\n0,.5\n1,.5\n2,.4\n"
    assert len(read(tmp_path, text)) == 2
    # they part in the second epoch
    text = "epoch,loss\n0,.5\n1,.4\n0,.5\n1,.3\n"
    assert len(read(tmp_path, text)) == 2


def test_all_trainings_of_a_table_count_alike(tmp_path: Path) -> None:
    """Of two rows that changed places the first is the second epoch."""
    runs = read(tmp_path, rows(2, 1))
    assert [run.first_epoch for run in runs] == [1, 0]
    assert "because the smallest is 1" in " ".join(runs[0].notes)


def test_epochs_before_a_log_that_begins_later_are_not_in_it(tmp_path: Path) -> None:
    """A log of every 10th epoch that begins at 30 lacks the first two, or goes on."""
    (run,) = read(tmp_path, rows(30, 40, 50, 60))
    assert (run.first_epoch, run.recorded_epochs) == (30, 4)
