"""The result of a recommendation: values, and no sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.showing import show_frame, show_html, show_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.generalization.promise import Promise
    from cbreplay.generalization.track_record import Odds
    from cbreplay.recommend.choice import Basis
    from cbreplay.recommend.held_out import Forward, LeftOut
    from cbreplay.rules.base import Callback
    from cbreplay.run import Mode
    from cbreplay.setting_costs.scored import Scored
    from cbreplay.setting_costs.study import ComparedUnit
    from cbreplay.setting_costs.swept_settings import Excluded, Reason
    from cbreplay.setting_costs.tolerance import Tolerance

__all__ = [
    "AdviceKind",
    "ComparedGroups",
    "CountedGroup",
    "Expected",
    "MonitorScore",
    "Plan",
    "PlanAdvice",
    "Recommendation",
    "RunDoubt",
    "WeightAdvice",
]

AdviceKind: TypeAlias = Literal["guaranteed", "heuristic", "none"]


class RunDoubt(NamedTuple):
    """What a careful reader should know of some runs.

    Parameters
    ----------
    code : str
        A short, stable name of the doubt.
    runs : tuple of str
        The runs that it concerns; a group's name where one group decides alone.
    facts : mapping
        The values that belong to it, by name.
    """

    code: str
    runs: tuple[str, ...]
    facts: Mapping[str, Any]


class CountedGroup(NamedTuple):
    """Runs that count as one.

    Parameters
    ----------
    name : str
        What their names have in common.
    runs : tuple of str
        Their names.
    tolerance : tuple of float
        What each may lose, in the objective's unit.
    sufficient_patience : int or None
        The smallest patience that is enough on all of them; None where the logs do
        not hold one.
    left_out_patience : int or None
        What is recommended without the group.
    left_out_regret : float or None
        What that costs it; None where its logs do not tell.
    constant_runs : tuple of str
        Those of the runs on which the monitor never changes, so that they tell nothing
        of what a patience loses.
    """

    name: str
    runs: tuple[str, ...]
    tolerance: tuple[float, ...]
    sufficient_patience: int | None
    left_out_patience: int | None
    left_out_regret: float | None
    constant_runs: tuple[str, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether the monitor never changes on any of the runs."""
        return self.constant_runs == self.runs


class ComparedGroups(NamedTuple):
    """What the settings are compared over: the groups, or what some of these hold.

    Settings and runs that share a training are one group, for a promise; each of them
    still counts in what a setting loses on average.

    Parameters
    ----------
    unit : {"group", "run", "training", "setting", "label"}
        What these are.
    n_groups : int
        How many there are.
    """

    unit: ComparedUnit
    n_groups: int


class Plan(NamedTuple):
    """For how many epochs the trainings were planned that an answer is about.

    Parameters
    ----------
    epochs : int
        How many.
    inferred : bool
        Whether it was inferred from the logs, which end there.
    n_runs : int
        How many of the runs ended there.
    """

    epochs: int
    inferred: bool
    n_runs: int


class Expected(NamedTuple):
    """What the next training is expected to score, by the runs and the kinds of curves.

    It is an estimate from the patience values that were swept: with few of them, less
    is known of which kinds of curves the runs look like, and of how much a patience
    nearby loses, so that the same runs give another number.

    Parameters
    ----------
    score : float
        With what is recommended; smaller is better.
    usual_score : float or None
        With a fixed patience of 10; None where no log tells what it costs.
    n_groups, n_kinds : int
        How many groups tell, and as how many groups the kinds count.
    odds : Odds or None
        How such advice did on other data; None where that was not measured.
    unavoidable : float
        What every patience loses on the groups, in their scale, which `score` leaves
        out: above 0 where another series than the monitor is judged, or the last
        weights are kept; infinite where a run loses everything by every patience.
    n_cut : int
        How many groups have runs that their own stopping rule ended: what a patience
        costs more than that rule belongs to the scores.
    """

    score: float
    usual_score: float | None
    n_groups: int
    n_kinds: int
    odds: Odds | None
    unavoidable: float = 0.0
    n_cut: int = 0


class WeightAdvice(NamedTuple):
    """Which patience has the least expected score at a weight of training."""

    cost_weight: float
    patience: int


class PlanAdvice(NamedTuple):
    """What is recommended for the trainings of another plan.

    Parameters
    ----------
    plan : Plan
        For how many epochs these were planned.
    n_groups, unit : int, {"group", "run", "training"}
        How many groups there are, and what each of them is.
    patience : int or None
        What is recommended; None where they are too few.
    promise : Promise or None
        What goes with it.
    """

    plan: Plan
    n_groups: int
    unit: Literal["group", "run", "training"]
    patience: int | None
    promise: Promise | None


