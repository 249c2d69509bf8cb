"""What is typed wrongly at a command line is told in a sentence that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from cbreplay.cli.main import cli
from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask


@pytest.mark.parametrize(
    ("words", "said"),
    [
        # before the command
        (["--patience", "5", "logs.csv"], "cbreplay simulate --patience"),
        # of another command
        (["simulate", "logs.csv", "-o", "x.html"], "cbreplay report -o"),
        (["simulate", "logs.csv", "--fail-if", "x"], "cbreplay recommend --fail-if"),
        # another option of a like name is not meant
        (
            ["simulate", "logs.csv", "--tolerance", "1"],
            "No such option '--tolerance'. There is cbreplay recommend --tolerance",
        ),
        # click reads the letters after one dash as options of their own
        (["simulate", "logs.csv", "-patience", "5"], "--precision, --patience."),
        (["simulate", "logs.csv", "--format", "JSON"], "Did you mean 'json'?"),
        (["plot", "logs.csv", "-o", f"{'x' * 300}.png"], "long. Choose a file in any"),
        (["simulate", "logs.csv", "--seam", "x"], "'x' is not a whole number."),
        (["recommend", "logs.csv", "--confidence", "x"], "'x' is no share above 0"),
        (["recommend", "logs.csv", "--cost-weight", "x"], "'x' is not a number."),
        (
            ["simulate", "logs.csv", "--patience", "5", "10"],
            "10 is no path: several values of an option are one word, as 5,10",
        ),
        (
            ["simulate", "logs.csv", "patience=5"],
            "patience=5 is no path: an option begins with --, as --patience=5",
        ),
        (["record", "logs.csv"], "'logs.csv' is no script"),
        (["simulate", "logs.csv", ""], "'' is no path"),
    ],
)
def test_a_wrong_word_is_told_with_what_to_type(
    ask: Ask,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    write_csv(tmp_path / "logs.csv", VALUES)
    monkeypatch.chdir(tmp_path)
    answer = ask(*words)
    assert answer.status == 2
    assert said in " ".join(answer.err.split())


def test_what_cannot_be_trained_again_is_not_asked_for_a_setting_first(
    ask: Ask, tmp_path: Path
) -> None:
    answer = ask("confirm", write_csv(tmp_path / "logs.csv", VALUES))
    assert answer.status == 2
    assert "cannot be trained again: it has no run.json" in answer.err


def test_choices_are_listed_without_escapes(ask: Ask) -> None:
    answer = ask("train")
    assert answer.status == 2
    assert "\\t" not in answer.err
    assert "digits-mlp" in answer.err


def options_with_values() -> list[tuple[str, str]]:
    """Return every command with each of its options that takes a value."""
    context = click.Context(cli)
    return [
        (name, option.opts[-1])
        for name in cli.list_commands(context)
        if (command := cli.get_command(context, name)) is not None
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag and not option.count
    ]


@pytest.mark.parametrize(("command", "option"), options_with_values())
def test_an_empty_option_is_not_taken_for_its_default(
    ask: Ask, command: str, option: str
) -> None:
    # as of --semantics "$KERAS" where the variable is not set
    answer = ask(command, option, "")
    assert (answer.status, answer.out) == (2, "")
    assert f"'{option}'" in answer.err
    assert "it is empty. Give a value, or leave the option out" in answer.err
