"""Options that stand where they do not act are refused, not swallowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

NOTEBOOK = {
    "cells": [{"cell_type": "code", "source": "print(1)", "metadata": {}}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.parametrize("option", ["--without", "--epochs=3", "--out", "--share"])
def test_an_option_of_record_behind_a_notebook_is_refused(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    (tmp_path / "nb.ipynb").write_text(json.dumps(NOTEBOOK))
    monkeypatch.chdir(tmp_path)
    answer = ask("record", "nb.ipynb", option, "1")
    assert answer.status == 2
    name = option.partition("=")[0]
    assert f"{name} behind 'nb.ipynb' would go to the notebook" in answer.err
    # nothing was run, and no directory made
    assert [path.name for path in tmp_path.iterdir()] == ["nb.ipynb"]


def test_versus_is_no_option(ask: Ask, tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    log.write_text("epoch,val_loss\n0,0.5\n1,0.4\n")
    rival = ("--versus", "-c", "EarlyStopping(patience=6)")
    answer = ask("simulate", str(log), "--patience", "3", *rival)
    assert answer.status == 2
    assert "--versus is '-c', which is an option" in answer.err
