"""What every setting decides on every run, read from the arrays of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.answers.setting_cells import SettingCells
from cbreplay.evidence.outcomes import bounds_of, provisional_of
from cbreplay.evidence.words import parting_of, recorded_rate_changes, untold_rates
from cbreplay.replay.notes import note_list
from cbreplay.staircase.reductions import account_reductions, recorded_reductions
from cbreplay.sweep import EVIDENCE, SharedReplays
from cbreplay.sweep.notes import note_runs, note_settings
from cbreplay.sweep.plan import plan_blocks

if TYPE_CHECKING:
    from cbreplay.evidence.words import Parting
    from cbreplay.grid import Grid
    from cbreplay.run import BoolArray, FloatArray
    from cbreplay.sweep import Sweep

__all__ = ["find_partings", "read_sweep", "reads_from_sweep"]


def reads_from_sweep(grid: Grid) -> bool:
    """Return whether the arrays of a sweep hold all columns of a cell.

    They do not tell which files a callback saves.
    """
    (block,) = plan_blocks(grid)
    return block.vectorised and all(slot.kernel != "saves" for slot in block.slots)


def read_sweep(sweep: Sweep) -> SettingCells:
    """Return the cells of a sweep that holds its runs."""
    shared = SharedReplays.of_sweep(sweep)
    judged = [each for run in sweep.runs for each in run.judged]
    return SettingCells(
        runs=sweep.records,
        grid=sweep.configs,
        columns={**_outcomes(sweep, shared), **_reductions(sweep, shared)},
        rules=tuple(dict.fromkeys(run.semantics for run in sweep.runs)),
        judged_by=tuple(dict.fromkeys((each.name, each.mode) for each in judged)),
        notes=lambda: _notes(sweep, shared),
        replays=shared.every,
    )


def _notes(sweep: Sweep, shared: SharedReplays) -> list[tuple[str, ...]]:
    """Return the notes of each run: of itself, of the list and of the settings."""
    of_list = note_list(sweep.configs[0])
    pairs = zip(note_runs(sweep), note_settings(sweep, shared), strict=True)
    return [
        tuple(dict.fromkeys([*of_run, *of_list, *of_settings]))
        for of_run, of_settings in pairs
    ]


def _outcomes(sweep: Sweep, shared: SharedReplays) -> dict[str, list[Any]]:
    """Return what is decided in each cell, and what `Outcome` holds of it."""
    codes = sweep.evidence.reshape(-1).tolist()
    seconds = _numbers(sweep.seconds_saved)
    provisional = [";".join(provisional_of(evidence)) for evidence in EVIDENCE]
    return {
        "evidence": [EVIDENCE[code] for code in codes],
        "stopped_epoch": _within(sweep.stopped, sweep.stopped_epoch),
        "kept_epoch": _within(sweep.kept, sweep.kept_epoch),
        "kept_value": _numbers(sweep.kept_value),
        "regret": _numbers(sweep.regret),
        "trained_epochs": sweep.trained_epochs.reshape(-1).tolist(),
        "epochs_saved": sweep.epochs_saved.reshape(-1).tolist(),
        "seconds_saved": seconds,
        "bounds": _bounds(sweep, codes, seconds),
        "provisional": [provisional[code] for code in codes],
        "first_reduction_epoch": _within(sweep.reduced, sweep.first_reduction_epoch),
        "reductions": sweep.n_reductions.reshape(-1).tolist(),
        "divergence_epoch": _within(sweep.diverged, sweep.divergence_epoch),
        "gap_epoch": _within(sweep.incomplete, sweep.gap_epoch),
        "parted_by": [part for told in find_partings(sweep, shared) for part in told],
        "saves": [0] * len(codes),
        "last_saved_file": [None] * len(codes),
        "last_saved_epoch": [None] * len(codes),
    }


def _bounds(sweep: Sweep, codes: list[int], seconds: list[Any]) -> list[str]:
    """Return which figures of each cell are bounds; there are few kinds of cells."""
    bounds = {
        (code, has_seconds, lacks): ";".join(
            f"{name}:{kind}"
            for name, kind in bounds_of(
                evidence, has_seconds=has_seconds, has_hole=lacks
            ).items()
        )
        for code, evidence in enumerate(EVIDENCE)
        for has_seconds in (False, True)
        for lacks in (False, True)
    }
    lacking = (sweep.ranked & sweep.lacks_values).reshape(-1).tolist()
    return [
        bounds[code, second is not None, lacks]
        for code, second, lacks in zip(codes, seconds, lacking, strict=True)
    ]


def find_partings(sweep: Sweep, shared: SharedReplays) -> list[list[Parting]]:
    """Return, for each run, what differs at the divergence of each setting.

    The arrays tell it, unless the recorded rate changes in that epoch too, is missing
    or is rounded: then the replay does.
    """
    partings: list[list[Parting]] = []
    for row, run in enumerate(sweep.records):
        told: list[Parting] = ["reduction"] * len(sweep.configs)
        columns = np.flatnonzero(sweep.diverged[row])
        at = sweep.divergence_epoch[row, columns] - run.first_epoch
        # settings that decide alike share a replay
        of_replays: dict[int, Parting] = {}
        is_rounded = bool(run.learning_rate_rounding)
        open_ones = (recorded_rate_changes(run) | untold_rates(run))[at] | is_rounded
        for column in map(int, columns[open_ones]):
            replay = shared.at(row, column)
            if id(replay) not in of_replays:
                of_replays[id(replay)] = parting_of(replay)
            told[column] = of_replays[id(replay)]
        partings.append(told)
    return partings


def _within(mask: BoolArray, values: Any) -> list[Any]:
    """Return the values as a list, with None outside of the mask."""
    shown = np.array(values, dtype=object)
    shown[~mask] = None
    listed: list[Any] = shown.reshape(-1).tolist()
    return listed


def _numbers(values: FloatArray) -> list[Any]:
    """Return numbers, with None for NaN."""
    return _within(~np.isnan(values), values)


def _reductions(sweep: Sweep, shared: SharedReplays) -> dict[str, list[Any]]:
    """Return what `ReductionAccount` holds of each cell."""
    (block,) = plan_blocks(sweep.configs)
    if not block.reduces:
        return {}
    explained, recorded = _explained(sweep, shared)
    horizon = np.array([run.horizon for run in sweep.records])[:, None]
    until = np.where(sweep.stopped, sweep.stopped_epoch, horizon)
    first = np.array([run.first_epoch for run in sweep.records])[:, None]
    acts = sweep.reduced & (
        ~sweep.stopped | (sweep.first_reduction_epoch < sweep.stopped_epoch)
    )
    first_act = np.where(acts, "reduce", "stop")
    return {
        "explained_reductions": explained,
        "recorded_reductions": recorded,
        "evident_epochs": (sweep.evident_epoch - first + 1).reshape(-1).tolist(),
        "asked_epochs": (until - first + 1).reshape(-1).tolist(),
        "acts_first": _within(acts | sweep.stopped, first_act),
        "reducing": sweep.reduced.reshape(-1).tolist(),
    }


def _explained(
    sweep: Sweep, shared: SharedReplays
) -> tuple[list[int | None], list[int | None]]:
    """Return how many recorded reductions each cell makes, and how many there are.

    Both up to its stop, or else the horizon; None where no rate is recorded.
    """
    explained: list[int | None] = []
    recorded: list[int | None] = []
    n_configs = len(sweep.configs)
    for row, run in enumerate(sweep.records):
        if run.learning_rate is None:
            explained += [None] * n_configs
            recorded += [None] * n_configs
            continue
        drops = recorded_reductions(run)
        epochs = np.array([drop.epoch for drop in drops], dtype=np.int64)
        stopped, end = sweep.stopped[row], sweep.evident_epoch[row]
        # up to the divergence the rate is the recorded one
        made = np.searchsorted(epochs, end, side="left")
        asked = np.where(stopped, end, run.horizon)
        of = np.searchsorted(epochs, asked, side="right")
        at_end = np.isin(end, epochs) & sweep.reduced[row]
        for column in np.flatnonzero(at_end).tolist():
            # the replay tells whether its last reduction equals the recorded one
            account = account_reductions(shared.at(row, column))
            made[column] = account.explained
        explained += made.tolist()
        recorded += of.tolist()
    return explained, recorded
