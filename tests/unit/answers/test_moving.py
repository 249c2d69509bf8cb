"""A page that moves says in every state what the sweep and the replay say."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    Series,
    TerminateOnNaN,
    load_runs,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.moving import MovingQuestion, NamedSetting, moving_members
from cbreplay.answers.moving.choosing import min_deltas_of, monitors_of
from cbreplay.answers.moving.packing import HEIGHTS, pack_line
from cbreplay.answers.setting_code import setting_code
from cbreplay.evidence.words import brief_evidence
from cbreplay.judging import Judging
from tests.oracles.moving_page import Told, code_of, look_up, states_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cbreplay.replay import Replay

KERAS = Judging(semantics="keras-3.15")
STOPS = EarlyStopping(patience=3, min_delta=0.01, restore_best_weights=True)
KEEPS_LAST = EarlyStopping(patience=3)
REDUCES = ReduceLROnPlateau(patience=2, min_delta=0)


def page_of(runs: Sequence[Run], *settings: Any, **asked: Any) -> dict[str, Any]:
    named = [NamedSetting(str(setting), tuple(setting)) for setting in settings]
    question = MovingQuestion(
        runs, named, asked.pop("also", ()), ["val_loss"], KERAS, "val_loss", "min"
    )
    members = moving_members(question._replace(**asked))
    assert members is not None
    # as the page reads it
    page: dict[str, Any] = json.loads(json.dumps(members, allow_nan=False))
    return page


def drawn_run(number: int) -> Run:
    """Return a training with peculiarities: rounded, a hole, NaN, a plan, a rate."""
    rng = np.random.default_rng(number)
    n_epochs = int(rng.integers(4, 40))
    trend = 1.5 * np.exp(-np.arange(n_epochs) / rng.uniform(2, 30))
    values = trend + rng.normal(0, rng.choice([0.0, 0.02, 0.2]), n_epochs)
    if number % 3 == 0:
        values = np.round(values, 2)
    losses: list[float | None] = values.tolist()
    if number % 5 == 1:
        losses[int(rng.integers(1, n_epochs))] = math.nan
    if number % 7 == 2:
        losses[int(rng.integers(2, n_epochs - 1))] = None
    rows = [
        {"loss": 1.0, "val_loss": loss, "val_accuracy": 1 - (loss or 0) / 3}
        for loss in losses
    ]
    rate = [0.01 if epoch < n_epochs // 2 else 0.001 for epoch in range(n_epochs)]
    if number % 4 == 0:
        rows = [row | {"lr": at} for row, at in zip(rows, rate, strict=True)]
    run = Run.from_logs(
        rows,
        name=f"run-{number}",
        first_epoch=3 if number % 6 == 5 else 0,
        planned_epochs=n_epochs if number % 2 else None,
    )
    if number % 3 == 1:
        seconds = [None, *rng.uniform(0.5, 90, n_epochs - 1).tolist()]
        run = replace(run, epoch_seconds=Series.from_optional(seconds))
    # a log of which nobody knows that an epoch without a value was not validated
    return replace(run, not_logged=frozenset())


def peculiar_runs() -> Iterator[Run]:
    """Yield what a replay decides: a resumed run, two values, a writer's digits."""
    falling = [0.9, 0.5, 0.4, 0.42, 0.41, 0.44, 0.43, 0.46, 0.4, 0.39, 0.45, 0.47]
    plain = Run.from_logs([{"val_loss": loss} for loss in falling], name="resumed")
    yield replace(plain, seams=(6,))
    # a fit of 10 epochs, of which the last 4 were written again: it waits 1 to 4 there
    again = [*falling[:5], 0.38, 0.4, 0.41, 0.42, 0.43]
    before = Run.from_logs([{"val_loss": loss} for loss in again])
    yield replace(plain, name="again", seams=(6,), replaced=((6, before),))
    known = Series.from_optional(falling)
    several = replace(known, others={3: (0.3,)})
    yield replace(plain, name="several", series={"val_loss": several})
    yield replace(plain, name="rounded", rounded_to={"val_loss": (2, 2)})
    never = [1 / (epoch + 1) for epoch in range(20)]
    yield Run.from_logs([{"val_loss": loss} for loss in never], name="never")
    yield Run.from_logs([{"val_loss": 0.5}], name="one epoch")


def told_by(replay: Replay) -> Told:
    value, regret = replay.outcome.kept_value, replay.outcome.regret
    exact, end = replay.evidence == "exact", replay.end_of_evidence
    seconds = replay.outcome.seconds_saved if exact else None
    shown = replay.outcome.trained_epochs
    return Told(
        replay.evidence,
        replay.stopped_epoch,
        replay.kept_epoch,
        None if value is None or math.isnan(value) else value,
        regret,
        shown if end is None else end - replay.run.first_epoch + 1,
        brief_evidence(replay),
        None if seconds is None else round(10 * seconds) / 10,
    )


