"""Read a file of one series, with its times and steps, whose name tells which.

TensorBoard's page offers such a CSV or JSON; the events of its ``EventAccumulator`` and
Neptune's ``fetch_values`` become one with pandas.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers.base import Damage, LogReader
from cbreplay.readers.building.step_rows import fold_by
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.csv_table import read_table
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.formats import (
    SERIES_SMOOTHED,
    SERIES_STEPS,
    SERIES_TIMES,
)
from cbreplay.readers.other_tools.json_text import begins_as_json, read_json
from cbreplay.series_names import is_rate_name, is_validation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["NAMED_BY_RUN", "UNTOLD_DATA_SET", "TensorBoardPageReader"]

UNTOLD_DATA_SET = (
    "its file's name does not tell whether it is of the training or of the validation"
)

# TensorBoard names the file by run and tag, run-validation-tag-epoch_loss.csv, older
# ones run_validation-tag-..., and a browser adds (1) to a name that is there already
NAMED_BY_RUN = (
    r"(?i)(?:run[-_])?(?P<run>.*?)-tag-(?P<tag>.+?)(?: ?\(\d+\))?"
    r"\.(?:csv|json)(?:\.gz)?"
)
_KERAS_TAG = r"epoch_(?P<metric>\w+)"
# the end of a run's name: a directory of a validation, as Keras and add_scalars make it
_OF_VALIDATION = r"(?:^|[^a-z])(?:validation|valid|val|eval)$"
# of other files, whose name may be anything: words of a metric
_METRIC = (
    r"(?i)loss|err|acc|auc|score|f1|m[as]e|rmse|iou|ma?p|precision|recall|perplexity|reward"
    r"|(?<![a-z])(lr|rate|r2|dice|elbo|kappa|nll|ppl)(?![a-z])"
)
# and a metric of a data set, perhaps behind the name of its run
_ON_DATA_SET = (
    r"(?i)(?:.*[-_ .])?((?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval)[-_ ].+)"
)
# and what a browser adds to a name that is there already
_ENDING = r"(?i)( ?\(\d+\)|[ -]\d+)?\.(csv|tsv|txt|json)(\.gz)?$"
# what a row of its JSON holds
_OF_PAGE = ("Wall time", "Step", "Value")
# milliseconds since 1970; in seconds, no training lies so far ahead
_MILLISECONDS = 1e11
# a rate is no metric of a table; as a series it waits for the files of the metrics
_RATE = "value of the rate"
# the page keeps no more of a tag
_MOST_VALUES = 1000


class TensorBoardPageReader(LogReader):
    """Reader of ``Wall time,Step,Value``, whose file's name tells the series."""

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file; a learning rate as its only series."""
        table = self._read_table(path)
        for name in [n for n in table.columns if n.startswith(("#", "Unnamed:"))]:
            del table.columns[name]
        smoothed = [name for name in table.columns if name.lower() == SERIES_SMOOTHED]
        table.leave_out(smoothed, "it is made of the values, which a callback sees")
        step = table.first_of(SERIES_STEPS) or table.find("step")
        time = table.first_of(SERIES_TIMES)
        value = table.find("value")
        of_page = time is not None and time.lower() == "wall time"
        times = None if time is None else table.columns.pop(time)
        table.check_whole()
        if times is not None and not times.blank.any():
            far = len(times.values) and times.values[0] > _MILLISECONDS
            table.wall_times = times.values / 1000 if far else times.values
        name, of_keras = _series_of(path, of_page=of_page)
        held = _RATE if is_rate_name(name) else name
        table.rename({value: held, step: "step"})
        step = "step"
        if name != value:
            table.notes.append(f"{value} was read as {name}, as the file is called")
        if of_keras and name.startswith("epoch_"):
            table.notes.append(UNTOLD_DATA_SET)
        apart = np.diff(table.columns[step].values)
        if of_page and len(table) >= _MOST_VALUES and (apart != apart[:1]).any():
            table.notes.append(
                f"it has {len(table)} rows: TensorBoard's page draws a sample from a "
                "longer series, and the event files hold it whole"
            )
        # Keras's own steps are epochs, counted from 0
        fold_by(table, step if of_keras else None, step, self.options)
        table.counts_from_zero = of_keras
        for run in build_runs(table, self.options, self.metadata):
            if held == name:
                yield run
            else:
                # what is odd about a metric is not so about a rate
                yield replace(run.renamed({held: name}), notes=tuple(table.notes))

    def _read_table(self, path: str) -> LogTable:
        if not begins_as_json(path):
            return read_table(path, self.options)
        damage = Damage(self.options)
        rows = read_json(path, self.options.max_bytes, damage)
        if all(isinstance(row, dict) for row in rows):
            return LogTable.of_rows(rows, path, damage)
        if not all(isinstance(row, list) and len(row) == len(_OF_PAGE) for row in rows):
            problem = "not every row of it is a time, a step and a value"
            raise LogError(problem, source=path, hint="Download it again")
        told = [dict(zip(_OF_PAGE, row, strict=True)) for row in rows]
        return LogTable.of_rows(told, path, damage)


def _series_of(path: str, *, of_page: bool = True) -> tuple[str, bool]:
    """Return the series that a file's name tells, and whether Keras wrote its tag.

    TensorBoard's newer page tells the tag alone, and no data set.

    >>> _series_of("run-validation-tag-epoch_loss.csv")
    ('val_loss', True)
    >>> _series_of("run-a-tag-Loss_val.csv"), _series_of("run-loss_val-tag-loss.csv")
    (('Loss_val', False), ('val_loss', False))
    >>> _series_of("val loss.csv"), _series_of("seed0_loss.csv")
    (('val_loss', False), ('seed0_loss', False))
    >>> _series_of("seed0_val_f1.csv")
    ('val_f1', False)
    >>> _series_of("epoch_loss (1).csv"), _series_of("epoch_lr.csv")
    (('epoch_loss', True), ('lr', True))
    """
    file = os.path.basename(path)
    named = re.fullmatch(NAMED_BY_RUN, file)
    if named is None:
        stem = re.sub(_ENDING, "", file)
        keras = re.fullmatch(_KERAS_TAG, stem)
        if of_page and keras is not None:
            is_rate = is_rate_name(keras["metric"])
            return keras["metric"] if is_rate else stem, True
        judged = re.fullmatch(_ON_DATA_SET, stem)
        name = stem if judged is None else judged[1]
        if re.search(_METRIC, name):
            return re.sub("[ -]", "_", name), False
        return "Value" if of_page else "value", False
    keras = re.fullmatch(_KERAS_TAG, named["tag"])
    metric = named["tag"] if keras is None else keras["metric"]
    validates = re.search(_OF_VALIDATION, named["run"], re.IGNORECASE) is not None
    told = validates and not is_validation(metric)
    return ("val_" if told else "") + metric, keras is not None
