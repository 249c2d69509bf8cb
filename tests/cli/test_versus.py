"""``simulate --versus``, and what ``simulate`` tells of reductions on many runs."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.conftest import ROOT, VALUES, table_lines, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
TWO = "EarlyStopping(patience=2, restore_best_weights=True)"
FIVE = "EarlyStopping(patience=5, restore_best_weights=True)"


def as_json(text: str) -> Any:
    answer = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of 8 planned epochs, where 2 and 5 decide as worked out below."""
    # 2 stops at 4 and keeps .5, 5 keeps .49
    write_csv(tmp_path / "a.csv", VALUES)
    # 2 stops at 3 with the best, 5 stops at 6
    write_csv(tmp_path / "b.csv", [0.8, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6])
    # neither stops
    write_csv(tmp_path / "c.csv", [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    return tmp_path


def test_a_table_compares_run_by_run(ask: Ask, folder: Path) -> None:
    answer = ask("simulate", folder, "-c", TWO, "--versus", FIVE)
    assert answer.status == 0
    headline, lead, table, footnote, outcome, _ = answer.out.split("\n\n")
    assert footnote.startswith(' "log ends": nothing stops training inside the log')
    assert " ".join(headline.split()) == (
        "A and B keep the same val_loss on the 1 run that decides both; A saves 3 "
        "more epochs. A and B part on 2 of 3 runs."
    )
    head, *rows = table.splitlines()
    assert head.split()[:4] == ["run", "part", "at", "stops"]
    assert [row.split()[:8] for row in rows if ".csv" in row] == [
        ["a.csv", "5", "5", "/", "-", "3", "/", "(6)"],
        ["b.csv", "4", "4", "/", "7", "2", "/", "2"],
        ["c.csv", "-", "-", "/", "-", "(8)", "/", "(8)"],
    ]
    assert " ".join(outcome.split()) == (
        "On the 1 run where both are exact, A keeps the better val_loss on 0, B on 0, "
        "both the same on 1; A saves 4 epochs and B 1. On a.csv, c.csv nothing is "
        "compared: the log does not show how both would have ended."
    )
    assert f"A: {TWO}. B: {FIVE}. Rules of" in " ".join(lead.split())


def test_with_a_known_plan_every_run_is_compared(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "-c", TWO, "--versus", FIVE, "--planned-epochs", "8")
    shown = " ".join(ask(*words).out.split())
    assert "On the 3 runs where both are exact, A keeps the better val_loss" in shown
    totals = as_json(ask(*words, "--format", "json").out)["versus"]["totals"]
    assert totals == {
        "runs": 3,
        "exact_runs": 3,
        "parted_runs": 2,
        "first_better": 0,
        "rival_better": 1,
        "same": 2,
        "first_epochs_saved": 3 + 4 + 0,
        "rival_epochs_saved": 0 + 1 + 0,
        "first_mean_regret": pytest.approx(0.01 / 3),
        "rival_mean_regret": 0.0,
    }


def test_lists_that_win_as_often_are_not_called_the_same(
    ask: Ask, tmp_path: Path
) -> None:
    # 2 stops at 4 with .6; 4 stops at 9 with .5, and at 6 with .8
    start = [1.0, 0.5, 0.6, 0.6]
    write_csv(tmp_path / "a.csv", [*start, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5])
    write_csv(tmp_path / "b.csv", [*start, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9])
    words = ("simulate", tmp_path, "-c", "EarlyStopping(patience=2)")
    answer = ask(*words, "--versus", "patience=4")
    assert " ".join(answer.out.split("\n\n")[0].split()) == (
        "A and B each keep the better val_loss on 1 of 2 runs; A saves 7 more epochs. "
        "A and B part on both runs."
    )
    # an infinity is as good as another
    for name, length in (("a.csv", 10), ("b.csv", 11)):
        write_csv(tmp_path / name, [float("inf")] * length)
    answer = ask(*words, "--versus", "patience=4")
    assert " ".join(answer.out.split("\n\n")[0].split()) == (
        "A and B keep the same val_loss on both runs; A saves 4 more epochs. "
        "A and B part on both runs. Both runs ended in NaN or infinity."
    )


def test_json_holds_both_lists_and_every_result(ask: Ask, folder: Path) -> None:
    answer = as_json(
        ask(
            *("simulate", folder, "-c", TWO),
            *("--versus", FIVE, "--versus", "ReduceLROnPlateau(patience=1)"),
            *("--format", "json"),
        ).out
    )
    assert [one["callbacks"] for one in answer["configs"]] == [
        [TWO],
        # repeated texts are one list
        [FIVE, "ReduceLROnPlateau(patience=1)"],
    ]
    cells = [(one["run"], one["config"]) for one in answer["results"]]
    assert cells == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    first, second, third = answer["versus"]["comparisons"]
    # it reduces at the end of epoch 3, and of epoch 2: from there it is no evidence
    assert (first["parting_epoch"], first["parted_by"]) == (3, "reduction")
    assert (first["evident_until"], first["both_exact"]) == (3, False)
    assert (second["parting_epoch"], second["better"]) == (2, None)
    assert (third["parting_epoch"], third["evident_until"]) == (None, 7)
    assert answer["versus"]["totals"]["exact_runs"] == 0


def test_csv_has_the_figures_of_each_and_epochs_from_0(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "-c", TWO, "--versus", FIVE, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ask(*words).out)))
    assert [row["parting_epoch"] for row in rows] == ["4", "3", ""]
    assert [row["first_stopped_epoch"] for row in rows] == ["4", "3", ""]
    assert [row["rival_stopped_epoch"] for row in rows] == ["", "6", ""]
    assert rows[0]["rival_provisional"] == "kept_epoch;kept_value;regret"
    assert [row["epochs_gain"] for row in rows] == ["", "-3", ""]


