"""How settings that reduce the rate do on many runs: columns, and their totals.

How many recorded reductions a setting explains, which acts first, the stop or a
reduction, and what the record still gained after the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.retrainings import meant_in_retrainings
from cbreplay.answers.varied_parameters import axis_cells, axis_columns
from cbreplay.document import Code, ColumnRows, MadeColumn, Table, TableColumn, phrase
from cbreplay.evidence.median import median_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.answers.setting_cells import SettingCells
    from cbreplay.document import Text

__all__ = [
    "rate_columns",
    "rate_totals",
    "still_gained",
    "tells_of_rates",
    "totals_table",
]

_FIGURES = (
    "explained_reductions",
    "recorded_reductions",
    "evident_epochs",
    "acts_first",
)


def tells_of_rates(cells: SettingCells) -> bool:
    """Return whether the answer has these columns: some rule reduces on many runs."""
    return len(cells.runs) > 1 and _reduces(cells)


def _reduces(cells: SettingCells) -> bool:
    return any(rule.reduction is not None for rule in cells.callbacks)


def _stops(cells: SettingCells) -> bool:
    return any(rule.stops_early for rule in cells.callbacks)


def rate_columns(cells: SettingCells) -> Iterator[tuple[TableColumn, Sequence[Any]]]:
    """Yield these columns, each with its cells: figures for programs, then shares."""
    if not tells_of_rates(cells):
        return
    held = cells.columns
    explained, recorded, evident, first = (held[key] for key in _FIGURES)
    asked, n_rows = held["asked_epochs"], len(explained)

    def share(row: int) -> str | None:
        if explained[row] is None or recorded[row] is None:
            return None
        return f"{explained[row]} of {recorded[row]}"

    for key in _FIGURES:
        yield TableColumn(key, key, "text", shown="programs"), held[key]
    column = TableColumn("explains", "explains", "count", fold=5, shown="people")
    yield column, MadeColumn(n_rows, share)
    column = TableColumn("evident", "evident epochs", "count", fold=4, shown="people")
    yield column, MadeColumn(n_rows, lambda row: f"{evident[row]} of {asked[row]}")
    if _stops(cells):
        yield TableColumn("first_act", "acts first", fold=6, shown="people"), first


def rate_totals(cells: SettingCells) -> list[dict[str, Any]]:
    """Return the totals of every setting over the runs, for JSON."""
    totals, held = [], cells.columns
    for config, gains in enumerate(_later_gains(cells)):
        places = cells.places_of(config)
        sums = {
            name: sum(held[key][place] or 0 for place in places)
            for name, key in _SUMMED.items()
        }
        first = [held["acts_first"][place] for place in places]
        totals.append(
            {
                "config": config,
                "runs": len(cells.runs),
                **sums,
                "reduce_first": first.count("reduce"),
                "stop_first": first.count("stop"),
                "unknown": first.count(None),
                **_described(gains),
            }
        )
    return totals


def still_gained(cells: SettingCells) -> Iterator[Text]:
    """Yield what the records still gained after first reductions, and what that means.

    For several settings on several runs the table of totals has the figures, and only
    their meaning is said.
    """
    every = _later_gains(cells)
    known = [gain for gains in every for gain, _ in gains]
    if not known:
        return
    # some records have no rate: then it is assumed
    is_recorded = all(run.learning_rate is not None for run in cells.runs)
    kept = "kept" if is_recorded else "is taken to have kept"
    described = _described(every[0]) | {"worst_later_gain": max(known)}
    if len(cells.runs) == 1:
        words = _gained_on_one(kept, several=len(every) > 1, lowered=any(known))
    elif len(every) > 1:
        words = (
            f"still gained: by what share the recorded training, where it {kept} the "
            "rate that the setting first reduces, lowered its best {objective} after "
            "that"
        )
    else:
        words = (
            "On {later_gain_runs:of runs run} this setting first "
            f"reduces the rate where the recorded training {kept} it; by how much that "
            f"training still lowered its best {{objective}} after that: "
            f"{_gains(described)}"
        )
    yield phrase(
        f"{words}. {{}}",
        meant_in_retrainings(known),
        objective=Code(cells.judged_by[0][0] or "value"),
        runs=len(cells.runs),
        reduced=cells.columns["first_reduction_epoch"][0],
        **described,
    )


def _gained_on_one(kept: str, *, several: bool, lowered: bool) -> str:
    """Word what the one run still gained after one or several first reductions."""
    still = "still lowered" if lowered else "did not lower"
    still += " its best {objective}"
    gained = "{worst_later_gain:share}"
    if several:
        first = "After the epoch where a setting first reduces the rate, the recorded "
        return (
            f"{first}training, which {kept} it, {still}"
            + f" by up to {gained}" * lowered
        )
    first = "This setting first reduces the rate after epoch {reduced:epoch}. The "
    by = f" by {gained}" * lowered
    return f"{first}recorded training, which {kept} it, {still}{by} after that"


def _gains(described: Mapping[str, Any]) -> str:
    """Word the median and the largest of some gains, or the only one."""
    if not described["worst_later_gain"]:
        return "not at all"
    if described["later_gain_runs"] == 1:
        return "{worst_later_gain:share} ({worst_later_gain_run:code})"
    return (
        "{median_later_gain:share} in the middle (the median), "
        "{worst_later_gain:share} at most ({worst_later_gain_run:code})"
    )


def _described(gains: Sequence[tuple[float, str]]) -> dict[str, Any]:
    """Return the median and the largest of some gains, for JSON."""
    worst, run = max(gains, key=lambda gain: gain[0], default=(None, None))
    return {
        "later_gain_runs": len(gains),
        "median_later_gain": median_of(gain for gain, _ in gains) if gains else None,
        "worst_later_gain": worst,
        "worst_later_gain_run": run,
    }


def _later_gains(cells: SettingCells) -> list[list[tuple[float, str]]]:
    """Return, for each setting, what each run gained after its first reduction.

    As (gain, name of the run); empty where settings are judged by different series.
    """
    n_configs = len(cells.grid)
    gains: list[list[tuple[float, str]]] = [[] for _ in range(n_configs)]
    (name, mode), *others = cells.judged_by
    if name is None or mode is None or others or not _reduces(cells):
        return gains
    from cbreplay.staircase.reductions import later_gain, rate_kept_until

    first_acts = cells.columns["acts_first"]
    epochs = cells.columns["first_reduction_epoch"]
    for row, run in enumerate(cells.runs):
        until = rate_kept_until(run) if name in run.series else run.first_epoch
        # many settings first reduce in the same epoch
        known: dict[int, float | None] = {}
        for config, place in enumerate(range(row * n_configs, (row + 1) * n_configs)):
            epoch = epochs[place]
            if first_acts[place] != "reduce" or epoch >= until:
                continue
            if epoch not in known:
                known[epoch] = later_gain(run, name, mode, epoch)
            gain = known[epoch]
            if gain is not None:
                gains[config].append((gain, run.name))
    return gains


_GAINS = {"median_later_gain": "still gained, median", "worst_later_gain": "at most"}
_SUMMED = {
    "reducing_runs": "reducing",
    "explained": "explained_reductions",
    "recorded": "recorded_reductions",
    "evident_epochs": "evident_epochs",
    "recorded_epochs": "asked_epochs",
}


def totals_table(cells: SettingCells) -> Table:
    """Return the totals as a table, a row for each setting."""
    totals = rate_totals(cells)
    columns = [
        *axis_columns(cells.grid.parameters),
        TableColumn("reduces", "runs reduced", "count"),
        TableColumn("explains", "recorded reductions explained", "count", fold=1),
        TableColumn("evident", "evident epochs", "share", fold=2),
    ]
    made: list[Sequence[Any]] = [
        *axis_cells(cells.grid, 1),
        [f"{total['reducing_runs']} of {total['runs']}" for total in totals],
        [f"{total['explained']} of {total['recorded']}" for total in totals],
        [total["evident_epochs"] / total["recorded_epochs"] for total in totals],
    ]
    if len(totals) > 1 and any(total["later_gain_runs"] for total in totals):
        for key, title in _GAINS.items():
            columns.append(TableColumn(key, title, "share", fold=4))
            made.append([total[key] for total in totals])
    if _stops(cells):
        titles = {
            "reduce_first": "before the stop",
            "stop_first": "stops before",
            "unknown": "neither in the log",
        }
        for key, title in titles.items():
            columns.append(TableColumn(key, title, "count", fold=3))
            made.append([total[key] for total in totals])
    return Table(
        tuple(columns),
        ColumnRows(made),
        "What ReduceLROnPlateau does on these runs, by setting",
        is_answer=True,
    )
