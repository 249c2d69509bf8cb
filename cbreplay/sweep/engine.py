"""Many runs times many configs: by kernels, or else by the scalar replay."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.evidence.outcomes import judge_epoch
from cbreplay.given import as_runs
from cbreplay.judging import read_judging
from cbreplay.replay import replay_run
from cbreplay.rules.registry import PLAIN_STOPS, STOPPING
from cbreplay.sweep.batch import Batch, RunRules, find_rules, read_slot_rules
from cbreplay.sweep.cells import Cells, decide_cells
from cbreplay.sweep.gaps import (
    find_holed,
    fits_kernels,
    mark_gaps,
    mark_unsure_stops,
    tells_stops_apart,
)
from cbreplay.sweep.kernels.early_stopping import NEVER
from cbreplay.sweep.lanes import LANES_AT_ONCE
from cbreplay.sweep.objectives import Begun, begin_runs, find_objectives
from cbreplay.sweep.pieces import cut_work, run_tasks
from cbreplay.sweep.plan import plan_blocks, read_configs
from cbreplay.sweep.stoppers import WAIT_PARAMETERS
from cbreplay.sweep.table import Sweep, SweptRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from typing import Unpack

    from cbreplay.judging import Judging, JudgingOptions
    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep.plan import Block

__all__ = ["sweep_runs"]

_CELLS_AT_ONCE = 128_000


@checked
def sweep_runs(
    runs: object,
    grid: Any,  # noqa: ANN401 - a Grid, or other configs
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    **judging: Unpack[JudgingOptions],
) -> Sweep:
    """Decide every config on every run, as `replay_run` would, but all at once.

    A list is decided by kernels if its rules stop by a patience or at a target, reduce
    the rate by a patience (one of them), end training at a loss that is no number, save
    files, or decide nothing; the cost does not grow with the number of patience values
    of EarlyStopping and ReduceLROnPlateau. Any other list, and one that monitors the
    learning rate, is replayed run by run.

    Parameters
    ----------
    runs : Run, History, dict of lists, DataFrame, path, or a list of these
        The records, or what `load_runs` reads them from.
    grid : Grid, PairedChoices, or iterable of callbacks lists
        The configs: `make_grid`'s, `pair_choices`'s, or any lists that `replay_run`
        takes. Very many settings are best given as a grid: of single lists each is
        read by itself, which takes longer than deciding it.
    executor : concurrent.futures.Executor, optional
        Where the work is done; by default in this process. Processes make it faster,
        threads do not.
    progress : callable, optional
        Called now and then with the number of cells that are decided and of all cells.
    **judging : semantics, initial_learning_rate, objective, objective_mode
        As in `replay_run`.

    Raises
    ------
    CbreplayError
        As `replay_run` for the first cell, run by run, for which it does.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, Run, choices, make_grid
    >>> losses = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49]
    >>> run = Run.from_logs({"val_loss": loss} for loss in losses)
    >>> grid = make_grid([choices(EarlyStopping, patience=range(1, 4))])
    >>> sweep = sweep_runs(run, grid, semantics="keras-3.15")
    >>> sweep.stopped_epoch[sweep.stopped], sweep.regret.round(2)
    (array([3, 4], dtype=int32), array([[0.01, 0.03, 0.  ]]))
    """
    listed = _listed(runs)
    configs = read_configs(grid)
    chosen = read_judging(judging)
    if executor is None:
        return _sweep(listed, configs, chosen, progress)
    return _sweep_elsewhere(listed, configs, chosen, executor, progress)


def _listed(runs: object) -> list[Run]:
    listed = as_runs(runs)
    if not listed:
        sentence = "there is no run to sweep. Read some with load_runs"
        raise ConfigError(sentence)
    return listed


def _sweep(
    runs: list[Run],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    judging: Judging,
    progress: Callable[[int, int], None] | None,
) -> Sweep:
    blocks = plan_blocks(configs)
    examples, objectives = find_objectives(configs, blocks)
    swept = begin_runs(runs, examples, judging)
    holed = find_holed(runs)
    cells = _empty_cells(runs, configs, blocks, holes=bool(holed))
    work = _Work(
        runs, configs, judging, begun=swept, holed=holed, cells=cells, progress=progress
    )
    for block in blocks:
        work.decide(block)
    mark_gaps(cells, runs, holed, configs, blocks)
    work.replay_doubts()
    # None is a run on which no list can begin: its replay above has raised the error
    described = tuple(begun.swept for begun in swept if begun is not None)
    return Sweep(
        configs, described, work.cells, objectives, records=tuple(runs), judging=judging
    )


def _empty_cells(
    runs: list[Run],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    blocks: list[Block],
    *,
    holes: bool,
) -> Cells:
    reduces = any(block.reduces for block in blocks)
    return Cells.empty(len(runs), len(configs), reduces=reduces, holes=holes)


class _Work:
    """A sweep under way: block after block by kernels, then the doubts by replay."""

    def __init__(
        self,
        runs: list[Run],
        configs: Any,  # noqa: ANN401 - as `read_configs`
        judging: Judging,
        *,
        begun: list[Begun | None],
        holed: frozenset[int],
        cells: Cells,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.runs, self.configs, self.judging = runs, configs, judging
        self.begun, self.cells, self.progress = begun, cells, progress
        self.holed = holed
        self.doubts: list[tuple[EpochArray, EpochArray]] = []
        # column -> the first column that differs in patience alone, and this patience
        self.patience_of: dict[int, tuple[int, Any]] = {}
        # (run, that first column) -> a patience that never stops, and its replay
        self.endless: dict[tuple[int, int], tuple[Any, Replay]] = {}
        self.done = 0

    def decide(self, block: Block) -> None:
        """Decide a block by kernels; what they cannot is left for `replay_doubts`."""
        columns = block.places
        left: list[int] = []
        rounded: dict[int, tuple[Run, Begun]] = {}
        batches: dict[Any, list[tuple[int, RunRules]]] = {}
        slots = read_slot_rules(block) if block.vectorised else []
        for row, run in enumerate(self.runs):
            begun, rules = self.begun[row], None
            fits = row not in self.holed or fits_kernels(run, block)
            if slots and begun is not None and fits:
                rate = self.judging.initial_learning_rate
                rules = find_rules(run, slots, begun.training, rate)
            if rules is None or begun is None:
                left.append(row)
            else:
                if run.rounded_to and tells_stops_apart(run, block):
                    rounded[row] = run, begun
                batches.setdefault(rules.alike(), []).append((row, rules))
        if left:
            self.patience_of.update(_differing_in_patience(block, columns))
            pairs = np.meshgrid(np.array(left), columns, indexing="ij")
            self.doubts.append((pairs[0].reshape(-1), pairs[1].reshape(-1)))
        for members in batches.values():
            # a batch pads its runs to the longest, so runs of like length go together
            members.sort(key=lambda member: self.runs[member[0]].n_epochs)
            size = _batch_size(block, len(members))
            for begin in range(0, len(members), size):
                self._decide_batch(block, members[begin : begin + size], columns)
        mark_unsure_stops(self.cells, rounded, self.configs, columns)

    def _decide_batch(
        self, block: Block, members: list[tuple[int, RunRules]], columns: EpochArray
    ) -> None:
        rows = np.array([row for row, _ in members])
        batch = Batch([self.runs[row] for row in rows], [rules for _, rules in members])
        whole = block.columns is None and (np.diff(rows) == 1).all()
        if whole:
            span = slice(rows[0], rows[-1] + 1)
            out = self.cells.rows(span)
        else:
            out = Cells.empty(len(rows), block.n_configs, reduces=block.reduces)
        runs, configs = decide_cells(batch, block, out)
        if not whole:
            for column, decided in zip(self.cells, out, strict=True):
                if not column.flags.writeable:
                    continue
                if block.columns is None:
                    column[rows] = decided
                else:
                    column[rows[:, None], columns] = decided
        if len(runs):
            self.doubts.append((rows[runs], columns[configs]))
        self._tell(len(rows) * block.n_configs - len(runs))

    def replay_doubts(self) -> None:
        """Replay what no kernel could decide, one cell after another."""
        if not self.doubts:
            return
        rows, columns = (
            np.concatenate(parts) for parts in zip(*self.doubts, strict=True)
        )
        order = np.lexsort((columns, rows))
        for row, column in zip(
            rows[order].tolist(), columns[order].tolist(), strict=True
        ):
            replay = self._replay(row, column)
            _write_replay(replay, self.cells, row, column)
            self._tell(1)

    def _replay(self, row: int, column: int) -> Replay:
        """Return the replay of a cell, or that of a smaller patience that never stops.

        A larger patience never stops then either, and decides the same in every epoch.
        Without this a resumed log of thousands of epochs would be replayed once for
        each of as many patience values.
        """
        run, config = self.runs[row], self.configs[column]
        first, patience = self.patience_of.get(column, (None, None))
        if first is None or not _knows_its_seams(run):
            return replay_run(run, config, judging=self.judging)
        if (row, first) in self.endless:
            smaller, replay = self.endless[row, first]
            if patience >= smaller:
                return replay
        replay = replay_run(run, config, judging=self.judging)
        known = replay.gap_epoch is None or replay.gap_epoch in run.seams
        if known and replay.stopped_epoch is None:
            self.endless[row, first] = patience, replay
        return replay

    def _tell(self, cells: int) -> None:
        self.done += cells
        if self.progress is not None:
            self.progress(self.done, len(self.runs) * len(self.configs))


def _knows_its_seams(run: Run) -> bool:
    """Return whether nothing but the stop of a list depends on its patience.

    More may depend on it where an epoch has several values, a fit may have been resumed
    or has written rows again: one patience decides alike in every case, another does
    not. And a ``run.json`` may make a seam no gap for the list that it records alone.
    """
    several = any(series.others for series in run.series.values())
    unsure = run.possible_seams or run.replaced or several
    return run.metadata is None and not unsure


def _differing_in_patience(
    block: Block, columns: EpochArray
) -> dict[int, tuple[int, Any]]:
    """Return, by column, the first column that differs in the stop's patience alone.

    With it comes the column's own patience. Empty where the list may reduce the rate,
    or where more or less than one of its rules stops by a patience that varies.
    """
    stopping = [slot for slot in block.slots if slot.kernel == "stops"]
    if block.reduces or len(stopping) != 1:
        return {}
    patience = stopping[0].parameters["patience"]
    along = [
        held
        for slot in block.slots
        for held in slot.parameters.values()
        if held.axis == patience.axis
    ]
    # if other parameters vary along the same axis (as in listed or paired settings),
    # the columns differ in more than patience
    if patience.axis is None or len(along) != 1:
        return {}
    numbers = np.arange(block.n_configs).reshape(block.shape)
    first = np.broadcast_to(numbers.take([0], axis=patience.axis), block.shape)
    places = np.indices(block.shape)[patience.axis]
    return {
        column: (int(columns[begin]), patience.values[at])
        for column, begin, at in zip(
            columns.tolist(), first.reshape(-1), places.reshape(-1), strict=True
        )
    }


def _batch_size(block: Block, n_runs: int) -> int:
    """Return how many runs are decided at once."""
    lanes = 1
    for slot in block.slots:
        if slot.kernel not in (*STOPPING, "reduces"):
            continue
        names = slot.parameters.keys() - {"restore_best_weights"}
        if slot.kernel not in PLAIN_STOPS:
            names &= {*WAIT_PARAMETERS}
        lanes += math.prod(block.shape[axis] for axis in slot.axes(*names))
    size = min(LANES_AT_ONCE // lanes, _CELLS_AT_ONCE // block.n_configs, n_runs)
    return max(size, 1)


def _write_replay(replay: Replay, cells: Cells, row: int, column: int) -> None:
    """Write a scalar replay into its cell."""
    at = row, column
    for mask, values, epoch in (
        (cells.stopped, cells.stopped_epoch, replay.stopped_epoch),
        (cells.kept, cells.kept_epoch, replay.kept_epoch),
        (cells.diverged, cells.divergence_epoch, replay.divergence_epoch),
        (cells.incomplete, cells.gap_epoch, replay.gap_epoch),
    ):
        if mask.flags.writeable:
            mask[at], values[at] = epoch is not None, epoch or 0
    run = replay.run
    known, _ = judge_epoch(
        run, replay.kept_epoch, replay.objective, replay.objective_mode
    )
    cells.broken[at] = known is not None and replay.outcome.kept_value is None
    if cells.first_reduction.flags.writeable:
        made = replay.reductions
        cells.first_reduction[at] = made[0].epoch if made else NEVER
        cells.later_reductions[at] = max(len(made) - 1, 0)


def _sweep_elsewhere(
    runs: list[Run],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    judging: Judging,
    executor: Executor,
    progress: Callable[[int, int], None] | None,
) -> Sweep:
    """Sweep pieces in an executor; the order of the answer is that of the question."""
    pieces = cut_work(len(runs), configs)
    given = (
        ([runs[row] for row in piece.rows], piece.configs, judging) for piece in pieces
    )
    parts = run_tasks(executor, _sweep_piece, given)
    blocks = plan_blocks(configs)
    cells = _empty_cells(runs, configs, blocks, holes=bool(find_holed(runs)))
    swept: dict[int, SweptRun] = {}
    done = 0
    for piece, (described, part) in zip(pieces, parts, strict=True):
        piece.put(part, cells)
        swept |= dict(zip(piece.rows, described, strict=True))
        done += len(described) * len(piece.configs)
        if progress is not None:
            progress(done, len(runs) * len(configs))
    examples, objectives = find_objectives(configs, blocks)
    if objectives is not None:
        # each piece numbers its objectives by itself: number them anew for all
        begun = begin_runs(runs, examples, judging)
        swept = {
            row: of_run.swept for row, of_run in enumerate(begun) if of_run is not None
        }
    listed = tuple(swept[row] for row in range(len(runs)))
    return Sweep(
        configs, listed, cells, objectives, records=tuple(runs), judging=judging
    )


def _sweep_piece(
    runs: list[Run],
    configs: Any,  # noqa: ANN401 - as `read_configs`
    judging: Judging,
) -> tuple[tuple[SweptRun, ...], Cells]:
    """Sweep a piece in a worker; return its cells packed, to be sent back."""
    sweep = _sweep(runs, configs, judging, None)
    return sweep.runs, sweep.cells.packed()
