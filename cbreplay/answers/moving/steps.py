"""Every patience of one rule on every run as a few steps, read from sweeps.

Within a step outcomes grow evenly: mostly, each patience more stops one epoch later and
keeps the same weights. So a run needs some dozens of numbers for all of its patience
values, and a page reads from them exactly what the sweep says, cell by cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np

from cbreplay.answers.swept_cells import find_partings
from cbreplay.evidence.words import BY_PLAN, Limit, Parting
from cbreplay.grid import choices, make_grid
from cbreplay.rules.parameters import defaults_of, parameters_of
from cbreplay.sweep import EVIDENCE, SharedReplays, sweep_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from cbreplay.grid import Grid
    from cbreplay.judging import Judging
    from cbreplay.rules.base import Callback
    from cbreplay.run import EpochArray, Run
    from cbreplay.sweep import Judged, Sweep

__all__ = ["MovedRule", "RunSteps", "StepKind", "StepKinds", "find_steps"]

# the most cells that are held at once, of all runs and of one run
_CELLS_AT_ONCE, _CELLS_OF_A_RUN = 2_000_000, 200_000
# an epoch that is not known
_NONE = -1
# a number that no log has as an epoch: it is found in a sentence and replaced
_SOME_EPOCH = 918_273_645
_PARTINGS: tuple[Parting, ...] = get_args(Parting)
# how many values each number has that makes up the kind of a step: evidence, stopped,
# judged, parting, limit
_SHAPE = (len(EVIDENCE), 2, 2, len(_PARTINGS), 2**31)


class MovedRule(NamedTuple):
    """A callbacks list, and the index of the rule whose patience and min_delta move."""

    callbacks: tuple[Callback, ...]
    place: int

    @property
    def rule(self) -> Any:
        """The rule that moves."""
        return self.callbacks[self.place]

    @property
    def has_min_delta(self) -> bool:
        """Whether it has a min_delta to move."""
        return "min_delta" in parameters_of(self.rule)

    def usual(self) -> dict[str, Any]:
        """Return the defaults of its parameters."""
        return defaults_of(self.rule)

    def grid(self, **moved: Any) -> Grid:
        """Return the settings in which some parameters of the rule vary."""
        given = parameters_of(self.rule)
        fixed = {name: value for name, value in given.items() if name not in moved}
        return make_grid(self.holding(choices(type(self.rule), **fixed, **moved)))

    def at(self, **chosen: Any) -> tuple[Callback, ...]:
        """Return the setting with some parameters of the rule replaced."""
        return self.holding(type(self.rule)(**parameters_of(self.rule) | chosen))

    def holding(self, rule: Any) -> tuple[Any, ...]:
        """Return the list with another rule, or choices of it, in this one's place."""
        return (*self.callbacks[: self.place], rule, *self.callbacks[self.place + 1 :])


class StepKind(NamedTuple):
    """What the cells of a step have in common.

    Parameters
    ----------
    evidence : Evidence
        How far they are evidence.
    brief, full : str
        The same in the words of a cell and of a sentence, with a blank: ``{limit}`` for
        the last epoch for which the log is evidence, or ``{next}`` for the one after.
    stopped : bool
        Whether training is stopped inside the evidence.
    judged : bool
        Whether the objective of the kept epoch is known: not if it was broken off.
    later_end, later_kept : int
        By how many epochs the end of training, and the kept epoch, come later for each
        patience more.
    """

    evidence: str
    brief: str
    full: str
    stopped: bool
    judged: bool
    later_end: int = 0
    later_kept: int = 0


class StepKinds:
    """The kinds of steps that occur, each once, in the order in which they came.

    `by_plan` are the names of the runs whose plan was read off the logs: where they are
    trained to its end, they are evidence by that plan.
    """

    def __init__(self, by_plan: Collection[str] = ()) -> None:
        self.by_plan = by_plan
        self._numbers: dict[StepKind, int] = {}

    def number(self, kind: StepKind) -> int:
        """Return the number of a kind."""
        return self._numbers.setdefault(kind, len(self._numbers))

    def of_run(self, run: Run, told: tuple[int, ...]) -> StepKind:
        """Return the kind of a step from its numbers, in the order of `_SHAPE`."""
        kind = _kind(run, told)
        assumed = run.name in self.by_plan and kind.evidence == "exact"
        return kind._replace(brief=BY_PLAN) if assumed and not kind.stopped else kind

    def listed(self) -> list[StepKind]:
        """Return the kinds by their numbers."""
        return list(self._numbers)


class RunSteps(NamedTuple):
    """What every patience and min_delta does on one run.

    Parameters
    ----------
    steps : list of list of int
        Staircases, each once: for each step four numbers, which are its first patience,
        its kind, the epochs that are trained, and the position of what is kept, or -1.
    of : list of int
        For each min_delta, the index of its staircase in `steps`.
    judged : Judged
        The objective of the run.
    """

    steps: list[list[int]]
    of: list[int]
    judged: Judged


