"""The headline of settings on one run: where a stop comes, which setting is best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.answers.left_files import in_file, so_far
from cbreplay.answers.setting_cells import never_stops
from cbreplay.answers.setting_code import setting_name
from cbreplay.answers.spoken_runs import (
    end_of_evidence,
    own_end,
    stopped_itself,
    what_it_saves,
)
from cbreplay.answers.varied_parameters import short_setting
from cbreplay.document import Claim, Code, Fact, joined, phrase, say
from cbreplay.evidence.outcomes import (
    best_recorded_epoch,
    has_ambiguous_best,
    judge_epoch,
)
from cbreplay.rules.words import name_in_list
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = ["headline_of_one", "headline_of_one_run", "nearest_setting"]


def headline_of_one(cells: SettingCells) -> Text:
    """Say where the one setting stops on the one run, and what it keeps."""
    told = {name: column[0] for name, column in cells.columns.items()}
    (run,) = cells.runs
    if told["divergence_epoch"] is not None:
        return end_of_evidence(told["divergence_epoch"], told["parted_by"])
    if told["gap_epoch"] is not None:
        from cbreplay.answers.hole_words import hole_of_setting

        return hole_of_setting(run, cells.grid[0], told["gap_epoch"])
    start = rest = say()
    saved_last = (told["last_saved_file"], told["last_saved_epoch"])
    better = _beside_better(cells, told)
    if told["stopped_epoch"] is None and told["evidence"] != "exact":
        words = "{who} inside this log, which ends at epoch {horizon:epoch}"
        if never_stops(cells):
            words = "{who} training, and the log ends at epoch {horizon:epoch}"
        start = stopped_itself(run)
        rest = so_far(cells.callbacks, told["kept_epoch"], *saved_last, better)
    else:
        words = "{who} this training: it runs to the planned end, epoch {horizon:epoch}"
        if told["stopped_epoch"] is not None:
            words = "{who} at epoch {stopped_epoch:epoch} of {horizon:epoch}"
        words += ", and keeps epoch {kept_epoch:epoch}{beside}{saved}."
        rest = in_file(told["kept_epoch"], *saved_last, better)
    saved = what_it_saves(told["epochs_saved"], told["seconds_saved"])
    return phrase(
        f"{{}}{words}{{}}",
        start,
        rest,
        who=_who_stops(cells.replays()[0]),
        horizon=run.horizon,
        beside=_beside_best_here(cells, 0),
        saved=say() if told["stopped_epoch"] is None else saved,
        claims=list(_claims_of_end(cells, told)),
        **told,
    )


def _who_stops(replay: Replay) -> Text:
    """Say which callbacks stop; if none does, which does not, or that nothing does."""
    rules = replay.callbacks
    able = [index for index, rule in enumerate(rules) if rule.stops_early]
    if not replay.stopped_by and len(able) != 1:
        return say("Nothing in this list stops")
    first, *others = (
        Code(
            # a list's only callback with its parameters
            setting_name(rules, name) if len(rules) == 1 else name
        )
        for index in replay.stopped_by or able
        for name in [name_in_list(rules, index)]
    )
    if not replay.stopped_by:
        return say(first, " does not stop")
    also = (", with ", joined(others, " and "), ",") if others else ()
    return say(first, *also, " stops")


def _beside_better(cells: SettingCells, told: dict[str, Any]) -> Text:
    """Say of the epoch in the last file if it has no number, or is not the best.

    After a stop the best may come later, and is not named.
    """
    (run,), (objective, mode) = cells.runs, cells.judged_by[0]
    held = told["last_saved_epoch"]
    if objective is None or held is None:
        return say()
    lacks = phrase(_without_number(run, objective, held), objective=objective)
    if told["stopped_epoch"] is not None or has_ambiguous_best(run, objective, mode):
        return lacks
    better = best_recorded_epoch(run, objective, mode)
    _, lost = judge_epoch(run, held, objective, mode)
    if better is None or not (lacks.parts or lost):
        return lacks
    words = "{}, not those of the best epoch, {better:epoch}"
    return phrase(words, lacks, better=better)


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
    start = "{}This log decides {n_decided:of n_configs setting}"
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
        keeps = f" keeps the {_best(cells, nearest)} {{objective:code}}"
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
        words = f": {{regret}} {side} the {_best(cells, place)} {{objective}}"
    scale = scale_of(cells.columns["kept_value"])
    fact = Fact(regret, "difference", "regret", scale)
    return phrase(words, objective=objective, regret=fact)


def _best(cells: SettingCells, place: int) -> str:
    """Say "best recorded" where a log may lack a better value, else "best".

    That is one with a hole, or one that its own callback cut.
    """
    is_cut = own_end(cells.run_at(place)) is not None
    return "best recorded" if is_cut or cells.bound_of(place, "regret") else "best"


def _without_number(run: Run, objective: str | None, kept: int | None) -> str:
    """Say that a log holds no finite number of the objective at the kept epoch."""
    if objective is None or kept is None:
        return ""
    series, place = run.series[objective], kept - run.first_epoch
    if not series.recorded[place]:
        return ", of which the log has no {objective}"
    finite = math.isfinite(series.values[place])
    return "" if finite else ", whose {objective} is no finite number"
