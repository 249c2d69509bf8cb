"""TensorBoard's own loader and Keras's own callbacks against our readers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cbreplay.readers import load_runs
from cbreplay.readers._event_proto import EventScalars
from cbreplay.readers._record_io import read_records
from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.run_metadata import RunMetadata
from tests.oracles.tensorboard_loader import Style, load_points, write_events

pytestmark = pytest.mark.keras


def our_points(path: Path) -> list[tuple[float, int, str, float]]:
    events = EventScalars()
    return [
        (one.wall_time, one.step, one.tag, one.value)
        for _, payload in read_records(str(path), Damage(ReadOptions()))
        for one in events.read(payload)
    ]


@pytest.mark.parametrize("style", ["tensor_content", "float_val", "simple_value"])
def test_every_style_reads_as_tensorboard_reads_it(
    tmp_path: Path, style: Style
) -> None:
    random = np.random.default_rng(5)
    points = [
        (float(i) / 7, i // 3, f"epoch_{'abc'[i % 3]}", float(random.normal()))
        for i in range(300)
    ]
    path = write_events(tmp_path / "events.out.tfevents.1", points, style)
    assert our_points(path) == load_points(path)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64"])
def test_a_scalar_of_any_type_reads_as_tensorboard_reads_it(
    tmp_path: Path, dtype: str
) -> None:
    import tensorflow as tf

    metadata = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for step, number in enumerate([0, 1, -3, 7]):
            tensor = tf.constant(number, dtype=dtype)
            tf.summary.write("epoch_loss", tensor, step=step, metadata=metadata)
        tf.summary.histogram("weights", [1.0, 2.0], step=0)
        tf.summary.text("text", "words", step=0)
    (path,) = tmp_path.iterdir()
    assert our_points(path) == load_points(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Train one tiny model with the callbacks in every order that matters."""
    import keras

    random = np.random.default_rng(7)
    x, y = random.normal(size=(32, 3)), random.normal(size=(32, 1))
    found = {}
    for order in ("reducer first", "board first", "scheduler first"):
        keras.utils.set_random_seed(3)
        directory = tmp_path_factory.mktemp("run") / "exp"
        seen: list[float] = []
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        board = keras.callbacks.TensorBoard(
            directory / "tensorboard", write_graph=False
        )
        reducer = keras.callbacks.ReduceLROnPlateau(
            monitor="loss", patience=1, min_delta=10, factor=0.5
        )
        scheduler = keras.callbacks.LearningRateScheduler(
            lambda epoch: 0.1 / (epoch + 1)
        )
        watcher = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda _, __, m=model, s=seen: s.append(
                float(m.optimizer.learning_rate.numpy())
            )
        )
        callbacks = {
            "reducer first": [reducer, board],
            "board first": [board, reducer],
            "scheduler first": [scheduler, board],
        }[order]
        logger = keras.callbacks.CSVLogger(directory / "logs.csv")
        directory.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras's own, under numpy 2
            history = model.fit(
                x,
                y,
                validation_split=0.25,
                epochs=4,
                verbose=0,
                callbacks=[*callbacks, logger, watcher],
            )
        names = [f"{type(one).__name__}()" for one in [*callbacks, logger]]
        found[order] = (directory, history, seen, tuple(names))
    return found


ORDERS = ["reducer first", "board first", "scheduler first"]


@pytest.mark.parametrize("order", ORDERS)
def test_csv_events_and_history_of_one_fit_agree(
    trained: dict[str, Any], order: str
) -> None:
    directory, history, _, _ = trained[order]
    (run,) = load_runs(directory)
    (from_history,) = load_runs(history)
    assert "are one training (16 common values agree)" in run.notes[0]
    assert set(run.series) == set(from_history.series)
    for name, series in from_history.series.items():
        assert run.series[name].values.tolist() == series.values.tolist()


@pytest.mark.parametrize("order", ORDERS)
def test_the_rate_of_the_event_files_is_the_one_trained_at(
    trained: dict[str, Any], order: str
) -> None:
    from cbreplay.readers.tensorboard import TensorBoardReader

    directory, _, seen, callbacks = trained[order]
    metadata = RunMetadata(callbacks=callbacks, initial_learning_rate=seen[0])
    reader = TensorBoardReader(ReadOptions(), metadata)
    (run,) = reader.read(str(directory / "tensorboard"))
    assert len(set(seen)) > 1
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == seen
    assert run.other_learning_rate is None


@pytest.mark.parametrize("order", ["reducer first", "board first"])
def test_one_of_two_readings_is_the_rate_trained_at(
    trained: dict[str, Any], order: str
) -> None:
    directory, _, seen, _ = trained[order]
    (run,) = load_runs(directory / "tensorboard")
    assert run.learning_rate is not None
    assert run.other_learning_rate is not None
    readings = [run.learning_rate, run.other_learning_rate]
    assert seen in [one.values.tolist() for one in readings]


def test_event_values_are_those_that_tensorboard_loads(trained: dict[str, Any]) -> None:
    directory, _, _, _ = trained["board first"]
    for path in sorted(Path(directory, "tensorboard").glob("*/*tfevents*")):
        assert our_points(path) == load_points(path)
