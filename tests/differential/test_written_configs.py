"""A learning rate in a config that Keras makes the optimizer of, as `lint` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.lint.scripts import lint_script, unchecked_rates
from tests.oracles.trained_scripts import read_script, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

HEAD = """
import keras
import numpy as np
x = y = np.ones((4, 1), "float32")
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
OWN = {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.9}
DECAY = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": OWN,
}
CONFIG = {"learning_rate": DECAY}
"""
# no value is ever better by so much
FIT = """
stop = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9, factor=0.5)
model.fit(x, y, epochs=3, verbose=0, callbacks=[stop])
"""
DECAY = "keras.optimizers.schedules"


@pytest.mark.parametrize(
    ("made", "schedule"),
    [
        ("deserialize({'class_name': 'Adam', 'config': CONFIG})", "ExponentialDecay"),
        ("deserialize(config={'class_name': 'Adam', 'config': CONFIG})", "Exponential"),
        (
            (
                "deserialize({'class_name': 'Adam', 'config': {'learning_rate': {"
                f"'module': '{DECAY}', 'class_name': 'ExponentialDecay', "
                "'config': OWN}}})"
            ),
            "ExponentialDecay",
        ),
        ("get({'class_name': 'Adam', 'config': CONFIG})", "ExponentialDecay"),
        ("Adam.from_config(CONFIG)", "ExponentialDecay"),
        (f"Adam.from_config({{'learning_rate': {DECAY}.CosineDecay(1, 2)}})", "Cosine"),
        (f"Adam({DECAY}.deserialize(DECAY))", "LearningRateSchedule"),
        (f"Adam({DECAY}.ExponentialDecay.from_config(OWN))", "ExponentialDecay"),
        ("Adam.from_config({'learning_rate': 0.1})", ""),
        ("deserialize({'class_name': 'Adam', 'config': {'learning_rate': 0.1}})", ""),
        ("deserialize({'class_name': 'Adam', 'config': {'beta_1': 0.8}})", ""),
        ("get('adam')", ""),
    ],
)
def test_a_schedule_in_a_config_is_found_where_a_plateau_cannot_reduce(
    made: str, schedule: str, tmp_path: Path
) -> None:
    text = f"{HEAD}model.compile(keras.optimizers.{made}, 'mse')\n{FIT}"
    try:
        run_script(text)
    except TypeError as error:
        refused = "LearningRateSchedule" in str(error)
    else:
        refused = False
    assert refused is bool(schedule)

    read = read_script(tmp_path, text)
    found = [
        placed.finding.message
        for placed in lint_script(read, semantics="keras-3.15")
        if placed.finding.code == "schedule-beside-plateau"
    ]
    assert [schedule in message for message in found] == [True] * refused
    if refused:
        assert list(unchecked_rates(read)) == []


@pytest.mark.parametrize(
    "config",
    [
        # Keras 3 finds no class without its module; tf_keras does
        "{'learning_rate': {'class_name': 'ExponentialDecay', 'config': {}}}",
        "{'learning_rate': rate}",
        "dict(learning_rate=json.load(open('rate.json')))",
    ],
)
def test_a_rate_in_a_config_that_is_not_told_is_named(
    config: str, tmp_path: Path
) -> None:
    text = f"import json\nfrom own import rate\n{HEAD}"
    text += f"model.compile(keras.optimizers.Adam.from_config({config}))\n{FIT}"
    read = read_script(tmp_path, text)
    (told,) = unchecked_rates(read)
    assert "whether the optimizer has a LearningRateSchedule is not read" in told
    codes = {p.finding.code for p in lint_script(read, semantics="keras-3.15")}
    assert "schedule-beside-plateau" not in codes
