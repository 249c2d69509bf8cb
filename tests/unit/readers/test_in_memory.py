from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from cbreplay import ConfigError, EarlyStopping, LogError, Run, replay_run
from cbreplay.loading import load_runs

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class History:
    """What ``fit`` returns, by its attributes."""

    history: dict[str, list[Any]]
    epoch: list[int]
    params: dict[str, Any] | None = field(default_factory=lambda: {"epochs": 9})


def recorded(run: Run, name: str) -> list[bool]:
    return [bool(one) for one in run.series[name].recorded]


def test_a_history_holds_its_plan_and_its_epochs() -> None:
    (run,) = load_runs(History({"loss": [0.5, 0.25]}, [3, 4]))
    assert (run.name, run.first_epoch, run.planned_epochs) == ("History", 3, 9)
    assert run.series["loss"].values.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("epochs", ["9", 0, -1, 2.5, True, [9], {}])
def test_a_plan_that_is_none_is_noted_and_not_used(epochs: Any) -> None:
    (run,) = load_runs(History({"loss": [0.5, 0.25]}, [3, 4], {"epochs": epochs}))
    assert run.planned_epochs is None
    assert any(
        f"the planned epochs are {epochs!r}, which is no" in note for note in run.notes
    )


def test_a_rate_in_a_history_is_float32() -> None:
    (run,) = load_runs(History({"loss": [1.0], "lr": [np.float32(0.1)]}, [0]))
    assert run.learning_rate is not None
    assert run.learning_rate.values[0] == np.float32(0.1)


def test_the_one_validation_freq_that_fits_is_assumed_and_noted() -> None:
    # 4 values in 8 epochs: only after epochs 2, 4, 6 and 8
    lists = {"loss": [1.0] * 8, "val_loss": [4.0, 3.0, 2.0, 1.0]}
    (run,) = load_runs(History(lists, list(range(8))))
    assert recorded(run, "val_loss") == [False, True] * 4
    assert "every 2 epochs" in run.notes[0]


def test_several_fitting_frequencies_are_refused() -> None:
    # 1 value in 8 epochs: after epoch 5, 6, 7 or 8
    lists = {"loss": [1.0] * 8, "val_loss": [1.0]}
    with pytest.raises(
        LogError, match=r"5 or 6 or 7 or 8 as validation_freq"
    ) as caught:
        load_runs(History(lists, list(range(8))))
    assert "validation_freq=" in str(caught.value)


