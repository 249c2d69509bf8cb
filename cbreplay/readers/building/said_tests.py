"""Rows of a test after a training, found by a column that names their stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.readers.columns.column_names import EPOCH_NAMES
from cbreplay.series_names import is_validation
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.readers.columns.column import LogColumn
    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import BoolArray, EpochArray

__all__ = ["leave_out_said_tests"]

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
