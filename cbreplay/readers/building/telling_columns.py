"""What columns tell of trainings: their names, their phases, a test after them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.median import median_of
from cbreplay.readers.building.evaluations import left_out_notes
from cbreplay.readers.columns.column_names import (
    EPOCH_NAMES,
    FITS,
    SETTINGS,
    is_clock,
    letters,
)
from cbreplay.series_names import is_rate_name, is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cbreplay.readers.building.rows import Rows
    from cbreplay.readers.building.training_rows import TrainingRows
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = ["leave_out_said_tests", "leave_out_settings", "name_parts", "note_phases"]

_MAY_BE_RESUMED = (
    "{told} at epoch {epoch} (counted from 1): a fit was resumed there, or the same "
    "one went on; what hangs on it is not told; --seam {0} or seams=[{0}] says the "
    "former, --resume never or resume='never' the latter"
)


def leave_out_settings(record: TrainingRows) -> dict[str, str]:
    """Take the settings of a training out of its columns; return why each was.

    They tell it from others, as long as these are told apart.
    """
    columns = record.rows.columns
    found = [
        name
        for name, own in columns.items()
        if letters(name) in SETTINGS and len(set(own.values.tolist())) == 1
    ]
    if len(found) == len(columns):
        return {}
    for name in found:
        del columns[name]
    settings = dict.fromkeys(found, "it is the same throughout the training")
    record.notes[:0] = left_out_notes(settings)
    return settings


def note_phases(records: Sequence[TrainingRows], table: LogTable, rows: Rows) -> None:
    """Note in each training where another phase begins, as a fit that may be resumed.

    `rows` are those of the table that are read, in order.
    """
    for name, cells in table.columns.items():
        if letters(name) not in FITS:
            continue
        words = _words(cells)
        if words is None or len(set(words)) == 1:
            continue
        own = [words[at] for at in _places_of(rows, table)]
        begins = [at for at in range(1, len(own)) if own[at] != own[at - 1]]
        in_turn = len(set(own)) == len(begins) + 1
        # words that come again, or stand in a row each, are no fits
        for at in begins if in_turn and 2 * len(set(own)) <= len(own) else ():
            before, after = map(repr, own[at - 1 : at + 1])
            told = f"{name} goes from {before} to {after}"
            _add(records, told, int(rows.epochs[at]))
    for name, clock in _clocks(table, rows):
        for at in _begins_again(clock):
            told = f"{name} begins again"
            _add(records, told, int(rows.epochs[at]))
    for line, text in table.said_fits.items():
        at = int(np.searchsorted(rows.lines, line))
        if at < len(rows.lines):
            told = f"{table.counted} {line} says {text!r}"
            _add(records, told, int(rows.epochs[at]))


def _clocks(table: LogTable, rows: Rows) -> Iterator[tuple[str, FloatArray]]:
    """Yield the name of what may be a clock, and what it shows in each of the rows."""
    if len(rows.wall_times):
        yield "its clock", rows.wall_times
    for name, cells in table.columns.items():
        if is_clock(name) and not cells.blank.any():
            yield name, cells.values[_places_of(rows, table)]


def _begins_again(clock: FloatArray) -> list[int]:
    """Return the rows at which a clock begins again; none if it is no clock.

    It begins again near where it began, or with little more than an epoch takes. How
    long each epoch took goes up and down, and seldom by half, but for the first one,
    which may take far longer.

    >>> _begins_again(np.array([10.0, 20.0, 31.0, 10.5, 20.0, 30.0, 40.0, 51.0]))
    [3]
    >>> _begins_again(np.array([60.0, 10.0, 11.0, 10.5, 12.0, 11.0, 13.0, 12.0]))
    []
    >>> _begins_again(np.array([60.0, 10.0, 10.1, 10.2]))
    []
    >>> _begins_again(np.array([300.0, 360.0, 420.0, 60.0, 120.0]))
    [3]
    """
    goes_on = clock[1:] > clock[:-1]
    begins = np.flatnonzero(~goes_on) + 1
    if not len(begins) or _FEW * len(begins) > len(clock):
        return []
    usual = median_of((clock[1:] - clock[:-1])[goes_on].tolist())
    again, before = clock[begins], clock[begins - 1]
    anew = (2 * again >= clock[0]) | (again <= _MANY * usual)
    return begins.tolist() if (anew & (2 * again <= before)).all() else []


# a clock that begins again shows hardly more than so many epochs take
_FEW, _MANY = 4, 10


def _add(records: Sequence[TrainingRows], told: str, epoch: int) -> None:
    for record in records:
        inside = record.first_epoch < epoch <= record.horizon
        if inside and len(records) == 1 and epoch not in record.seams:
            record.possible.add(epoch)
            record.seams[epoch] = _MAY_BE_RESUMED.format(
                epoch, told=told, epoch=epoch + 1
            )


def _words(cells: LogColumn) -> list[str] | None:
    """Return the cell of each row as text; None if some are empty."""
    if cells.wrong.all():
        return cells.words_of_rows()
    if (cells.missing | cells.wrong).any():
        return None
    return [f"{value:g}" for value in cells.values.tolist()]


def _places_of(rows: Rows, table: LogTable) -> EpochArray:
    """Return which row of a table each of its rows that are read is."""
    order = np.argsort(table.lines)
    return order[np.searchsorted(table.lines, rows.lines, sorter=order)]


# a slash would be read as a directory, and a sentence is no name
_WORD = r"[\w.+-][\w.+ -]{0,30}"
_LONGEST = 60


def name_parts(table: LogTable, rows: Rows) -> dict[int, str]:
    """Return names for the trainings in a table, by the row where each begins.

    People put the trainings of a sweep one below the other, with columns such as
    ``model`` and ``seed``: these change only where the epochs begin anew. The names are
    as ``{0: "model=a,seed=1", 30: "model=a,seed=2"}``; empty if no column tells.
    """
    begins = np.append(True, rows.epochs[1:] <= rows.epochs[:-1])
    places = _places_of(rows, table)
    told = {
        name: texts
        for name, cells in table.columns.items()
        if not (is_validation(name) or "loss" in name.lower())
        # a column with a val_ twin is a metric, even if it never changed
        and f"val_{name}" not in table.columns
        and re.fullmatch(_WORD, name)
        and (texts := _texts_of_parts(cells, places, begins))
    }
    if all(map(is_rate_name, told)):
        # a fit that was begun again with another rate is no sweep
        return {}
    names = [""] * int(np.count_nonzero(begins))
    # a column with few values is a setting: these come first, a unique name last
    for name in sorted(told, key=lambda name: len(set(told[name]))):
        longer = [
            f"{before},{name}={text}" if before else f"{name}={text}"
            for before, text in zip(names, told[name], strict=True)
        ]
        if len(set(longer)) > len(set(names)):
            names = longer
    if len(set(names)) == 1 or max(map(len, names)) > _LONGEST:
        return {}
    return dict(zip(np.flatnonzero(begins).tolist(), _numbered(names), strict=True))


def _texts_of_parts(
    cells: LogColumn, rows: EpochArray, begins: BoolArray
) -> list[str] | None:
    """Return a column's text in each part; None if it changes inside of a part."""
    values: NDArray[Any]
    if cells.is_text:
        values = np.array(cells.words_of_rows())[rows]
    elif cells.blank.any():
        return None
    else:
        values = cells.values[rows]
    if ((values[1:] != values[:-1]) & ~begins[1:]).any():
        return None
    told = values[begins].tolist()
    texts = [text if isinstance(text, str) else f"{text:.6g}" for text in told]
    return texts if all(re.fullmatch(_WORD, text) for text in texts) else None


