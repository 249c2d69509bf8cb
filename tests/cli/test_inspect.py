"""``cbreplay inspect``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_simulate import as_json
from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


def test_runs_series_epochs_and_the_rate_are_shown(ask: Ask, rated_log: Path) -> None:
    answer = ask("inspect", rated_log)
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert lines[0] == "1 run of 8 epochs."
    titles = "run epochs missing planned learning rate series"
    assert lines[2].split() == titles.split()
    row = " ".join(" ".join(lines[3:5]).split())
    assert row == "rated.csv 1-8 0 - 0.01 loss, val_accuracy, val_loss"
    assert lines[-1] == f" Ask: cbreplay simulate {rated_log}"


def test_notes_are_shown(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("epoch,val_loss\n0,0.5\n3,NA\n4,0.4\n")
    answer = ask("inspect", path)
    # of the epochs 1 to 5 the log has a value of 1 and 5
    assert answer.out.splitlines()[3].split()[:3] == ["gap.csv", "1-5", "3"]
    assert answer.out.count("- gap.csv: ") >= 2


def test_a_note_that_lists_the_first_of_many_keeps_its_dots(
    ask: Ask, tmp_path: Path
) -> None:
    for name, loss in (("a.csv", 0.5), ("b.csv", 0.7)):
        (tmp_path / name).write_text(f"loss,val_loss\n0.9,{loss}\n0.8,0.4\n")
    for paths in (["a.csv"], ["a.csv", "b.csv"]):
        answer = ask("inspect", *(tmp_path / name for name in paths))
        assert "epochs 1, 2, 3, ...\n" in answer.out.replace("\n   ", " ")


def test_a_series_that_lacks_values_is_named_with_how_many_it_has(
    ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "rare.csv"
    path.write_text("epoch,loss,val_loss\n0,5,NA\n1,4,NA\n2,3,0.5\n3,2,NA\n")
    row = ask("inspect", path).out.splitlines()[3]
    # every epoch has a row, and one of the four has a val_loss
    assert row.split()[:3] == ["rare.csv", "1-4", "0"]
    assert row.endswith("loss, val_loss (1 of 4)")


def test_a_damaged_log_beside_others_is_noted_of_itself(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "a.csv", VALUES)
    write_csv(tmp_path / "b.csv", VALUES[::-1])
    (tmp_path / "broken.json").write_text('{"loss": [1, 2')
    for command in (["inspect"], ["simulate", "--patience", "2"]):
        told = " ".join(ask(*command, tmp_path).out.split())
        assert f"- left out another of these logs: {tmp_path}/broken.json" in told


def test_a_row_that_stands_twice_is_said_to(ask: Ask, tmp_path: Path) -> None:
    log = write_csv(tmp_path / "logs.csv", VALUES)
    header, *rows = log.read_text().splitlines()
    # the third row, in line 4, stands in line 5 too
    log.write_text("\n".join([header, *rows[:3], rows[2], *rows[3:], ""]))
    for command in ("inspect", "simulate"):
        told = " ".join(ask(command, log).out.split())
        assert "ine 5 repeats the row above, to the digit: it was read once." in told
    log.write_text("\n".join([header, *rows[:3], rows[2], rows[2], *rows[3:], ""]))
    told = " ".join(ask("inspect", log).out.split())
    assert "2 rows repeat the row above, to the digit (the first is line 5)" in told
    # another value is no repetition: one of the two stands, and that is said
    other = f"{rows[2]}1"
    log.write_text("\n".join([header, *rows[:3], other, *rows[3:], ""]))
    told = " ".join(ask("inspect", log).out.split())
    assert "several values in 1 epoch" in told
    assert "repeat" not in told


def test_json_and_csv(ask: Ask, log: Path) -> None:
    answer = as_json(ask("inspect", log, "--format", "json").out)
    assert answer["runs"][0]["series"] == ["loss", "val_accuracy", "val_loss"]
    # programs count epochs from 0
    assert ask("inspect", log, "--format", "csv").out.splitlines() == [
        "run,first_epoch,horizon,missing,planned,learning_rate,series",
        "log.csv,0,7,0,,,loss val_accuracy val_loss",
    ]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a run, a restarted run, and files that are no logs."""
    root = tmp_path / "runs"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
    write_csv(root / "one" / "logs.csv", VALUES)
    rows = "epoch,loss\n0,1\n0,2\n1,3\n"
    (root / "two" / "logs.csv").write_text(rows)
    (root / "table.csv").write_text("x,y\n1,2\n")
    (root / "history.pkl").write_bytes(b"\x80\x04.")
    return root


