"""Promises are kept on runs that had no part in the choice; the bench has the rest."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recommend import FAMILIES, Kept, count_kept, make_runs, price_runs
from cbreplay import Run, load_runs
from tests.conftest import ROOT

# at most two points below what is promised
_SLACK = 0.02
_DRAWS = 500
# about the fewest runs of a promise, and far above them
_SIZES = ((3, 0.8), (4, 0.8), (8, 0.9), (9, 0.9), (20, 0.9))

pytestmark = pytest.mark.no_cover


@pytest.fixture(scope="module", params=list(FAMILIES))
def kept(request: pytest.FixtureRequest) -> dict[tuple[int, float], Kept]:
    population = price_runs(make_runs(request.param, 300, seed=7))
    return {
        (n_runs, confidence): count_kept(population, n_runs, confidence, draws=_DRAWS)
        for n_runs, confidence in _SIZES
    }


def test_a_promise_is_given_from_four_and_from_nine_runs_on(
    kept: dict[tuple[int, float], Kept],
) -> None:
    given = {size: counted.promised for size, counted in kept.items()}
    assert given == {
        (n_runs, confidence): n_runs >= (4 if confidence == 0.8 else 9)
        for n_runs, confidence in _SIZES
    }


def test_what_is_promised_is_kept(kept: dict[tuple[int, float], Kept]) -> None:
    for (_, confidence), counted in kept.items():
        if counted.promised:
            assert counted.coverage >= confidence - _SLACK
            assert counted.unbroken >= confidence - _SLACK
            # also where the promise goes with what is recommended
            assert counted.headline >= confidence - _SLACK


def test_on_the_whole_it_is_no_worse_than_ten(
    kept: dict[tuple[int, float], Kept],
) -> None:
    # textbook shapes, unlike any that the kinds of curves were learned from
    for (n_runs, _), counted in kept.items():
        if n_runs >= 9:
            assert counted.gain > -0.001


def test_promises_are_kept_on_the_sample_logs() -> None:
    runs = load_runs(ROOT / "sample_logs")
    # of a resumed fit the log tells no patience but the smallest: nothing is promised
    population = price_runs([run for run in runs if not run.seams])
    for n_runs, confidence in ((4, 0.8), (9, 0.9)):
        counted = count_kept(population, n_runs, confidence, draws=_DRAWS)
        assert counted.unbroken >= confidence - _SLACK


def test_promises_are_kept_on_other_peoples_logs() -> None:
    folder = os.environ.get("CBREPLAY_CORPUS")
    if folder is None:
        pytest.skip("CBREPLAY_CORPUS names no directory with csv/ and sets/")
    for part in ("csv", "sets"):
        population = price_runs(load_runs(Path(folder) / part, errors="skip"))
        for n_runs, confidence in ((4, 0.8), (9, 0.9)):
            counted = count_kept(population, n_runs, confidence, draws=_DRAWS)
            # many end too early to tell their patience, and then nothing is promised
            assert counted.unbroken >= confidence - _SLACK


def test_logs_that_are_cut_break_no_more_promises() -> None:
    # they broke off anywhere: where nothing stops in the log, its patience is unknown
    runs = [
        Run.from_logs(
            [{"val_loss": loss} for loss in run.series["val_loss"].values[: 50 + row]],
            name=run.name,
        )
        for row, run in enumerate(make_runs("saturating", 50, seed=3))
    ]
    population = price_runs(runs)
    assert np.isinf(population.sufficient).any()
    counted = count_kept(population, 9, 0.9, draws=_DRAWS)
    assert counted.unbroken >= 0.9 - _SLACK
