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

import itertools
import math
from dataclasses import replace as with_other
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from tests.oracles.logs_of_tools import WRITERS, Files, Writer, keras_events
from tests.oracles.true_trainings import METRICS, Row, Training, trainings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay import Run

__all__ = ["DISTURBANCES", "Case", "cases", "is_plain"]


class Case(NamedTuple):
    """Files, and what is true of them.

    Parameters
    ----------
    writer, kind : str
        Who wrote them, and what happened then.
    fits : tuple of Training
        The trainings that the log shows, in order.
    truths : tuple of Run
        The runs one of which a reader must have meant; those of `fits` among them.
    most_runs : int
        How many runs of one metric there may be.
    files : dict of str to bytes
        The log.
    rows : tuple of Row
        The rows that it holds.
    """

    writer: str
    kind: str
    fits: tuple[Training, ...]
    truths: tuple[Run, ...]
    most_runs: int
    files: Files
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        """Return what the log holds, without the trainings and files made of it."""
        rows = [(row.epoch, row.rate, row.values) for row in self.rows]
        return f"{self.kind} log of {self.writer}: {rows}"


def _tell(*fits: Training, moved: bool = False) -> tuple[Run, ...]:
    told = [fit.as_run() for fit in fits]
    if moved:
        told += [fit.moved(-fit.first_epoch).as_run() for fit in fits]
    return tuple(told)


def _one(
    draw: st.DrawFn, name: str, min_epochs: int = 1, freqs: Sequence[int] = ()
) -> Training:
    freqs = freqs or WRITERS[name].validation_freqs
    training = draw(trainings(min_epochs=min_epochs, freqs=freqs))
    if WRITERS[name].keeps_rates:
        return training
    return training.changed(row._replace(rate=None) for row in training.rows)


def _case(
    name: str,
    kind: str,
    rows: Sequence[Row],
    fits: Sequence[Training],
    *,
    truths: Sequence[Run] = (),
    most: int = 1,
) -> Case:
    if WRITERS[name].drops_nan:
        # what is NaN in every second epoch looks like what is logged in every second
        assume(not any(map(_are_regular, _finite_epochs(rows))))
    files = WRITERS[name].write(rows)
    told = (*_tell(*fits), *truths)
    if name.startswith("mlflow") and {row.epoch for row in rows} == {0}:
        # so are rows that were logged without a step
        told += _tell(_in_their_order(rows))
    return Case(name, kind, tuple(fits), told, most, files, tuple(rows))


def _as_written(writer: Writer, rows: Sequence[Row]) -> Training:
    """Return the training that rows show, some of which are lost without a trace."""
    return Training(tuple(rows)) if writer.numbered else _in_their_order(rows)


def _in_their_order(rows: Sequence[Row]) -> Training:
    return Training(tuple(row._replace(epoch=at) for at, row in enumerate(rows)))


def undisturbed(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name)
    return _case(name, "undisturbed", training.rows, [training])


def lost_first(draw: st.DrawFn, name: str) -> Case:
    training, writer = _one(draw, name, 2), WRITERS[name]
    n_lost = draw(st.integers(1, len(training.rows) - 1))
    rows = training.rows[n_lost:]
    shown = _as_written(writer, rows)
    truths = [*_tell(shown, shown.moved(1), moved=True)]
    if not writer.begins_anywhere:
        truths = []
    return _case(name, "lost first", rows, [training], truths=truths)


def lost_last(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name, 2)
    n_kept = draw(st.integers(1, len(training.rows) - 1))
    shown = training.changed(training.rows[:n_kept])
    return _case(name, "lost last", shown.rows, [shown])