def test_files_in_no_run_are_counted_and_with_v_named(
    ask: Ask, directory: Path
) -> None:
    answer = ask("inspect", directory)
    assert " 2 files in no run: 2 passed by (-v names them)" in answer.out.splitlines()
    spoken = " ".join(ask("inspect", directory, "-v").out.split())
    assert f"passed by: {directory}/table.csv (no log that is known)" in spoken
    assert f"read: {directory}/one/logs.csv (a CSV)" in spoken
    assert "runs the code that is in it" in spoken
    notes = as_json(ask("inspect", directory, "-v", "--format", "json").out)["notes"]
    assert len(notes) == 4
    csv = ask("inspect", directory, "-v", "--format", "csv")
    assert "table.csv" in csv.err
    assert "table.csv" not in csv.out


def test_a_name_that_could_steer_a_terminal_is_written_out(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "logs.csv", VALUES)
    (tmp_path / "a\x1b[31m\u202e.csv").write_text("x,y\n1,2\n")
    out = ask("inspect", tmp_path, "-v").out
    assert "\\x1b[31m\\u202e" in out
    assert "\x1b" not in out


def test_one_run_of_several_is_chosen_by_its_name(ask: Ask, directory: Path) -> None:
    for name in ("one", "two#1", "two#2"):
        answer = ask("inspect", directory, "--run", name, "--format", "json")
        assert [run["name"] for run in as_json(answer.out)["runs"]] == [name]
    both = ask(
        "inspect", directory, "--run", "two#2", "--run", "one", "--format", "csv"
    )
    assert [row.split(",")[0] for row in both.out.splitlines()[1:]] == ["two#2", "one"]


def test_a_run_that_is_not_there_is_refused_with_those_that_are(
    ask: Ask, directory: Path
) -> None:
    answer = ask("inspect", directory, "--run", "two#3")
    assert answer.status == 2
    assert "there is no run 'two#3'; did you mean 'two#" in answer.err
    assert "There is one, two#1, two#2 (--run)" in answer.err