def setting_of(
    page: dict[str, Any], settings: Sequence[Any], state: tuple[int, int, int]
) -> list[Any]:
    """Return the callbacks of a state: of the given lists with the moved rule moved."""
    view = page["views"][state[0]]
    callbacks = list(settings[view["list"]])
    place = next(
        at
        for at, rule in enumerate(callbacks)
        if isinstance(rule, (EarlyStopping, ReduceLROnPlateau))
    )
    # 0, not 0.0: it is written into code
    min_delta = float(view["min_delta"][state[1]][1]) or 0
    moved = {
        "monitor": view["monitor"],
        "min_delta": min_delta,
        "patience": state[2],
    }
    callbacks[place] = replace(callbacks[place], **moved)
    return callbacks


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "setting",
    [[STOPS], [KEEPS_LAST], [STOPS, REDUCES], [REDUCES], [TerminateOnNaN(), STOPS]],
    ids=["best", "last", "both", "reduces", "breaks"],
)
def test_every_state_says_what_the_sweep_says(setting: list[Any]) -> None:
    runs = [drawn_run(number) for number in range(7)]
    page = page_of(runs, setting)
    judging = KERAS._replace(objective="val_loss", objective_mode="min")
    states = states_of(page)
    assert len(states) > 100
    configs = [setting_of(page, [setting], state) for state in states]
    sweep = sweep_runs(runs, configs, judging=judging)
    for row in range(len(runs)):
        for column, state in enumerate(states):
            told = look_up(page, row, *state)
            stopped, kept = sweep.stopped[row, column], sweep.kept[row, column]
            if sweep.evidence[row, column] < 2:
                assert told.shown_epochs == sweep.trained_epochs[row, column]
            assert told.stopped_epoch == (
                sweep.stopped_epoch[row, column] if stopped else None
            )
            assert told.kept_epoch == (sweep.kept_epoch[row, column] if kept else None)
            for mine, theirs in (
                (told.kept_value, sweep.kept_value[row, column]),
                (told.regret, sweep.regret[row, column]),
            ):
                assert mine == (None if np.isnan(theirs) else theirs)


@pytest.mark.no_cover
@pytest.mark.slow
def test_of_5000_drawn_states_each_says_what_the_replay_says() -> None:
    draw = np.random.default_rng(15)
    settings = [[STOPS], [KEEPS_LAST], [STOPS, REDUCES], [REDUCES]]
    judging = KERAS._replace(objective="val_loss", objective_mode="min")
    runs = [drawn_run(number) for number in range(40)]
    page = page_of(runs, *settings)
    states = states_of(page)
    seen: dict[str, int] = {}
    for _ in range(5000):
        row, state = int(draw.integers(len(runs))), states[draw.integers(len(states))]
        callbacks = setting_of(page, settings, state)
        replay = replay_run(runs[row], callbacks, judging=judging)
        assert look_up(page, row, *state) == told_by(replay), (row, state)
        seen[replay.evidence] = seen.get(replay.evidence, 0) + 1
    # all that can be said was said, and not once only
    assert min(seen[name] for name in ("exact", "censored", "diverged")) > 50
    assert seen["incomplete"] > 20


def test_a_page_opens_on_a_run_that_shows_something() -> None:
    nothing = Run.from_logs([{"val_loss": math.nan}] * 4, name="nothing")
    failed = Run.from_logs([{"val_loss": loss} for loss in (0.5, 0.4, math.nan)])
    whole = Run.from_logs([{"val_loss": loss} for loss in (0.5, 0.4, 0.6)])
    for runs, opened in (
        ([whole, nothing], 0),
        ([nothing, failed, whole], 2),
        ([nothing, failed], 1),
    ):
        assert page_of(runs, [STOPS])["opens_on"] == opened


@pytest.mark.no_cover
@pytest.mark.parametrize("run", list(peculiar_runs()), ids=lambda run: str(run.name))
def test_what_only_a_replay_decides_is_said_as_it_says_it(run: Run) -> None:
    page = page_of([run], [STOPS])
    judging = KERAS._replace(objective="val_loss", objective_mode="min")
    for state in states_of(page):
        callbacks = setting_of(page, [[STOPS]], state)
        replay = replay_run(run, callbacks, judging=judging)
        assert look_up(page, 0, *state) == told_by(replay)


def test_beyond_the_last_patience_nothing_changes() -> None:
    runs = [drawn_run(number) for number in range(9)]
    page = page_of(runs, [STOPS])
    for number, view in enumerate(page["views"]):
        for delta, row in np.ndindex(len(view["min_delta"]), len(runs)):
            at_last = look_up(page, row, number, delta, view["last"])
            assert at_last == look_up(page, row, number, delta, 10_000)


def test_the_code_is_that_of_the_setting() -> None:
    settings = [[STOPS], [TerminateOnNaN(), KEEPS_LAST], [REDUCES]]
    page = page_of([drawn_run(5)], *settings)
    for state in states_of(page)[::5]:
        callbacks = setting_of(page, settings, state)
        assert code_of(page, *state) == setting_code(callbacks)


