"""Every cell of a sweep, in every column, is what the scalar replay of it says.

A quick share is compared by default; all of it, over 200,000 cells, by

    python -m pytest tests/differential/test_sweep.py --all-sweep-cells
"""

from __future__ import annotations

import itertools
import math

import pytest

from cbreplay.rules.keras.semantics import known_semantics
from tests.oracles.sweeps import (
    LISTS,
    PLATFORMS,
    Question,
    compare,
    compare_cells,
    compare_shared,
    draw_question,
)

QUICK, ALL = 10, 80
MOST_CELLS = 300


@pytest.mark.parametrize("share", range(len(LISTS)), ids=lambda at: f"{at}-{LISTS[at]}")
def test_sweeps_are_decided_as_by_the_replay(
    share: int, request: pytest.FixtureRequest
) -> None:
    whole = request.config.getoption("--all-sweep-cells")
    n_cells = 0
    for number in range(ALL if whole else QUICK):
        seed = number * len(LISTS) + share
        question = draw_question(seed)
        compared, difference = compare(question)
        assert difference is None, (seed, question.options, difference)
        n_cells += compared
    assert n_cells


@pytest.mark.parametrize("share", range(len(LISTS)), ids=lambda at: f"{at}-{LISTS[at]}")
def test_a_cell_of_a_table_says_what_its_own_replay_says(
    share: int, request: pytest.FixtureRequest
) -> None:
    # one table of 20,000 cells takes as long as hundreds of small ones
    most = math.inf if request.config.getoption("--all-sweep-cells") else MOST_CELLS
    seeds = itertools.count(share + 1_000_000, len(LISTS))
    drawn = ((seed, draw_question(seed)) for seed in seeds)
    small = (each for each in drawn if n_cells_of(each[1]) <= most)
    for seed, question in itertools.islice(small, QUICK):
        for ways in (compare_cells, compare_shared):
            _, difference = ways(question)
            assert difference is None, (seed, question.options, difference)


def n_cells_of(question: Question) -> int:
    return len(question.runs) * len(question.configs)


def test_every_row_of_the_rules_is_drawn() -> None:
    drawn = {draw_question(seed).options["semantics"] for seed in range(400)}
    assert drawn == {*known_semantics(), *PLATFORMS}
