from __future__ import annotations

import io
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import ConfigError, LogError, Run
from cbreplay.loading import load_runs, survey_sources
from cbreplay.readers.base import ReadOptions
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EVENTS = "events.out.tfevents.100.host.1.0.v2"
Losses = (0.5, 0.25)


def write_csv(path: Path, losses: Sequence[float] = Losses, **columns: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = ",".join(["epoch", "loss", *columns])
    rows = [
        ",".join(map(repr, [epoch, loss, *columns.values()]))
        for epoch, loss in enumerate(losses)
    ]
    path.write_text("\r\n".join([header, *rows, ""]), newline="")
    return path


def write_board(
    path: Path, losses: Sequence[float] = Losses, rates: Sequence[float] = ()
) -> Path:
    points = [(float(i), i, "epoch_loss", loss) for i, loss in enumerate(losses)]
    points += [(float(i), i, "epoch_learning_rate", r) for i, r in enumerate(rates)]
    points.sort(key=lambda point: point[1])
    write_events(path / "train" / EVENTS, points)
    return path


def write_json(path: Path, **fields: Any) -> None:
    path.mkdir(parents=True, exist_ok=True)
    (path / "run.json").write_text(json.dumps({"schema": 1, **fields}))


def names(*sources: object, **options: Any) -> list[str]:
    return [run.name for run in load_runs(*sources, **options)]


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to read"):
        load_runs()


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ({"errors": "ignore"}, "'strict' or 'skip'"),
        ({"empty": "zero"}, "'missing' or 'nan'"),
        ({"planned_epochs": 0}, "a whole number from 1 on"),
        ({"planned_epochs": True}, "a whole number"),
        ({"planned_epochs": 2.5}, "a whole number"),
        ({"validation_freq": 0}, "a whole number from 1 on"),
        ({"validation_freq": [1, "x"]}, "a whole number or a list of whole numbers"),
    ],
)
def test_an_option_that_cannot_be_is_named(option: dict[str, Any], wanted: str) -> None:
    (name,) = option
    with pytest.raises(ConfigError, match=f"^{name} (must be|is) .*{wanted}"):
        load_runs({"loss": [1.0]}, **option)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no such file or directory"):
        load_runs(tmp_path / "absent.csv")


def test_a_directory_without_a_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(bytes(9))
    with pytest.raises(LogError, match="no log in this directory"):
        load_runs(tmp_path)


def test_a_file_is_named_as_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "a" / "logs.csv")
    write_csv(tmp_path / "b" / "logs.csv")
    monkeypatch.chdir(tmp_path)
    assert names("a/logs.csv", "./b/logs.csv") == ["a/logs.csv", "b/logs.csv"]
    assert names(path) == ["logs.csv"]


def test_runs_below_a_directory_are_named_by_their_place(tmp_path: Path) -> None:
    for place in ("base/seed0", "base/seed1", "other"):
        write_csv(tmp_path / place / "logs.csv")
    write_csv(tmp_path / ".hidden" / "logs.csv")
    assert names(tmp_path) == ["base/seed0", "base/seed1", "other"]
    assert names(tmp_path / "other") == ["other"]


def test_a_slash_behind_a_directory_changes_nothing(tmp_path: Path) -> None:
    write_board(tmp_path / "exp")
    assert names(f"{tmp_path}/exp/") == ["exp"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"epoch,loss\n", "no row under the header"),
        (b"epoch,loss\n0,1\n1,x\n", "'x' under loss is not a number"),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "a Git LFS pointer"),
        (b"\x1f\x8b\x08\x00broken", "the compressed file"),
    ],
)
def test_a_broken_file_never_hides_the_good_ones(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    write_csv(tmp_path / "good" / "logs.csv")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "logs.csv").write_bytes(content)
    for source in (tmp_path, f"{tmp_path}/*/logs.csv"):
        (run,) = load_runs(source)
        (note,) = (note for note in run.notes if "left out another" in note)
        assert sentence in note
        assert "bad/logs.csv" in note
    # asked for by its name, or with nothing else there, it is an error
    for source in (tmp_path / "bad" / "logs.csv", tmp_path / "bad"):
        with pytest.raises(LogError, match=sentence):
            load_runs(source)


