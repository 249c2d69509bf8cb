from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from cbreplay.errors import ConfigError
from cbreplay.expressions import parse_callbacks
from cbreplay.record.keras_callbacks import describe_callback, make_keras_callback
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

pytestmark = pytest.mark.keras


def test_our_callback_becomes_keras_own_with_the_same_settings() -> None:
    import keras

    made = make_keras_callback(EarlyStopping("val_mae", 0.5, 3, baseline=2.0))
    assert type(made) is keras.callbacks.EarlyStopping
    assert (made.monitor, made.min_delta, made.patience) == ("val_mae", 0.5, 3)
    assert made.baseline == 2.0


def test_a_real_callback_is_given_back_itself() -> None:
    import keras

    callback = keras.callbacks.EarlyStopping()
    assert make_keras_callback(callback) is callback


@dataclass(frozen=True)
class Unheard:
    """A callback that Keras does not have."""

    patience: int = 3


@pytest.mark.parametrize("stranger", [Unheard(), "EarlyStopping()", object()])
def test_what_is_no_callback_is_refused(stranger: object) -> None:
    with pytest.raises(ConfigError, match="no callback to train with"):
        make_keras_callback(stranger)


def test_what_only_logs_is_to_be_left_out() -> None:
    (logger,) = parse_callbacks("CSVLogger('x')")
    with pytest.raises(ConfigError, match=r"^CSVLogger decides nothing, and this"):
        make_keras_callback(logger)


def test_what_keras_refuses_is_refused_with_its_reason() -> None:
    @dataclass(frozen=True)
    class ModelCheckpoint:
        filepath: str

    with pytest.raises(ConfigError, match=r"must end in `\.keras`"):
        make_keras_callback(ModelCheckpoint("weights.txt"))


def _describe(name: str, *positional: Any, **arguments: Any) -> str:
    import keras

    return describe_callback(getattr(keras.callbacks, name)(*positional, **arguments))


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("EarlyStopping", {}, "EarlyStopping()"),
        (
            "EarlyStopping",
            {"restore_best_weights": True, "monitor": "val_auc", "mode": "max"},
            "EarlyStopping(monitor='val_auc', mode='max', restore_best_weights=True)",
        ),
        (
            "ReduceLROnPlateau",
            {"patience": np.int64(4), "factor": np.float64(0.5), "min_delta": 1e-4},
            "ReduceLROnPlateau(factor=0.5, patience=4)",
        ),
        (
            "ModelCheckpoint",
            {"filepath": "best.keras", "initial_value_threshold": 0.4},
            "ModelCheckpoint('best.keras', initial_value_threshold=0.4)",
        ),
        ("TerminateOnNaN", {"raise_error": True}, "TerminateOnNaN(raise_error=True)"),
        ("LearningRateScheduler", {"schedule": abs}, "LearningRateScheduler(...)"),
        (
            "EarlyStopping",
            {"baseline": np.array([0.1, 0.2])},
            "EarlyStopping(baseline=...)",
        ),
        ("EarlyStopping", {"baseline": float("inf")}, "EarlyStopping(baseline=...)"),
    ],
)
def test_a_callback_is_written_as_the_call_that_makes_it(
    name: str, arguments: dict[str, Any], text: str
) -> None:
    assert _describe(name, **arguments) == text


def test_the_text_of_a_callback_reads_back_as_it() -> None:
    from cbreplay.expressions import parse_callbacks

    callback = ReduceLROnPlateau(monitor="loss", factor=0.3, cooldown=2, min_lr=1e-6)
    text = describe_callback(make_keras_callback(callback))
    assert parse_callbacks(text) == [callback]


@pytest.mark.keras
def test_an_argument_that_an_older_keras_lacks_is_left_out_at_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keras

    from cbreplay import TerminateOnNaN

    class OlderTerminateOnNaN(keras.callbacks.Callback):  # type: ignore[misc]  # untyped
        """As before Keras 3.13: without raise_error."""

    monkeypatch.setattr(keras.callbacks, "TerminateOnNaN", OlderTerminateOnNaN)
    made = make_keras_callback(TerminateOnNaN())
    assert isinstance(made, OlderTerminateOnNaN)


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau"])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_before_a_second_fit_a_callback_is_written_as_it_was_given(
    name: str, mode: str
) -> None:
    import keras

    kind = getattr(keras.callbacks, name)
    callback = kind(patience=2, min_delta=0.25, mode=mode)
    text = describe_callback(callback)
    # Keras does so at the end of the first epoch
    callback._set_monitor_op()
    assert callback.min_delta == (-0.25 if mode == "min" else 0.25)
    assert describe_callback(callback) == text
    assert "min_delta=0.25" in text
