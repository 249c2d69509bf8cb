"""Counts in one answer add up, and say of which runs they are."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.conftest import Ask, write_csv

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINT = "ModelCheckpoint('best.keras', save_best_only=True)"


def said(answer: str) -> str:
    return " ".join(answer.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs that decide patience 1 and 2; the first one keeps no number."""
    write_csv(tmp_path / "a.csv", [math.nan] * 5)
    write_csv(tmp_path / "b.csv", [0.5, 0.6, 0.6, 0.6, 0.6])
    write_csv(tmp_path / "c.csv", [0.5, 0.6, 0.6, 0.6, 0.6])
    return tmp_path


def test_what_is_saved_is_said_of_the_runs_that_tell_the_loss(
    ask: Ask, folder: Path
) -> None:
    # patience 1 trains 2 of 5 epochs of each, patience 2 3; both are exact on all three
    assert said(ask("simulate", folder, "--patience", "1,2").out).startswith(
        "On the 2 of 3 runs that tell what every setting loses, patience=1 keeps the "
        "best val_loss of each; there it saves 6 of 10 epochs, more than patience=2, "
        "which loses as little."
    )


def test_the_runs_of_a_comparison_add_up(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--patience", "1", "--versus-patience", "2")
    # a has no number to compare, b and c keep epoch 1 under both
    assert (
        "On the 3 runs where both are exact, A keeps the better val_loss on 0, B on 0, "
        "both the same on 2, not known on 1; A saves"
    ) in said(ask(*words).out)


def test_a_headline_says_that_nothing_can_be_compared(ask: Ask, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, [0.5, 0.6, 0.6])
    words = ("simulate", tmp_path, "--patience", "1", "--versus-patience", "8")
    assert said(ask(*words).out).startswith(
        "A and B part on both runs. Which is better is not known: none of these logs "
        "shows how both would have ended."
    )


def test_a_mean_that_hangs_on_one_run_says_so(ask: Ask, tmp_path: Path) -> None:
    # patience 1 keeps the first epoch of each: .1, .1 and 99 are lost
    for name, best in (("a", 0.4), ("b", 0.4), ("c", -98.5)):
        write_csv(tmp_path / f"{name}.csv", [0.5, 0.6, best, 0.6])
    shown = said(ask("simulate", tmp_path, "--patience", "1").out)
    assert "at worst 99.0000 (c.csv, nearly all of that average); it saves" in shown


def test_a_small_loss_of_one_run_is_no_matter_of_scale(
    ask: Ask, tmp_path: Path
) -> None:
    # 0, 0 and .1 are lost, of values of about .5
    for name, best in (("a", 0.5), ("b", 0.5), ("c", 0.4)):
        write_csv(tmp_path / f"{name}.csv", [0.5, 0.6, best, 0.6])
    shown = said(ask("simulate", tmp_path, "--patience", "1").out)
    assert "at worst 0.1000; it saves" in shown


def test_patience_that_was_not_typed_is_named(ask: Ask, log: Path) -> None:
    taken = "Patience is 0, the default: --patience sets another."
    for typed in ("--min-delta", "--start-from-epoch"):
        assert taken in said(ask("simulate", log, typed, "1").out)
    assert taken not in said(
        ask("simulate", log, "--min-delta", "1", "--patience", "0").out
    )


def test_a_file_that_holds_no_best_weights_is_told(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    # validated every second epoch; Keras saves where the value is missing
    rows = ["0,1,.2", "1,1,", "2,1,.3", "3,1,", "4,1,.4", "5,1,"]
    path.write_text("\r\n".join(["epoch,loss,val_loss", *rows, ""]))
    words = (path, "-c", CHECKPOINT, "--semantics", "keras-3.15")
    holds = "of epoch 6, of which the log has no val_loss, not those of the best epoch"
    assert f"{holds}, 1." in said(ask("simulate", *words).out)
    # and where the plan ends one epoch later, with a value that is not saved
    with path.open("a", newline="") as file:
        file.write("6,1,.5\r\n")
    whole = said(ask("simulate", *words, "--planned-epochs", "7").out)
    assert whole.startswith("Nothing in this list stops this training: it runs to ")
    assert "runs to the planned end, epoch 7, and keeps epoch 7:" in whole
    assert "has no val_loss, not those of the best epoch, 1." in whole


def test_a_file_of_an_infinite_value_is_told(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    write_csv(path, [float("-inf"), 0.6, 0.5, 0.4])
    # Keras saves at -inf, on which nothing improves; the best finite value is the last
    words = (path, "-c", "ModelCheckpoint('best.keras', save_best_only=True)")
    assert (
        "holds the weights of epoch 1, whose val_loss is no finite number, not those "
        "of the best epoch, 4."
    ) in said(ask("simulate", *words).out)


def test_the_best_of_a_log_that_its_own_stop_cut_is_the_best_recorded(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "logs.csv", [0.9, 0.5, 0.6, 0.4, 0.7])
    own = {
        "schema": 1,
        "fit": {"epochs": 9},
        "callbacks": ["EarlyStopping(patience=1)"],
        "ended": {"by": "EarlyStopping", "epoch": 4},
    }
    (tmp_path / "run.json").write_text(json.dumps(own))
    # patience 1 stops at epoch 3 and keeps the second: 0.5 - 0.4
    whole = said(ask("simulate", tmp_path, "--patience", "1").out)
    assert "keeps epoch 2: 0.1000 above the best recorded val_loss" in whole
    several = said(ask("simulate", tmp_path, "--patience", "0,1").out)
    assert "above the best recorded val_loss" in several


@pytest.mark.parametrize("setting", [(), ("--patience", "1"), ("--patience", "1,2")])
def test_a_headline_names_the_one_run_of_several_that_it_is_about(
    ask: Ask, tmp_path: Path, setting: tuple[str, ...]
) -> None:
    write_csv(tmp_path / "a.csv", [0.9, 0.5, 0.6, 0.7])
    (tmp_path / "b.csv").write_text("epoch,loss\n0,1\n1,.5\n2,.4\n3,.3\n")
    headline = said(ask("simulate", tmp_path, *setting).out.split("\n\n")[0])
    assert headline.endswith("This is about a.csv alone: b.csv has no val_loss.")


def test_a_headline_says_what_the_runs_lack_that_it_is_not_about(
    ask: Ask, tmp_path: Path
) -> None:
    both = "epoch,val_loss,val_acc\n0,.5,.1\n1,.6,.2\n2,.7,.3\n"
    (tmp_path / "a.csv").write_text(both)
    (tmp_path / "b.csv").write_text(both.replace(",.5", ",.4"))
    (tmp_path / "c.csv").write_text("epoch,val_loss\n0,1\n1,.5\n2,.4\n")
    (tmp_path / "d.csv").write_text("epoch,val_acc\n0,.1\n1,.5\n2,.4\n")

    def headline(*of: str) -> str:
        logs = [tmp_path / f"{name}.csv" for name in of]
        lists = "EarlyStopping(patience=1)", "ReduceLROnPlateau('val_acc', mode='max')"
        setting = ("-c", f"[{', '.join(lists)}]", "--objective", "val_loss")
        return said(ask("simulate", *logs, *setting).out.split("\n\n")[0])

    # c lacks the one and d the other: neither lacks both
    one = headline("a", "c", "d")
    assert one.endswith("about a.csv alone: 2 runs have no val_acc or no val_loss.")
    two = headline("a", "b", "d")
    assert two.endswith(" Left out: d.csv, which has no val_loss.")


def test_a_list_that_only_saves_tells_the_epoch_of_the_file(
    ask: Ask, tmp_path: Path
) -> None:
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, [0.5, 0.3, 0.6])
    shown = ask("simulate", tmp_path, "-c", CHECKPOINT).out
    assert said(shown).startswith("This setting stops no training;")
    table = shown.split("\n\n")[2]
    assert "stops" not in table
    (row,) = [line.split() for line in table.splitlines() if "a.csv" in line]
    assert row[row.index("best.keras") + 1] == "(2)"


def test_a_headline_on_runs_tells_files_of_other_epochs(
    ask: Ask, tmp_path: Path
) -> None:
    # a is best in epoch 2 and stops at 4, b in epoch 1 and stops at 3
    write_csv(tmp_path / "a.csv", [0.5, 0.3, 0.6, 0.6, 0.6])
    write_csv(tmp_path / "b.csv", [0.5, 0.6, 0.55, 0.6, 0.7])
    words = ("simulate", tmp_path, "-c", f"[EarlyStopping(patience=2), {CHECKPOINT}]")
    headline = said(ask(*words).out.split("\n\n")[0])
    assert (
        "On both runs the file that it saves last holds another epoch's weights."
        in headline
    )
    two = words[-1].replace("=2", "=[2, 9]")
    headline = said(ask(*words[:-1], two).out.split("\n\n")[0])
    assert headline.count("On both runs the file that it saves last holds") == 1
    best = words[-1].replace("=2", "=2, restore_best_weights=True")
    assert "saves last" not in said(ask(*words[:-1], best).out.split("\n\n")[0])


def test_csv_of_the_patience_table_tells_its_bounds(ask: Ask, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "logs.csv", [0.5, 0.4, 0.6, 0.6])
    rows = [*csv.DictReader(io.StringIO(ask("simulate", path, "--format", "csv").out))]
    # patience 3 and more go on past the log
    assert [row["bounds"] for row in rows[:-1]] == [""] * (len(rows) - 1)
    assert rows[-1]["bounds"] == "most_epochs_saved:upper;fewest_epochs_saved:upper"
    assert rows[-1]["provisional"] == "kept_epoch;kept_value;regret"


def test_a_range_that_runs_backwards_is_named(ask: Ask, log: Path) -> None:
    answer = ask("simulate", log, "--patience", "5:3")
    assert answer.status == 2
    assert "a range that runs backwards: write 3:5" in said(answer.err)
