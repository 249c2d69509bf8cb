"""TensorBoard's own loader and Keras's own callbacks against our readers."""

from __future__ import annotations

import math
import struct
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay.loading import load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.reading import read_events
from cbreplay.run_metadata import RunMetadata
from tests.conftest import ROOT, corpus_files
from tests.oracles.plain_events import in_order, read_plainly
from tests.oracles.tensorboard_loader import (
    Style,
    event,
    load_points,
    record,
    restart_event,
    value,
    version_event,
    write_events,
)

pytestmark = pytest.mark.keras


def our_points(path: Path) -> list[tuple[float, int, str, float]]:
    """Read the scalars in both ways, which must agree."""
    found = []
    for read in (read_events, read_plainly):
        table = read(str(path))
        tags, *columns, _ = in_order(table)
        steps, wall_times, values = (one.tolist() for one in columns)
        found.append(list(zip(wall_times, steps, tags, values, strict=True)))
    assert in_bits(found[0]) == in_bits(found[1])
    return found[0]


def in_bits(points: list[tuple[float, int, str, float]]) -> list[tuple[Any, ...]]:
    """Compare NaN as NaN, and -0.0 as another than 0.0."""
    return [
        (struct.pack("<d", wall), step, tag, "nan" if math.isnan(n) else n.hex())
        for wall, step, tag, n in points
    ]


EVENT_FILES = sorted((ROOT / "sample_logs").rglob("*tfevents*")) + corpus_files(
    "*tfevents*"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", EVENT_FILES, ids=lambda path: "/".join(path.parts[-3:])
)
def test_every_value_of_a_real_file_is_tensorboard_s(path: Path) -> None:
    assert in_bits(our_points(path)) == in_bits(load_points(path))


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


@pytest.mark.parametrize(
    "dtype",
    [
        "float32",
        "float64",
        "float16",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "bool",
    ],
)
def test_a_scalar_of_any_type_reads_as_tensorboard_reads_it(
    tmp_path: Path, dtype: str
) -> None:
    path = write_numbers(tmp_path, dtype, NUMBERS[dtype[0]])
    assert our_points(path) == load_points(path)
    assert [point[3] for point in our_points(path)] == NUMBERS[dtype[0]]


# which TensorBoard has no numbers for
@pytest.mark.parametrize("dtype", ["bfloat16", "uint32", "uint64"])
def test_a_scalar_of_a_type_unknown_to_tensorboard_is_the_number_written(
    tmp_path: Path, dtype: str
) -> None:
    path = write_numbers(tmp_path, dtype, NUMBERS["u"])
    assert [point[3] for point in our_points(path)] == NUMBERS["u"]


# each exact in the shortest type of its kind
NUMBERS = {
    "f": [0.0, 1.0, -3.0, 7.5],
    "i": [0.0, 1.0, -3.0, 7.0],
    "u": [0.0, 1.0, 3.0, 200.0],
    "b": [0.0, 1.0],
}


def write_numbers(directory: Path, dtype: str, numbers: list[float]) -> Path:
    """Write numbers with TensorFlow, among summaries of other kinds."""
    import tensorflow as tf

    metadata = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    with tf.summary.create_file_writer(str(directory)).as_default():
        for step, number in enumerate(numbers):
            tensor = tf.cast(tf.constant(number, dtype="float64"), dtype)
            tf.summary.write("epoch_loss", tensor, step=step, metadata=metadata)
        tf.summary.histogram("weights", [1.0, 2.0], step=0)
        tf.summary.text("text", "words", step=0)
    (path,) = directory.iterdir()
    return path


POINTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["epoch_loss", "epoch_accuracy", "a/b", "<b>", "\u202e", "x" * 300]
        ),
        st.integers(0, 2**40),
        st.floats(width=32),
    ),
    min_size=1,
    max_size=80,
)


@settings(deadline=None, max_examples=25)
@given(points=POINTS)
def test_what_tf_summary_wrote_comes_back_bit_by_bit(
    points: list[tuple[str, int, float]],
) -> None:
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as directory:
        writer = tf.summary.create_file_writer(directory)
        with writer.as_default():
            for tag, step, number in points:
                tf.summary.scalar(tag, number, step=step)
        writer.close()
        (path,) = Path(directory).iterdir()
        found = our_points(path)
        assert in_bits(found) == in_bits(load_points(path))
    # TensorFlow keeps the tensors of Python floats, and takes 0.0 and -0.0 for one
    written = [(0.0, step, tag, number or 0.0) for tag, step, number in points]
    unsigned = [(*one[:-1], one[-1] or 0.0) for one in found]
    assert [one[1:] for one in in_bits(unsigned)] == [
        one[1:] for one in in_bits(written)
    ]


@settings(deadline=None, max_examples=25)
@given(points=POINTS)
def test_what_tensorboard_s_own_writer_wrote_comes_back_bit_by_bit(
    points: list[tuple[str, int, float]],
) -> None:
    """PyTorch's SummaryWriter is this writer, with simple_value."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    with tempfile.TemporaryDirectory() as directory:
        writer = EventFileWriter(directory)
        for i, (tag, step, number) in enumerate(points):
            held = Summary(value=[Summary.Value(tag=tag, simple_value=number)])
            writer.add_event(Event(wall_time=i / 7, step=step, summary=held))
        writer.close()
        (path,) = Path(directory).iterdir()
        found = our_points(path)
        assert in_bits(found) == in_bits(load_points(path))
    written = [(i / 7, step, tag, n) for i, (tag, step, n) in enumerate(points)]
    assert in_bits(found) == in_bits(written)


@pytest.mark.parametrize("seed", range(12))
def test_marked_restarts_leave_what_tensorboard_shows(
    tmp_path: Path, seed: int
) -> None:
    # the one behind TensorBoard's pages; the older one does not purge tensors
    from tensorboard.backend.event_processing.plugin_event_accumulator import (
        EventAccumulator,
    )
    from tensorboard.util.tensor_util import make_ndarray

    random = np.random.default_rng(seed)
    first = 0
    for number in range(4):
        payloads = [version_event(float(number))]
        # of the first mark of all TensorBoard takes no notice; a fit that is killed
        # before its first step leaves nothing but its mark
        for _ in range(random.integers(1, 3) if number else 1):
            first = int(random.integers(0, first + 3)) if number else 0
            payloads.append(restart_event(100.0 * number, first))
        steps = range(first, first + int(random.integers(1, 9)))
        payloads += [
            event(100.0 * number + i, step, value("val_loss", random.normal()))
            for i, step in enumerate(steps)
        ]
        path = tmp_path / f"events.out.tfevents.{number}.host.1"
        path.write_bytes(b"".join(map(record, payloads)))
        first = steps[-1] + 1
    shown = EventAccumulator(
        str(tmp_path), tensor_size_guidance={"scalars": 0}
    ).Reload()
    points = {
        point.step: make_ndarray(point.tensor_proto).item()
        for point in shown.Tensors("val_loss")
    }
    (run,) = load_runs(tmp_path, x_axis="epoch", first_epoch=min(points))
    found = zip(run.epochs.tolist(), run.series["val_loss"], strict=True)
    assert {step: number for step, number in found if number is not None} == points


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
    from cbreplay.loading.recorded_rates import read_rate
    from cbreplay.readers.event_files.tensorboard import TensorBoardReader

    directory, _, seen, callbacks = trained[order]
    metadata = RunMetadata(callbacks=callbacks, initial_learning_rate=seen[0])
    reader = TensorBoardReader(ReadOptions(), metadata)
    run = read_rate(*reader.read(str(directory / "tensorboard")))
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
