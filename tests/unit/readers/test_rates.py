"""The learning rate is found whatever it is called, and read to the digits it has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Replay,
    Run,
    load_runs,
    replay_run,
    sweep_runs,
)
from cbreplay.evidence.words import parting_of
from cbreplay.staircase.reductions import rate_kept_until

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, text: str, name: str = "log.csv") -> Run:
    log = path / name
    log.write_text(text, encoding="utf-8")
    (run,) = load_runs(log)
    return run


def rates(run: Run) -> list[float | None]:
    assert run.learning_rate is not None
    return list(run.learning_rate)


@pytest.mark.parametrize(
    "name",
    [
        "lr",
        "LR",
        "Learning_Rate",
        "learning rate",
        "learningRate",
        "learning_rates",
        "lr/pg0",
        "x/lr0",
        "lr_0",
        "train/lr",
        "train/learning_rate",
        "optimizer_lr",
        "lr-Adam",
        "lr-AdamW/pg1",
        "learning_rate_adam",
        "Learning Rate (group 1)",
    ],
)
def test_a_rate_is_found_by_what_it_is_called(tmp_path: Path, name: str) -> None:
    run = read(tmp_path, f"epoch,loss,{name}\n0,1,0.5\n1,.9,0.25\n")
    assert (list(run.series), rates(run)) == (["loss"], [0.5, 0.25])
    known = name == "lr"
    assert known != (f"{name} was taken as the learning rate" in run.notes)
    lists = read(
        tmp_path, json.dumps({"loss": [1, 0.9], name: [0.5, 0.25]}), "history.json"
    )
    assert (list(lists.series), rates(lists)) == (["loss"], [0.5, 0.25])
    (frame,) = load_runs({"loss": [1, 0.9], name: [0.5, 0.25]})
    assert rates(frame) == [0.5, 0.25]


@pytest.mark.parametrize(
    "name", ["val_lr", "min_lr", "base_lr", "lr_loss", "lr-SGD-momentum", "clr", "rate"]
)
def test_another_column_is_no_rate(tmp_path: Path, name: str) -> None:
    run = read(tmp_path, f"epoch,loss,{name}\n0,1,0.5\n1,.9,0.25\n")
    assert run.learning_rate is None
    assert list(run.series) == ["loss", name]


def test_groups_that_agree_are_one_rate(tmp_path: Path) -> None:
    text = "epoch,loss,lr/pg0,lr/pg1\n0,1,.5,.5\n1,.9,.25,.25\n"
    run = read(tmp_path, text)
    assert (list(run.series), rates(run)) == (["loss"], [0.5, 0.25])
    assert "lr/pg1 agree with it: it is one rate" in run.notes


def test_of_groups_that_differ_the_first_is_the_rate(tmp_path: Path) -> None:
    text = "epoch,loss,lr/pg0,lr/pg1,lr/pg2\n0,1,.5,.5,1\n1,.9,.25,.25,.25\n"
    run = read(tmp_path, text)
    assert (list(run.series), rates(run)) == (["loss", "lr/pg2"], [0.5, 0.25])
    assert any(note.startswith("lr/pg2: kept as metrics") for note in run.notes)


FORMS = {"lr-Adam,lr-SGD": "{},{}", "lr": '"[{}, {}]"'}


def two_optimizers(path: Path, adam: list[float], sgd: list[float], names: str) -> Run:
    """Return a training of ten epochs whose val_loss never gets better."""
    rows = zip([0.5] + 9 * [0.6], adam, sgd, strict=True)
    lines = "".join(
        f"{epoch},{loss},{FORMS[names].format(*both)}\n"
        for epoch, (loss, *both) in enumerate(rows)
    )
    return read(path, f"epoch,val_loss,{names}\n{lines}")


def falls(old: float, new: float, at: int = 3) -> list[float]:
    return at * [old] + (10 - at) * [new]


NEVER = ReduceLROnPlateau(patience=50)
# of the third epoch without an improvement, and then not again
REDUCES = ReduceLROnPlateau(patience=2, cooldown=20)


@pytest.mark.parametrize("names", FORMS)
@pytest.mark.parametrize(
    ("adam", "sgd", "rule", "parted_by"),
    [
        # neither changes
        (falls(1e-3, 1e-3), falls(0.02, 0.02), NEVER, None),
        # both fall to a tenth, as this rule would have it
        (falls(1e-3, 1e-4), falls(0.02, 0.002), REDUCES, None),
        (falls(1e-3, 1e-4), falls(0.02, 0.002), NEVER, "recorded"),
        (falls(1e-3, 1e-3), falls(0.02, 0.002), NEVER, "recorded"),
        (falls(1e-3, 1e-4), falls(0.02, 0.02), NEVER, "recorded"),
        # one falls by another factor, or not at all
        (falls(1e-3, 1e-4), falls(0.02, 0.01), REDUCES, "either"),
        (falls(1e-3, 1e-3), falls(0.02, 0.002), REDUCES, "either"),
        (falls(1e-3, 1e-4), falls(0.02, 0.02), REDUCES, "either"),
        (falls(1e-3, 1e-3), falls(0.02, 0.02), REDUCES, "reduction"),
        # a group that is frozen first, and one that always is
        (falls(1e-3, 1e-3), falls(0.0, 0.02), NEVER, "recorded"),
        (falls(1e-3, 1e-3), falls(0.0, 0.0), NEVER, None),
        # a column that rounding left nothing of tells nothing; the other one does
        (falls(0.0, 0.0), falls(0.02, 0.002), NEVER, "recorded"),
        (falls(0.0, 0.0), falls(0.02, 0.002), REDUCES, None),
        # logged after the reduction, and before it
        (falls(1e-3, 1e-4), falls(1e-3, 1e-4, at=2), REDUCES, None),
    ],
)
def test_a_rule_trains_at_the_rates_of_all_optimizers_or_at_others(
    tmp_path: Path,
    names: str,
    *,
    adam: list[float],
    sgd: list[float],
    rule: ReduceLROnPlateau,
    parted_by: str | None,
) -> None:
    """Each rate is the first one of it times what the rule has reduced by then."""
    run = two_optimizers(tmp_path, adam, sgd, names)
    lists = [[rule, EarlyStopping(patience=7)]]
    told: Replay = replay_run(run, lists[0], semantics="keras-3.15")
    if parted_by is None:
        assert (told.evidence, told.stopped_epoch) == ("exact", 7)
    else:
        assert (told.evidence, told.divergence_epoch) == ("diverged", 3)
        assert parting_of(told) == parted_by
    sweep = sweep_runs([run], lists, semantics="keras-3.15")
    assert sweep.diverged.tolist() == [[parted_by is not None]]
    constant = adam[0] == adam[-1] and sgd[0] == sgd[-1]
    assert rate_kept_until(run) == (9 if constant else 2)


def test_groups_that_warm_up_from_0_are_compared_behind_it(tmp_path: Path) -> None:
    adam, sgd = [0.0, *9 * [1e-3]], [0.0, *falls(0.02, 0.002)[1:]]
    for names, other in (("lr-Adam,lr-SGD", "lr-SGD"), ("lr", "lr/pg1")):
        run = two_optimizers(tmp_path, adam, sgd, names)
        assert list(run.series) == ["val_loss", other]
    run = two_optimizers(tmp_path, adam, [20 * rate for rate in adam], "lr")
    assert list(run.series) == ["val_loss"]


def test_files_of_one_training_take_the_rate_of_the_same_optimizer(
    tmp_path: Path,
) -> None:
    """Whichever changes in each of them."""
    for name, epochs in (("a.csv", range(6)), ("b.csv", range(6, 14))):
        rows = (
            f"{epoch},{0.9 - epoch / 99},.001,{0.02 if epoch < 9 else 0.002}\n"
            for epoch in epochs
        )
        text = "epoch,val_loss,lr-Adam,lr-SGD\n" + "".join(rows)
        (tmp_path / name).write_text(text)
    (run,) = load_runs(tmp_path)
    assert (run.n_epochs, list(run.series)) == (14, ["val_loss", "lr-SGD"])


def test_keras_own_name_stands_before_another(tmp_path: Path) -> None:
    text = "epoch,loss,lr,learning_rate\n0,1,.5,.25\n1,.9,.5,.25\n"
    run = read(tmp_path, text)
    assert (list(run.series), rates(run)) == (["loss"], [0.25, 0.25])
    assert "learning_rate stands beside lr: learning_rate was taken" in run.notes


def test_a_column_without_a_value_is_no_rate(tmp_path: Path) -> None:
    run = read(tmp_path, "epoch,loss,lr\n0,1,\n1,.9,\n")
    assert run.learning_rate is None
    assert list(run.series) == ["loss"]


def test_full_float32_rates_are_not_rounded(tmp_path: Path) -> None:
    text = "epoch,loss,lr\n" + "".join(
        f"{epoch},1,{float(np.float32(rate))!r}\n"
        for epoch, rate in enumerate([1e-3, 2e-4, 4e-5])
    )
    assert read(tmp_path, text).learning_rate_rounding == {}


def test_rounded_rates_say_how_far(tmp_path: Path) -> None:
    # two digits at most, and seven decimals: 4e-5 is known to 5e-7; below 1e-3, the
    # second digit is one of 1e-5, above it one of 1e-4
    text = "epoch,loss,lr\n0,1,0.001\n1,1,0.00016\n2,1,4e-05\n3,1,1.6e-06\n"
    run = read(tmp_path, text)
    ends = [
        (0.001 - 5e-6, 0.001 + 5e-5),
        (0.00016 - 5e-6, 0.00016 + 5e-6),
        (4e-5 - 5e-7, 4e-5 + 5e-7),
        (1.6e-6 - 5e-8, 1.6e-6 + 5e-8),
    ]
    rates = map(float, map(np.float32, (0.001, 0.00016, 4e-5, 1.6e-6)))
    told = [run.learning_rate_rounding[rate] for rate in rates]
    # float32 adds one spacing, a part in eight million
    assert np.allclose(told, ends, rtol=2e-7, atol=0)
    assert any(
        "the log holds 2 digits of a learning rate" in note for note in run.notes
    )


@pytest.mark.parametrize(
    "texts",
    [
        # the shortest texts of float32 numbers, as Keras 2 writes them
        ("0.001", "0.00020000001", "4.0000003e-05"),
        # 13 places, and the last rate has but one digit of them
        ("0.00020000001", "1.6000001e-06", "1e-06"),
        # what Python writes of a float64, to the 0 of a schedule that ends
        ("0.001", "0.0006666666666666666", "0.0"),
        # a rate that never changes is compared as it is
        ("0.001", "0.001", "0.001"),
    ],
)
def test_rates_with_all_their_digits_are_not_rounded(
    tmp_path: Path, texts: tuple[str, ...]
) -> None:
    rows = "".join(f"{epoch},1,{rate}\n" for epoch, rate in enumerate(texts))
    run = read(tmp_path, f"epoch,loss,lr\n{rows}")
    assert run.learning_rate_rounding == {}
    assert not any("is written with" in note for note in run.notes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        # history["lr"].append(scheduler.get_last_lr()), of one group and of two
        ("h.json", '{"val_loss": [3, 2, 1], "lr": [[0.5], [0.5], [0.25]]}'),
        ("h.json", '{"val_loss": [3, 2, 1], "lr": [[0.5, 5], [0.5, 5], [0.25, 2]]}'),
        (
            "h.jsonl",
            "".join(
                f'{{"epoch": {epoch}, "val_loss": {3 - epoch}, "lr": [{rate}]}}\n'
                for epoch, rate in enumerate([0.5, 0.5, 0.25])
            ),
        ),
        ("l.csv", "epoch,val_loss,lr\n0,3,[0.5]\n1,2,[0.5]\n2,1,[0.25]\n"),
        (
            "l.csv",
            'epoch,val_loss,lr\n0,3,"[0.5, 5]"\n1,2,"[0.5, 5]"\n2,1,"(0.25, 2)"\n',
        ),
    ],
)
def test_a_rate_that_is_a_list_is_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    (run,) = load_runs(tmp_path / name)
    assert run.learning_rate is not None
    assert list(run.learning_rate) == [0.5, 0.5, 0.25]
    assert any("number in" in note for note in run.notes)


def test_a_column_of_its_own_stays_beside_a_list_of_groups(tmp_path: Path) -> None:
    text = 'epoch,val_loss,lr,lr/pg1\n0,1,"[0.1, 0.2]",0.7\n1,2,"[0.1, 0.1]",0.6\n'
    assert list(read(tmp_path, text).series["lr/pg1"]) == [0.7, 0.6]


def test_a_list_of_several_numbers_is_no_value_of_a_metric(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    # of two classes, whose values are equal before anything is learnt
    path.write_text('epoch,val_loss,iou\n0,3,"[0, 0]"\n1,2,"[0.25, 2]"\n')
    (run,) = load_runs(path)
    assert list(run.series) == ["val_loss"]
    assert run.left_out == {"iou": "its cells are lists, not single numbers"}


@pytest.mark.parametrize("written", ["0", "0.00", "0.0000"])
def test_a_rate_of_which_rounding_left_nothing_is_not_recorded(
    tmp_path: Path, written: str
) -> None:
    """``f"{0.001:.2f}"`` is 0.00, and from 0 no callback could reduce anything."""
    run = read(tmp_path, f"epoch,loss,lr\n0,1,{written}\n1,.9,{written}\n")
    assert run.learning_rate is None
    assert "lr" not in run.series
    assert any("0 in every row" in note for note in run.notes)


def test_a_rate_that_a_schedule_ends_at_0_is_recorded(tmp_path: Path) -> None:
    assert rates(read(tmp_path, "epoch,loss,lr\n0,1,.5\n1,.9,0\n")) == [0.5, 0]
