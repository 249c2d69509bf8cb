"""Settings beside each other: means of what is decided, never of a bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import table_lines, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs: patience 1 stops in all of them, patience 3 in two."""
    write_csv(tmp_path / "a.csv", [0.5, 0.6, 0.4, 0.7, 0.7, 0.7])
    write_csv(tmp_path / "b.csv", [0.5, 0.4, 0.6, 0.6, 0.6])
    write_csv(tmp_path / "c.csv", [0.5, 0.6, 0.3, 0.2])
    return tmp_path


def test_a_row_a_setting_over_the_runs_that_decide_it(ask: Ask, folder: Path) -> None:
    answer = ask("simulate", folder, "--patience", "1,3")
    assert answer.status == 0
    lines = answer.out.splitlines()
    (first,) = [line.split() for line in lines if line.startswith(" 1 ")]
    (second,) = [line.split() for line in lines if line.startswith(">3 ")]
    # patience 1 keeps .5, .4, .5 of bests .4, .4, .2: .1, 0 and .3 are lost;
    # it trains 2 + 3 + 2 of 6 + 5 + 4 epochs
    assert first[1:4] == ["3", "of", "3"]
    assert [float(cell) for cell in first[4:7]] == pytest.approx(
        [0.4 / 3, 0.1528, 0.3], abs=1e-4
    )
    assert first[7:] == ["c.csv", "8", "of", "15"]
    # patience 3 loses nothing in a and b, and does not stop inside c
    assert second[1:] == ["2", "of", "3", "0", "0", "0", "-", "0", "of", "11"]
    # on a and b, which decide both, 1 loses .1 and 0
    assert " ".join(answer.out.split()).startswith(
        "On the 2 of 3 runs whose logs decide every setting, patience=3 keeps the best "
        "val_loss of each; there it saves 0 of 11 epochs. That describes these runs, "
        "not the next."
    )


def test_settings_compare_over_the_same_runs(ask: Ask, folder: Path) -> None:
    # patience 9 stops in none of them, so that it is out of the comparison
    assert said(ask, folder, "--patience", "1,3,9") == (
        "On the 2 of 3 runs whose logs decide these settings, patience=3 keeps the "
        "best val_loss of each; there it saves 0 of 11 epochs. 1 setting of 3 cannot "
        "be compared. That describes these runs, not the next."
    )
    # two more runs like c: of five, two decide patience 3
    for name in ("d", "e"):
        (folder / f"{name}.csv").write_bytes((folder / "c.csv").read_bytes())
    # patience 1 loses .1, 0 and three times .3
    assert said(ask, folder, "--patience", "1,3") == (
        "On these 5 runs patience=1 loses 0.2000 val_loss on average against the best "
        "of each run, at worst 0.3000; it saves 12 of 23 epochs. 1 setting of 2 cannot "
        "be compared. That describes these runs, not the next."
    )


