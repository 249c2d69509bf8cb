"""Every cell of a sweep, in every column, is what the scalar replay of it says.

A quick share is compared by default; all of it, over 200,000 cells, by

    python -m pytest tests/differential/test_sweep.py --all-sweep-cells
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest

from cbreplay.rules.keras.semantics import SEMANTICS
from tests.oracles.sweeps import (
    LISTS,
    PLATFORMS,
    Question,
    compare,
    compare_cells,
    compare_shared,
    draw_question,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK, ALL = 10, 80
# a table of 200,000 cells takes as long as thousands of small ones
MOST_SWEPT, MOST_CELLS = 4000, 300


@pytest.mark.parametrize("share", range(len(LISTS)), ids=lambda at: f"{at}-{LISTS[at]}")
def test_sweeps_are_decided_as_by_the_replay(
    share: int, request: pytest.FixtureRequest
) -> None:
    whole = request.config.getoption("--all-sweep-cells")
    most, wanted = (math.inf, ALL) if whole else (MOST_SWEPT, QUICK)
    n_cells = 0
    for seed, question in itertools.islice(drawn_questions(share, most), wanted):
        compared, difference = compare(question)
        assert difference is None, (seed, question.options, difference)
        n_cells += compared
    assert n_cells


@pytest.mark.parametrize("share", range(len(LISTS)), ids=lambda at: f"{at}-{LISTS[at]}")
def test_a_cell_of_a_table_says_what_its_own_replay_says(
    share: int, request: pytest.FixtureRequest
) -> None:
    most = math.inf if request.config.getoption("--all-sweep-cells") else MOST_CELLS
    drawn = drawn_questions(share + 50_000 * len(LISTS), most)
    for seed, question in itertools.islice(drawn, QUICK):
        for ways in (compare_cells, compare_shared):
            _, difference = ways(question)
            assert difference is None, (seed, question.options, difference)


def drawn_questions(first: int, most: float) -> Iterator[tuple[int, Question]]:
    """Yield the seeds and questions about one list, of so many cells at most."""
    for seed in itertools.count(first, len(LISTS)):
        question = draw_question(seed)
        if len(question.runs) * len(question.configs) <= most:
            yield seed, question


def test_every_row_of_the_rules_is_drawn() -> None:
    drawn = {draw_question(seed).options["semantics"] for seed in range(400)}
    assert drawn == {*SEMANTICS, *PLATFORMS}
