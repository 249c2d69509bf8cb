"""The oldest runs choose, and those that came after them judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay.recommend.held_out import split_by_time
from tests.recommended import pausing_runs, recommend

if TYPE_CHECKING:
    from cbreplay import Run


def dated(patience: list[int], started: list[float | None]) -> list[Run]:
    runs = pausing_runs(patience)
    return [replace(one, started=at) for one, at in zip(runs, started, strict=True)]


def test_the_oldest_choose_and_the_newest_judge() -> None:
    # the nine oldest need 20, where 10 loses half the way: 20 is chosen; the newest
    # need 20, 4 and 30. They stand in any order
    times: list[float | None] = [9, 0, 8, 1, 7, 2, 6, 3, 5, 4, 11, 10]
    advice = recommend(dated([20] * 10 + [30, 4], times))
    assert advice.forward is not None
    assert advice.forward[:5] == (9, 3, 20, 2, 0)
    # in a pause that is too long they stop at epochs 20 and 10, and keep FIRST, twice
    # the best; after the best they train 20 and 10 epochs more. There are 40
    epochs, usual_epochs = 21 + 40 + 25, 11 + 11 + 15
    assert advice.forward.score == pytest.approx((1 + 0.05 * epochs / 40) / 3)
    assert advice.forward.usual_score == pytest.approx(
        (2 + 0.05 * usual_epochs / 40) / 3
    )


def test_runs_that_do_not_tell_when_they_began_are_not_put_in_order() -> None:
    times: list[float | None] = [*map(float, range(11)), None]
    assert recommend(dated([20] * 12, times)).forward is None


def test_groups_that_were_trained_side_by_side_judge_nothing() -> None:
    first, last = np.zeros(6), np.arange(6.0)
    assert split_by_time(first, last, needed=9) is None
    # one after the other
    parts = split_by_time(np.arange(6.0), np.arange(6.0) + 0.5, needed=4)
    assert parts is not None
    assert [part.tolist() for part in parts] == [
        [True] * 4 + [False] * 2,
        [False] * 4 + [True] * 2,
    ]


def test_a_promise_chooses_by_as_many_as_it_needs() -> None:
    for n_groups, n_older in ((4, 2), (10, 5), (11, 9), (30, 15)):
        times = np.arange(float(n_groups))
        parts = split_by_time(times, times, needed=9)
        assert parts is not None
        assert [int(part.sum()) for part in parts] == [n_older, n_groups - n_older]
    assert split_by_time(np.arange(3.0), np.arange(3.0), needed=9) is None