def test_what_is_damaged_can_be_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    write_csv(tmp_path / "good" / "logs.csv")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "logs.csv").write_text("epoch,loss\n0,1\n1,x\n")
    (run,) = load_runs(tmp_path)
    assert "--errors skip or errors='skip'" in run.notes[-1]
    bad, good = load_runs(tmp_path, errors="skip")
    assert (bad.n_epochs, good.n_epochs) == (1, run.n_epochs)


def test_a_broken_file_never_hides_another_of_its_training(tmp_path: Path) -> None:
    write_csv(tmp_path / "a" / "logs.csv")
    write_board(tmp_path / "a" / "tensorboard")
    events = tmp_path / "a" / "tensorboard" / "train"
    for path in events.iterdir():
        path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x\n")
    (tmp_path / "a" / "run.json").write_text("{")
    (run,) = load_runs(tmp_path)
    said = " ".join(run.notes)
    assert "Git LFS pointer" in said
    assert "run.json" in said


@pytest.mark.parametrize("name", ["results.csv", "history.json", "train.log"])
def test_a_log_that_is_only_pointed_at_is_named(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "a" / "logs.csv")
    pointer = tmp_path / "b" / name
    pointer.parent.mkdir()
    pointer.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid x\nsize 9\n")
    for errors in ("strict", "skip"):
        (run,) = load_runs(tmp_path, errors=errors)
        assert any(name in note and "Git LFS pointer" in note for note in run.notes)


def test_a_csv_that_is_named_as_an_event_file_is_a_csv(tmp_path: Path) -> None:
    log = tmp_path / "data_events.out.tfevents.1600000000.host.1.0__all.csv"
    log.write_text("epoch,loss\n0,0.5\n1,0.25\n", encoding="ascii")
    for source in (log, tmp_path):
        (run,) = load_runs(source)
        assert list(run.series["loss"]) == [0.5, 0.25]


@pytest.mark.parametrize("name", ["history.pkl", "log.npy", "log.json"])
def test_a_csv_is_known_by_its_content_whatever_its_name_says(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("epoch,loss\n0,0.5\n1,0.25\n", encoding="ascii")
    for source in (tmp_path / name, tmp_path):
        (run,) = load_runs(source)
        assert list(run.series["loss"]) == [0.5, 0.25]


def test_an_event_file_is_known_by_its_content_whatever_its_name_says(
    tmp_path: Path,
) -> None:
    write_board(tmp_path / "board")
    (path,) = (tmp_path / "board" / "train").iterdir()
    content = path.read_bytes()
    renamed = tmp_path / "board.log"
    renamed.write_bytes(content)
    (expected,) = load_runs(path)
    (run,) = load_runs(renamed)
    assert list(run.series["loss"]) == list(expected.series["loss"])


def test_a_directory_that_cannot_be_listed_is_not_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "good" / "logs.csv")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("good"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(LogError, match=r"good: cannot be read \(Permission denied\)"):
        load_runs(tmp_path)


def _refuse_to_open(monkeypatch: pytest.MonkeyPatch, refused: Path) -> None:
    """Let the system refuse a file, as it does who may not read it."""
    os_open, io_open = os.open, open

    def check(path: object) -> None:
        if str(path) == str(refused):
            raise PermissionError(13, "Permission denied", path)

    def open_descriptor(path: object, *arguments: object) -> object:
        check(path)
        return os_open(path, *arguments)  # type: ignore[arg-type]

    def open_file(path: object, *arguments: object, **named: object) -> object:
        check(path)
        return io_open(path, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "open", open_descriptor)
    monkeypatch.setattr("builtins.open", open_file)


@pytest.mark.parametrize("name", ["c.csv", "logs.csv", "d.json", "run.json"])
@pytest.mark.parametrize("pattern", ["", "*"])
def test_a_file_that_may_not_be_read_is_not_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, pattern: str
) -> None:
    # nobody has seen whether it is a log, so "no log that is known" would be a guess
    write_csv(tmp_path / "a.csv")
    write_csv(tmp_path / name)
    if name == "run.json" and pattern:
        pytest.skip("a pattern takes logs alone")
    _refuse_to_open(monkeypatch, tmp_path / name)
    source = str(tmp_path / pattern) if pattern else str(tmp_path)
    refusal = f"{name}: cannot be read (Permission denied)"
    for errors in ("strict", "skip"):
        (run,) = load_runs(source, errors=errors)
        # as of a damaged log beside others
        (note,) = [note for note in run.notes if refusal in note]
        assert note.startswith("left out")


