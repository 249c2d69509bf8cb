"""On how many runs a stop cuts a schedule of the rate, which pays at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Code, Fact, say
from cbreplay.outcomes import cuts_schedule, falls_by_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Part, Text

__all__ = ["cut_schedules", "told_schedules"]


def cut_schedules(cells: SettingCells) -> list[dict[str, int]]:
    """Return of each setting how many schedules its stops cut, for JSON.

    Nothing where no setting of several runs stops one that follows a schedule.
    """
    n_configs, n_runs = len(cells.grid), len(cells.runs)
    scheduled = [row for row, run in enumerate(cells.runs) if falls_by_schedule(run)]
    if n_runs == 1 or not scheduled:
        return []
    cut = [0] * n_configs
    for row in scheduled:
        stops = cells.columns["stopped_epoch"][row * n_configs : (row + 1) * n_configs]
        # many settings stop in the same epoch
        cutting = {
            epoch for epoch in set(stops) if cuts_schedule(cells.runs[row], epoch)
        }
        for config, epoch in enumerate(stops):
            cut[config] += epoch in cutting
    if not any(cut):
        return []
    return [
        {
            "config": config,
            "runs": n_runs,
            "scheduled_runs": len(scheduled),
            "cut_runs": n_cut,
        }
        for config, n_cut in enumerate(cut)
    ]


def told_schedules(cells: SettingCells) -> Iterator[Text]:
    """Yield on how many runs stops cut a schedule, where one does."""
    told = cut_schedules(cells)
    if not told:
        return
    most = max(told, key=lambda row: row["cut_runs"])
    who: tuple[Part, ...] = (
        "the stop comes before that end on ",
        Fact(most["cut_runs"], "count", "cut_runs"),
        " of them, and cuts the part that usually pays",
    )
    if len(told) > 1:
        n_cutting = sum(row["cut_runs"] > 0 for row in told)
        who = (
            Fact(n_cutting, "count", "n_cutting"),
            " of ",
            Fact(len(told), "count", "n_configs"),
            " settings stop before that end, on up to ",
            Fact(most["cut_runs"], "count", "cut_runs"),
            " of them, and cut the part that usually pays",
        )
    yield say(
        "On ",
        Fact(most["scheduled_runs"], "count", "scheduled_runs"),
        " of ",
        Fact(most["runs"], "count", "runs"),
        " runs ",
        Code("learning_rate"),
        " falls in every epoch of the second half, as by a schedule to the plan's end, "
        "where the best usually comes late; ",
        *who,
        ".",
    )
