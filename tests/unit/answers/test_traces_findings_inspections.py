"""Explanation, findings and inspection: one document, and every form written of it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    explain_replay,
    replay_run,
)
from cbreplay.answers.explanation import deciding_rows, explanation_document
from cbreplay.answers.findings import check_callbacks
from cbreplay.answers.inspection import inspection_document
from cbreplay.document import plain_text
from cbreplay.readers.discovery.training_files import Seen
from cbreplay.writers.as_csv import write_csv
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_json import json_pieces
from cbreplay.writers.as_markdown import write_markdown
from cbreplay.writers.as_text import write_text
from tests.conftest import ROOT, VALUES
from tests.facts import facts_of

if TYPE_CHECKING:
    from cbreplay.document import Document

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
RUN = Run.from_logs(
    [{"val_loss": value, "learning_rate": 0.01} for value in VALUES],
    name="<b>one</b> | two",
)
STOPPER = EarlyStopping(patience=2, restore_best_weights=True)
PLATEAU = ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0)


def explanation(*callbacks: Any, run: Run = RUN, **options: Any) -> Document:
    replay = replay_run(run, callbacks, semantics="keras-3.15", **options)
    return explanation_document(explain_replay(replay), typed="logs.csv")


def findings() -> Document:
    listed: list[Any] = [
        ReduceLROnPlateau(patience=8, min_delta=0),
        EarlyStopping(patience=5),
    ]
    checked = check_callbacks(
        listed, semantics="keras-3.15", source="train.py", notes=("n 1",)
    )
    return checked.document()


def inspection() -> Document:
    seen = (Seen("logs.csv", "read", "a CSV"), Seen("x.csv", "passed by", "no log"))
    return inspection_document((RUN, RUN), seen, typed="logs.csv")


DOCUMENTS = {
    "explain": explanation(STOPPER),
    "explain-list": explanation(STOPPER, PLATEAU),
    "explain-fiction": explanation(PLATEAU, hypothetical=True),
    "lint": findings(),
    "inspect": inspection(),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_form_says_the_headline_and_has_every_row(name: str) -> None:
    document = DOCUMENTS[name]
    headline, table = plain_text(document.headline), document.answer_table()
    assert table is not None
    assert len(table.rows) > 0
    assert " ".join(write_text(document).split()).startswith(headline)
    assert headline in write_html(document)
    assert write_markdown(document).startswith("# ")
    rows = list(csv.DictReader(io.StringIO(write_csv(document))))
    assert len(rows) == len(table.rows)
    answer = json.loads("".join(json_pieces(document)), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    assert answer["command"] == name.partition("-")[0]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_name_of_a_run_is_no_markup(name: str) -> None:
    document = DOCUMENTS[name]
    assert "<b>one" not in write_html(document)
    assert "<b>one" not in write_markdown(document).replace("`<b>one</b> | two`", "")


# val_loss .8 .6 .5 .5 .52 .49 .5 .51: best at epoch 6 of 8, counted from 1
@pytest.mark.parametrize(
    ("callbacks", "planned", "headline"),
    [
        (
            (STOPPER,),
            None,
            (
                "EarlyStopping(patience=2, restore_best_weights=True) stops at epoch 5 "
                "of 8, and keeps epoch 3: 0.0100 above the best val_loss (3 epochs "
                "saved)"
            ),
        ),
        (
            (EarlyStopping(patience=9, restore_best_weights=True),),
            None,
            (
                "EarlyStopping(patience=9, restore_best_weights=True) does not stop "
                "inside this log, which ends at epoch 8; so far it keeps epoch 6"
            ),
        ),
        (
            (EarlyStopping(patience=9),),
            8,
            (
                "EarlyStopping(patience=9) does not stop this training: it runs to "
                "the planned end, epoch 8, and keeps epoch 8: 0.0200 above the best "
                "val_loss"
            ),
        ),
        (
            (PLATEAU,),
            None,
            (
                "This setting changes the learning rate after epoch 4, and the "
                "log shows no such change: from there on it says nothing"
            ),
        ),
        (
            (STOPPER, EarlyStopping(patience=2)),
            None,
            (
                "EarlyStopping, with EarlyStopping#2, stops at epoch 5 of 8, and keeps "
                "epoch 3: 0.0100 above the best val_loss (3 epochs saved)"
            ),
        ),
    ],
)
def test_the_headline_says_where_it_ends_and_what_is_kept(
    callbacks: tuple[Any, ...], planned: int | None, headline: str
) -> None:
    run = Run.from_logs(
        [{"val_loss": value, "learning_rate": 0.01} for value in VALUES],
        planned_epochs=planned,
    )
    document = explanation(*callbacks, run=run)
    assert plain_text(document.headline) == f"{headline}."


def test_a_run_that_breaks_off_keeps_the_epoch_it_broke_off_in() -> None:
    run = Run.from_logs({"loss": loss} for loss in [1.0, float("nan"), 0.5])
    document = explanation(TerminateOnNaN(), run=run, objective="loss")
    facts = facts_of(document.headline)
    assert (facts["stopped_epoch"], facts["kept_epoch"]) == (1, 1)


def test_the_divergence_is_said_once() -> None:
    document = explanation(PLATEAU)
    assert write_text(document).count("says nothing") == 1
    fiction = write_text(explanation(PLATEAU, hypothetical=True))
    assert fiction.count("says nothing") == 1


def test_what_to_ask_next_fits_the_answer() -> None:
    lines = {command.label: command.line for command in explanation(PLATEAU).next}
    named = 'logs.csv -c "ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0)"'
    assert lines == {
        "As if it held": f"cbreplay explain {named} --hypothetical",
        "A picture": f"cbreplay plot {named}",
    }
    odd = Run.from_logs([{'val"x': 0.5}] * 3)
    line = (
        explanation(EarlyStopping(monitor='val"x', mode="min"), run=odd).next[-1].line
    )
    # as shlex.quote writes a text that holds both marks
    code = """EarlyStopping(monitor='"'"'val"x'"'"', mode='"'"'min'"'"')"""
    assert line == f"cbreplay plot logs.csv -c '{code}'"
    long = Run.from_logs({"val_loss": value} for value in [1.0] * 60)
    (short, _) = explanation(EarlyStopping(patience=99), run=long).next
    assert short.line.endswith("--only decisions")


def test_nothing_is_offered_for_a_log_that_cannot_be_read_again() -> None:
    replay = replay_run(RUN, STOPPER, semantics="keras-3.15")
    for typed in (None, "-", "- --monitor loss"):
        told = explanation_document(explain_replay(replay), typed=typed)
        assert told.next == ()


def test_of_very_many_epochs_those_with_a_decision_are_shown_first() -> None:
    losses = [1.0] * 1500 + [0.5] * 3
    run = Run.from_logs({"val_loss": loss} for loss in losses)
    document = explanation(EarlyStopping(patience=5000), run=run)
    text = write_text(document)
    assert "0.5000 is below 1.000: improvement" in text
    assert "(503 more rows; --format csv has all)" in text
    assert len(write_csv(document).splitlines()) == 1504


def test_the_last_epoch_is_among_the_deciding_ones() -> None:
    replay = replay_run(RUN, EarlyStopping(patience=9), semantics="keras-3.15")
    rows = explain_replay(replay).rows
    assert [row.epoch for row in deciding_rows(rows, 7)] == [2, 5, 7]


def test_a_finding_says_what_why_and_what_instead() -> None:
    lines = write_text(findings()).splitlines()
    assert lines[:3] == [
        "2 findings in 2 callbacks.",
        "",
        "train.py: rules of Keras 3.15.",
    ]
    assert lines[4].startswith(" warning  reduce-after-stop  ReduceLROnPlateau(")
    labels = [line[3:10].strip() for line in lines[5:] if line[3:4].strip()]
    assert labels[:3] == ["what", "why", "instead"]
    assert lines[-1] == " - n 1"


def test_an_inspection_counts_the_files_that_are_in_no_run() -> None:
    text = write_text(inspection())
    assert " 1 file in no run: 1 passed by (-v names it)" in text.splitlines()
    told = inspection_document(
        (RUN,), (Seen("x.csv", "passed by", "no log"),), verbose=True
    )
    assert " passed by: x.csv (no log)" in write_text(told).splitlines()
    assert json.loads("".join(json_pieces(told)))["notes"] == [
        "passed by: x.csv (no log)"
    ]
