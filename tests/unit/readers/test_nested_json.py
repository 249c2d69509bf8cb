"""JSON of other trackers, whose rows or curves stand below other names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import LogError, load_runs
from cbreplay.errors import UnknownMonitorError

if TYPE_CHECKING:
    from pathlib import Path

LOSS = [0.75, 0.5, 0.375]
JUDGED = [0.875, 0.625, 0.75]
EPOCHS = list(range(len(LOSS)))
ROWS = [{"loss": loss, "val_loss": own} for loss, own in zip(LOSS, JUDGED, strict=True)]
NUMBERED = [{"epoch": at, **row} for at, row in enumerate(ROWS)]


def curve(values: list[float], places: list[int], names: tuple[str, str]) -> Any:
    return dict(zip(names, (places, values), strict=True))


def values_of(path: Path, held: object, name: str) -> list[float | None]:
    path.write_text(json.dumps(held))
    (run,) = load_runs(path)
    return list(run.series[name])


@pytest.mark.parametrize(
    "held",
    [
        # rows below a name, beside what was summed up
        {"epochs": NUMBERED, "best_epoch": 1},
        {"history": NUMBERED},
        [{"epoch": at, "metrics": row} for at, row in enumerate(ROWS)],
        [{"epoch": at, "logs": row, "note": "fine"} for at, row in enumerate(ROWS)],
        # names once, and a list for each row
        [["epoch", "loss", "val_loss"], *([*row.values()] for row in NUMBERED)],
        # Ray Tune's result.json
        [{"training_iteration": at + 1, **row} for at, row in enumerate(ROWS)],
    ],
)
def test_rows_are_found_below_other_names(tmp_path: Path, held: object) -> None:
    assert values_of(tmp_path / "log.json", held, "val_loss") == JUDGED


@pytest.mark.parametrize("names", [("x", "y"), ("steps", "values")])
@pytest.mark.parametrize("begin", [0, 1])
def test_curves_are_called_by_their_names(
    tmp_path: Path, names: tuple[str, str], begin: int
) -> None:
    places = [at + begin for at in EPOCHS]
    held = {
        "training.loss": curve(LOSS, places, names),
        "validation.loss": curve(JUDGED, places, names),
    }
    assert values_of(tmp_path / "metrics.json", held, "validation.loss") == JUDGED


@pytest.mark.parametrize("names", [("x", "y"), ("steps", "values")])
def test_a_curve_with_gaps_stands_at_its_places(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    held = {
        "loss": curve(LOSS, [1, 2, 3], names),
        "val_loss": curve(JUDGED[:2], [1, 3], names),
    }
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(held))
    (run,) = load_runs(path)
    assert run.series["loss"].values.tolist() == LOSS
    assert run.series["val_loss"].recorded.tolist() == [True, False, True]
    assert run.series["val_loss"].values[2] == JUDGED[1]


def test_an_empty_list_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"loss": LOSS, "val_loss": []}))
    (run,) = load_runs(path)
    with pytest.raises(
        UnknownMonitorError, match="val_loss was left out: the list is empty"
    ):
        run.monitored("val_loss")


def test_trials_below_a_name_are_no_epochs(tmp_path: Path) -> None:
    trials = [{"lr": 0.1, "name": "a", **ROWS[0]}, {"lr": 0.01, "name": "b", **ROWS[1]}]
    path = tmp_path / "trials.json"
    path.write_text(json.dumps({"trials": trials}))
    with pytest.raises(LogError, match="no lists of numbers"):
        load_runs(path)


def test_the_checkpoints_of_a_table_of_ray_do_not_hide_its_epochs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "progress.csv"
    rows = [
        f"{row['loss']},{row['val_loss']},checkpoint_{at:06d},{at + 1}"
        for at, row in enumerate(ROWS)
    ]
    header = "loss,val_loss,checkpoint_dir_name,training_iteration"
    path.write_text("\n".join([header, *rows, ""]))
    (run,) = load_runs(path)
    assert list(run.series["val_loss"]) == JUDGED


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (
            {"train": [{"epoch": at, "loss": own} for at, own in enumerate(LOSS)]}
            | {"val": JUDGED},
            {"loss": LOSS, "val": JUDGED},
        ),
        (
            {"train": LOSS, "val": [{"loss": own} for own in JUDGED]},
            {"train": LOSS, "val_loss": JUDGED},
        ),
        (
            {"train": [{"loss": own} for own in LOSS], "val_loss": JUDGED},
            {"loss": LOSS, "val_loss": JUDGED},
        ),
    ],
)
def test_rows_beside_lists_are_read_with_them(
    tmp_path: Path, held: object, expected: dict[str, list[float]]
) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps(held))
    (run,) = load_runs(path)
    assert {name: list(own) for name, own in run.series.items()} == expected


TWO = {"loss": LOSS, "val_loss": JUDGED}
PICTURE = {
    "data": [{"name": name, "x": EPOCHS, "y": own} for name, own in TWO.items()],
    "layout": {"title": "curves"},
}


@pytest.mark.parametrize(
    "held",
    [
        PICTURE["data"],
        PICTURE,
        # visdom's environment
        {"jsons": {"window_1": {"content": PICTURE, "type": "plot"}}, "reload": {}},
        # Highcharts' and Chart.js's
        [{"name": name, "type": "line", "data": own} for name, own in TWO.items()],
        {
            "labels": EPOCHS,
            "datasets": [{"label": name, "data": own} for name, own in TWO.items()],
        },
    ],
    ids=["list", "plotly", "visdom", "highcharts", "chart.js"],
)
def test_curves_with_a_name_each_are_series(tmp_path: Path, held: object) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps(held))
    (run,) = load_runs(path)
    assert {name: list(own) for name, own in run.series.items()} == TWO


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (
            [{"name": "loss", "x": EPOCHS, "y": own} for own in TWO.values()],
            "two of its curves are called 'loss'. Give each a name of its own",
        ),
        ([{"x": EPOCHS, "y": LOSS}], "its curves have no names. Give each a name"),
        (JUDGED, "this JSON is one list of numbers, without a name. Give it its name"),
        (
            [LOSS, JUDGED],
            "this JSON is lists of numbers, and nothing names what each is. Write the",
        ),
        (
            [["epoch", "loss"], [1, 0.5], [2]],
            "list 3 holds 1 value, and the first one, of names, 2. Give each row a",
        ),
    ],
)
def test_curves_and_lists_that_lack_something_say_what(
    tmp_path: Path, held: object, said: str
) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps(held))
    with pytest.raises(LogError) as error:
        load_runs(path)
    assert said in str(error.value)


def test_trainings_with_a_name_and_one_list_each_are_no_curves(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"name": own, "values": LOSS} for own in ("a", "b")]))
    assert len(load_runs(path)) == 2


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("name", ["log.json", "log.jsonl"])
def test_a_history_that_each_save_writes_again_is_one_training(
    tmp_path: Path, name: str, first: int
) -> None:
    loss = [0.75, float("nan"), 0.375, 0.5]
    saves = [{"loss": loss[:n], "val_loss": loss[:n]} for n in range(first, 5)]
    lines = "\n".join(map(json.dumps, saves))
    path = tmp_path / name
    path.write_text(json.dumps(saves) if name == "log.json" else lines)
    (run,) = load_runs(path)
    assert run.n_epochs == len(loss)
    said = f"its lists stand there {4 - first} times more"
    assert any(said in note for note in run.notes)


def test_histories_of_several_trainings_are_several(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"loss": LOSS}, {"loss": JUDGED}, {"loss": LOSS[:2]}]))
    assert len(load_runs(path)) == 3


def test_what_clearml_measures_of_the_machine_is_no_series(tmp_path: Path) -> None:
    """get_reported_scalars() has it beside the metrics, at steps of its own."""
    held = {
        "loss": {"validation": curve(JUDGED, EPOCHS, ("x", "y"))},
        ":monitor:machine": {"cpu_usage": curve([1.0] * 9, [*range(9)], ("x", "y"))},
    }
    assert values_of(tmp_path / "scalars.json", held, "loss/validation") == JUDGED


def test_lists_of_losses_are_found_in_a_directory(tmp_path: Path) -> None:
    held = {"train_losses": LOSS, "val_losses": JUDGED, "best": 1}
    (tmp_path / "losses.json").write_text(json.dumps(held))
    (run,) = load_runs(tmp_path)
    assert list(run.series["val_losses"]) == JUDGED


def test_a_list_of_losses_of_each_batch_makes_no_validation_seldom(
    tmp_path: Path,
) -> None:
    """Keras would have called them losses and val_losses."""
    log = tmp_path / "losses.json"
    log.write_text(json.dumps({"train_losses": LOSS * 4, "val_losses": JUDGED}))
    with pytest.raises(LogError, match="'val_losses' has 3 values for 12 epochs"):
        load_runs(log)
    # a loop of one's own may still have validated every fourth epoch
    with pytest.raises(LogError, match="validated every 4 epochs: validation_freq=4"):
        load_runs(log)
    (run,) = load_runs(log, validation_freq=4)
    assert list(run.series["val_losses"].recorded).index(True) == 4 - 1


def test_rows_of_a_history_of_wandb_may_stand_below_their_data_set(
    tmp_path: Path,
) -> None:
    rows = [
        {"_step": at, "epoch": at, "val": {"loss": loss}}
        for at, loss in enumerate(JUDGED)
    ]
    assert values_of(tmp_path / "history.json", rows, "val_loss") == JUDGED


@pytest.mark.parametrize("name", ["Epoch #", "epoch_id", "Ep.", "Epoche"])
def test_a_log_is_known_in_a_directory_by_any_name_of_the_epoch(
    tmp_path: Path, name: str
) -> None:
    rows = "".join(f"{at},{loss}\n" for at, loss in enumerate(JUDGED))
    (tmp_path / "log.csv").write_text(f"{name},Validation Loss\n{rows}")
    (run,) = load_runs(tmp_path)
    assert list(run.series["Validation Loss"]) == JUDGED


@pytest.mark.parametrize("named", [False, True])
def test_several_histories_of_keras_that_were_dumped_whole_are_runs(
    tmp_path: Path, *, named: bool
) -> None:
    whole = {
        key: {
            "params": {"epochs": 3},
            "epoch": EPOCHS,
            "history": {"loss": LOSS, "val_loss": judged},
        }
        for key, judged in (("a", JUDGED), ("b", LOSS))
    }
    log = tmp_path / "folds.json"
    log.write_text(json.dumps(whole if named else [*whole.values()]))
    runs = load_runs(log)
    assert [run.name.rpartition("#")[2] for run in runs] == (
        ["a", "b"] if named else ["1", "2"]
    )
    assert [list(run.series["val_loss"]) for run in runs] == [JUDGED, LOSS]
    assert [run.planned_epochs for run in runs] == [3, 3]


def test_what_stands_below_a_data_set_is_called_by_it_once(tmp_path: Path) -> None:
    # as the columns of a table are, whatever the data set is called
    named = [{"epoch": at, "val": {"val_loss": own}} for at, own in enumerate(JUDGED)]
    assert values_of(tmp_path / "named.json", named, "val_loss") == JUDGED
    below = {"train": {"loss": LOSS}, "eval": {"loss": JUDGED}}
    assert values_of(tmp_path / "below.json", below, "eval_loss") == JUDGED
