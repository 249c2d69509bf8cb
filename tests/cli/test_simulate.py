"""``cbreplay simulate``: what it says, in every form."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cbreplay import (
    EarlyStopping,
    load_runs,
    make_grid,
    parse_callbacks,
    replay_run,
)
from cbreplay.answers.json_fields import describe_replay
from tests.conftest import ROOT, VALUES, Ask, table_lines, write_csv
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())


def as_json(text: str) -> Any:
    answer = json.loads(text, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


# --- one log, no options


def test_one_log_gets_the_screen(ask: Ask, log: Path) -> None:
    answer = ask("simulate", log, "--semantics", "keras-3.15")
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    # .49 at epoch 6 is best, and after it the log ends before any patience stops
    assert " ".join(lines[:3]) == (
        "No patience that stops inside this log keeps its best val_loss; patience 1 "
        "comes nearest: it keeps epoch 3, and stops at 4 of 8 (4 epochs saved). One "
        "run cannot say what the next needs."
    )
    assert " ".join(lines[4:6]) == (
        "log.csv: 8 epochs; how many were planned is not recorded. Judged by val_loss, "
        "smaller is better, by the rules of Keras 3.15. Epochs count from 1."
    )
    assert "best 0.4900 at epoch 6 of 8" in lines[7]
    # the row that the first sentence speaks of has a sign before it
    (row,) = [line[1:].split() for line in lines if line.startswith(">0-2")]
    # 0.50 only ties 0.50 at epoch 4, counted from 1; patience 2 stops one later
    assert row == ["0-2", "4-5", "3", "0.5000", "0.0100", "0.5000", "4-3"]
    assert any("not in the log: it ends at epoch 8" in line for line in lines)
    assert "restore_best_weights=True; Keras's default" not in answer.out
    told = " ".join(ask("simulate", log, "-v").out.split())
    assert "under restore_best_weights=True; Keras's default is False" in told
    assert "learning_rate is not in the log; it is taken as constant" in told
    assert f"cbreplay plot {log} --semantics keras-3.15 --patience 1\n" in answer.out


def test_two_epochs_stop_at_no_patience_and_save_nothing(
    ask: Ask, tmp_path: Path
) -> None:
    """Both epochs improve, so nothing waits, and no recorded epoch is saved."""
    log = tmp_path / "two.csv"
    log.write_text("epoch,val_accuracy,val_loss\n0,0.5,1.5\n1,0.6,1.2\n")
    told = " ".join(ask("simulate", log).out.split())
    # its last epoch is the best of every series: that says nothing of val_accuracy
    assert "No patience stops inside this log" in told
    assert "val_accuracy was best" not in told
    answer = ask("simulate", log, "--patience", "1,5").out
    rows = [line.split() for line in answer.splitlines() if "log ends at 2" in line]
    assert [row[5] for row in rows] == ["0", "0"]
    assert "<=" not in answer


def test_of_several_runs_those_that_ended_in_nan_are_named(
    ask: Ask, tmp_path: Path
) -> None:
    for name, last in (("whole", "0.3"), ("broken", "nan")):
        rows = f"0,0.5\n1,0.4\n2,0.35\n3,{last}\n"
        (tmp_path / f"{name}.csv").write_text(f"epoch,val_loss\n{rows}")
    told = ask("simulate", tmp_path).out
    assert " ended in NaN or infinity: broken.csv\n" in told
    assert " still improving at the end of the log: whole.csv\n" in told


def test_the_schedule_of_the_optimizer_is_named(ask: Ask, tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv", VALUES)
    optimizer = {"class": "Adam", "schedule": "CosineDecay(0.1, 80)"}
    (tmp_path / "run.json").write_text(json.dumps({"optimizer": optimizer}))
    told = " ".join(ask("simulate", tmp_path).out.split())
    assert "learning_rate went by the optimizer's schedule, CosineDecay(0.1," in told
    assert "constant" not in told


def test_the_screen_is_at_most_80_columns_wide(ask: Ask, rated_log: Path) -> None:
    answer = ask("simulate", rated_log, "--semantics", "keras-3.15")
    prose = [one for one in answer.out.splitlines() if "cbreplay " not in one]
    assert max(map(len, prose)) <= 80


def test_the_json_of_one_log_holds_the_staircase(ask: Ask, log: Path) -> None:
    answer = as_json(ask("simulate", log, "--format", "json").out)
    assert answer["results"] == []
    steps = answer["staircase"]["steps"]
    assert steps[0]["patience"] == [0, 2]
    assert steps[-1]["patience"][1] is None
    assert answer["objective"] == {"name": "val_loss", "mode": "min"}


def test_the_csv_of_one_log_is_zero_based_with_full_precision(
    ask: Ask, log: Path
) -> None:
    out = ask("simulate", log, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0]["kept_epoch"] == "2"
    assert float(rows[0]["regret"]) == 0.5 - 0.49
    assert rows[-1]["last_patience"] == ""


def test_markdown_is_a_table(ask: Ask, log: Path) -> None:
    out = ask("simulate", log, "--format", "markdown").out
    lines = table_lines(out)
    assert lines[0].startswith(
        "| patience | stops at | keeps | val_loss | above best |"
    )
    assert lines[2].startswith("| **0-2** | 4-5 | 3 | 0.5000 | 0.0100 |")
    assert set(lines[1]) <= set("|-: ")
    assert len({line.count("|") for line in lines}) == 1


def test_keep_last_keeps_the_stop_epoch(ask: Ask, log: Path) -> None:
    out = ask("simulate", log, "--keep", "last", "--format", "json").out
    for step in as_json(out)["staircase"]["steps"][:-1]:
        assert step["kept_epoch"] == step["stopped_epoch"][0]
    assert "restore_best_weights=False" in ask("simulate", log, "--keep", "last").out


def test_recorded_reductions_are_explained(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "reduced.csv"
    # flat: patience 2 reduces after the third epoch and after the fifth
    rates = [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025]
    rows = [f"{i},0.5,{rate}" for i, rate in enumerate(rates)]
    path.write_text("\n".join(["epoch,val_loss,learning_rate", *rows, ""]))
    out = " ".join(ask("simulate", path).out.split())
    assert "reduced after epochs 3, 5 (0.01 to 0.0025)" in out
    assert "to all its digits as ReduceLROnPlateau(factor=0.5, patience=2) would" in out


# --- settings


def test_a_setting_is_answered_as_by_replay_run(ask: Ask, log: Path) -> None:
    out = ask("simulate", log, "--patience", "1:9", "--format", "json").out
    answer = as_json(out)
    (run,) = load_runs(log)
    assert len(answer["results"]) == 9
    for result in answer["results"]:
        (text,) = answer["configs"][result["config"]]["callbacks"]
        patience = answer["configs"][result["config"]]["parameters"][
            "EarlyStopping.patience"
        ]
        assert f"patience={patience}, restore_best_weights=True" in text
        one = EarlyStopping(patience=patience, restore_best_weights=True)
        replay = replay_run(run, one)
        assert result["stopped_epoch"] == replay.stopped_epoch
        assert result["kept_epoch"] == replay.kept_epoch
        assert result["regret"] == replay.outcome.regret
        assert result["evidence"] == replay.evidence


@pytest.mark.parametrize(
    "words",
    [
        ["--patience", "1:70"],
        ["-c", "ReduceLROnPlateau(patience=range(1, 70), min_delta=0)"],
        [
            *("-c", "EarlyStopping(patience=range(1, 9))"),
            *("-c", "ReduceLROnPlateau(patience=range(1, 9), cooldown=[0, 2])"),
        ],
        ["-c", "TerminateOnNaN()", "-c", "EarlyStopping(patience=range(1, 60))"],
    ],
)
def test_settings_that_share_a_replay_are_answered_as_alone(
    ask: Ask, sample_logs: Path, words: list[str]
) -> None:
    # a CSV and event files, of which the latter leave the rate's reading open
    paths = [sample_logs / "digits-mlp-both", sample_logs / "digits-mlp-plateau"]
    paths.append(paths[1] / "tensorboard")
    answer = as_json(ask("simulate", *paths, *words, "--format", "json").out)
    runs = load_runs(*paths)
    grid = make_grid(parse_callbacks(*words[1::2])) if words[0] == "-c" else None
    for result in answer["results"]:
        run, position = runs[result["run"]], result["config"]
        config: Any = EarlyStopping(patience=position + 1, restore_best_weights=True)
        alone = replay_run(run, config if grid is None else grid[position])
        expected = {"run": result["run"], "config": position, **describe_replay(alone)}
        assert result == json.loads(json.dumps(expected))
    assert len(answer["results"]) == len(answer["configs"]) * len(runs)


def test_parquet_holds_what_csv_holds(ask: Ask, log: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    words = ["simulate", str(log), "--patience", "2,3,9", "--semantics", "keras-3.15"]
    path = tmp_path / "cells.parquet"
    with path.open("wb") as file:
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "cbreplay", *words, "--format", "parquet"],
            stdout=file,
            check=True,
        )
    frame = pandas.read_parquet(path)
    rows = list(csv.DictReader(io.StringIO(ask(*words, "--format", "csv").out)))
    for name in ("stopped_epoch", "kept_epoch", "kept_value", "regret"):
        told = [float(row[name]) if row[name] else None for row in rows]
        assert [None if pandas.isna(one) else one for one in frame[name]] == told
    assert frame["evidence"].tolist() == [row["evidence"] for row in rows]


def test_parquet_without_settings_is_refused(ask: Ask, log: Path) -> None:
    answer = ask("simulate", log, "--format", "parquet")
    assert (answer.status, answer.out) == (2, "")
    assert "--format parquet is for settings" in answer.err


def cells(markdown: str) -> list[list[str]]:
    """Return the cells of a Markdown table, below its heading."""
    lines = table_lines(markdown)[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_table_says_how_far_each_row_is_evidence(ask: Ask, rated_log: Path) -> None:
    words = (
        *("simulate", rated_log, "--semantics", "keras-3.15"),
        *("-c", "EarlyStopping(patience=[2, 3, 9], min_delta=0.02)"),
        *("-c", "ReduceLROnPlateau(patience=2, factor=0.5, min_delta=0)"),
    )
    first, second, _ = cells(ask(*words, "--format", "markdown").out)
    assert first[-1] == "exact"
    assert second == [
        *("3", "5", "-", "-", "-", "-", "<= 2".replace("<", "\\<")),
        "rate changes at 5",
    ]
    footnote = '"rate changes": this setting changes the learning rate after that epoch'
    assert footnote in " ".join(ask(*words).out.split())
    lead = " ".join(ask(*words).out.split("\n\n")[1].split())
    assert lead == (
        "rated.csv under 3 settings of EarlyStopping(patience=..., min_delta=0.02), "
        "ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0); rules of Keras 3.15. "
        "Epochs count from 1."
    )


def test_a_censored_row_is_in_brackets(ask: Ask, log: Path) -> None:
    out = " ".join(ask("simulate", log, "--patience", "9").out.split())
    assert "(6)" in out
    # and a footnote says what the words of the row mean
    assert " log ends at 8 " in out
    assert '"log ends": nothing stops training inside the log, and what' in out
    assert "as if training had ended with the log" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # .5 at epoch 4 ties, .52 and .49 follow: patience 2 stops at epoch 5
        (
            ("--patience", "2"),
            (
                "EarlyStopping(patience=2, restore_best_weights=True) stops at epoch 5 "
                "of 8, and keeps epoch 3: 0.0100 above the best val_loss (3 epochs "
                "saved)."
            ),
        ),
        (
            ("--patience", "9"),
            (
                "EarlyStopping(patience=9, restore_best_weights=True) does not stop "
                "inside this log, which ends at epoch 8; so far it keeps epoch 6."
            ),
        ),
        (
            ("--patience", "9", "--planned-epochs", "8"),
            (
                "EarlyStopping(patience=9, restore_best_weights=True) does not stop "
                "this training: it runs to the planned end, epoch 8, and keeps epoch "
                "6, the best on record."
            ),
        ),
        (
            ("--patience", "1,2,9", "--planned-epochs", "8"),
            "This log decides all 3 settings; patience=9 keeps the best val_loss.",
        ),
        # both keep .5; 1 stops one epoch sooner
        (
            ("--patience", "1,2,9"),
            (
                "This log decides 2 of 3 settings; of those patience=1 comes nearest: "
                "0.0100 above the best val_loss, as does patience=2, which saves less."
            ),
        ),
        # and 0 is 1
        (
            ("--patience", "0,1,2"),
            (
                "This log decides all 3 settings; patience=0 comes nearest: 0.0100 "
                "above the best val_loss, as do 2 others."
            ),
        ),
        # .52 at epoch 5 is 4 % above .5
        (
            ("-c", "PrecheltGL(alpha=[3, 3.5])"),
            (
                "This log decides both settings; alpha=3 comes nearest: 0.0100 above "
                "the best val_loss, as does alpha=3.5."
            ),
        ),
        (
            ("--patience", "8,9"),
            "This log decides neither setting; none of them stops inside it.",
        ),
        # reductions after epochs 4 and 5, which the log does not have
        (
            ("-c", "ReduceLROnPlateau(patience=[1, 2], min_delta=0)"),
            (
                "This log decides neither setting; it shows where they part from its "
                "learning rate, after epochs 4 to 5, and not what follows."
            ),
        ),
        (
            ("-c", "ReduceLROnPlateau(patience=2, min_delta=0)"),
            (
                "This setting changes the learning rate after epoch 5, and the "
                "log shows no such change: from there on it says nothing."
            ),
        ),
    ],
)
def test_the_first_sentence_is_the_answer(
    ask: Ask, log: Path, words: tuple[str, ...], said: str
) -> None:
    out = ask("simulate", log, *words, "--semantics", "keras-3.15").out
    assert " ".join(out.split("\n\n")[0].split()) == said


def test_the_next_command_explains_the_setting_that_came_nearest(
    ask: Ask, log: Path
) -> None:
    options = ("--keep", "last", "--semantics", "keras-3.15")
    out = ask("simulate", log, "--patience", "2,1", "--min-delta", "0", *options).out
    # patience 2 stops at epoch 5 with .52, patience 1 at epoch 4 with .5
    line = out.splitlines()[-1]
    typed = f"cbreplay explain {log} {' '.join(options)}"
    assert line == f" Why: {typed} --patience 1 --min-delta 0"
    out = ask("simulate", log, "-c", "EarlyStopping(patience=[2, 1])").out
    line = out.splitlines()[-1]
    assert line == f' Why: cbreplay explain {log} -c "EarlyStopping(patience=1)"'
    # one setting is asked about again as it was typed
    script = log.with_name("train.py")
    script.write_text(
        "import keras\n"
        "stop = keras.callbacks.EarlyStopping(monitor='val_loss', patience=1)\n"
        "model.fit(x, y, callbacks=[stop])\n"
    )
    out = ask("simulate", log, "-c", f"@{script}").out
    assert out.splitlines()[-1] == f" Why: cbreplay explain {log} -c @{script}"
    out = ask("simulate", log, "-c", "EarlyStopping(monitor='val_loss')").out
    code = "\"EarlyStopping(monitor='val_loss')\""
    assert out.splitlines()[-1] == f" Why: cbreplay explain {log} -c {code}"


def test_c_keeps_the_default_of_keras_and_shorthands_restore(
    ask: Ask, log: Path
) -> None:
    kept = []
    for words in (["-c", "EarlyStopping(patience=2)"], ["--patience", "2"]):
        out = ask("simulate", log, *words, "--format", "json").out
        kept.append(as_json(out)["results"][0]["kept_epoch"])
    assert kept == [4, 2]


def test_csv_of_a_grid_has_a_column_a_parameter(ask: Ask, log: Path) -> None:
    words = ["--patience", "2,3", "--min-delta", "0,0.02", "--format", "csv"]
    rows = list(csv.DictReader(io.StringIO(ask("simulate", log, *words).out)))
    pairs = [
        (row["EarlyStopping.patience"], row["EarlyStopping.min_delta"]) for row in rows
    ]
    assert pairs == [("2", "0"), ("2", "0.02"), ("3", "0"), ("3", "0.02")]


def test_where_no_patience_stops_another_series_is_asked_about(
    ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "falling.csv"
    log.write_text("epoch,val_accuracy,val_loss\n0,0.5,1.5\n1,0.6,1.2\n2,0.4,1.1\n")
    told = " ".join(ask("simulate", log).out.split())
    asks = "at epoch 2 (0.6000): --monitor val_accuracy asks about a patience on it."
    assert asks in told
    assert (
        "patience 1 was enough" in ask("simulate", log, "--monitor", "val_accuracy").out
    )


def test_several_runs_get_a_line_each(ask: Ask, tmp_path: Path) -> None:
    # equal logs would be copies
    for name, last in (("a", 0.7), ("b", 0.8)):
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "logs.csv", [0.5, 0.4, 0.6, last])
    answer = ask("simulate", tmp_path)
    lines = answer.out.splitlines()
    rows = [line.split() for line in lines if line.startswith((" a ", " b "))]
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][1:] == ["4", "0.4", "2", "1", "3", "1", "0"]
    both = as_json(ask("simulate", tmp_path, "--format", "json").out)
    assert len(both["staircase"]) == 2
    words = ("simulate", tmp_path, "--patience", "1,2")
    table = ask(*words, "--each").out.splitlines()
    rows = [line.split() for line in table if line.startswith((" a ", " b "))]
    assert [row[0] for row in rows] == ["a", "a", "b", "b"]


def resumed_csv(folder: Path, second: int) -> Path:
    """A log of ten epochs, and of a fit that was appended to it from `second` on."""
    rows = [f"{epoch},{1 - epoch / 20}" for epoch in range(10)]
    rows += [f"{epoch},{1.1 - epoch / 20}" for epoch in range(second, 12)]
    path = folder / "resumed.csv"
    path.write_text("epoch,val_loss\n" + "\n".join(rows) + "\n")
    return path


def test_a_part_that_may_go_on_in_the_one_before_names_the_option(
    ask: Ask, tmp_path: Path
) -> None:
    path = resumed_csv(tmp_path, second=6)
    overview = " ".join(ask("simulate", path).out.split())
    # zero-based 6 is the seventh epoch
    assert (
        "resumed.csv#2 begins at epoch 7, inside the part before it: if a fit was "
        "resumed there, --parts join takes them as one training"
    ) in overview
    settings = " ".join(ask("simulate", path, "--patience", "2").out.split())
    assert "if a fit was resumed there, --parts join takes them as one." in settings


def test_a_part_that_starts_over_is_another_training(ask: Ask, tmp_path: Path) -> None:
    told = " ".join(ask("simulate", resumed_csv(tmp_path, second=0)).out.split())
    assert "the log holds 2 trainings; this is number 2" in told
    # unless fit was called again on the same model, which no log tells
    assert "if its fit went on with the model of the one before, --parts rows" in told
    assert "--parts join" not in told


def test_logs_side_by_side_name_the_one_that_was_left_out(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "a.csv", VALUES)
    write_csv(tmp_path / "b.csv", VALUES[::-1])
    (tmp_path / "c.csv").write_text("epoch,val_loss\n0,1\n1,x\n")
    told = " ".join(ask("simulate", tmp_path).out.split())
    assert f"left out another of these logs: {tmp_path}/c.csv, line 3" in told
    assert "--errors skip" in told


@pytest.mark.parametrize(
    ("name", "kind"), [("train.py", "Python script"), ("train.ipynb", "notebook")]
)
def test_what_trains_is_no_log(ask: Ask, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text("import keras\nmodel.fit(x, y, callbacks=[a, b])\n")
    answer = ask("simulate", path)
    assert answer.status == 2
    assert f"{path}: this is a {kind}, and no log" in answer.err
    assert f"-c @{path}" in answer.err
    assert f"cbreplay lint {path}" in answer.err


def test_non_finite_numbers_are_the_strings_of_the_schema(
    ask: Ask, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "nan.csv", [float("nan"), 0.5, 0.5])
    words = ["-c", "EarlyStopping(patience=1)", "--format", "json"]
    answer = as_json(ask("simulate", path, *words).out)
    assert answer["results"][0]["best"] == "NaN"


# --- without a path


def test_logs_csv_here_is_taken(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "logs.csv", [0.5, 0.6])
    monkeypatch.chdir(tmp_path)
    answer = ask("simulate")
    assert answer.out.count("\nlogs.csv: 2 epochs")
    assert not answer.err


def test_else_the_newest_run_directory_below(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    for age, name in enumerate(["new", "old"]):
        (tmp_path / "runs" / name).mkdir(parents=True)
        path = write_csv(tmp_path / "runs" / name / "logs.csv", [0.5] * (age + 2))
        os.utime(path, (1000 - age, 1000 - age))
    monkeypatch.chdir(tmp_path)
    answer = ask("simulate")
    assert "\nnew: 2 epochs" in answer.out
    assert f"no log is named: runs{os.sep}new is the newest here or below" in answer.err
    assert not ask("simulate", "-q").err


def test_a_recorded_run_is_taken_whole_though_its_run_json_is_newer_than_its_log(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    run = tmp_path / "runs" / "fit1"
    run.mkdir(parents=True)
    os.utime(write_csv(run / "logs.csv", [0.5, 0.6]), (1000, 1000))
    (run / "run.json").write_text('{"schema": 1, "fit": {"epochs": 2}}')
    monkeypatch.chdir(tmp_path)
    assert "\nfit1: 2 epochs of 2 planned" in ask("simulate").out


def test_else_the_newest_log_of_any_name(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "training.csv", [0.5] * 3)
    (tmp_path / "addresses.csv").write_text("name,street\nA,B\n")
    os.utime(tmp_path / "training.csv", (1000, 1000))
    assert "\ntraining.csv: 3 epochs" in ask("simulate").out
    # a newer one below, in the event files of one training
    board = tmp_path / "boards" / "b"
    for writer in ("train", "validation"):
        (board / writer).mkdir(parents=True)
        points = [(float(at), at, "epoch_loss", 1 / (at + 1)) for at in range(4)]
        write_events(board / writer / "events.out.tfevents.2000.host.1.0.v2", points)
    assert "\nb: 4 epochs" in ask("simulate").out


def test_runs_are_ordered_as_people_count(ask: Ask, tmp_path: Path) -> None:
    for seed in (10, 2, 1):
        write_csv(tmp_path / f"seed{seed}.csv", [0.5, seed / 20, 0.6])
    for path in (tmp_path, tmp_path / "seed*.csv"):
        told = ask("simulate", path).out
        assert re.findall(r"seed\d+", told)[:3] == ["seed1", "seed2", "seed10"]


def test_else_it_says_what_to_give(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ask("simulate")
    assert (answer.status, answer.out) == (2, "")
    assert "Give the path of a CSVLogger file" in answer.err


WHERE = "comes from pyproject.toml here (--no-config leaves it out)"


def folded(text: str) -> str:
    return " ".join(text.split())


def test_pyproject_says_how_a_log_is_judged_and_the_answer_says_so(
    ask: Ask, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = '[tool.cbreplay]\nmonitor = "loss"\ncost-weight = 0.2\n'
    (tmp_path / "pyproject.toml").write_text(table)
    answer = ask("simulate", log)
    assert "Judged by loss, smaller" in folded(answer.out)
    assert answer.err == f"--monitor loss {WHERE}\n"
    told = json.loads(ask("simulate", log, "--format", "json").out)
    assert told["notes"] == [f"--monitor loss {WHERE}"]
    told = json.loads(ask("recommend", log, "--format", "json").out)
    assert told["notes"] == [f"--monitor loss --cost-weight 0.2 {WHERE}"]
    assert told["recommendation"]["cost_weight"] == 0.2
    page = tmp_path / "page.md"
    ask("report", log, "-o", page)
    assert f"# --monitor loss --cost-weight 0.2 {WHERE}" in page.read_text()
    typed = ask("simulate", log, "--monitor", "val_loss")
    assert ("Judged by val_loss, smaller" in folded(typed.out), typed.err) == (True, "")
    without = ask("--no-config", "simulate", log)
    assert ask("simulate", log, "--no-config") == without
    assert ("Judged by val_loss, smaller" in folded(without.out), without.err) == (
        True,
        "",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool.cbreplay\n", "[tool.cbreplay] cannot be read"),
        ("[tool]\ncbreplay = 3\n", "tool.cbreplay is 3, where a table is expected"),
        ("[tool.cbreplay]\nmonitor = ['a']\n", "monitor is ['a'], where text"),
        ("[tool.cbreplay]\nmonitor = true\n", "monitor is True, where text"),
        ("[tool.cbreplay]\nmode = 'up'\n", "'up' is not one of"),
        ("[tool.cbreplay]\nmonitr = 'a'\n", "did you mean 'monitor'?"),
        ("[tool.cbreplay]\nverbose = true\n", "may not set 'verbose'"),
        ("x = " + "[" * 9999 + "\n[tool.cbreplay]\n", "cannot be read"),
        (f"{'a.' * 1500}b = 1\n[tool.cbreplay]\n", "1,000 dots in a line"),
        ("#" * 200_001, "longer than 200,000 bytes"),
    ],
)
def test_a_table_that_cannot_be_followed_is_one_sentence(
    ask: Ask,
    tmp_path: Path,
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    text: str,
    problem: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(text)
    answer = ask("simulate", log)
    assert (answer.status, answer.out) == (2, "")
    assert problem in answer.err
    assert "pyproject.toml" in answer.err
    assert "--no-config" in answer.err
    assert ask("--no-config", "simulate", log).status == 0
    assert ask("simulate", log, "--no-config").status == 0


@pytest.mark.parametrize(
    "text", ["[tool.black\n", "tool = 1\n", "[tool]\ncbreplays = 1\n", "\xff"]
)
def test_other_peoples_tables_do_not_concern_an_answer(
    ask: Ask, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    answer = ask("simulate", log)
    assert (answer.status, answer.err) == (0, "")


def test_quiet_says_nothing_but_the_answer(ask: Ask, log: Path) -> None:
    answer = ask("-q", "simulate", log, "--patience", "2")
    assert (answer.status, answer.err) == (0, "")
    assert "exact" in answer.out


def test_values_that_are_no_numbers_are_remarked(ask: Ask, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "nan.csv", [0.5, 0.4, float("nan"), float("inf")])
    out = " ".join(ask("simulate", path).out.split())
    assert "val_loss is NaN or infinite in 2 epochs, first in epoch 3" in out


def test_a_first_nan_is_one_story(ask: Ask, tmp_path: Path) -> None:
    """Since Keras 3.7 the first value is taken as the best; until then NaN never is."""
    path = write_csv(tmp_path / "nan.csv", [float("nan"), 0.7, 0.6, 0.65, 0.66])
    text = " ".join(ask("simulate", path, "--semantics", "keras-3.15").out.split())
    assert "first in epoch 1; Keras 3.15 takes the first value as the best, and" in text
    assert "5, 4 epochs after the NaN that is its best" in text
    assert "is no improvement" not in text
    assert text.count("nothing ever improves") == 1
    explained = ask("explain", path, "--patience", "2", "--semantics", "keras-3.15").out
    assert "its first val_loss is NaN, and nothing improves" in " ".join(
        explained.split()
    )
    page = tmp_path / "report.md"
    ask("report", path, "--semantics", "keras-3.15", "-o", page)
    told = page.read_text().replace("\\", "")
    assert told.startswith("# Every patience that stops inside this log keeps weights")
    assert told.count("nothing ever improves") == 1
    before = " ".join(ask("simulate", path, "--semantics", "keras-3.6").out.split())
    assert "first in epoch 1; such a value is no improvement" in before
    assert "5, 2 epochs after its best" in before


def test_an_infinite_best_is_no_worse_than_any_other(ask: Ask, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "inf.csv", [0.5, 0.4, float("-inf"), 0.3])
    out = " ".join(ask("simulate", path).out.split())
    assert "first in epoch 3; -inf is an improvement, and nothing improves on it" in out


def test_a_log_in_which_nothing_stops_says_so_in_one_line(
    ask: Ask, tmp_path: Path
) -> None:
    out = ask("simulate", write_csv(tmp_path / "one.csv", [0.5])).out
    assert "\n every patience  not in the log: it ends at epoch 1\n" in out
    assert "stops at" not in out


def test_many_steps_are_thinned_and_the_rest_is_pointed_to(
    ask: Ask, tmp_path: Path
) -> None:
    # after each improvement one epoch more of waiting: every patience has its own step
    values: list[float] = []
    for pause in range(1, 26):
        values += [1 - pause / 100] + [2.0] * pause
    out = ask("simulate", write_csv(tmp_path / "many.csv", values)).out
    lines = out.splitlines()
    rows = [line for line in lines if line[:1] in " >" and line[1:2].isdigit()]
    assert len(rows) <= 20
    assert "more rows; --format csv has all)" in out


def test_a_required_parameter_may_be_the_one_that_varies(
    ask: Ask, sample_logs: Path
) -> None:
    tried = "ModelCheckpoint(['a.keras', 'b.keras'])"
    log = sample_logs / "overfit.csv"
    answer = ask("simulate", log, "-c", tried)
    assert answer.status == 0, answer.err
    assert "settings of ModelCheckpoint(filepath=...);" in answer.out
    # every epoch is saved over the same file, which ends with the last one
    shown = ask("simulate", log, "-c", tried, "--format", "markdown").out
    first = cells(shown)[0]
    assert first[0] == "a.keras"
    assert "a.keras (100)" in " ".join(first)


def test_of_two_modes_only_one_takes_the_worst_for_the_best(
    ask: Ask, tmp_path: Path
) -> None:
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4, 0.6])
    answer = ask("simulate", log, "-c", "EarlyStopping(mode=['min', 'max'])").out
    assert "better: best under mode='max' is the highest." in " ".join(answer.split())


@pytest.mark.parametrize(
    ("tried", "others"),
    [
        # stops at 5 and at 6 of 8: 3 and 2 epochs of each log are saved
        ("2,3", ", more than patience=3, which loses as little"),
        ("2,3,4", ", more than 2 others, which lose as little"),
        ("2,0", ""),
    ],
)
def test_a_setting_that_loses_least_is_told_from_those_that_lose_as_little(
    ask: Ask, tmp_path: Path, tried: str, others: str
) -> None:
    losses = [3.0, 3.5, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    logs = [write_csv(tmp_path / name, losses) for name in ("a.csv", "b.csv")]
    first = ask("simulate", *logs, "--patience", tried).out.split("\n\n")[0]
    assert " ".join(first.split()).startswith(
        "On these 2 runs patience=2 keeps the best val_loss of each; it saves 6 of 16 "
        f"epochs{others}. "
    )


def test_the_overview_says_which_bests_a_stop_of_their_own_has_cut(
    ask: Ask, sample_logs: Path
) -> None:
    logs = [sample_logs / "breast-cancer-stopped", sample_logs / "overfit.csv"]
    first = " ".join(ask("simulate", *logs).out.split("\n\n")[0].split())
    assert first.endswith(
        "1 of 2 runs was stopped by its own EarlyStopping: its best is only the best "
        "up to there."
    )


def test_of_many_runs_that_still_improve_three_are_named_and_with_v_all(
    ask: Ask, tmp_path: Path
) -> None:
    names = [f"run{number:02d}.csv" for number in range(20)]
    for number, name in enumerate(names):
        write_csv(tmp_path / name, [0.9, 0.8, 0.7 - number / 100])
    few = " ".join(ask("simulate", tmp_path).out.split())
    assert (
        "still improving at the end of the log: run00.csv, run01.csv, run02.csv and "
        "17 more (-v names them)"
    ) in few
    every = " ".join(ask("simulate", tmp_path, "-v").out.split())
    assert f"still improving at the end of the log: {', '.join(names)}" in every
    told = as_json(ask("simulate", tmp_path, "--format", "json").out)["runs"]
    improving = [
        any("still improving" in note for note in run["notes"]) for run in told
    ]
    assert improving == [True] * 20


def test_a_setting_beyond_the_stop_of_the_training_itself_says_so_first(
    ask: Ask, tmp_path: Path
) -> None:
    # patience 2 stopped it at epoch 4 of 9; what patience 3 would have seen is unknown
    write_csv(tmp_path / "logs.csv", [0.9, 0.5, 0.6, 0.7])
    own = {
        "schema": 1,
        "fit": {"epochs": 9},
        "callbacks": ["EarlyStopping(patience=2)"],
        "ended": {"by": "EarlyStopping", "epoch": 3},
    }
    (tmp_path / "run.json").write_text(json.dumps(own))
    said = " ".join(ask("simulate", tmp_path, "--patience", "3").out.split())
    assert said.startswith(
        "Its own EarlyStopping stopped this training at epoch 4 of 9: what longer "
        "training would have brought is not in this log. EarlyStopping(patience=3, "
        "restore_best_weights=True) does not stop inside"
    )
    # patience 1 stopped before that
    assert "Its own" not in ask("simulate", tmp_path, "--patience", "1").out


# --- what is called best, under a mode that takes the worse values for it


@pytest.mark.parametrize(
    ("monitor", "mode", "said"),
    [
        (
            "val_accuracy",
            "min",
            "Larger val_accuracy is better: best here is the lowest.",
        ),
        ("val_loss", "max", "Smaller val_loss is better: best here is the highest."),
        ("val_accuracy", "max", None),
        ("val_loss", "min", None),
        # a name that tells nothing
        ("val_thing", "max", None),
    ],
)
def test_a_best_that_is_the_worst_is_said_to_be_so(
    ask: Ask, tmp_path: Path, monitor: str, mode: str, said: str | None
) -> None:
    log = tmp_path / "logs.csv"
    rows = [f"{at},{value},{value}" for at, value in enumerate(VALUES)]
    log.write_text("\n".join([f"epoch,loss,{monitor}", *rows, ""]), encoding="ascii")
    watched = ("--monitor", monitor, "--mode", mode)
    other = tmp_path / "other.csv"
    rows = [f"{at},{value},{value + 0.125}" for at, value in enumerate(VALUES)]
    other.write_text("\n".join([f"epoch,loss,{monitor}", *rows, ""]), encoding="ascii")
    for asked in (
        ("simulate", log),
        ("simulate", log, "--patience", "2"),
        ("simulate", log, "--patience", "1,2"),
        ("simulate", log, "--patience", "1", "--versus-patience", "2"),
        ("simulate", log, other),
        ("explain", log, "--patience", "1"),
        ("recommend", log, other),
    ):
        answer = ask(*asked, *watched)
        headline = " ".join(answer.out.partition("\n\n")[0].split())
        assert answer.status == 0
        assert (said or "") in headline
        assert ("best here is" in headline) == (said is not None)


def test_a_log_that_its_own_callback_cut_holds_no_best_of_all(
    ask: Ask, sample_logs: Path
) -> None:
    # run.json: {"by": "EarlyStopping", "epoch": 21} of 100 planned
    cut = sample_logs / "breast-cancer-stopped"
    first = " ".join(
        ask("simulate", cut, "--patience", "3,5").out.split("\n\n")[0].split()
    )
    assert first == (
        "Its own EarlyStopping stopped this training at epoch 22 of 100: what longer "
        "training would have brought is not in this log. This log decides both "
        "settings; patience=3 keeps the best recorded val_loss, as does patience=5, "
        "which saves less."
    )
    other = sample_logs / "breast-cancer"
    both = ask("simulate", cut, other, "--patience", "3,5").out.split("\n\n")[0]
    assert "1 of 2 runs was stopped by its own EarlyStopping" in " ".join(both.split())
    assert "stopped by" not in ask("simulate", other, "--patience", "3,5").out


def test_an_infinity_that_is_the_best_has_no_regret(ask: Ask, tmp_path: Path) -> None:
    # -inf at epoch 3 is below every number, and .25 at epoch 6 the best that is one
    values = [1.0, 0.5, float("-inf"), 0.5, 0.5, 0.25, 0.5, 0.5, 0.5]
    log = write_csv(tmp_path / "log.csv", values)
    rules = ("--semantics", "keras-3.15")
    for more in ((), ("--patience", "1,2"), ("--patience", "2")):
        out = ask("simulate", log, *more, *rules).out
        (row,) = [line.split() for line in out.splitlines() if " -inf " in line][:1]
        assert row[row.index("-inf") + 1] == "-"
    answer = as_json(
        ask("simulate", log, "--patience", "2", *rules, "--format", "json").out
    )
    assert answer["results"][0]["regret"] is None
    # 9 - 3 epochs: a patience of 6 stops at the last one
    assert "7 or more  not in the log: it ends at epoch 9, 6 epochs after the -inf" in (
        ask("simulate", log, *rules).out
    )


def test_a_tied_best_of_another_series_is_kept_too(ask: Ask, tmp_path: Path) -> None:
    # patience 1 keeps epoch 3, whose accuracy is that of epoch 2, the first best
    log = tmp_path / "log.csv"
    rows = ["epoch,val_accuracy,val_loss"]
    rows += ["0,0.5,3", "1,0.75,2", "2,0.75,1", "3,0.5,2"]
    log.write_text("\n".join(rows))
    assert "val_accuracy was best" not in ask("simulate", log).out
    # now it keeps epoch 2, of which 0.75 is told at epoch 1
    rows[1:] = ["0,0.75,3", "1,0.5,2", "2,0.5,3", "3,0.75,1"]
    log.write_text("\n".join(rows))
    said = " ".join(ask("simulate", log).out.split())
    assert "val_accuracy was best at epoch 1 (0.7500): no patience on val_loss" in said


@pytest.mark.parametrize("ended_by", ["Mine", "TerminateOnNaN", "EarlyStopping"])
def test_a_stop_of_its_own_is_not_said_to_have_a_patience(
    ask: Ask, tmp_path: Path, ended_by: str
) -> None:
    write_csv(tmp_path / "logs.csv", VALUES)
    told = {
        "schema": 1,
        "fit": {"epochs": 20, "initial_epoch": 0},
        "callbacks": [f"{ended_by}(...)"],
        "ended": {"by": ended_by, "epoch": 7},
    }
    (tmp_path / "run.json").write_text(json.dumps(told))
    said = " ".join(ask("simulate", tmp_path).out.split())
    assert (
        f"Its own {ended_by} ended this training: the log says nothing about a setting "
        "that trains for longer." in said
    )


def test_a_series_that_never_changes_is_not_praised(ask: Ask, tmp_path: Path) -> None:
    """Every patience keeps the first epoch: there is none that was enough."""
    path = write_csv(tmp_path / "stuck.csv", [0.6931] * 6)
    answer = ask("simulate", path)
    assert answer.out.startswith("There is nothing that a patience decides: val_loss")
    assert "was enough" not in answer.out
    page = tmp_path / "page.md"
    ask("report", path, "-o", page)
    assert "There is no setting to paste" in page.read_text()
    named = " ".join(ask("simulate", path, "--patience", "3").out.split())
    assert "val_loss never changes: no patience is judged by it." in named


def test_a_series_of_nothing_but_nan_is_told_before_what_a_setting_does(
    ask: Ask, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "failed.csv", [float("nan")] * 6)
    told = "This log holds no finite val_loss, so no patience can be judged."
    assert ask("simulate", path).out.startswith(told)
    for words in (["--patience", "2"], ["--patience", "1:3"]):
        answer = ask("simulate", path, *words).out
        assert answer.startswith("val_loss is NaN from epoch 1 on. ")


def test_a_frozen_end_is_doubted(ask: Ask, tmp_path: Path) -> None:
    """One number in the last 10 of 12 epochs; of 9 nothing is said."""
    doubt = "val_loss is the same to the last digit from epoch 3 on: check that"
    frozen = write_csv(tmp_path / "frozen.csv", [0.5, 0.4, *[0.31] * 10])
    assert doubt in " ".join(ask("simulate", frozen).out.split())
    short = write_csv(tmp_path / "short.csv", [0.5, 0.4, *[0.31] * 9])
    assert "last digit" not in ask("simulate", short).out


def test_who_reads_only_the_headline_learns_that_a_training_failed(
    ask: Ask, tmp_path: Path
) -> None:
    rows = "0,1.0,0.5\n1,0.9,0.4\n2,0.8,0.6\n3,nan,nan\n"
    path = tmp_path / "nan.csv"
    path.write_text("epoch,loss,val_loss\n" + rows)
    told = "This training failed at epoch 4: loss is NaN there."
    asked: list[list[str | Path]] = [
        ["simulate", path],
        ["simulate", path, "--patience", "1"],
        ["simulate", path, "--patience", "1,2"],
        ["explain", path, "--patience", "1"],
    ]
    for words in asked:
        answer = ask(*words).out
        assert answer.startswith(told)
        assert answer.count("failed") == 1
    assert told in ask("inspect", path).out.partition("\n")[0]
    other = write_csv(tmp_path / "good.csv", [0.5, 0.4, 0.6])
    for command in ("simulate", "inspect"):
        head = " ".join(ask(command, path, other).out.split())
        assert "1 of 2 runs (nan.csv) failed." in head


def test_nearest_is_among_the_settings_that_a_log_decides(
    ask: Ask, tmp_path: Path
) -> None:
    """Of patience 6 nothing is known: it might keep a better epoch."""
    path = write_csv(tmp_path / "log.csv", [0.5, 0.6, 0.4, 0.45, 0.46])
    one = " ".join(ask("simulate", path, "--patience", "1,6").out.split())
    assert "1 of 2 settings; that is patience=1: 0.1000 above the best val_loss" in one
    best = " ".join(ask("simulate", path, "--patience", "2,6").out.split())
    assert "that is patience=2, which keeps the best val_loss." in best
    two = " ".join(ask("simulate", path, "--patience", "1,2,6").out.split())
    assert "2 of 3 settings; of those patience=2 keeps the best val_loss." in two


def test_a_list_that_never_stops_says_what_its_file_holds(
    ask: Ask, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "log.csv", [0.5, 0.4, 0.6, 0.7])
    saver: list[str | Path] = [
        "-c",
        "ModelCheckpoint('best.keras', save_best_only=True)",
    ]
    asked: list[list[str | Path]] = [
        ["simulate", path],
        ["explain", path],
        ["explain", path, "--files"],
    ]
    for command in asked:
        said = " ".join(ask(*command, *saver).out.split())
        assert "ends at epoch 4; best.keras then holds the weights of epoch 2." in said
    stopped = [*saver, "-c", "EarlyStopping(patience=2)"]
    said = " ".join(ask("simulate", path, *stopped).out.split())
    assert "best.keras holds the weights of epoch 2." in said


def test_the_table_of_a_list_that_only_saves_is_about_its_file(
    ask: Ask, tmp_path: Path
) -> None:
    """By hand: epoch 2 of .5 .4 .6 .7 is best and saved second; epoch 4 loses .3."""
    path = write_csv(tmp_path / "log.csv", [0.5, 0.4, 0.6, 0.7])
    for options, row in (
        ("save_best_only=True", ["(2)", "(0.4000)", "(0)", "2"]),
        ("", ["(4)", "(0.7000)", "(0.3000)", "4"]),
    ):
        out = ask(
            "simulate", path, "-c", f"ModelCheckpoint('best.keras', {options})"
        ).out
        (line,) = [line for line in out.splitlines() if line.startswith(" best.keras")]
        assert line.split()[1:5] == row


def test_a_list_that_cannot_stop_has_no_column_of_what_it_saves(
    ask: Ask, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "log.csv", [0.5, 0.4, 0.6, 0.7])
    reducing = ["-c", "ReduceLROnPlateau(patience=1)"]
    assert " saved" not in ask("simulate", path, *reducing).out
    out = ask("simulate", path, *reducing, "-c", "EarlyStopping(patience=3)").out
    assert " saved" in out


def test_several_logs_say_first_which_patience_was_enough(
    ask: Ask, tmp_path: Path
) -> None:
    """By hand: a's best, its third, needs 2; b's best needs 1, and is followed."""
    write_csv(tmp_path / "a.csv", [0.5, 0.6, 0.4, 0.45, 0.46])
    write_csv(tmp_path / "b.csv", [0.5, 0.4, 0.45, 0.46])
    said = " ".join(ask("simulate", tmp_path).out.split())
    assert said.startswith(
        "On both runs some patience was enough to keep the best, 1 (b.csv) to 2 "
        "(a.csv); each row is about one run."
    )
    assert f"A pick: cbreplay recommend {tmp_path}" in said
    none = " ".join(ask("simulate", tmp_path, "--patience", "9").out.split())
    assert "on neither run: it stops inside none of these logs." in none


@pytest.mark.parametrize(
    ("metric", "digits", "is_doubted"),
    # a share of right answers comes again by itself, a loss of many digits does not
    [("val_loss", 2, True), ("val_loss", 6, False), ("val_accuracy", 2, False)],
)
def test_a_best_loss_that_comes_again_may_have_been_rounded(
    ask: Ask, tmp_path: Path, metric: str, digits: int, *, is_doubted: bool
) -> None:
    # .504, .503, .502, .501: to two decimals the best stands from the third epoch on
    values = [0.75, 0.625, *(0.504 - epoch / 1000 for epoch in range(4))]
    values += [0.5625 + epoch / 64 for epoch in range(6)]
    rows = [f"{epoch},{value:.{digits}f}\n" for epoch, value in enumerate(values)]
    log = tmp_path / "log.csv"
    log.write_text(f"epoch,{metric}\n" + "".join(rows), encoding="ascii")
    mode = "min" if "loss" in metric else "max"
    options = ("--patience", "2", "--monitor", metric, "--mode", mode)
    said = " ".join(ask("simulate", log, *options).out.split())
    doubt = (
        "Val_loss was written with 2 decimals, and its best value stands in 4 epochs"
    )
    assert (doubt.lower() in said.lower()) is is_doubted
