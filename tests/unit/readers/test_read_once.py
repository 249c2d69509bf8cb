"""One training, once: growing copies, rounded ones, a log and its event files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import Run, Series, load_runs
from cbreplay.answers.doubts import noted
from cbreplay.document import plain_text
from cbreplay.readers.discovery.read_once import find_repeated_logs
from cbreplay.readers.discovery.same_training import join_logs
from tests.oracles.tensorboard_loader import (
    event,
    record,
    restart_event,
    value,
    version_event,
    write_events,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LOSSES = [0.91, 0.72, 0.63, 0.554, 0.5123, 0.49, 0.48]


def write(path: Path, losses: Sequence[float], **columns: Sequence[float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    held = {"epoch": range(len(losses)), "loss": losses, **columns}
    rows = zip(*held.values(), strict=True)
    lines = [",".join(held), *(",".join(map(repr, row)) for row in rows)]
    path.write_text("\n".join([*lines, ""]), encoding="ascii")


def run_of(values: Mapping[str, Sequence[float | None]], **fields: int) -> Run:
    series = {name: Series.from_optional(own) for name, own in values.items()}
    return Run(name="r", source="r", first_epoch=fields.get("first", 0), series=series)


def test_copies_made_as_a_log_grew_are_one_training(tmp_path: Path) -> None:
    for n_epochs in (5, 6, 7):
        write(tmp_path / f"at_{n_epochs}.csv", LOSSES[:n_epochs])
    (run,) = load_runs(tmp_path)
    assert (run.name, run.n_epochs) == ("at_7.csv", 7)
    told = "the same training, or its beginning, stands in at_5.csv, at_6.csv too: "
    assert told in run.notes[0]
    # so are the same files named one by one
    assert len(load_runs(*sorted(tmp_path.glob("*.csv")))) == 1


@pytest.mark.parametrize(("name", "n_runs"), [("val_accuracy", 1), ("val_weight", 2)])
def test_a_log_in_percent_is_a_copy_of_the_log_in_shares(
    tmp_path: Path, name: str, n_runs: int
) -> None:
    """0.91 beside 91.0 in every epoch; what is no score has no percent."""
    shares = [0.9125, 0.9037, 0.8812, 0.9241, 0.9333]
    percents = [91.25, 90.37, 88.12, 92.41, 93.33]
    write(tmp_path / "shares.csv", LOSSES[:5], **{name: shares})
    write(tmp_path / "percent.csv", LOSSES[:5], **{name: percents})
    assert len(load_runs(tmp_path)) == n_runs
    # another training is none
    write(tmp_path / "other.csv", LOSSES[:5], **{name: [*percents[:4], 94.0]})
    assert len(load_runs(tmp_path)) == n_runs + 1


def test_the_first_copies_of_a_log_that_grew_may_be_of_one_epoch(
    tmp_path: Path,
) -> None:
    for n_epochs in range(1, 8):
        losses = LOSSES[:n_epochs]
        accuracies = [1 - loss for loss in losses]
        write(tmp_path / f"at_{n_epochs}.csv", losses, accuracy=accuracies)
    # another training that failed early
    write(tmp_path / "other.csv", [0.91, 0.7213], accuracy=[0.09, 0.28])
    names = sorted(run.name for run in load_runs(tmp_path))
    assert names == ["at_7.csv", "other.csv"]


def test_copies_from_before_a_metric_was_logged_are_one_training(
    tmp_path: Path,
) -> None:
    """Its evaluations have columns of their own from the first of them on."""
    for n_epochs in (3, 5, 6):
        write(tmp_path / f"at_{n_epochs}.csv", LOSSES[:n_epochs])
    write(tmp_path / "at_7.csv", LOSSES, val_rmse=[2 * loss for loss in LOSSES])
    # what one log lacks in rows and the other in columns is a union
    write(tmp_path / "b" / "wide.csv", LOSSES[::-1][:5], mae=LOSSES[:5])
    write(tmp_path / "b" / "long.csv", LOSSES[::-1])
    names = sorted(run.name for run in load_runs(tmp_path))
    assert names == ["at_7.csv", "b/long.csv", "b/wide.csv"]


@pytest.mark.parametrize("share", [1 - 3e-7, 1.0, 1 + 3e-7])
def test_of_two_as_long_the_one_with_more_series_stands(share: float) -> None:
    """As a CSV beside event files in float32, which may be rounded either way."""
    wide = run_of({"loss": FINE, "accuracy": FINE})
    narrow = run_of({"loss": [share * loss for loss in FINE]})
    assert find_repeated_logs([wide, narrow]) == {0: [1]}
    assert find_repeated_logs([narrow, wide]) == {1: [0]}


def test_a_copy_of_some_columns_is_the_same_training(tmp_path: Path) -> None:
    """As one that was written for a picture of the validation alone."""
    write(tmp_path / "a_picture.csv", LOSSES)
    write(tmp_path / "log.csv", LOSSES, accuracy=[1 - loss for loss in LOSSES])
    (run,) = load_runs(tmp_path)
    assert (run.name, [*run.series]) == ("log.csv", ["loss", "accuracy"])
    assert "stands in a_picture.csv too" in run.notes[-1]


def test_logs_of_a_trainer_under_other_names_are_one_training(tmp_path: Path) -> None:
    for n_epochs in (5, 7):
        rows = [
            {"epoch": epoch, "step": 10 * epoch, "eval_loss": loss}
            for epoch, loss in enumerate(LOSSES[:n_epochs], start=1)
        ]
        state = tmp_path / f"backup_{n_epochs}" / "trainer_state.json"
        state.parent.mkdir()
        state.write_text(json.dumps({"log_history": rows}), encoding="ascii")
    assert [run.name for run in load_runs(tmp_path)] == ["backup_7"]
    # and where evaluations are counted
    (run,) = load_runs(tmp_path, x_axis="step")
    assert "stands in backup_5 too" in run.notes[-1]


@pytest.mark.parametrize(("n_epochs", "n_runs"), [(6, 1), (7, 1), (8, 2)])
def test_a_copy_from_before_a_fit_was_resumed_is_the_same_training(
    tmp_path: Path, n_epochs: int, n_runs: int
) -> None:
    # of seven epochs torch's SummaryWriter(purge_step=5) took the last two back
    losses = [*LOSSES, 0.47]
    points = [(100.0 + s, s, "epoch_loss", one) for s, one in enumerate(losses)]
    name = "events.out.tfevents.{}.host"
    write_events(tmp_path / "a" / name.format(1), points[:n_epochs])
    write_events(tmp_path / "b" / name.format(1), points[:7])
    again = [event(200.0 + s, s, value("epoch_loss", 0.4 - s / 99)) for s in (5, 6, 7)]
    payloads = [version_event(), restart_event(200.0, 5), *again]
    (tmp_path / "b" / name.format(2)).write_bytes(b"".join(map(record, payloads)))
    runs = load_runs(tmp_path)
    # an eighth epoch was trained in a alone
    assert [run.name for run in runs] == ["a", "b"][-n_runs:]
    assert [run.horizon for run in runs] == [7] * n_runs


@pytest.mark.parametrize("last", [0.4, 0.123456789012345, float("nan")])
def test_a_copy_whose_last_row_was_half_written_is_a_copy(
    tmp_path: Path, last: float
) -> None:
    thirds = [loss / 3 for loss in LOSSES]
    write(tmp_path / "at_6.csv", LOSSES[:6], acc=[*thirds[:5], last])
    write(tmp_path / "at_7.csv", LOSSES, acc=thirds)
    (run,) = load_runs(tmp_path)
    assert (run.name, [*run.series["acc"]]) == ("at_7.csv", thirds)
    assert "at_6.csv: the last row differs from that of the longer log" in run.notes[-1]


def test_a_log_of_the_same_length_that_differs_at_its_end_is_no_copy(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.csv", LOSSES)
    write(tmp_path / "b.csv", [*LOSSES[:6], 0.47])
    # and one that differs in its last two rows
    write(tmp_path / "c.csv", [*LOSSES[:4], 0.2, 0.1])
    assert len(load_runs(tmp_path)) == 3


@pytest.mark.parametrize("text", [str, lambda half: repr(float(half))])
def test_a_copy_in_half_precision_is_a_copy(
    tmp_path: Path, text: Callable[[np.float16], str]
) -> None:
    losses = [loss + 1e-5 / 7 for loss in LOSSES]
    write(tmp_path / "full.csv", losses)
    rows = [f"{at},{text(np.float16(loss))}\n" for at, loss in enumerate(losses)]
    (tmp_path / "half.csv").write_text("".join(["epoch,loss\n", *rows]))
    (run,) = load_runs(tmp_path)
    assert [*run.series["loss"]] == losses
    # half precision tells 0.4802 from 0.4807: another training
    rows[-1] = f"6,{text(np.float16(0.4807))}\n"
    (tmp_path / "half.csv").write_text("".join(["epoch,loss\n", *rows]))
    assert len(load_runs(tmp_path)) == 2


SMOOTHED = {
    "adjusted": lambda frame: frame.ewm(alpha=0.4).mean(),
    "plain": lambda frame: frame.ewm(alpha=0.2, adjust=False).mean(),
    "rolling": lambda frame: frame.rolling(3, min_periods=1).mean(),
}


@pytest.mark.parametrize("way", SMOOTHED)
def test_smoothed_values_are_no_training(tmp_path: Path, way: str) -> None:
    pd = pytest.importorskip("pandas")
    losses = [*LOSSES, 0.5, 0.42, 0.45]
    frame = pd.DataFrame({"loss": losses, "val_loss": [2 * loss for loss in losses]})
    frame.to_csv(tmp_path / "log.csv", index_label="epoch")
    SMOOTHED[way](frame).to_csv(tmp_path / "drawn.csv", index_label="epoch")
    (run,) = load_runs(tmp_path)
    assert [*run.series["loss"]] == losses
    assert "drawn.csv holds its values smoothed" in run.notes[-1]
    # another training that begins alike
    other = SMOOTHED[way](frame)
    other.loc[7, "loss"] += 0.01
    other.to_csv(tmp_path / "drawn.csv", index_label="epoch")
    assert len(load_runs(tmp_path)) == 2


def test_short_logs_alone_are_no_copies(tmp_path: Path) -> None:
    for n_epochs in (2, 3, 7):
        write(tmp_path / f"at_{n_epochs}.csv", LOSSES[:n_epochs])
    assert len(load_runs(tmp_path)) == 3


@pytest.mark.parametrize("lengths", [(1, 2, 3), (3, 3), (2, 7), (4, 4, 7)])
def test_short_logs_of_many_equal_digits_are_copies(
    tmp_path: Path, lengths: Sequence[int]
) -> None:
    losses = [loss / 3 for loss in LOSSES]
    for at, n_epochs in enumerate(lengths):
        own = [loss / 7 for loss in losses[:n_epochs]]
        write(tmp_path / f"copy{at}.csv", losses[:n_epochs], val_loss=own)
    # another training with the same rates and first digits
    write(tmp_path / "other.csv", [0.303], val_loss=[0.043])
    assert sorted(run.n_epochs for run in load_runs(tmp_path)) == [1, max(lengths)]


def test_logs_of_the_ranks_of_one_training_are_one(tmp_path: Path) -> None:
    """Each rank writes its own training loss, and the one validation of all."""
    for rank in range(3):
        own = [loss - 0.01 * (rank + 1) for loss in LOSSES]
        write(tmp_path / "a" / f"rank{rank}.csv", own, val_loss=LOSSES)
        write(tmp_path / "b" / f"rank{rank}" / "log.csv", own, val_loss=LOSSES)
    (run,) = load_runs(tmp_path / "a")
    assert "stands in rank1.csv, rank2.csv too" in run.notes[-1]
    assert len(load_runs(tmp_path / "b")) == 1


def test_ranks_that_wrote_into_one_directory_are_one_training(tmp_path: Path) -> None:
    """As those in directories of their own: each has its loss, all one validation."""
    for rank in range(2):
        points = [
            (100.0 + step + rank / 2, step, tag, one / 3)
            for step, loss in enumerate(LOSSES)
            for tag, one in (("loss", loss + rank / 9), ("val_loss", loss))
        ]
        write_events(tmp_path / f"events.out.tfevents.1.rank{rank}", points)
    (run,) = load_runs(tmp_path)
    assert run.name == f"{tmp_path.name}#1"
    told = f"stands in {tmp_path.name}#2 too: it was read once"
    assert any(told in note for note in run.notes)


def test_logs_of_one_validation_are_one_whatever_their_other_columns(
    tmp_path: Path,
) -> None:
    own = [loss - 0.01 for loss in LOSSES]
    write(tmp_path / "log.csv", own, val_loss=LOSSES)
    write(tmp_path / "renamed.csv", LOSSES, train_loss=own, val_loss=LOSSES)
    (run,) = load_runs(tmp_path)
    assert "stands in renamed.csv too" in run.notes[-1]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("best.json", '{"epoch": 4, "loss": 0.5123}'),
        ("best.csv", "epoch,loss\n4,0.5123\n"),
        ("last.csv", "epoch,loss\n4,0.5123\n5,0.49\n6,0.48\n"),
        ("top.csv", "epoch,loss\n6,0.48\n5,0.49\n3,0.554\n"),
        ("checkpoint/best.json", '{"epoch": 4, "loss": 0.5123}'),
    ],
)
def test_some_rows_of_a_log_are_no_training(
    tmp_path: Path, name: str, text: str
) -> None:
    write(tmp_path / "log.csv", LOSSES)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="ascii")
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == LOSSES
    assert "some of its rows stand in " in run.notes[-1]


def test_another_value_or_place_is_no_row_of_a_log(tmp_path: Path) -> None:
    write(tmp_path / "a" / "log.csv", LOSSES)
    (tmp_path / "a" / "best.json").write_text('{"epoch": 4, "loss": 0.5124}')
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "best.json").write_text('{"epoch": 4, "loss": 0.5123}')
    assert len(load_runs(tmp_path)) == 3


def test_some_rows_of_a_log_that_counts_from_1_are_no_training(tmp_path: Path) -> None:
    rows = "".join(f"{at},{loss}\n" for at, loss in enumerate(LOSSES, start=1))
    (tmp_path / "log.csv").write_text(f"epoch,loss\n{rows}", encoding="ascii")
    best = '{"epoch": 5, "loss": 0.5123}'
    (tmp_path / "best.json").write_text(best, encoding="ascii")
    assert len(load_runs(tmp_path)) == 1


def test_few_digits_in_several_rows_may_be_alike_by_chance(tmp_path: Path) -> None:
    # two trainings that end with 35 of 36 samples right
    (tmp_path / "a.csv").write_text("epoch,acc\n0,0.5\n1,0.9722\n2,0.9722\n3,0.9722\n")
    (tmp_path / "b.csv").write_text("epoch,acc\n2,0.9722\n3,0.9722\n")
    assert len(load_runs(tmp_path)) == 2


def test_what_mlflow_says_of_a_checkpoint_is_no_log(tmp_path: Path) -> None:
    write(tmp_path / "log.csv", LOSSES)
    best = tmp_path / "artifacts" / "checkpoints" / "latest_checkpoint_metrics.json"
    best.parent.mkdir(parents=True)
    best.write_text('{"loss": 0.75, "epoch": 0, "global_step": 5}', encoding="ascii")
    assert len(load_runs(tmp_path)) == 1


def test_a_validation_of_few_digits_may_be_alike_by_chance(tmp_path: Path) -> None:
    shares = [0.5, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9]
    for seed in range(2):
        own = [loss - 0.01 * (seed + 1) for loss in LOSSES]
        write(tmp_path / f"seed{seed}.csv", own, val_accuracy=shares)
    assert len(load_runs(tmp_path)) == 2


def test_exact_copies_are_one_training(tmp_path: Path) -> None:
    for name in ("a/logs.csv", "b/logs.csv", "c/logs.csv"):
        write(tmp_path / name, LOSSES)
    (run,) = load_runs(tmp_path)
    assert "stands in b, c too" in run.notes[0]


def test_a_copy_is_called_as_it_is_written(tmp_path: Path) -> None:
    for name in ("a/logs.csv", "b/logs.csv"):
        write(tmp_path / name, LOSSES)
    (run,) = load_runs(tmp_path)
    told = [plain_text(text) for text in noted(run, (), ())]
    assert [text for text in told if " b " in text] == [
        "The same training, or its beginning, stands in b too: it was read once."
    ]


def test_a_rounded_copy_is_the_same_training(tmp_path: Path) -> None:
    fine = [loss + 0.00001234 for loss in LOSSES]
    write(tmp_path / "fine.csv", fine)
    write(tmp_path / "rounded.csv", [round(loss, 4) for loss in fine])
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == fine


def test_a_run_that_was_validated_seldom_is_no_copy_with_lost_rows(
    tmp_path: Path,
) -> None:
    # the loss is the same in every epoch, and a validation stands in every second one
    for name, seldom in (("often", 1), ("seldom", 2)):
        rows = [
            f"{at},{loss!r},{2 * loss if at % seldom == 0 else ''}"
            for at, loss in enumerate(LOSSES)
        ]
        text = "\n".join(["epoch,loss,val_loss", *rows, ""])
        (tmp_path / f"{name}.csv").write_text(text)
    assert len(load_runs(tmp_path)) == 2


def test_a_copy_with_lost_rows_is_the_same_training(tmp_path: Path) -> None:
    write(tmp_path / "whole.csv", LOSSES)
    for lost in (1, 2, 5):
        rows = [f"{at},{loss!r}" for at, loss in enumerate(LOSSES) if at != lost]
        path = tmp_path / f"lost{lost}.csv"
        path.write_text("\n".join(["epoch,loss", *rows, ""]))
    (run,) = load_runs(tmp_path)
    assert (run.name, run.recorded_epochs) == ("whole.csv", 7)


@pytest.mark.parametrize(
    "losses",
    [
        # another training from the third epoch on
        [0.91, 0.72, 0.64, 0.554, 0.5123, 0.49, 0.48],
        # of the same seed, and longer; only the last shared value differs
        [0.91, 0.72, 0.63, 0.554, 0.5123, 0.49, 0.481, 0.4],
    ],
)
def test_another_training_is_another_run(tmp_path: Path, losses: list[float]) -> None:
    write(tmp_path / "a.csv", LOSSES)
    write(tmp_path / "b.csv", losses)
    assert len(load_runs(tmp_path)) == 2


@pytest.mark.parametrize(
    "losses", [[float("nan")] * 6, [0.5] * 6, [0.9, 0.8, 0.7, 0.6], [0.1, 0.1, 0.2] * 3]
)
def test_trainings_that_failed_or_hardly_change_are_never_merged(
    tmp_path: Path, losses: list[float]
) -> None:
    write(tmp_path / "a.csv", losses)
    write(tmp_path / "b.csv", losses)
    assert len(load_runs(tmp_path)) == 2


def test_trainings_at_other_learning_rates_are_not_one(tmp_path: Path) -> None:
    losses = [0.8, 0.6, 0.7, 0.5, 0.55, 0.45]
    write(tmp_path / "a.csv", losses, learning_rate=[0.5] * 6)
    write(tmp_path / "b.csv", losses, learning_rate=[0.5] * 4 + [0.25] * 2)
    assert len(load_runs(tmp_path)) == 2
    # a rate of few digits is the same
    write(tmp_path / "b.csv", losses, learning_rate=[0.50001] * 6)
    assert len(load_runs(tmp_path)) == 1


def test_objects_are_what_they_are_given_as() -> None:
    assert len(load_runs({"loss": LOSSES}, {"loss": LOSSES})) == 2


def test_the_other_trainings_of_a_log_keep_their_numbers(tmp_path: Path) -> None:
    others = [loss / 2 for loss in LOSSES]
    both = tmp_path / "both.csv"
    write(both, LOSSES)
    rows = "".join(f"{epoch},{loss!r}\n" for epoch, loss in enumerate(others))
    both.write_text(both.read_text() + rows)
    write(tmp_path / "first.csv", [*LOSSES, 0.47])
    # the first of both is the beginning of the other log
    second, longer = load_runs(tmp_path)
    assert list(second.series["loss"]) == others
    assert (second.name, longer.name) == ("both.csv#2", "first.csv")


def test_many_runs_that_begin_alike_are_compared_once() -> None:
    rng = np.random.default_rng(0)
    runs = [
        run_of({"acc": [0.5] * 6, "loss": rng.uniform(0, 1, 6).tolist()})
        for _ in range(300)
    ]
    assert find_repeated_logs([*runs, runs[7]]) == {7: [300]}


def single(values: Sequence[float]) -> list[float]:
    return [float(np.float32(value)) for value in values]


FINE = [0.123456, 0.234567, 0.345678, 0.456789, 0.567891, 0.678912]


def test_a_log_and_its_event_files_agree_to_the_coarser_digits() -> None:
    text = run_of({"loss": [round(value, 3) for value in FINE]})
    events = run_of({"loss": single(FINE)})
    (run,), left = join_logs([text], [events], "r")
    assert left == []
    # the event files have more digits
    assert list(run.series["loss"]) == single(FINE)
    assert "the one with more digits is used" in run.notes[0]


def test_small_values_of_six_decimals_are_finer_in_event_files() -> None:
    # only the first value has nine digits, which tell one float32 from the next
    fine = [123.4567891, 12.34567891, 0.01234567, 0.003456789, 0.0012345678]
    text = run_of({"loss": [round(value, 6) for value in fine]})
    (run,), left = join_logs([text], [run_of({"loss": single(fine)})], "r")
    assert (left, list(run.series["loss"])) == ([], single(fine))


@pytest.mark.parametrize(
    "texts",
    [
        # five significant digits, of large and of small numbers
        [12.346, 0.0012346, 1.2346, 123.46, 0.12346],
        [12.35, 0.0, 1.23, 123.46, 0.12],
    ],
)
def test_digits_are_significant_ones_or_decimals(texts: list[float]) -> None:
    fine = [12.34567, 0.001234567, 1.2345678, 123.45678, 0.12345678]
    text, events = run_of({"loss": texts}), run_of({"loss": single(fine)})
    (_,), left = join_logs([text], [events], "r")
    assert left == []
    off = run_of({"loss": [texts[0] + 0.02, *texts[1:]]})
    (_,), left = join_logs([off], [events], "r")
    assert len(left) == 1


def test_the_text_s_values_stand_where_they_hold_all_digits() -> None:
    text, events = run_of({"loss": FINE}), run_of({"loss": single(FINE)})
    (run,), _ = join_logs([text], [events], "r")
    assert list(run.series["loss"]) == FINE


def test_of_two_values_of_an_epoch_the_one_that_both_hold_stands() -> None:
    # a final validation wrote the best model's value into the last epoch once more
    text = run_of({"loss": [0.9, 0.7, 0.8]})
    own = np.array(single([0.9, 0.7, 0.7]))
    series = Series(own, np.ones(3, dtype=bool), {2: (single([0.8])[0],)})
    events = Run(name="r", source="r", first_epoch=0, series={"loss": series})
    (run,), left = join_logs([text], [events], "r")
    assert left == []
    assert list(run.series["loss"]) == [0.9, 0.7, 0.8]
    assert run.series["loss"].others == {}
    assert any("the one that both hold is used" in note for note in run.notes)


def test_epochs_that_are_counted_otherwise_are_moved_by_one() -> None:
    text, events = run_of({"loss": FINE}), run_of({"loss": single(FINE)}, first=1)
    (run,), left = join_logs([text], [events], "r")
    assert (left, run.first_epoch) == ([], 1)
    assert any("its epochs were moved by one" in note for note in run.notes)
    short = run_of({"loss": FINE[:4]})
    (_,), left = join_logs([short], [run_of({"loss": single(FINE[:4])}, first=1)], "r")
    # four values may agree by chance
    assert len(left) == 1


ULTRALYTICS = "epoch,train/box_loss,metrics/mAP50(B),val/box_loss,lr/pg0\n"


def test_a_directory_of_ultralytics_is_called_train(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "detect" / "train"
    place.mkdir(parents=True)
    losses = [0.91234, 0.71234, 0.51234]
    rows = "".join(
        f"{epoch},{loss},{1 - loss:.5g},{loss},0.01\n"
        for epoch, loss in enumerate(losses, start=1)
    )
    (place / "results.csv").write_text(ULTRALYTICS + rows)
    (place / "args.yaml").write_text("patience: 100\n")
    points = [
        (float(step), step, tag, value)
        for step, loss in enumerate(losses, start=1)
        for tag, value in zip(
            ULTRALYTICS.strip().split(",")[1:],
            (loss, 1 - loss, loss, 0.01),
            strict=True,
        )
    ]
    write_events(place / "events.out.tfevents.1.host", points, "simple_value")
    (run,) = load_runs(tmp_path)
    assert run.name == "runs/detect/train"
    assert "one training" in run.notes[0]


def counted(
    path: Path, first: int, values: Sequence[float], name: str = "loss"
) -> None:
    rows = "".join(f"{first + at},{value!r}\n" for at, value in enumerate(values))
    path.write_text(f"epoch,{name}\n{rows}", encoding="ascii")


@pytest.mark.parametrize("begins", [0, 1])
def test_a_log_that_goes_on_in_another_file_is_one_training(
    tmp_path: Path, begins: int
) -> None:
    # the second begins in the epoch after the last, as either counts
    counted(tmp_path / "first.csv", begins, [0.9, 0.8, 0.7])
    counted(tmp_path / "second.csv", begins + 3, [0.6, 0.5])
    counted(tmp_path / "third.csv", begins + 5, [0.4])
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert (run.name, run.first_epoch, run.seams) == ("first.csv", 0, (3, 5))
    assert any("second.csv goes on from its last epoch" in note for note in run.notes)
    # the epochs that came before its first are those of the other file
    assert not any("came before it" in note for note in run.notes)


def test_a_rotated_log_goes_on_in_the_newer_file(tmp_path: Path) -> None:
    counted(tmp_path / "log.csv", 5, [0.4, 0.3])
    counted(tmp_path / "log.csv.1", 3, [0.6, 0.5])
    counted(tmp_path / "log.csv.2", 0, [0.9, 0.8, 0.7])
    (run,) = load_runs(tmp_path)
    assert list(run.series["loss"]) == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert run.seams == (3, 5)


def test_what_a_log_that_begins_late_says_holds_for_new_callbacks(
    tmp_path: Path,
) -> None:
    counted(tmp_path / "log.csv", 31, [0.4, 0.3])
    (run,) = load_runs(tmp_path)
    assert "31 epochs came before it, and answers hold for callbacks" in run.notes[-1]


def test_rounded_rates_of_a_log_that_goes_on_in_another_file_are_one_series(
    tmp_path: Path,
) -> None:
    # a writer of five decimals rounds half a unit of the last one away; that it does
    # so the second file alone does not show, for its rate never changes
    write(tmp_path / "first.csv", [0.9, 0.8], lr=[0.01234, 0.01111])
    rows = "2,0.7,0.01111\n3,0.6,0.01111\n"
    (tmp_path / "second.csv").write_text(f"epoch,loss,lr\n{rows}", encoding="ascii")
    (run,) = load_runs(tmp_path)
    for rate in (0.01234, 0.01111):
        ends = run.learning_rate_rounding[float(np.float32(rate))]
        assert ends == pytest.approx((rate - 5e-6, rate + 5e-6), rel=1e-6)


@pytest.mark.parametrize(
    ("firsts", "name"),
    [
        # an epoch lacks between them; they overlap; two would go on
        ((0, 4), "loss"),
        ((0, 2), "loss"),
        ((0, 3, 3), "loss"),
        # another metric
        ((0, 3), "other"),
    ],
)
def test_logs_that_do_not_go_on_are_runs_of_their_own(
    tmp_path: Path, firsts: tuple[int, ...], name: str
) -> None:
    for number, first in enumerate(firsts):
        values = [0.9 + number, 0.8 + number, 0.7 + number]
        own = name if number else "loss"
        counted(tmp_path / f"log_{number}.csv", first, values, own)
    assert len(load_runs(tmp_path)) == len(firsts)


def test_the_loss_of_an_estimator_is_not_numbered_by_keras(tmp_path: Path) -> None:
    """It is loss_1 in the directory of the training, loss in that of eval."""
    for number, (place, tag) in enumerate((("run", "loss_1"), ("run/eval", "loss"))):
        points = [(9.0 + s, 100 * s, tag, number + 1 / s) for s in range(1, 8)]
        write_events(tmp_path / place / "events.out.tfevents.1.host", points)
    runs = load_runs(tmp_path, x_axis="step")
    assert [list(run.series) for run in runs] == [["loss_1"], ["loss"]]


def test_a_metric_of_an_estimator_is_not_numbered_by_keras(tmp_path: Path) -> None:
    """Its graph has an accuracy already, so the summary's is accuracy_1."""
    tags = (("run", ("accuracy_1", "global_step/sec")), ("run/eval", ("accuracy",)))
    for place, own in tags:
        points = [(9.0 + s, 100 * s, tag, 1 / s) for s in range(1, 8) for tag in own]
        write_events(tmp_path / place / "events.out.tfevents.1.host", points)
    runs = load_runs(tmp_path, x_axis="step")
    assert [next(iter(run.series)) for run in runs] == ["accuracy_1", "accuracy"]
    assert not any("Keras numbers" in note for run in runs for note in run.notes)