class MonitorScore(NamedTuple):
    """A monitor that was asked about beside others.

    Parameters
    ----------
    monitor : str
        The series.
    patience : int or None
        What is recommended for it.
    kind : {"guaranteed", "heuristic", "none"}
        Whether the promise goes with that.
    unknown_groups : int
        For how many groups the logs hold no patience that is known to be enough.
    left_out : LeftOut or None
        The choice made without each group.
    """

    monitor: str
    patience: int | None
    kind: AdviceKind
    unknown_groups: int
    left_out: LeftOut | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recommendation:
    """A setting with its evidence, or why there is none.

    Parameters
    ----------
    kind : {"guaranteed", "heuristic", "none"}
        Whether the promise goes with the setting, or there is no setting.
    callbacks : tuple of Callback
        The setting; empty without one.
    patience : int or None
        Its patience.
    reasons : tuple of Reason
        Why this one, or why none.
    promise : Promise or None
        What is promised of new groups, by the recommended setting or the one beside
        it that keeps the tolerance.
    monitor, objective, objective_mode, keep : str
        What is watched, what is judged and how, which weights are kept.
    confidence, cost_weight : float
        As asked.
    tolerance : Tolerance or None
        What a run may lose.
    plan : Plan or None
        For how many epochs the trainings are planned; None where that is unknown.
    basis : {"promise", "score", "thumb", "cut"} or None
        What decided: the promise, the least expected score, the rule of thumb, or, as
        all logs were cut by it, the patience that they were recorded under.
    expected : Expected or None
        What the next training is expected to score; None without a plan.
    by_weight : tuple of WeightAdvice
        Which patience would be recommended if training counted for more or less: at
        other values of ``cost_weight``.
    plans : tuple of PlanAdvice
        What is recommended for trainings that were planned otherwise.
    unit : {"group", "run", "training"}
        What is counted, left out and resampled.
    grouped_by : {"run", "seed", "setting", "training", "asked"}
        Where the groups come from: every run is one; every run is, for all are of one
        setting; runs of one setting are; runs of one training are; as asked. Groups
        that share a training are one, however they were found.
    groups : tuple of CountedGroup
        The groups.
    compared : ComparedGroups
        What the settings are compared over.
    settings : tuple of Scored
        The recommended setting, the two answers, and the baselines.
    left_out : LeftOut or None
        The score on groups left out of the choice.
    forward : Forward or None
        The choice of the oldest groups, judged by the newest; None where the runs do
        not tell when they began, or several monitors were asked about.
    monitors : tuple of MonitorScore
        Where several were asked about.
    told_apart : bool or None
        Whether these can be told apart; None for one.
    doubts : tuple of RunDoubt
        What to know before trusting it, the gravest first.
    excluded : tuple of Excluded
        Runs that do not count, and why.
    unproven : tuple of str
        Which of ``mean_regret``, ``worst_regret``, ``left_out_regret`` are only bounds,
        because some logs do not tell.
    """

    kind: AdviceKind
    callbacks: tuple[Callback, ...] = ()
    patience: int | None = None
    reasons: tuple[Reason, ...] = ()
    promise: Promise | None = None
    monitor: str
    objective: str
    objective_mode: Mode
    keep: Literal["best", "last"]
    confidence: float
    cost_weight: float
    tolerance: Tolerance | None = None
    plan: Plan | None = None
    basis: Basis | None = None
    expected: Expected | None = None
    by_weight: tuple[WeightAdvice, ...] = ()
    plans: tuple[PlanAdvice, ...] = ()
    unit: Literal["group", "run", "training"] = "run"
    grouped_by: Literal["run", "seed", "setting", "training", "asked"] = "run"
    groups: tuple[CountedGroup, ...] = ()
    compared: ComparedGroups
    settings: tuple[Scored, ...] = ()
    left_out: LeftOut | None = None
    forward: Forward | None = None
    monitors: tuple[MonitorScore, ...] = ()
    told_apart: bool | None = None
    doubts: tuple[RunDoubt, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    unproven: tuple[str, ...] = ()

    _repr_html_ = show_html
    __str__ = show_text
    to_frame = show_frame

    def __repr__(self) -> str:
        """Return what is recommended and how sure it is, without what it rests on."""
        told = " and ".join(map(repr, self.callbacks)) or "nothing is recommended"
        return f"<Recommendation ({self.kind}): {told}>"

    def setting(self, label: str) -> Scored | None:
        """Return the scored setting with a label; None where there is none."""
        return next((row for row in self.settings if row.label == label), None)

    @property
    def saves_nothing(self) -> bool:
        """Whether the recommended setting stops no run before the end of its plan.

        As far as logs tell. Headlines say so, or readers would expect an early stop.
        """
        recommended = self.setting("recommended")
        return recommended is not None and recommended.cost == 1

    def checked(self, name: str) -> float | None:
        """Return a figure for ``--fail-if``; None where it is only a bound or unknown.

        It is "mean_regret", "worst_regret" or "left_out_regret" of what is recommended.
        """
        if name in self.unproven:
            return None
        if name == "left_out_regret":
            return None if self.left_out is None else self.left_out.mean_regret
        recommended = self.setting("recommended")
        if recommended is None:
            return None
        value: float | None = recommended._asdict()[name]
        return value
