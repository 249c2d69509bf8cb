"""Files into which a writer wrote the whole table again at each save."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import LogError, load_runs

LOSSES = [0.9, 0.7, 0.6, 0.5, 0.55, 0.56]
MORE = [*LOSSES, 0.57]
NARROW, WIDE = "epoch,loss", "epoch,loss,val_loss"


def block(header: str, n_rows: int, *, every: int = 1) -> list[str]:
    """The first rows, as they stood when so many epochs were over."""
    rows = []
    for epoch in range(n_rows):
        judged = MORE[epoch] if (epoch + 1) % every == 0 else ""
        more = f",{judged}" if header.endswith("val_loss") else ""
        rows.append(f"{epoch},{1 / (epoch + 1)}{more}")
    return [header, *rows]


def write(path: Path, *blocks: list[str]) -> Path:
    path.write_text("\n".join([*(line for rows in blocks for line in rows), ""]))
    return path


def test_a_table_that_was_written_again_with_more_columns_is_one(
    tmp_path: Path,
) -> None:
    # saved after each epoch; validated from the third on
    blocks = [block(NARROW, 1), block(NARROW, 2)]
    blocks += [block(WIDE, n_rows) for n_rows in range(3, 7)]
    (run,) = load_runs(write(tmp_path / "log.csv", *blocks))
    assert list(run.series["val_loss"]) == LOSSES
    assert run.n_epochs == 6
    assert any("stand there again, with more columns" in note for note in run.notes)


def test_its_rows_keep_their_lines(tmp_path: Path) -> None:
    rows = block(WIDE, 6)
    rows[4] = "3,abc,0.5"
    with pytest.raises(LogError, match="line 8: 'abc' under loss"):
        load_runs(write(tmp_path / "log.csv", block(NARROW, 2), rows))


@pytest.mark.parametrize("errors", ["strict", "skip"])
def test_a_table_with_other_rows_is_another_training(
    tmp_path: Path, errors: str
) -> None:
    other = ["0,0.5,0.9", "1,0.4,0.8", "2,0.3,0.7"]
    path = write(tmp_path / "log.csv", block(NARROW, 2), [WIDE, *other])
    runs = load_runs(path, errors=errors)  # type: ignore[arg-type]  # a literal
    assert [list(run.series["loss"]) for run in runs] == [[1.0, 0.5], [0.5, 0.4, 0.3]]
    assert [run.holds("val_loss") for run in runs] == [False, True]


@pytest.mark.parametrize("empty", ["missing", "nan"])
def test_a_resumed_fit_may_log_other_metrics_under_its_own_header(
    tmp_path: Path, empty: str
) -> None:
    """Somebody adds a metric, drops one, and goes on; each fit writes its header."""
    later = ["2,0.4,0.8,first", "3,0.3,0.7,second"]
    last = ["4,0.2,third", "5,0.1,fourth"]
    blocks = [block(NARROW, 2), [f"{WIDE},note", *later], [f"{NARROW},note", *last]]
    path = write(tmp_path / "log.csv", *blocks)
    (run,) = load_runs(path, empty=empty)  # type: ignore[arg-type]  # a literal
    assert list(run.series["loss"]) == [1, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert (
        run.series["val_loss"].recorded.tolist()
        == [False] * 2 + [True] * 2 + [False] * 2
    )
    # the header says so: no value was lost, and none was NaN
    assert run.not_logged == {"val_loss"}
    assert not run.empty_cells
    assert (run.seams, run.possible_seams) == ((2, 4), frozenset())
    assert "from line 5 on its header names val_loss and note too" in run.notes
    assert "from line 8 on its header lacks val_loss" in run.notes


def test_a_row_of_the_best_epoch_under_fewer_names_is_no_training(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "log.csv", block(WIDE, 6), ["epoch,val_loss", "3,0.5"])
    with pytest.raises(LogError, match="line 8: from here on another header"):
        load_runs(path)
    (run,) = load_runs(path, errors="skip")
    assert list(run.series["val_loss"]) == LOSSES


def test_tables_that_share_nothing_but_epochs_are_not_joined(tmp_path: Path) -> None:
    path = write(tmp_path / "log.csv", block(NARROW, 2), ["epoch,acc", "2,0.5"])
    with pytest.raises(LogError, match="line 4: from here on another header"):
        load_runs(path)


@pytest.mark.parametrize("lost", [range(2, 9), range(9, 14), range(8, 12)])
def test_a_save_that_lacks_rows_is_no_training(tmp_path: Path, lost: range) -> None:
    """A cut copy of a log to which each save appended the whole table."""
    lines = [line for n_rows in range(1, 7) for line in block(WIDE, n_rows)]
    lines = [line for at, line in enumerate(lines, start=1) if at not in lost]
    (run,) = load_runs(write(tmp_path / "log.csv", lines))
    assert list(run.series["val_loss"]) == LOSSES


def test_copies_of_steps_are_counted_once(tmp_path: Path) -> None:
    # a column of steps, and a validation at every third of them
    blocks = [
        [line.replace("epoch", "step") for line in block(WIDE, n_rows, every=3)]
        for n_rows in range(1, 7)
    ]
    path = write(tmp_path / "log.csv", *blocks)
    with pytest.raises(LogError, match="val_loss has a value at 2 of 6"):
        load_runs(path)
    (run,) = load_runs(path, x_axis="epoch")
    assert list(run.series["val_loss"]) == [0.6, 0.56]
    assert any("5 times more" in note for note in run.notes)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=12))
def test_copies_are_left_out_where_all_are_beginnings_of_the_last(
    losses: list[int],
) -> None:
    blocks: list[list[int]] = []
    for loss in losses:
        if loss == losses[0]:
            blocks.append([])
        blocks[-1].append(loss)
    *copies, last = blocks
    alike = all(copy == last[: len(copy)] for copy in copies)
    # a row that stands there twice is no table
    tables = max(map(len, copies), default=0) > 1
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "log.jsonl")
        path.write_text("".join(f'{{"loss": {loss}}}\n' for loss in losses))
        (run,) = load_runs(path)
    assert list(run.series["loss"]) == (last if alike and tables else losses)


@pytest.mark.parametrize(
    ("losses", "n_runs"),
    [
        # the number of the save, or the best loss so far, stands in each row
        ([0.91, 0.72, 0.63, 0.54, 0.45, 0.36, 0.27, 0.18, 0.19], 1),
        # few different numbers may be those of two failed trainings
        ([0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4], 2),
    ],
)
def test_a_column_that_numbers_the_saves_makes_no_trainings(
    tmp_path: Path, losses: list[float], n_runs: int
) -> None:
    rows = [
        f"{save},{epoch},{loss}\n"
        for save, n_epochs in ((1, 8), (2, 9))
        for epoch, loss in enumerate(losses[:n_epochs])
    ]
    log = tmp_path / "log.csv"
    log.write_text("save,epoch,loss\n" + "".join(rows), encoding="ascii")
    runs = load_runs(log)
    assert len(runs) == n_runs
    assert list(runs[-1].series["loss"]) == losses


def test_saves_of_a_table_without_epochs_and_names_are_read_once(
    tmp_path: Path,
) -> None:
    """Each save appended all rows so far, below one header."""
    losses = [0.91, 0.72, 0.63, 0.64, 0.65]
    rows = [f"{loss},{loss + 0.1:.2f}\n" for n in range(1, 6) for loss in losses[:n]]
    log = tmp_path / "logs.csv"
    log.write_text("loss,val_loss\n" + "".join(rows), encoding="ascii")
    (run,) = load_runs(log)
    assert list(run.series["loss"]) == losses


@pytest.mark.parametrize("lost", [1, 2, 3, 4, 5, 6])
def test_a_row_that_the_last_save_lost_stands_in_the_one_before(
    tmp_path: Path, lost: int
) -> None:
    blocks = [block(WIDE, n_rows) for n_rows in range(1, 8)]
    blocks[-1] = blocks[-1][:lost] + blocks[-1][lost + 1 :]
    (run,) = load_runs(write(tmp_path / "log.csv", *blocks))
    assert list(run.series["val_loss"]) == MORE


def test_a_fit_that_parts_from_the_one_before_is_no_save_that_lost_rows(
    tmp_path: Path,
) -> None:
    other = [*block(WIDE, 5), "6,0.1,0.2"]
    first, second = load_runs(write(tmp_path / "log.csv", block(WIDE, 7), other))
    assert (first.n_epochs, second.n_epochs) == (7, 7)
