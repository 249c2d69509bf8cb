"""Whatever a finding claims is true of the replay of every run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, Replay, Run, replay_run
from cbreplay import lint_callbacks as lint
from cbreplay.rules.bystander import Bystander
from cbreplay.run import Series
from tests.strategies import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.decisions import Observation

RULES = st.sampled_from(["keras-2.15", "keras-3.0", "keras-3.7", "keras-3.15"])
DELTAS = st.sampled_from([0, 1e-4, 0.125, -0.125])
MODES = st.sampled_from(["auto", "min", "max"])
ORDERS = st.sampled_from([1, -1])


@st.composite
def stoppers(draw: st.DrawFn) -> EarlyStopping:
    return EarlyStopping(
        mode=draw(MODES),
        patience=draw(st.integers(-1, 4)),
        min_delta=draw(DELTAS),
        baseline=draw(st.sampled_from([None, None, 0.5])),
        restore_best_weights=draw(st.booleans()),
        start_from_epoch=draw(st.sampled_from([0, 0, 0, 2])),
    )


@st.composite
def crawls(draw: st.DrawFn) -> Run:
    """Runs in small steps, where the size of min_delta decides."""
    down = draw(st.sampled_from([1, -1]))
    steps = draw(st.lists(st.sampled_from([0, 1, 1, 1, 2, 3, -1]), max_size=20))
    losses = [1 - down * sum(steps[:end]) / 16 for end in range(len(steps) + 1)]
    return Run.from_logs([{"val_loss": one, "learning_rate": 0.01} for one in losses])


@st.composite
def reducers(draw: st.DrawFn) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(
        mode=draw(MODES),
        patience=draw(st.integers(-1, 6)),
        min_delta=draw(DELTAS),
        cooldown=draw(st.sampled_from([0, 0, 0.5, 1, 2])),
        min_lr=draw(st.sampled_from([0.0, 0.001, 0.01])),
    )


def replayed(run: Run, *callbacks: Any, semantics: str) -> Replay:
    return replay_run(run, callbacks, semantics=semantics, hypothetical=True)


def decisions(replay: Replay, callback: int) -> list[Any]:
    return [step.decision for step in steps(replay) if step.callback == callback]


def steps(replay: Replay) -> tuple[Any, ...]:
    """Every step, also those past a divergence: the rules go on there."""
    told = replay.hypothetical
    return replay.trace if told is None else told.trace


def codes(*callbacks: Any, **known: Any) -> list[str]:
    return [one.code for one in lint(callbacks, **known)]


@given(st.one_of(runs(), crawls()), reducers(), stoppers(), RULES, ORDERS)
@settings(max_examples=600)
def test_a_reducer_after_the_stop_never_acts_before_it(
    run: Run,
    reducer: ReduceLROnPlateau,
    stopper: EarlyStopping,
    semantics: str,
    order: int,
) -> None:
    listed: list[Any] = [reducer, stopper][::order]
    found = codes(*listed, semantics=semantics)
    always = "reduce-after-stop" in found
    if not always and "reduce-rarely-before-stop" not in found:
        return
    replay = replayed(run, *listed, semantics=semantics)
    last = steps(replay)[-1].epoch
    reductions = [step.epoch for step in steps(replay) if step.decision.reduced]
    # what is decided in the last epoch trains nothing any more
    early = [epoch for epoch in reductions if epoch < last]
    if always:
        stopped = any(one.stop for one in decisions(replay, listed.index(stopper)))
        # at the very end of the record it may be the last epoch without a stop
        assert not early
        assert not reductions or stopped
    elif early:
        assert counted_otherwise(replay, listed.index(stopper), early[0])


@given(st.one_of(runs(), crawls()), stoppers(), stoppers(), RULES)
@settings(max_examples=600)
def test_of_two_stops_lint_knows_the_first_and_what_it_keeps(
    run: Run, one: EarlyStopping, other: EarlyStopping, semantics: str
) -> None:
    listed = [one, other]
    replay = replayed(run, *listed, semantics=semantics)
    stopping = [any(own.stop for own in decisions(replay, at)) for at in (0, 1)]
    for finding in lint(listed, semantics=semantics):
        at = finding.callback
        if finding.code == "stop-after-stop":
            assert not stopping[at]
        elif finding.code == "keeps-later-weights" and stopping[at]:
            assert replay.kept_epoch == replay.stopped_epoch


def test_small_steps_let_a_rare_reducer_act_before_the_stop() -> None:
    # each step is an improvement for EarlyStopping, and none beyond min_delta 0.1
    run = Run.from_logs(
        [{"val_loss": 1 - epoch / 32, "learning_rate": 0.01} for epoch in range(4)]
    )
    listed = [ReduceLROnPlateau(patience=2, min_delta=0.1), EarlyStopping(patience=2)]
    assert "reduce-rarely-before-stop" in codes(*listed, semantics="keras-3.15")
    replay = replayed(run, *listed, semantics="keras-3.15")
    assert [step.epoch for step in steps(replay) if step.decision.reduced] == [2]
    assert replay.stopped_epoch is None


def counted_otherwise(replay: Replay, stopper: int, until: int) -> bool:
    """Whether EarlyStopping improved where the other did not,."""
    by_epoch: dict[int, dict[bool, Any]] = {}
    for step in steps(replay):
        if step.epoch <= until:
            own = by_epoch.setdefault(step.epoch, {})
            own[step.callback == stopper] = step.decision.improved
    return any(one[True] and not one[False] for one in by_epoch.values())


@given(runs(), reducers(), RULES, st.sampled_from([0.5, 1]))
def test_a_cooldown_of_one_decides_as_none(
    run: Run, reducer: ReduceLROnPlateau, semantics: str, cooldown: float
) -> None:
    reducer = replace(reducer, cooldown=cooldown)
    assert "cooldown-of-one" in codes(reducer, semantics=semantics)
    without = replace(reducer, cooldown=0)
    one, other = (replayed(run, x, semantics=semantics) for x in (reducer, without))
    assert decisions(one, 0) == decisions(other, 0)


@given(runs(), st.one_of(stoppers(), reducers()), RULES)
def test_a_negative_patience_decides_as_one(
    run: Run, callback: EarlyStopping | ReduceLROnPlateau, semantics: str
) -> None:
    callback = replace(callback, patience=-2)
    assert "negative-patience" in codes(callback, semantics=semantics)
    fixed = replace(callback, patience=1)
    one, other = (replayed(run, x, semantics=semantics) for x in (callback, fixed))
    assert decisions(one, 0) == decisions(other, 0)


@given(runs(), st.one_of(stoppers(), reducers()), RULES)
def test_a_patience_of_zero_decides_as_one(
    run: Run, callback: EarlyStopping | ReduceLROnPlateau, semantics: str
) -> None:
    callback = replace(callback, patience=0)
    if isinstance(callback, ReduceLROnPlateau):
        assert "patience-zero-is-one" in codes(callback, semantics=semantics)
    fixed = replace(callback, patience=1)
    zero, one = (replayed(run, x, semantics=semantics) for x in (callback, fixed))
    assert decisions(zero, 0) == decisions(one, 0)


@given(
    runs(),
    st.one_of(stoppers(), reducers()),
    RULES,
    st.sampled_from([0.5, 1.25, 2.9, 3.5]),
)
def test_a_fractional_patience_decides_as_the_next_whole_number(
    run: Run,
    callback: EarlyStopping | ReduceLROnPlateau,
    semantics: str,
    patience: float,
) -> None:
    callback = replace(callback, patience=patience)
    assert "fractional-patience" in codes(callback, semantics=semantics)
    fixed = replace(callback, patience=math.ceil(patience))
    part, whole = (replayed(run, x, semantics=semantics) for x in (callback, fixed))
    assert decisions(part, 0) == decisions(whole, 0)


@given(st.integers(1, 4), st.sampled_from([0.1, 0.05]), RULES)
def test_a_steep_factor_acts_after_as_many_values_as_the_finding_says(
    patience: int, factor: float, semantics: str
) -> None:
    reducer = ReduceLROnPlateau(patience=patience, factor=factor)
    (steep,) = lint(reducer, semantics=semantics)
    assert (steep.code, steep.message[0]) == ("steep-factor", str(patience))
    flat = Run.from_logs([{"val_loss": 0.5, "learning_rate": 1}] * (patience + 1))
    reduced = [
        one.reduced
        for one in decisions(replayed(flat, reducer, semantics=semantics), 0)
    ]
    # the first value sets the best
    assert reduced == [False] * patience + [True]


@given(runs(), st.one_of(stoppers(), reducers()), RULES)
def test_a_negative_min_delta_decides_as_the_finding_says(
    run: Run, callback: EarlyStopping | ReduceLROnPlateau, semantics: str
) -> None:
    callback = replace(callback, min_delta=-0.125)
    told = lint(callback, semantics=semantics)
    (finding,) = (one for one in told if one.code == "negative-min-delta")
    if "acts as min_delta" in finding.message:
        fixed = replace(callback, min_delta=-callback.min_delta)
        one, other = (replayed(run, x, semantics=semantics) for x in (callback, fixed))
        assert decisions(one, 0) == decisions(other, 0)
    else:
        # 0.5, then the worse 0.5625, in the callback's own direction
        mode = "max" if callback.mode == "max" else "min"
        worse = 0.4375 if mode == "max" else 0.5625
        small = Run.from_logs(
            [{"val_loss": 0.5, "lr": 1}, {"val_loss": worse, "lr": 1}]
        )
        replay = replayed(small, callback, semantics=semantics)
        assert decisions(replay, 0)[1].improved


@given(runs(), st.one_of(stoppers(), reducers()), RULES, st.integers(-2, 2))
def test_a_patience_beyond_the_plan_never_acts_inside_it(
    run: Run,
    callback: EarlyStopping | ReduceLROnPlateau,
    semantics: str,
    more: int,
) -> None:
    # around the least plan in which it could act
    first = getattr(callback, "start_from_epoch", 0)
    epochs = max(first + int(callback.patience) + more, 1)
    found = codes(callback, epochs=epochs, semantics=semantics)
    if not {"patience-beyond-plan", "starts-after-plan"} & set(found):
        return
    replay = replayed(run, callback, semantics=semantics)
    inside = [step for step in steps(replay) if step.epoch < epochs]
    assert not any(step.decision.stop or step.decision.reduced for step in inside)
    if "starts-after-plan" in found:
        assert all(step.decision.improved is None for step in inside)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=9),
    st.integers(2, 3),
    st.integers(1, 4),
    st.integers(1, 20),
)
def test_patience_in_validations_and_the_plan_hold_with_gaps(
    losses: list[int], every: int, patience: int, epochs: int
) -> None:
    rows: list[dict[str, Any]] = []
    for loss in losses:
        rows += [{"loss": 1.0}] * (every - 1) + [{"loss": 1.0, "val_loss": loss}]
    stopper = EarlyStopping(patience=patience)
    replay = replayed(Run.from_logs(rows), stopper, semantics="keras-3.15")
    found = {
        one.code: one for one in lint(stopper, epochs=epochs, validation_freq=every)
    }
    words = found["patience-in-validations"].message
    assert f"means {patience * every} epochs" in words
    if replay.stopped_epoch is not None:
        assert replay.best_epoch is not None
        # the stop comes that many epochs after the last improvement
        assert replay.stopped_epoch - replay.best_epoch == patience * every
        if "patience-beyond-plan" in found:
            assert replay.stopped_epoch >= epochs


@given(runs(), stoppers(), RULES)
def test_the_weights_of_a_stop_are_patience_epochs_after_the_best(
    run: Run, stopper: EarlyStopping, semantics: str
) -> None:
    stopper = replace(
        stopper,
        patience=max(stopper.patience, 2),
        baseline=None,
        restore_best_weights=False,
    )
    assert "keeps-later-weights" in codes(stopper, semantics=semantics)
    replay = replayed(run, stopper, semantics=semantics)
    if replay.stopped_epoch is not None and replay.best_epoch is not None:
        assert replay.kept_epoch == replay.stopped_epoch
        assert replay.kept_epoch - replay.best_epoch >= stopper.patience


@given(runs(), st.one_of(stoppers(), reducers()), RULES, st.sampled_from([1, 9, 99]))
def test_what_the_record_tells_is_true_of_its_replay(
    run: Run,
    callback: EarlyStopping | ReduceLROnPlateau,
    semantics: str,
    factor: int,
) -> None:
    callback = replace(callback, min_delta=callback.min_delta * factor)
    found = codes(callback, run=run, semantics=semantics)
    replay = replayed(run, callback, semantics=semantics)
    if "min-delta-beyond-record" in found:
        assert sum(bool(one.improved) for one in decisions(replay, 0)) <= 1
    if "min-delta-beyond-steps" in found:
        # of what improves without min_delta, the first value aside, a fifth at most
        patient = replace(callback, patience=10**6)
        counted, bests = (
            sum(bool(one.improved) for one in decisions(replayed_run, 0)) - 1
            for replayed_run in (
                replayed(run, patient, semantics=semantics),
                replayed(run, replace(patient, min_delta=0), semantics=semantics),
            )
        )
        assert bests >= max(5, 5 * counted)
    if "baseline-never-beaten" in found:
        seen = [step for step in steps(replay) if step.decision.improved is not None]
        assert [step.state.wait for step in seen] == list(range(1, len(seen) + 1))
    if "floor-above-rate" in found:
        assert not any(one.reduced for one in decisions(replay, 0))


@given(runs(), reducers(), RULES)
def test_a_floor_at_the_rate_never_lets_it_act(
    run: Run, reducer: ReduceLROnPlateau, semantics: str
) -> None:
    # every run of the strategy has the rate 0.01
    reducer = replace(reducer, min_lr=0.01)
    assert "floor-above-rate" in codes(reducer, run=run, semantics=semantics)
    replay = replayed(run, reducer, semantics=semantics)
    assert not any(one.reduced for one in decisions(replay, 0))


FLAT = Run.from_logs([{"val_loss": 1.0, "learning_rate": 0.01}] * 6)


@given(
    st.floats(2.0**-100, 1, width=32),
    st.one_of(
        st.sampled_from([1 - 2.0**-27, 1 - 2.0**-53, 0, -1, -1e300, 1e-60, 1e-46]),
        st.floats(-1, 1, exclude_max=True),
    ),
    RULES,
)
def test_a_factor_without_effect_has_none(
    rate: float, factor: float, semantics: str
) -> None:
    reducer = ReduceLROnPlateau(factor=factor, patience=1)
    found = codes(reducer, semantics=semantics)
    rated = replace(
        FLAT, learning_rate=Series.from_optional([rate] * 6, dtype=np.float32)
    )
    replay = replayed(rated, reducer, semantics=semantics)
    news = [one.learning_rate for one in decisions(replay, 0) if one.reduced]
    assert news
    if "factor-of-one" in found:
        assert set(news) == {rate}
    if "factor-leaves-nothing" in found:
        assert set(news) == {0.0}


@given(runs(), stoppers(), RULES)
def test_an_identical_stopper_adds_nothing(
    run: Run, stopper: EarlyStopping, semantics: str
) -> None:
    assert "identical-callbacks" in codes(stopper, stopper, semantics=semantics)
    twice = replayed(run, stopper, stopper, semantics=semantics)
    once = replayed(run, stopper, semantics=semantics)
    assert decisions(twice, 0) == decisions(once, 0)
    assert decisions(twice, 1) == decisions(once, 0)
    assert twice.kept_epoch == once.kept_epoch


@given(runs(), reducers(), RULES)
def test_an_identical_reducer_reduces_in_the_same_epochs(
    run: Run, reducer: ReduceLROnPlateau, semantics: str
) -> None:
    reducer = replace(reducer, min_lr=0.0)
    assert "identical-callbacks" in codes(reducer, reducer, semantics=semantics)
    replay = replayed(run, reducer, reducer, semantics=semantics)
    first, second = (
        [one.reduced for one in decisions(replay, index)] for index in (0, 1)
    )
    # below the smallest float32 the rate is at the floor and only the first acts
    rates = [step.learning_rate for step in steps(replay) if step.callback == 1]
    for one, other, rate in zip(first, second, rates, strict=True):
        assert one == other or rate == 0


class Probe(Bystander):
    """Stands in a list and keeps the names that it is shown."""

    names: ClassVar[set[str]] = set()

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        self.names.clear()
        self.names.update(seen.logs)
        return {}


@pytest.mark.parametrize("semantics", ["keras-2.15", "keras-3.15"])
def test_a_logger_that_is_told_so_sees_no_rate(semantics: str) -> None:
    logger = Probe("CSVLogger")
    reducer = ReduceLROnPlateau()
    orders: list[tuple[list[Any], bool]] = [
        ([logger, reducer], False),
        ([reducer, logger], True),
    ]
    for listed, sees in orders:
        found = codes(*listed, semantics=semantics)
        assert ("rate-not-logged" in found) is not sees
        replay_run(FLAT, listed, semantics=semantics)
        assert bool(logger.names & {"learning_rate", "lr"}) is sees


@given(
    st.lists(st.integers(0, 64), min_size=3, max_size=9, unique=True),
    st.sampled_from(["val_auc", "val_accuracy", "val_loss", "val_recall"]),
    MODES,
    RULES,
    st.sampled_from([EarlyStopping, ReduceLROnPlateau]),
)
def test_a_mode_against_the_metric_counts_every_better_value_as_worse(
    counts: list[int], monitor: str, mode: str, semantics: str, kind: Any
) -> None:
    callback = kind(monitor=monitor, mode=mode, min_delta=0, patience=math.inf)
    found = codes(callback, semantics=semantics)
    against = any(code.endswith("mode-against-metric") for code in found)
    better = sorted(counts, reverse=monitor == "val_loss")
    run = Run.from_logs([{monitor: one / 64, "lr": 1} for one in better])
    told = decisions(replayed(run, callback, semantics=semantics), 0)
    assert [one.improved for one in told[1:]] == [not against] * (len(better) - 1)
