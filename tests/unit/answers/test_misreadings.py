"""A setting that acts otherwise than it looks is named under every answer about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import VALUES, write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

_OPPOSITE = (
    "mode='max' with monitor='val_loss', where smaller is better. Write mode='min'."
)
_NEGATIVE = "Patience -2 acts as patience 1. Write patience=1."
_BEYOND = "min_delta 9 is more than val_loss changed in the whole record"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "logs.csv", VALUES)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["simulate", "--mode", "max"], _OPPOSITE),
        (["simulate", "--mode", "max", "--patience", "2,3"], _OPPOSITE),
        (["explain", "--mode", "max", "--patience", "2"], _OPPOSITE),
        (["simulate", "-c", "EarlyStopping(patience=-2)"], _NEGATIVE),
        (["explain", "-c", "EarlyStopping(patience=-2)"], _NEGATIVE),
        (["simulate", "--patience", "2", "--min-delta", "0,9"], _BEYOND),
        (["simulate", "--patience", "2", "--versus", "min_delta=9"], _BEYOND),
    ],
)
def test_it_stands_under_the_answer(
    ask: Ask, log: Path, words: list[str], line: str
) -> None:
    command, *options = words
    answer = ask(command, log, *options)
    assert answer.status == 0
    assert line in " ".join(answer.out.split())


def test_a_setting_that_acts_as_it_looks_has_none(ask: Ask, log: Path) -> None:
    for command in ("simulate", "explain"):
        assert " Write " not in ask(command, log, "--patience", "2").out


def test_what_the_values_tell_names_the_run(ask: Ask, tmp_path: Path) -> None:
    write_csv(tmp_path / "moves.csv", VALUES)
    write_csv(tmp_path / "stuck.csv", [0.5] * len(VALUES))
    text = "EarlyStopping(patience=2, min_delta={})"
    told = " ".join(ask("simulate", tmp_path, "-c", text.format(1e-9)).out.split())
    # no other min_delta helps where nothing changes
    expected = (
        "- stuck.csv: val_loss never changes in the whole record. Write a monitor"
    )
    assert expected in told
    assert "moves.csv: min_delta" not in told
    told = " ".join(ask("simulate", tmp_path, "-c", text.format(9)).out.split())
    assert "- stuck.csv: val_loss never changes" in told
    assert f"- moves.csv: {_BEYOND}" in told


def test_what_a_setting_tells_of_itself_names_no_run(ask: Ask, tmp_path: Path) -> None:
    write_csv(tmp_path / "one.csv", VALUES)
    write_csv(tmp_path / "two.csv", [value / 2 for value in VALUES])
    for words, line in (
        (["--patience", "-2"], f"- {_NEGATIVE}"),
        (
            ["--patience", "2", "--min-delta", "9"],
            f"- one.csv (and 1 other run likewise): {_BEYOND}",
        ),
    ):
        assert line in " ".join(ask("simulate", tmp_path, *words).out.split())


def test_of_many_alike_the_first_are_named(ask: Ask, log: Path) -> None:
    answer = ask("simulate", log, "--patience=-5,-4,-3,-2,-1")
    assert answer.out.count("acts as patience 1. Write") == 3
    assert "2 more such findings: cbreplay lint." in answer.out
    assert json.loads(ask("simulate", log, "--patience", "2", "--format", "json").out)


def test_a_series_that_is_smoothed_by_its_name_is_not_what_a_callback_saw(
    ask: Ask, tmp_path: Path
) -> None:
    told = (
        "val_loss_smoothed is smoothed, by its name: a callback that watches val_loss"
    )
    for name, is_told in (("val_loss_smoothed", True), ("val_loss_smooth_l1", False)):
        rows = [f"{epoch},{own}\n" for epoch, own in enumerate(VALUES)]
        (tmp_path / "log.csv").write_text(f"epoch,{name}\n" + "".join(rows))
        answer = ask("simulate", tmp_path / "log.csv", "--patience", "2")
        assert (told in " ".join(answer.out.split())) is is_told


def test_of_xgboosts_data_sets_another_than_the_last_may_be_trained_on(
    ask: Ask, tmp_path: Path
) -> None:
    """Its documentation: of several in eval_set the last is used for early stopping."""
    log = tmp_path / "evals.json"
    log.write_text(json.dumps({f"validation_{at}": {"auc": VALUES} for at in range(2)}))
    told = "is of one of several evaluation sets, perhaps the one trained on"
    for at in range(2):
        watched = ("--monitor", f"validation_{at}/auc", "--mode", "max")
        answer = ask("simulate", log, *watched, "--patience", "2")
        assert (told in " ".join(answer.out.split())) is (at == 0)
