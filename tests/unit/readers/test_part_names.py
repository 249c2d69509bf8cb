"""Trainings below each other in one table are called by what tells them apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from cbreplay import load_runs
from cbreplay.sweep.groups import find_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EPOCHS = 4


def write_table(
    path: Path, columns: str, parts: Sequence[str], *, seed: int = 0
) -> Path:
    """Write a part for each of some beginnings of rows, of random losses."""
    losses = np.random.default_rng(seed).random((len(parts), EPOCHS))
    rows = [
        f"{begin},{epoch},{loss:.6f}"
        for begin, of_part in zip(parts, losses.tolist(), strict=True)
        for epoch, loss in enumerate(of_part)
    ]
    path.write_text("\n".join([f"{columns},epoch,val_loss", *rows, ""]))
    return path


def labels(path: Path) -> list[str]:
    return [run.name.partition("#")[2] for run in load_runs(path)]


@pytest.mark.parametrize(
    ("columns", "parts", "called"),
    [
        (
            "model,seed",
            ["a,0", "a,1", "b,0", "b,1"],
            ["model=a,seed=0", "model=a,seed=1", "model=b,seed=0", "model=b,seed=1"],
        ),
        ("seed", ["7", "8", "9"], ["seed=7", "seed=8", "seed=9"]),
        # what follows from the others tells nothing more, and an own name comes last
        (
            "run_id,model,width,fold",
            ["x1,a,32,1", "x2,a,32,2", "x3,b,64,1", "x4,b,64,2"],
            ["model=a,fold=1", "model=a,fold=2", "model=b,fold=1", "model=b,fold=2"],
        ),
        ("run_id", ["x1", "x2"], ["run_id=x1", "run_id=x2"]),
        ("model", ["a", "a", "b"], ["model=a,run1", "model=a,run2", "model=b,run1"]),
        ("dropout", ["0.1", "0.25"], ["dropout=0.1", "dropout=0.25"]),
        # a slash would be read as a directory, and a sentence is no name
        ("model", ["a/b", "c/d"], ["1", "2"]),
        ("note", ["=" * 40, "x" * 50], ["1", "2"]),
        ("model", ["a", "a"], ["1", "2"]),
        # a fit begun again with another rate is no sweep; beside a seed a rate is one
        (
            "learning_rate",
            ["0.0010000000474974513", "9.999999747378752e-05"],
            ["1", "2"],
        ),
        (
            "lr,seed",
            ["0.0010000000474974513,1", "0.0010000000474974513,2", "0.01,1"],
            ["lr=0.001,seed=1", "lr=0.001,seed=2", "lr=0.01,seed=1"],
        ),
    ],
)
def test_parts_are_called_by_what_their_rows_say(
    tmp_path: Path, columns: str, parts: list[str], called: list[str]
) -> None:
    assert labels(write_table(tmp_path / "sweep.csv", columns, parts)) == called


def test_what_changes_inside_of_a_part_tells_none_apart(tmp_path: Path) -> None:
    path = write_table(tmp_path / "sweep.csv", "host", ["a", "b"])
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace("a,", "b,", 1)
    path.write_text("".join(lines))
    assert labels(path) == ["1", "2"]


def test_a_table_of_thousands_of_rows_is_no_other(tmp_path: Path) -> None:
    # of a column of text only the first thousand cells are kept
    parts = [f"{model},{seed}" for model in ("a", "b") for seed in range(300)]
    called = labels(write_table(tmp_path / "sweep.csv", "model,seed", parts))
    expected = [f"model={part.replace(',', ',seed=')}" for part in parts]
    assert called == expected


def test_a_name_chooses_its_part_and_changes_no_value(tmp_path: Path) -> None:
    path = write_table(tmp_path / "sweep.csv", "model", ["a", "b", "c"])
    bare = write_table(tmp_path / "bare.csv", "seed", ["", "", ""])
    values = [run.series["val_loss"].values.tolist() for run in load_runs(bare)]
    for label, expected in zip("abc", values, strict=True):
        number = "abc".index(label) + 1
        for part in (f"model={label}", str(number)):
            (run,) = load_runs(f"{path}#{part}")
            assert run.series["val_loss"].values.tolist() == expected


def test_seeds_that_a_column_names_count_as_one_setting(tmp_path: Path) -> None:
    parts = [f"{model},{seed}" for model in "ab" for seed in range(3)]
    runs = load_runs(write_table(tmp_path / "sweep.csv", "model,seed", parts))
    assert find_groups(runs, None).rows == ((0, 1, 2), (3, 4, 5))
    # seeds alone are trainings of one setting, of which each stands for itself
    alone = write_table(tmp_path / "seeds.csv", "seed", ["1", "2", "3"])
    assert find_groups(load_runs(alone), None).by == "seed"


@pytest.mark.parametrize("number", ["epoch", "step"])
@pytest.mark.parametrize("form", ["csv", "json", "lists.json", "frame", "dict"])
def test_folds_whose_epochs_go_on_are_trainings_all_the_same(
    tmp_path: Path, number: str, form: str
) -> None:
    """One counter over all folds: each fold is a training, and no two are one."""
    table = pd.DataFrame({"fold": [0] * 4 + [1] * 3, number: range(7)})
    table["val_loss"] = [0.9, 0.7, 0.8, 0.85, 0.75, 0.6, 0.65]
    path = tmp_path / f"folds.{form}"
    lists = {name: table[name].tolist() for name in table}
    texts = {"csv": table.to_csv(index=False), "lists.json": json.dumps(lists)}
    path.write_text(texts.get(form, table.to_json(orient="records")))
    runs = load_runs({"frame": table, "dict": lists}.get(form, path))
    assert [list(run.series["val_loss"]) for run in runs] == [
        [0.9, 0.7, 0.8, 0.85],
        [0.75, 0.6, 0.65],
    ]
    called = {"frame": "DataFrame", "dict": "dict"}.get(form, path.name)
    assert [run.name for run in runs] == [f"{called}#fold={at}" for at in (0, 1)]
    assert runs[1].first_epoch == 4


def test_a_seed_that_is_another_in_each_epoch_names_no_training(
    tmp_path: Path,
) -> None:
    table = pd.DataFrame({"epoch": range(6), "seed": range(40, 46)})
    table["val_loss"] = 1 / (table["epoch"] + 1)
    table.to_csv(tmp_path / "log.csv", index=False)
    (run,) = load_runs(tmp_path / "log.csv")
    assert run.n_epochs == 6


def test_a_table_that_was_appended_again_on_another_day_is_one_training(
    tmp_path: Path,
) -> None:
    path = write_table(tmp_path / "saves.csv", "day", ["monday"])
    first = path.read_text().splitlines(keepends=True)
    again = [line.replace("monday", "tuesday") for line in first[1:]]
    path.write_text("".join([*first, *again, f"tuesday,{EPOCHS},0.125\n"]))
    (run,) = load_runs(path)
    assert (run.name, run.horizon) == ("saves.csv", EPOCHS)
