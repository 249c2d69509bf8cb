"""What each setting comes to over several runs: a row a setting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.setting_cells import only_saves
from cbreplay.answers.spoken_runs import beside_best
from cbreplay.answers.varied_parameters import axis_cells, axis_columns, short_setting
from cbreplay.document import (
    Cell,
    Claim,
    Code,
    ColumnRows,
    Fact,
    Section,
    Table,
    TableColumn,
    footnotes,
    phrase,
    say,
)
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text

__all__ = [
    "SettingSummary",
    "settings_headline",
    "summarise",
    "summarise_compared",
    "summary_section",
]

_ALONE = "That describes these runs, not the next."
_EVERY_ROW = 1_000_000
_SEVERAL = 2
_NEARLY_ALL = 0.9


class SettingSummary(NamedTuple):
    """What one setting comes to over the runs that decide it.

    Parameters
    ----------
    config : int
        Which setting, in the order of the grid.
    runs, exact_runs : int
        All runs, and those that decide the setting. All figures are over the latter,
        so that none is a bound.
    priced_runs : int
        The exact runs on which it is known what the setting loses: not where the best
        or the kept value is infinite or unknown; 0 where settings are judged by
        different series.
    mean_regret, spread_regret, worst_regret : float or None
        The regret over the priced runs, in the objective's unit: the mean, the standard
        deviation (of two or more), and the largest.
    worst_run : str or None
        The run with the largest.
    epochs_saved, recorded_epochs : int
        Summed over the exact runs.
    """

    config: int
    runs: int
    exact_runs: int
    priced_runs: int
    mean_regret: float | None
    spread_regret: float | None
    worst_regret: float | None
    worst_run: str | None
    epochs_saved: int
    recorded_epochs: int

    @property
    def is_whole(self) -> bool:
        """Whether every run decides the setting and what it loses."""
        return self.priced_runs == self.runs


def summarise(cells: SettingCells) -> list[SettingSummary]:
    """Return what each setting comes to, in the order of the grid."""
    every = range(len(cells.runs))
    return [_summary(cells, config, every) for config in range(len(cells.grid))]


def _summary(cells: SettingCells, config: int, runs: Sequence[int]) -> SettingSummary:
    held, n_configs = cells.columns, len(cells.grid)
    places = [run * n_configs + config for run in runs]
    exact = [place for place in places if held["evidence"][place] == "exact"]
    # costs of different series are of different units
    told = exact if len(cells.judged_by) == 1 else []
    priced = [place for place in told if _is_priced(cells, place)]
    regrets = [held["regret"][place] for place in priced]
    worst = max(range(len(regrets)), key=regrets.__getitem__) if regrets else None
    saved = sum(held["epochs_saved"][place] for place in exact)
    return SettingSummary(
        config,
        len(runs),
        len(exact),
        len(priced),
        math.fsum(regrets) / len(regrets) if regrets else None,
        _deviation(regrets),
        None if worst is None else regrets[worst],
        None if worst is None else cells.runs[priced[worst] // n_configs].name,
        saved,
        saved + sum(held["trained_epochs"][place] for place in exact),
    )


def _is_priced(cells: SettingCells, place: int) -> bool:
    """Return whether what a cell loses is known, and not only as a bound."""
    regret = cells.columns["regret"][place]
    known = regret is not None and math.isfinite(regret)
    return known and cells.bound_of(place, "regret") is None


def _deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample; None of fewer than two values."""
    if len(values) <= 1:
        return None
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1))


def settings_headline(cells: SettingCells, summaries: Sequence[SettingSummary]) -> Text:
    """Say which setting loses least on several runs, or what the one setting loses."""
    if len(summaries) == 1:
        return _of_one_setting(cells, summaries[0])
    runs, compared = _compared(cells, summaries)
    least = _least(compared)
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
        if _parts(cells, summaries):
            # a log may decide a setting and hold no number at the epoch that it keeps
            lose = "these settings lose" if n_open else "every setting loses"
            tell = f"that tell what {lose}"
        on = f"On the {{n_compared:count}} of {{n_runs:count}} runs {tell}, "
        where = "there "
    configs = [summary.config for summary in compared]
    about = {"config": least.config, "compared": configs, "runs": [*runs]}
    return phrase(
        f"{on}{{}} {loses}{{}}{{}}.{more} {_ALONE}",
        Code(short_setting(cells.grid, least.config)),
        _losses(cells, least, where),
        _equals(cells, least, compared),
        n_runs=len(cells.runs),
        n_compared=len(runs),
        claims=[Claim("loses_least", about)],
    )