@pytest.mark.parametrize(
    ("frequency", "epochs"), [(6, [5]), ([3], [2]), (np.int64(5), [4])]
)
def test_the_given_validation_freq_decides(
    frequency: int | list[int], epochs: list[int]
) -> None:
    lists = {"loss": [1.0] * 8, "val_loss": [1.0]}
    (run,) = load_runs(lists, validation_freq=frequency)
    assert recorded(run, "val_loss") == [epoch in epochs for epoch in range(8)]
    assert not any("was taken as" in note for note in run.notes)


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ({}, "no epoch with a metric"),
        ({"loss": []}, "no epoch with a metric"),
        ({"loss": [None]}, "no epoch with a metric"),
        ({"lr": [0.1]}, "no epoch with a metric"),
        ({"loss": [1, 2], "acc": [1]}, "'acc' has 1 value for 2 epochs"),
        ({"loss": ["x"]}, "no cell of a metric is a number; .* one number for each"),
        ({"loss": 1.0}, "where a list of numbers is expected"),
        ({"loss": np.array(1.0)}, "where a list of numbers is expected"),
        ({"loss": [1, 2], "epoch": np.array(1)}, "'epoch' holds .* where a list"),
        ({"loss": [1, 2], "epoch": 1}, "'epoch' holds 1, where a list of numbers"),
        ({"loss": "12"}, "where a list of numbers is expected"),
        # as df.to_dict() makes it: its keys are no losses
        ({"loss": {0: 0.5, 1: 0.4}}, r"'loss' holds \{0: 0.5, 1: 0.4\}, where a list"),
        ({"loss": {0.5, 0.4}}, "where a list of numbers is expected"),
        ({"loss": [1, np.complex64(1 + 2j)]}, r"row 2: .*1\+2j.* is not a number"),
        ({"loss": [1, 16**5000]}, "row 2: 'a number of 20001 bits' under loss is not"),
        (
            {"loss": [1, 2], "epoch": [0, 0.5]},
            "row 2: the epoch '0.5' is not a whole number",
        ),
        ({"loss": [1, 2], "epoch": [0, -1]}, "row 2: the epoch '-1' is below 0"),
        ({"loss": [1] * 4, "val_loss": []}, "no whole number as validation_freq"),
    ],
)
def test_lists_that_are_no_log_are_refused(
    lists: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        load_runs(lists)


def test_what_an_array_masks_is_missing() -> None:
    masked = np.ma.array([0.5, 0.4, 0.3], mask=[False, True, False])
    (run,) = load_runs({"loss": masked})
    assert list(run.series["loss"]) == [0.5, None, 0.3]


def test_none_in_a_list_is_missing_and_nan_is_not() -> None:
    (run,) = load_runs({"loss": [None, math.nan, 1.0]})
    assert recorded(run, "loss") == [False, True, True]


@pytest.mark.parametrize("as_index", [False, True])
def test_a_frame_is_read_with_its_epochs(*, as_index: bool) -> None:
    frame = pd.DataFrame({"epoch": [2, 3], "loss": [0.5, 0.25]})
    (run,) = load_runs(frame.set_index("epoch") if as_index else frame)
    assert (run.first_epoch, list(run.series)) == (2, ["loss"])
    assert run.series["loss"].values.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(("empty", "expected"), [("missing", False), ("nan", True)])
def test_a_nan_in_a_frame_is_read_as_asked(*, empty: Any, expected: bool) -> None:
    frame = pd.DataFrame({"loss": [0.5, math.nan]})
    (run,) = load_runs(frame, empty=empty)
    assert recorded(run, "loss") == [True, expected]
    assert any("was read as missing" in note for note in run.notes) != expected


def test_a_run_comes_back_through_its_frame() -> None:
    run = Run.from_logs(
        [{"loss": 0.1, "lr": 0.3}, {"loss": 0.2, "lr": 0.3}], first_epoch=4
    )
    (again,) = load_runs(run.to_frame())
    pd.testing.assert_frame_equal(again.to_frame(), run.to_frame())


def test_a_step_back_in_a_list_of_epochs_begins_another_run() -> None:
    runs = load_runs({"epoch": [0, 1, 0], "loss": [3, 2, 1]})
    assert [run.name for run in runs] == ["dict#1", "dict#2"]


@pytest.mark.parametrize("source", [3, None, [1.0], object()])
def test_other_objects_are_refused(source: object) -> None:
    with pytest.raises(ConfigError, match="is no source of runs"):
        load_runs(source)


def test_a_list_of_paths_is_told_how_it_is_given() -> None:
    with pytest.raises(ConfigError, match=r"load_runs\(\*paths\)"):
        load_runs(["a.csv", "b.csv"])


@pytest.mark.parametrize("is_named", [True, False])
def test_the_index_of_a_frame_tells_lost_rows_copies_and_another_order(
    *, is_named: bool
) -> None:
    """What a CSV of the frame tells: rows were dropped, joined or sorted by value."""
    losses = [0.9, 0.7, 0.5, 0.6, 0.8, 0.85]
    frame = pd.DataFrame({"val_loss": losses})
    frame = frame.rename_axis("epoch") if is_named else frame
    (lost,) = load_runs(frame.drop(index=[2, 3]))
    assert list(lost.series["val_loss"]) == [0.9, 0.7, None, None, 0.8, 0.85]
    (grown,) = load_runs(pd.concat([frame[:3], frame[:4], frame]))
    assert list(grown.series["val_loss"]) == losses
    (ordered,) = load_runs(frame.sort_values("val_loss"))
    assert list(ordered.series["val_loss"]) == losses
    assert "they were sorted" in " ".join(ordered.notes)


def test_rows_of_steps_are_not_called_epochs_by_the_index_of_a_frame() -> None:
    """Of a history of W&B, the rows without a validation were dropped."""
    frame = pd.DataFrame({"_step": range(6), "val_loss": [math.nan, 0.5] * 3}).dropna()
    (run,) = load_runs(frame)
    assert list(run.series["val_loss"]) == [0.5] * 3


LOSSES = [1 / 3, 1 / 7, 1 / 5, 1 / 4]
OF_TRACKERS: dict[str, dict[str, Any]] = {
    "wandb": {"_step": range(4), "_timestamp": [1.6e9] * 4, "val_loss": LOSSES},
    "lightning": {
        "epoch": [0, 0, 1, 1],
        "step": [9, 9, 19, 19],
        "val_loss": [LOSSES[0], None, LOSSES[1], None],
        "train_loss": [None, 0.5, None, 0.25],
    },
    "mlflow": {
        "key": ["loss", "val_loss"] * 2,
        "value": LOSSES,
        "step": [0, 0, 1, 1],
    },
    "runs": {"run": [*"aabb"], "epoch": [0, 1, 0, 1], "val_loss": LOSSES},
    "melted": {"epoch": [0, 1] * 2, "variable": [*"aabb"], "value": LOSSES},
    "text": {"epoch": [*"0123"], "val_loss": [*map(repr, LOSSES)]},
}


def _as_line(row: re.Match[str]) -> str:
    return f"from line {int(row[1]) + 1}"


@pytest.mark.parametrize("writer", OF_TRACKERS)
def test_the_frame_of_a_tracker_reads_as_its_csv(tmp_path: Path, writer: str) -> None:
    frame = pd.DataFrame(OF_TRACKERS[writer])
    frame.to_csv(tmp_path / "DataFrame", index=False)
    of_file, of_frame = load_runs(tmp_path / "DataFrame"), load_runs(frame)
    assert [run.name for run in of_frame] == [run.name for run in of_file]
    for run, other in zip(of_frame, of_file, strict=True):
        # a frame has no lines: its rows are counted
        said = [re.sub(r"from row (\d+)", _as_line, note) for note in run.notes]
        assert said == [*other.notes]
        assert "line" not in " ".join(run.notes)
        pd.testing.assert_frame_equal(run.to_frame(), other.to_frame())


def test_a_sample_of_a_history_in_a_frame_is_told_as_one() -> None:
    """What W&B's ``run.history()`` returns of a run that did not log its epochs."""
    steps = sorted(np.random.default_rng(0).choice(1000, 50, replace=False).tolist())
    frame = pd.DataFrame({"_step": steps, "val_loss": [1 / (1 + at) for at in steps]})
    for source in (frame, frame.to_dict("list"), dict(frame.items())):
        with pytest.raises(LogError, match="as in a sample of a longer history"):
            load_runs(source)


@pytest.mark.parametrize("counter", ["epoch", "step", "seed"])
def test_a_float32_value_of_a_table_is_not_rounded_to_its_text(counter: str) -> None:
    # 0.1 as float32 is the float64 number 0.10000000149011612
    losses = np.array([0.3, 0.2, 0.1], dtype=np.float32)
    table = {counter: [1, 1, 1] if counter == "seed" else [0, 1, 3], "loss": losses}
    listed = {**table, "loss": [*losses]}
    for source in (pd.DataFrame(table), pd.DataFrame(listed, dtype=object), listed):
        (run,) = load_runs(source)
        series = run.series["loss"]
        assert series.values[series.recorded].tolist() == losses.astype(float).tolist()


@pytest.mark.parametrize("counted", [[None, None], [math.nan, math.nan]])
def test_epochs_that_are_all_missing_are_left_out(counted: list[Any]) -> None:
    lists = {"epoch": counted, "loss": [0.5, 0.25]}
    for source in (lists, pd.DataFrame(lists)):
        (run,) = load_runs(source)
        assert list(run.series["loss"]) == [0.5, 0.25]
        assert "left out epoch: no row has one" in run.notes


def test_what_can_be_gone_through_once_is_read() -> None:
    (run,) = load_runs({"epoch": iter([0, 2]), "loss": iter([0.5, 0.25])})
    assert [*run.series["loss"]] == [0.5, None, 0.25]


def test_what_a_history_logged_as_its_epoch_is_no_metric() -> None:
    with pytest.raises(LogError, match="there is no epoch with a metric in it"):
        load_runs(History({"epoch": [0, 1]}, [0, 1]))


def test_epochs_that_are_arrays_are_refused_with_their_row() -> None:
    lists = {"epoch": [np.array([0, 1]), np.array([1, 2])], "loss": [0.5, 0.25]}
    with pytest.raises(LogError, match="row 1: the epoch '\\[0, 1\\]' is not a whole"):
        load_runs(lists)


def test_a_row_of_a_frame_without_a_value_is_an_epoch() -> None:
    losses = [0.5, None, 0.25]
    (run,) = load_runs(pd.DataFrame({"loss": losses, "val_loss": losses}))
    assert list(run.series["val_loss"]) == losses


OF_EACH_CLASS, FLAGS = [[0.5, 0.25], [0.75, 0.5]], [True, False]


@pytest.mark.parametrize("odd", [OF_EACH_CLASS, [*map(np.array, OF_EACH_CLASS)], FLAGS])
def test_a_frame_of_what_fit_returned_is_read_without_its_odd_columns(
    odd: list[Any],
) -> None:
    (run,) = load_runs(pd.DataFrame({"val_loss": [0.5, 0.25], "odd": odd}))
    assert [*run.series] == ["val_loss"]
    assert "there is no epoch column: the index was taken as it" in run.notes


@pytest.mark.parametrize("listed", [np.array, list, tuple])
def test_rates_of_groups_may_be_lists_of_numpy(listed: Any) -> None:
    groups = np.array([[0.5, 0.2], [0.5, 0.02]], dtype=np.float32)
    rates = [*map(listed, groups)]
    lists = {"val_loss": [0.5, 0.25], "lr": rates}
    texts = {**lists, "when": ["2024-01-01", "2024-01-02"]}
    for source in (lists, texts, pd.DataFrame(lists), History(lists, [0, 1])):
        (run,) = load_runs(source)
        assert [*run.series["lr/pg1"]] == groups[:, 1].tolist()


def test_arrays_of_several_shapes_are_left_out() -> None:
    lists = {"loss": [0.5, 0.25], "counts": [np.ones((2, 3)), np.ones((2, 4))]}
    for source in (lists, pd.DataFrame(lists)):
        (run,) = load_runs(source)
        assert [*run.series] == ["loss"]


def test_a_frame_of_models_with_lists_is_no_log() -> None:
    lists = {"net": ["small", "large"], "loss": [0.5, 0.25], "f1": OF_EACH_CLASS}
    with pytest.raises(LogError, match="its rows are no epochs: net is 'small' and"):
        load_runs(pd.DataFrame(lists))


def test_an_index_that_is_a_column_too_is_read_once() -> None:
    lists = {"run": ["a", "a"], "epoch": [0, 1], "val_loss": [0.5, 0.25]}
    for names in (["epoch"], ["run", "epoch"]):
        (run,) = load_runs(pd.DataFrame(lists).set_index(names, drop=False))
        assert [*run.series["val_loss"]] == [0.5, 0.25]


@pytest.mark.parametrize("name", ["batch_size", "fold", "seed"])
def test_an_index_with_a_name_counts_what_it_says(name: str) -> None:
    index = pd.Index([16, 32, 64], name=name)
    with pytest.raises(LogError, match=f"its rows are no epochs: {name} is 16 and 32"):
        load_runs(pd.DataFrame({"val_loss": [0.5, 0.25, 0.5]}, index=index))


def test_an_index_of_whole_float_numbers_counts() -> None:
    frame = pd.DataFrame({"val_loss": [0.5, 0.25]}, index=[0.0, 2.0])
    (run,) = load_runs(frame)
    assert [*run.series["val_loss"]] == [0.5, None, 0.25]


def test_what_was_read_as_missing_is_named_as_it_is_in_a_frame() -> None:
    values = [0.5, math.nan, 0.25]
    (run,) = load_runs(pd.DataFrame({"loss": values, "val_loss": values}))
    assert any(note.startswith("NaN or None was read as") for note in run.notes)
    assert not any("pandas, which names no index" in note for note in run.notes)
    (run,) = load_runs({"loss": [0.5, None, 0.25]})
    assert run.notes[0].startswith("an absent value, null or None was read as")


def test_a_column_that_a_frame_holds_twice_is_read_once() -> None:
    names, losses = ["loss", "loss"], [[0.5, 0.5], [0.25, 0.25]]
    (run,) = load_runs(pd.DataFrame(losses, columns=names))
    assert list(run.series["loss"]) == [0.5, 0.25]
    with pytest.raises(LogError, match="two columns are named 'loss', and they differ"):
        load_runs(pd.DataFrame([[0.5, 0.5], [0.25, 0.3]], columns=names))


@pytest.mark.parametrize("keys", [["a", "b"], [0, 1]])
@pytest.mark.parametrize("names", [["fold", "epoch"], ["fold", None], None])
def test_each_outer_key_of_a_frame_put_together_is_a_training(
    keys: list[Any], names: list[str] | None
) -> None:
    losses = [[3.0, 2.0, 1.0], [5.0, 4.0, 6.0]]
    frames = [pd.DataFrame({"loss": own, "val_loss": own}) for own in losses]
    runs = load_runs(pd.concat(frames, keys=keys, names=names))
    assert [run.series["loss"].values.tolist() for run in runs] == losses


def test_the_index_of_a_frame_in_long_form_names_epoch_and_metric() -> None:
    index = pd.MultiIndex.from_product(
        [range(2), ["loss", "val_loss"]], names=["epoch", "metric"]
    )
    (run,) = load_runs(pd.DataFrame({"value": [3.0, 5.0, 2.0, 4.0]}, index=index))
    assert run.series["val_loss"].values.tolist() == [5.0, 4.0]


def test_a_value_for_each_class_is_left_out() -> None:
    # as Keras's F1Score logs it where average is None
    scores = [np.array([0.5, 0.6]), np.array([0.6, 0.7])]
    (run,) = load_runs({"loss": [3.0, 2.0], "f1_score": scores})
    assert list(run.series) == ["loss"]
    assert run.notes == ("left out f1_score: its cells are lists, not single numbers",)
    with pytest.raises(LogError, match="no cell of a metric is a number"):
        load_runs({"f1_score": scores})
    with pytest.raises(
        LogError, match=r"'\[0.5, 0.6\]' under f1_score is not a number"
    ):
        load_runs({"loss": [3.0, 2.0], "f1_score": [0.5, scores[0]]})


def test_an_empty_list_of_epochs_beside_values_is_refused() -> None:
    with pytest.raises(LogError, match=r"'loss' has 1 value for 0 epochs\. Give lists"):
        load_runs({"epoch": [], "loss": [1.0]})


NAN = math.nan


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        # epoch 2 was trained twice: NaN once, as a frame may hold it, and then 0.5
        ([(0, 0.9, 0.9), (1, 0.8, 0.7), (2, 0.7, NAN), (2, 0.6, 0.5)], None),
        ([(0, 0.9, 0.9), (1, 0.8, 0.7), (2, 0.7, 0.5), (2, 0.6, NAN)], None),
        # the first of both rows failed altogether
        ([(0, 0.9, 0.9), (1, 0.8, 0.7), (2, NAN, NAN), (2, 0.6, 0.5)], None),
        # each of both lacks something else
        ([(0, 0.9, 0.9), (1, 0.8, 0.7), (2, 0.7, NAN), (2, NAN, 0.5)], None),
        # a row of the training and one of the validation
        ([(0, 0.9, NAN), (0, NAN, 0.9), (1, 0.8, NAN), (1, NAN, 0.5)], 0.5),
        # the row of the training stands again where something was validated
        (
            [
                (0, 0.9, NAN),
                (1, 0.8, NAN),
                (1, 0.8, 0.7),
                (2, 0.7, NAN),
                (3, 0.6, NAN),
                (3, 0.6, 0.5),
            ],
            0.5,
        ),
    ],
)
@pytest.mark.parametrize("of_file", [True, False])
def test_a_cell_that_is_empty_beside_a_value_may_have_been_nan(
    rows: list[tuple[int, float, float]],
    kept: float | None,
    tmp_path: Path,
    *,
    of_file: bool,
) -> None:
    """A fit that was resumed in an epoch leaves two whole rows of it."""
    frame = pd.DataFrame(rows, columns=["epoch", "loss", "val_loss"])
    frame.to_csv(tmp_path / "logs.csv", index=False)
    (run,) = load_runs(tmp_path / "logs.csv" if of_file else frame)
    assert run.series["val_loss"][run.horizon] == kept
    replay = replay_run(run, [EarlyStopping(patience=9)])
    assert replay.evidence == ("censored" if kept else "incomplete")
    sure = "has a value and another has none: neither is taken" not in " ".join(
        run.notes
    )
    assert sure == bool(kept)


