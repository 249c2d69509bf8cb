from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay.cli import train
from cbreplay.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

# numpy 2.4 warns about how Keras 3.15.1 turns a TensorFlow variable into an array
pytestmark = [
    pytest.mark.keras,
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_prints_the_directory_and_hints_at_the_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "diabetes", "--epochs", "2", "--seed", "5"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "runs/diabetes-seed5\n"
    assert printed.err == "next: cbreplay simulate runs/diabetes-seed5\n"
    contents = json.loads((tmp_path / "runs/diabetes-seed5/run.json").read_text())
    assert (contents["seed"], contents["ended"]["epoch"]) == (5, 1)


def test_trains_several_seeds_into_one_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--epochs", "1", "--seeds", "2", "--seed", "3", "--out", "my runs"]
    assert main(["-q", "train", "diabetes", *words]) == 0
    printed = capsys.readouterr()
    assert printed.out == "my runs/seed3\nmy runs/seed4\n"
    assert printed.err == ""
    seeds = [
        json.loads((tmp_path / "my runs" / name / "run.json").read_text())["seed"]
        for name in ("seed3", "seed4")
    ]
    assert seeds == [3, 4]
    assert main(["train", "diabetes", *words]) == 0
    printed = capsys.readouterr()
    assert printed.out == "my runs/seed3\nmy runs/seed4\n"
    assert printed.err.startswith("kept, as trained before: seed3, seed4\n")


def test_trains_under_the_callbacks_and_keeps_their_talk_off_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = "EarlyStopping(patience=1, min_delta=100, verbose=1)"
    assert main(["train", "diabetes", "--out", "run", "-c", stop]) == 0
    printed = capsys.readouterr()
    assert printed.out == "run\n"
    assert "Epoch 2: early stopping" in printed.err
    contents = json.loads((tmp_path / "run/run.json").read_text())
    assert contents["ended"] == {"by": "EarlyStopping", "epoch": 1}


def test_resumes_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["--epochs", "1"], ["--epochs", "2", "--append"]):
        assert main(["train", "diabetes", *more]) == 0
    capsys.readouterr()
    contents = json.loads((tmp_path / "runs/diabetes-seed0/run.json").read_text())
    assert contents["fit"]["initial_epoch"] == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-c", "EarlyStopping(patience=[1, 2])"], "which offers choices"),
        (["--epochs", "0"], "epochs is 0"),
        (["--append"], "holds no run.json"),
        (["--learning-rate", "nan"], "learning_rate is nan"),
        (["--seeds", "0"], "0 is not in the range x>=1"),
        (["--jobs", "2"], "--jobs shares out the runs of --seeds N"),
    ],
)
def test_refuses_what_cannot_be_with_status_two(
    words: list[str],
    complaint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["train", "diabetes", *words]) == 2
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_ends_with_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_args: Any, **_settings: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_experiment", interrupted)
    assert main(["train", "diabetes"]) == 130
    assert capsys.readouterr().out == ""


def test_tells_each_epoch_and_its_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int, str]] = []

    def take(done: int, total: int, /, note: str = "") -> None:
        told.append((done, total, note))

    monkeypatch.setattr(train, "watch", lambda _words: contextlib.nullcontext(take))
    assert main(["train", "diabetes", "--epochs", "2", "--out", "run"]) == 0
    assert [(done, total) for done, total, _ in told] == [(1, 2), (2, 2)]
    assert all(note.startswith("loss ") and note.endswith("  run") for *_, note in told)