def lost_middle(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    training = _one(draw, name, 4, freqs=() if writer.numbered else [1])
    inner = range(1, len(training.rows) - 1)
    lost = draw(st.sets(st.sampled_from(inner), min_size=1, max_size=3))
    rows = [row for at, row in enumerate(training.rows) if at not in lost]
    assume(not _are_regular([row.epoch for row in rows]))
    fits = [training] if writer.numbered else [_as_written(writer, rows)]
    return _case(name, "lost middle", rows, fits)


def doubled(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    # in lists of other lengths a value more is another training's
    training = _one(draw, name, freqs=() if writer.numbered else [1])
    finite = [
        at
        for at, row in enumerate(training.rows)
        if all(map(math.isfinite, row.values.values()))
    ]
    # two fits that both fail in their first epoch look like one row twice
    at = draw(st.sampled_from(finite or [len(training.rows)]))
    rows = [*training.rows[: at + 1], *training.rows[at:]]
    fits = [training] if writer.numbered else [_as_written(writer, rows)]
    return _case(name, "doubled", rows, fits)


def out_of_order(draw: st.DrawFn, name: str) -> Case:
    writer = WRITERS[name]
    training = _one(draw, name, 2, freqs=() if writer.numbered else [1])
    rows = [*training.rows]
    if draw(st.booleans()):
        rows.reverse()
    else:
        at = draw(st.integers(0, len(rows) - 2))
        rows[at], rows[at + 1] = rows[at + 1], rows[at]
    fits = [training] if writer.numbered else [_as_written(writer, rows)]
    return _case(name, "out of order", rows, fits, most=len(rows))


def lost_values(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name, 2)
    # a row that lost its only value is a lost row
    metric = draw(st.sampled_from(training.names[1:] or training.names))
    lost = draw(st.sets(st.sampled_from(range(len(training.rows))), min_size=1))
    rows = []
    for at, row in enumerate(training.rows):
        values = {n: v for n, v in row.values.items() if at not in lost or n != metric}
        rows.append(row._replace(values=values))
    left = [
        row.epoch for row in rows if math.isfinite(row.values.get(metric, math.nan))
    ]
    assume(not _are_regular(left))
    case = _case(name, "lost values", rows, [training])
    # Keras writes NA for a key that there was not: a lost cell is another
    files = {path: own.replace(b"NA", b"") for path, own in case.files.items()}
    return case._replace(files=files)


def rounded(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name)
    rows = []
    for row in training.rows:
        values = {metric: round(own, 4) for metric, own in row.values.items()}
        rows.append(row._replace(values=values))
    return _case(name, "rounded", rows, [training.changed(rows)])


def _second(draw: st.DrawFn, first: Training, begins: int) -> Training:
    has_rates = first.rows[0].rate is not None
    drawn = trainings(
        names=first.names,
        first_epoch=begins,
        has_rates=has_rates,
        freqs=[first.validation_freq],
    )
    held = {(row.epoch, repr(row.values)) for row in first.rows}
    return draw(
        drawn.filter(
            lambda fit: held.isdisjoint(
                (row.epoch, repr(row.values)) for row in fit.rows
            )
        )
    )


def _finite_epochs(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Yield, for each metric with a NaN, the epochs in which it is none."""
    for name in METRICS:
        told = [(row.epoch, row.values[name]) for row in rows if name in row.values]
        finite = [epoch for epoch, value in told if math.isfinite(value)]
        if len(finite) < len(told):
            yield finite


def _are_regular(epochs: Sequence[int]) -> bool:
    """Tell whether most epochs stand two or more apart, and all but the ends as far."""
    distances = [after - before for before, after in itertools.pairwise(epochs)]
    widest = max(distances, default=1)
    return (
        widest > 1
        and 2 * distances.count(widest) > len(distances)
        and {*distances[1:-1]} <= {widest}
    )


def restarted(draw: st.DrawFn, name: str) -> Case:
    first = _one(draw, name)
    second = _second(draw, first, 0)
    rows = [*first.rows, *second.rows]
    if not WRITERS[name].numbered:
        fits = [_as_written(WRITERS[name], rows)]
        return _case(name, "restarted", rows, fits)
    return _case(name, "restarted", rows, [first, second], most=2)


def gone_on(draw: st.DrawFn, name: str) -> Case:
    first = _one(draw, name)
    second = _second(draw, first, len(first.rows))
    rows = [*first.rows, *second.rows]
    case = _case(name, "gone on", rows, [Training(tuple(rows))])
    if name != "keras events":
        return case
    # the second fit has event files of its own
    begins = len(first.rows)
    seam = with_other(case.truths[0], seams=(begins,))
    return case._replace(
        truths=(seam,), files=_in_two(first.rows, second.rows), most_runs=1
    )


def _in_two(first: Sequence[Row], second: Sequence[Row]) -> Files:
    """Return the event files of two fits, one beside the other."""
    return {**keras_events(first), **keras_events(second, len(first))}


def resumed(draw: st.DrawFn, name: str) -> Case:
    first = _one(draw, name, 2)
    begins = draw(st.integers(1, len(first.rows) - 1))
    second = _second(draw, first, begins)
    rows = [*first.rows, *second.rows]
    if not WRITERS[name].numbered:
        fits = [_as_written(WRITERS[name], rows)]
        return _case(name, "resumed", rows, fits)
    joined = Training((*first.rows[:begins], *second.rows)).as_run()
    earlier = ((begins, first.as_run()),)
    joined = with_other(joined, seams=(begins,), replaced=earlier)
    case = _case(name, "resumed", rows, [first, second], truths=[joined], most=2)
    if name != "keras events":
        return case
    return case._replace(files=_in_two(first.rows, second.rows))


def with_header(draw: st.DrawFn, name: str) -> Case:
    """A second fit below the first with a header of its own, from any epoch."""
    first = _one(draw, name, 2)
    begins = draw(st.integers(0, len(first.rows)))
    second = _second(draw, first, begins)
    parts = [WRITERS[name].write(fit.rows) for fit in (first, second)]
    files = {path: own + parts[1].get(path, b"") for path, own in parts[0].items()}
    truths = []
    if begins:
        joined = Training((*first.rows[:begins], *second.rows)).as_run()
        replaced = ((begins, first.as_run()),) if begins < len(first.rows) else ()
        truths = [with_other(joined, seams=(begins,), replaced=replaced)]
    told = (*_tell(first, second), *truths)
    rows = (*first.rows, *second.rows)
    return Case(name, "with header", (first, second), told, 2, files, rows)


def cut(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name, 2)
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
    told = _tell(training, shown)
    return Case(name, "cut", (shown,), told, 1, files, shown.rows)


def _beside(path: str) -> str:
    directory, _, name = path.rpartition("/")
    return f"{directory}/copy of {name}" if directory else f"copy of {name}"


def copied(draw: st.DrawFn, name: str) -> Case:
    training = _one(draw, name, 2)
    n_rows = draw(st.sampled_from([len(training.rows), len(training.rows) - 1]))
    case = _case(name, "copied", training.rows, [training])
    earlier = WRITERS[name].write(training.rows[:n_rows])
    copies = {f"backup/{path}": own for path, own in earlier.items()}
    if draw(st.booleans()):
        copies = {_beside(path): own for path, own in earlier.items()}
    return case._replace(files={**case.files, **copies}, most_runs=2)


def in_turn(draw: st.DrawFn, name: str) -> Case:
    """Two workers wrote the epochs in turn, each in a file of its own."""
    training = _one(draw, name, 6, freqs=[1])
    case = _case(name, "in turn", training.rows, [training])
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
_TEXT = [name for name in _ANY if name != "keras events"]
# Lightning leaves a cell empty where nothing was logged
_CELLS = ["keras csv", "own csv", "pandas csv", "wandb csv"]
_ONE_FILE = ["keras csv", "keras csv;", "own csv", "json rows", "lightning"]
_APPENDING = [name for name, own in WRITERS.items() if own.appends]

# what happens to logs, and to whose
DISTURBANCES: dict[str, tuple[Callable[[st.DrawFn, str], Case], Sequence[str]]] = {
    "undisturbed": (undisturbed, _ANY),
    "lost first": (lost_first, _ANY),
    "lost last": (lost_last, _ANY),
    "lost middle": (lost_middle, _ANY),
    "doubled": (doubled, _ANY),
    "out of order": (out_of_order, _TEXT),
    "lost values": (lost_values, _CELLS),
    "rounded": (rounded, _TEXT),
    "restarted": (restarted, _APPENDING),
    "gone on": (gone_on, _APPENDING),
    "resumed": (resumed, _APPENDING),
    "with header": (with_header, ["keras csv", "keras csv;", "own csv"]),
    "cut": (cut, [*_TEXT, "keras events"]),
    "copied": (copied, _ANY),
    "in turn": (in_turn, [*_ONE_FILE, "keras events"]),
}


def is_plain(case: Case) -> bool:
    """Tell whether the log of an undisturbed training leaves nothing open.

    One validation has no distance to another, an empty cell may be NaN, and one row of
    JSON, or a metric without a number, is no log.
    """
    (training,), writer = case.fits, WRITERS[case.writer]
    rhythm = training.validation_freq
    if len(training.rows) < max(2, 2 * rhythm):
        return False
    if rhythm > 1 and case.writer.startswith(("mlflow", "json history")):
        # steps with a validation now and then may be batches; lists have no epochs
        return False
    *earlier, last = [repr(row.values) for row in training.rows]
    if case.writer.startswith("mlflow") and last in earlier:
        # its autologger ends so, with the values of the restored model
        return False
    values = [
        [row.values.get(name) for row in training.rows] for name in training.names
    ]
    numbers = [[own for own in of_one if own is not None] for of_one in values]
    if writer.drops_nan and any(map(math.isnan, itertools.chain(*numbers))):
        return False
    return all(any(map(math.isfinite, own)) for own in numbers)


@st.composite
def cases(draw: st.DrawFn, kinds: Sequence[str] = tuple(DISTURBANCES)) -> Case:
    """Draw a log of a true training, and what happened to it."""
    make, names = DISTURBANCES[draw(st.sampled_from(kinds))]
    return make(draw, draw(st.sampled_from(names)))
