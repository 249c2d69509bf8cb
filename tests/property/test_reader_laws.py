"""Laws of reading: what Keras wrote comes back bit by bit, and cuts are seen."""

from __future__ import annotations

import math
import struct
import tempfile
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cbreplay import CbreplayError, LogError, Series
from cbreplay.loading import load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader
from cbreplay.readers.event_files.events import read_event
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.records import masked_checksum
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.oracles.plain_events import read_plainly
from tests.oracles.tensorboard_loader import event, value, write_events

if TYPE_CHECKING:
    from cbreplay import Run
    from tests.oracles.tensorboard_loader import Style

# tmp_path is made once for all examples; each example writes its own file
SHARED_PATH = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NAMES = ["acc", "loss", "val_acc", "val_loss"]
VALUES = st.floats() | st.floats(width=32)


@st.composite
def epoch_logs(draw: st.DrawFn) -> list[dict[str, float]]:
    """One `logs` dict for each epoch; any key but those of the first may be absent."""
    first = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    later = st.fixed_dictionaries({}, optional=dict.fromkeys(first, VALUES))
    return [first, *draw(st.lists(later, max_size=6))]


def same_bits(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return struct.pack("<d", left) == struct.pack("<d", right)


def holds(run: Run, logs: list[dict[str, float]]) -> bool:
    """Tell whether a run holds exactly these values, and none where a key is absent."""
    return run.n_epochs == len(logs) and all(
        bool(series.recorded[epoch]) == (name in row)
        and (name not in row or same_bits(float(series.values[epoch]), row[name]))
        for name, series in run.series.items()
        for epoch, row in enumerate(logs)
    )


@pytest.mark.keras
@SHARED_PATH
@given(logs=epoch_logs(), separator=st.sampled_from(",;\t|"))
def test_what_csv_logger_wrote_comes_back_bit_by_bit(
    tmp_path: Path, logs: list[dict[str, float]], separator: str
) -> None:
    from keras.callbacks import CSVLogger

    path = tmp_path / "logs.csv"
    logger: Any = CSVLogger(str(path), separator=separator)
    logger.on_train_begin()
    for epoch, row in enumerate(logs):
        logger.on_epoch_end(epoch, row)
    logger.on_train_end()
    (run,) = load_runs(path)
    assert set(run.series) == set(logs[0])
    # a 0 in all epochs but every second stands for none, and a note says so
    assert holds(run, logs) or any("was read as no value" in told for told in run.notes)


@pytest.mark.keras
@SHARED_PATH
@given(first=epoch_logs(), second=epoch_logs(), begins=st.integers(0, 9))
@example(first=[{"loss": 0.0}, {}, {}], second=[{"loss": 0.0}], begins=2)
@example(first=[{"loss": 0.5}, {"loss": 0.4}], second=[{"loss": 0.3}], begins=1)
def test_what_a_second_fit_appended_is_read_or_refused_but_never_misread(
    tmp_path: Path,
    first: list[dict[str, float]],
    second: list[dict[str, float]],
    begins: int,
) -> None:
    from keras.callbacks import CSVLogger

    path = tmp_path / "logs.csv"
    path.unlink(missing_ok=True)
    for logs, initial in ((first, 0), (second, begins)):
        logger: Any = CSVLogger(str(path), append=True)
        logger.on_train_begin()
        for epoch, row in enumerate(logs, start=initial):
            logger.on_epoch_end(epoch, row)
        logger.on_train_end()
    try:
        runs = load_runs(path)
    except LogError:
        # Keras writes other metrics below the old header, without a word
        assert set(first[0]) != set(second[0])
        return
    if len(runs) > 1:
        assert all("share one header" in " ".join(run.notes) for run in runs)
    if set(first[0]) == set(second[0]):
        resumed = begins >= len(first)
        n_rows = min(len(first), len(second))
        if begins == 0 and len(runs) == 1:
            # the same rows again, from the first one on, are one training; in a copy
            # that was saved again, NaN may be an empty cell
            assert all(map(alike, first[:n_rows], second[:n_rows]))
            longest = max(len(first), len(second))
            copies = [logs for logs in (first, second) if len(logs) == longest]
            assert any(holds(runs[0], logs) for logs in copies)
            return
        if begins == len(first) - 1 and len(runs) == 1:
            # the last epoch twice in a row is one epoch with two values: none is lost
            assert runs[0].n_epochs == begins + len(second)
            assert holds(head(runs[0], begins), first[:begins])
            assert all(told(runs[0], begins, *value) for value in first[-1].items())
            assert all(told(runs[0], begins, *value) for value in second[0].items())
            return
        assert len(runs) == (1 if resumed else 2)
        assert holds(runs[0] if not resumed else head(runs[0], len(first)), first)
        if not resumed:
            assert holds(runs[1], second)


def alike(left: dict[str, float], right: dict[str, float]) -> bool:
    """Tell whether two rows hold the same numbers."""
    missing = math.nan
    pairs = [(left.get(name, missing), right.get(name, missing)) for name in NAMES]
    return all(one == other or same_bits(one, other) for one, other in pairs)


def told(run: Run, epoch: int, name: str, value: float) -> bool:
    """Tell whether a value is one of those that a run holds of an epoch."""
    series = run.series[name]
    held = [float(series.values[epoch]), *series.others.get(epoch, ())]
    return any(own == value or same_bits(own, value) for own in held)


def head(run: Run, length: int) -> Run:
    """Return the first epochs of a run."""
    series = {
        name: Series(one.values[:length], one.recorded[:length])
        for name, one in run.series.items()
    }
    return replace(run, series=series, epoch_seconds=None, learning_rate=None)


@SHARED_PATH
# where all are 0, none is taken as recorded
@given(
    rates=st.lists(st.floats(width=32, min_value=0, max_value=10), min_size=1).filter(
        any
    )
)
def test_a_rate_in_text_is_the_float32_that_was_written(rates: list[float]) -> None:
    rows = "".join(f"{i},1,{rate!r}\r\n" for i, rate in enumerate(rates))
    content = f"epoch,loss,lr\r\n{rows}".encode()
    (run,) = CsvLoggerReader(ReadOptions()).read_content(content, "logs.csv")
    assert run.learning_rate is not None
    assert [float(rate) for rate in run.learning_rate.values] == rates


CSV_LIKE = st.text(alphabet="epoch,lsNA01.;\t|\"\r\n'[]-").map(str.encode)


@given(content=st.binary() | CSV_LIKE, errors=st.sampled_from(["strict", "skip"]))
def test_no_bytes_make_another_error_than_a_log_error(
    content: bytes, errors: Literal["strict", "skip"]
) -> None:
    reader = CsvLoggerReader(ReadOptions(errors=errors))
    try:
        told = [run.source for run in reader.read_content(content, "logs.csv")]
    except LogError as error:
        told = [str(error)]
    assert all(one.startswith("logs.csv") for one in told)


@given(content=st.binary(max_size=60))
def test_no_bytes_make_an_event_that_fails_otherwise(content: bytes) -> None:
    try:
        found = read_event(content).values
    except ValueError:
        found = []
    assert all(held.number is None or type(held.number) is float for held in found)


@SHARED_PATH
@given(
    tag=st.text(max_size=40),
    step=st.integers(-(2**63), 2**63 - 1),
    number=st.floats(width=32),
    flips=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 255)), max_size=2),
)
def test_a_known_form_never_changes_what_an_event_holds(
    tmp_path: Path, tag: str, step: int, number: float, flips: list[tuple[int, int]]
) -> None:
    plain = event(1.0, 3, value(tag, 0.5))
    changed = bytearray(event(2.0, step, value(tag, number)))
    for position, bits in flips:
        changed[position % len(changed)] ^= bits
    path = tmp_path / "events"
    path.write_bytes(b"".join(map(frame, [plain, plain, bytes(changed), plain])))
    assert contents(read_events(str(path))) == contents(read_plainly(str(path)))


