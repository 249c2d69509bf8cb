from __future__ import annotations

import numpy as np
import pytest

from cbreplay.record.experiments import EXPERIMENTS, split_examples

pytestmark = pytest.mark.keras

NAMES = sorted(EXPERIMENTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_split_depends_on_the_seed_and_nothing_else(name: str) -> None:
    experiment = EXPERIMENTS[name]
    first, again, other = (split_examples(experiment, seed) for seed in (3, 3, 4))
    for part in range(2):
        assert np.array_equal(first[part].inputs, again[part].inputs)
        assert np.array_equal(first[part].targets, again[part].targets)
    assert not np.array_equal(first[1].targets, other[1].targets)


@pytest.mark.parametrize("name", NAMES)
def test_a_split_leaves_out_no_example_and_repeats_none(name: str) -> None:
    experiment = EXPERIMENTS[name]
    training, validation = split_examples(experiment, 0)
    targets = np.concatenate([training.targets, validation.targets])
    assert np.array_equal(np.sort(targets), np.sort(experiment.load().targets))
    share = len(validation.targets) / len(targets)
    assert share == pytest.approx(experiment.validation_share, abs=0.01)


@pytest.mark.parametrize("name", ["breast-cancer", "diabetes"])
def test_inputs_are_standardized_by_the_training_part_alone(name: str) -> None:
    training, validation = split_examples(EXPERIMENTS[name], 0)
    assert np.allclose(training.inputs.mean(axis=0), 0)
    assert np.allclose(training.inputs.std(axis=0), 1)
    assert not np.allclose(validation.inputs.mean(axis=0), 0)
