"""Other stopping rules beside a patience: Prechelt's, and those beyond patience."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cbreplay import EarlyStopping, Run, TargetStopping, replay_run
from cbreplay.recommend import measure_costs, recommend_config, rivals, sweep_patience
from cbreplay.rules.beyond_patience.target import spread_targets
from cbreplay.rules.prechelt.gl import PrecheltGL
from cbreplay.rules.prechelt.pq import PrecheltPQ
from cbreplay.rules.prechelt.up import PrecheltUP
from tests.recommended import (
    make_run,
    pausing,
    pausing_runs,
    recommend,
    spoken_reasons,
)

# Prechelt (1998), table 2
TRIED: dict[str, tuple[Any, str, tuple[float, ...]]] = {
    "PrecheltGL": (PrecheltGL, "alpha", (1, 2, 3, 5)),
    "PrecheltPQ": (PrecheltPQ, "alpha", (0.5, 0.75, 1, 2, 3)),
    "PrecheltUP": (PrecheltUP, "strips", (2, 3, 4, 6, 8)),
}


def rising_runs(count: int, n_epochs: int = 60) -> list[Run]:
    """Return runs whose best comes after a long pause, and that rise from there on."""
    runs = []
    for number in range(count):
        pause = [0.5 + 0.001 * number] * (14 + number % 3)
        falls = [1.0, *pause, 0.4]
        rise = [0.4 + 0.01 * (1 + i) for i in range(n_epochs - len(falls))]
        runs.append(make_run([*falls, *rise], f"run{number}"))
    return runs


@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("made", [rising_runs, lambda n: pausing_runs(range(2, 2 + n))])
def test_a_rule_stands_at_the_value_that_replays_best(name: str, made: Any) -> None:
    runs = made(5)
    advice = recommend(runs, prechelt=True)
    row = advice.setting(name)
    assert row is not None
    rule, parameter, values = TRIED[name]
    regrets, costs = np.empty((2, len(values), len(runs)))
    for at, value in enumerate(values):
        for place, run in enumerate(runs):
            outcome = replay_run(
                run, rule(**{parameter: value}), semantics="keras-3.15"
            ).outcome
            regrets[at, place] = outcome.regret
            costs[at, place] = outcome.trained_epochs / run.n_epochs
    best = np.array([min(run.series["val_loss"].values) for run in runs])
    scores = (regrets / best + 0.05 * costs).mean(axis=1)
    # the first of those that are less than 0.001 apart
    chosen = int(np.argmax(scores <= scores.min() + 0.001))
    assert row.rule == rule(**{parameter: values[chosen]}, restore_best_weights=True)
    assert row.parameters == {parameter: values[chosen]}
    assert row.score == pytest.approx(scores[chosen])
    assert row.mean_regret == pytest.approx(regrets[chosen].mean())
    assert row.cost == pytest.approx(costs[chosen].mean())


def test_without_the_option_none_is_scored() -> None:
    advice = recommend(rising_runs(4))
    assert not any(one.label.startswith("Prechelt") for one in advice.settings)


def test_a_rule_that_is_clearly_better_is_named_with_its_code() -> None:
    # 10 stops in every pause, and keeps 0.5 where 0.4 was to come; a patience that
    # lasts goes on as long after it; GL loses nothing in a pause, and stops at once
    # where the loss rises
    unplanned = [
        replace(rising_runs(place + 1, 60 + 2 * place)[-1], planned_epochs=None)
        for place in range(30)
    ]
    advice = recommend(
        unplanned,
        prechelt=True,
        tolerance=0.2,
    )
    assert advice.patience == 10
    (sentence,) = [one for one in spoken_reasons(advice) if "PrecheltGL" in one]
    assert sentence.startswith("on runs left out of the choice, PrecheltGL(alpha=1)")
    assert 'cbreplay simulate -c "PrecheltGL(alpha=1)" --keras-code' in sentence


def test_a_rule_that_is_no_better_is_said_to_be_none() -> None:
    # where training costs nothing, nothing is better than what loses nothing
    runs = pausing_runs([2, 2, 3] * 10)
    advice = recommend(runs, prechelt=True, cost_weight=0, group_by="none")
    words = (
        "none of PrecheltGL, PrecheltPQ, PrecheltUP is clearly better than all of "
        f"these: patience {advice.patience}"
    )
    assert any(words in one for one in spoken_reasons(advice))


BEYOND = ("EmaStopping", "MeanStopping", "TargetStopping", "AnyOf")


def test_rules_beyond_patience_are_scored_when_they_are_asked_for() -> None:
    runs = rising_runs(4)
    labels = {row.label for row in recommend(runs).settings}
    assert labels.isdisjoint(BEYOND)
    asked = recommend(runs, beyond_patience=True)
    assert {row.label for row in asked.settings} - labels == {*BEYOND}
    for row in asked.settings:
        if row.label in BEYOND:
            assert row.of_other_rule
            assert row.left_out_score is not None


def test_a_target_or_a_patience_is_a_list_of_both() -> None:
    # every best is 0.4: a target of that stops there, and the patience never has to
    runs = rising_runs(4)
    advice = recommend(runs, beyond_patience=True)
    row = advice.setting("AnyOf")
    assert row is not None
    assert row.callbacks is not None
    stopper, target = row.callbacks
    patience = row.parameters["patience"]
    assert (row.parameters, row.rule) == ({"patience": patience, "target": 0.4}, None)
    assert stopper == EarlyStopping(patience=patience, restore_best_weights=True)
    assert target == TargetStopping(0.4)
    costs = [
        replay_run(run, row.callbacks, semantics="keras-3.15").outcome.trained_epochs
        / run.n_epochs
        for run in runs
    ]
    assert row.cost == pytest.approx(sum(costs) / len(costs))
    assert row.mean_regret == 0


def test_a_target_that_all_reach_is_clearly_better_than_to_wait() -> None:
    advice = recommend(rising_runs(30), beyond_patience=True)
    said = [text for text in spoken_reasons(advice) if "clearly better" in text]
    target = next(text for text in said if " TargetStopping(target=0.4" in text)
    assert "is clearly better than all of these: patience" in target
    code = 'cbreplay simulate -c "TargetStopping(target=0.4)" --keras-code'
    assert target.endswith(code)


def test_a_rule_that_is_better_by_a_shorter_patience_alone_is_not_named() -> None:
    # a promise takes the longest, 20, or more; each run has a scale of its own, so that
    # no one target is good for two, and a patience of 3 or 10 is as good beside it
    runs = [
        make_run([loss * (1 + at) for loss in pausing(patience)], f"run{at}")
        for at, patience in enumerate([3] * 26 + [20] * 4)
    ]
    advice = recommend(runs, beyond_patience=True, group_by="none")
    assert advice.patience is not None
    assert advice.patience >= 20
    assert advice.setting("AnyOf") is not None
    assert not [why for why in advice.reasons if why.kind == "rule-better"]


def test_fewer_runs_than_were_measured_do_not_name_a_rule() -> None:
    advice = recommend(rising_runs(29), beyond_patience=True, prechelt=True)
    kinds = {why.kind for why in advice.reasons}
    assert kinds.isdisjoint({"rule-better", "no-rule-better"})
    (said,) = [text for text in spoken_reasons(advice) if "cannot be told" in text]
    assert said.endswith(
        "that takes 30 runs on which they can be compared, and there are 29"
    )
    assert "TargetStopping" in said


def test_targets_are_what_the_runs_reach_and_easier_ones() -> None:
    # a fifth of eleven runs reach the third best, and so on
    best = [0.1 * at for at in range(1, 12)]
    assert spread_targets(best, "min") == (
        *(0.1, 0.3, 0.5, 0.7, 0.9, 1.1),
        *(1.16, 1.21, 1.38),  # 1.1 x 1.05, 1.1 and 1.25, to three digits
    )
    # of an error that is negative, easier is still larger
    assert spread_targets([-1.0], "min") == (-1.0, -0.95, -0.9, -0.75)


def test_what_has_no_ratio_is_not_compared_and_the_others_are() -> None:
    # an accuracy: GL and PQ divide errors, UP does not
    runs = [
        Run.from_logs(
            [
                {"loss": 1.0, "val_accuracy": 0.5 + (epoch % 7 + number) / 100}
                for epoch in range(40)
            ],
            name=f"run{number}",
            planned_epochs=40,
        )
        for number in range(4)
    ]
    advice = recommend(runs, monitor="val_accuracy", prechelt=True)
    for name in ("PrecheltGL", "PrecheltPQ"):
        assert advice.setting(name) is None
        started = f"{name} is not compared: 'val_accuracy' should be large"
        assert any(one.startswith(started) for one in spoken_reasons(advice))
    assert advice.setting("PrecheltUP") is not None


def test_the_trade_off_prices_a_rule_again_on_the_compared_groups() -> None:
    runs = rising_runs(5)
    sweep, _ = sweep_patience(runs, semantics="keras-3.15")
    advice = recommend_config(sweep, prechelt=True, beyond_patience=True)
    costs = measure_costs(sweep, advice)
    named = {one.label: one for one in costs.named}
    for name in (*TRIED, *BEYOND):
        row = advice.setting(name)
        assert row is not None
        assert named[name].score == row.score


def rounded_runs(seed: int) -> list[Run]:
    """Return runs that were rounded to near ties, of which some go on falling."""
    rng = np.random.default_rng(seed)
    runs = []
    for number in range(5):
        falls = np.linspace(0.05, 0, 40) * rng.integers(0, 2)
        losses = 0.5 + falls + 0.0001 * rng.normal(size=40)
        run = Run.from_logs(
            ({"val_loss": round(float(loss), 4)} for loss in losses),
            name=f"run{number}",
            planned_epochs=40,
        )
        rounds = {"val_loss": (16, 4)} if number % 2 or seed % 2 else {}
        runs.append(replace(run, rounded_to=rounds))
    return runs


@pytest.mark.no_cover
@pytest.mark.parametrize("confidence", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(8))
def test_the_later_starts_that_are_ruled_out_would_have_given_no_row(
    monkeypatch: pytest.MonkeyPatch, seed: int, confidence: float
) -> None:
    runs = rounded_runs(seed)
    sweep, _ = sweep_patience(runs, semantics="keras-3.15")
    ruled_out = recommend_config(sweep, confidence=confidence).setting("start")
    monkeypatch.setattr(rivals._Rivals, "_rule_out", lambda _self, starts: starts)
    assert recommend_config(sweep, confidence=confidence).setting("start") == ruled_out


def test_without_a_plan_training_all_is_priced_as_training_on_is() -> None:
    """Both end where the logs do: the one keeps the last weights, the other the best.

    By hand: the best is 0.5, the last 0.6 and the millionths that tell the runs apart.
    """
    runs = [
        make_run(run.series["val_loss"].values[: 30 + 2 * at].tolist(), run.name)
        for at, run in enumerate(pausing_runs([3, 4, 5, 6]))
    ]
    for planned in (True, False):
        asked = [
            make_run(run.series["val_loss"].values.tolist(), run.name, planned=planned)
            for run in runs
        ]
        advice = recommend(asked)
        no_stop, every = advice.setting("none"), advice.setting("all")
        assert no_stop is not None
        assert every is not None
        assert (no_stop.n_groups, every.n_groups) == (4, 4)
        assert no_stop.mean_regret == pytest.approx(0.1, abs=1e-5)
        assert (every.mean_regret, every.cost) == (0, 1)
        assert every.score == pytest.approx(0.05)
        # before Keras 3, what is not stopped keeps its last epoch
        sweep, _ = sweep_patience(asked, semantics="keras-2.15")
        assert recommend_config(sweep).setting("all") is None
