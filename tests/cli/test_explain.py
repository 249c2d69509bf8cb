"""``cbreplay explain``: which run, which setting, and the trace in every form."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cbreplay import EarlyStopping, explain_replay, load_runs, replay_run
from tests.conftest import ROOT, Ask, table_lines, write_csv

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
SEMANTICS, SETTING = "--semantics keras-3.15", "--patience 2"
ASK = (*SETTING.split(), *SEMANTICS.split())


def as_json(text: str) -> Any:
    answer = json.loads(text, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


def test_the_screen_asks_tells_and_concludes(ask: Ask, log: Path) -> None:
    answer = ask("explain", log, *ASK)
    assert (answer.status, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[:2] == [
        "EarlyStopping stops at epoch 5 of 8, and keeps epoch 3: 0.0100 above the best",
        "val_loss (3 epochs saved).",
    ]
    assert lines[3].startswith("log.csv: 8 epochs; how many were planned is not")
    assert lines[6:9] == [
        " EarlyStopping(patience=2, restore_best_weights=True)",
        "",
        " epoch  why",
    ]
    # 0.5 at epoch 3 is tied at epoch 4 and missed at epoch 5
    assert lines[13].startswith("     4  0.5000 only equals 0.5000; wait 1 of 2; stops")
    assert "     5  0.5200 is not below 0.5000; wait 2 of 2: stop" in lines
    told = " ".join(answer.out.split())
    assert "stopped at the end of epoch 5 by EarlyStopping (patience 2)" in told
    assert "keeps the weights of epoch 3: restore_best_weights=True" in told
    assert lines[-1] == f" A picture: cbreplay plot {log} {SEMANTICS} {SETTING}"


def test_json_holds_the_trace_of_the_library(ask: Ask, log: Path) -> None:
    answer = as_json(ask("explain", log, *ASK, "--format", "json").out)
    (run,) = load_runs(log)
    one = EarlyStopping(patience=2, restore_best_weights=True)
    told = explain_replay(replay_run(run, one, semantics="keras-3.15"))
    rows = answer["trace"]["rows"]
    assert [row["why"] for row in rows] == [row.why for row in told.rows]
    assert [row["needed"] for row in rows] == [row.needed for row in told.rows]
    assert answer["trace"]["closing"] == list(told.closing)
    assert rows[-1]["before"] == {
        "wait": 1,
        "best": 0.5,
        "best_epoch": 2,
        "held_epoch": 2,
    }
    assert (answer["command"], answer["results"][0]["stopped_epoch"]) == ("explain", 4)
    assert "patience=2" in answer["configs"][0]["callbacks"][0]


def test_csv_counts_from_zero_and_markdown_from_one(ask: Ask, log: Path) -> None:
    out = ask("explain", log, *ASK, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert (rows[4]["value"], rows[4]["decision"]) == ("0.52", "stop")
    lines = table_lines(ask("explain", log, *ASK, "--format", "markdown").out)
    assert lines[0] == "| epoch | why |"
    assert lines[2].startswith("| 1 | the first val_loss, 0.8000: improvement")
    assert len({line.count("|") for line in lines}) == 1


def test_only_decisions_and_only_some_epochs(ask: Ask, log: Path) -> None:
    words: list[str | Path] = ["explain", log, *ASK, "--format", "csv"]

    def epochs(*more: str) -> list[int]:
        out = ask(*words, *more).out
        return [int(row["epoch"]) + 1 for row in csv.DictReader(io.StringIO(out))]

    # it improves until epoch 3
    assert epochs("--only", "decisions") == [3, 5]
    assert epochs("--only", "improvement") == [1, 2, 3, 5]
    # the last epoch, in which it stops
    assert epochs("--only", "stop") == epochs("--only", "save, stop") == [5]
    assert epochs("--epochs", "2:4") == [2, 3, 4]
    assert epochs("--epochs", "4") == [4]
    assert epochs("--epochs", "3:99", "--only", "decisions") == [3, 5]


def test_only_reductions_and_an_unknown_kind(ask: Ask, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "flat.csv", [0.5] * 8, rate=0.25)
    words: list[str | Path] = ["explain", path, "-c", "ReduceLROnPlateau(patience=2)"]
    out = ask(*words, "--only", "reduce", "--format", "csv").out
    # the first epoch is the best, two wait: the rate is reduced at the end of the third
    assert [row["epoch"] for row in csv.DictReader(io.StringIO(out))] == ["2"]
    answer = ask(*words, "--only", "reduced")
    assert answer.status == 2
    assert (
        "where one or more of stop, reduce, save, improvement, decisions are expected"
        in answer.err
    )


def test_the_last_epoch_is_shown_although_nothing_was_decided(
    ask: Ask, log: Path
) -> None:
    out = ask("explain", log, "--patience", "9", "--only", "decisions").out
    assert "     8  0.5100 is not below 0.4900; wait 2 of 9" in out
    assert "not stopped in the log, which ends at epoch 8" in out


PLATEAU = ("-c", "ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0)")


def test_after_a_divergence_the_words_and_nothing_more(
    ask: Ask, rated_log: Path
) -> None:
    out = ask("explain", rated_log, *PLATEAU).out
    said = (
        "This setting changes the learning rate after epoch 4, and the log shows no "
        "such change: from there on it says nothing."
    )
    assert " ".join(out.split("\n\n")[0].split()) == said
    assert out.count("says nothing") == 1
    assert "fiction" not in out
    assert "keeps" not in out
    assert "--hypothetical" in out.splitlines()[-2]


def test_a_fiction_is_marked_wherever_it_is_shown(ask: Ask, rated_log: Path) -> None:
    words: list[str | Path] = ["explain", rated_log, *PLATEAU, "--hypothetical"]
    answer = as_json(ask(*words, "--format", "json").out)
    past = [row for row in answer["trace"]["rows"] if row["epoch"] >= 4]
    assert past
    for row in past:
        assert row["hypothetical"]
        assert row["why"].startswith("fiction: ")
    lines = ask(*words, "--epochs", "5:8").out.splitlines()
    trace = lines.index(" epoch  why") + 1
    told = [line for line in lines[trace:] if line]
    assert len([line for line in told if line[:6].strip().isdigit()]) == 4
    # every line, the folded ones too
    end = next(
        place for place, line in enumerate(told) if "- val" in line or "A pi" in line
    )
    assert end > 6
    assert all(
        line.lstrip(" 0123456789").startswith("fiction: ") for line in told[:end]
    )


# --- without a setting


def test_the_callbacks_of_run_json_are_taken(ask: Ask, sample_logs: Path) -> None:
    answer = ask("explain", sample_logs / "breast-cancer-stopped")
    assert answer.status == 0
    assert "EarlyStopping(patience=8, restore_best_weights=True)" in answer.out
    told = " ".join(answer.out.split())
    # as its run.json says: ended by EarlyStopping
    assert "by EarlyStopping (patience 8): val_loss has not improved since" in told
    assert "CSVLogger, TensorBoard in the list decide nothing" in told


def test_a_recorded_list_is_explained_to_its_end(ask: Ask, sample_logs: Path) -> None:
    path = sample_logs / "digits-mlp-both"
    ended = json.loads((path / "run.json").read_text())["ended"]
    answer = as_json(ask("explain", path, "--format", "json").out)
    last = answer["trace"]["rows"][-1]
    assert (last["decision"], last["epoch"]) == ("stop", ended["epoch"])
    assert answer["results"][0]["evidence"] == "exact"


def named(folder: Path, *callbacks: str) -> Path:
    folder.mkdir()
    write_csv(folder / "logs.csv", [0.5, 0.6, 0.7])
    run = {"schema": 1, "callbacks": list(callbacks)}
    (folder / "run.json").write_text(json.dumps(run))
    return folder


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (["EarlyStopping()", "MyOwn(3)"], "cannot be read: 'MyOwn(3)'"),
        (["SwapEMAWeights('x')"], "'SwapEMAWeights' is not replayed"),
        (["CSVLogger('x')"], "nothing to explain: CSVLogger('x') decide nothing"),
        ([], "does not say which callbacks it had"),
        (["EarlyStopping(patience=[1, 2])"], "one setting is expected, and run.json"),
    ],
)
def test_a_list_that_cannot_be_explained_is_refused(
    ask: Ask, tmp_path: Path, callbacks: list[str], message: str
) -> None:
    answer = ask("explain", named(tmp_path / "run", *callbacks))
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    named_next = ("Name a setting with --patience 5 or -c", "Name the others as a")
    assert any(words in answer.err for words in named_next)


def test_options_fill_in_what_run_json_leaves_out(ask: Ask, tmp_path: Path) -> None:
    path = named(tmp_path / "run", "EarlyStopping()")
    out = ask("explain", path, "--monitor", "loss").out
    assert "the first loss, 1.000" in out


# --- what is not one question


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--patience", "2,3"], "names 2 (2 of EarlyStopping.patience)"),
        ([], "does not say which callbacks it had"),
        (["--keep", "last"], "--keep needs the patience"),
        (["--patience", "2", "--epochs", "5:3"], "--epochs is '5:3', where"),
        (["--patience", "2", "--epochs", "x"], "counted from 1, as 30:45"),
        (["--patience", "2", "--epochs", "0:3"], "counted from 1"),
        (["--patience", "2", "--epochs", "7:9"], "goes from epoch 1 to 5"),
        (["-c", "CSVLogger('x')", "--epochs", "1"], "nothing to explain"),
        (["-c", "@nope.py"], "in 'nope.py': there is no such file"),
    ],
)
def test_another_question_is_refused(
    ask: Ask, log: Path, words: list[str], message: str
) -> None:
    answer = ask("explain", log, *words)
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.err
    assert len(answer.err.splitlines()) == 1


def test_several_runs_are_refused_by_name(ask: Ask, sample_logs: Path) -> None:
    answer = ask("explain", sample_logs / "digits-mlp", *ASK)
    assert answer.status == 2
    assert "there are 5: seed0, seed1, seed2, seed3, seed4. Give" in answer.err


def test_a_script_is_asked_and_its_doubts_are_told(
    ask: Ask, tmp_path: Path, log: Path
) -> None:
    script = tmp_path / "train.py"
    script.write_text("run(model, [EarlyStopping(patience=2), CSVLogger(path)])\n")
    answer = ask("explain", log, "-c", f"@{script}")
    assert answer.status == 0
    assert "CSVLogger(path)" in answer.out
    assert "note: " in answer.err
    assert "no fit(callbacks=...) stands in it" in answer.err
    assert ask("-q", "simulate", log, "-c", f"@{script}").err == ""


def test_every_sample_log_is_explained_in_80_columns(
    ask: Ask, sample_logs: Path, tmp_path: Path
) -> None:
    shutil.copytree(sample_logs, tmp_path / "logs")
    runs = [path.parent for path in (tmp_path / "logs").rglob("run.json")]
    assert len(runs) > 10
    for path in runs:
        plateau = "ReduceLROnPlateau(patience=3, cooldown=2, min_lr=1e-5)"
        for setting in (["--patience", "5"], ["-c", plateau, "-c", "EarlyStopping()"]):
            words = [*setting, "--hypothetical", "--initial-lr", "0.001"]
            answer = ask("explain", path, *words)
            if "--initial-lr" in answer.err:
                answer = ask("explain", path, *words[:-2])
            assert answer.status == 0, answer.err
            lines = answer.out.splitlines()
            # commands stay whole, to be copied
            assert max(len(line) for line in lines if "cbreplay " not in line) <= 80


def test_files_names_what_is_left_and_whose_weights(ask: Ask, tmp_path: Path) -> None:
    """By hand: 0.5 is the best, at epoch 2; patience 2 stops at the end of epoch 4."""
    path = write_csv(tmp_path / "log.csv", [0.75, 0.5, 0.625, 0.6875, 0.25])
    words: list[str | Path] = [
        *("explain", path, "-c", "ModelCheckpoint('b.keras', save_best_only=True)"),
        *("-c", "ModelCheckpoint('{epoch}.keras', save_best_only=True)"),
        *("-c", "ModelCheckpoint('last.keras')", "-c", "EarlyStopping(patience=2)"),
        "--files",
    ]
    lines = [line.split() for line in ask(*words).out.splitlines()]
    start = lines.index(["file", "weights", "of", "epoch", "callback"])
    assert lines[start + 1 : start + 6] == [
        ["1.keras", "1", "ModelCheckpoint#2"],
        ["b.keras", "2", "ModelCheckpoint"],
        ["2.keras", "2", "ModelCheckpoint#2"],
        ["last.keras", "4", "ModelCheckpoint#3"],
        [],
    ]
    out = ask(*words, "--format", "csv").out
    left = {row["file"]: row["epoch"] for row in csv.DictReader(io.StringIO(out))}
    assert left == {"b.keras": "1", "1.keras": "0", "2.keras": "1", "last.keras": "3"}
    answer = as_json(ask(*words, "--format", "json").out)
    assert answer["results"][0]["files"] == {
        file: int(epoch) for file, epoch in left.items()
    }


def test_files_goes_no_further_than_the_log(
    ask: Ask, tmp_path: Path, rated_log: Path
) -> None:
    saves = ("-c", "ModelCheckpoint('a.keras')", "--files")
    out = ask("explain", rated_log, *PLATEAU, *saves).out
    assert " a.keras                 4\n" in out
    assert " as epoch 5 begins; what is saved after that is not known\n" in out
    path = write_csv(tmp_path / "log.csv", [0.75, 0.5])
    idle = ask("explain", path, "--patience", "5", "--files").out
    assert " no callback of this list saves a file in this log\n" in idle
    for more in (("--only", "save"), ("--epochs", "1:2"), ("--hypothetical",)):
        refused = ask("explain", rated_log, *PLATEAU, *saves, *more)
        assert (refused.status, "does not go with" in refused.err) == (2, True)


def test_a_recorded_schedule_that_is_a_function_is_told(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "logs.csv", [0.75, 0.5])
    told = {
        "schema": 1,
        "fit": {"epochs": 2, "initial_epoch": 0},
        # as the recorder writes a function
        "callbacks": ["LearningRateScheduler(...)", "CSVLogger(...)"],
    }
    (tmp_path / "run.json").write_text(json.dumps(told))
    for command in ("explain", "lint"):
        refused = ask(command, tmp_path)
        assert refused.status == 2
        assert (
            "names cannot be read: 'LearningRateScheduler(...)' (its arguments could "
            "not be recorded)" in refused.err
        )


def test_beside_a_callback_of_their_own_the_others_are_named_to_be_asked(
    ask: Ask, tmp_path: Path
) -> None:
    write_csv(tmp_path / "logs.csv", [0.75, 0.5])
    listed = ["EarlyStopping(patience=3)", "MyLogger(every=5)", "CSVLogger('logs.csv')"]
    fit = {"epochs": 2, "initial_epoch": 0}
    told = {"schema": 1, "fit": fit, "callbacks": listed}
    (tmp_path / "run.json").write_text(json.dumps(told))
    refused = ask("explain", tmp_path)
    assert refused.status == 2
    assert refused.err.strip().endswith(
        "names cannot be read: 'MyLogger(every=5)' ('MyLogger' is not a callback that "
        'can be replayed). Name the others as a setting, -c "EarlyStopping(patience=3)"'
        ', or its own code as well, as -c "my_module:MyLogger(...)"'
    )
    assert ask("explain", tmp_path, "-c", "EarlyStopping(patience=3)").status == 0


@pytest.mark.parametrize(
    "keras", [("tf_keras", "2.18.0"), ("keras", "2.15.0"), ("keras", "3.15.1")]
)
def test_a_list_recorded_beside_a_schedule_is_explained(
    ask: Ask, tmp_path: Path, keras: tuple[str, str]
) -> None:
    # no lower value after .5 at epoch 2: patience 1 would reduce, and patience 2 stops;
    # at the next step the schedule sets its own rate again, and Keras 3 had to raise
    write_csv(tmp_path / "logs.csv", [0.75, 0.5, 0.5, 0.5])
    told = {
        "schema": 1,
        "keras": {"package": keras[0], "version": keras[1]},
        "fit": {"epochs": 9, "initial_epoch": 0},
        "callbacks": ["ReduceLROnPlateau(patience=1)", "EarlyStopping(patience=2)"],
        "optimizer": {"class": "SGD", "schedule": "CosineDecay(0.1, 9)"},
        "ended": {"by": "EarlyStopping", "epoch": 3},
    }
    (tmp_path / "run.json").write_text(json.dumps(told))
    answer = ask("explain", tmp_path)
    assert (answer.status, answer.err) == (0, "")
    said = " ".join(answer.out.split())
    assert said.startswith(
        "EarlyStopping stops at epoch 4 of 4, and keeps epoch 4, the best on record."
    )
    assert (
        "ReduceLROnPlateau changed no rate: the optimizer's is the schedule "
        "CosineDecay(0.1, 9)." in said
    )
    assert "reduction" not in said
