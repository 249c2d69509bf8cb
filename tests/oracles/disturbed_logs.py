"""Logs of true trainings, and what happens to logs; each with the trainings it shows.

What is lost without a trace cannot be told: a last row, the epochs of rows that no
number names, the beginning of a log whose writer may begin at any epoch, the digits
that rounding took, a fit that goes on where the one before it ended. There the training
that counts as true is the one that the log shows. Two things are not drawn: a loss that
leaves every second value, or every third, and perhaps the first and the last, as of a
metric that was logged so; and a fit that repeats a row of the one before it, to the
digit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import assume
from hypothesis import strategies as st

from tests.oracles.disturbed_fits import (
    cut_and_resumed,
    gone_on,
    restarted,
    resumed,
    resumed_twice,
    with_header,
    with_other_columns,
)
from tests.oracles.logs_of_tools import WRITERS, Files
from tests.oracles.logs_of_trackers import MLFLOW_META
from tests.oracles.true_cases import (
    Case,
    are_regular,
    as_written,
    make_case,
    one_training,
    tell,
)
from tests.oracles.true_trainings import METRICS, Row, Training, single, trainings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DISTURBANCES", "cases"]


def undisturbed(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name)
    return make_case(name, "undisturbed", training.rows, [training])


def lost_first(draw: st.DrawFn, name: str) -> Case:
    training, writer = one_training(draw, name, 2), WRITERS[name]
    n_lost = draw(st.integers(1, len(training.rows) - 1))
    rows = training.rows[n_lost:]
    shown = as_written(writer, rows)
    truths = [*tell(shown, shown.moved(1), moved=True)]
    if not writer.begins_anywhere:
        truths = []
    return make_case(name, "lost first", rows, [training], truths=truths)


def lost_last(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name, 2)
    n_kept = draw(st.integers(1, len(training.rows) - 1))
    shown = training.changed(training.rows[:n_kept])
    return make_case(name, "lost last", shown.rows, [shown])


def lost_middle(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    training = one_training(draw, name, 4, freqs=() if writer.numbered else [1])
    inner = range(1, len(training.rows) - 1)
    lost = draw(st.sets(st.sampled_from(inner), min_size=1, max_size=3))
    rows = [row for at, row in enumerate(training.rows) if at not in lost]
    assume(not are_regular([row.epoch for row in rows]))
    fits = [training] if writer.numbered else [as_written(writer, rows)]
    return make_case(name, "lost middle", rows, fits)


def doubled(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    # in lists of other lengths a value more is another training's
    training = one_training(draw, name, freqs=() if writer.numbered else [1])
    finite = [
        at
        for at, row in enumerate(training.rows)
        if all(map(math.isfinite, row.values.values()))
    ]
    # two fits that both fail in their first epoch look like one row twice
    at = draw(st.sampled_from(finite or [len(training.rows)]))
    rows = [*training.rows[: at + 1], *training.rows[at:]]
    fits = [training] if writer.numbered else [as_written(writer, rows)]
    return make_case(name, "doubled", rows, fits)


def lost_in_each(draw: st.DrawFn, name: str) -> Case:
    """Each file, which holds one series, lost rows of its own."""
    training = one_training(draw, name, 4)
    files: Files = {}
    begins = False
    first = WRITERS[name].write(training.rows[:1]).keys() - {MLFLOW_META}
    for path in WRITERS[name].write(training.rows):
        lost = draw(st.sets(st.sampled_from(range(len(training.rows))), max_size=3))
        rows = [row for at, row in enumerate(training.rows) if at not in lost]
        assume(not _may_be_a_rhythm(training, rows))
        own = WRITERS[name].write(rows)
        files |= {path: own[path]} if path in own else {}
        # without the first row in any, nothing tells from which epoch on they count
        begins = begins or (0 not in lost and path in first)
    assume(begins)
    case = make_case(name, "lost in each", training.rows, [training])
    return case._replace(files=files, rows=())


def alone(draw: st.DrawFn, name: str) -> Case:
    """Only the validations were kept."""
    training = one_training(draw, name, 4)
    rows = []
    for row in training.rows:
        values = {n: v for n, v in row.values.items() if n.startswith("val_")}
        if values:
            rows.append(row._replace(values=values, rate=None))
    assume(rows)
    return make_case(name, "alone", rows, [training])


def out_of_order(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    training = one_training(draw, name, 2, freqs=() if writer.numbered else [1])
    rows = [*training.rows]
    if draw(st.booleans()):
        rows.reverse()
    else:
        at = draw(st.integers(0, len(rows) - 2))
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    fits = [training] if writer.numbered else [as_written(writer, rows)]
    return make_case(name, "out of order", rows, fits, most=len(rows))


def lost_values(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name, 2)
    # a row that lost its only value is a lost row
    metric = draw(st.sampled_from(training.names[1:] or training.names))
    lost = draw(st.sets(st.sampled_from(range(len(training.rows))), min_size=1))
    rows = []
    for at, row in enumerate(training.rows):
        values = {n: v for n, v in row.values.items() if at not in lost or n != metric}
        rows.append(row._replace(values=values))
    told = [(row.epoch, row.values[metric]) for row in rows if metric in row.values]
    keeps_nan = not WRITERS[name].drops_nan
    left = [epoch for epoch, value in told if keeps_nan or not math.isnan(value)]
    assume(not are_regular(left))
    case = make_case(name, "lost values", rows, [training])
    # Keras writes NA for a key that there was not: a lost cell is another
    files = {path: own.replace(b"NA", b"") for path, own in case.files.items()}
    return case._replace(files=files)


def rounded(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name)
    rows = []
    for row in training.rows:
        values = {metric: round(own, 4) for metric, own in row.values.items()}
        rows.append(row._replace(values=values))
    return make_case(name, "rounded", rows, [training.changed(rows)])


def rounded_rates(draw: st.DrawFn, name: str) -> Case:
    """The rates are written with few digits, those of a schedule among them."""
    training = one_training(draw, name, 2)
    assume(training.rows[0].rate is not None)
    scale = draw(st.sampled_from([1, 0.123456, 3.3e-5]))
    decay = draw(st.sampled_from([1, 0.9999, 0.97]))
    few = draw(st.sampled_from(["%.3g", "%.6f"]))
    rates = [
        single((row.rate or 0) * scale * decay**row.epoch) for row in training.rows
    ]
    true, told = (
        [row._replace(rate=rate) for row, rate in zip(training.rows, own, strict=True)]
        for own in (rates, [float(few % rate) for rate in rates])
    )
    return make_case(name, "rounded rates", told, [training.changed(true)])


def begun_later(draw: st.DrawFn, name: str) -> Case:
    """A whole fit with an ``initial_epoch``."""
    freqs = WRITERS[name].validation_freqs
    begins = draw(st.integers(1, 9))
    # Keras always logs a loss
    names = draw(st.sampled_from([METRICS, ("loss", "val_loss")]))
    training = draw(trainings(names=names, first_epoch=begins, freqs=freqs))
    return make_case(name, "begun later", training.rows, [training])


def cut(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name, 2)
    shown = training.changed(training.rows[:-1])
    whole, shorter = (WRITERS[name].write(own.rows) for own in (training, shown))
    files = {}
    broken = draw(st.sampled_from(sorted(whole)))
    for path, own in whole.items():
        begins = len(shorter.get(path, b""))
        ends = len(own)
        if path == broken and begins < ends:
            ends = draw(st.integers(begins, ends))
        files[path] = own[:ends]
    told = tell(training, shown)
    return Case(name, "cut", (shown,), told, 1, files, shown.rows)


def growing(draw: st.DrawFn, name: str) -> Case:
    """A log that is being written: each of its files ends somewhere, in any byte."""
    training = one_training(draw, name, 3)
    whole = WRITERS[name].write(training.rows)
    n_lost = draw(st.integers(0, 2))
    shorter = WRITERS[name].write(training.rows[: len(training.rows) - n_lost])
    files = {}
    for path, own in whole.items():
        begins, ends = len(shorter.get(path, b"")), len(own)
        files[path] = own[: draw(st.integers(min(begins, ends), ends))]
    told = tell(training)
    # what is there and what is not hangs on the bytes
    return Case(name, "growing", (training,), told, 1, files, ())


def sampled(draw: st.DrawFn, name: str) -> Case:
    """A tracker exported some of its rows, drawn at random."""
    training = one_training(draw, name, 6)
    at = range(len(training.rows))
    kept = sorted(draw(st.sets(st.sampled_from(at), min_size=2)))
    rows = [training.rows[position] for position in kept]
    assume(not _may_be_a_rhythm(training, rows))
    shown = training.changed(training.rows[kept[0] :])
    truths = tell(shown, shown.moved(1), moved=True)
    return make_case(name, "sampled", rows, [training], truths=truths)


def _may_be_a_rhythm(training: Training, rows: Sequence[Row]) -> bool:
    """Tell whether the rows of a metric that are left look like all there were."""
    for name in training.names:
        if are_regular([row.epoch for row in rows if name in row.values]):
            return True
    return False


def _beside(path: str) -> str:
    directory, _, name = path.rpartition("/")
    return f"{directory}/copy of {name}" if directory else f"copy of {name}"


def copied(draw: st.DrawFn, name: str) -> Case:
    training = one_training(draw, name, 2)
    n_rows = draw(st.sampled_from([len(training.rows), len(training.rows) - 1]))
    case = make_case(name, "copied", training.rows, [training])
    earlier = WRITERS[name].write(training.rows[:n_rows])
    copies = {f"backup/{path}": own for path, own in earlier.items()}
    if draw(st.booleans()):
        copies = {_beside(path): own for path, own in earlier.items()}
    return case._replace(files={**case.files, **copies}, most_runs=2)


def in_turn(draw: st.DrawFn, name: str) -> Case:
    """Two workers wrote the epochs in turn, each in a file of its own."""
    training = one_training(draw, name, 6, freqs=[1])
    case = make_case(name, "in turn", training.rows, [training])
    files: Files = {}
    for worker in range(2):
        own = WRITERS[name].write(training.rows[worker::2])
        files |= {_of_worker(path, worker): content for path, content in own.items()}
    return case._replace(files=files, most_runs=2)


def _of_worker(path: str, worker: int) -> str:
    directory, slash, name = path.rpartition("/")
    stem, dot, ending = name.partition(".")
    return f"{directory}{slash}{stem}_{worker}{dot}{ending}"


_ANY = list(WRITERS)
_FILES = [name for name, own in WRITERS.items() if own.hold is None]
_OF_SERIES = ["tensorboard page", "mlflow store"]
_ALONE = ["tensorboard page", "keras events", "own csv", "lightning"]
_EVENTS = ["keras events", "two event writers"]
_TEXT = [name for name in _ANY if name not in _EVENTS]
# Lightning leaves a cell empty where nothing was logged
_CELLS = ["keras csv", "own csv", "pandas csv", "wandb csv"]
_ONE_FILE = ["keras csv", "keras csv;", "own csv", "json rows", "lightning"]
# other tools write their file anew, whole
_GROWING = [*_ONE_FILE, *_EVENTS, "mlflow store"]
_APPENDING = [name for name, own in WRITERS.items() if own.appends]
_CSVS = ["keras csv", "keras csv;", "own csv"]
_OF_KERAS = ["keras csv", "keras csv;", "history object", "keras events"]
_RATES = [name for name in _TEXT if WRITERS[name].keeps_rates]

# what happens to logs, and to whose
DISTURBANCES: dict[str, tuple[Callable[[st.DrawFn, str], Case], Sequence[str]]] = {
    "undisturbed": (undisturbed, _ANY),
    "lost first": (lost_first, _ANY),
    "lost last": (lost_last, _ANY),
    "lost middle": (lost_middle, _ANY),
    "lost in each": (lost_in_each, _OF_SERIES),
    "alone": (alone, _ALONE),
    "doubled": (doubled, _ANY),
    "out of order": (out_of_order, _TEXT),
    "lost values": (lost_values, _CELLS),
    "rounded": (rounded, _TEXT),
    "restarted": (restarted, _APPENDING),
    "gone on": (gone_on, _APPENDING),
    "resumed": (resumed, _APPENDING),
    "resumed twice": (resumed_twice, _APPENDING),
    "with header": (with_header, _CSVS),
    "with other columns": (with_other_columns, _CSVS),
    "cut and resumed": (cut_and_resumed, [*_CSVS, "json rows"]),
    "begun later": (begun_later, _OF_KERAS),
    "rounded rates": (rounded_rates, _RATES),
    "cut": (cut, _FILES),
    "growing": (growing, _GROWING),
    "sampled": (sampled, ["wandb json", "wandb csv", "wandb steps"]),
    "copied": (copied, _FILES),
    "in turn": (in_turn, [*_ONE_FILE, "keras events"]),
}


@st.composite
def cases(draw: st.DrawFn, kinds: Sequence[str] = tuple(DISTURBANCES)) -> Case:
    """Draw a log of a true training, and what happened to it."""
    make, names = DISTURBANCES[draw(st.sampled_from(kinds))]
    return make(draw, draw(st.sampled_from(names)))
