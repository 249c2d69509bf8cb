"""A note is a sentence, and keeps its topic wherever it goes."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING

import pytest

import cbreplay
from cbreplay import EarlyStopping, ReduceLROnPlateau
from cbreplay.answers.reading_notes import telling_notes
from cbreplay.wording.note import Note, reworded, topic_of

if TYPE_CHECKING:
    from pathlib import Path

NOTE = Note("lr was taken", "rate")


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(pickle.loads(pickle.dumps(NOTE)), id="pickled"),  # noqa: S301 - its own
        pytest.param(copy.copy(NOTE), id="copied"),
        pytest.param(copy.deepcopy(NOTE), id="copied deeply"),
        pytest.param(reworded(NOTE, str(NOTE)), id="reworded"),
    ],
)
def test_the_topic_goes_where_the_text_goes(note: str) -> None:
    assert note == "lr was taken"
    assert topic_of(note) == "rate"


def test_it_is_text_to_everything_else() -> None:
    assert json.dumps([NOTE]) == '["lr was taken"]'
    assert topic_of(reworded("plain", "other")) is None
    assert topic_of(str(NOTE)) is None


def test_a_series_may_be_called_a_learning_rate(tmp_path: Path) -> None:
    # by their words, notes on it were taken for notes on how a rate was read
    path = tmp_path / "logs.csv"
    path.write_text(
        "epoch,val_loss,learning rate error\n0,3.0,\n1,2.0,0.5\n2,1.0,0.4\n"
    )
    (run,) = cbreplay.load_runs(path)
    (note,) = [note for note in run.notes if "learning rate error" in note]

    # it is about values that a replay counts where a callback asks for them
    assert topic_of(note) == "missing"
    assert note not in telling_notes(run, [ReduceLROnPlateau(patience=2)])


def test_how_a_rate_was_read_matters_to_what_changes_it(tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    path.write_text("epoch,val_loss,lr/pg0\n0,3.0,0.001\n1,2.0,0.0005\n2,1.0,0.00025\n")
    (run,) = cbreplay.load_runs(path)
    (note,) = [note for note in run.notes if "taken as the learning rate" in note]

    assert note in telling_notes(run, [ReduceLROnPlateau(patience=2)])
    assert note not in telling_notes(run, [EarlyStopping(patience=2)])
