"""The table of settings on runs: figures for programs, and the same for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.rate_cells import rate_columns
from cbreplay.answers.setting_cells import never_stops, only_saves
from cbreplay.answers.spoken_runs import beside_best
from cbreplay.answers.varied_parameters import axis_cells, axis_columns
from cbreplay.document import (
    EVERY_ROW,
    Cell,
    ColumnRows,
    MadeColumn,
    Table,
    TableColumn,
)
from cbreplay.evidence.outcomes import judge_certainly
from cbreplay.evidence.words import Limit, limits_explained
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.replay import Replay
    from cbreplay.wording.kinds import Kind
    from cbreplay.wording.shown_digits import ValueScale

__all__ = ["CSV_FIGURES", "evidence_footnote", "settings_table"]

# what CSV has of each cell, in order
CSV_FIGURES = (
    "evidence",
    "stopped_epoch",
    "kept_epoch",
    "kept_value",
    "regret",
    "trained_epochs",
    "epochs_saved",
    "seconds_saved",
    "bounds",
    "provisional",
    "first_reduction_epoch",
    "reductions",
    "divergence_epoch",
    "gap_epoch",
    "saves",
    "last_saved_file",
    "last_saved_epoch",
)
_FOLD_DECIDED = 7


def settings_table(cells: SettingCells) -> Table:
    """Return what every setting would have done on every run, a row a cell.

    If there are several runs, they are named in a column.
    """
    n_runs, n_configs = len(cells.runs), len(cells.grid)
    names = [run.name for run in cells.runs for _ in range(n_configs)]
    columns = [
        TableColumn("run", "run", "name").for_people_if(n_runs > 1),
        TableColumn("config", "config", "text", shown="programs"),
        *axis_columns(cells.grid.parameters),
        *(TableColumn(key, key, "text", shown="programs") for key in CSV_FIGURES),
    ]
    made: list[Sequence[Any]] = [
        names,
        [*range(n_configs)] * n_runs,
        *axis_cells(cells.grid, n_runs),
        *(cells.columns[key] for key in CSV_FIGURES),
    ]
    for column, held in (*_spoken_columns(cells), *rate_columns(cells)):
        columns.append(column)
        made.append(held)
    # where all rows are exact, the headline says so already
    decided = all(evidence == "exact" for evidence in cells.columns["evidence"])
    fold = _FOLD_DECIDED if decided else 0
    columns.append(_for_people("spoken", "evidence", "evidence", fold))
    made.append(_evidence(cells))
    return Table(
        tuple(columns),
        ColumnRows(made),
        f"What {count(n_configs, 'setting')} would have done on {count(n_runs, 'run')}",
        is_answer=True,
        most_on_screen=EVERY_ROW,
    )


def _spoken_columns(cells: SettingCells) -> Iterator[tuple[TableColumn, Sequence[Any]]]:
    """Yield the columns for people, each with its cells."""
    held = cells.columns
    objectives = {name for name, _ in cells.judged_by}
    objective = objectives.pop() if len(objectives) == 1 else "kept value"
    scale = scale_of(held["kept_value"])
    if any(rule.changes_learning_rate for rule in cells.grid[0]):
        key = "first_reduction_epoch"
        yield _for_people(key, "first reduces", "epoch", fold=3), held[key]
    if only_saves(cells):
        yield from _file_columns(cells, objective, scale)
        return
    can_stop = not never_stops(cells)
    if can_stop:
        yield _for_people("stopped_epoch", "stops at", "epoch"), held["stopped_epoch"]
    yield (
        _for_people("kept_epoch", "keeps", "epoch", fold=1),
        _so_far(cells, held["kept_epoch"]),
    )
    # without an objective, nothing judges what is kept
    if objective is not None:
        told = held["kept_value"], held["regret"]
        yield from _judged_columns(cells, objective, scale, *told)
    if can_stop:
        column = _for_people("epochs_saved", "saved", "count", fold=4)
        yield column, _bounded(cells, "epochs_saved", held["epochs_saved"])
    if any(held["saves"]):
        yield _for_people("saves", "saves", "count", fold=6), held["saves"]
        key = "last_saved_file"
        yield _for_people(key, "last file", "name", fold=5), held[key]
        key = "last_saved_epoch"
        yield _for_people(key, "of epoch", "epoch", fold=5), held[key]


def _file_columns(
    cells: SettingCells, objective: str | None, scale: ValueScale
) -> Iterator[tuple[TableColumn, Sequence[Any]]]:
    """Yield what the last saved file holds: all that is left of settings that save."""
    held = cells.columns
    yield _for_people("last_saved_file", "last file", "name"), held["last_saved_file"]
    epochs = held["last_saved_epoch"]
    yield _for_people("last_saved_epoch", "of epoch", "epoch"), _so_far(cells, epochs)
    if objective is not None:
        told = zip(*map(_judge_file, cells.replays(), epochs), strict=True)
        yield from _judged_columns(cells, objective, scale, *told)
    yield _for_people("saves", "saves", "count", fold=6), held["saves"]


def _judged_columns(
    cells: SettingCells,
    objective: str,
    scale: ValueScale,
    values: Sequence[Any],
    regrets: Sequence[Any],
) -> Iterator[tuple[TableColumn, Sequence[Any]]]:
    """Yield the objective of what is kept, and how far that is from the best."""
    column = _for_people("kept_value", objective, "value", fold=2)
    yield column._replace(scale=scale), _so_far(cells, values)
    side = beside_best(mode for _, mode in cells.judged_by)
    column = _for_people("regret", side, "difference")._replace(scale=scale)
    yield column, _bounded(cells, "regret", _so_far(cells, regrets))


def _judge_file(replay: Replay, epoch: int | None) -> tuple[float | None, float | None]:
    """Return the objective at the epoch whose weights a file holds, and its regret."""
    return judge_certainly(replay.run, epoch, replay.objective, replay.objective_mode)


def _for_people(key: str, title: str, kind: Kind, fold: int = 0) -> TableColumn:
    return TableColumn(key, title, kind, fold, "people")


def _so_far(cells: SettingCells, held: Sequence[Any]) -> Sequence[Any]:
    """Return a column, with brackets around what would hold if training ended here."""
    provisional = cells.columns["provisional"]
    return MadeColumn(
        len(held),
        lambda row: (
            Cell(held[row], provisional=True) if provisional[row] else held[row]
        ),
    )


def _bounded(cells: SettingCells, key: str, held: Sequence[Any]) -> Sequence[Any]:
    """Return a column of figures, with its sign where one is a bound."""

    def cell(row: int) -> Any:
        value, bound = held[row], cells.bound_of(row, key)
        if bound is None:
            return value
        value = value if isinstance(value, Cell) else Cell(value)
        return value._replace(bound=bound)

    return MadeColumn(len(held), cell)


_LIMITS = ("evidence", "divergence_epoch", "parted_by", "gap_epoch")


def _evidence(cells: SettingCells) -> Sequence[Any]:
    """Return how far each cell is evidence, in few words."""
    limits = [cells.columns[key] for key in _LIMITS]

    def spoken(row: int) -> str:
        return Limit(cells.run_at(row), *(column[row] for column in limits)).brief()

    return MadeColumn(len(limits[0]), spoken)


def evidence_footnote(cells: SettingCells) -> str:
    """Say what the words for evidence mean; nothing where every cell is exact."""
    evidence, _, parted_by, gaps = (cells.columns[key] for key in _LIMITS)
    n_configs = len(cells.grid)
    holes = {
        (row // n_configs, epoch) for row, epoch in enumerate(gaps) if epoch is not None
    }
    return limits_explained(
        zip(evidence, parted_by, strict=True),
        [(cells.runs[run], epoch) for run, epoch in sorted(holes)],
    )
