"""``cbreplay recommend``: words, formats, checks, refusals."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import click
import jsonschema
import pytest

from tests.conftest import ROOT, table_lines, write_csv
from tests.recommended import pausing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
RULES = ("--semantics", "keras-3.15")
# what a log can never tell
FORBIDDEN = ["better generali", "optimal", "best setting", "safe to", "guarantees"]


def write_logs(folder: Path, patience: list[int]) -> Path:
    for number, one in enumerate(patience):
        losses = pausing(one)
        losses[-1] += number / 1e6
        # of one training two logs would hold the same training loss
        rows = [
            f"{epoch},{number + 1 / (epoch + 1)},{1 - loss / 4},{loss}"
            for epoch, loss in enumerate(losses)
        ]
        text = "\r\n".join(["epoch,loss,val_accuracy,val_loss", *rows]) + "\r\n"
        (folder / f"log{number:02d}.csv").write_text(text, newline="")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Nine logs of which five need patience 20."""
    return write_logs(tmp_path, [1, 1, 2, 2, 20, 20, 20, 20, 20])


def advice_of(ask: Ask, *words: str | Path) -> Any:
    answer = ask("recommend", *words, *RULES, "--format", "json")
    assert answer.status == 0, answer.err
    parsed = json.loads(answer.out)
    jsonschema.validate(parsed, SCHEMA)
    return parsed["recommendation"]


def test_the_answer_is_code_to_paste_with_its_promise(ask: Ask, logs: Path) -> None:
    answer = ask("recommend", logs, "--planned-epochs", "40", *RULES)
    assert answer.status == 0
    assert "Patience 20, with a promise for 90 % of new runs like these." in answer.out
    lines = [line.strip() for line in answer.out.splitlines()]
    begin = lines.index("callbacks = [")
    assert lines[begin : begin + 7] == [
        "callbacks = [",
        "keras.callbacks.EarlyStopping(",
        'monitor="val_loss",',
        "patience=20,",
        "restore_best_weights=True,",
        "),",
        "]",
    ]
    compile("\n".join(lines[begin : begin + 7]), "pasted", "exec")
    assert "77 % of them or fewer" in " ".join(answer.out.split())
    assert "only training again tells" in " ".join(answer.out.split())
    assert max(map(len, answer.out.splitlines())) <= 80 or "Every run:" in answer.out
    last = answer.out.splitlines()[-1]
    assert last.startswith(" Every run: cbreplay simulate ")
    assert last.endswith("--patience 20")


def test_the_next_command_is_asked_of_the_plan_that_was_read_off_the_logs(
    ask: Ask, logs: Path, tmp_path: Path
) -> None:
    out = ask("recommend", logs, *RULES).out
    assert "if 40 was the plan" in out
    last = out.splitlines()[-1]
    assert last.endswith(" --patience 20 --planned-epochs 40")
    # one that goes on after it would be refused under that plan
    together = tmp_path.with_name(f"{tmp_path.name}-together")
    shutil.copytree(logs, together)
    write_csv(together / "longer.csv", [1 / (1 + epoch) for epoch in range(50)])
    assert "--planned-epochs" not in ask("recommend", together).out.splitlines()[-1]


def test_nothing_is_claimed_that_a_log_cannot_tell(ask: Ask, logs: Path) -> None:
    for words in ((logs,), ("sample_logs",), (ROOT / "sample_logs" / "overfit.csv",)):
        path = ROOT / words[0] if words[0] == "sample_logs" else words[0]
        out = ask("recommend", path, *RULES).out.lower()
        assert not [one for one in FORBIDDEN if one in out]


def test_json_holds_everything_that_the_screen_says(ask: Ask, logs: Path) -> None:
    advice = advice_of(ask, logs, "--planned-epochs", "40")
    assert (advice["kind"], advice["patience"]) == ("guaranteed", 20)
    assert advice["promise"]["rank"] == 9
    assert "patience=20,\n        restore_best_weights=True" in advice["code"]
    labels = [one["label"] for one in advice["settings"]]
    expected = ["recommended", "tolerance", "cheapest", "default", "5", "10"]
    assert labels[:8] == [*expected, "none", "hindsight"]
    enough = [one["sufficient_patience"] for one in advice["groups"]]
    assert enough == [1, 1, 2, 2, 20, 20, 20, 20, 20]


