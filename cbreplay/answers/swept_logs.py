"""Settings on logs that were read elsewhere: the cells of a sweep without its runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.varied_parameters import axis_columns
from cbreplay.document import (
    EVERY_ROW,
    Code,
    ColumnRows,
    Document,
    Notice,
    Section,
    Table,
    TableColumn,
    phrase,
    say,
)
from cbreplay.rules.families import spoken_version
from cbreplay.sweep import EVIDENCE
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from cbreplay.document import Text
    from cbreplay.sweep import Sweep
    from cbreplay.wording.kinds import Kind

__all__ = ["left_out", "swept_document"]

# what `Sweep.to_frame` has of each cell besides its parameters: the kind of a column,
# and its `fold`
_COLUMNS: dict[str, tuple[Kind, int]] = {
    "run": ("name", 0),
    "group": ("name", 9),
    "config": ("number", 5),
    "evidence": ("evidence", 0),
    "stopped_epoch": ("epoch", 0),
    "kept_epoch": ("epoch", 0),
    "divergence_epoch": ("epoch", 3),
    "gap_epoch": ("epoch", 0),
    "kept_value": ("value", 2),
    "regret": ("difference", 0),
    "seconds_saved": ("seconds", 6),
    "trained_epochs": ("count", 4),
    "epochs_saved": ("count", 1),
    "bounded": ("flag", 8),
    "provisional": ("flag", 7),
}


def swept_document(sweep: Sweep) -> Document:
    """Say what every setting would have done on logs that were swept elsewhere.

    The sweep is over a grid; its table is that of `Sweep.to_frame`.
    """
    sections = (
        Section("Every setting", (_table(sweep),), untitled=True),
        Section("Left out", (Notice(left_out(sweep)),)),
    )
    n_runs, n_configs = sweep.shape
    counts = [int((sweep.evidence == code).sum()) for code in range(len(EVIDENCE))]
    headline = phrase(
        "The logs decide {n_exact:count} of {n_cells:count} cells: {} on {}.",
        count(n_configs, "setting"),
        count(n_runs, "run"),
        n_exact=counts[0],
        n_cells=sum(counts),
    )
    rules = dict.fromkeys(spoken_version(run.semantics) for run in sweep.runs)
    lead = say(f"Rules of {', '.join(rules)}. Epochs count from 1.")
    return Document("simulate", headline, lead, sections)


def left_out(sweep: Sweep) -> tuple[Text, ...]:
    """Return which logs could not be read or swept, and why."""
    return tuple(
        say(Code(failure.source), f": {failure.problem}") for failure in sweep.failures
    )


def _table(sweep: Sweep) -> Table:
    frame = sweep.to_frame()
    axes = {column.key: column for column in axis_columns(sweep.configs.parameters)}
    columns = []
    for name in map(str, frame):
        column = axes.get(name)
        if column is None:
            column = TableColumn(name, name.replace("_", " "), *_COLUMNS[name])
        columns.append(column)
    # in columns of numbers, pandas has no None
    plain = frame.astype(object).where(frame.notna(), None)
    made: list[list[Any]] = [plain[name].tolist() for name in plain]
    caption = "What the settings would have done on the logs"
    return Table(
        tuple(columns),
        ColumnRows(made),
        caption,
        is_answer=True,
        most_on_screen=EVERY_ROW,
    )
