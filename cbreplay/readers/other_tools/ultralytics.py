"""Read the ``results.csv`` of Ultralytics: padded names, epochs counted from 1."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.evidence.rounded import count_digits
from cbreplay.readers.base import LogReader, UnreadableError
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.files import check_readable, read_beginning
from cbreplay.wording.note import Note
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.columns.table import LogTable
    from cbreplay.run import Run

__all__ = ["UltralyticsReader"]


class UltralyticsReader(LogReader):
    """Reader of CSVs with ``train/`` columns beside ``metrics/`` or ``val/`` ones."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file."""
        table = read_table(path, self.options)
        epoch = table.columns[table.find("epoch")]
        known = epoch.values[~epoch.missing & ~epoch.wrong]
        # version 8.0 counts from 0; 8.1 writes epoch + 1 (engine/trainer.py)
        if len(known) and known.min() >= 1:
            epoch.values = epoch.values - 1
            table.counts_from = 1
            note = "epochs were taken as counted from 1, as Ultralytics does"
            table.notes.append(Note(note, "reading"))
        table.counts_from_zero = True
        # a resumed training goes on in the file of the one before
        table.begins_at = 0
        table.framework = "Ultralytics"
        time = table.columns.get("time")
        if time is not None and not time.blank.any():
            del table.columns["time"]
            table.wall_times = time.values
        table.planned_epochs, notes = _plan_beside(
            path, len(known), strict=self.options.errors == "strict"
        )
        table.notes += notes
        _leave_out_unvalidated(table)
        for run in build_runs(table, self.options, self.metadata):
            yield _as_rounded(run)


def _leave_out_unvalidated(table: LogTable) -> None:
    """Take the zeros of epochs that were not validated (val=False) as no values.

    The trainer begins with a 0 for each metric and loss of the validation, and has
    values of one only after it (engine/trainer.py). No loss of classes is 0 then.
    """
    names = [name for name in table.columns if name.startswith(_VALIDATED)]
    if len({name.partition("/")[0] for name in names}) < len(_VALIDATED):
        return
    silent = np.all([table.columns[name].values == 0 for name in names], axis=0)
    if silent.all():
        table.leave_out(names, f"no epoch was validated ({_ZEROS})")
    if silent.all() or not silent.any():
        return
    for name in names:
        table.columns[name] = table.columns[name].within(~silent)
    table.not_logged |= {*names}
    table.has_own_rows |= {*names}
    told = count(int(np.count_nonzero(silent)), "epoch")
    table.notes.append(f"nothing was validated in {told} ({_ZEROS})")


_VALIDATED = ("metrics/", "val/")
_ZEROS = "val=False: 0 stands in all columns of the validation"


def _plan_beside(
    path: str, n_epochs: int, *, strict: bool
) -> tuple[int | None, list[str]]:
    """Return the epochs that the settings beside a log planned, and a note of them.

    None where hours were given instead, or where the log has more epochs.
    """
    settings = os.path.join(os.path.dirname(path), "args.yaml")
    if not os.path.isfile(settings):
        return None, []
    try:
        check_readable(settings)
    except UnreadableError as error:
        if strict:
            raise error.in_directory() from None
        return None, [f"left out beside it: {error.sentence}"]
    told = dict(re.findall(_SETTING, read_beginning(settings)))
    planned = told.get(b"epochs", b"").decode()
    if b"time" in told or not planned.isdecimal() or int(planned) < max(n_epochs, 1):
        return None, []
    patience = told.get(b"patience", b"").decode()
    own = f", with a patience of {patience}" if patience.isdecimal() else ""
    return int(planned), [f"args.yaml: {planned} epochs were planned{own}"]


# one line of YAML each, with no more digits than a plan has
_SETTING = rb"(?m)^(epochs|patience|time): *([\d.]{1,9}) *\r?$"


def _as_rounded(run: Run) -> Run:
    """Return a run with how far its writer rounds: what all numbers together show.

    It writes ``%.5g`` (engine/trainer.py), of metrics that have five decimals.
    """
    names = [name for name in run.series if not name.startswith("lr/")]
    shown = [run.series[name].values[run.series[name].recorded] for name in names]
    if not names:
        return run
    return replace(
        run, rounded_to=dict.fromkeys(names, count_digits(np.concatenate(shown)))
    )
