"""Read what Keras's CSVLogger wrote, and CSVs that people made of it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cbreplay.readers.base import LogReader
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.building.telling_columns import leave_out_said_tests
from cbreplay.readers.columns.column_names import (
    BATCH_NAMES,
    CATBOOST,
    EPOCH_NAMES,
    STEP_NAMES,
)
from cbreplay.readers.columns.counters import name_counter
from cbreplay.readers.columns.csv_table import read_table, read_table_content
from cbreplay.readers.columns.epoch_rows import sort_by_runs, tables_of_folds
from cbreplay.readers.columns.header import are_names_of_keras
from cbreplay.readers.columns.roles import (
    are_fractions,
    may_say_kinds,
    read_ended_epochs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import Run

__all__ = ["CsvLoggerReader"]


class CsvLoggerReader(LogReader):
    """Reader of CSV logs."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file."""
        yield from self._runs(read_table(path, self.options))

    def read_content(
        self, content: bytes, source: str, *, has_lines: bool = True
    ) -> Iterator[Run]:
        """Yield each training in the content of a file, or of what is in Python."""
        table = read_table_content(content, source, self.options)
        if not has_lines:
            # the first line is that of the names
            table.counted, table.lines = "row", table.lines - 1
        yield from self._runs(table)

    def _runs(self, table: LogTable) -> Iterator[Run]:
        table.counts_from_zero = table.crlf and are_names_of_keras(table.header)
        if re.fullmatch(CATBOOST, os.path.basename(table.source)):
            # with metric_period=5 it evaluates the trees 0, 5, 10, ... and the last
            table.rename({"iter": "epoch"})
            table.counts_from_zero = True
        leave_out_said_tests(table)
        if _lay_out_kinds(table):
            from cbreplay.readers.building.step_rows import fold_data_sets

            fold_data_sets(table, self.options)
            yield from build_runs(table, self.options, self.metadata)
            return
        for name, part in tables_of_folds(table):
            for run in self._runs_of_rows(part):
                yield run.with_name(name) if name else run

    def _runs_of_rows(self, table: LogTable) -> Iterator[Run]:
        """Yield each training in a table whose rows are all of one kind."""
        sort_by_runs(table)
        name_counter(table, self.options)
        epoch = table.first_of(EPOCH_NAMES)
        if epoch is not None and self.options.x_axis != "step":
            read_ended_epochs(table, epoch)
        if (
            self.options.x_axis is not None
            or epoch is None
            or table.first_of((*BATCH_NAMES, *STEP_NAMES)) is not None
            or are_fractions(table.columns[epoch])
        ):
            from cbreplay.readers.building.step_rows import fold_steps

            fold_steps(table, self.options)
        yield from build_runs(table, self.options, self.metadata)


def _lay_out_kinds(table: LogTable) -> bool:
    """Give each kind of row columns of its own; return whether there are several."""
    if not may_say_kinds(table):
        return False
    from cbreplay.readers.columns.data_sets import lay_out_data_sets

    return lay_out_data_sets(table)
