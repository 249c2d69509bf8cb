"""What kernels tell of runs that lack or round values, and which cells stay open."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.evidence.holes import find_gap, find_gap_of
from cbreplay.evidence.rounded import find_unclear
from cbreplay.replay import find_unsure_stops
from cbreplay.rules.base import read_series
from cbreplay.rules.callbacks_list import read_callbacks
from cbreplay.rules.registry import PLAIN_STOPS
from cbreplay.sweep.objectives import cut_alike
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cbreplay.grid import Grid
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep.cells import Cells
    from cbreplay.sweep.objectives import Begun
    from cbreplay.sweep.plan import Block, Slot

__all__ = [
    "count_replayed",
    "find_holed",
    "fits_kernels",
    "mark_gaps",
    "mark_unsure_stops",
    "tells_stops_apart",
]


def find_holed(runs: Sequence[Run]) -> frozenset[int]:
    """Return the indices of the runs that lack a value: see `_has_holes`."""
    return frozenset(row for row, run in enumerate(runs) if _has_holes(run))


def _has_holes(run: Run) -> bool:
    """Return whether a run lacks a value that a callback may have seen.

    A run with several values in one epoch counts: it is not known which of them the
    callback saw. So does a run whose writer rounds, and a resumed one: its second fit
    went on from the weights that the recorded list left.
    """
    if run.seams or run.rounded_to:
        return True
    if any(series.others for series in run.series.values()):
        return True
    return _lacks_values(run)


def _lacks_values(run: Run) -> bool:
    """Return whether any series of a run has a hole."""
    whole = run.begins_at is None or run.begins_at == run.first_epoch
    if whole and all(series.recorded.all() for series in run.series.values()):
        return False
    return any(find_gap(run, name) is not None for name in run.series)


def fits_kernels(run: Run, block: Block) -> bool:
    """Return whether the kernels can decide a block on a run with holes.

    Only the scalar replay follows several values of one epoch, begins callbacks anew
    where a fit was resumed, counts the reductions before a hole, and tries both ends of
    a rounded value's interval.
    """
    if run.seams or any(series.others for series in run.series.values()):
        return False
    if run.rounded_to and not _is_clear(run, block.slots):
        return tells_stops_apart(run, block)
    return not block.reduces or not _lacks_values(run)


def count_replayed(runs: Sequence[Run], grid: Grid) -> int:
    """Return on how many runs a sweep would replay its settings one by one."""
    (block,) = plan_blocks(grid)
    if not block.vectorised:
        return len(runs)
    holed = find_holed(runs)
    return sum(
        (row in holed and not fits_kernels(run, block))
        # on a rounded rate a kernel cannot tell a small change from none
        or (block.reduces and bool(run.learning_rate_rounding))
        for row, run in enumerate(runs)
    )


def _is_clear(run: Run, slots: Iterable[Slot]) -> bool:
    """Return whether rounding hides nothing that any setting of a list decides by."""
    for slot in slots if run.rounded_to else ():
        if slot.kernel in PLAIN_STOPS:
            return False
        monitors = slot.tried("monitor") if "monitor" in slot.parameters else []
        beaten = ("baseline", "initial_value_threshold")
        if any(
            slot.tried(name) != [None] for name in beaten if name in slot.parameters
        ):
            return False
        margins = slot.tried("min_delta") if "min_delta" in slot.parameters else [0.0]
        later = "start_from_epoch" in slot.parameters and any(
            start > 0 for start in slot.tried("start_from_epoch")
        )
        if any(
            find_unclear(run, monitor, margins, begins_later=later)
            for monitor in monitors
        ):
            return False
    return True


def tells_stops_apart(run: Run, block: Block) -> bool:
    """Return whether `mark_unsure_stops` finds all that rounding leaves open.

    It does for a list with one rule that acts, if that stops by patience.
    """
    acting = [slot for slot in block.slots if slot.kernel != "idle"]
    if [slot.kernel for slot in acting] != ["stops"] or run.possible_seams:
        return False
    return acting[0].tried("baseline") == [None]


def mark_unsure_stops(
    cells: Cells,
    runs: Mapping[int, tuple[Run, Begun]],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    columns: EpochArray,
) -> None:
    """Mark as incomplete the cells in which a rounded log leaves the stop open.

    `runs` are the rounded runs by their row, each with the rules that decide it;
    `columns` the configs of a block for which `tells_stops_apart` holds.
    """
    alike: dict[str, tuple[Any, list[int], list[float]]] = {}
    for column in columns.tolist() if runs else ():
        rules: tuple[Any, ...] = read_callbacks(configs[column]).callbacks
        (rule,) = (rule for rule in rules if rule.acts_at)
        endless = replace(rule, patience=math.inf)
        _, places, patience = alike.setdefault(endless.code, (endless, [], []))
        places.append(column)
        patience.append(rule.patience)
    for row, (run, begun) in runs.items():
        for endless, places, patience in alike.values():
            found = find_unsure_stops(run, endless, begun.training, patience)
            for epoch in {gap for gap in found if gap is not None}:
                unsure = [epoch == gap for gap in found]
                cells.cut_off(row, np.array(places)[unsure], epoch)


def mark_gaps(
    cells: Cells,
    runs: Sequence[Run],
    holed: frozenset[int],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    blocks: Sequence[Block],
) -> None:
    """Mark as incomplete the cells that decide past a hole in a series they read.

    `holed` are the runs that `find_holed` found.
    """
    if not holed:
        return
    for block in blocks:
        for alike, rules in cut_alike(block, configs):
            reads = read_series(rules)
            for row in sorted(holed):
                gap = find_gap_of(runs[row], reads)
                if gap is not None:
                    cells.cut_off(row, alike, gap)