def test_tables_of_the_settings(ask: Ask, logs: Path) -> None:
    out = ask("recommend", logs, *RULES, "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0]["label"] == "recommended"
    assert {"mean_regret", "worst_run", "left_out_score"} <= set(rows[0])
    markdown = ask("recommend", logs, *RULES, "--format", "markdown").out
    assert table_lines(markdown)[0].startswith("| setting | runs | above best |")


def test_one_log_is_shown_and_recommends_nothing(ask: Ask) -> None:
    log = ROOT / "sample_logs" / "overfit.csv"
    answer = ask("recommend", log, *RULES)
    simulated = ask("simulate", log, *RULES).out
    assert answer.status == 0
    # the answer of simulate, why it recommends nothing, and what to ask next
    shown, _, commands = simulated.partition(" Why:")
    assert answer.out.startswith(shown)
    assert all(" ".join(line.split()) for line in commands.splitlines())
    told = " ".join(answer.out.removeprefix(shown).split())
    assert told.startswith("Nothing is recommended: one run describes only itself")
    assert "takes 9 of them." in told
    assert "takes several: give their paths, or a directory." in told
    # no command with a path that nobody gave
    assert "cbreplay recommend" not in told
    advice = advice_of(ask, log)
    assert (advice["kind"], advice["code"]) == ("none", None)


def test_a_setting_in_use_that_one_log_cannot_compare_is_named(ask: Ask) -> None:
    log = ROOT / "sample_logs" / "overfit.csv"
    said = ask("recommend", log, "--current", "EarlyStopping(patience=3)").err
    assert "--current is compared on several runs, and here is one" in said
    assert said.rstrip().endswith('overfit.csv -c "EarlyStopping(patience=3)"')


def test_one_log_is_told_of_without_a_min_delta_which_is_said(ask: Ask) -> None:
    log = ROOT / "sample_logs" / "overfit.csv"
    said = ask("recommend", log, "--min-delta", "0.01").err
    assert "what is said of it is said without a min_delta; with it: " in said
    assert said.rstrip().endswith("--patience 1,3,5,10 --min-delta 0.01")
    assert "min-delta" not in ask("recommend", log, "--min-delta", "0").err


@pytest.mark.parametrize(
    ("condition", "status", "said"),
    [
        ("mean_regret>0.1", 0, ""),
        # patience 20 loses nothing on these logs
        ("worst_regret>=0", 1, "worst_regret is 0"),
        ("left_out_regret<1", 1, "left_out_regret is 0"),
        ("no-recommendation", 0, ""),
    ],
)
def test_a_check_that_was_asked_for_decides_the_exit_status(
    ask: Ask, logs: Path, condition: str, status: int, said: str
) -> None:
    answer = ask(
        "recommend", logs, "--planned-epochs", "40", *RULES, "--fail-if", condition
    )
    assert answer.status == status
    assert said in answer.err
    assert "Patience 20" in answer.out


def test_a_figure_beside_its_limit_is_told_from_it(ask: Ask) -> None:
    """The figure is below its limit by a billionth: in six digits it is above it."""
    logs = ROOT / "sample_logs" / "digits-mlp"
    advice = json.loads(ask("recommend", logs, "--format", "json").out)
    figure = advice["recommendation"]["left_out"]["mean_regret"]
    limit = figure * (1 + 1e-9)
    assert figure < limit < float(f"{figure:.6g}")
    answer = ask("recommend", logs, "--fail-if", f"left_out_regret<{limit!r}")
    assert f"left_out_regret is {figure!r}" in answer.err


def test_a_confidence_is_written_as_it_was_given(ask: Ask) -> None:
    logs = ROOT / "sample_logs" / "digits-mlp"
    answer = ask("recommend", logs, "--confidence", "0.9999")
    assert "99.99 %" in answer.out
    assert "a promise for 100 %" not in answer.out


def test_a_figure_that_is_only_a_bound_fails(ask: Ask, tmp_path: Path) -> None:
    write_logs(tmp_path, [3] * 9)
    (tmp_path / "falling.csv").write_text(
        "epoch,val_loss\n" + "".join(f"{i},{1 - i / 100}\n" for i in range(30))
    )
    answer = ask("recommend", tmp_path, *RULES, "--fail-if", "mean_regret>1000")
    assert answer.status == 1
    assert "only a bound" in answer.err


def test_no_recommendation_fails_where_that_was_asked(ask: Ask) -> None:
    log = ROOT / "sample_logs" / "overfit.csv"
    assert ask("recommend", log, *RULES).status == 0
    answer = ask("recommend", log, *RULES, "--fail-if", "no-recommendation")
    assert answer.status == 1
    assert "nothing is recommended" in answer.err
    regret = ask("recommend", log, *RULES, "--fail-if", "mean_regret>1")
    assert regret.status == 1


def test_a_rule_of_thumb_is_a_recommendation(ask: Ask, tmp_path: Path) -> None:
    """Of two logs nobody knows the plan, so 10 is advised, and its basis says so."""
    write_logs(tmp_path, [1, 2])
    answer = ask("recommend", tmp_path, *RULES, "--fail-if", "no-recommendation")
    assert answer.out.startswith("Patience 10, as a rule of thumb.")
    assert answer.status == 0
    advice = advice_of(ask, tmp_path)
    assert (advice["kind"], advice["basis"]) == ("heuristic", "thumb")


def test_a_figure_that_is_no_number_is_said_to_be_none(ask: Ask, logs: Path) -> None:
    answer = ask("recommend", logs, *RULES, "--fail-if", "left_out_regret>abc")
    assert answer.status == 2
    assert "where a number is expected after >" in answer.err
    assert "did you mean" not in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-if", "regret>1"], "mean_regret, worst_regret, left_out_regret"),
        (["--fail-if", "mean_regret>much"], "--fail-if"),
        (["--tolerance", "x"], "--tolerance"),
        (["--confidence", "1"], "--confidence"),
        (["--cost-weight", "-1"], "--cost-weight"),
        (["--group-by", "flavour"], "--group-by"),
        (["--monitor", "val_acc"], "val_accuracy"),
        (["--monitor", "val_loss,val_accuracy"], "--objective"),
        (["--current", "EarlyStopping(patience=[1, 2])"], "--current names 2"),
        (["--current", "Magic()"], "Magic"),
        (["--min-delta", "x"], "--min-delta"),
        (["--recorded-under", "0"], "--recorded-under"),
    ],
)
def test_options_that_cannot_be_are_refused_with_status_2(
    ask: Ask, logs: Path, words: list[str], said: str
) -> None:
    answer = ask("recommend", logs, *RULES, *words)
    assert answer.status == 2
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_the_setting_in_use_comes_from_a_script(
    ask: Ask, logs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    script = tmp_path_factory.mktemp("code") / "train.py"
    script.write_text(
        "from keras.callbacks import EarlyStopping\n"
        "model.fit(x, y, callbacks=[EarlyStopping(patience=7)])\n"
    )
    for current in (str(script), "EarlyStopping(patience=7)"):
        advice = advice_of(ask, logs, "--current", current)
        (row,) = [one for one in advice["settings"] if one["label"] == "current"]
        assert row["setting"] == "EarlyStopping(patience=7)"


def said(ask: Ask, *words: str | Path) -> str:
    answer = ask("recommend", *words, *RULES)
    assert answer.status == 0, answer.err
    return " ".join(answer.out.split())


def test_the_screen_says_what_the_choice_costs_on_runs_left_out(
    ask: Ask, tmp_path: Path
) -> None:
    write_logs(tmp_path, [1, 1, 2, 12, 20, 20, 20, 20, 20, 20])
    text = said(ask, tmp_path, "--planned-epochs", "40")
    # without one of the 20s it is 20 still; 10 loses 0.5 on seven of ten
    assert (
        "chosen by the others, it costs the run left out 0 on average (90 % interval 0 "
        "to 0); "
        "a fixed 10 costs 0.35"
    ) in text


def test_settings_that_were_asked_about_stand_beside(ask: Ask, tmp_path: Path) -> None:
    write_logs(tmp_path, [20] * 9)
    text = said(
        ask,
        tmp_path,
        "--planned-epochs",
        "40",
        "--min-delta",
        "0,0.2",
        "--current",
        "EarlyStopping(patience=7)",
    )
    assert "now: 7 9 of 9" in text
    assert (
        "now: EarlyStopping(patience=7), which ends with the weights of the last epoch "
        "that it trains: restore_best_weights is False, Keras's default"
    ) in text
    assert "20, min_delta 0.2 9 of 9" in text
    # patience 1 from the epoch of the best on, which people count as 21
    assert "1 from epoch 21 9 of 9" in text
    assert "EarlyStopping(patience=1, start_from_epoch=20)" in text


def test_runs_that_were_made_one_group_recommend_nothing(ask: Ask) -> None:
    runs = ROOT / "sample_logs" / "digits-mlp"
    text = said(ask, runs, "--group-by", "experiment")
    assert text.startswith(
        "No setting is recommended: the 5 runs are one group, and what holds for the "
        "next takes several. 5 runs in 1 group"
    )


def test_logs_that_an_early_stopping_cut_promise_nothing(
    ask: Ask, tmp_path: Path
) -> None:
    write_logs(tmp_path, [2] * 9)
    text = said(ask, tmp_path, "--recorded-under", "12")
    assert text.startswith(
        "Patience 12, under which these logs were cut. How sure: not at all"
    )
    assert "To be surer: record one run in five without early stopping." in text
    assert "no promise" not in text


def test_what_does_worse_than_no_stop_is_refused_with_its_figures(
    ask: Ask, tmp_path: Path
) -> None:
    for number in range(3):
        losses = [*pausing(25 + number)[: 25 + number], 0.5]
        rows = [f"{epoch},{number},{loss}" for epoch, loss in enumerate(losses)]
        text = "\n".join(["epoch,loss,val_loss", *rows]) + "\n"
        (tmp_path / f"log{number}.csv").write_text(text)
    told = said(ask, tmp_path)
    why = "on these logs patience 10 does no better than no early stopping at all"
    assert told.startswith(f"No setting is recommended: {why}")
    # it is said once
    assert told.count(why) == 1
    assert "no early stopping 3 of 3" in told


def test_two_monitors_are_ranked_by_the_objective(ask: Ask, logs: Path) -> None:
    answer = ask(
        "recommend",
        logs,
        *RULES,
        "--planned-epochs",
        "40",
        "--monitor",
        "val_loss,val_accuracy",
        "--objective",
        "val_accuracy",
        "--tolerance",
        "1%",
    )
    assert answer.status == 0
    # val_accuracy is 1 - val_loss / 4: they decide alike
    said = " ".join(answer.out.split())
    assert "Which monitor to stop on cannot be told from these logs" in said
    assert "val_loss was named first" in said


def test_logs_cut_by_their_own_stopping_are_recognised(
    ask: Ask, tmp_path: Path
) -> None:
    for number in range(4):
        losses = [1 - i / 20 for i in range(5 + number)] + [2.0, 2.0, 2.0 + number]
        rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
        text = "\n".join(["epoch,val_loss", *rows]) + "\n"
        (tmp_path / f"log{number}.csv").write_text(text)
    said = " ".join(ask("recommend", tmp_path, *RULES).out.split())
    assert "the log ends exactly 3 epochs after its best" in said
    assert "record one run in five without a stop" in said
    told = advice_of(ask, tmp_path, "--recorded-under", "5")
    assert any(one["code"] == "own-stop" for one in told["doubts"])


def test_names_in_logs_cannot_steer_the_terminal(ask: Ask, tmp_path: Path) -> None:
    write_logs(tmp_path, [2, 3])
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(f"\x1b[31m{path.name}"))
    answer = ask("recommend", tmp_path, *RULES)
    assert answer.status == 0
    assert "\x1b" not in answer.out + answer.err