def test_a_directory_with_nothing_that_may_be_read_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "c.csv")
    _refuse_to_open(monkeypatch, tmp_path / "c.csv")
    for errors in ("strict", "skip"):
        with pytest.raises(LogError, match=r"c.csv: cannot be read"):
            load_runs(tmp_path, errors=errors)


def test_settings_that_may_not_be_read_are_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # args.yaml holds the plan, which decides whether a training stopped early
    log = tmp_path / "results.csv"
    log.write_text("epoch,train/box_loss,val/box_loss\n1,0.5,0.5\n2,0.4,0.4\n")
    (tmp_path / "args.yaml").write_text("epochs: 5\n")
    assert load_runs(log)[0].planned_epochs == 5
    _refuse_to_open(monkeypatch, tmp_path / "args.yaml")
    with pytest.raises(LogError, match=r"args.yaml: cannot be read"):
        load_runs(log)
    (run,) = load_runs(log, errors="skip")
    assert run.planned_epochs is None
    assert any("args.yaml: cannot be read" in note for note in run.notes)


@pytest.mark.parametrize("pattern", ["*/*.csv", "**/*.csv", "**"])
def test_a_pattern_says_which_directory_it_may_not_look_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    write_csv(tmp_path / "good" / "logs.csv")
    write_csv(tmp_path / "shut" / "logs.csv")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).rstrip(os.sep).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for errors in ("strict", "skip"):
        (run,) = load_runs(str(tmp_path / pattern), errors=errors)
        (note,) = [note for note in run.notes if "left out a directory" in note]
        assert "shut: cannot be read (Permission denied)" in note
    shutil.rmtree(tmp_path / "good")
    with pytest.raises(LogError, match=r"shut: cannot be read \(Permission denied\)"):
        load_runs(str(tmp_path / pattern))


def test_a_link_to_what_is_not_there_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    survey = survey_sources([str(tmp_path)], ReadOptions())
    passed = [seen for seen in survey.seen if seen.path.endswith("b.csv")]
    assert [(seen.fate, seen.detail) for seen in passed] == [
        ("passed by", "a link to what is not there")
    ]


def test_further_logs_beside_a_run_directory_are_their_own(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp" / "logs.csv")
    write_csv(tmp_path / "exp" / "old.csv")
    write_json(tmp_path / "exp", fit={"epochs": 3})
    runs = load_runs(tmp_path / "exp")
    assert [(run.name, run.planned_epochs) for run in runs] == [
        ("exp", 3),
        ("old.csv", None),
    ]
    assert load_runs(tmp_path / "exp" / "old.csv")[0].planned_epochs is None


def test_several_logs_in_one_directory_are_named_by_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "runs" / "a.csv")
    write_csv(tmp_path / "runs" / "b.log")
    assert names(tmp_path / "runs") == ["a.csv", "b.log"]


