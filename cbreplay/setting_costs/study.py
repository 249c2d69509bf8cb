"""The study behind a recommendation: the runs that count, their groups, their plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.generalization.promise import settle_confidence, shared_confidence
from cbreplay.judging import Judging
from cbreplay.setting_costs.copies import find_branches
from cbreplay.setting_costs.counted_runs import RunsOfPlan, count_runs
from cbreplay.setting_costs.pricing import (
    CellCosts,
    ChoiceFrame,
    Panel,
    Priced,
    RunStanding,
    cells_of,
    price,
)
from cbreplay.setting_costs.recorded_ends import (
    PlanPart,
    RecordedEnd,
    find_failure,
    is_constant,
    usual_cadence,
)
from cbreplay.setting_costs.swept_settings import Axes, Excluded, Slice, read_axes
from cbreplay.setting_costs.tolerance import Tolerance, measure_scale, resolve_tolerance
from cbreplay.sweep import Sweep, sweep_runs
from cbreplay.sweep.groups import (
    Grouping,
    count_trainings_once,
    find_groups,
    join_labels,
    label_seeds,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.run import EpochArray, Mode, Run
    from cbreplay.sweep import Judged

__all__ = ["Advising", "ComparedUnit", "Study", "begin_studies"]

# what the settings are compared over: the groups, or what these hold
ComparedUnit: TypeAlias = Literal["group", "run", "training", "setting", "label"]


class Advising(NamedTuple):
    """The options of `recommend_config`, by its names and with its defaults."""

    tolerance: str | float | None = None
    confidence: float | None = None
    cost_weight: float = 0.05
    group_by: str | Sequence[Any] | None = None
    recorded_under: int | None = None
    prechelt: bool = False
    beyond_patience: bool = False

    @property
    def other_rules(self) -> tuple[str, ...]:
        """The options that ask for other rules, of those that are set."""
        asked = {"prechelt": self.prechelt, "beyond_patience": self.beyond_patience}
        return tuple(option for option, is_asked in asked.items() if is_asked)


class Study(NamedTuple):
    """Everything that an answer is made of.

    Parameters
    ----------
    sweep, axes : Sweep, Axes
        Every patience on every run, and the settings along its axes.
    asked : Advising
        The options.
    runs : list of Run
        The runs that count.
    panel : Panel
        What they are judged by.
    grouping : Grouping
        Which of them count as one.
    tolerance : Tolerance
        What each may lose.
    endings : sequence of RecordedEnd
        How each of them ended.
    part : PlanPart
        For how many epochs they were planned.
    objective, mode : str
        The series that is judged, and its direction.
    """

    sweep: Sweep
    axes: Axes
    asked: Advising
    runs: list[Run]
    panel: Panel
    grouping: Grouping
    tolerance: Tolerance
    endings: Sequence[RecordedEnd]
    part: PlanPart
    objective: str
    mode: Mode

    @property
    def confidence(self) -> float:
        """What is promised, if anything."""
        return settle_confidence(
            self.asked.confidence, len(self.panel.groups), self._n_monitors
        )

    @property
    def confidences(self) -> tuple[float, float]:
        """The confidence that each monitor has to reach, and with one group less."""
        asked, n_monitors = self.asked.confidence, self._n_monitors
        fewer = settle_confidence(asked, len(self.panel.groups) - 1, n_monitors)
        return (
            shared_confidence(self.confidence, n_monitors),
            shared_confidence(fewer, n_monitors),
        )

    @property
    def _n_monitors(self) -> int:
        return len(self.axes.of_each_monitor())

    @property
    def unit(self) -> Literal["group", "run", "training"]:
        """What is counted, left out and resampled."""
        if self.grouping.by == "training":
            return "training"
        return "run" if self.grouping.by in ("run", "seed") else "group"

    @property
    def compared(self) -> Panel:
        """The panel over whose groups settings are compared: a table has every setting.

        These are the groups as they were found. Where some share a training they count
        once for whatever is promised, but each is a setting of its own.
        """
        apart = self.grouping.apart or self.grouping.rows
        return self.panel._replace(groups=tuple(np.array(rows) for rows in apart))

    @property
    def compared_unit(self) -> ComparedUnit:
        """What a group of `compared` is called."""
        apart = self.grouping.apart
        if not apart:
            return self.unit
        if len(apart) == len(self.runs):
            return "run"
        return "label" if self.grouping.by == "asked" else "setting"

    @property
    def judged(self) -> list[Judged]:
        """The judged series of each run."""
        return [self.sweep.runs[row].judged[0] for row in self.panel.rows]

    def cells(self, columns: EpochArray) -> CellCosts:
        """Return what some settings of the sweep cost on the runs."""
        return cells_of(self.sweep, self.panel.rows, columns, self.panel.standing)

    def column(self, chosen: Slice, patience: int) -> int:
        """Return the setting of the sweep that has this patience."""
        return int(chosen.columns[np.searchsorted(self.axes.patience, patience)])

    def price(self, columns: EpochArray) -> Priced:
        """Return what every patience costs on the groups, each from its column."""
        return price(self.panel, self.cells(columns), self.axes.patience)

    def price_parts(self, cells: CellCosts) -> list[Priced]:
        """Return the prices of several settings, of which each has every patience."""
        patience = self.axes.patience
        n_parts = cells.regret.shape[1] // len(patience)
        return [
            price(self.panel, cells.take(at * len(patience), len(patience)), patience)
            for at in range(n_parts)
        ]

    def cells_beside(self, configs: Any) -> CellCosts:  # noqa: ANN401 - a grid or lists
        """Return what settings cost that the sweep does not hold."""
        sweep = self.sweep_beside(configs)
        rows, columns = (np.arange(size) for size in sweep.shape)
        return cells_of(sweep, rows, columns, self.panel.standing)

    def sweep_beside(self, configs: Any) -> Sweep:  # noqa: ANN401 - a grid or lists
        """Sweep other settings on the runs, judged by the same series."""
        judging = self.sweep.judging or Judging()
        judging = judging._replace(objective=self.objective, objective_mode=self.mode)
        return sweep_runs(self.runs, configs, judging=judging)

    def take_groups(self, chosen: Sequence[int]) -> Study:
        """Return the study of some groups, to ask it `cells_beside`."""
        rows = np.concatenate([self.panel.groups[group] for group in chosen])
        runs = [self.runs[row] for row in rows]
        return self._replace(runs=runs, panel=self.panel.take_groups(chosen))


def begin_studies(
    sweep: Sweep, asked: Advising, excluded: Iterable[Excluded] = ()
) -> tuple[list[Study], list[Excluded]]:
    """Return a study of the runs of each plan, and every run that counts for none.

    The plan with the most runs comes first. `excluded` were left out before.
    """
    axes = read_axes(sweep)
    parts, gone = count_runs(sweep, axes.slices[0].monitor, asked.recorded_under)
    studies = [_begin_study(sweep, axes, asked, part) for part in parts]
    return studies, [*excluded, *gone]


def _begin_study(sweep: Sweep, axes: Axes, asked: Advising, alike: RunsOfPlan) -> Study:
    """Group the runs that count, and find what each may lose."""
    rows, endings, part = alike
    runs = [sweep.records[row] for row in rows]
    judged = [sweep.runs[row].judged[0] for row in rows]
    monitor = axes.slices[0].monitor
    trainings = _number_trainings(runs, monitor)
    labels = _labels_of(rows, asked.group_by, len(sweep.records))
    grouping = count_trainings_once(find_groups(runs, labels), runs, trainings)
    scales = [measure_scale(series) for series in judged]
    sizes = np.array([found.size for found in scales])
    tolerance = resolve_tolerance(asked.tolerance, scales, grouping.settings, trainings)
    panel = Panel(
        rows,
        tuple(run.name for run in runs),
        tuple(np.array(members) for members in grouping.rows),
        np.where(np.isnan(sizes), 1.0, sizes),
        tolerance.by_run,
        _find_standing(runs, endings, part, monitor),
        _frame_choice(sweep, axes, asked, alike),
    )
    return Study(
        sweep,
        axes,
        asked,
        runs,
        panel,
        grouping,
        tolerance,
        endings,
        part,
        judged[0].name,
        judged[0].mode,
    )


def _number_trainings(runs: Sequence[Run], monitor: str) -> list[int]:
    """Return a number for each run, the same for those that are of one training.

    They begin with the same values, or have one setting and one seed.
    """
    branches = find_branches(runs, monitor)
    begun = [branches.get(row, row) for row in range(len(runs))]
    return join_labels(begun, label_seeds(runs))


def _labels_of(
    rows: EpochArray, group_by: str | Sequence[Any] | None, n_runs: int
) -> str | Sequence[Any] | None:
    """Return the labels of some runs, where there is a label for each of the sweep."""
    if group_by is None or isinstance(group_by, str) or len(group_by) != n_runs:
        return group_by
    return [group_by[row] for row in rows]


def _find_standing(
    runs: Sequence[Run], endings: Sequence[RecordedEnd], part: PlanPart, monitor: str
) -> RunStanding:
    """Return how far each run tells."""
    ended = np.array([ending.reached for ending in endings], dtype=bool)
    cut = np.array([ending.is_cut for ending in endings], dtype=bool)
    whole = np.array(
        [
            find_failure(run, monitor) is None
            # a series that never changed, in a log without a plan, may have been cut by
            # any patience
            and (ending.reached or not is_constant(run, monitor))
            for run, ending in zip(runs, endings, strict=True)
        ]
    )
    if part.n_reached:
        whole &= ended
    plans = [part.plan if own.plan is None else own.plan for own in endings]
    length = [
        run.n_epochs if plan is None else max(plan - run.first_epoch, run.n_epochs)
        for run, plan in zip(runs, plans, strict=True)
    ]
    return RunStanding(ended, cut, whole & ~cut, np.array(length, dtype=np.float64))


def _frame_choice(
    sweep: Sweep,
    axes: Axes,
    asked: Advising,
    alike: RunsOfPlan,
) -> ChoiceFrame:
    """Return what the choice is for: the plan in values, and the least patience."""
    rows, endings, part = alike
    plan, plans = part.plan, [own.plan for own in endings if own.plan is not None]
    if plan is None and len(plans) == len(endings):
        # each run has another plan: the median stands for them
        plan = int(np.median(plans))
    cadence = usual_cadence(sweep.records[rows[0]], axes.slices[0].monitor)
    values = None if plan is None else max(plan // cadence, 1)
    longest = max((ending.own or 1 for ending in endings), default=1)
    place = min(int(np.searchsorted(axes.patience, longest)), len(axes.patience) - 1)
    column = int(axes.slices[0].columns[place])
    free = not any(ending.is_cut for ending in endings) or any(
        _goes_on(sweep, row, column)
        for row, ending in zip(rows.tolist(), endings, strict=True)
        if not ending.is_cut
    )
    n_broken = sum(ending.is_broken for ending in endings)
    broken = 0.0 if plan is None else n_broken / len(endings)
    return ChoiceFrame(values, asked.cost_weight, 1 if free else longest, broken)


def _goes_on(sweep: Sweep, row: int, column: int) -> bool:
    """Return whether a log goes on where a setting would have stopped it.

    Then it was not recorded under that setting.
    """
    last = sweep.records[row].horizon
    return bool(sweep.stopped[row, column] and sweep.stopped_epoch[row, column] < last)
