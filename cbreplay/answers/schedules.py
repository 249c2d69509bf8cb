"""On how many runs a stop cuts a schedule of the learning rate short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Code, Fact, say
from cbreplay.training_course import cuts_schedule, falls_by_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Part, Text

__all__ = ["FALLS_BY_SCHEDULE", "cut_schedules", "told_schedules"]

# what is said of a rate for which `falls_by_schedule` is true
FALLS_BY_SCHEDULE = (
    " falls in every epoch up to the last, as by a schedule to the plan's end, "
    "where the best usually comes late"
)


def cut_schedules(cells: SettingCells) -> list[dict[str, int]]:
    """Return, for each setting, how many schedules its stops cut, for JSON.

    Nothing where no setting stops a run that follows a schedule.
    """
    n_configs, n_runs = len(cells.grid), len(cells.runs)
    scheduled = [row for row, run in enumerate(cells.runs) if falls_by_schedule(run)]
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
    falls = (Code("learning_rate"), FALLS_BY_SCHEDULE)
    if len(cells.runs) == 1:
        yield say(*falls, *_cutting_settings(cells, told), ".")
        return
    yield say(
        "On ",
        Fact(most["scheduled_runs"], "count", "scheduled_runs"),
        " of ",
        Fact(most["runs"], "count", "runs"),
        " runs ",
        *falls,
        *_cut_runs(told, most),
        ".",
    )


def _cutting_settings(
    cells: SettingCells, told: Sequence[Mapping[str, int]]
) -> tuple[Part, ...]:
    """Say which stop cuts the schedule of the one run, or how many settings do."""
    if len(told) > 1:
        return ("; ", *_cutting(told), ", and cut the part that usually pays")
    (stopped,) = cells.columns["stopped_epoch"]
    epoch = Fact(stopped, "epoch", "stopped_epoch")
    return (": the stop at epoch ", epoch, " cuts the part that usually pays")


def _cut_runs(
    told: Sequence[Mapping[str, int]], most: Mapping[str, int]
) -> tuple[Part, ...]:
    """Say on how many of the scheduled runs a stop comes before the end."""
    n_cut = Fact(most["cut_runs"], "count", "cut_runs")
    if len(told) > 1:
        ending = " of them, and cut the part that usually pays"
        return ("; ", *_cutting(told), ", on up to ", n_cut, ending)
    ending = " of them, and cuts the part that usually pays"
    return ("; the stop comes before that end on ", n_cut, ending)


def _cutting(told: Sequence[Mapping[str, int]]) -> tuple[Part, ...]:
    """Say how many settings stop before the end of a schedule."""
    n_cutting = sum(row["cut_runs"] > 0 for row in told)
    return (
        Fact(n_cutting, "count", "n_cutting"),
        " of ",
        Fact(len(told), "count", "n_configs"),
        " settings stop before that end",
    )
