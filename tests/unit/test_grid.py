"""Grids: every combination, in C order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ReduceLROnPlateau,
    choices,
    make_grid,
    pair_choices,
)


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


def test_a_number_of_numpy_is_one_value() -> None:
    for three in (np.int64(3), np.array(3)[()]):
        assert choices(EarlyStopping, patience=three).varied == {}
        assert choices(EarlyStopping, patience=three).build({}) == EarlyStopping(
            patience=3
        )


def test_values_in_rows_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"patience is \[1, 2\], where a number"):
        choices(EarlyStopping, patience=np.array([[1, 2], [3, 4]]))


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


def test_of_many_numbers_the_first_that_is_refused_is_named() -> None:
    deltas: list[Any] = np.linspace(0, 1, 500).tolist()
    assert len(choices(EarlyStopping, min_delta=deltas).varied["min_delta"]) == 500
    with pytest.raises(ConfigError, match="min_delta is nan"):
        choices(EarlyStopping, min_delta=[*deltas, float("nan"), "much"])
    with pytest.raises(ConfigError, match=r"factor is 1\.5"):
        choices(ReduceLROnPlateau, factor=[0.1, 1.5, 3.0])
    with pytest.raises(ConfigError, match="patience is 'long'"):
        choices(EarlyStopping, patience=[1, "long", float("nan")])


def test_paired_values_go_together() -> None:
    drawn = pair_choices(
        [
            choices(EarlyStopping, patience=np.array([3, 1, 2]), min_delta=[0.1, 0, 1]),
            ReduceLROnPlateau(patience=7),
            choices(EarlyStopping, monitor=["loss", "val_loss", "val_loss"]),
        ]
    )
    assert list(drawn.parameters) == [
        "EarlyStopping.patience",
        "EarlyStopping.min_delta",
        "EarlyStopping#2.monitor",
    ]
    configs: list[Any] = list(drawn)
    seen = [(one.patience, one.min_delta, three.monitor) for one, _, three in configs]
    assert seen == [(3, 0.1, "loss"), (1, 0, "val_loss"), (2, 1, "val_loss")]
    assert [two.patience for _, two, _ in configs] == [7, 7, 7]
    assert (len(drawn), drawn[-1], drawn[1:]) == (3, configs[2], configs[1:])
    assert list(drawn.cut(1, 3)) == configs[1:]
    with pytest.raises(IndexError, match="config 3 of 3"):
        drawn[3]


def test_paired_values_have_to_be_equally_many() -> None:
    with pytest.raises(ConfigError, match=r"2 of EarlyStopping\.patience, 1 of Early"):
        pair_choices([choices(EarlyStopping, patience=[1, 2], min_delta=[0])])
    with pytest.raises(ConfigError, match="there are none"):
        pair_choices([EarlyStopping(patience=3)])
