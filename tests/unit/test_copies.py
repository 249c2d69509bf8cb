"""A training that was recorded twice counts once."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cbreplay import Run
from cbreplay.run_metadata import RunMetadata
from cbreplay.setting_costs.copies import find_branches, find_copies

# float32 values, and what "%.6f" leaves of them
EXACT = [1.4469400644, 0.7672526240, 0.5961914063, 0.5747070313, 0.0312345684, 0.5]
ROUNDED = [1.446940, 0.767253, 0.596191, 0.574707, 0.031235, 0.5]


def run(losses: list[float | None], *, trained: float = 1.0) -> Run:
    return Run.from_logs([{"loss": trained, "val_loss": loss} for loss in losses])


def described(one: Run) -> Run:
    return replace(one, metadata=RunMetadata())


def test_a_copy_counts_for_the_run_that_has_a_run_json() -> None:
    losses: list[float | None] = [0.9, 0.5, 0.6]
    runs = [run(losses), run([0.9, 0.5, 0.7]), described(run(losses)), run([0.9])]
    assert find_copies(runs, "val_loss") == {0: 2}


def test_a_log_that_was_rounded_is_a_copy() -> None:
    assert find_copies([run([*EXACT]), run([*ROUNDED])], "val_loss") == {1: 0}


def test_of_copies_the_one_that_tells_of_nan_is_kept() -> None:
    # Keras's CSVLogger writes nan, and pandas an empty cell
    runs = [run([*ROUNDED, None, 0.7]), run([*EXACT, math.nan, 0.7])]
    assert find_copies(runs, "val_loss") == {0: 1}


def test_a_chain_of_copies_counts_once() -> None:
    runs = [run([*EXACT]), run([*ROUNDED]), described(run([*EXACT])), run([*EXACT])]
    assert find_copies(runs, "val_loss") == {0: 2, 1: 2, 3: 2}


@pytest.mark.parametrize(
    "other",
    [
        # one value is another
        run([*ROUNDED[:-1], 0.50001]),
        # the same validation of another training
        run([*ROUNDED], trained=1.1),
        run([*ROUNDED[:-1]]),
    ],
)
def test_what_differs_by_more_than_rounding_is_no_copy(other: Run) -> None:
    assert find_copies([run([*EXACT]), other], "val_loss") == {}


def test_trainings_that_stand_still_alike_are_no_copies() -> None:
    # a network that learns nothing says log(2) in every training
    still = [math.log(2) + size * 1e-7 for size in range(20)]
    other = [math.log(2) - size * 1e-7 for size in range(20)]
    assert find_copies([run([*still]), run([*other])], "val_loss") == {}


def test_runs_that_begin_alike_are_branches_of_the_one_that_holds_most() -> None:
    runs = [run([*EXACT[:5], 0.3]), run([*EXACT, 0.4]), run([*EXACT[1:]])]
    assert find_branches(runs, "val_loss") == {0: 1}
    # another plan is another end of one training
    planned = [replace(runs[0], planned_epochs=50), runs[1]]
    assert find_branches(planned, "val_loss") == {0: 1}


@pytest.mark.parametrize(
    "losses",
    [
        # three numbers and one training loss are four
        [0.9, 0.5, 0.4],
        [1.0, math.nan, math.inf, 0.5],
        [*EXACT[:2]],
    ],
)
def test_a_beginning_of_few_numbers_may_be_chance(losses: list[float | None]) -> None:
    assert find_branches([run(losses), run(losses)], "val_loss") == {}
