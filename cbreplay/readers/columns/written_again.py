"""A table that its writer wrote again from the start, perhaps with more columns.

DeepLabCut's logger, for one, wrote the whole table at each save, and its evaluations
have columns of their own from the first of them on. MLflow's autologger writes one row
once more.
"""

from __future__ import annotations

from contextlib import closing
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import FloatArray

__all__ = [
    "ENDINGS",
    "OtherHeaderError",
    "ToldEnd",
    "drop_earlier_copies",
    "is_written_again",
    "leave_out_restored",
    "lines_above",
    "lines_from",
]


class OtherHeaderError(Exception):
    """Another header below the first: it has more or fewer names, or no row is between.

    Attributes
    ----------
    line : int
        The line of the second header.
    is_empty : bool
        Whether no row is between the two.
    """

    def __init__(self, line: int, *, is_empty: bool = False) -> None:
        super().__init__(line)
        self.line, self.is_empty = line, is_empty


def lines_above(
    chunks: Generator[bytes, None, None], line: int
) -> Generator[bytes, None, None]:
    """Yield the content of a file above one of its lines."""
    left = line - 1
    with closing(chunks) as given:
        for chunk in given:
            for text in chunk.splitlines(keepends=True):
                if not left:
                    return
                yield text
                left -= text.endswith(b"\n")


def lines_from(
    chunks: Generator[bytes, None, None], line: int
) -> Generator[bytes, None, None]:
    """Yield a file from one of its lines on, with blank lines above to keep numbers."""
    left = line - 1
    with closing(chunks) as given:
        for chunk in given:
            if not left:
                yield chunk
                continue
            ends = chunk.count(b"\n")
            if ends < left:
                left -= ends
                yield b"\n" * ends
                continue
            yield b"\n" * left
            yield chunk.split(b"\n", left)[-1]
            left = 0


def is_written_again(above: LogTable, below: LogTable) -> bool:
    """Tell whether each table above a wider one repeats the first rows of that."""
    known = above.columns.keys() <= below.columns.keys()
    return known and _begin_alike(above, _blocks(above), below)


def drop_earlier_copies(table: LogTable) -> None:
    """Keep the last of the tables in a file, if it holds the rows of all others."""
    *earlier, last = _blocks(table, _begins_anew(table))
    if not table.repeated_header and max(map(len, earlier), default=0) <= 1:
        # a first row that is merely repeated begins no second table
        return
    if not earlier or not _begin_alike(table, earlier, table, last.start):
        return
    rows = np.zeros(len(table), dtype=np.bool_)
    rows[last.start : last.stop] = True
    table.keep(rows)
    table.repeated_header.clear()
    times = "once" if len(earlier) == 1 else f"{len(earlier)} times"
    table.notes.append(f"its rows stand there {times} more: they were read once")


class ToldEnd(NamedTuple):
    """What MLflow's autologger says of a stop: where it was, and whose weights stayed.

    XGBoost counts its iterations from 0, as Keras its epochs, and LightGBM from 1.

    Attributes
    ----------
    stopped, restored : float or None
        None where it is not told; no `restored`: no weights were put back.
    """

    stopped: float | None
    restored: float | None

    @classmethod
    def of(cls, values: Mapping[str, object]) -> ToldEnd:
        """Take it from the values under the names of the autologger.

        >>> ToldEnd.of({"stopped_iteration": 9.0, "best_iteration": 4.0, "loss": 0.5})
        ToldEnd(stopped=9.0, restored=4.0)
        """
        told = [values.get(name) for name in ENDINGS]
        known = [own if isinstance(own, (int, float)) else None for own in told]
        stopped = known[0] if known[0] is not None else known[2]
        return cls(stopped, known[1] if known[1] is not None else known[3])

    def restored_before(self, last: float) -> float | None:
        """Return the restored step, if the autologger wrote it once more as `last`.

        That is the one after the stop, by which the first step is known too.

        >>> [ToldEnd(10.0, 5.0).restored_before(last) for last in (10, 11, 12)]
        [4.0, 5.0, None]
        """
        if self.stopped is None or self.restored is None:
            return self.restored
        late = self.stopped + 1 - last
        return self.restored - late if late in {0, 1} else None


def _take_endings(table: LogTable) -> Iterator[tuple[str, float]]:
    """Take the columns that tell of the stop out, each with its last value."""
    for name in ENDINGS:
        told = table.columns.pop(name, None)
        if told is not None and not told.missing.all():
            yield name, float(told.values[~told.missing][-1])


