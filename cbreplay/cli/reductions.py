"""The columns of ``simulate`` on many runs that tell of a ReduceLROnPlateau."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.cli.output import Column
from cbreplay.grid import Choices
from cbreplay.rules.base import rule_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.grid import Grid

__all__ = ["ReductionTable", "tells_of_reductions"]

_STOPPERS = ("EarlyStopping", "PrecheltGL", "PrecheltPQ", "PrecheltUP")


def tells_of_reductions(grid: Grid, n_runs: int) -> bool:
    """Return whether the answer has these columns: for a list on many runs."""
    return n_runs > 1 and "ReduceLROnPlateau" in _kinds(grid)


def _kinds(grid: Grid) -> list[str]:
    return [
        one.kind.__name__ if isinstance(one, Choices) else rule_name(one)
        for one in grid.entries
    ]


class ReductionTable:
    """What every cell shows of its reductions, and the totals of every setting.

    Parameters
    ----------
    decided : SettingCells
        The cells.
    """

    def __init__(self, decided: SettingCells) -> None:
        self.decided, self.grid = decided, decided.grid
        self.stops = any(kind in _STOPPERS for kind in _kinds(self.grid))

    def cells(self) -> list[dict[str, Any]]:
        """Return the columns' values for people, a mapping for each cell."""
        held = self.decided.columns
        keys = ("explained_reductions", "recorded_reductions", "evident_epochs")
        columns = [held[key] for key in (*keys, "asked_epochs", "acts_first")]
        return [
            {
                "explains": _spoken_share(explained, recorded),
                "evident": f"{evident} of {asked}",
                "acts_first": acts_first,
            }
            for explained, recorded, evident, asked, acts_first in zip(
                *columns, strict=True
            )
        ]

    def columns(self, output: str) -> list[Column]:
        """Return the columns: figures for CSV, shares for people."""
        if output == "csv":
            keys = "explained_reductions recorded_reductions evident_epochs acts_first"
            return [Column(key, key) for key in keys.split()]
        return [
            Column("explains", "explains"),
            Column("evident", "evident epochs"),
            *([Column("acts_first", "acts first", _plain)] if self.stops else []),
        ]

    def totals(self) -> list[dict[str, Any]]:
        """Return the totals of every setting, for JSON and the second table."""
        n_runs, n_configs = len(self.decided.runs), len(self.grid)
        held = self.decided.columns

        def total(key: str, config: int) -> int:
            return sum(one or 0 for one in held[key][config::n_configs])

        return [
            {
                "config": config,
                "runs": n_runs,
                "reducing_runs": total("reducing", config),
                "explained": total("explained_reductions", config),
                "recorded": total("recorded_reductions", config),
                "evident_epochs": total("evident_epochs", config),
                "recorded_epochs": total("asked_epochs", config),
                **self._acting_first(config),
            }
            for config in range(n_configs)
        ]

    def _acting_first(self, config: int) -> dict[str, int]:
        first = self.decided.columns["acts_first"][config :: len(self.grid)]
        return {
            "reduce_first": first.count("reduce"),
            "stop_first": first.count("stop"),
            "unknown": first.count(None),
        }

    def total_rows(self) -> list[dict[str, Any]]:
        """Return a row for each setting of the second table."""
        return [
            self.grid.values_of(one["config"])
            | {
                "reduces": f"{one['reducing_runs']} of {one['runs']}",
                "explains": f"{one['explained']} of {one['recorded']}",
                "evident": f"{one['evident_epochs'] / one['recorded_epochs']:.0%}",
                "reduce_first": one["reduce_first"],
                "stop_first": one["stop_first"],
                "unknown": one["unknown"],
            }
            for one in self.totals()
        ]

    def total_columns(self, axes: Sequence[Column]) -> list[Column]:
        """Return the columns of the second table, after those of the settings."""
        first = [
            Column("reduce_first", "before the stop"),
            Column("stop_first", "stops before"),
            Column("unknown", "neither in the log"),
        ]
        return [
            *axes,
            Column("reduces", "runs reduced"),
            Column("explains", "recorded reductions explained"),
            Column("evident", "evident epochs"),
            *(first if self.stops else []),
        ]


def _spoken_share(part: int | None, whole: int | None) -> str:
    return "-" if part is None or whole is None else f"{part} of {whole}"


def _plain(value: str | None) -> str:
    return value or "-"