def test_markdown_is_one_table(ask: Ask, folder: Path) -> None:
    words = ("simulate", folder, "-c", TWO, "--versus", FIVE, "--format", "markdown")
    assert len(table_lines(ask(*words).out)) == 5


def test_one_run_is_told_in_words(ask: Ask, log: Path) -> None:
    words = ("simulate", log, "--patience", "2", "--planned-epochs", "8")
    assert headline_of(ask(*words, "--versus", FIVE).out) == (
        "B (patience 5) keeps the better val_loss; A saves 3 more epochs. A and B part "
        "at epoch 5: one stops there, the other does not."
    )
    assert headline_of(ask(*words, "--versus", TWO).out) == (
        "A and B keep the same val_loss. A and B never part."
    )


def test_what_one_log_leaves_open_is_not_told_as_a_tie(
    ask: Ask, tmp_path: Path
) -> None:
    """None of the two stops in it, or from epoch 5 on a value is lacking."""
    words = ("--patience", "3", "--versus-patience", "8")
    not_known = "Which is better is not known: this log does not show how both would"
    improving = write_csv(tmp_path / "improving.csv", [0.9, 0.8, 0.7, 0.6])
    said = headline_of(ask("simulate", improving, *words).out)
    assert said == f"A and B do not part up to epoch 4. {not_known} have ended."
    lacking = tmp_path / "lacking.csv"
    values = ["0.9", "0.8", "0.7", "0.75", "", "0.8", "0.8", "0.8", "0.8"]
    rows = [f"{epoch},1,{value}" for epoch, value in enumerate(values)]
    lacking.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    said = headline_of(ask("simulate", lacking, *words).out)
    assert said == f"A and B do not part up to epoch 4. {not_known} have ended."


def headline_of(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())


def test_a_file_of_expressions_may_be_the_rival(
    ask: Ask, log: Path, tmp_path: Path
) -> None:
    (tmp_path / "rival.txt").write_text(FIVE)
    words = ("simulate", log, "-c", TWO, "--versus", f"@{tmp_path}/rival.txt")
    assert f"B: {FIVE}." in " ".join(ask(*words).out.split())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--versus", FIVE], "the rest of the command names none"),
        (["-c", TWO, "--versus", FIVE, "--format", "parquet"], "is for grids"),
        (["--patience", "1,2", "--versus", FIVE], "the rest of the command names 2"),
        (["-c", TWO, "--versus", "EarlyStopping(patience=[1, 2])"], "and it names 2"),
        (["-c", TWO, "--versus", "patience=[1, 2]"], "and it names 2"),
        (
            ["-c", TWO, "--versus", "EarlyStopping('loss')"],
            "judged by val_loss min and its rival by loss min. Name one",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ask: Ask, log: Path, words: list[str], complaint: str
) -> None:
    answer = ask("simulate", log, *words)
    assert answer.status == 2
    assert complaint in answer.err


# --- ReduceLROnPlateau on many runs


def write_rated(path: Path, losses: list[float], rates: list[float]) -> None:
    rows = [
        f"{epoch},{loss},{rate}"
        for epoch, (loss, rate) in enumerate(zip(losses, rates, strict=True))
    ]
    path.write_text("\r\n".join(["epoch,val_loss,learning_rate", *rows, ""]))


