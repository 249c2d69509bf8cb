"""Pairs are made of one seed each, and a seed is counted once."""

from __future__ import annotations

import pytest

from benchmarks.tuning_worth.tables import count_signs, find_pairs, sign_test


def row(chosen: str, seed: int, test_loss: float, epochs: int = 5) -> dict[str, str]:
    return {
        "chosen": chosen,
        "seed": str(seed),
        "test_loss": str(test_loss),
        "val_loss": "1.0",
        "epochs": str(epochs),
    }


ROWS = [
    row("3 runs", 7, 0.5, 9),
    row("3 runs", 7, 1.25, 9),
    row("3 runs", 8, 3.0, 9),
    row("always 10", 8, 2.0),
    row("always 10", 7, 1.0),
]


def test_both_of_a_pair_have_one_seed() -> None:
    pairs = find_pairs(ROWS, "3 runs", "always 10")
    assert [pair.test_loss for pair in pairs] == pytest.approx([-0.5, 0.25, 0.5])
    assert {(pair.epochs, pair.other_epochs) for pair in pairs} == {(9, 5)}


def test_a_seed_that_several_choices_share_is_one_observation() -> None:
    # seed 7 is better by a half and worse by a quarter
    assert count_signs(find_pairs(ROWS, "3 runs", "always 10")) == (1, 1)


def test_a_sign_test_counts_both_tails() -> None:
    # of 2 ** 3 ways that three seeds can fall, two are as unequal
    assert sign_test(3, 0) == pytest.approx(2 / 8)
    assert sign_test(2, 2) == pytest.approx(1.0)
    assert sign_test(0, 0) == pytest.approx(1.0)