def test_histories_of_folds_have_one_metric_as_their_logs_have() -> None:
    """load_runs(first.history, second.history) of two models in one process."""
    folds = [
        {"val_loss": [0.9, 0.8], "val_auc": [0.5, 0.625]},
        {"val_loss": [0.9, 0.7], "val_auc_1": [0.5, 0.75]},
    ]
    runs = load_runs(*folds)
    assert [list(run.series["val_auc"]) for run in runs] == [[0.5, 0.625], [0.5, 0.75]]
    # one alone has the name that its callbacks saw
    assert [*load_runs(folds[1])[0].series] == ["val_loss", "val_auc_1"]


def test_metrics_that_keras_numbered_are_called_alike(tmp_path: Path) -> None:
    for fold, suffix in enumerate(("", "_1", "_2")):
        values = [0.5 + fold, 0.6 + fold]
        counted(tmp_path / f"fold{fold}.csv", 0, values, f"val_auc{suffix}")
    runs = load_runs(tmp_path)
    assert [list(run.series) for run in runs] == [["val_auc"]] * 3
    assert runs[1].notes == (
        (
            "read val_auc_1 as val_auc: Keras numbers the metrics of a second model, "
            "and a callback that watches the first one's name sees no value there"
        ),
    )
    # alone, a log is as it is
    (run,) = load_runs(tmp_path / "fold1.csv")
    assert list(run.series) == ["val_auc_1"]


