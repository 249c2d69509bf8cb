"""What each setting comes to over several runs: a row a setting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.answers.spoken_runs import beside_best
from cbreplay.answers.varied_parameters import axis_cells, axis_columns
from cbreplay.document import (
    EVERY_ROW,
    Cell,
    ColumnRows,
    Section,
    Table,
    TableColumn,
    footnotes,
    say,
)
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text

__all__ = [
    "SEVERAL",
    "SettingSummary",
    "SettingsBeside",
    "compare_settings",
    "summarise",
    "summary_section",
]

SEVERAL = 2


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
    held, places = cells.columns, cells.places_of(config)
    exact = [places[run] for run in runs if held["evidence"][places[run]] == "exact"]
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
        None if worst is None else cells.run_at(priced[worst]).name,
        saved,
        saved + sum(held["trained_epochs"][place] for place in exact),
    )


def _is_priced(cells: SettingCells, place: int) -> bool:
    """Return whether a cell is exact, and what it loses known and not only a bound."""
    exact = cells.columns["evidence"][place] == "exact"
    regret = cells.columns["regret"][place]
    known = exact and regret is not None and math.isfinite(regret)
    return known and cells.bound_of(place, "regret") is None


def _deviation(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample; None of fewer than two values."""
    if len(values) <= 1:
        return None
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return math.sqrt(squares / (len(values) - 1))


class SettingsBeside(NamedTuple):
    """Settings beside each other over several runs.

    Parameters
    ----------
    cells : SettingCells
        What each does on each run.
    each : sequence of SettingSummary
        What each comes to over its own runs, in the order of the grid.
    runs : sequence of int
        The runs over which settings are compared.
    compared : sequence of SettingSummary
        What the settings that can be compared come to over these runs.
    """

    cells: SettingCells
    each: Sequence[SettingSummary]
    runs: Sequence[int]
    compared: Sequence[SettingSummary]

    @property
    def over_some_runs(self) -> bool:
        """Whether several settings are compared, and only over some of the runs."""
        return len(self.each) > 1 and len(self.runs) < len(self.cells.runs)

    @property
    def least(self) -> SettingSummary | None:
        """The setting that loses least; of equal ones, what saves most."""
        known = [
            (summary.mean_regret, -summary.epochs_saved, summary.config, summary)
            for summary in self.compared
            if summary.mean_regret is not None
        ]
        return min(known)[-1] if known else None

    @property
    def tells_less(self) -> bool:
        """Whether some runs decide a setting without telling what it loses."""
        is_judged = len(self.cells.judged_by) == 1
        return is_judged and any(own.priced_runs < own.exact_runs for own in self.each)


def compare_settings(cells: SettingCells) -> SettingsBeside:
    """Return the settings beside each other, over the runs on which they compare.

    Means over different runs do not compare: the runs that do not decide a long
    patience are often those where it matters. So the settings that at least half of the
    runs decide are compared over the runs that decide all of these. If that leaves few
    runs or settings, the settings that all runs decide are compared over all runs.
    """
    every, summaries = range(len(cells.runs)), summarise(cells)
    often = [own for own in summaries if 2 * own.priced_runs >= own.runs]
    places = [cells.places_of(own.config) for own in often]
    runs = [run for run in every if all(_is_priced(cells, own[run]) for own in places)]
    is_few = min(len(often), len(runs)) < SEVERAL or 2 * len(runs) < len(every)
    if is_few or len(runs) == len(every):
        whole = [summary for summary in summaries if summary.is_whole]
        return SettingsBeside(cells, summaries, every, whole)
    compared = [_summary(cells, own.config, runs) for own in often]
    return SettingsBeside(cells, summaries, runs, compared)


def summary_section(beside: SettingsBeside) -> Section:
    """Return the settings beside each other, a row each, and what the figures are."""
    blocks = (_table(beside), footnotes(_footnotes(beside)))
    return Section("The settings side by side", blocks, untitled=True)


def _table(beside: SettingsBeside) -> Table:
    summaries, least = beside.each, beside.least
    made: list[list[Any]] = [
        [summary.config for summary in summaries],
        *axis_cells(beside.cells.grid, 1),
        [Cell(summary.exact_runs, of=summary.runs) for summary in summaries],
        [Cell(summary.priced_runs, of=summary.runs) for summary in summaries],
        [summary.mean_regret for summary in summaries],
        [summary.spread_regret for summary in summaries],
        [summary.worst_regret for summary in summaries],
        [summary.worst_run if summary.worst_regret else None for summary in summaries],
        [_saved(summary) for summary in summaries],
    ]
    return Table(
        _columns(beside),
        ColumnRows(made, frozenset() if least is None else {least.config}),
        "What each setting comes to over the runs",
        is_answer=True,
        most_on_screen=EVERY_ROW,
    )


def _columns(beside: SettingsBeside) -> tuple[TableColumn, ...]:
    cells = beside.cells
    side = beside_best(mode for _, mode in cells.judged_by)
    scale = scale_of(cells.columns["kept_value"])

    def difference(key: str, title: str, fold: int = 0) -> TableColumn:
        return TableColumn(key, title, "difference", fold, scale=scale)

    return (
        TableColumn("config", "config", "text", shown="programs"),
        *axis_columns(cells.grid.parameters),
        TableColumn("exact_runs", "exact on", "count"),
        TableColumn("priced_runs", "loss known on", "count").for_people_if(
            beside.tells_less
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


def _footnotes(beside: SettingsBeside) -> Iterator[tuple[str, Text]]:
    words = "exact on: the runs whose logs decide the setting; all figures are of these"
    summaries = beside.each
    if beside.tells_less:
        words = (
            "exact on: the runs whose logs decide the setting; loss known on: those of "
            "them that tell what it loses. Epochs saved are of the former, the other "
            "figures of the latter"
        )
    if beside.tells_less or any(
        summary.exact_runs < summary.runs for summary in summaries
    ):
        words += ", and over different runs they do not compare"
    yield "", say(words)
    if any(summary.spread_regret is not None for summary in summaries):
        yield "spread", say("spread: the standard deviation between runs")