@pytest.mark.parametrize("command", ["plot", "explain", "simulate"])
def test_a_part_of_a_restarted_log_can_be_asked_about(
    ask: Ask,
    directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--patience", "1", "--monitor", "loss"]
    if command == "plot":
        words += ["-o", "x.png"]
    assert ask(command, directory / "two" / "logs.csv#2", *words).status == 0
    assert ask(command, directory, "--run", "two#2", *words).status == 0


def test_a_run_without_the_monitor_stops_no_answer_about_the_others(
    ask: Ask, directory: Path
) -> None:
    for words in ([], ["--patience", "2"]):
        answer = ask("simulate", directory, *words, "--format", "json")
        assert answer.status == 0
        told = as_json(answer.out)
        assert [run["name"] for run in told["runs"]] == ["one"]
        left = [
            "left out two#1: it has no val_loss",
            "left out two#2: it has no val_loss",
        ]
        assert told["notes"] == left
        assert all(note in answer.err for note in left)


def test_a_run_without_the_monitor_that_is_asked_about_alone_is_an_error(
    ask: Ask, directory: Path
) -> None:
    for words in ([directory / "two" / "logs.csv#1"], [directory, "--run", "two#1"]):
        answer = ask("simulate", *words)
        assert answer.status == 2
        assert "has no series 'val_loss'; it has loss" in answer.err


def test_the_x_axis_is_said_where_the_log_does_not(ask: Ask, tmp_path: Path) -> None:
    from tests.oracles.tensorboard_loader import write_events

    points = [(1.0, step, "eval/loss", 1 / (step + 1)) for step in (0, 50, 100)]
    write_events(tmp_path / "events.out.tfevents.1", points)
    refused = ask("simulate", tmp_path, "--monitor", "eval/loss")
    assert refused.status == 2
    assert "--x-axis step" in refused.err
    answer = ask(
        "simulate",
        tmp_path,
        "--monitor",
        "eval/loss",
        "--mode",
        "min",
        "--x-axis",
        "step",
    )
    assert answer.status == 0
    shown = " ".join(answer.out.split())
    assert "patience counts evaluations" in shown
    assert "--x-axis step" in shown


def test_of_many_series_the_first_are_named_and_with_v_all(
    ask: Ask, tmp_path: Path
) -> None:
    names = [f"metric_number_{number:02d}" for number in range(40)]
    path = tmp_path / "wide.csv"
    rows = [["epoch", *names], ["0", *["1"] * 40], ["1", *["2"] * 40]]
    path.write_text("\r\n".join(map(",".join, rows)) + "\r\n", newline="")
    told = " ".join(ask("inspect", path).out.split())
    assert "metric_number_04, metric_number_05 and 34 more (-v)" in told
    for words in (("-v",), ("--format", "csv"), ("--format", "json")):
        out = ask("inspect", path, *words).out
        assert all(name in out for name in names)


def test_a_long_note_is_broken_into_lines(ask: Ask, sample_logs: Path) -> None:
    out = ask("inspect", sample_logs / "digits-mlp-both", "-v").out
    assert "one training" in out
    notes, _, _ = out.partition("\n joined: ")
    assert max(map(len, notes.splitlines())) <= 80


def _recorded(directory: Path, rows: list[str], **described: Any) -> Path:
    """Write a run directory as a recorder leaves it."""
    directory.mkdir()
    text = "\r\n".join(["epoch,loss,val_accuracy,val_loss", *rows, ""])
    (directory / "logs.csv").write_text(text, newline="")
    (directory / "run.json").write_text(json.dumps({"schema": 1, **described}))
    return directory


def test_a_fit_that_began_late_says_that_more_came_before(
    ask: Ask, tmp_path: Path
) -> None:
    rows = [f"{epoch},0.5,0.5,0.{9 - epoch}" for epoch in (3, 4, 5)]
    run = _recorded(tmp_path / "a", rows, fit={"epochs": 6, "initial_epoch": 3})
    said = " ".join(ask("inspect", run).out.split())
    assert (
        "a: its fit began at epoch 4 (counted from 1): what was trained before" in said
    )


def test_a_metric_of_keras_that_stands_still_by_chance_is_not_doubted(
    ask: Ask, tmp_path: Path
) -> None:
    # of 40 samples as many were right in each pair of epochs; fit validated in each
    rows = [f"{at},0.{9 - at},{0.5 + at // 2 / 40},0.{8 - at}" for at in range(8)]
    metrics = {"loss": "min", "accuracy": "max"}
    run = _recorded(tmp_path / "a", rows, metrics=metrics)
    assert "a new value only" not in ask("inspect", run).out
    # of a metric that somebody's callback logs, it may be so
    other = _recorded(tmp_path / "b", rows, metrics={"loss": "min"})
    assert "val_accuracy: a new value only every 2" in ask("inspect", other).out


def test_a_fit_of_a_trained_model_says_that_it_was(ask: Ask, tmp_path: Path) -> None:
    optimizer = {"initial_learning_rate": 0.01, "schedule": None, "steps_taken": 18}
    run = _recorded(tmp_path / "a", ["0,0.5,0.5,0.4"], optimizer=optimizer)
    said = " ".join(ask("inspect", run).out.split())
    assert "a: its model had been trained for 18 steps when its fit began" in said


@pytest.mark.parametrize("options", [(), ("--empty", "nan")], ids=["", "nan"])
def test_an_empty_rate_is_missing_and_offers_no_nan(
    ask: Ask, tmp_path: Path, options: tuple[str, ...]
) -> None:
    log = tmp_path / "log.csv"
    rows = ["epoch,loss,val_loss,learning_rate", "0,1,2,0.1", "1,1,1,", "2,1,3,0.1"]
    log.write_text("\n".join(rows) + "\n")
    answer = ask("inspect", log, *options)
    said = " ".join(answer.out.split())
    assert "an empty cell or NA was read as missing" in said
    assert "as NaN" not in said