def find_steps(
    runs: Sequence[Run],
    moved: MovedRule,
    min_deltas: Sequence[float],
    judging: Judging,
    *,
    kinds: StepKinds,
) -> list[RunSteps]:
    """Ask every patience at each min_delta on every run.

    The values of min_delta are ignored for a rule without one. `judging` must name one
    objective for all settings. New kinds of steps are added to `kinds`.

    Raises
    ------
    CbreplayError
        As `sweep_runs`.
    """
    # a patience as long as the longest log stops nowhere
    patience = range(max(run.n_epochs for run in runs) + 1)
    found: list[list[list[int]]] = [[] for _ in runs]
    of: list[list[int]] = [[] for _ in runs]
    known: list[dict[bytes, int]] = [{} for _ in runs]
    judged: list[Judged] = []
    for part in _parts(runs, moved, min_deltas, len(patience)):
        varied = {"min_delta": list(part)} if moved.has_min_delta else {}
        grid = moved.grid(**varied, patience=patience)
        sweep = sweep_runs(runs, grid, judging=judging)
        judged = [run.judged[0] for run in sweep.runs]
        names = [name.rpartition(".")[2] for name in grid.parameters]
        shape = tuple(len(axis) for axis in grid.parameters.values())
        for row, cells in enumerate(_cells(sweep, kinds)):
            table = cells.reshape(3, *shape)
            if names[0] == "patience" and len(names) > 1:
                table = table.swapaxes(1, 2)
            for staircase in table.reshape(3, -1, len(patience)).swapaxes(0, 1):
                key = staircase.tobytes()
                if key not in known[row]:
                    known[row][key] = len(found[row])
                    found[row].append(_encode(staircase, kinds))
                of[row].append(known[row][key])
    return [RunSteps(*parts) for parts in zip(found, of, judged, strict=True)]


def _parts(
    runs: Sequence[Run], moved: MovedRule, min_deltas: Sequence[float], n_patience: int
) -> Iterator[Sequence[float]]:
    """Yield the values of min_delta in parts whose cells fit into memory."""
    if not moved.has_min_delta:
        min_deltas = min_deltas[:1]
    most = min(_CELLS_AT_ONCE // len(runs), _CELLS_OF_A_RUN)
    at_once = max(most // n_patience, 1)
    for begin in range(0, len(min_deltas), at_once):
        yield min_deltas[begin : begin + at_once]


def _cells(sweep: Sweep, kinds: StepKinds) -> Iterator[EpochArray]:
    """Yield, for each run, every cell's kind, trained epochs and kept position."""
    partings = find_partings(sweep, SharedReplays.of_sweep(sweep))
    judged = ~sweep.cells.broken
    shown_until = sweep.evident_epoch + (sweep.diverged | sweep.incomplete)
    for row, run in enumerate(sweep.records):
        limit = np.where(sweep.incomplete[row], sweep.gap_epoch[row], 0)
        parted = np.array([_PARTINGS.index(parting) for parting in partings[row]])
        told = sweep.evidence[row], sweep.stopped[row], judged[row], parted, limit
        key = np.ravel_multi_index(told, _SHAPE)
        alike, place = np.unique(key, return_inverse=True)
        numbers = [
            kinds.number(
                kinds.of_run(run, tuple(map(int, np.unravel_index(each, _SHAPE))))
            )
            for each in alike
        ]
        kept = sweep.kept_epoch[row] - run.first_epoch
        yield np.stack(
            [
                np.array(numbers)[place],
                shown_until[row] - run.first_epoch + 1,
                np.where(sweep.kept[row], kept, _NONE),
            ]
        ).astype(np.int64)


def _kind(run: Run, told: tuple[int, ...]) -> StepKind:
    """Return the kind of a step on a run whose plan is known, or open."""
    code, stopped, judged, parted, limit = told
    evidence, parting = EVIDENCE[code], _PARTINGS[parted]
    if evidence == "diverged":
        # patience values may diverge at different epochs: only the number differs
        ends = Limit(run, evidence, _SOME_EPOCH, parting)
        brief, full = _with_blank(ends.brief()), _with_blank(ends.spoken())
    else:
        gap = limit if evidence == "incomplete" else None
        ends = Limit(run, evidence, gap_epoch=gap)
        brief, full = ends.brief(), ends.spoken()
    return StepKind(evidence, brief, full, bool(stopped), bool(judged))


def _with_blank(words: str) -> str:
    """Replace `_SOME_EPOCH` in words about a divergence by a blank.

    Counted from 1, that number is the last epoch before the divergence; the next number
    is the epoch of the divergence itself.
    """
    before = words.replace(str(_SOME_EPOCH), "{limit}")
    return before.replace(str(_SOME_EPOCH + 1), "{next}")


def _encode(staircase: EpochArray, kinds: StepKinds) -> list[int]:
    """Write what every patience does as steps that grow evenly."""
    numbers, trained, kept = staircase.tolist()
    listed = kinds.listed()
    steps: list[int] = []
    start = 0
    while start < len(numbers):
        end, grows = start + 1, (0, 0)
        while end < len(numbers) and numbers[end] == numbers[start]:
            by = (trained[end] - trained[end - 1], kept[end] - kept[end - 1])
            if end == start + 1:
                grows = by
            if by != grows or by[1] not in (0, by[0]):
                break
            end += 1
        kind = listed[numbers[start]]
        if end > start + 1:
            kind = kind._replace(later_end=grows[0], later_kept=grows[1])
        steps += [start, kinds.number(kind), trained[start], kept[start]]
        start = end
    return steps