def test_quiet_says_nothing_but_the_answer(ask: Ask, logs: Path) -> None:
    assert ask("-q", "recommend", logs, *RULES).err == ""


def test_why_a_check_failed_is_said_with_quiet_too(ask: Ask, logs: Path) -> None:
    answer = ask("-q", "recommend", logs, *RULES, "--fail-if", "mean_regret>=0")
    assert answer.status == 1
    assert answer.err.startswith("failed: mean_regret>=0: mean_regret is ")


def test_what_breaks_the_tolerance_says_so_on_every_surface(
    ask: Ask, tmp_path: Path
) -> None:
    """Seven logs need patience 1 and the last 12: a shorter one is cheaper by far."""
    logs = write_logs(tmp_path, [1] * 7 + [12])
    sentence = (
        "breaks the tolerance on 1 of 8 runs whose logs tell (log07.csv); 12 keeps the "
        "tolerance on all 8 runs whose logs tell"
    )
    planned = ("--planned-epochs", "40", "--cost-weight", "1")
    screen = ask("recommend", logs, *planned, *RULES).out
    assert sentence in " ".join(screen.split())
    page = tmp_path / "report.md"
    assert ask("report", logs, *planned, *RULES, "-o", page).status == 0
    assert sentence in page.read_text().replace("\\", "")
    rows = {one["label"]: one for one in advice_of(ask, logs, *planned)["settings"]}
    assert rows["recommended"]["keeps_tolerance"] is False
    assert rows["recommended"]["breaks_tolerance"] == ["log07.csv"]
    assert rows["tolerance"]["keeps_tolerance"] is True
    assert rows["tolerance"]["told_runs"] == 8