@pytest.mark.parametrize(
    ("second", "names"),
    [
        # as `keras.metrics.AUC().name` counts on: a second model with two of them
        (("auc_2", "auc_3"), ["auc", "auc_1"]),
        (("auc_3", "auc_4"), ["auc", "auc_1"]),
        # not Keras's numbers, or not as many
        (("auc_2", "auc_9"), ["auc_2", "auc_9"]),
        (("auc_1", "auc_2"), ["auc_1", "auc_2"]),
        (("auc_2",), ["auc_2"]),
    ],
)
def test_two_metrics_of_one_class_are_called_alike_in_the_order_of_their_numbers(
    tmp_path: Path, second: tuple[str, ...], names: list[str]
) -> None:
    for file, own in (("a.csv", ("auc", "auc_1")), ("b.csv", second)):
        values = [
            [str(len(own) + epoch + at / 8) for at in range(len(own))]
            for epoch in range(3)
        ]
        rows = [",".join([str(epoch), *row]) for epoch, row in enumerate(values)]
        (tmp_path / file).write_text("\n".join([f"epoch,{','.join(own)}", *rows, ""]))
    first, later = load_runs(tmp_path / "*.csv")
    assert [list(first.series), list(later.series)] == [["auc", "auc_1"], names]


def test_a_table_of_several_folds_has_a_column_of_one_metric_for_each(
    tmp_path: Path,
) -> None:
    # pandas.concat of the folds' histories
    path = tmp_path / "folds.csv"
    rows = ["0,0.9,0.5,", "1,0.8,0.6,", "0,0.7,,0.4", "1,0.6,,0.7"]
    path.write_text("\n".join(["epoch,val_loss,val_auc,val_auc_1", *rows, ""]))
    runs = load_runs(path)
    assert [list(run.series) for run in runs] == [["val_loss", "val_auc"]] * 2
    assert [list(run.series["val_auc"]) for run in runs] == [[0.5, 0.6], [0.4, 0.7]]


