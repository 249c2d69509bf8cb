"""What is found under a directory, what is not followed, and what it is called."""

from __future__ import annotations

import gzip
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError
from cbreplay.loading import load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.discovery.sources import survey_sources
from tests.unit.readers.test_discovery import names, write_board, write_csv, write_json

if TYPE_CHECKING:
    from pathlib import Path


def fates(root: Path) -> dict[str, str]:
    """Return what became of each file, by its name below the root."""
    seen = survey_sources([root], ReadOptions()).seen
    return {os.path.relpath(one.path, root): one.fate for one in seen}


def test_logs_without_an_epoch_column_are_found_by_their_losses(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("loss,val_loss\n1,2\n")
    (tmp_path / "b.csv").write_text(",mae,val_mae\n0,1,2\n")
    (tmp_path / "table.csv").write_text("x,y\n1,2\n")
    assert names(tmp_path) == ["a.csv", "b.csv"]
    assert fates(tmp_path)["table.csv"] == "passed by"


def test_every_file_has_its_fate(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp" / "logs.csv", (0.1, 0.3))
    write_board(tmp_path / "exp" / "tensorboard", (0.1, 0.3))
    (tmp_path / "config.json").write_text('{"loss": "mse"}')
    (tmp_path / "history.pkl").write_bytes(b"\x80\x04.")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    assert fates(tmp_path) == {
        "config.json": "passed by",
        "history.pkl": "passed by",
        "exp/logs.csv": "read",
        "exp/tensorboard": "joined",
    }


def test_logs_of_other_tools_are_named_by_their_directories(tmp_path: Path) -> None:
    version = tmp_path / "lightning_logs" / "version_0" / "metrics.csv"
    version.parent.mkdir(parents=True)
    version.write_text("epoch,step,loss\n0,9,1\n1,19,2\n")
    results = tmp_path / "runs" / "train2" / "results.csv"
    results.parent.mkdir(parents=True)
    results.write_text("epoch,train/box_loss,val/box_loss\n1,2,3\n")
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "history.json").write_text('{"loss": [1, 2]}')
    assert names(tmp_path) == ["kaggle", "lightning_logs/version_0", "runs/train2"]


def test_a_link_to_a_file_inside_is_not_read_twice(tmp_path: Path) -> None:
    write_csv(tmp_path / "run5" / "logs.csv")
    (tmp_path / "latest.csv").symlink_to(tmp_path / "run5" / "logs.csv")
    assert names(tmp_path) == ["run5"]
    assert fates(tmp_path)["latest.csv"] == "passed by"


def test_a_link_into_a_hidden_store_is_read(tmp_path: Path) -> None:
    # git-annex and DVC keep the file itself there
    write_csv(tmp_path / ".store" / "ab12.csv")
    (tmp_path / "logs.csv").symlink_to(tmp_path / ".store" / "ab12.csv")
    assert names(tmp_path) == [tmp_path.name]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    write_csv(tmp_path / "run" / "logs.csv")
    (tmp_path / "run" / "again").symlink_to(tmp_path)
    (tmp_path / "self.csv").symlink_to(tmp_path / "self.csv")
    assert names(tmp_path) == ["run"]
    assert fates(tmp_path)["run/again"] == "not followed"


def test_a_linked_event_directory_is_not_followed_out(tmp_path: Path) -> None:
    outside = write_board(tmp_path / "outside")
    write_csv(tmp_path / "inside" / "exp" / "logs.csv", (9.0, 8.0))
    board = tmp_path / "inside" / "exp" / "tensorboard"
    board.mkdir()
    (board / "train").symlink_to(outside / "train")
    (run,) = load_runs(tmp_path / "inside")
    assert run.series["loss"].values.tolist() == [9.0, 8.0]


def test_a_linked_writer_beside_a_real_one_is_not_followed_out(tmp_path: Path) -> None:
    outside = write_board(tmp_path / "outside", (5.0, 4.0))
    board = write_board(tmp_path / "inside" / "exp", (0.5, 0.25))
    (board / "validation").symlink_to(outside / "train")
    (board / "train" / "events.out.tfevents.999.link").symlink_to(
        next((outside / "train").iterdir())
    )
    (run,) = load_runs(tmp_path / "inside")
    assert list(run.series) == ["loss"]
    assert run.series["loss"].values.tolist() == [0.5, 0.25]


def test_names_that_are_odd_are_kept_apart_and_read(tmp_path: Path) -> None:
    odd = ["a\x1b[31mred", "b\u202egpj", "c" * 250, "d\nline", "e#1", "f*", "-g"]
    for name in odd:
        write_csv(tmp_path / name / "logs.csv")
    assert sorted(names(tmp_path)) == sorted(odd)


def test_a_name_of_300_letters_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(LogError):
        load_runs(tmp_path / ("c" * 300))
    with pytest.raises(LogError, match="no such file"):
        load_runs(f"{tmp_path}/a\0b")


@pytest.mark.parametrize(
    "content",
    [b"epoch,loss\r\n0,1\r\n", b'{"loss": [1]}', gzip.compress(b"loss,lr\n1,2\n")],
    ids=["csv", "json", "packed"],
)
def test_a_pipe_is_read_once(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    (run,) = load_runs(path)
    writer.join()
    assert run.series["loss"].values.tolist() == [1.0]
    assert run.source == str(path)


def test_a_pipe_in_a_directory_is_not_waited_for(tmp_path: Path) -> None:
    write_csv(tmp_path / "run" / "logs.csv")
    os.mkfifo(tmp_path / "logs.csv")
    assert names(tmp_path) == ["run"]


def test_dots_in_a_path_are_followed_by_who_gave_them(tmp_path: Path) -> None:
    write_csv(tmp_path / "a" / "logs.csv")
    (tmp_path / "b").mkdir()
    assert len(load_runs(tmp_path / "b" / ".." / "a")) == 1


def test_reading_writes_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp" / "logs.csv")
    write_board(tmp_path / "exp" / "tensorboard")
    (tmp_path / "history.json").write_text('{"loss": [1]}')

    def state() -> list[tuple[str, int, int]]:
        paths = sorted(tmp_path.rglob("*"))
        stats = [path.stat() for path in paths]
        return [
            (str(p), s.st_mtime_ns, s.st_size)
            for p, s in zip(paths, stats, strict=True)
        ]

    before = state()
    load_runs(tmp_path)
    assert state() == before


def test_a_part_of_a_log_has_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "exp" / "logs.csv"
    path.parent.mkdir()
    path.write_text("epoch,loss\n0,1\n0,2\n1,3\n")
    monkeypatch.chdir(tmp_path)
    for source in ("exp/logs.csv", "exp"):
        every = load_runs(source)
        for run in every:
            (one,) = load_runs(run.name)
            assert one.name == run.name
            assert one.series["loss"].values.tolist() == (
                run.series["loss"].values.tolist()
            )
    with pytest.raises(LogError, match=r"no training #3 in it; there is #1, #2"):
        load_runs("exp#3")


def test_a_directory_with_a_hash_in_its_name_is_itself(tmp_path: Path) -> None:
    write_csv(tmp_path / "exp#2" / "logs.csv")
    write_csv(tmp_path / "exp" / "logs.csv")
    assert names(tmp_path / "exp#2") == ["exp#2"]


def test_csv_and_events_without_a_common_value_are_one_if_their_epochs_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "exp" / "logs.csv"
    path.parent.mkdir()
    path.write_text("epoch,mae\n0,1\n1,2\n")
    write_board(tmp_path / "exp" / "tensorboard", (0.5, 0.25))
    (run,) = load_runs(tmp_path / "exp")
    assert sorted(run.series) == ["loss", "mae"]
    assert "no value stands in both, so none confirms it" in run.notes[0]
    path.write_text("epoch,mae\n0,1\n1,2\n2,3\n")
    assert len(load_runs(tmp_path / "exp")) == 2


def test_a_csv_and_events_of_one_name_in_two_directories_are_one_if_they_agree(
    tmp_path: Path,
) -> None:
    for name in ("run1", "run2"):
        write_csv(tmp_path / "timers" / f"{name}.csv", (0.1, 0.3))
    write_board(tmp_path / "boards" / "run1", (0.1, 0.3))
    write_board(tmp_path / "boards" / "run2", (0.1, 0.4))
    runs = load_runs(tmp_path)
    assert [run.name for run in runs] == [
        "timers/run1.csv",
        "timers/run2.csv",
        "boards/run2",
    ]
    assert "one training" in runs[0].notes[0]


def test_a_pattern_that_matches_a_log_and_its_directory_reads_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "a" / "logs.csv")
    monkeypatch.chdir(tmp_path)
    assert names("**") == ["a"]


def test_checkpoints_of_one_training_are_one_run(tmp_path: Path) -> None:
    rows = [{"epoch": float(i), "eval_loss": 1 / i, "step": i} for i in (1, 2, 3)]
    for n_rows in (1, 2, 3):
        place = tmp_path / f"checkpoint-{n_rows}"
        place.mkdir()
        state = json.dumps({"log_history": rows[:n_rows]})
        (place / "trainer_state.json").write_text(state)
    (run,) = load_runs(tmp_path)
    assert (run.name, run.horizon) == ("checkpoint-3", 2)
    assert "stands in checkpoint-1, checkpoint-2 too" in run.notes[-1]
    # each file has one fate
    seen = survey_sources([tmp_path], ReadOptions()).seen
    fates = {one.path: one.fate for one in seen}
    states = [tmp_path / f"checkpoint-{n}" / "trainer_state.json" for n in (1, 2, 3)]
    assert [fates[str(one)] for one in states] == ["passed by", "passed by", "read"]
    assert len(seen) == 3


def test_a_directory_without_a_log_names_its_own_files_alone(tmp_path: Path) -> None:
    """A log of another source lies not in it."""
    (tmp_path / "logs.csv").write_text("epoch,loss\n0,1\n1,0.5\n")
    empty = tmp_path / "nolog"
    empty.mkdir()
    (empty / "readme.txt").write_text("no log")
    with pytest.raises(LogError) as caught:
        load_runs(tmp_path / "logs.csv", empty)
    named = f"; {empty}/readme.txt passed by (no log that is known)"
    assert str(caught.value).endswith(named)
    assert "logs.csv read" not in str(caught.value)


@pytest.mark.parametrize("n_loose", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("board", "name"), [("tbonly", "tbonly"), ("tensorboard", "logs"), (".", "logs")]
)
def test_loose_logs_beside_event_files_do_not_rename_them(
    tmp_path: Path, board: str, name: str, n_loose: int
) -> None:
    root = tmp_path / "logs"
    write_board(root / board, (0.91, 0.52, 0.43))
    loose = [f"p{number}.csv" for number in range(n_loose)]
    for number, file in enumerate(loose):
        write_csv(root / file, (0.8 + number, 0.7, 0.6, 0.5))
    assert sorted(names(root)) == sorted([name, *loose])


def test_a_loose_log_that_cannot_be_read_does_not_rename_event_files(
    tmp_path: Path,
) -> None:
    write_board(tmp_path / "tbonly")
    (tmp_path / "bad.csv").write_text("epoch,loss\n0,x\n")
    assert names(tmp_path) == ["tbonly"]


def test_of_copies_the_one_with_more_files_is_kept_and_the_others_are_passed_by(
    tmp_path: Path,
) -> None:
    # as many digits as a training writes
    losses = [1 / (3 + epoch) for epoch in range(6)]
    write_board(tmp_path / "a_board", losses)
    for place in ("b_both", "c_both", "d_whole"):
        write_csv(tmp_path / place / "logs.csv", losses)
        write_board(tmp_path / place / "tb", losses)
    write_json(tmp_path / "d_whole")
    assert names(tmp_path) == ["d_whole"]
    assert fates(tmp_path) == {
        "a_board": "passed by",
        "b_both/logs.csv": "passed by",
        "b_both/tb": "passed by",
        "c_both/logs.csv": "passed by",
        "c_both/tb": "passed by",
        "d_whole/logs.csv": "read",
        "d_whole/tb": "joined",
    }


def test_what_a_copy_is_passed_by_for_is_a_run_of_the_answer(tmp_path: Path) -> None:
    losses = [1 / (3 + epoch) for epoch in range(6)]
    for place in ("a/both", "b/both"):
        write_csv(tmp_path / place / "logs.csv", losses)
        write_board(tmp_path / place / "tb", losses)
    write_board(tmp_path / "b" / "board", losses)
    survey = survey_sources([tmp_path], ReadOptions())
    assert [run.name for run in survey.runs] == ["a/both"]
    told = {own.detail for own in survey.seen if own.fate == "passed by"}
    assert told == {"the same training as a/both"}