def frame(payload: bytes, length: int | None = None) -> bytes:
    head = struct.pack("<Q", len(payload) if length is None else length)
    sums = [struct.pack("<I", masked_checksum(one)) for one in (head, payload)]
    return head + sums[0] + payload + sums[1]


STYLES: list[Style] = ["tensor_content", "float_val", "simple_value"]
STEPS = st.integers(0, 300) | st.integers(-(2**63), 2**63 - 1)


@st.composite
def event_file(draw: st.DrawFn) -> bytes:
    """A log of a few tags, then some damage: bytes, payloads, lengths, a cut."""
    tags = draw(st.lists(st.text(max_size=30), min_size=1, max_size=4, unique=True))
    style = draw(st.sampled_from(STYLES))
    first = draw(STEPS)
    payloads = [
        event(step / 3, first + step, value(tag, step / 7, style))
        for step in range(draw(st.integers(1, 150)))
        for tag in tags
    ]
    for _ in range(draw(st.integers(0, 4))):
        i = draw(st.integers(0, len(payloads) - 1))
        changed = bytearray(payloads[i])
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
        payloads[i] = draw(st.sampled_from([bytes(changed), bytes(changed[:-3])]))
    lie = draw(st.none() | st.integers(0, 2**64 - 1))
    records = [frame(one) for one in payloads]
    if lie is not None:
        i = draw(st.integers(0, len(payloads) - 1))
        records[i] = frame(payloads[i], lie)
    content = bytearray(b"".join(records))
    for _ in range(draw(st.integers(0, 2))):
        content[draw(st.integers(0, len(content) - 1))] ^= draw(st.integers(1, 255))
    return bytes(content[: draw(st.integers(1, len(content)))])


