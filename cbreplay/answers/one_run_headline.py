"""The headline of settings on one run: where a stop comes, which setting is best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.answers.hole_words import hole_of_setting
from cbreplay.answers.left_files import in_file, so_far
from cbreplay.answers.setting_cells import never_stops
from cbreplay.answers.spoken_runs import end_of_evidence, stopped_itself, what_it_saves
from cbreplay.answers.varied_parameters import short_setting
from cbreplay.document import Claim, Code, Fact, say
from cbreplay.outcomes import best_recorded_epoch, has_ambiguous_best, judge_epoch
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Part, Text

__all__ = ["headline_of_one", "headline_of_one_run", "nearest_setting"]


def headline_of_one(cells: SettingCells) -> Text:
    """Say where the one setting stops on the one run, and what it keeps."""
    told = {name: column[0] for name, column in cells.columns.items()}
    (run,) = cells.runs
    if told["divergence_epoch"] is not None:
        return end_of_evidence(told["divergence_epoch"], told["parted_by"])
    if told["gap_epoch"] is not None:
        return hole_of_setting(run, cells.grid[0], told["gap_epoch"])
    # cells of a sweep have no columns on saved files
    saved_last = (told.get("last_saved_file"), told.get("last_saved_epoch"))
    file = in_file(told["kept_epoch"], *saved_last)
    kept = ("epoch ", Fact(told["kept_epoch"], "epoch", "kept_epoch"))
    horizon = Fact(run.horizon, "epoch", "horizon")
    claims = list(_claims_of_end(cells, told))
    if told["stopped_epoch"] is not None:
        stopped = Fact(told["stopped_epoch"], "epoch", "stopped_epoch")
        end: tuple[Part, ...] = ("It stops at epoch ", stopped, " of ", horizon)
        beside = _beside_best_here(cells, 0)
        saved = what_it_saves(told["epochs_saved"], told["seconds_saved"])
        return say(
            *end, ", and keeps ", *kept, *beside, *saved, ".", *file, claims=claims
        )
    if told["evidence"] == "exact":
        end = ("It trains to the planned end, epoch ", horizon)
        beside = _beside_best_here(cells, 0)
        return say(*end, ", and keeps ", *kept, *beside, ".", *file, claims=claims)
    end = ("It does not stop inside this log, which ends at epoch ", horizon)
    if never_stops(cells):
        end = (
            "Nothing in this list stops training, and the log ends at epoch ",
            horizon,
        )
    own = stopped_itself(run)
    first = () if own is None else (*own, " ")
    rules = read_callbacks(cells.grid[0]).callbacks
    rest = so_far(rules, told["kept_epoch"], *saved_last, _better_epoch(cells, told))
    return say(*first, *end, *rest, claims=claims)


def _better_epoch(cells: SettingCells, told: dict[str, Any]) -> int | None:
    """Return the best recorded epoch if the file that is left holds a worse one."""
    (run,), (objective, mode) = cells.runs, cells.judged_by[0]
    held = told.get("last_saved_epoch")
    if objective is None or held is None or has_ambiguous_best(run, objective, mode):
        return None
    value, lost = judge_epoch(run, held, objective, mode)
    # a file that is saved without a value holds no best one
    is_worse = value is None or lost
    return best_recorded_epoch(run, objective, mode) if is_worse else None


def _claims_of_end(cells: SettingCells, told: dict[str, Any]) -> Iterator[Claim]:
    """Yield what is said of where the one setting stops, and of what it keeps."""
    stopped, kept = told["stopped_epoch"], told["kept_epoch"]
    yield Claim("stops_at", {"epoch": stopped})
    yield Claim("keeps", {"epoch": kept})
    exact = told["evidence"] == "exact" and told["regret"] == 0
    if exact and math.isfinite(told["kept_value"]):
        yield Claim("is_best", {"series": cells.judged_by[0][0], "epoch": kept})


def headline_of_one_run(cells: SettingCells, exact: Sequence[bool]) -> Text:
    """Say how many settings a log decides, and which of them keeps the best."""
    own = stopped_itself(cells.runs[0])
    start: tuple[Part, ...] = (
        *(() if own is None else (*own, " ")),
        "This log decides ",
        Fact(sum(exact), "count", "n_decided"),
        " of ",
        Fact(len(exact), "count", "n_configs"),
        " settings",
    )
    nearest = nearest_setting(cells)
    if nearest is None:
        return say(*start, *(() if any(exact) else _told_of_none(cells)), ".")
    name = short_setting(cells.grid, nearest)
    claim = Claim("is_nearest", {"config": nearest})
    if cells.columns["regret"][nearest] == 0:
        objective = cells.judged_by[0][0] or "value"
        # a log with a hole, or one cut by its own callback, may lack a better value
        best = " keeps the best "
        if own is not None or cells.bound_of(nearest, "regret"):
            best = " keeps the best recorded "
        keeps: tuple[Part, ...] = (best, Code(objective))
    else:
        keeps = (" comes nearest", *_beside_best_here(cells, nearest))
    equals = _equals(cells, nearest)
    decided, among = sum(exact), ""
    if decided < len(exact):
        # one of the undecided settings may be better
        among = "of those " if decided > 1 else "that is "
    if decided == 1 and among:
        keeps = (", which", *keeps)
        if cells.columns["regret"][nearest] != 0:
            keeps = (*_beside_best_here(cells, nearest),)
    return say(*start, "; ", among, Code(name), *keeps, *equals, ".", claims=[claim])


# partings that the recorded rates do not show
_NO_RATE_SHOWN = ("hidden", "weights", "unrecorded")


def _told_of_none(cells: SettingCells) -> Iterator[Part]:
    """Yield what a log shows of the settings where it decides none of them."""
    held = [cells.columns[name] for name in ("evidence", "divergence_epoch")]
    parted = [
        epoch
        for evidence, epoch, parted_by in zip(
            *held, cells.columns["parted_by"], strict=True
        )
        if evidence == "diverged" and parted_by not in _NO_RATE_SHOWN
    ]
    n_configs = len(cells.grid)
    if parted:
        # the last epoch at the recorded rate
        first, last = min(parted) - 1, max(parted) - 1
        those: tuple[Part, ...] = ("they part",)
        if len(parted) < n_configs:
            n_parted = Fact(len(parted), "count", "n_parted")
            those = (n_parted, " of them part" + "s" * (len(parted) == 1))
        yield "; it shows where "
        yield from those
        yield f" from its learning rate, after epoch{'s' * (last > first)} "
        yield Fact(first, "epoch", "first_parting")
        if last > first:
            yield " to "
            yield Fact(last, "epoch", "last_parting")
        yield ", and not what follows"
    elif set(cells.columns["evidence"]) == {"censored"}:
        yield "; none of them stops inside it"


def _equals(cells: SettingCells, nearest: int) -> Iterator[Part]:
    """Yield which other settings cost the same as the one that is named."""
    held, n_configs = cells.columns, len(cells.grid)
    others = [
        config
        for config in range(n_configs)
        if config != nearest
        and held["evidence"][config] == "exact"
        and held["regret"][config] == held["regret"][nearest]
    ]
    if not others:
        return
    saved = max(held["epochs_saved"][config] for config in others)
    saves_less = saved < held["epochs_saved"][nearest]
    if len(others) == 1:
        yield ", as does "
        yield Code(short_setting(cells.grid, others[0]))
        yield ", which saves less" if saves_less else ""
    else:
        yield ", as do "
        yield Fact(len(others), "count", "n_equal")
        yield " others, which save less" if saves_less else " others"


def nearest_setting(cells: SettingCells) -> int | None:
    """Return the setting that costs least on one run; of equal ones, what saves most.

    None where the log decides no setting whose cost is known and finite, or where
    settings are judged by different series, whose costs have different units.
    """
    held = cells.columns
    if len(cells.judged_by) > 1:
        return None
    names = ("evidence", "regret", "epochs_saved", "kept_value")
    rows = zip(*(held[name] for name in names), strict=True)
    known = [
        (regret, -saved, config)
        for config, (evidence, regret, saved, kept) in enumerate(rows)
        if evidence == "exact" and regret is not None and math.isfinite(kept)
    ]
    return min(known)[2] if known else None


def _beside_best_here(cells: SettingCells, place: int) -> Iterator[Part]:
    """Yield how far a cell's kept value is from the best, if that is known."""
    regret, kept = (cells.columns[name][place] for name in ("regret", "kept_value"))
    if regret is None:
        return
    if not math.isfinite(kept):
        yield f", whose {cells.judged_by[0][0]} is no finite number"
        return
    if regret == 0:
        yield ", the best on record"
        return
    scale = scale_of(cells.columns["kept_value"])
    yield ": "
    yield Fact(regret, "difference", "regret", scale)
    side = "above" if cells.judged_by[0][1] == "min" else "below"
    best = "best recorded" if cells.bound_of(place, "regret") else "best"
    yield f" {side} the {best} {cells.judged_by[0][0]}"