def _compared(
    cells: SettingCells, summaries: Sequence[SettingSummary]
) -> tuple[Sequence[int], list[SettingSummary]]:
    """Return the runs over which settings are compared, and their summaries there.

    Means over different runs do not compare: the runs that do not decide a long
    patience are often those where it matters. So the settings that at least half of the
    runs decide are compared over the runs that decide all of these. If that leaves few
    runs or settings, the settings that all runs decide are compared over all runs.
    """
    every = range(len(cells.runs))
    often = [own for own in summaries if 2 * own.priced_runs >= own.runs]
    n_configs = len(cells.grid)
    runs = [
        run
        for run in every
        if all(_is_told(cells, run * n_configs + own.config) for own in often)
    ]
    is_few = min(len(often), len(runs)) < _SEVERAL or 2 * len(runs) < len(every)
    if is_few or len(runs) == len(every):
        return every, [summary for summary in summaries if summary.is_whole]
    return runs, [_summary(cells, own.config, runs) for own in often]


def summarise_compared(
    cells: SettingCells, summaries: Sequence[SettingSummary]
) -> list[SettingSummary]:
    """Return what the headline compares, where it does so over some of the runs."""
    runs, compared = _compared(cells, summaries)
    some = len(summaries) > 1 and len(runs) < len(cells.runs)
    return compared if some else []


def _is_told(cells: SettingCells, place: int) -> bool:
    """Return whether a cell is exact, and what it loses is known."""
    exact = cells.columns["evidence"][place] == "exact"
    return exact and _is_priced(cells, place)


def _of_no_setting(cells: SettingCells, summaries: Sequence[SettingSummary]) -> Text:
    """Say that no setting can be compared, and what the logs decide of them."""
    most = max(summaries, key=lambda summary: (summary.exact_runs, -summary.config))
    evidence = set(cells.columns["evidence"])
    if most.exact_runs == most.runs:
        # the logs decide some settings on all runs, but not what these lose
        words = "On all {n_runs:count} runs the logs decide {n_whole:count} of "
        words += "{n_configs:count} settings; "
        if len(cells.judged_by) > 1:
            words += "they are judged by different series, which do not compare."
        else:
            words += "for none of them do all these runs say what it loses."
    elif most.exact_runs:
        words = (
            "No setting is decided on all {n_runs:count} runs; {setting:code} is on "
        )
        words += "{n_decided:count}."
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


def _of_one_setting(cells: SettingCells, summary: SettingSummary) -> Text:
    if only_saves(cells):
        words = (
            "This setting stops no training; of each of these {runs:count} runs, the "
        )
        words += "table says of which epoch its last file is."
    elif summary.mean_regret is None:
        on, end = "all {exact_runs:count}", ""
        if summary.exact_runs < summary.runs:
            on = "{exact_runs:count} of {runs:count}"
        if set(cells.columns["evidence"]) == {"censored"}:
            end = ": it stops inside none of these logs"
        elif summary.exact_runs and len(cells.judged_by) == 1:
            end = "; on none of them is known what it loses"
        words = f"The logs decide this setting on {on} runs{end}."
    else:
        on = "On all {exact_runs:count} runs"
        if summary.priced_runs < summary.exact_runs:
            on = "On the {priced_runs:count} of {runs:count} runs that tell it,"
        elif not summary.is_whole:
            on = "On the {exact_runs:count} of {runs:count} runs whose logs decide it,"
        loses = " loses" if summary.worst_regret else ""
        words = f"{on} this setting{loses} {{losses}}. {_ALONE}"
    return phrase(words, losses=_losses(cells, summary), **summary._asdict())


def _least(summaries: Sequence[SettingSummary]) -> SettingSummary | None:
    """Return the setting that loses least; of equal ones, what saves most."""
    known = [
        (summary.mean_regret, -summary.epochs_saved, summary.config, summary)
        for summary in summaries
        if summary.mean_regret is not None
    ]
    return min(known)[-1] if known else None


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