MONITORS = ("--monitor", "val_loss,val_accuracy", "--objective", "val_accuracy")


def test_a_page_says_which_monitor_to_stop_on_as_the_command_does(
    ask: Ask, logs: Path, tmp_path: Path
) -> None:
    asked = (*MONITORS, *RULES, "--planned-epochs", "40", "--tolerance", "1%")
    screen = " ".join(ask("recommend", logs, *asked).out.split())
    page = tmp_path / "report.md"
    assert ask("report", logs, *asked, "-o", page).status == 0
    told = page.read_text().replace("\\", "")
    headline = told.splitlines()[0].removeprefix("# ").replace("`", "")
    assert headline.startswith("Patience")
    assert " on val_loss (named first), " in headline
    assert headline in screen
    assert "Which monitor to stop on cannot be told from these logs" in told
    advice = advice_of(ask, logs, *asked[:4], *asked[6:])
    for one in advice["monitors"]:
        row = next(
            line
            for line in told.splitlines()
            if line.startswith(f"| {one['monitor']} |")
        )
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        left_out = one["left_out"]
        assert cells[1] == str(one["patience"])
        assert cells[2] == f"{left_out['n_groups']} of 9"
        assert float(cells[4]) == pytest.approx(left_out["score"], abs=5e-5)


def test_a_page_of_several_monitors_takes_an_objective_and_several_runs(
    ask: Ask, logs: Path, tmp_path: Path
) -> None:
    several = ("--monitor", "val_loss,val_accuracy")
    out = ("-o", tmp_path / "report.html", *RULES)
    answer = ask("report", logs, *several, *out)
    assert answer.status == 2
    assert "Give --objective" in answer.err
    answer = ask("report", logs / "log00.csv", *MONITORS, *out)
    assert answer.status == 2
    assert (
        "one run cannot tell which of val_loss, val_accuracy to stop on" in answer.err
    )
    answer = ask("report", logs, *MONITORS, *out, "--patience", "5")
    assert answer.status == 2
    assert "--monitor names 2 series, and an EarlyStopping watches one" in answer.err
    named = 'EarlyStopping(monitor="val_loss", patience=5)'
    assert ask("report", logs, *MONITORS, *out, "-c", named).status == 0


