"""Tables that hold a training in a form that is easily misread."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cbreplay import load_runs
from cbreplay.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.9, 0.7, 0.6, 0.65, 0.66, 0.67]


def frame() -> pd.DataFrame:
    validated = [loss + 0.125 for loss in LOSSES]
    return pd.DataFrame({"epoch": range(6), "loss": LOSSES, "val_loss": validated})


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_frame_that_each_save_wrote_split_is_one_training(
    tmp_path: Path, end: str
) -> None:
    log = tmp_path / "log.json"
    saves = [frame().iloc[:n].to_json(orient="split") + end for n in (3, 5, 6)]
    log.write_text("".join(saves))
    (run,) = load_runs(log)
    assert run.series["val_loss"].values.tolist() == frame()["val_loss"].tolist()


@pytest.mark.parametrize(
    "text",
    [
        '{"loss": [3, 2, 1], "val_loss": [3, 2, 2.5], "loss": [5, 4, 3]}',
        '{"epoch": 0, "loss": 3, "loss": 5}\n{"epoch": 1, "loss": 2}\n',
    ],
)
def test_a_key_that_stands_twice_with_two_values_is_no_guess(
    tmp_path: Path, text: str
) -> None:
    log = tmp_path / "log.json"
    log.write_text(text)
    with pytest.raises(LogError, match="holds 'loss' twice, with different values"):
        load_runs(log)


def test_a_key_that_stands_twice_with_one_value_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"loss": [3, 2, 1], "loss": [3, 2, 1]}')
    (run,) = load_runs(log)
    assert run.series["loss"].values.tolist() == [3, 2, 1]


@pytest.mark.parametrize("levels", [None, ["set", "name"]])
@pytest.mark.parametrize(
    ("tops", "has_index"),
    [(("train", "val"), True), (("loss", "loss"), True), (("loss", "loss"), False)],
)
def test_columns_with_levels_are_named_as_those_of_the_frame(
    tmp_path: Path, tops: tuple[str, str], levels: list[str] | None, *, has_index: bool
) -> None:
    written = frame().set_index("epoch")
    names = [(tops[0], "a"), (tops[1], "b")]
    written.columns = pd.MultiIndex.from_tuples(names, names=levels)
    log = tmp_path / "log.csv"
    written.to_csv(log, index=has_index)
    (run,) = load_runs(log)
    (told,) = load_runs(written)
    assert list(run.series) == list(told.series) == ["/".join(name) for name in names]
    for name in run.series:
        assert run.series[name].values.tolist() == told.series[name].values.tolist()


def test_a_second_line_of_words_is_no_level(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("epoch,loss\nepoch,loss\n0,1\n1,2\n")
    (run,) = load_runs(log)
    assert run.series["loss"].values.tolist() == [1, 2]
    log.write_text("Epoch 1/2\n25/25 - 2s - loss: 0.5\nEpoch 2/2\n9/25\n25\n")
    with pytest.raises(LogError, match="line 1: this is what Keras prints"):
        load_runs(log)
    # a remark behind which Excel put a comma
    log.write_text("epoch,loss\nstarted,\n0,1\n1,2\n")
    with pytest.raises(LogError, match="line 2: the epoch 'started'"):
        load_runs(log)


@pytest.mark.parametrize(
    "header",
    [
        # the tables of runs that W&B's page, MLflow's page and search_runs write
        "Name,State,Created,epoch,loss,val_loss",
        "Run ID,Name,Status,epochs,loss,val_loss",
        "run_id,status,experiment_id,epoch,loss,val_loss",
    ],
)
def test_a_table_of_runs_is_no_training_whatever_its_epochs(
    tmp_path: Path, header: str
) -> None:
    log = tmp_path / "runs.csv"
    rows = [
        f"run-{at},a{at % 2},x,{10 + at},{loss},{loss}"
        for at, loss in enumerate(LOSSES)
    ]
    log.write_text("\n".join([header, *rows, ""]))
    with pytest.raises(LogError, match=r"its rows are runs, not epochs: .* 'run-0'"):
        load_runs(log)


def test_a_name_and_a_state_in_each_epoch_make_no_table_of_runs(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{at},w{at}.h5,improved,{loss}" for at, loss in enumerate(LOSSES)]
    log.write_text("\n".join(["epoch,name,status,val_loss", *rows, ""]))
    (run,) = load_runs(log)
    assert list(run.series["val_loss"]) == LOSSES


@pytest.mark.parametrize(
    "epochs", ["30 25 40 20 35", "10 20 30 40 50", "20 20 20 20 5"]
)
@pytest.mark.parametrize("name", ["model", "Architecture", "optimizer"])
def test_a_table_of_models_is_no_training_whatever_its_epochs(
    tmp_path: Path, name: str, epochs: str
) -> None:
    log = tmp_path / "results.csv"
    rows = [
        f"net-{letter},{own},{loss}"
        for letter, own, loss in zip("abcde", epochs.split(), LOSSES, strict=False)
    ]
    log.write_text("\n".join([f"{name},epochs,val_loss", *rows, ""]))
    with pytest.raises(LogError, match=r"rows are models, not epochs: .* 'net-a'"):
        load_runs(log)


@pytest.mark.parametrize("apart", [1, 5])
def test_the_file_that_each_epoch_saved_makes_no_table_of_models(
    tmp_path: Path, apart: int
) -> None:
    log = tmp_path / "log.csv"
    rows = [
        f"{at * apart},net_{at * apart:03}.pt,{loss}"
        for at, loss in enumerate(LOSSES, start=1)
    ]
    log.write_text("\n".join(["epoch,model,val_loss", *rows, ""]))
    (run,) = load_runs(log)
    assert [value for value in run.series["val_loss"] if value is not None] == LOSSES


def test_rows_of_a_value_and_the_name_of_its_metric_are_no_epochs(
    tmp_path: Path,
) -> None:
    # Azure's metrics, which have a time and no step
    rows = [
        {"name": name, "timestamp": f"2026-11-28T10:0{at}:00Z", "value": loss}
        for at, loss in enumerate(LOSSES)
        for name in ("loss", "val_loss")
    ]
    log = tmp_path / "metrics.json"
    log.write_text(json.dumps(rows))
    with pytest.raises(LogError, match="no epochs: name is 'loss' and 'val_loss'"):
        load_runs(log)


PLANNED = {"epochs": [50] * 6, **frame().to_dict("list")}


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_column_of_planned_epochs_before_the_epoch_is_not_taken_for_it(
    tmp_path: Path, ending: str
) -> None:
    log = tmp_path / f"log.{ending}"
    table = pd.DataFrame(PLANNED)
    csv = table.to_csv(index=False)
    log.write_text(csv if ending == "csv" else json.dumps(PLANNED))
    (run,) = load_runs(log)
    assert (run.first_epoch, run.horizon) == (0, 5)
    assert run.series["loss"].values.tolist() == LOSSES


@pytest.mark.parametrize("source", [PLANNED, pd.DataFrame(PLANNED)])
def test_planned_epochs_before_the_epoch_are_not_taken_for_it_in_memory(
    source: dict[str, list[float]] | pd.DataFrame,
) -> None:
    (run,) = load_runs(source)
    assert (run.first_epoch, run.horizon) == (0, 5)


@pytest.mark.parametrize("levels", [["set", "name"], ["split", "metric"]])
def test_names_of_levels_above_an_index_are_none_of_a_series(
    tmp_path: Path, levels: list[str]
) -> None:
    """What pandas writes of such a frame, of which two rows were lost."""
    names = pd.MultiIndex.from_product([["train", "val"], ["loss"]], names=levels)
    whole = pd.DataFrame([[own, own] for own in LOSSES], columns=names)
    whole.drop(index=[2, 3]).to_csv(tmp_path / "log.csv")
    (run,) = load_runs(tmp_path / "log.csv")
    assert [*run.series] == ["train/loss", "val/loss"]
    expected = [*LOSSES[:2], None, None, *LOSSES[4:]]
    assert list(run.series["val/loss"]) == expected


def test_a_header_that_stands_twice_names_no_levels(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"loss,{loss},{at}" for at, loss in enumerate(LOSSES)]
    log.write_text("\n".join([*["metric,value,step"] * 2, *rows, ""]))
    (run,) = load_runs(log)
    assert list(run.series["loss"]) == LOSSES


def test_a_first_row_without_a_number_names_no_levels(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("set,loss\nval,n/a\nval,0.5\nval,0.4\n")
    (run,) = load_runs(log)
    assert {name: [*own] for name, own in run.series.items()} == {
        "val_loss": [0.5, 0.4]
    }