def test_metrics_of_which_a_run_has_two_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("epoch,top_1,top_5\n0,.5,.9\n1,.6,.9\n")
    (tmp_path / "b.csv").write_text("epoch,top_5\n0,.8\n1,.9\n")
    assert [list(run.series) for run in load_runs(tmp_path / "*.csv")] == [
        ["top_1", "top_5"],
        ["top_5"],
    ]


@pytest.mark.parametrize("name", ["a.csv", "c.csv"])
def test_a_damaged_log_is_told_though_the_first_log_is_left_out_as_a_copy(
    tmp_path: Path, name: str
) -> None:
    # the copy a.csv is read first, and the damaged file before or after the whole one
    write(tmp_path / "a_copy.csv", LOSSES[:6])
    write(tmp_path / "b.csv", LOSSES)
    (tmp_path / name).write_text("epoch,loss\n0,0.9\n1,oops\n")
    (run,) = load_runs(tmp_path)
    assert run.name == "b.csv"
    told = f"left out another of these logs: {tmp_path / name}, line 3: 'oops' under"
    (note,) = (note for note in run.notes if note.startswith(told))
    # it is left out already: the option reads what is whole of it
    assert note.endswith(
        "Correct it, or keep what is whole of it with --errors skip or errors='skip'"
    )


def test_a_lone_rate_is_told_though_the_first_log_is_left_out_as_a_copy(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a_copy.csv", LOSSES[:6])
    write(tmp_path / "b.csv", LOSSES)
    page = tmp_path / "run-train-tag-epoch_learning_rate.csv"
    page.write_text("Wall time,Step,Value\n1.6e9,0,0.1\n1.6e9,1,0.01\n")
    (run,) = load_runs(tmp_path)
    assert run.name == "b.csv"
    told = f"left out another of these logs: {page}: it holds no metric"
    assert any(note.startswith(told) for note in run.notes)


def test_a_damaged_log_is_told_of_several_sources(tmp_path: Path) -> None:
    for place, n_epochs in ("one", 6), ("two", 7):
        write(tmp_path / place / "a.csv", LOSSES[:n_epochs])
        (tmp_path / place / "b.csv").write_text("epoch,loss\n0,0.9\n1,oops\n")
    (run,) = load_runs(tmp_path / "one", tmp_path / "two")
    told = [note for note in run.notes if note.startswith("left out another")]
    assert [
        str(tmp_path / place / "b.csv") in note
        for place, note in zip(("one", "two"), told, strict=True)
    ] == [True, True]
