"""On how many runs a stop cuts a schedule of the learning rate short."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cbreplay.document import phrase
from cbreplay.evidence.training_course import cuts_schedule, falls_by_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text

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
    scheduled = [row for row, run in enumerate(cells.runs) if falls_by_schedule(run)]
    # many settings stop in the same epoch
    cuts = functools.cache(lambda row, epoch: cuts_schedule(cells.runs[row], epoch))
    counted = []
    for config in range(len(cells.grid)):
        places = cells.places_of(config)
        stops = [
            (row, cells.columns["stopped_epoch"][places[row]]) for row in scheduled
        ]
        counted.append(
            {
                "config": config,
                "runs": len(cells.runs),
                "scheduled_runs": len(scheduled),
                "cut_runs": sum(cuts(*stop) for stop in stops),
            }
        )
    return counted if any(told["cut_runs"] for told in counted) else []


def told_schedules(cells: SettingCells) -> Iterator[Text]:
    """Yield on how many runs stops cut a schedule, where one does."""
    told = cut_schedules(cells)
    if not told:
        return
    most: dict[str, Any] = max(told, key=lambda row: row["cut_runs"])
    falls, is_one = f"{{rate:code}}{FALLS_BY_SCHEDULE}", len(cells.runs) == 1
    on = "" if is_one else "On {scheduled_runs:of runs run} "
    # how many settings stop before the end of a schedule, if several were asked about
    n_cutting = sum(row["cut_runs"] > 0 for row in told)
    if len(told) > 1:
        stop, cut = ("stops", "cuts") if n_cutting == 1 else ("stop", "cut")
        runs = "" if is_one else ", on up to {cut_runs:count} of them"
        cuts = f"; {{n_cutting:of n_configs setting}} {stop} before that end{runs}, "
        cuts += f"and {cut}"
    elif is_one:
        cuts = ": the stop at epoch {stopped_epoch:epoch} cuts"
    else:
        cuts = "; the stop comes before that end on {cut_runs:count} of them, and cuts"
    yield phrase(
        f"{on}{falls}{cuts} the part that usually pays.",
        rate="learning_rate",
        stopped_epoch=cells.columns["stopped_epoch"][0],
        n_cutting=n_cutting,
        n_configs=len(told),
        **most,
    )