def test_columns_of_several_levels_are_named_by_those_that_are_not_empty() -> None:
    losses = [0.9, 0.8, 0.85]
    columns = {("epoch", ""): [4, 5, 6], ("train", "loss"): losses}
    frame = pd.DataFrame(columns | {("val", "loss"): losses})
    (run,) = load_runs(frame)
    assert [*run.series] == ["train/loss", "val/loss"]
    assert (run.first_epoch, run.series["val/loss"].values.tolist()) == (4, losses)


@pytest.mark.parametrize(
    "times",
    [pd.date_range("2024-01-01", periods=3), pd.to_timedelta([0, 1, 2], unit="s")],
)
def test_times_in_a_frame_are_left_out_and_said(times: pd.Index) -> None:
    columns = {"epoch": [0, 1, 2], "time": times, "val_loss": [0.9, 0.8, 0.85]}
    for source in (pd.DataFrame(columns), {**columns, "time": list(times)}):
        (run,) = load_runs(source)
        assert [*run.series] == ["val_loss"]
        assert "left out time: no cell is a number" in run.notes


def test_a_text_among_numbers_of_a_dict_is_damage() -> None:
    with pytest.raises(LogError, match="row 2: 'x' under loss"):
        load_runs({"epoch": [0, 1], "time": ["10:00", "10:05"], "loss": [0.5, "x"]})


