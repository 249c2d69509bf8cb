"""A log of a true training, and what is true of it; how one is drawn, and made."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import assume

from tests.oracles.logs_of_tools import WRITERS, Files, Writer
from tests.oracles.true_trainings import METRICS, Row, Training, trainings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis import strategies as st

    from cbreplay import Run

__all__ = [
    "Case",
    "are_regular",
    "as_written",
    "is_plain",
    "make_case",
    "one_training",
    "tell",
]


# lists have no epochs, and steps with a validation now and then may be batches
_LISTS = ("mlflow", "json history", "dict of lists")


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


def tell(*fits: Training, moved: bool = False) -> tuple[Run, ...]:
    told = [fit.as_run() for fit in fits]
    if moved:
        told += [fit.moved(-fit.first_epoch).as_run() for fit in fits]
    return tuple(told)


def one_training(
    draw: st.DrawFn, name: str, min_epochs: int = 1, freqs: Sequence[int] = ()
) -> Training:
    freqs = freqs or WRITERS[name].validation_freqs
    training = draw(trainings(min_epochs=min_epochs, freqs=freqs))
    if WRITERS[name].keeps_rates:
        return training
    return training.changed(row._replace(rate=None) for row in training.rows)


def make_case(
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
        assume(not any(map(are_regular, _epochs_with_numbers(rows))))
    files = WRITERS[name].write(rows)
    told = (*tell(*fits), *truths)
    if name.startswith("mlflow") and {row.epoch for row in rows} == {0}:
        # so are rows that were logged without a step
        told += tell(_in_their_order(rows))
    return Case(name, kind, tuple(fits), told, most, files, tuple(rows))


def as_written(writer: Writer, rows: Sequence[Row]) -> Training:
    """Return the training that rows show, some of which are lost without a trace."""
    return Training(tuple(rows)) if writer.numbered else _in_their_order(rows)


def _in_their_order(rows: Sequence[Row]) -> Training:
    return Training(tuple(row._replace(epoch=at) for at, row in enumerate(rows)))


def _epochs_with_numbers(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Yield, for each metric with a NaN, the epochs in which it is a number."""
    for name in METRICS:
        told = [(row.epoch, row.values[name]) for row in rows if name in row.values]
        numbers = [epoch for epoch, value in told if not math.isnan(value)]
        if len(numbers) < len(told):
            yield numbers


def are_regular(epochs: Sequence[int]) -> bool:
    """Tell whether most epochs stand at one distance above 1, and only ends closer."""
    distances = [after - before for before, after in itertools.pairwise(epochs)]
    usual, n_usual = Counter(distances or [1]).most_common(1)[0]
    return (
        usual > 1
        and 2 * n_usual > len(distances)
        and all(own % usual == 0 for own in distances[1:-1])
    )


def is_plain(case: Case) -> bool:
    """Tell whether the log of an undisturbed training leaves nothing open.

    One validation has no distance to another, an empty cell may be NaN, and one row of
    JSON, or a metric without a number, is no log.
    """
    (training,), writer = case.fits, WRITERS[case.writer]
    rhythm = training.validation_freq
    if len(training.rows) < max(2, 2 * rhythm):
        return False
    if rhythm > 1 and case.writer.startswith(_LISTS):
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