def contents(table: Any) -> list[object]:
    scalars = [(tag, *map(bytes, own)) for tag, own in table.scalars.items()]
    return [
        scalars,
        table.other_tags,
        table.restarts,
        *map(str, [table.unfinished, *table.damage.errors]),
    ]


@SHARED_PATH
@given(content=event_file() | st.binary(min_size=1), piece=st.integers(16, 4_000))
def test_records_read_together_and_one_by_one_are_the_same(
    tmp_path: Path, content: bytes, piece: int
) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    try:
        plain = contents(read_plainly(str(path)))
    except LogError as error:
        with pytest.raises(type(error)):
            read_events(str(path), piece)
        return
    assert contents(read_events(str(path), piece)) == plain


@SHARED_PATH
@given(
    content=event_file() | st.binary(),
    errors=st.sampled_from(["strict", "skip"]),
    x_axis=st.sampled_from([None, "epoch", "step"]),
)
def test_no_event_file_makes_another_error_than_a_named_one(
    tmp_path: Path,
    content: bytes,
    errors: Literal["strict", "skip"],
    x_axis: Literal["epoch", "step"] | None,
) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(content)
    options = ReadOptions(errors=errors, x_axis=x_axis)
    try:
        told = [run.source for run in TensorBoardReader(options).read(str(path))]
    except CbreplayError as error:
        told = [str(error)]
    assert told
    assert all(one.startswith(str(path)) for one in told)