def test_a_damaged_row_of_a_frame_is_told_by_its_number() -> None:
    frame = pd.DataFrame({"epoch": [0, 1], "val_loss": [0.9, "x"]})
    with pytest.raises(LogError, match="DataFrame: row 2: 'x' under val_loss"):
        load_runs(frame)


def test_a_series_of_pandas_is_refused_with_what_to_give() -> None:
    with pytest.raises(ConfigError, match=r"give series\.to_frame\('val_loss'\)"):
        load_runs(pd.Series([0.9, 0.8]))


@pytest.mark.parametrize("name", ["seed", "fold", "Trial_ID"])
def test_the_fold_or_seed_of_all_rows_is_no_series(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"epoch": [0, 1], name: [3, 3], "val_loss": [0.9, 0.8]})
    frame.to_csv(tmp_path / "log.csv", index=False)
    for source in (frame, tmp_path / "log.csv"):
        (run,) = load_runs(source)
        assert [*run.series] == ["val_loss"]
        reason = "it is the same throughout the training"
        assert f"left out {name}: {reason}" in run.notes
        assert run.left_out[name] == reason


@pytest.mark.parametrize("name", ["seed", "fold", "batch_size", "dropout"])
def test_a_setting_that_changes_between_trainings_is_no_series(
    tmp_path: Path, name: str
) -> None:
    frame = pd.DataFrame({"epoch": [0, 1] * 2, name: [1, 1, 2, 2], "loss": LOSSES})
    frame.to_csv(tmp_path / "log.csv", index=False)
    for source in (frame, tmp_path / "log.csv"):
        runs = load_runs(source)
        assert [[*run.series] for run in runs] == [["loss"]] * 2
        assert [run.name.partition("#")[2] for run in runs] == [
            f"{name}=1",
            f"{name}=2",
        ]
    # a schedule of it is logged
    frame[name] = [1, 2, 1, 2]
    assert [[*run.series] for run in load_runs(frame)] == [[name, "loss"]] * 2


def test_other_steps_of_a_wandb_history_are_no_series() -> None:
    # the trainer's steps begin anew with a resumed job, those of W&B do not
    steps = {"_step": range(6), "global_step": [0, 10, 20, 0, 10, 20]}
    told = {"_runtime": range(6), "val_loss": [0.9, 0.8, 0.7, 0.75, 0.76, 0.77]}
    (run,) = load_runs(pd.DataFrame(steps | told))
    assert [*run.series] == ["val_loss"]
    assert run.n_epochs == len(steps["global_step"])
