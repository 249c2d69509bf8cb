"""The headline of named settings on several runs: which loses least, or what lacks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.answers.setting_cells import only_saves
from cbreplay.answers.setting_code import setting_name
from cbreplay.answers.settings_summary import (
    SEVERAL,
    SettingsBeside,
    SettingSummary,
)
from cbreplay.answers.varied_parameters import short_setting
from cbreplay.document import Claim, Code, Fact, phrase, say
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text

__all__ = ["settings_headline"]

_ALONE = "That describes these runs, not the next."
_NEARLY_ALL = 0.9


def settings_headline(beside: SettingsBeside, setting: str = "") -> Text:
    """Say which setting loses least on several runs, or what the one setting loses.

    `setting` is what the one setting is called, by default its code if that is short.
    """
    cells, summaries, runs, compared = beside
    if len(summaries) == 1:
        code = setting_name(cells.callbacks, "")
        named = say(setting or (Code(code) if code else "this setting"))
        return _of_one_setting(cells, summaries[0], named)
    least = beside.least
    if least is None:
        return _of_no_setting(cells, summaries)
    n_open = len(summaries) - len(compared)
    more = ""
    if n_open:
        more = f" {count(n_open, 'setting')} of {len(summaries)} cannot be compared."
    loses = "loses least: " if len(compared) > 1 else "loses "
    loses = loses if least.worst_regret else ""
    on, where = "On these {n_runs:count} runs ", ""
    if len(runs) < len(cells.runs):
        tell = f"whose logs decide {'these settings' if n_open else 'every setting'}"
        if beside.tells_less:
            # a log may decide a setting and hold no number at the epoch that it keeps
            lose = "these settings lose" if n_open else "every setting loses"
            tell = f"that tell what {lose}"
        on = f"On the {{n_compared:count}} of {{n_runs:count}} runs {tell}, "
        where = "there "
    configs = [summary.config for summary in compared]
    about = {"config": least.config, "compared": configs, "runs": [*runs]}
    return phrase(
        f"{on}{{}} {loses}{{}}{{}}.{{}}{more} {_ALONE}",
        Code(short_setting(cells.grid, least.config)),
        _losses(cells, least, where),
        _equals(cells, least, compared),
        _other_files(cells, least),
        n_runs=len(cells.runs),
        n_compared=len(runs),
        claims=[Claim("loses_least", about)],
    )


def _equals(
    cells: SettingCells, least: SettingSummary, compared: Sequence[SettingSummary]
) -> Text:
    """Say which settings lose as little as the one that loses least."""
    equal = [own for own in compared if own.mean_regret == least.mean_regret]
    equal.remove(least)
    if not equal:
        return say()
    more = all(own.epochs_saved < least.epochs_saved for own in equal)
    words = f", {'more' if more else 'no less'} than "
    if len(equal) > 1:
        return phrase(
            words + "{n_equal:count} others, which lose as little", n_equal=len(equal)
        )
    return say(
        words,
        Code(short_setting(cells.grid, equal[0].config)),
        ", which loses as little",
    )


def _of_no_setting(cells: SettingCells, summaries: Sequence[SettingSummary]) -> Text:
    """Say that no setting can be compared, and what the logs decide of them."""
    most = max(summaries, key=lambda summary: (summary.exact_runs, -summary.config))
    evidence = set(cells.columns["evidence"])
    if most.exact_runs == most.runs:
        # the logs decide some settings on all runs, but not what these lose
        words = (
            "On {n_runs:of n_runs run} the logs decide {n_whole:of n_configs setting}; "
        )
        if len(cells.judged_by) > 1:
            words += "they are judged by different series, which do not compare."
        else:
            words += "for none of them do all these runs say what it loses."
    elif most.exact_runs:
        words = "No setting is decided on {n_runs:of n_runs run}; {setting:code} is "
        words += "decided on {n_decided:count}."
    else:
        words = "None of these {n_runs:count} runs decides one of the settings"
        if evidence == {"diverged"}:
            words += "; each shows where a setting parts from it (--each), not what "
            words += "follows"
        elif evidence == {"censored"}:
            words += ": no setting stops inside one of these logs"
        words += "."
    return phrase(
        words,
        n_runs=len(cells.runs),
        n_whole=sum(summary.exact_runs == summary.runs for summary in summaries),
        n_configs=len(summaries),
        setting=short_setting(cells.grid, most.config),
        n_decided=most.exact_runs,
    )


def _of_one_setting(
    cells: SettingCells, summary: SettingSummary, setting: Text
) -> Text:
    if only_saves(cells):
        words = (
            "This setting stops no training; the table says for each of these "
            "{runs:count} runs which epoch its last file holds."
        )
    elif summary.mean_regret is None:
        end, evidence = "", set(cells.columns["evidence"])
        if evidence == {"censored"}:
            end = ": it stops inside none of these logs"
        elif evidence == {"diverged"}:
            end = "; each shows where it parts from the log, not what follows"
        elif summary.exact_runs and len(cells.judged_by) == 1:
            end = "; on none of them is known what it loses"
        words = f"The logs decide {{setting}} on {{exact_runs:of runs run}}{end}."
    else:
        on, tell, decide = "On {exact_runs:of runs run}", "tell it", "logs decide"
        if summary.priced_runs == 1:
            tell, decide = "tells it", "log decides"
        if summary.priced_runs < summary.exact_runs:
            on = f"On the {{priced_runs:count}} of {{runs:count}} runs that {tell},"
        elif not summary.is_whole:
            on = (
                f"On the {{exact_runs:count}} of {{runs:count}} runs whose {decide} it,"
            )
        loses = " loses" if summary.worst_regret else ""
        alone = "That describes this run, not the next."
        alone = alone if summary.exact_runs == 1 else _ALONE
        words = f"{on} {{setting}}{loses} {{losses}}.{{files}} {alone}"
    return phrase(
        words,
        setting=setting,
        losses=_losses(cells, summary),
        files=_other_files(cells, summary),
        **summary._asdict(),
    )


def _other_files(cells: SettingCells, summary: SettingSummary) -> Text:
    """Say on how many runs a file is left with other weights than the model has."""
    evidence, kept, saved = (
        cells.columns[name] for name in ("evidence", "kept_epoch", "last_saved_epoch")
    )
    n_other = sum(
        evidence[place] == "exact" and saved[place] not in (None, kept[place])
        for place in cells.places_of(summary.config)
    )
    words = (
        " On {n_other:of runs run} the file that it saves last holds another epoch's "
    )
    words = words + "weights." if n_other else ""
    return phrase(words, n_other=Fact(n_other, "count"), runs=len(cells.runs))


def _losses(cells: SettingCells, summary: SettingSummary, where: str = "") -> Text:
    scale = scale_of(cells.columns["kept_value"])
    is_one = summary.priced_runs == 1
    words = "keeps the best {objective:code}" + " of each" * (not is_one)
    if summary.worst_regret and is_one:
        words = "{mean} {objective:code} against the best"
    elif summary.worst_regret:
        words = "{mean} {objective:code} on average against the best of each run, at "
        words += "worst {worst}"
        if _hangs_on_one(cells, summary):
            words += " ({worst_run:code}, nearly all of that average)"
    words += ";"
    if summary.priced_runs < summary.exact_runs:
        words += " over the {exact_runs:count} that decide it,"
    return phrase(
        f"{words} {where}it saves {{epochs_saved:count}} of {{recorded_epochs:count}} "
        "epochs",
        objective=cells.judged_by[0][0] or "of what is judged",
        mean=Fact(summary.mean_regret, "difference", "mean_regret", scale),
        worst=Fact(summary.worst_regret, "difference", "worst_regret", scale),
        **summary._asdict(),
    )


def _hangs_on_one(cells: SettingCells, summary: SettingSummary) -> bool:
    """Return whether one run, on another scale than the rest, makes the mean.

    It makes nearly all of it, and loses more than any other run's kept value.
    """
    mean, worst = summary.mean_regret, summary.worst_regret
    if mean is None or not worst or summary.priced_runs <= SEVERAL:
        return False
    places = cells.places_of(summary.config)
    kept = (cells.columns["kept_value"][place] for place in places)
    others = [
        abs(value)
        for run, value in zip(cells.runs, kept, strict=True)
        if run.name != summary.worst_run and value is not None and math.isfinite(value)
    ]
    total = mean * summary.priced_runs
    return worst >= _NEARLY_ALL * total and worst > max(others, default=math.inf)