def _losses(cells: SettingCells, summary: SettingSummary, where: str = "") -> Text:
    scale = scale_of(cells.columns["kept_value"])
    words = "keeps the best {objective:code} of each"
    if summary.worst_regret:
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
    if mean is None or not worst or summary.priced_runs <= _SEVERAL:
        return False
    kept = cells.columns["kept_value"][summary.config :: len(cells.grid)]
    others = [
        abs(value)
        for run, value in zip(cells.runs, kept, strict=True)
        if run.name != summary.worst_run and value is not None and math.isfinite(value)
    ]
    total = mean * summary.priced_runs
    return worst >= _NEARLY_ALL * total and worst > max(others, default=math.inf)


def summary_section(
    cells: SettingCells, summaries: Sequence[SettingSummary]
) -> Section:
    """Return the settings beside each other, a row each, and what the figures are."""
    table = _table(cells, summaries)
    return Section(
        "The settings side by side",
        (table, footnotes(_footnotes(cells, summaries))),
        untitled=True,
    )


def _table(cells: SettingCells, summaries: Sequence[SettingSummary]) -> Table:
    made: list[list[Any]] = [
        [summary.config for summary in summaries],
        *axis_cells(cells.grid, 1),
        [Cell(summary.exact_runs, of=summary.runs) for summary in summaries],
        [Cell(summary.priced_runs, of=summary.runs) for summary in summaries],
        [summary.mean_regret for summary in summaries],
        [summary.spread_regret for summary in summaries],
        [summary.worst_regret for summary in summaries],
        [summary.worst_run if summary.worst_regret else None for summary in summaries],
        [_saved(summary) for summary in summaries],
    ]
    least = _least(_compared(cells, summaries)[1])
    return Table(
        _columns(cells, summaries),
        ColumnRows(made, frozenset() if least is None else {least.config}),
        "What each setting comes to over the runs",
        is_answer=True,
        most_on_screen=_EVERY_ROW,
    )


def _columns(
    cells: SettingCells, summaries: Sequence[SettingSummary]
) -> tuple[TableColumn, ...]:
    side = beside_best(mode for _, mode in cells.judged_by)
    scale = scale_of(cells.columns["kept_value"])

    def difference(key: str, title: str, fold: int = 0) -> TableColumn:
        return TableColumn(key, title, "difference", fold, scale=scale)

    return (
        TableColumn("config", "config", "text", shown="programs"),
        *axis_columns(cells.grid.parameters),
        TableColumn("exact_runs", "exact on", "count"),
        TableColumn(
            "priced_runs",
            "loss known on",
            "count",
            shown="always" if _parts(cells, summaries) else "programs",
        ),
        difference("mean_regret", f"mean {side}"),
        difference("spread_regret", "spread", fold=2),
        difference("worst_regret", "worst"),
        TableColumn("worst_run", "on", "name", fold=3),
        TableColumn("epochs_saved", "epochs saved", "count", fold=1),
    )


def _saved(summary: SettingSummary) -> Cell | None:
    if not summary.exact_runs:
        return None
    return Cell(summary.epochs_saved, of=summary.recorded_epochs)


def _parts(cells: SettingCells, summaries: Sequence[SettingSummary]) -> bool:
    """Return whether some runs decide a setting without telling what it loses."""
    is_judged = len(cells.judged_by) == 1
    return is_judged and any(
        summary.priced_runs < summary.exact_runs for summary in summaries
    )


def _footnotes(
    cells: SettingCells, summaries: Sequence[SettingSummary]
) -> Iterator[tuple[str, Text]]:
    words = "exact on: the runs whose logs decide the setting; all figures are of these"
    differs = _parts(cells, summaries)
    if differs:
        words = (
            "exact on: the runs whose logs decide the setting; loss known on: those of "
            "them that tell what it loses. Epochs saved are of the former, the other "
            "figures of the latter"
        )
    if differs or any(summary.exact_runs < summary.runs for summary in summaries):
        words += ", and over different runs they do not compare"
    yield "", say(words)
    if any(summary.spread_regret is not None for summary in summaries):
        yield "spread", say("spread: the standard deviation between runs")
