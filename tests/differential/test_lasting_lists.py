"""What `lint` says of a list that grows with each fit, by Keras's own fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.oracles.trained_scripts import findings_in, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

TRAINING = """
import keras
import numpy as np
x = y = np.ones((4, 1), "float32")
def train(fold, callbacks):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callbacks.append(HELD)
    return model.fit(x, y, epochs=fold + 2, verbose=0, callbacks=callbacks)
"""
LASTING = "kept = []\nfits = [train(0, kept), train(1, kept)]\n"
ANEW = "fits = [train(0, []), train(1, [])]\n"
# no value is ever better by so much
NEVER = "'loss', patience=1, min_delta=1e9"


def run(held: str, calls: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the second fit, and what `lint` says of it."""
    text = TRAINING.replace("HELD", f"keras.callbacks.{held}") + calls
    monkeypatch.chdir(path)
    names = run_script(text)
    found = findings_in(path, text)
    said = {
        finding.message.partition("which ")[2]
        for finding in found
        if finding.code == "stays-in-list"
    }
    return names["fits"][1], said


@pytest.mark.parametrize(("calls", "rows"), [(LASTING, 3), (ANEW, 2)])
def test_the_log_of_the_first_fit_gets_that_of_the_second(
    calls: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said = run("CSVLogger(f'{fold}.csv')", calls, tmp_path, monkeypatch)
    assert len((tmp_path / "0.csv").read_text().splitlines()) - 1 == rows
    stays = {"logs the later fit in the earlier file"}
    assert said == (stays if calls == LASTING else set())


@pytest.mark.parametrize("calls", [LASTING, ANEW])
def test_the_file_of_the_first_fit_gets_the_second_model(
    calls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = "ModelCheckpoint(f'{fold}.keras')"
    _, said = run(held, calls, tmp_path, monkeypatch)
    import keras

    saved = [
        keras.models.load_model(tmp_path / f"{fold}.keras").get_weights()[0]
        for fold in (0, 1)
    ]
    assert (saved[0] == saved[1]).all() == (calls == LASTING)
    stays = {"may save the later model over the earlier file"}
    assert said == (stays if calls == LASTING else set())


@pytest.mark.parametrize(("calls", "factor"), [(LASTING, 0.25), (ANEW, 0.5)])
def test_two_plateaus_reduce_in_one_epoch(
    calls: str, factor: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = f"ReduceLROnPlateau({NEVER}, factor=0.5)"
    second, said = run(held, calls, tmp_path, monkeypatch)
    rate = float(second.model.optimizer.learning_rate)
    # of three epochs, the second and the third are no better
    assert rate == pytest.approx(0.01 * factor**2)
    stays = {"reduces the rate too: where they agree, several times in an epoch"}
    assert said == (stays if calls == LASTING else set())


@pytest.mark.parametrize(
    ("patience", "calls", "epochs", "expected"),
    [
        ("1 + 5 * fold", LASTING, 2, {"may stop it too"}),
        ("1 + 5 * fold", ANEW, 3, set()),
        # the earlier one stops where the later one does
        ("1", LASTING, 2, {"adds nothing"}),
        ("1", ANEW, 2, set()),
    ],
)
def test_the_shorter_patience_of_the_first_fit_stops_the_second(  # noqa: PLR0917
    patience: str,
    calls: str,
    epochs: int,
    expected: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = f"EarlyStopping({NEVER.replace('patience=1', f'patience={patience}')})"
    second, said = run(held, calls, tmp_path, monkeypatch)
    assert len(second.epoch) == epochs
    assert said == expected


@pytest.mark.parametrize(("calls", "factor"), [(LASTING, 0.25), (ANEW, 0.5)])
def test_two_schedulers_set_the_rate_one_after_the_other(
    calls: str, factor: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = "LearningRateScheduler(lambda epoch, rate: rate / 2)"
    second, said = run(held, calls, tmp_path, monkeypatch)
    rate = float(second.model.optimizer.learning_rate)
    assert rate == pytest.approx(0.01 * factor**3)
    assert said == ({"sets the learning rate too"} if calls == LASTING else set())