def test_what_the_headline_compares_is_in_the_data(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--format", "json", "--patience")
    one, three = json.loads(ask(*words, "1,3").out)["compared_settings"]
    # on a and b: patience 1 loses .1 and 0, and trains 2 of 6 and 3 of 5 epochs
    assert (one["runs"], one["worst_run"]) == (2, "a.csv")
    assert one["mean_regret"] == pytest.approx(0.05)
    assert (one["epochs_saved"], one["recorded_epochs"]) == (6, 11)
    assert (three["mean_regret"], three["epochs_saved"]) == (0, 0)
    # where every run decides both, the headline is about the summary
    assert "compared_settings" not in json.loads(ask(*words, "0,1").out)


def test_a_bound_is_in_no_mean(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--patience", "3,9", "--format", "json")
    first, second = json.loads(ask(*words).out)["summary"]
    assert (first["exact_runs"], first["recorded_epochs"]) == (2, 11)
    assert (second["exact_runs"], second["mean_regret"]) == (0, None)
    shown = ask("simulate", folder, "--patience", "3,9").out
    assert "No setting is decided on all 3 runs; patience=3 is decided on 2." in shown


def test_every_run_is_shown_when_it_is_asked_for(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "--patience", "1,3")
    assert "a.csv" not in ask(*words).out
    rows = ask(*words, "--each").out
    assert rows.count("a.csv") >= 2
    # and where there is only one setting, a row a setting would say nothing
    assert "c.csv" in ask("simulate", folder, "--patience", "3").out
    assert len(ask(*words, "--format", "csv").out.splitlines()) == 1 + 3 * 2
    told = ask(*words, "--format", "markdown").out
    assert [line.split("|")[1].strip() for line in table_lines(told)[2:]] == [
        "1",
        "**3**",
    ]


@pytest.fixture
def infinite(tmp_path: Path) -> Path:
    """Three runs: 2 epochs of patience stop in two, one of which is infinite."""
    write_csv(tmp_path / "a.csv", [0.9, 0.5, 0.6, 0.7, 0.8])
    write_csv(tmp_path / "b.csv", [float("inf")] * 5)
    write_csv(tmp_path / "c.csv", [0.9, 0.8, 0.7, 0.6, 0.5])
    return tmp_path


def said(ask: Ask, *words: str | Path) -> str:
    return " ".join(ask("simulate", *words).out.split("\n\n")[0].split())


def test_a_setting_is_decided_where_what_it_loses_is_not_known(
    ask: Ask, infinite: Path
) -> None:
    (infinite / "c.csv").unlink()
    # a stops at 4 of 5, b at 3 of 5: the first infinite loss is taken as the best
    assert said(ask, infinite, "--patience", "2") == (
        "On the 1 of 2 runs that tells it, "
        "EarlyStopping(patience=2, restore_best_weights=True) keeps the best val_loss; "
        "over the 2 that decide it, it saves 3 of 10 epochs. That describes "
        "these runs, not the next. 1 of 2 runs (b.csv) ended in NaN or infinity."
    )
    (infinite / "a.csv").write_bytes((infinite / "b.csv").read_bytes())
    write_csv(infinite / "b.csv", [float("inf")] * 6)
    assert said(ask, infinite, "--patience", "2") == (
        "The logs decide EarlyStopping(patience=2, restore_best_weights=True) on "
        "both runs; on none of them is known what it loses. Both runs ended in NaN or "
        "infinity."
    )
    assert said(ask, infinite, "--patience", "1,2") == (
        "On both runs the logs decide both settings; for none of them do all these "
        "runs say what it loses. Both runs ended in NaN or infinity."
    )


def test_two_counts_tell_what_is_decided_and_what_is_known(
    ask: Ask, infinite: Path
) -> None:
    words = ("simulate", infinite, "--patience", "1,2")
    _, two = json.loads(ask(*words, "--format", "json").out)["summary"]
    assert (two["exact_runs"], two["priced_runs"]) == (2, 1)
    assert (two["mean_regret"], two["worst_run"]) == (0, "a.csv")
    # a and b stop at 4 and 3 of 5, c does not
    assert (two["epochs_saved"], two["recorded_epochs"]) == (3, 10)
    told = table_lines(ask(*words, "--format", "markdown").out)
    assert told[0].startswith("| patience | exact on | loss known on | mean")
    assert [cell.strip() for cell in told[3].split("|")[2:4]] == ["2 of 3", "1 of 3"]


def test_settings_of_different_series_are_decided_and_not_compared(
    ask: Ask, tmp_path: Path
) -> None:
    for name, last in (("a", 0.7), ("b", 0.8)):
        write_csv(tmp_path / f"{name}.csv", [0.9, 0.5, 0.6, last])
    setting = "EarlyStopping(monitor=['val_loss', 'loss'], patience=2)"
    assert said(ask, tmp_path, "-c", setting) == (
        "On both runs the logs decide both settings; they are judged by different "
        "series, which do not compare. On both runs loss never changes: no patience "
        "is judged by it."
    )


def test_the_sign_of_a_bound_is_explained_below_the_table(
    ask: Ask, tmp_path: Path
) -> None:
    # patience 1 stops at epoch 3 and keeps .4, .1 above the best; epoch 5 is missing
    rows = ["0,0.5", "1,0.4", "2,0.45", "3,0.3", "4,", "5,0.35", "6,0.36"]
    for name in "ab":
        # two trainings, and no copies of one
        own = [row + (name == "b") * "1" if row != "4," else row for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,val_loss", *own, ""]))
    sign = '">=": at least that, for a better value may be missing'
    for words in ((), ("--patience", "1", "--each"), ("--patience", "1,2", "--each")):
        out = ask("simulate", tmp_path, *words).out
        assert ">= 0.1" in out
        assert sign in " ".join(out.split())
    assert sign not in ask("simulate", tmp_path, "--patience", "1,2").out


def test_json_tells_which_series_has_a_value_in_every_so_many_epochs(
    ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "logs.csv"
    rows = [f"{at},1.0,{0.5 if at % 5 == 4 else ''}\n" for at in range(15)]
    log.write_text("epoch,loss,val_loss\n" + "".join(rows))
    answer = ask("simulate", log, "--patience", "1,2", "--format", "json")
    (run,) = json.loads(answer.out)["runs"]
    # epochs 4, 9 and 14 of 0 to 14
    assert run["sparse_series"] == [{"series": "val_loss", "every": 5}]