def _numbered(names: Sequence[str]) -> list[str]:
    """Return the names, with a number where several parts have the same."""
    if len(set(names)) == len(names):
        return list(names)
    met: dict[str, int] = {}
    numbered = []
    for name in names:
        met[name] = met.get(name, 0) + 1
        numbered.append(f"{name},run{met[name]}")
    return numbered


# words for a stage, with what people put around them: "final_test", "Test set"
_AROUND = r"(final|last|after|post|on)?({})(ing|set|data|step|epoch|loop|results?)?"
_TEST = _AROUND.format("test|holdout|predict|inference")
_VALIDATION = _AROUND.format(
    "val|valid|validat|validate|validation|eval|evaluat|evaluate"
)
_LONGEST_WORD = 100


def leave_out_said_tests(table: LogTable) -> None:
    """Leave out rows of a test or validation after a training, as a column says.

    The column holds a word for the stage of each row; the last rows must have a word
    that no row above has. A validation counts only if the rows above have validations
    too: else it is the training's own.
    """
    for name, cells in table.columns.items():
        if cells.whole or not cells.texts or not cells.blank.all():
            continue
        after = _rows_after(table, cells)
        if after.any() and not after.all():
            said = zip(cells.words_of_rows(), after.tolist(), strict=True)
            words = dict.fromkeys(word for word, is_after in said if is_after)
            table.keep(~after)
            table.notes.append(
                f"left out {count(int(after.sum()), 'row')} after the training, as "
                f"{name} says: {', '.join(words)}"
            )
            return


def _rows_after(table: LogTable, cells: LogColumn) -> BoolArray:
    """Tell which rows at the end of a training are of another stage."""
    after = np.zeros(len(table), dtype=np.bool_)
    words = list(map(_letters, cells.words_of_rows()))
    # each training from its first row to the one after its last
    cuts = table.first_rows(table.first_of(EPOCH_NAMES))
    for begin, end in zip(cuts, [*cuts[1:], len(table)], strict=True):
        said = words[begin:end]
        first = end
        while first > begin and said[first - 1 - begin] == said[-1]:
            first -= 1
        above = np.arange(begin, first)
        if not len(above) or said[-1] in said[: first - begin]:
            continue
        is_test = re.fullmatch(_TEST, said[-1])
        if is_test or (
            re.fullmatch(_VALIDATION, said[-1]) and _are_judged(table, above, first)
        ):
            after[first:end] = True
    return after


def _are_judged(table: LogTable, above: EpochArray, row: int) -> bool:
    """Tell whether a validation of a row has values in the rows above it too."""
    return any(
        is_validation(name)
        and not cells.missing[row]
        and not cells.missing[above].all()
        for name, cells in table.columns.items()
    )


def _letters(text: str) -> str:
    """Return the letters of a text, in small letters.

    >>> _letters("RunningStage.TESTING"), _letters("final test")
    ('testing', 'finaltest')
    """
    # only the end is looked at, for a hostile cell may be very long
    return re.sub(r"[^a-z]", "", text[-_LONGEST_WORD:].rpartition(".")[2].lower())
