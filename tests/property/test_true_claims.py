"""Every claim that a headline carries is evaluated, and an unknown one is an error."""

from __future__ import annotations

import math
from statistics import mean
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    build_staircase,
    choices,
    compare_replays,
    make_grid,
    replay_run,
)
from cbreplay.answers.comparison import comparison_document
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.rival_lists import RivalLists
from cbreplay.answers.settings import settings_document
from cbreplay.answers.staircase import staircase_document
from tests.oracles.plain_stop import best_of, stop_at
from tests.property.test_true_settings import JUDGING, cost_of, ends_of
from tests.strategies import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay import Run
    from cbreplay.document import Document

MODES = st.sampled_from(["min", "max"])
PATIENCE = st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True)
# more than any record here has epochs
EVERY = range(30)


class Asked:
    """What was asked, and the predicates that a plain loop can evaluate for it."""

    def __init__(self, held: list[Run], patience: list[int], mode: str) -> None:
        self.held, self.patience, self.mode = held, patience, mode

    def check(self, document: Document) -> int:
        """Evaluate every claim of a headline, and count them."""
        for claim in document.headline.claims:
            getattr(self, claim.predicate)(claim.about)
        return len(document.headline.claims)

    def costs(self, patience: int) -> list[float | None]:
        """Return what a patience loses on each run; None where that is not told."""
        ends = [
            ends_of(run, [patience], self.mode, restores=True)[0] for run in self.held
        ]
        return [
            cost_of(run, end, self.mode)
            if end.stop is not None or run.reached_plan
            else None
            for run, end in zip(self.held, ends, strict=True)
        ]

    def is_best(self, about: Mapping[str, Any]) -> None:
        run = self.held[0]
        values = list(run.series[about["series"]])
        assert values[about["epoch"] - run.first_epoch] == best_of(values, self.mode)

    def none_keeps_best(self, about: Mapping[str, Any]) -> None:
        run = self.held[0]
        values = list(run.series[about["series"]])
        best = best_of(values, self.mode)
        for patience in EVERY:
            end = stop_at(
                values, patience, self.mode, first_epoch=run.first_epoch, restores=True
            )
            assert end.stop is None or values[end.kept] != best

    def never_changes(self, about: Mapping[str, Any]) -> None:
        told = [
            value for value in self.held[0].series[about["series"]] if value is not None
        ]
        assert len({value for value in told if not math.isnan(value)}) == 1

    def never_finite(self, about: Mapping[str, Any]) -> None:
        told = [value for value in self.held[0].series[about["series"]] if value]
        assert not any(map(math.isfinite, told))

    def end(self) -> tuple[int | None, int]:
        """Return the epoch at which the one setting stops the run, and the kept one."""
        (run,) = self.held
        end = ends_of(run, self.patience, self.mode, restores=True)[0]
        stop = None if end.stop is None else run.first_epoch + end.stop
        return stop, run.first_epoch + end.kept

    def stops_at(self, about: Mapping[str, Any]) -> None:
        assert self.end()[0] == about["epoch"]

    def keeps(self, about: Mapping[str, Any]) -> None:
        assert self.end()[1] == about["epoch"]

    def is_nearest(self, about: Mapping[str, Any]) -> None:
        (run,) = self.held
        values = list(run.series["val_loss"])
        priced = {}
        for patience in self.patience:
            end = ends_of(run, [patience], self.mode, restores=True)[0]
            cost = next(iter(self.costs(patience)), None)
            if cost is not None and math.isfinite(values[end.kept] or 0):
                priced[patience] = cost
        assert priced[self.patience[about["config"]]] == min(priced.values())

    def loses_least(self, about: Mapping[str, Any]) -> None:
        means = {}
        for config, patience in enumerate(self.patience):
            costs = self.costs(patience)
            told = [cost for run in about["runs"] if (cost := costs[run]) is not None]
            whole = all(cost is not None and cost < math.inf for cost in costs)
            # what every run decides is compared, and over the same runs as the rest
            assert config in about["compared"] or not whole
            if config in about["compared"]:
                assert len(told) == len(about["runs"])
                assert max(told) < math.inf
                means[config] = mean(told)
        assert means[about["config"]] == pytest.approx(min(means.values()))

    def first_difference(self, about: Mapping[str, Any]) -> None:
        run = self.held[0]
        ends = ends_of(run, self.patience, self.mode, restores=True)
        stops = [math.inf if end.stop is None else end.stop for end in ends]
        assert stops[0] != stops[1]
        assert about["epoch"] == run.first_epoch + min(stops)


@given(run=runs(), mode=MODES)
def test_what_the_headline_of_one_log_claims_is_true(run: Run, mode: Any) -> None:
    staircase = build_staircase(run, mode=mode, semantics="keras-3.15")
    Asked([run], [], mode).check(staircase_document(staircase))


@given(held=st.lists(runs(), min_size=1, max_size=4), patience=PATIENCE, mode=MODES)
def test_what_a_headline_about_settings_claims_is_true(
    held: list[Run], patience: list[int], mode: str
) -> None:
    tried: Any = choices(
        EarlyStopping, patience=patience, mode=mode, restore_best_weights=True
    )
    cells = decide_settings(held, make_grid([tried]), JUDGING)
    Asked(held, patience, mode).check(settings_document(cells))


@given(run=runs(), mode=MODES, pair=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_what_the_headline_of_a_comparison_claims_is_true(
    run: Run, mode: Any, pair: tuple[int, int]
) -> None:
    stoppers = [
        EarlyStopping(patience=each, mode=mode, restore_best_weights=True)
        for each in pair
    ]
    replays = [replay_run(run, stopper, judging=JUDGING) for stopper in stoppers]
    lists = RivalLists([stoppers[0]], [stoppers[1]], [compare_replays(*replays)])
    Asked([run], list(pair), mode).check(comparison_document(lists))