def test_a_series_in_the_code_that_looks_like_a_blank_stays_as_it_is() -> None:
    name = "val_{patience}\u202e</script>"
    run = Run.from_logs([{name: loss} for loss in (0.5, 0.4, 0.6, 0.7)], name="run")
    setting = [EarlyStopping(name, patience=1, mode="min")]
    page = page_of([run], setting, monitors=[name], objective=name)
    code = code_of(page, 0, 0, 1)
    assert '"val_{patience}\\u202e</script>"' in code
    assert "patience=1," in code


def test_settings_that_differ_in_what_moves_alone_are_one_list() -> None:
    page = page_of(
        [drawn_run(5)],
        [STOPS],
        [replace(STOPS, patience=9, min_delta=0.3)],
        [replace(STOPS, monitor="val_accuracy")],
        [KEEPS_LAST],
        also=[NamedSetting("", (REDUCES,))],
    )
    assert page["lists"] == [
        "EarlyStopping(restore_best_weights=True)",
        "EarlyStopping",
        "ReduceLROnPlateau",
    ]
    views = [(view["list"], view["monitor"]) for view in page["views"]]
    assert views[:2] == [(0, "val_loss"), (0, "val_accuracy")]
    # each named setting is found in its view, with its own min_delta
    first, second, third, fourth = page["named"]
    assert views[third[0]] == (0, "val_accuracy")
    assert views[fourth[0]] == (1, "val_loss")
    assert (first[1], second[1]) == (3, 9)
    shown = [page["views"][view]["min_delta"][at][0] for view, _, at in page["named"]]
    assert shown == ["0.01", "0.3", "0.01", "0"]


def test_the_values_of_min_delta_are_a_1_2_5_series_as_far_as_values_differ() -> None:
    # nine tenths of 0, .01, ..., 1 are .9 apart
    run = Run.from_logs([{"val_loss": at / 100} for at in range(101)])
    values = min_deltas_of([run], "val_loss", [0.3])
    assert values[:5] == [0, 1e-6, 2e-6, 5e-6, 1e-5]
    assert values[-4:] == [0.1, 0.2, 0.3, 0.5]
    # one failed training does not stretch it
    failed = Run.from_logs([{"val_loss": 10.0**at} for at in range(14)])
    assert min_deltas_of([run, run, failed], "val_loss", [0.3]) == values
    assert min_deltas_of([Run.from_logs([{"val_loss": 1.0}])], "val_loss", []) == [0.0]


def test_series_that_every_run_holds_and_whose_direction_is_known_are_offered() -> None:
    rows = [{"val_loss": 1.0, "val_accuracy": 0.5, "val_novel": 3.0}]
    runs = [Run.from_logs(rows), Run.from_logs([{"val_loss": 1.0, "val_novel": 2.0}])]
    assert list(monitors_of(runs[:1], ["val_loss"], KERAS)) == [
        "val_loss",
        "val_accuracy",
    ]
    assert list(monitors_of(runs, ["val_loss"], KERAS)) == ["val_loss"]
    # what is asked for is offered, if every run holds it
    asked = monitors_of(runs, ["val_loss", "val_novel"], KERAS)
    assert list(asked) == ["val_loss", "val_novel"]


def test_many_runs_that_must_be_replayed_are_asked_about_named_values_alone() -> None:
    rows = [{"val_loss": 1 / (1 + at % 7)} for at in range(40)]
    resumed = [replace(Run.from_logs(rows, name=f"{n}"), seams=(20,)) for n in range(3)]
    shown = page_of(resumed, [STOPS])["views"][0]["min_delta"]
    assert [text for text, _ in shown] == ["0", "0.01"]


def test_a_line_is_drawn_as_high_as_its_values() -> None:
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    values = np.array([0.0, 0.5, 1.0, np.nan, 9.0, -9.0])
    text = pack_line(values, (0.0, 1.0))
    heights = [
        signs.index(text[at]) * 64 + signs.index(text[at + 1])
        for at in range(0, len(text), 2)
    ]
    # a third of the heights lies below the limits, and a third above
    assert heights[3] == HEIGHTS + 1
    expected = [HEIGHTS / 3, HEIGHTS / 2, 2 * HEIGHTS / 3, HEIGHTS + 1, HEIGHTS, 0]
    assert heights == [round(height) for height in expected]


def test_the_sample_logs_say_in_every_state_what_the_replay_says(
    sample_logs: Path,
) -> None:
    (run,) = load_runs(sample_logs / "digits-mlp-plateau")
    settings = [[STOPS], [REDUCES], [STOPS, REDUCES]]
    page = page_of([run], *settings)
    judging = KERAS._replace(objective="val_loss", objective_mode="min")
    ask: Callable[..., Replay] = partial(replay_run, run, judging=judging)
    for state in states_of(page)[::17]:
        callbacks = setting_of(page, settings, state)
        assert look_up(page, 0, *state) == told_by(ask(callbacks)), state
