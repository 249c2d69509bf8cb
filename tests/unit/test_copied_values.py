"""What the library returns can be pickled and copied, as caches and pools do."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    build_staircase,
    choices,
    compare_replays,
    explain_replay,
    lint_callbacks,
    make_grid,
    pair_choices,
    replay_run,
    sweep_runs,
)
from cbreplay.recommend import recommend_config, sweep_patience

if TYPE_CHECKING:
    from collections.abc import Callable


def made_run(seed: int = 0) -> Run:
    losses = np.exp(-np.arange(40) / 8) + 0.01 * np.arange(40)
    losses += np.random.default_rng(seed).normal(0, 0.02, 40)
    rows = [{"loss": loss, "val_loss": loss, "lr": 0.01} for loss in losses.tolist()]
    return Run.from_logs(rows, name=f"run{seed}", planned_epochs=40)


def advice() -> object:
    runs = [made_run(seed) for seed in range(4)]
    return recommend_config(sweep_patience(runs)[0], current=[EarlyStopping()])


def tried() -> Any:
    return choices(EarlyStopping, patience=[1, 2, 3], min_delta=[0, 0.1, 0.2])


def replayed() -> Any:
    return replay_run(made_run(), EarlyStopping(patience=2))


def compared() -> object:
    run = made_run()
    rivals = [replay_run(run, EarlyStopping(patience=value)) for value in (1, 3)]
    return compare_replays(*rivals)


RESULTS: list[Callable[[], object]] = [
    made_run,
    advice,
    tried,
    replayed,
    lambda: make_grid([tried()]),
    lambda: pair_choices([tried(), ReduceLROnPlateau()]),
    lambda: sweep_runs(made_run(), make_grid([tried()])),
    lambda: build_staircase(made_run()),
    compared,
    lambda: explain_replay(replayed()),
    lambda: lint_callbacks([EarlyStopping(), ReduceLROnPlateau()]),
]


@pytest.mark.parametrize("make", RESULTS)
@pytest.mark.parametrize(
    "copied",
    [lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy],  # noqa: S301
)
def test_a_copy_of_a_result_shows_the_same(
    make: Callable[[], object], copied: Callable[[object], object]
) -> None:
    result = make()
    assert str(copied(result)) == str(result)


def test_a_copied_series_cannot_be_written_either() -> None:
    series = copy.deepcopy(made_run().series["loss"])
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 0.0


def test_two_recommendations_can_be_compared() -> None:
    first, second = advice(), advice()
    assert first == first  # noqa: PLR0124 - tolerances are arrays, without a truth
    assert first != second
