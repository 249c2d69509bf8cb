"""``simulate --keras-code``: a setting as code to paste, and where people see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import PrecheltGL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


def test_the_code_of_a_rule_is_printed_and_needs_no_log(ask: Ask) -> None:
    answer = ask("simulate", "-c", "PrecheltGL(alpha=2)", "--keras-code")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.rstrip() == PrecheltGL(2).to_keras_code().rstrip()
    assert answer.out.rstrip().endswith("callbacks = [\n    PrecheltGL(alpha=2),\n]")


def test_the_printed_code_is_python_for_keras_or_tf_keras(ask: Ask) -> None:
    words = ["simulate", "-c", "[PrecheltUP(3), EarlyStopping(patience=5)]"]
    for semantics, line in (
        ("keras-3.15", "import keras"),
        ("tf_keras-2.21", "import tf_keras as keras"),
    ):
        code = ask(*words, "--keras-code", "--semantics", semantics).out
        compile(code, "pasted", "exec")
        assert line in code.splitlines()
        assert "    keras.callbacks.EarlyStopping(patience=5),\n" in code


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "the command names none. Name a setting with --patience 5"),
        (["--patience", "1,2"], "the command names 2"),
        (
            ["-c", "tests.custom_code:Stop()"],
            "cannot be imported",
        ),
    ],
)
def test_what_is_not_one_setting_is_refused(
    ask: Ask, words: list[str], complaint: str
) -> None:
    answer = ask("simulate", *words, "--keras-code")
    assert answer.status == 2
    assert complaint in answer.err


def test_a_scheduler_keeps_its_table(ask: Ask) -> None:
    text = "LearningRateScheduler({5: 0.01, 2: 0.1})"
    code = ask("simulate", "-c", text, "--keras-code").out
    # the function alone, out of the call
    function = code.partition("schedule=")[2].rpartition("),")[0]
    schedule = eval(function)  # noqa: S307 - what a user does with it
    # the rate from each epoch on; before the first it stays
    assert [schedule(epoch, 1.0) for epoch in (0, 2, 4, 5, 9)] == [
        *(1.0, 0.1, 0.1),
        *(0.01, 0.01),
    ]


def test_an_answer_about_such_a_rule_says_how_to_get_it(ask: Ask, log: Path) -> None:
    answer = ask("simulate", log, "-c", "PrecheltGL(alpha=[1, 2])")
    assert answer.status == 0
    assert "Keras has no PrecheltGL: with one setting, --keras-code" in answer.out
    assert "settings of PrecheltGL(alpha=...);" in answer.out
    other = ask("simulate", log, "-c", "EarlyStopping(patience=[1, 2])")
    assert "--keras-code" not in other.out


def test_a_file_name_that_is_varied_is_shown(ask: Ask, log: Path) -> None:
    # a parameter without a default
    text = "ModelCheckpoint(['a.keras', 'b.keras'], mode='min')"
    answer = ask("simulate", log, "-c", text)
    assert answer.status == 0
    assert "settings of ModelCheckpoint(filepath=..., mode='min');" in answer.out


def test_the_trace_holds_what_was_measured(ask: Ask, log: Path) -> None:
    import json

    answer = ask(
        *("explain", log, "-c", "PrecheltGL(alpha=3)", "--format", "json"),
    )
    last = json.loads(answer.out)["trace"]["rows"][-1]
    # .52 against the best, .5
    assert last["epoch"] == 4
    assert last["after"]["measured"] == pytest.approx(4)
    assert last["why"].endswith("GL 4.00 is above alpha 3: stop")


def test_a_report_shows_the_class_to_paste(ask: Ask, log: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    words: list[str | Path] = ["report", log, "-c", "PrecheltGL(alpha=3)", "-o", page]
    assert ask(*words).status == 0
    assert PrecheltGL(3).to_keras_code().rstrip() in page.read_text()


def test_the_code_to_paste_has_one_kind_of_quotes(ask: Ask, sample_logs: Path) -> None:
    told = ask("recommend", sample_logs / "digits-mlp", "--mode", "min").out
    assert '         mode="min",\n' in told
    text = "ModelCheckpoint('a\\'b.keras', mode='min')"
    printed = ask("simulate", "-c", text, "--keras-code").out
    assert """(filepath="a'b.keras", mode="min")""" in printed