@st.composite
def dealt_epochs(draw: st.DrawFn) -> list[list[int]]:
    """Deal the epochs of a training to writers: in turn, or in buffers of some size."""
    n_writers, size = draw(st.integers(2, 4)), draw(st.integers(1, 4))
    n_turns = draw(st.integers(2, 4))
    first = draw(st.sampled_from([0, 1]))
    writers: list[list[int]] = [[] for _ in range(n_writers)]
    for epoch in range(n_writers * size * n_turns):
        writers[epoch // size % n_writers].append(first + epoch)
    return draw(st.permutations(writers))


@given(writers=dealt_epochs(), how=st.sampled_from(["rows", "headers", "files"]))
@SHARED_PATH
def test_what_writers_in_turn_wrote_is_one_training(
    tmp_path: Path, writers: list[list[int]], how: str
) -> None:
    header = "epoch,loss,val_loss\n"
    parts = [
        "".join(f"{epoch},{1 / (2 + epoch)},{1 / (3 + epoch)}\n" for epoch in own)
        for own in writers
    ]
    texts = [header + (header if how == "headers" else "").join(parts)]
    if how == "files":
        texts = [header + part for part in parts]
    directory = tmp_path / "_".join(map(str, [how, *chain(*writers)]))
    directory.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (directory / f"worker_{number}.csv").write_text(text, encoding="utf-8")
    (run,) = load_runs(directory)
    whole = sorted(chain(*writers))
    assert run.counts_from == whole[0]
    assert run.series["val_loss"].values.tolist() == [1 / (3 + e) for e in whole]
    assert run.recorded_epochs == run.n_epochs == len(whole)
    assert not run.seams


@given(
    lost=st.lists(st.integers(1, 28), max_size=4, unique=True),
    first=st.sampled_from(["odd", "even"]),
)
@SHARED_PATH
def test_an_epoch_that_both_writers_lost_is_a_hole(
    tmp_path: Path, lost: list[int], first: str
) -> None:
    epochs = [epoch for epoch in range(30) if epoch not in lost]
    in_turn = sorted(epochs, key=lambda epoch: epoch % 2 == (first == "even"))
    path = tmp_path / "logs.csv"
    rows = [f"{epoch},{1 / (2 + epoch)}" for epoch in in_turn]
    path.write_text("epoch,val_loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (run,) = load_runs(path)
    assert (run.first_epoch, run.horizon) == (0, 29)
    recorded = run.series["val_loss"].recorded.tolist()
    assert [epoch for epoch in range(30) if recorded[epoch]] == epochs


def test_two_samples_of_longer_trainings_stay_two(tmp_path: Path) -> None:
    # no epoch stands in both, but together they are no more regular than alone
    samples = ([0, 7, 19, 40, 66, 71, 90], [3, 11, 23, 37, 58, 79, 97])
    rows = [f"{epoch},{1 / (2 + epoch)}" for own in samples for epoch in own]
    path = tmp_path / "logs.csv"
    path.write_text("epoch,val_loss\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert len(load_runs(path)) == 2


_KINDS_OF_PLACES = st.sampled_from(["none", "csv", "board", "both", "tensorboard"])


@given(
    places=st.dictionaries(
        st.sampled_from(["a", "a/b", "b", "c/d"]), _KINDS_OF_PLACES, min_size=1
    ),
    loose=st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=3),
)
@SHARED_PATH
def test_a_loose_csv_renames_no_other_run_but_by_the_prefix_of_all(
    tmp_path: Path, places: dict[str, str], loose: list[str]
) -> None:
    root = Path(tempfile.mkdtemp(dir=tmp_path)) / "runs"
    # with these two, the names of the runs have no directory in common
    losses = [[1 / (3 + epoch + run / 9) for epoch in range(6)] for run in range(12)]
    for place in ("first", "second/own"):
        write_training(root / place, "csv", losses.pop())
    for place, kind in places.items():
        write_training(root / place, kind, losses.pop())
    before = {run.name for run in load_runs(root)}
    for number, place in enumerate(loose):
        path = root / place / f"loose{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(csv_of(losses.pop()), encoding="utf-8")
    after = {run.name for run in load_runs(root)}
    assert before <= after
    assert len(after) == len(before) + len(loose)


def write_training(place: Path, kind: str, losses: list[float]) -> None:
    """Write a log as the callbacks of Keras do: a CSV, event files, or both."""
    place.mkdir(parents=True, exist_ok=True)
    if kind in {"csv", "both"}:
        (place / "logs.csv").write_text(csv_of(losses), encoding="utf-8")
    if kind in {"board", "both", "tensorboard"}:
        board = place / "tensorboard" if kind == "tensorboard" else place
        points = [(float(at), at, "epoch_loss", own) for at, own in enumerate(losses)]
        write_events(board / "train" / "events.out.tfevents.1.host", points)


def csv_of(losses: list[float]) -> str:
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(losses)]
    return "\n".join(["epoch,loss", *rows, ""])
