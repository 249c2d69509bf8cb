from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from cbreplay.errors import ConfigError, OutputError
from cbreplay.record.run_directory import (
    check_vacant,
    clear_run,
    cut_log,
    make_run_directory,
    read_resumable,
    take_directory,
    write_metadata,
)
from cbreplay.record.train import train_experiment

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_directory_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_run_directory(tmp_path / "runs" / "first")
    assert (tmp_path / "runs" / "first").is_dir()


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    check_vacant(tmp_path)
    make_run_directory(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_is_vacant(tmp_path: Path) -> None:
    check_vacant(tmp_path / "absent")


def test_what_died_before_it_wrote_anything_left_the_directory_empty(
    tmp_path: Path,
) -> None:
    (tmp_path / "run.lock").touch()
    check_vacant(tmp_path)


@pytest.mark.parametrize(
    ("last", "kept"),
    [(0, "epoch,loss\r\n0,1.0\r\n"), (None, "epoch,loss\r\n")],
)
def test_a_log_ends_with_its_last_whole_epoch(
    tmp_path: Path, last: int | None, kept: str
) -> None:
    log = tmp_path / "logs.csv"
    for behind in ("", "1,0.5\r\n", "1,0.", "1,0.5\r\n2,0.25\r\n3"):
        log.write_text(f"epoch,loss\r\n0,1.0\r\n{behind}", newline="")
        cut_log(tmp_path, last)
        assert log.read_bytes().decode() == kept


def test_a_log_that_no_epoch_came_to_is_left(tmp_path: Path) -> None:
    cut_log(tmp_path, None)
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "logs.csv").write_text("epoch,lo")
    cut_log(tmp_path, None)
    assert (tmp_path / "logs.csv").read_text() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize("name", ["run.json", "logs.csv"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    _write_run(tmp_path, ended={"by": "plan", "epoch": 1})
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigError, match="is not a run that can be resumed"):
        read_resumable(tmp_path)
    with pytest.raises(OutputError, match="the directory is not empty"):
        check_vacant(tmp_path)


def test_a_number_that_is_none_of_an_epoch_ends_no_log(tmp_path: Path) -> None:
    _write_run(tmp_path, ended={"by": "plan", "epoch": 1})
    with (tmp_path / "logs.csv").open("a") as log:
        log.write("9" * 5000 + ",0.5\n")
    with pytest.raises(ConfigError, match=r"its logs\.csv ends at epoch None"):
        read_resumable(tmp_path)


def _write_run(out: Path, **fields: object) -> None:
    (out / "logs.csv").write_text("epoch,loss\r\n0,1.0\r\n1,0.5\r\n", newline="")
    (out / "resume.keras").write_bytes(b"")
    write_metadata(out, {"fit": {"epochs": 3}, **fields})


def test_a_run_that_can_be_resumed_is_the_other_way_out(tmp_path: Path) -> None:
    _write_run(tmp_path, ended={"by": "plan", "epoch": 1})
    assert read_resumable(tmp_path)["ended"] == {"by": "plan", "epoch": 1}
    with pytest.raises(OutputError, match=r"out=, or resume .*append=True"):
        train_experiment("diabetes", out=tmp_path)


def test_who_cannot_resume_a_run_is_not_told_to(tmp_path: Path) -> None:
    _write_run(tmp_path, ended={"by": "plan", "epoch": 1})
    with pytest.raises(OutputError, match="not empty") as caught:
        check_vacant(tmp_path)
    assert "append" not in str(caught.value)
    with pytest.raises(OutputError, match="not empty") as caught:
        take_directory(tmp_path)
    assert str(caught.value).endswith("is not empty. Choose another directory")


def test_a_run_without_an_end_is_named_and_not_offered(tmp_path: Path) -> None:
    _write_run(tmp_path, ended=None)
    missing = "no end is recorded at epoch 2 of 3: killed, or still running"
    with pytest.raises(ConfigError, match=missing):
        read_resumable(tmp_path)
    with pytest.raises(OutputError, match="not empty") as caught:
        train_experiment("diabetes", out=tmp_path)
    assert "append" not in str(caught.value)


def test_a_directory_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the tests may run as root, who may write anywhere
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="not writable") as caught:
        make_run_directory(tmp_path)
    assert caught.value.path == str(tmp_path)


def test_metadata_are_written_whole_and_leave_nothing_beside_them(
    tmp_path: Path,
) -> None:
    for seed in (1, 2):
        write_metadata(tmp_path, {"schema": 1, "seed": seed})
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert json.loads((tmp_path / "run.json").read_text()) == {"schema": 1, "seed": 2}


def test_metadata_that_cannot_be_put_in_place_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(OutputError, match=r"run\.json"):
        write_metadata(tmp_path, {"schema": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_metadata_without_a_directory_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        write_metadata(tmp_path / "gone", {"schema": 1})


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("epoch,loss\r\n0,1.0\r\n1,0.5\r\n", "1"),
        ("epoch,loss\r\n0,1.0\r\n1,0.", "None"),
        ("epoch,loss\r\n0,1.0\r\nlast,0.5\r\n", "None"),
        (None, "None"),
    ],
)
def test_a_log_that_ends_elsewhere_than_its_metadata_is_not_resumed(
    log: str | None, found: str, tmp_path: Path
) -> None:
    (tmp_path / "resume.keras").write_bytes(b"")
    if log is not None:
        (tmp_path / "logs.csv").write_text(log, newline="")
    write_metadata(tmp_path, {"ended": {"by": "plan", "epoch": 7}})
    with pytest.raises(ConfigError, match=rf"ends at epoch {found}, its run.json at 7"):
        read_resumable(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_metadata_that_cannot_be_read_are_not_resumed(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=r"holds no run\.json that can be read"):
        read_resumable(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "logs.csv",
        "resume.keras",
        "run.json",
        "run.lock",
        "tensorboard",
        "tensorboard/train",
        "tensorboard/train/events.out.tfevents.1.host",
    ],
)
def test_a_run_whose_files_lead_elsewhere_is_neither_resumed_nor_cleared(
    tmp_path: Path, name: str
) -> None:
    out, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    held = {
        "logs.csv": "epoch,loss\n0,1\n1,2\n",
        "resume.keras": "",
        "run.json": json.dumps({"ended": {"by": "plan", "epoch": 1}}),
        "run.lock": "",
        "tensorboard/train/events.out.tfevents.1.host": "",
    }
    for folder in (out, elsewhere):
        for own, text in held.items():
            (folder / own).parent.mkdir(parents=True, exist_ok=True)
            (folder / own).write_text(text)
    assert read_resumable(out)["ended"]["epoch"] == 1
    (out / name).rename(tmp_path / "aside")
    (out / name).symlink_to(elsewhere / name)
    with pytest.raises(ConfigError, match=f"{name} is a link, and may lead anywhere"):
        read_resumable(out)
    with pytest.raises(OutputError, match=f"{name} in it is a link"):
        clear_run(out)
    assert {own for own in held if (elsewhere / own).is_file()} == set(held)