def leave_out_restored(
    table: LogTable,
    step: str,
    *,
    is_mlflow: bool = False,
    ends: Mapping[str, float | None] = MappingProxyType({}),
) -> None:
    """Leave out the last step if it repeats one earlier step, and not that before it.

    MLflow's autologger writes the metrics of the model that early stopping restored
    once more, as another step, and what it knows of the stop. Where MLflow wrote the
    log, those series alone count that the last step holds.

    Where MLflow is not known to have written the table (`is_mlflow`), what it says of
    the stop tells that, or equal values of many digits. `ends` is what it says of the
    stop, if that is no column: it decides alone, whatever else is equal.
    """
    known = {**ends, **dict(_take_endings(table))}
    is_mlflow = is_mlflow or bool(known)
    metrics = [cells for name, cells in table.columns.items() if name != step]
    again_there = [own for own in metrics if not own.missing[-1]]
    is_whole = len(again_there) == len(metrics)
    # what else a script logs in each epoch, as a rate, is not written once more
    if len(table) < _FEWEST or not again_there or not (is_whole or is_mlflow):
        return
    numbers = table.columns[step].values
    last = len(table) - 1
    if numbers[-1] <= numbers[:-1].max() or any(last in own.others for own in metrics):
        # a step that is there again is no other one
        return
    values = np.stack([own.values for own in again_there])
    same = (values == values[:, -1:]) | (np.isnan(values) & np.isnan(values[:, -1:]))
    again = numbers[:-1][same[:, :-1].all(axis=0)].tolist()
    earlier = _written_once_more(numbers, again, ToldEnd.of(known) if known else None)
    if earlier is None:
        return
    if not (known or _tells(values, is_mlflow=is_mlflow)):
        if is_mlflow:
            table.notes.append(_MAY_REPEAT.format(numbers[-1], earlier))
        return
    table.keep(np.arange(len(table)) < last)
    repeats = "it repeats all values"
    if not is_whole or earlier not in again:
        repeats = "its values are those"
    table.notes.append(
        f"left out the last step, {numbers[-1]:g}: {repeats} of step {earlier:g}, as "
        "MLflow's autologger writes those of the restored model"
    )


def _written_once_more(
    numbers: FloatArray, again: Sequence[float], told: ToldEnd | None
) -> float | None:
    """Return the step whose values the last one repeats; None if that is an epoch.

    `numbers` are all steps, and `again` the earlier ones with the values of the last.
    """
    if told is None:
        # a training that stands still repeats its rows, the last but one too
        alone = len(again) == 1 and again[0] != numbers[-2]
        return again[0] if alone else None
    restored = told.restored_before(numbers[-1])
    if restored in again:
        return restored
    # not each epoch is logged, and nothing is trained after the stop
    is_past = told.stopped is not None and numbers[-1] > told.stopped
    return restored if is_past and restored not in numbers else None


def _tells(values: FloatArray, *, is_mlflow: bool) -> bool:
    """Tell whether equal values are no chance: those that change have many digits.

    Two shares of a small data set, as 0.95 and 0.9, may well come again by themselves,
    so two series are enough only where MLflow wrote them.
    """
    known = values[np.isfinite(values[:, -1])]
    changing = known[(known != known[:, :1]).any(axis=1)]
    digits = sum(map(_digits, changing))
    return digits >= _MANY_DIGITS or (is_mlflow and len(changing) > 1)


def _digits(own: FloatArray) -> int:
    """Count the digits that the last value tells: a share of n tells no more than n.

    >>> (
    ...     _digits(np.array([0.7, 0.123456])),
    ...     _digits(np.float32([21, 28]) / np.float32(30)),
    ... )
    (6, 2)
    """
    shown = len(repr(float(own[-1])).replace(".", "").strip("0-"))
    finite = np.unique(own[np.isfinite(own)])
    if shown < _MANY_DIGITS or finite.min() < 0 or finite.max() > 1:
        return shown
    of = np.arange(1, _MOST_JUDGED)
    fits = np.ones(len(of), dtype=np.bool_)
    for value in finite.tolist():
        numbers = value * of
        fits &= np.abs(numbers - np.rint(numbers)) <= numbers * _FLOAT32
    return len(str(of[fits][0])) if fits.any() else shown


# what the autologger says of a stop: of Keras's EarlyStopping, of boosted trees
ENDINGS = ("stopped_epoch", "restored_epoch", "stopped_iteration", "best_iteration")
_FEWEST, _MANY_DIGITS = 3, 6
# a share of more examples than that has as many digits as a loss
_MOST_JUDGED, _FLOAT32 = 10_001, float(np.finfo(np.float32).eps)
_MAY_REPEAT = (
    "the last step, {:g}, has the value of step {:g}: if MLflow's autologger wrote it "
    "of the restored model, it is no epoch; restored_epoch beside it would tell"
)


def _begins_anew(table: LogTable) -> list[int]:
    """Return the rows that equal the first row."""
    same = np.ones(len(table), dtype=np.bool_)
    for cells in table.columns.values():
        first = cells.values[:1]
        same &= (cells.values == first) | (np.isnan(cells.values) & np.isnan(first))
    found: list[int] = np.flatnonzero(same).tolist()
    return found


def _blocks(table: LogTable, begins_anew: Iterable[int] = ()) -> list[range]:
    """Return the rows of each table in a file, below each header."""
    begins = sorted({0, *table.repeated_header, *begins_anew} - {len(table)})
    return [
        range(*pair) for pair in zip(begins, [*begins[1:], len(table)], strict=True)
    ]


def _begin_alike(
    above: LogTable, blocks: Sequence[range], below: LogTable, begin: int = 0
) -> bool:
    """Tell whether each block repeats the rows of a table from `begin` on.

    The blocks follow each other from the first row on. There may be as many as half of
    the rows: all are compared at once.
    """
    lengths = np.array([len(rows) for rows in blocks], dtype=np.int64)
    if lengths.max(initial=0) > len(below) - begin:
        return False
    begins = np.repeat(np.array([rows.start for rows in blocks], np.int64), lengths)
    own = np.arange(len(begins))
    there = own - begins + begin
    return all(
        np.array_equal(
            cells.values[own], below.columns[name].values[there], equal_nan=True
        )
        for name, cells in above.columns.items()
    )