def test_no_two_runs_have_one_name(tmp_path: Path) -> None:
    one, two = (write_csv(tmp_path / d / "run" / "logs.csv").parent for d in "ab")
    assert names(one, two) == [str(one), str(two)]
    assert names(one, one) == [str(one), f"{one} (2)"]


def test_restarts_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "exp" / "logs.csv"
    path.parent.mkdir()
    path.write_text("epoch,loss\n0,1\n0,2\n")
    assert names(tmp_path / "exp") == ["exp#1", "exp#2"]


def test_a_pattern_takes_files_and_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "a.csv")
    write_csv(tmp_path / "run1" / "logs.csv")
    (tmp_path / "notes.txt").write_text("nothing")
    monkeypatch.chdir(tmp_path)
    assert names("*") == ["a.csv", "run1"]
    with pytest.raises(LogError, match="no log matches"):
        load_runs("*.npy")


@pytest.mark.parametrize(
    "stdin",
    [
        io.TextIOWrapper(io.BytesIO(b"epoch,loss\n0,1\n")),
        # what a program may put in its place
        io.StringIO("epoch,loss\n0,1\n"),
    ],
    ids=["stream", "text"],
)
def test_standard_input_is_a_csv(
    monkeypatch: pytest.MonkeyPatch, stdin: io.TextIOBase
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    (run,) = load_runs("-")
    assert (run.name, run.source) == ("stdin", "standard input")


def test_a_run_comes_back_with_the_given_plan() -> None:
    run = Run.from_logs([{"loss": 1.0}], planned_epochs=3)
    (again,) = load_runs(run, planned_epochs=5)
    assert (again.planned_epochs, len(again.notes)) == (5, 1)
    assert load_runs(run) == [run]


def test_csv_and_events_of_one_training_are_one_run(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp" / "logs.csv", (0.1, 0.3), learning_rate=0.25)
    write_board(tmp_path / "exp" / "tensorboard", (0.1, 0.3), (0.25, 0.125))
    (run,) = load_runs(tmp_path / "exp")
    assert run.name == "exp"
    assert run.series["loss"].values.tolist() == [0.1, 0.3]
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [0.25, 0.25]
    assert run.other_learning_rate is None
    assert run.epoch_seconds is not None
    assert "are one training (2 common values agree)" in run.notes[0]
    assert not any("both readings" in note for note in run.notes)


def test_events_fill_what_the_csv_does_not_hold(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv", [0.5])
    write_board(tmp_path / "tensorboard", [0.5, 0.25], [1.0, 1.0])
    (run,) = load_runs(tmp_path)
    assert run.series["loss"].values.tolist() == [0.5, 0.25]
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [1.0, 1.0]
    assert "the CSV holds epochs 1-1, the event files 1-2" in run.notes[1]


@pytest.mark.parametrize(
    ("value", "n_runs"), [(0.25000001, 1), (0.2500002, 1), (0.250001, 2), (0.5, 2)]
)
def test_values_that_differ_keep_two_runs(
    tmp_path: Path, value: float, n_runs: int
) -> None:
    write_csv(tmp_path / "exp" / "logs.csv", [0.5, 0.25])
    write_board(tmp_path / "exp" / "tensorboard", [0.5, value])
    runs = load_runs(tmp_path / "exp")
    expected = ["exp"] if n_runs == 1 else ["logs.csv", "tensorboard"]
    assert [run.name for run in runs] == expected
    assert (n_runs == 1) == ("one training" in runs[0].notes[0])


def test_nan_agrees_with_nan(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv", [0.5, float("nan"), float("inf")])
    write_board(tmp_path / "tensorboard", [0.5, float("nan"), float("inf")])
    assert len(load_runs(tmp_path)) == 1


def test_an_earlier_fit_in_the_event_files_stays_a_run(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp" / "logs.csv", [0.125, 0.0625])
    write_board(tmp_path / "exp" / "tensorboard", [0.5, 0.25])
    later = tmp_path / "exp" / "tensorboard" / "train" / "events.out.tfevents.999"
    write_events(later, [(9.0, 0, "epoch_loss", 0.125), (9.5, 1, "epoch_loss", 0.0625)])
    assert names(tmp_path / "exp") == ["exp", "tensorboard"]


def test_event_files_of_another_tool_beside_a_csv_are_noted(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv")
    write_events(tmp_path / "tensorboard" / EVENTS, [(1.0, 0, "loss", 1.0)])
    (run,) = load_runs(tmp_path)
    assert "the event files were left out" in run.notes[0]


def test_event_files_of_another_tool_are_passed_by_in_a_directory(
    tmp_path: Path,
) -> None:
    write_csv(tmp_path / "good" / "logs.csv")
    write_events(tmp_path / "torch" / EVENTS, [(1.0, 0, "loss", 1.0)])
    (run,) = load_runs(tmp_path)
    assert "left out another of these logs" in run.notes[0]
    with pytest.raises(LogError, match="no epoch scalar of Keras"):
        load_runs(tmp_path / "torch")


def test_run_json_gives_the_plan_and_the_constant_rate(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv")
    optimizer = {"initial_learning_rate": 0.1, "schedule": None}
    write_json(
        tmp_path,
        fit={"epochs": 7},
        callbacks=["CSVLogger('logs.csv')"],
        optimizer=optimizer,
        wall_seconds=3,
        started="1970-01-01T00:01:00Z",
    )
    for source in (tmp_path, tmp_path / "logs.csv"):
        (run,) = load_runs(source)
        assert (run.planned_epochs, run.wall_seconds) == (7, 3.0)
        assert run.started == 60
        assert run.learning_rate is not None
        assert run.learning_rate.values.tolist() == [float(np.float32(0.1))] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"callbacks": ["ReduceLROnPlateau()"]},
        {"callbacks": ["mine.Warmup()"]},
        {
            "callbacks": [],
            "earlier_fits": [{"callbacks": ["LearningRateScheduler(f)"]}],
        },
        {"callbacks": [], "optimizer": {"initial_learning_rate": 0.1, "schedule": "x"}},
        {"callbacks": [], "optimizer": {}},
        {},
    ],
)
def test_a_rate_that_may_have_changed_is_not_recorded(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    write_csv(tmp_path / "logs.csv")
    optimizer = {"initial_learning_rate": 0.1, "schedule": None}
    write_json(tmp_path, **{"optimizer": optimizer, **fields})
    (run,) = load_runs(tmp_path)
    assert run.learning_rate is None


def test_the_given_plan_stands_above_run_json(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv")
    write_json(tmp_path, fit={"epochs": 7})
    (run,) = load_runs(tmp_path, planned_epochs=5)
    assert run.planned_epochs == 5
    assert run.notes == ("planned epochs: 5 as given, not 7 as recorded",)


def test_run_json_above_a_tensorboard_directory_counts(tmp_path: Path) -> None:
    write_board(tmp_path / "tensorboard")
    write_json(tmp_path, fit={"epochs": 7})
    path = tmp_path / "tensorboard"
    for source in (tmp_path, path, path / "train", path / "train" / EVENTS):
        assert load_runs(source)[0].planned_epochs == 7


def test_run_json_without_a_log_is_named(tmp_path: Path) -> None:
    write_json(tmp_path)
    with pytest.raises(LogError, match=r"no log beside this run\.json"):
        load_runs(tmp_path)


def test_a_resumed_fit_replaces_the_rows_it_trained_again(tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    path.write_text("epoch,loss\n0,9\n1,8\n2,7\n1,6\n2,5\n3,4\n")
    assert len(load_runs(path)) == 2
    earlier = [{"fit": {"epochs": 9}, "callbacks": []}]
    write_json(tmp_path, fit={"initial_epoch": 1}, earlier_fits=earlier)
    (run,) = load_runs(path)
    assert run.series["loss"].values.tolist() == [9, 6, 5, 4]
    assert "its rows stand for the 2 earlier ones" in run.notes[0]


def test_a_seam_that_only_run_json_knows_is_noted(tmp_path: Path) -> None:
    write_csv(tmp_path / "logs.csv", [3.0, 2.0, 1.0])
    earlier = [{"fit": {"epochs": 2}, "callbacks": []}]
    write_json(tmp_path, fit={"initial_epoch": 2}, earlier_fits=earlier)
    (run,) = load_runs(tmp_path)
    assert "a fit was resumed at epoch 3 (counted from 1)" in run.notes[0]


def test_run_json_describes_the_last_training_only(tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_text("epoch,loss\n0,9\n0,8\n")
    write_json(tmp_path, fit={"epochs": 4})
    assert [run.planned_epochs for run in load_runs(tmp_path)] == [None, 4]


def test_two_callbacks_that_wrote_the_rate_are_noted(tmp_path: Path) -> None:
    text = "epoch,loss,learning_rate\n0,1,.5\n1,1,.25\n"
    (tmp_path / "logs.csv").write_text(text)
    write_json(tmp_path, callbacks=["ReduceLROnPlateau()", "LearningRateScheduler(f)"])
    (run,) = load_runs(tmp_path)
    assert "the row of a reduction may hold the rate after it" in run.notes[0]


def test_links_out_of_the_directory_are_not_followed(tmp_path: Path) -> None:
    outside = write_csv(tmp_path / "outside" / "logs.csv")
    write_csv(tmp_path / "inside" / "run" / "logs.csv")
    (tmp_path / "inside" / "link").symlink_to(outside.parent)
    (tmp_path / "inside" / "logs.csv").symlink_to(outside)
    assert names(tmp_path / "inside") == ["run"]


def test_a_lone_csv_beside_run_directories_is_named_by_its_file(tmp_path: Path) -> None:
    rows = "epoch,val_loss\r\n0,0.5\r\n"
    (tmp_path / "overfit.csv").write_text(rows, newline="")
    assert [run.name for run in load_runs(tmp_path)] == [tmp_path.name]
    (tmp_path / "seed0").mkdir()
    (tmp_path / "seed0" / "logs.csv").write_text(rows, newline="")
    assert [run.name for run in load_runs(tmp_path)] == ["overfit.csv", "seed0"]


def test_runs_stand_in_the_order_in_which_people_count(tmp_path: Path) -> None:
    for seed in (10, 2, 1):
        folder = tmp_path / f"seed{seed}"
        folder.mkdir()
        write_csv(folder / "logs.csv", [0.5, 0.1 * seed])
    assert [run.name for run in load_runs(tmp_path)] == ["seed1", "seed2", "seed10"]


def test_runs_are_named_without_what_all_their_names_begin_with(
    tmp_path: Path,
) -> None:
    for place in ("new/lr0.01/seed2", "new/lr0.01/seed10", "new/lr0.001/seed2"):
        directory = tmp_path / place
        directory.mkdir(parents=True)
        (directory / "logs.csv").write_text(f"epoch,val_loss\n0,.5\n1,.{len(place)}\n")
    names = [run.name for run in load_runs(tmp_path)]
    # .001 before .01, and 2 before 10
    assert names == ["lr0.001/seed2", "lr0.01/seed2", "lr0.01/seed10"]
    (alone,) = load_runs(tmp_path / "new/lr0.001")
    assert alone.name == "seed2"


def test_a_table_with_a_byte_of_no_text_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_text("epoch,loss\n0,0.5\n1,0.25\n")
    damaged = tmp_path / "train.csv"
    damaged.write_bytes(b"train_loss,val\x17_loss\n1,0.5\n2,0.25\n")
    runs, seen = survey_sources([tmp_path], ReadOptions())
    assert [run.horizon for run in runs] == [1]
    assert (str(damaged), "passed by", "no log that is known") in seen
