"""Which patience is cheapest, by hand."""

from __future__ import annotations

import math

import numpy as np

from cbreplay.recommend.scores import cheapest_patience

NAN = math.nan


def test_the_cheapest_takes_the_smallest_of_near_ties() -> None:
    score = np.array([[0.3000, 0.1009, 0.1000, 0.2], [0.3000, 0.1009, 0.1000, 0.2]])
    found = cheapest_patience(np.array([1, 2, 3, 4]), score)
    assert found is not None
    assert found[0] == 2


def test_the_cheapest_compares_the_same_groups_only() -> None:
    # patience 3 is known on two groups of six: nobody chooses it by these
    score = np.array([[0.3, 0.2, NAN]] * 4 + [[0.3, 0.2, 0.0]] * 2)
    found = cheapest_patience(np.array([1, 2, 3]), score)
    assert found is not None
    assert (found[0], found[2]) == (2, 6)
    # a group whose log ends early is left out of all means
    score = np.array([[0.1, 0.2, 0.3]] * 4 + [[9.0, NAN, NAN]])
    found = cheapest_patience(np.array([1, 2, 3]), score)
    assert found is not None
    assert (found[0], found[2]) == (1, 4)
    assert cheapest_patience(np.array([1]), np.array([[NAN]])) is None