@pytest.fixture
def reduced(tmp_path: Path) -> Path:
    """Two runs of the same losses: one was reduced by patience 1, the other was not."""
    losses = [0.8, 0.6, 0.7, 0.5, 0.55, 0.45, 0.4]
    halves = [0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    write_rated(tmp_path / "made.csv", losses, halves)
    write_rated(tmp_path / "never.csv", losses, [0.5] * 7)
    return tmp_path


SETTING = "ReduceLROnPlateau(patience=[1, 2], factor=0.5, min_delta=0)"


def test_on_many_runs_a_row_says_what_it_explains(ask: Ask, reduced: Path) -> None:
    words = ("simulate", reduced, "-c", SETTING, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ask(*words).out)))
    names = (
        *("first_reduction_epoch", "explained_reductions", "recorded_reductions"),
        *("evident_epochs", "acts_first"),
    )
    assert [[row[name] for name in names] for row in rows] == [
        # it made the record
        ["2", "2", "2", "7", "reduce"],
        # the record is reduced at epoch 2, and it would not
        ["", "0", "2", "3", ""],
        # it reduces where the record does not
        ["2", "0", "0", "3", "reduce"],
        ["", "0", "0", "7", ""],
    ]


def test_what_is_changed_of_a_makes_an_equal_pair(ask: Ask, folder: Path) -> None:
    short = ask("simulate", folder, "--patience", "2", "--versus", "patience=5")
    assert short.out == ask("simulate", folder, "-c", TWO, "--versus", FIVE).out
    assert "They differ" not in short.out


def test_every_parameter_that_differs_stands_in_the_headline(
    ask: Ask, folder: Path
) -> None:
    rival = "EarlyStopping(patience=5)"
    answer = ask("simulate", folder, "--patience", "2", "--versus", rival)
    assert " ".join(answer.out.split("\n\n")[0].split()) == (
        "A keeps the better val_loss on the 1 run that decides both; A saves 3 more "
        "epochs. A and B part on 2 of 3 runs. They differ in 2 parameters: "
        "restore_best_weights True / False; patience 2 / 5."
    )


def test_a_change_that_fits_no_callback_is_refused(ask: Ask, folder: Path) -> None:
    answer = ask("simulate", folder, "--patience", "2", "--versus", "factor=0.5")
    assert answer.status == 2
    assert "changes 'factor', which none of the callbacks" in answer.err


def test_whose_weights_the_last_file_holds_stands_beside_what_is_kept(
    ask: Ask, folder: Path
) -> None:
    # in a.csv val_loss is best at epoch 6 (.49); loss is 1 in each epoch, so that the
    # first is its best
    best, first = (
        f"ModelCheckpoint('{name}.keras', save_best_only=True, monitor='{name}')"
        for name in ("val_loss", "loss")
    )
    judged = ("--planned-epochs", "8", "--objective", "val_loss")
    words = ("simulate", folder / "a.csv", *judged, "-c", best)
    out = ask(*words, "--versus", first).out
    assert "6 / 1" in out
    assert "last file of: the epoch whose weights the file written last holds" in out
    (row,) = csv.DictReader(
        io.StringIO(ask(*words, "--versus", first, "--format", "csv").out)
    )
    assert (row["first_last_saved_epoch"], row["rival_last_saved_epoch"]) == ("5", "0")
    assert "last file" not in ask("simulate", folder, "-c", TWO, "--versus", FIVE).out


def test_a_second_table_adds_them_up_by_setting(ask: Ask, reduced: Path) -> None:
    words = ("simulate", reduced, "-c", SETTING, "-c", "EarlyStopping(patience=3)")
    told = ask(*words, "--each", "--format", "markdown").out
    first, _, second = [part for part in told.split("\n\n") if part.startswith("|")]
    assert "explains | evident epochs | acts first" in first
    rows = [line.strip("|").split("|") for line in second.splitlines()[2:]]
    assert [[cell.strip() for cell in row] for row in rows] == [
        # patience; runs reduced; explained; evident 10 of 14; still gained where the
        # rate was kept, (.6 - .4) / .6, which one run tells; before, after, neither
        ["1", "2 of 2", "2 of 2", "71 %", "33 %", "33 %", "2", "0", "0"],
        ["2", "0 of 2", "0 of 2", "71 %", "-", "-", "0", "0", "2"],
    ]
    shown = ask(*words).out
    assert "What reduces the learning rate, by setting\n" in shown


def test_its_totals_stand_in_the_json(ask: Ask, reduced: Path) -> None:
    words = ("simulate", reduced, "-c", SETTING, "--format", "json")
    answer = as_json(ask(*words).out)
    assert [one["explained"] for one in answer["reductions"]] == [2, 0]
    assert [one["config"] for one in answer["reductions"]] == [0, 1]
    one_run = as_json(ask("simulate", reduced / "made.csv", *words[2:]).out)
    assert "reductions" not in one_run


def test_other_lists_have_no_such_columns(ask: Ask, reduced: Path) -> None:
    answer = ask("simulate", reduced, "--patience", "1,2")
    assert "explains" not in answer.out
