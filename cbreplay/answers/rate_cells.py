"""What reductions of the rate are seen on many runs: columns, and their totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.axes import axis_cells, axis_columns
from cbreplay.document import ColumnRows, MadeColumn, Table, TableColumn
from cbreplay.rules.callbacks_list import read_callbacks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.grid import Grid
    from cbreplay.rules.base import Callback

__all__ = ["rate_columns", "rate_totals", "tells_of_rates", "totals_table"]

_FIGURES = (
    "explained_reductions",
    "recorded_reductions",
    "evident_epochs",
    "acts_first",
)


def tells_of_rates(cells: SettingCells) -> bool:
    """Return whether the answer has these columns: for a list on many runs."""
    rules = _rules(cells.grid)
    return len(cells.runs) > 1 and any(rule.reduction is not None for rule in rules)


def _rules(grid: Grid) -> tuple[Callback, ...]:
    """Return the rules of the list, with the first of their parameters."""
    return read_callbacks(grid[0]).callbacks


def _stops(grid: Grid) -> bool:
    return any(rule.stops_early for rule in _rules(grid))


def rate_columns(
    cells: SettingCells,
) -> tuple[list[TableColumn], list[Sequence[Any]]]:
    """Return the columns of the cells: figures for programs, shares for people."""
    held = cells.columns
    explained, recorded, evident, first = (held[key] for key in _FIGURES)
    asked, n_rows = held["asked_epochs"], len(explained)

    def share(row: int) -> str | None:
        if explained[row] is None or recorded[row] is None:
            return None
        return f"{explained[row]} of {recorded[row]}"

    columns = [TableColumn(key, key, "text", shown="programs") for key in _FIGURES]
    columns += [
        TableColumn("explains", "explains", "count", fold=5, shown="people"),
        TableColumn("evident", "evident epochs", "count", fold=4, shown="people"),
    ]
    made: list[Sequence[Any]] = [
        *(explained, recorded, evident, first),
        MadeColumn(n_rows, share),
        MadeColumn(n_rows, lambda row: f"{evident[row]} of {asked[row]}"),
    ]
    if _stops(cells.grid):
        columns.append(TableColumn("first_act", "acts first", fold=6, shown="people"))
        made.append(first)
    return columns, made


def rate_totals(cells: SettingCells) -> list[dict[str, Any]]:
    """Return the totals of every setting over the runs, for JSON."""
    n_configs = len(cells.grid)
    totals = []
    for config in range(n_configs):
        of_runs = {
            key: column[config::n_configs] for key, column in cells.columns.items()
        }
        sums = {
            name: sum(value or 0 for value in of_runs[key])
            for name, key in _SUMMED.items()
        }
        first = of_runs["acts_first"]
        totals.append(
            {
                "config": config,
                "runs": len(cells.runs),
                **sums,
                "reduce_first": first.count("reduce"),
                "stop_first": first.count("stop"),
                "unknown": first.count(None),
            }
        )
    return totals


_SUMMED = {
    "reducing_runs": "reducing",
    "explained": "explained_reductions",
    "recorded": "recorded_reductions",
    "evident_epochs": "evident_epochs",
    "recorded_epochs": "asked_epochs",
}


def totals_table(cells: SettingCells) -> Table:
    """Return the totals as a table, a row for each setting."""
    totals = rate_totals(cells)
    columns = [
        *axis_columns(cells.grid.parameters),
        TableColumn("reduces", "runs reduced", "count"),
        TableColumn("explains", "recorded reductions explained", "count", fold=1),
        TableColumn("evident", "evident epochs", "share", fold=2),
    ]
    made: list[Sequence[Any]] = [
        *axis_cells(cells.grid, 1),
        [f"{total['reducing_runs']} of {total['runs']}" for total in totals],
        [f"{total['explained']} of {total['recorded']}" for total in totals],
        [total["evident_epochs"] / total["recorded_epochs"] for total in totals],
    ]
    if _stops(cells.grid):
        titles = {
            "reduce_first": "before the stop",
            "stop_first": "stops before",
            "unknown": "neither in the log",
        }
        for key, title in titles.items():
            columns.append(TableColumn(key, title, "count", fold=3))
            made.append([total[key] for total in totals])
    return Table(
        tuple(columns),
        ColumnRows(made),
        "What ReduceLROnPlateau does on these runs, by setting",
        is_answer=True,
    )
