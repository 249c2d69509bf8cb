"""Read the CSV that TensorBoard's page offers: one series, with its times and steps."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.formats import FormatReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["TensorBoardPageReader"]

# TensorBoard names the file by run and tag: run-validation-tag-epoch_loss.csv
_NAMED = re.compile(r"run-(?P<run>.*?)-tag-(?P<tag>.+)\.csv(?:\.gz)?", re.IGNORECASE)
_KERAS_TAG = re.compile(r"epoch_(?P<metric>\w+)")
# the page keeps no more of a tag
_MOST_VALUES = 1000


class TensorBoardPageReader(FormatReader):
    """Reader of ``Wall time,Step,Value``, whose file's name tells the series."""

    log_format = "tensorboard_page"

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file.

        Raises
        ------
        LogError
            If it is damaged, or a step is no whole number.
        """
        table = read_table(path, self.options)
        time, step, value = (
            table.find(name) for name in ("wall time", "step", "value")
        )
        table.check_whole()
        times = table.columns.pop(time)
        if not (times.missing | times.wrong).any():
            table.wall_times = times.values
        name, of_keras = _series_of(path)
        table.rename({value: name})
        if name != value:
            table.notes.append(f"{value} was read as {name}, as the file is called")
        if len(table) >= _MOST_VALUES:
            table.notes.append(
                f"it has {len(table)} rows: TensorBoard's page draws a sample from a "
                "longer series, and the event files hold it whole"
            )
        # Keras's own steps are epochs, counted from 0
        fold_by(table, step if of_keras else None, step, self.options)
        table.counts_from_zero = of_keras
        yield from build_runs(table, self.options, self.metadata)


def _series_of(path: str) -> tuple[str, bool]:
    """Return the series that a file's name tells, and whether Keras wrote its tag.

    >>> _series_of("run-validation-tag-epoch_loss.csv")
    ('val_loss', True)
    >>> _series_of("run-a-tag-Loss_val.csv")
    ('Loss_val', False)
    """
    named = _NAMED.fullmatch(os.path.basename(path))
    if named is None:
        return "Value", False
    keras = _KERAS_TAG.fullmatch(named["tag"])
    if keras is None:
        return named["tag"], False
    validation = named["run"].lower().endswith("validation")
    return ("val_" if validation else "") + keras["metric"], True
