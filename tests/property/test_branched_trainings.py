"""Promises from trainings that were branched are kept: branches are no further trials.

Every training needs a patience that is drawn from 1 to 30, each as likely; so how many
new trainings a promised patience is enough for is known without drawing any.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay.setting_costs import study
from tests.recommended import make_run, pausing, recommend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay import Run
    from cbreplay.sweep.groups import Grouping

MOST = 30
DRAWS = 80
# three standard errors of the mean of so many draws: the share that the largest of two
# is enough for has a standard deviation of 1 / 18 ** 0.5, and that of more a smaller
SLACK = 3 * (1 / 18 / DRAWS) ** 0.5
COMMON_EPOCHS = 12


def branch(
    rng: np.random.Generator, needs: Sequence[int], n_branches: int, spread: int = 0
) -> list[Run]:
    """Return the branches of trainings: the first 12 epochs in common, no copies.

    Each branch needs the patience of its training, or up to `spread` less.
    """
    runs = []
    for number, need in enumerate(needs):
        begun = rng.random(COMMON_EPOCHS)
        for at in range(n_branches):
            own = max(need - int(rng.integers(0, spread + 1)), COMMON_EPOCHS)
            losses = pausing(own if need > COMMON_EPOCHS else need)
            trained = [*begun, *rng.random(len(losses) - COMMON_EPOCHS)]
            run = make_run(losses, f"t{number}b{at}")
            values = np.array(trained)
            series = replace(run.series["loss"], values=values)
            runs.append(replace(run, series={**run.series, "loss": series}))
    return runs


def coverage(
    n_trainings: int, n_branches: int, draws: int = DRAWS
) -> tuple[float, float]:
    """Return what is promised, and on what share of new trainings that is kept."""
    rng, promised, kept = np.random.default_rng(5), [], []
    for _ in range(draws):
        needs = rng.integers(1, MOST + 1, n_trainings).tolist()
        advice = recommend(branch(rng, needs, n_branches))
        if advice.promise is not None:
            promised.append(advice.promise.confidence)
            # a training and its branches need no more than what was drawn for it
            kept.append(min(advice.promise.patience / MOST, 1.0))
    return (promised[0], float(np.mean(kept))) if promised else (0.0, 1.0)


@pytest.mark.parametrize(
    ("n_trainings", "n_branches", "promised"),
    [(2, 5, 0), (3, 4, 0), (5, 4, 0.8), (9, 2, 0.9)],
)
def test_a_promise_from_branches_is_kept(
    n_trainings: int, n_branches: int, promised: float
) -> None:
    # that none is given takes no mean
    draws = DRAWS if promised else 10
    share, kept = coverage(n_trainings, n_branches, draws)
    assert share == promised
    assert kept >= promised - SLACK


def test_counted_apart_branches_promise_more_than_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 3 the largest is enough for 3 of 4 new ones, whatever their branches say."""

    def apart(grouping: Grouping, *_: object) -> Grouping:
        return grouping

    monkeypatch.setattr(study, "count_trainings_once", apart)
    share, kept = coverage(3, 4)
    assert share == 0.9
    assert kept < 0.9 - SLACK
    assert kept == pytest.approx(3 / 4, abs=SLACK)


@settings(max_examples=15, deadline=None)
@given(
    # with each branch left alone, twice as many take four times as long
    st.lists(st.integers(1, MOST), min_size=3, max_size=6),
    st.integers(2, 3),
    st.integers(0, 2**20),
)
def test_what_is_chosen_without_a_training_is_chosen_without_all_its_branches(
    needs: list[int], n_branches: int, seed: int
) -> None:
    runs = branch(np.random.default_rng(seed), needs, n_branches, spread=4)
    advice = recommend(runs)
    assert len(advice.groups) == len(needs)
    for group in advice.groups:
        others = [run for run in runs if run.name not in group.runs]
        alone = recommend(others)
        # the largest that any of its branches needs
        assert group.sufficient_patience == max(
            recommend([run, *others]).groups[0].sufficient_patience or 0
            for run in runs
            if run.name in group.runs
        )
        assert len(alone.groups) == len(needs) - 1
        if alone.patience is not None:
            assert group.left_out_patience == alone.patience


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, MOST), min_size=2, max_size=10), st.integers(0, 2**20))
def test_more_branches_alike_change_no_number(needs: list[int], seed: int) -> None:
    """Runs of one training that lose and train alike are worth as much as one."""
    single = recommend(branch(np.random.default_rng(seed), needs, 1))
    advice = recommend(branch(np.random.default_rng(seed), needs, 3))
    assert advice.promise == single.promise
    assert (advice.kind, advice.patience) == (single.kind, single.patience)
    assert advice.expected is not None
    assert single.expected is not None
    assert advice.expected.n_groups == single.expected.n_groups == len(needs)
    assert advice.expected.score == pytest.approx(single.expected.score)
    for scored, alone in zip(advice.settings, single.settings, strict=True):
        # each branch is still a setting of its own in the table
        assert scored.n_groups == 3 * alone.n_groups
        assert scored.score == pytest.approx(alone.score)
        assert scored.left_out_score == pytest.approx(alone.left_out_score)
    assert advice.left_out is not None
    assert single.left_out is not None
    assert advice.left_out.n_groups == single.left_out.n_groups
    assert advice.left_out.interval == pytest.approx(single.left_out.interval)
