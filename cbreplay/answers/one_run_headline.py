"""The headline of settings on one run: where a stop comes, which setting is best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.answers.left_files import in_file, so_far
from cbreplay.answers.setting_cells import never_stops
from cbreplay.answers.spoken_runs import end_of_evidence, stopped_itself, what_it_saves
from cbreplay.answers.varied_parameters import short_setting
from cbreplay.document import Claim, Fact, phrase, say
from cbreplay.evidence.outcomes import (
    best_recorded_epoch,
    has_ambiguous_best,
    judge_epoch,
)
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text
    from cbreplay.run import Run

__all__ = ["headline_of_one", "headline_of_one_run", "nearest_setting"]

_IT = say("It")


def headline_of_one(cells: SettingCells, setting: Text = _IT) -> Text:
    """Say where the one setting stops on the one run, and what it keeps.

    `setting` is what it is called at the beginning of the sentence.
    """
    told = {name: column[0] for name, column in cells.columns.items()}
    (run,) = cells.runs
    if told["divergence_epoch"] is not None:
        return end_of_evidence(told["divergence_epoch"], told["parted_by"])
    if told["gap_epoch"] is not None:
        from cbreplay.answers.hole_words import hole_of_setting

        return hole_of_setting(run, cells.grid[0], told["gap_epoch"])
    saved_last = (told["last_saved_file"], told["last_saved_epoch"])
    start = rest = say()
    better = _better_epoch(cells, told)
    if told["stopped_epoch"] is None and told["evidence"] != "exact":
        words = "{setting} does not stop inside this log, which ends at epoch "
        words += "{horizon:epoch}"
        if never_stops(cells):
            words = "Nothing in this list stops training, and the log ends at epoch "
            words += "{horizon:epoch}"
        start = stopped_itself(run)
        rest = so_far(cells.callbacks, told["kept_epoch"], *saved_last, better)
    else:
        words = "{setting} trains to the planned end, epoch {horizon:epoch}"
        if told["stopped_epoch"] is not None:
            words = "{setting} stops at epoch {stopped_epoch:epoch} of {horizon:epoch}"
        words += ", and keeps epoch {kept_epoch:epoch}{beside}{saved}."
        rest = in_file(told["kept_epoch"], *saved_last, better)
    saved = what_it_saves(told["epochs_saved"], told["seconds_saved"])
    return phrase(
        f"{{}}{words}{{}}",
        start,
        rest,
        setting=setting,
        horizon=run.horizon,
        beside=_beside_best_here(cells, 0),
        saved=say() if told["stopped_epoch"] is None else saved,
        claims=list(_claims_of_end(cells, told)),
        **told,
    )


def _better_epoch(cells: SettingCells, told: dict[str, Any]) -> int | None:
    """Return the best recorded epoch if the file that is left holds a worse one.

    None after a stop, since the best may come later.
    """
    (run,), (objective, mode) = cells.runs, cells.judged_by[0]
    held = told["last_saved_epoch"]
    if objective is None or held is None or told["stopped_epoch"] is not None:
        return None
    if has_ambiguous_best(run, objective, mode):
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


def headline_of_one_run(cells: SettingCells) -> Text:
    """Say how many settings a log decides, and which of them keeps the best."""
    own = stopped_itself(cells.runs[0])
    start = "{}This log decides {n_decided:count} of {n_configs:count} settings"
    n_configs, nearest = len(cells.grid), nearest_setting(cells)
    decided = cells.columns["evidence"].count("exact")
    counts: dict[str, Any] = {"n_decided": decided, "n_configs": n_configs}
    if nearest is None:
        one_objective = len(cells.judged_by) == 1
        lost = say("; it tells of none what it loses" if one_objective else "")
        none = lost if decided else _told_of_none(cells)
        return phrase(start + "{}.", own, none, **counts)
    objective = cells.judged_by[0][0] or "value"
    is_best = cells.columns["regret"][nearest] == 0
    # one of the undecided settings may be better
    among, keeps = "", " comes nearest{beside}"
    if is_best:
        # a log with a hole, or one cut by its own callback, may lack a better value
        some = own.parts or cells.bound_of(nearest, "regret")
        keeps = f" keeps the best {'recorded ' * bool(some)}{{objective:code}}"
    if decided < n_configs:
        among = "of those " if decided > 1 else "that is "
        if decided == 1:
            keeps = f", which{keeps}" if is_best else "{beside}"
    return phrase(
        f"{start}; {among}{{setting:code}}{keeps}{{}}.",
        own,
        _equals(cells, nearest),
        setting=short_setting(cells.grid, nearest),
        beside=_beside_best_here(cells, nearest),
        objective=objective,
        claims=[Claim("is_nearest", {"config": nearest})],
        **counts,
    )


# partings that the recorded rates do not show
_NO_RATE_SHOWN = ("hidden", "either", "weights", "unrecorded")


def _told_of_none(cells: SettingCells) -> Text:
    """Say what a log shows of the settings where it decides none of them."""
    held = (cells.columns[key] for key in ("evidence", "divergence_epoch", "parted_by"))
    parted = [
        epoch - 1
        for evidence, epoch, parted_by in zip(*held, strict=True)
        if evidence == "diverged" and parted_by not in _NO_RATE_SHOWN
    ]
    if not parted:
        censored = set(cells.columns["evidence"]) == {"censored"}
        return say("; none of them stops inside it" if censored else "")
    # the last epochs at the recorded rate
    first, last, those = min(parted), max(parted), "they part"
    if len(parted) < len(cells.grid):
        those = "{n_parted:count} of them part" + "s" * (len(parted) == 1)
    after = "epochs {first_parting:epoch} to {last_parting:epoch}"
    if first == last:
        after = "epoch {first_parting:epoch}"
    return phrase(
        f"; it shows where {those} from its learning rate, after {after}, and not what "
        "follows",
        n_parted=len(parted),
        first_parting=first,
        last_parting=last,
    )


def _equals(cells: SettingCells, nearest: int) -> Text:
    """Say which other settings cost the same as the one that is named."""
    held, n_configs = cells.columns, len(cells.grid)
    others = [
        config
        for config in range(n_configs)
        if config != nearest
        and held["evidence"][config] == "exact"
        and held["regret"][config] == held["regret"][nearest]
    ]
    if not others:
        return say()
    saved = max(held["epochs_saved"][config] for config in others)
    saves_less = saved < held["epochs_saved"][nearest]
    words = ", as do {n_equal:count} others" + ", which save less" * saves_less
    if len(others) == 1:
        words = ", as does {setting:code}" + ", which saves less" * saves_less
    setting = short_setting(cells.grid, others[0])
    return phrase(words, n_equal=len(others), setting=setting)


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


def _beside_best_here(cells: SettingCells, place: int) -> Text:
    """Say how far a cell's kept value is from the best, or that it is no number."""
    held = {name: column[place] for name, column in cells.columns.items()}
    regret = held["regret"]
    objective, mode = cells.judged_by[0]
    words = _without_number(cells.run_at(place), objective, held["kept_epoch"])
    if regret == 0 and not words:
        words = ", the best on record"
    elif regret is not None and not words:
        side = "above" if mode == "min" else "below"
        best = "best recorded" if cells.bound_of(place, "regret") else "best"
        words = f": {{regret}} {side} the {best} {{objective}}"
    scale = scale_of(cells.columns["kept_value"])
    fact = Fact(regret, "difference", "regret", scale)
    return phrase(words, objective=objective, regret=fact)


def _without_number(run: Run, objective: str | None, kept: int | None) -> str:
    """Say that a log holds no finite number of the objective at the kept epoch."""
    if objective is None or kept is None:
        return ""
    series, place = run.series[objective], kept - run.first_epoch
    if not series.recorded[place]:
        return ", of which the log has no {objective}"
    finite = math.isfinite(series.values[place])
    return "" if finite else ", whose {objective} is no finite number"
