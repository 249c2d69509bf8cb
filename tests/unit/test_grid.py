"""Grids: every combination, in C order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from cbreplay import ConfigError, EarlyStopping, ReduceLROnPlateau, choices, make_grid


def test_configs_are_in_c_order() -> None:
    grid = make_grid(
        [
            choices(EarlyStopping, patience=range(1, 4), min_delta=[0, 0.1]),
            choices(ReduceLROnPlateau, factor=[0.5, 0.1], patience=7),
        ]
    )
    assert list(grid.parameters) == [
        "EarlyStopping.patience",
        "EarlyStopping.min_delta",
        "ReduceLROnPlateau.factor",
    ]
    assert (grid.shape, len(grid)) == ((3, 2, 2), 12)
    expected = list(itertools.product([1, 2, 3], [0, 0.1], [0.5, 0.1]))
    configs: list[Any] = list(grid)
    seen = [(one.patience, one.min_delta, two.factor) for one, two in configs]
    assert seen == expected
    assert [tuple(grid.values_of(i).values()) for i in range(12)] == expected
    assert grid[-1] == grid[11]
    assert {two.patience for _, two in configs} == {7}


def test_the_second_of_a_kind_is_numbered() -> None:
    grid = make_grid([EarlyStopping(), choices(EarlyStopping, patience=[1, 2])])
    assert list(grid.parameters) == ["EarlyStopping#2.patience"]


def test_a_grid_without_choices_is_one_config() -> None:
    grid = make_grid([EarlyStopping(patience=3)])
    assert (grid.shape, len(grid), list(grid)) == (
        (),
        1,
        [(EarlyStopping(patience=3),)],
    )


def test_arrays_become_python_numbers() -> None:
    grid = make_grid([choices(EarlyStopping, min_delta=np.array([0.5, 0.25]))])
    configs: list[Any] = list(grid)
    assert [type(one.min_delta) for (one,) in configs] == [float, float]


def test_slices_and_indices_beyond_the_end() -> None:
    grid = make_grid([choices(EarlyStopping, patience=[1, 2])])
    backwards: list[Any] = grid[::-1]
    assert [one.patience for (one,) in backwards] == [2, 1]
    with pytest.raises(IndexError, match="config 2 of 2"):
        grid[2]


def test_unknown_names_and_impossible_values_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"no parameter 'patiense'.*did you mean"):
        choices(EarlyStopping, patiense=[1])
    with pytest.raises(ConfigError, match="factor is 2"):
        choices(ReduceLROnPlateau, factor=[0.5, 2])
    with pytest.raises(ConfigError, match="patience has no value"):
        choices(EarlyStopping, patience=[])
    with pytest.raises(ConfigError, match="at least one callback"):
        make_grid([])
    with pytest.raises(ConfigError, match="'EarlyStopping' is not a callback"):
        make_grid(["EarlyStopping"])
