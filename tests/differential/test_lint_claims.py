"""What `lint` says of patience, by the real callbacks of the installed Keras."""

from __future__ import annotations

import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau
from tests.oracles.keras_driver import as_keras, drive

pytestmark = [
    pytest.mark.keras,
    # what Keras says of a monitor that is not there
    pytest.mark.filterwarnings("ignore"),
]
NOISY = [
    {"loss": loss, "val_loss": loss}
    for loss in (0.9, 0.7, 0.8, 0.6, 0.65, 0.66, 0.67, 0.68, 0.69, 0.7)
]


@pytest.mark.parametrize(
    ("patience", "acts_as"), [(0, 1), (0.5, 1), (1.5, 2), (2.25, 3), (3.0, 3)]
)
def test_patience_acts_as_the_next_whole_number_and_zero_as_one(
    patience: float, acts_as: int
) -> None:
    both = [
        drive(
            [as_keras(ReduceLROnPlateau(patience=given, factor=0.5))],
            NOISY,
            learning_rate=1.0,
        ).rates
        for given in (patience, acts_as)
    ]
    assert both[0] == both[1]
    assert min(both[0]) < 1
    stops = [
        drive(
            [as_keras(EarlyStopping(patience=given))], NOISY, learning_rate=1.0
        ).stopped_epoch
        for given in (patience, acts_as)
    ]
    assert stops[0] == stops[1]
    assert stops[0] is not None
