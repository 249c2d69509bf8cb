"""A and B side by side: a row for each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.answers.left_files import last_file
from cbreplay.answers.setting_cells import tell_replay
from cbreplay.answers.settings_table import CSV_FIGURES
from cbreplay.document import Cell, Pair, Row, Table, TableColumn
from cbreplay.evidence.words import brief_evidence
from cbreplay.wording.shown_digits import scale_of
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.answers.rival_lists import RivalLists
    from cbreplay.replay import Replay
    from cbreplay.replay.compare import ReplayComparison
    from cbreplay.wording.kinds import Kind

__all__ = ["LAST_FILE", "comparison_table", "describe_comparison", "save_files"]

_NAMES = {"first": "A", "rival": "B", "same": "same"}
# figures of a setting that are not set side by side
_OF_ONE_ALONE = (
    "seconds_saved",
    "first_reduction_epoch",
    "reductions",
    "saves",
    "last_saved_file",
)
_FIGURES = [key for key in CSV_FIGURES if key not in _OF_ONE_ALONE]
# the title of the epoch whose weights a file holds
LAST_FILE = "last file of"


def comparison_table(lists: RivalLists) -> Table:
    """Return where A and B part on each run, and what each keeps and saves."""
    told = describe_comparison(lists.compared[0])
    columns = [
        TableColumn("run", "run", "name").for_people_if(len(lists.runs) > 1),
        *(TableColumn(key, key, "text", shown="programs") for key in told),
        *(
            TableColumn(f"{side}_{key}", f"{side} {key}", "text", shown="programs")
            for side in ("first", "rival")
            for key in _FIGURES
        ),
        *_spoken_columns(lists),
    ]
    saves = save_files(lists)
    rows = tuple(
        Row((*_figures(comparison), *_spoken(comparison, saves=saves)))
        for comparison in lists.compared
    )
    caption = f"A and B on {count(len(lists.runs), 'run')}"
    return Table(tuple(columns), rows, caption, is_answer=True)


def _figures(comparison: ReplayComparison) -> Iterator[Any]:
    """Yield the cells of a row for programs."""
    yield comparison.first.run.name
    yield from describe_comparison(comparison).values()
    for replay in comparison[:2]:
        told = tell_replay(replay)
        yield from (told[key] for key in _FIGURES)


def describe_comparison(comparison: ReplayComparison) -> dict[str, Any]:
    """Return what a comparison says, for JSON; epochs count from 0."""
    until, run = comparison.evident_until, comparison.first.run
    return {
        "parting_epoch": comparison.parting_epoch,
        "parted_by": comparison.parted_by,
        "evident_until": None if until < run.first_epoch else until,
        "both_exact": comparison.both_exact,
        "better": comparison.better,
        "value_gain": comparison.value_gain,
        "epochs_gain": comparison.epochs_gain,
    }


def _spoken_columns(lists: RivalLists) -> Iterator[TableColumn]:
    """Yield the columns for people, each for both lists: A / B."""
    objectives = {comparison.first.objective for comparison in lists.compared}
    objective = objectives.pop() if len(objectives) == 1 else None
    scale = scale_of(replay.outcome.kept_value for replay in lists.replays())
    # where all runs are exact, the totals say so already
    decided = all(comparison.both_exact for comparison in lists.compared)
    # where nothing is compared, neither is better
    untold = not any(comparison.both_exact for comparison in lists.compared)
    saves = save_files(lists)
    titles: tuple[tuple[str, str, Kind, int], ...] = (
        ("parting_epoch", "part at", "epoch", 0),
        ("parted_by", "by", "text", 5),
        ("stops", "stops", "epoch", 0),
        ("keeps", "keeps", "epoch", 1),
        ("values", objective or "kept value", "value", 3),
        *((("files", LAST_FILE, "epoch", 2),) if saves else ()),
        ("saved", "saved", "count", 4),
        ("spoken_better", "better", "text", 7 * untold),
        ("silent", "evidence", "evidence", 6 * decided),
    )
    for key, title, kind, fold in titles:
        yield TableColumn(key, title, kind, fold, "people", scale)


def save_files(lists: RivalLists) -> bool:
    """Return whether a callback of the lists saves a file anywhere."""
    return any(replay.saves for replay in lists.replays())


def _spoken(comparison: ReplayComparison, *, saves: bool) -> Iterator[Any]:
    """Yield the cells of a row for people."""
    pair = comparison[:2]
    yield comparison.parting_epoch
    yield comparison.parted_by
    yield Pair(*(replay.stopped_epoch for replay in pair))
    yield Pair(*(_so_far(replay, replay.kept_epoch) for replay in pair))
    yield Pair(*(_so_far(replay, replay.outcome.kept_value) for replay in pair))
    if saves:
        yield Pair(*(last_file(replay)[1] for replay in pair))
    yield Pair(*map(_saved, pair))
    yield _NAMES.get(comparison.better or "")
    limits = [brief_evidence(replay) for replay in pair]
    silent = [
        f"{name}: {limit}"
        for name, limit in zip("AB", limits, strict=True)
        if limit != "exact"
    ]
    yield limits[0] if limits[0] == limits[1] else "; ".join(silent)


def _so_far(replay: Replay, value: float | None) -> Cell:
    return Cell(value, provisional=bool(replay.outcome.provisional))


def _saved(replay: Replay) -> Cell:
    bound = replay.outcome.bounds.get("epochs_saved")
    return Cell(replay.outcome.epochs_saved, bound)
