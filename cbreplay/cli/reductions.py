"""The columns of ``simulate`` on many runs that tell of a ReduceLROnPlateau."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.cli.output import Column
from cbreplay.grid import Choices
from cbreplay.rules.base import rule_name
from cbreplay.staircase.reductions import account_reductions, total_reductions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.grid import Grid
    from cbreplay.replay import Replay
    from cbreplay.staircase.reductions import ReductionAccount

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
    grid : Grid
        The settings.
    replays : sequence of (run, config, Replay)
        The cells.
    """

    def __init__(self, grid: Grid, replays: Sequence[tuple[int, int, Replay]]) -> None:
        self.grid = grid
        self.stops = any(kind in _STOPPERS for kind in _kinds(grid))
        # cells may share a replay
        known = {id(replay): replay for *_, replay in replays}
        accounts = {key: account_reductions(one) for key, one in known.items()}
        self.accounts = [
            (run, config, accounts[id(replay)]) for run, config, replay in replays
        ]

    def cells(self) -> list[dict[str, Any]]:
        """Return the columns' values, a mapping for each cell."""
        return [
            {
                "explained_reductions": account.explained,
                "recorded_reductions": account.recorded,
                "evident_epochs": account.evident_epochs,
                "acts_first": account.acts_first,
                "explains": _spoken_share(account.explained, account.recorded),
                "evident": f"{account.evident_epochs} of {account.recorded_epochs}",
            }
            for *_, account in self.accounts
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
        by_config: dict[int, list[ReductionAccount]] = {}
        for _, config, account in self.accounts:
            by_config.setdefault(config, []).append(account)
        return [
            {"config": config, **total_reductions(accounts)._asdict()}
            for config, accounts in by_config.items()
        ]

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