def test_every_command_that_recommends_takes_the_same_options() -> None:
    """What a recommendation shall keep, and of what runs, is asked alike everywhere."""
    from cbreplay.cli.main import cli
    from cbreplay.recommend import Advising

    helped = {}
    for name in ("recommend", "report", "plot"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        asked = {one.name: one for one in command.params}
        helped[name] = [
            (one, asked[one].get_help_record(click.Context(command)))
            for one in (*Advising._fields, "monitor", "objective", "keep")
        ]
        given = command.make_context(name, [], obj={"no_config": True}).params
        assert {one: given[one] for one in Advising._fields} == Advising()._asdict()
    assert helped["recommend"] == helped["report"] == helped["plot"]


@pytest.mark.parametrize("kind", ["map", "trade-off"])
def test_a_picture_is_of_the_recommendation_that_was_asked_for(
    ask: Ask, logs: Path, tmp_path: Path, kind: str
) -> None:
    def draw(name: str, *options: str) -> bytes:
        out = tmp_path / f"{name}.svg"
        words = ("plot", logs, "--kind", kind, *RULES, "--planned-epochs", "40")
        answer = ask(*words, *options, "-o", out)
        assert answer.status == 0, answer.err
        return out.read_bytes()

    plain = draw("plain")
    # where training costs much, a shorter one stands out
    assert draw("dear", "--cost-weight", "2") != plain
    assert draw("same", "--tolerance", "1%", "--cost-weight", "0.05") == plain
    both = draw("both", *MONITORS, "--tolerance", "1%")
    assert both not in (plain, draw("accuracy", "--monitor", "val_accuracy"))


def test_a_picture_of_one_run_takes_no_option_of_a_recommendation(
    ask: Ask, logs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "curve.png"
    answer = ask("plot", logs / "log00.csv", "--group-by", "none", "-o", out)
    assert answer.status == 2
    assert "--group-by is about a recommendation, which --kind curve" in answer.err
    assert not out.exists()


def test_a_series_that_is_named_twice_is_one(ask: Ask, logs: Path) -> None:
    asked = ("--objective", "val_loss", "--planned-epochs", "40")
    once = advice_of(ask, logs, *asked)
    assert advice_of(ask, logs, *asked, "--monitor", "val_loss, val_loss") == once


@pytest.mark.parametrize("command", ["simulate", "plot", "explain"])
def test_what_does_not_choose_takes_one_monitor(
    ask: Ask, logs: Path, command: str
) -> None:
    setting = ("--patience", "3") if command == "explain" else ()
    answer = ask(command, logs / "log00.csv", *MONITORS, *setting)
    assert answer.status == 2
    assert "--monitor names 2 series, and an EarlyStopping watches one" in answer.err


def test_a_part_that_is_left_out_decides_nothing_about_the_others(
    ask: Ask, tmp_path: Path
) -> None:
    # the second part begins inside the first; with an epoch twice, none is sorted
    log = tmp_path / "history.json"
    epochs = [0, 2, 1, *range(2, 12)]
    values = {"val_loss": [1 / (at + 1) for at in range(len(epochs))]}
    log.write_text(json.dumps({"history": values, "epoch": epochs}))
    answer = ask("recommend", log)
    assert answer.status == 0
    told = " ".join(answer.out.split())
    assert "not counted: history.json#2 (begins inside the part before it" in told


def test_who_reads_only_the_headline_learns_that_the_monitor_is_not_told(
    ask: Ask, tmp_path: Path
) -> None:
    """By hand: the best val_acc comes last, and val_loss always stops long before.

    Whatever its patience, a stop on val_loss keeps epoch 3 of 12, with an accuracy of
    0.5 where 0.9 is the best: 0.4 of the error of 0.1 that the best leaves is 4. No
    patience avoids that, so no expected score counts it, and it is told beside them.
    """
    losses = [0.9, 0.6, 0.3, *[0.5 + 0.01 * epoch for epoch in range(9)]]
    for seed in range(6):
        rows = ["epoch,loss,val_loss,val_accuracy"]
        for epoch, loss in enumerate(losses):
            accuracy = 0.9 if epoch == 10 else 0.5
            rows.append(f"{epoch},{loss},{loss + seed / 1000},{accuracy}")
        (tmp_path / f"seed{seed}.csv").write_text("\n".join(rows))
    asked = ["--objective", "val_accuracy", "--planned-epochs", "12"]
    said = " ".join(
        ask(
            "recommend", tmp_path, "--monitor", "val_loss,val_accuracy", *asked
        ).out.split()
    )
    head = said.partition(" How sure")[0]
    assert "on val_loss (named first)" in head
    assert "Which monitor to stop on, these logs do not tell: " in head
    assert "on val_accuracy, which is judged by itself, scores 0.0" in head
    assert "not counting the 4.0000 that these runs lose by every patience on" in said


def test_weights_that_nothing_restores_are_told_of(ask: Ask, tmp_path: Path) -> None:
    for seed in range(3):
        losses = [0.9, 0.5 + seed / 100, 0.4, 0.45, 0.5, 0.6]
        rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
        text = "\n".join(["epoch,val_loss", *rows])
        (tmp_path / f"seed{seed}.csv").write_text(text)
    said = " ".join(ask("recommend", tmp_path, "--keep", "last").out.split())
    assert (
        "in all that was compared, so a stop ends with the weights of its last" in said
    )
    assert (
        "restore_best_weights=True (--keep best) compares what keeps the best" in said
    )


def test_a_setting_that_is_chosen_in_several_ways_stands_once(ask: Ask) -> None:
    told = ask("recommend", ROOT / "sample_logs" / "digits-mlp", "--confidence", "0.8")
    rows = [line for line in told.out.splitlines() if ": 23  " in line]
    assert [row.split(":")[0] for row in rows] == [">recommended"]
    assert 'the same setting is "keeps the tolerance" and "cheapest"' in told.out


def test_a_log_of_two_trainings_is_said_to_be_two(ask: Ask, tmp_path: Path) -> None:
    log = write_csv(tmp_path / "log.csv", pausing(2))
    n_epochs = len(pausing(2))
    rows = log.read_text().splitlines(keepends=True)
    log.write_text("".join([*rows, *rows[1:-1], rows[-1].replace("1.0", "2.0")]))
    answer = ask("recommend", log, *RULES)
    said = " ".join(answer.out.split())
    # the header is line 1
    line = n_epochs + 2
    assert (
        f"log.csv#2: the log holds 2 trainings; this is number 2, from line {line}"
        in said
    )
    assert f"--parts rows --seam {n_epochs} takes both as one training" in said
