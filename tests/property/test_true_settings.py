"""What a table of settings says in words is true of the log: a plain loop says so."""

from __future__ import annotations

import math
import re
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, choices, compare_replays, make_grid, replay_run
from cbreplay.answers.comparison import comparison_document
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.rival_lists import RivalLists
from cbreplay.answers.settings import settings_document
from cbreplay.answers.settings_summary import summarise
from cbreplay.document import plain_text
from cbreplay.judging import Judging
from tests.facts import facts_of
from tests.oracles.plain_stop import best_of, stop_at
from tests.strategies import runs

if TYPE_CHECKING:
    from cbreplay import Run
    from tests.oracles.plain_stop import Stopped

JUDGING = Judging(semantics="keras-3.15")
MODES = st.sampled_from(["min", "max"])
PATIENCE = st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True)


def listed(run: Run) -> list[float | None]:
    return list(run.series["val_loss"])


def ends_of(
    run: Run, patience: list[int], mode: str, *, restores: bool
) -> list[Stopped]:
    values, first = listed(run), run.first_epoch
    return [
        stop_at(values, each, mode, first_epoch=first, restores=restores)
        for each in patience
    ]


def cost_of(run: Run, end: Stopped, mode: str) -> float | None:
    """Return how far what is kept is from the best; None where one is no number.

    Nothing is far from an infinity that counts as better than every number.
    """
    value, best = listed(run)[end.kept], best_of(listed(run), mode)
    if value is None or math.isnan(value) or best is None:
        return None
    off = value - best if mode == "min" else best - value
    return None if off == -math.inf else max(0.0, off)


def is_best(run: Run, end: Stopped, mode: str) -> bool:
    """Tell whether what is kept is the best finite value."""
    kept = listed(run)[end.kept]
    return kept is not None and kept == best_of(listed(run), mode)


@given(run=runs(), patience=PATIENCE, mode=MODES, restores=st.booleans())
def test_the_first_sentence_about_settings_on_one_log_is_true(
    run: Run, patience: list[int], mode: str, *, restores: bool
) -> None:
    tried: Any = choices(
        EarlyStopping, patience=patience, mode=mode, restore_best_weights=restores
    )
    cells = decide_settings([run], make_grid([tried]), JUDGING)
    headline = settings_document(cells).headline
    facts, said = facts_of(headline), plain_text(headline)
    ends = ends_of(run, patience, mode, restores=restores)
    decided = [end.stop is not None or run.reached_plan for end in ends]
    if len(patience) == 1:
        (end,) = ends
        stopped = None if end.stop is None else run.first_epoch + end.stop
        assert facts.get("stopped_epoch") == stopped
        assert facts["kept_epoch"] == run.first_epoch + end.kept
        cost = cost_of(run, end, mode) if decided[0] else None
        best = decided[0] and is_best(run, end, mode)
        assert ("the best on record" in said) == best
        told = facts.get("regret", 0.0)
        assert told == (cost or 0.0) or math.isinf(listed(run)[end.kept] or 0)
        return
    assert facts["n_decided"] == sum(decided)
    costs = {
        (cost_of(run, end, mode), each)
        for end, each, known in zip(ends, patience, decided, strict=True)
        if known
        and cost_of(run, end, mode) is not None
        and math.isfinite(listed(run)[end.kept] or 0)
    }
    named = [
        each
        for each in patience
        if re.search(rf"(; |of those |that is )patience={each}\b", said)
    ]
    if not costs:
        assert named == []
        return
    least = min(cost for cost, _ in costs if cost is not None)
    assert (least, *named) in costs
    assert ("keeps the best" in said) == (least == 0)
    assert facts.get("regret", 0.0) == least


@given(some=st.lists(runs(), min_size=2, max_size=4), patience=PATIENCE, mode=MODES)
def test_what_settings_come_to_over_runs_is_true(
    some: list[Run], patience: list[int], mode: str
) -> None:
    tried: Any = choices(EarlyStopping, patience=patience, mode=mode)
    cells = decide_settings(some, make_grid([tried]), JUDGING)
    headline = settings_document(cells).headline
    facts, said = facts_of(headline), plain_text(headline)
    priced: list[dict[int, float]] = []
    decided: list[int] = []
    for each in patience:
        ends = [ends_of(run, [each], mode, restores=False)[0] for run in some]
        known = {
            at: cost_of(run, end, mode)
            for at, (run, end) in enumerate(zip(some, ends, strict=True))
            if end.stop is not None or run.reached_plan
        }
        decided.append(len(known))
        priced.append(
            {
                at: cost
                for at, cost in known.items()
                if cost is not None and cost < math.inf
            }
        )
    costs = [[*told.values()] for told in priced]
    for summary, told, n in zip(summarise(cells), costs, decided, strict=True):
        assert summary.exact_runs == n
        assert summary.priced_runs == len(told)
        assert summary.mean_regret == (pytest.approx(mean(told)) if told else None)
        assert summary.worst_regret == (max(told) if told else None)
        spread = pytest.approx(stdev(told)) if len(told) > 1 else None
        assert summary.spread_regret == spread
    whole = [told for told in costs if len(told) == len(some)]
    if "n_compared" in facts:
        # over the runs that decide each setting that half of the runs decide
        often = [told for told in priced if 2 * len(told) >= len(some)]
        shared = [at for at in range(len(some)) if all(at in told for told in often)]
        assert facts["n_compared"] == len(shared) >= len(some) / 2
        whole = [[told[at] for at in shared] for told in often]
        assert min(len(whole), len(shared)) > 1
    elif len(patience) == 1:
        assert facts["exact_runs"] == decided[0]
        assert facts.get("priced_runs", decided[0]) == len(costs[0]) or not costs[0]
    elif not whole and max(decided) == len(some):
        assert facts["n_whole"] == decided.count(len(some))
    elif not whole:
        assert facts.get("n_decided", 0) == max(decided)
    if whole and "mean_regret" in facts:
        assert facts["mean_regret"] == pytest.approx(min(map(mean, whole)))
        assert facts["worst_regret"] in map(max, whole)
    elif whole:
        assert min(map(mean, whole)) == 0
        assert "keeps the best" in said


@given(run=runs(), mode=MODES, first=st.integers(0, 9), rival=st.integers(0, 9))
def test_where_two_settings_part_is_true(
    run: Run, mode: str, first: int, rival: int
) -> None:
    stoppers = [EarlyStopping(patience=each, mode=mode) for each in (first, rival)]
    replays = [replay_run(run, stopper, judging=JUDGING) for stopper in stoppers]
    lists = RivalLists([stoppers[0]], [stoppers[1]], [compare_replays(*replays)])
    facts = facts_of(comparison_document(lists).headline)
    ends = ends_of(run, [first, rival], mode, restores=False)
    stops = [math.inf if end.stop is None else end.stop for end in ends]
    # they go on alike until the first of them stops alone
    expected = None if stops[0] == stops[1] else run.first_epoch + min(stops)
    assert facts.get("parting_epoch") == expected
