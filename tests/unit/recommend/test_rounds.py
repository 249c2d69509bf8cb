"""Asking, training under the answer, and asking again: patience does not only fall."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.recommend import FAMILIES, N_EPOCHS
from cbreplay import Run
from tests.recommended import recommend

if TYPE_CHECKING:
    from cbreplay.recommend import Recommendation

_RUNS, _ROUNDS = 12, 4


def stop(losses: list[float], patience: int) -> list[float]:
    """Return what a log holds that this patience ends: a plain loop, as the oracle."""
    best, wait = np.inf, 0
    for epoch, loss in enumerate(losses):
        wait = 0 if loss < best else wait + 1
        best = min(best, loss)
        if wait >= patience:
            return losses[: epoch + 1]
    return losses


def train(family: str, patience: int, seed: int, n_free: int) -> list[Run]:
    """Return new trainings under a patience, the first of them without a stop."""
    rng = np.random.default_rng(seed)
    runs = []
    for number in range(_RUNS):
        losses = FAMILIES[family](rng).tolist()
        kept = losses if number < n_free else stop(losses, patience)
        rows = [{"val_loss": loss} for loss in kept]
        runs.append(Run.from_logs(rows, name=f"run{number}", planned_epochs=N_EPOCHS))
    return runs


def play(family: str, patience: int, n_free: int) -> list[Recommendation]:
    answers = []
    for seed in range(_ROUNDS):
        answer = recommend(train(family, patience, seed, n_free))
        answers.append(answer)
        patience = answer.patience or patience
    return answers


@pytest.mark.no_cover
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("begun", [3, 5, 10, 25])
def test_no_answer_is_shorter_than_what_cut_the_logs(family: str, begun: int) -> None:
    answers = play(family, begun, n_free=0)
    under = begun
    for answer in answers:
        assert answer.patience is not None
        # where a patience cut no log, all is known of every shorter one
        if any(doubt.code.startswith("own-stop") for doubt in answer.doubts):
            assert answer.patience >= under
            assert answer.checked("left_out_regret") is None
        under = answer.patience
    assert under >= min(begun, 10)


def test_twelve_logs_cut_by_five_promise_nothing() -> None:
    for seed in range(10):
        answer = recommend(train("overfitting", 5, seed, n_free=0))
        assert answer.promise is None
        assert answer.kind == "heuristic"


@pytest.mark.parametrize("family", FAMILIES)
def test_two_of_twelve_without_a_stop_are_learned_from(family: str) -> None:
    answers = play(family, 5, n_free=2)
    assert {answer.basis for answer in answers} <= {"score", "promise"}
    assert all((answer.patience or 0) > 5 for answer in answers)


@pytest.mark.no_cover
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("begun", [3, 5])
def test_logs_of_all_rounds_in_one_place_show_no_plan(family: str, begun: int) -> None:
    # cut by a patience each, some of them end at one epoch by chance
    patience, recorded = begun, []
    for round_ in range(_ROUNDS):
        for run in train(family, patience, round_, n_free=0):
            name = f"round{round_}-{run.name}"
            recorded.append(replace(run, name=name, planned_epochs=None))
        answer = recommend(recorded, group_by="none")
        assert answer.patience is not None
        if all(len(run.series["val_loss"].values) < N_EPOCHS for run in recorded):
            assert answer.plan is None
            assert answer.patience >= patience
        patience = answer.patience
