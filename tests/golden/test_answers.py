"""What people read, kept as files: ``--update-golden`` rewrites, review reads.

The numbers in them are checked elsewhere, against Keras and by hand; these files keep
the words, the order and the layout.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.conftest import Ask

ANSWERS = Path(__file__).parent / "answers"

COMMANDS = {
    "simulate-overfit": "simulate sample_logs/overfit.csv",
    "simulate-keep-last": "simulate sample_logs/overfit.csv --keep last",
    "simulate-plateau": "simulate sample_logs/digits-mlp-plateau",
    "simulate-both": "simulate sample_logs/digits-mlp-both",
    "simulate-nan": "simulate sample_logs/diabetes-nan",
    "simulate-every-second": "simulate sample_logs/digits-mlp-every-second",
    "simulate-events-alone": "simulate sample_logs/digits-mlp/seed0/tensorboard",
    "simulate-directory": "simulate sample_logs",
    "simulate-grid": (
        "simulate sample_logs/digits-mlp-plateau -c 'EarlyStopping(patience=[3, 9])' "
        "-c 'ReduceLROnPlateau(factor=[0.5, 0.1], patience=5, min_lr=1e-4)'"
    ),
    "simulate-json": "simulate sample_logs/digits-mlp/seed1 --patience 3 --format json",
    "explain-decisions": "explain sample_logs/digits-mlp-both --only decisions",
    "explain-epochs": "explain sample_logs/overfit.csv --patience 3 --epochs 12:18",
    "explain-plateau": "explain sample_logs/digits-mlp-plateau --epochs 24:30",
    "lint-callbacks": (
        "lint -c 'CSVLogger(\"logs.csv\")' -c 'EarlyStopping(patience=5)' "
        "-c 'ReduceLROnPlateau(patience=10, cooldown=1)' --epochs 9"
    ),
    "lint-recorded": "lint sample_logs/digits-mlp-both",
    "recommend-directory": "recommend sample_logs",
    "recommend-seeds": "recommend sample_logs/digits-mlp --confidence 0.8",
    "recommend-one-run": "recommend sample_logs/overfit.csv",
    "recommend-monitors": (
        "recommend sample_logs/digits-mlp --confidence 0.7 --tolerance 2% "
        "--monitor val_loss,val_accuracy --objective val_accuracy"
    ),
    "inspect-directory": "inspect sample_logs",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_reads_as_it_was_reviewed(
    ask: Ask,
    name: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    words = shlex.split(COMMANDS[name])
    if words[0] in ("simulate", "explain", "lint", "recommend"):
        words += ["--semantics", "keras-3.15"]
    answer = ask(*words)
    assert answer.status == 0
    shown = f"$ cbreplay {shlex.join(words)}\n{answer.out}"
    if answer.err:
        shown += f"--- standard error\n{answer.err}"
    path = ANSWERS / f"{name}.txt"
    if request.config.getoption("--update-golden"):
        path.write_text(shown)
    assert shown == path.read_text()
