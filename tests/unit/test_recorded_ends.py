"""How trainings ended: for how many epochs they were planned, and what ended them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from cbreplay import EarlyStopping, Run
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.setting_costs.recorded_ends import (
    FailedTraining,
    PlanPart,
    RecordedEnd,
    find_endings,
    find_failure,
    part_by_plan,
    recorded_stoppers,
    usual_cadence,
)


def ending(after: int, n_epochs: int, **described: Any) -> Run:
    """Return a run whose best value comes so many epochs before its last one.

    `described` is its ``run.json``, where there is one.
    """
    falling = [1 - epoch / 1000 for epoch in range(n_epochs - after)]
    run = Run.from_logs(
        [{"val_loss": loss} for loss in [*falling, *[2.0] * after]],
        name=f"{n_epochs} epochs, {after} after the best",
        planned_epochs=described.pop("planned_epochs", None),
    )
    if not described:
        return run
    return replace(run, metadata=parse_run_metadata(json.dumps(described), source=""))


class Found(NamedTuple):
    """The fields of the endings of some runs, each of all runs."""

    plan: tuple[int | None, ...]
    reached: tuple[bool, ...]
    own: tuple[int | None, ...]
    inferred: tuple[bool, ...]
    guessed: tuple[bool, ...]


def endings_of(runs: list[Run], recorded_under: int | None = None) -> list[RecordedEnd]:
    return find_endings(runs, [("val_loss", "min")] * len(runs), recorded_under)


def find(runs: list[Run], recorded_under: int | None = None) -> Found:
    return Found(*zip(*endings_of(runs, recorded_under), strict=True))


STOPPED = {
    "callbacks": ["EarlyStopping(patience=2)"],
    "ended": {"by": "EarlyStopping", "epoch": 4},
}


def test_logs_that_end_together_after_different_bests_were_planned_for_it() -> None:
    found = find([ending(after, 20) for after in (0, 3, 7)])
    assert found.plan == (20, 20, 20)
    assert found.inferred == found.reached == (True, True, True)
    assert found.own == (None, None, None)


def test_two_logs_that_end_together_show_no_plan() -> None:
    assert find([ending(after, 20) for after in (3, 7)]).plan == (None, None)


@pytest.mark.parametrize(("after", "plan"), [(0, 20), (1, 20), (2, None), (7, None)])
def test_one_gap_of_two_and_more_may_be_a_rule(after: int, plan: int | None) -> None:
    found = find([ending(after, 20)] * 3)
    assert found.plan == (plan,) * 3
    assert found.own == ((None,) * 3 if plan else (after,) * 3)


def test_logs_of_two_rounds_that_end_together_by_chance_were_cut_by_both() -> None:
    # four end at 20 after 3 and 7; so do others elsewhere
    both = [(3, 20), (3, 20), (7, 20), (7, 20), (3, 24), (7, 18), (7, 29)]
    found = find([ending(*run) for run in both])
    assert found.plan == (None,) * 7
    assert found.own == tuple(after for after, _ in both)


def test_what_ends_after_many_distances_that_few_share_reached_its_plan() -> None:
    # two plans, and one distance in both of them
    twenty = [ending(after, 20) for after in (2, 3, 7)]
    thirty = [ending(after, 30) for after in (3, 5, 9)]
    assert find([*twenty, *thirty]).plan == (20,) * 3 + (30,) * 3


def test_logs_that_never_were_better_than_first_were_not_stopped_after_99() -> None:
    assert find([ending(99, 100)] * 3).plan == (100,) * 3
    # but eleven epochs are what a patience of ten leaves of such a training
    assert find([ending(10, 11)] * 3).own == (10,) * 3


def test_logs_that_never_change_show_no_patience_that_ended_them() -> None:
    constant = [Run.from_logs([{"val_loss": 1.0 + i}] * 11) for i in range(3)]
    found = find(constant)
    assert (found.plan, found.own) == ((None,) * 3, (None,) * 3)
    assert find(constant, recorded_under=10).own == (10,) * 3


def test_logs_that_never_change_are_no_rules_that_ended_the_others() -> None:
    # 9 and 7 epochs after the best also end at 11 and at 8, but there only by one that
    # falls and one that never does
    constant = [Run.from_logs([{"val_loss": 0.0}] * n, name=str(n)) for n in (8, 10)]
    falling = [ending(7, 10), ending(9, 10), ending(9, 11)]
    assert find([*constant, *falling]).plan == (None, 10, 10, 10, None)


def test_a_run_that_is_not_over_shows_no_plan() -> None:
    growing = ending(3, 20, fit={"epochs": 50})
    found = find([*(ending(after, 20) for after in (0, 1, 5)), growing])
    assert found.plan == (None, None, None, None)
    assert not any(found.reached)


def test_the_plan_that_is_given_decides() -> None:
    found = find([ending(after, 20, planned_epochs=30) for after in (0, 3, 7)])
    assert (found.plan, found.reached) == ((30,) * 3, (False,) * 3)
    # a log cannot go on after its plan
    assert find([ending(3, 20, planned_epochs=10)]).plan == (None,)


def test_a_cut_minority_is_found_beside_those_that_reached_the_plan() -> None:
    whole = [ending(after, 20) for after in (0, 2, 4, 9, 4)]
    cut = [ending(4, length) for length in (8, 11, 13)]
    found = find([*whole, *cut])
    assert found.own == (None,) * 5 + (4,) * 3
    assert found.guessed == (False,) * 5 + (True,) * 3
    # two of one gap are chance
    assert find([*whole, *cut[:2]]).own == (None,) * 7


def test_logs_of_two_rounds_of_tuning_are_cut_where_each_ends_like_another() -> None:
    # patience 3 for two seeds, and 6 for two more
    ends = [(3, 13), (3, 6), (6, 18), (6, 18)]
    found = find([ending(after, length) for after, length in ends])
    assert (found.own, found.guessed) == ((3, 3, 6, 6), (True,) * 4)
    # one that ends otherwise makes the others' distances chance
    assert find([ending(*end) for end in [*ends, (1, 9)]]).own == (None,) * 5
    assert find([ending(*end) for end in [(1, 9), (1, 8), *ends[2:]]]).own == (
        *(None, None),
        *(6, 6),
    )


def test_run_json_says_under_which_patience_a_run_was_ended() -> None:
    found = find([ending(2, 5, **STOPPED), ending(0, 3, seed=1)])
    assert (found.own, found.guessed) == ((2, None), (False, False))


def test_recorded_under_says_it_for_logs_that_neither_a_plan_nor_they_explain() -> None:
    whole = [ending(after, 20) for after in (0, 2, 4)]
    found = find([*whole, ending(5, 9), ending(0, 3, seed=1)], recorded_under=7)
    assert found.own == (None, None, None, 7, None)
    assert not any(found.guessed)


def test_a_patience_counts_the_values_that_were_recorded() -> None:
    # every second epoch is validated: four epochs after the best are two values
    def every_second(n_falling: int) -> Run:
        losses = [1 - value / 10 for value in range(n_falling)] + [1.0, 1.0]
        rows = [[{"val_loss": loss}, {"loss": 1.0}] for loss in losses]
        return Run.from_logs([row for pair in rows for row in pair][:-1])

    assert find([every_second(n_falling) for n_falling in (2, 3, 4)]).own == (2, 2, 2)


def parts(runs: list[Run]) -> list[PlanPart]:
    return part_by_plan(runs, endings_of(runs))


def test_runs_are_parted_by_their_plans_the_most_frequent_first() -> None:
    runs = [ending(after, 20) for after in (0, 3, 7)]
    runs += [ending(after, 40) for after in (0, 3, 7, 9)]
    assert [(part.plan, part.rows, part.inferred) for part in parts(runs)] == [
        (40, (3, 4, 5, 6), True),
        (20, (0, 1, 2), True),
    ]


def test_a_run_that_broke_off_counts_with_a_plan_that_it_may_have_had() -> None:
    runs = [*(ending(after, 20) for after in (0, 3, 7)), ending(1, 9), ending(1, 30)]
    (part,) = parts(runs)
    # the longer one had another plan
    assert (part.rows, part.n_reached) == ((0, 1, 2, 3), 3)


def test_without_a_plan_of_three_runs_all_are_one_part() -> None:
    different = [ending(1, length, planned_epochs=length) for length in (10, 20, 30)]
    assert parts(different) == [PlanPart(None, False, (0, 1, 2), 3)]
    alike = [ending(after, 20, planned_epochs=20) for after in (1, 3)]
    assert parts(alike) == [PlanPart(20, False, (0, 1), 2)]


def run(losses: list[float | None], name: str = "run", **described: Any) -> Run:
    planned = described.pop("planned_epochs", None)
    made = Run.from_logs(
        [{"loss": 1.0, "val_loss": loss} for loss in losses],
        name=name,
        planned_epochs=planned,
    )
    if not described:
        return made
    return replace(made, metadata=parse_run_metadata(json.dumps(described), source=""))


@pytest.mark.parametrize(
    ("losses", "cadence"),
    [
        ([1.0, 0.9, 0.8, 0.7], 1),
        ([None, 0.9, None, 0.7, None, 0.6], 2),
        ([1.0, 0.9, None, 0.7, 0.6], 1),
        ([1.0], 1),
    ],
)
def test_the_cadence_is_the_usual_distance(
    losses: list[float | None], cadence: int
) -> None:
    assert usual_cadence(run(losses), "val_loss") == cadence


@pytest.mark.parametrize(
    ("made", "failure"),
    [
        (run([1.0, math.nan]), FailedTraining("not-finite", "val_loss")),
        (run([1.0, math.inf, None]), FailedTraining("not-finite", "val_loss")),
        (run([math.nan, 1.0, 0.9]), FailedTraining("not-finite", "val_loss")),
        # a validation that came to nothing, and a training that went on
        (run([1.0, math.nan, 0.9]), None),
        (run([1.0, 0.9], ended={"by": "interrupt"}), FailedTraining("interrupt")),
        (run([1.0, 0.9], planned_epochs=5), FailedTraining("before-plan")),
        (run([1.0, 0.9], planned_epochs=2), None),
        (run([1.0, 0.9]), None),
        (run([1.0, 0.9], planned_epochs=5, ended={"by": "EarlyStopping"}), None),
    ],
)
def test_how_a_run_failed(made: Run, failure: FailedTraining | None) -> None:
    assert find_failure(made, "val_loss") == failure


def test_recorded_stoppers_are_read_and_nothing_is_run() -> None:
    named = run([1.0], callbacks=["EarlyStopping(patience=3)", "CSVLogger('a')"])
    assert recorded_stoppers(named) == [EarlyStopping(patience=3)]
    assert recorded_stoppers(run([1.0], callbacks=["CSVLogger('a')"])) == []
    assert recorded_stoppers(run([1.0])) is None
    assert recorded_stoppers(run([1.0], callbacks=["EarlyStopping(oops)"])) is None
