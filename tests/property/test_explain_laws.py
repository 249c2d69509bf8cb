"""Laws of the trace: it says what the replay did, and what the next epoch needs."""

from __future__ import annotations

import itertools
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, explain_replay, replay_run
from cbreplay.monitor import Comparison
from cbreplay.wording.spoken_comparisons import (
    nearest_improvement,
    spoken_comparison,
    spoken_threshold,
)
from tests.strategies import early_stoppings, plateaus, runs

if TYPE_CHECKING:
    from cbreplay.explain import Explanation
    from cbreplay.run import Mode

floats = st.floats(-1e30, 1e30)
near = st.sampled_from([0.5, 0.1, 0.3, 1e-3, 0.0, -2.5, 1e-40, 123.4]).flatmap(
    lambda base: st.integers(-3, 3).map(
        lambda steps: float(np.float32(base) * np.float32(1 + steps * 2**-23))
    )
)
numbers = st.one_of(near, floats)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    mode: Mode = draw(st.sampled_from(["min", "max"]))
    size = draw(st.sampled_from([0.0, 0.0, 1e-4, 0.1, 0.02, 1e-9]))
    return Comparison(
        mode=mode,
        delta=-size if mode == "min" else size,
        delta_on=draw(st.sampled_from(["value", "reference"])),
        precision=draw(st.sampled_from(["float32", "float64"])),
        flush_subnormals=draw(st.booleans()),
    )


def explained(run: Run, *callbacks: Any, **options: Any) -> Explanation:
    return explain_replay(replay_run(run, callbacks, semantics="keras-3.15", **options))


@given(runs(), early_stoppings(), plateaus(), st.booleans())
def test_every_sentence_says_what_was_decided(
    run: Run, one: EarlyStopping, two: ReduceLROnPlateau, goes_on: object
) -> None:
    told = explained(run, one, two, hypothetical=bool(goes_on))
    fiction = told.replay.hypothetical
    steps = told.replay.trace if fiction is None else fiction.trace
    assert len(told.rows) == len(steps)
    for row, step in zip(told.rows, steps, strict=True):
        assert (row.epoch, row.callback) == (step.epoch, step.callback)
        assert row.decision in row.why
        assert (row.decision == "stop") == step.decision.stop
        assert (row.decision == "reduction") == step.decision.reduced
        assert (row.decision == "improvement") == bool(step.decision.improved)
        assert row.hypothetical == row.why.startswith("fiction: ")


@given(runs(), early_stoppings(), plateaus())
def test_the_trace_ends_where_the_replay_does(
    run: Run, one: EarlyStopping, two: ReduceLROnPlateau
) -> None:
    told = explained(run, one, two)
    replay = told.replay
    stops = [row.epoch for row in told.rows if row.decision == "stop"]
    assert stops == ([] if replay.stopped_epoch is None else [replay.stopped_epoch])
    reduced = [row.epoch for row in told.rows if row.decision == "reduction"]
    assert reduced == [reduction.epoch for reduction in replay.reductions]
    if replay.divergence_epoch is not None:
        assert all(row.epoch < replay.divergence_epoch for row in told.rows)
        assert len(told.closing) == 1
    if replay.stopped_epoch is not None:
        assert f"at the end of epoch {replay.stopped_epoch + 1} " in told.closing[0]
    if replay.kept_epoch is not None:
        kept = f"keeps the weights of epoch {replay.kept_epoch + 1}"
        assert any(kept in sentence for sentence in told.closing)


@given(
    st.lists(numbers, min_size=1, max_size=6),
    st.sampled_from(["min", "max"]),
    st.sampled_from([0, 1e-4, 0.1]),
)
def test_the_next_epoch_needs_exactly_what_is_said(
    losses: list[float], mode: str, min_delta: float
) -> None:
    one = EarlyStopping(mode=mode, patience=99, min_delta=min_delta)
    last = explained(Run.from_logs([{"val_loss": x} for x in losses]), one).rows[-1]
    assume(last.needed is not None)
    assert last.needed is not None
    worse = math.nextafter(last.needed, math.inf if mode == "min" else -math.inf)
    for value, decision in ((last.needed, "improvement"), (worse, "wait")):
        longer = Run.from_logs([{"val_loss": x} for x in [*losses, value]])
        assert explained(longer, one).rows[-1].decision == decision


@given(runs(), early_stoppings())
def test_the_announced_stop_comes_with_the_next_worse_value(
    run: Run, one: EarlyStopping
) -> None:
    rows = [row for row in explained(run, one).rows if row.decision != "skip"]
    for row, after in itertools.pairwise(rows):
        announced = "; stops " in row.why
        assert announced or after.decision != "stop"
        assert not announced or after.decision in ("improvement", "stop")


@given(comparisons(), numbers, numbers)
def test_a_logged_value_improves_exactly_beyond_the_spoken_threshold(
    comparison: Comparison, best: float, value: float
) -> None:
    nearest = nearest_improvement(comparison, best)
    assume(nearest is not None)
    assert nearest is not None
    logged = float(np.float32(value))
    # a subnormal is written as the zero that it counts as
    assume(logged == 0 or abs(logged) >= 2**-126)
    wall = Decimal(spoken_threshold(comparison, nearest))
    beyond = (
        Decimal(logged) < wall if comparison.mode == "min" else Decimal(logged) > wall
    )
    assert beyond == comparison.is_improvement(logged, best)


SPOKEN = re.compile(r"(\S+) is( not)? (below|above) (\S+)(?: ([-+]) (\S+))?")
EQUAL = re.compile(r"(\S+) only equals (\S+)(?: ([-+]) (\S+))?")


@given(comparisons(), numbers, numbers)
def test_the_numbers_in_a_sentence_show_what_it_says(
    comparison: Comparison, value: float, best: float
) -> None:
    told = spoken_comparison(comparison, value, best)
    improves = comparison.is_improvement(value, best)
    if "float" in told:
        # rounding decided, and the sentence gives both sides as compared
        assert ("not" not in told) == improves
        return
    matched = SPOKEN.fullmatch(told) or EQUAL.fullmatch(told)
    assert matched is not None, told
    shown, *middle, wall, sign, size = matched.groups()
    margin = Decimal(size or 0) * (-1 if sign == "-" else 1)
    left, right = Decimal(shown), Decimal(wall) + margin
    if not middle:
        assert left == right
        assert not improves
        return
    ahead = left < right if middle[1] == "below" else left > right
    assert ahead == improves == (middle[0] is None)
    assert left != right
