"""Which monitor to stop on, and when the logs cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbreplay import Run
from cbreplay.recommend.decision import best_without_each
from tests.recommended import recommend

if TYPE_CHECKING:
    from cbreplay.recommend import Recommendation


def make_runs(n_runs: int, *, alike: bool) -> list[Run]:
    """Return runs whose val_loss turns at epoch 5 while val_accuracy improves to 30."""
    runs = []
    for number in range(n_runs):
        rng = np.random.default_rng(number)
        epochs = np.arange(60)
        accuracy = 0.5 + 0.01 * np.minimum(epochs, 30) + rng.normal(0, 1e-4, 60)
        loss = np.abs(epochs - 5) / 10 + 1
        if alike:
            loss = 1.5 - accuracy
        runs.append(
            Run.from_logs(
                [
                    {"val_loss": low, "val_accuracy": high, "val_f1": high + 1e-6}
                    for low, high in zip(loss.tolist(), accuracy.tolist(), strict=True)
                ],
                name=f"run{number}",
                planned_epochs=60,
            )
        )
    return runs


def ask(runs: list[Run], *monitors: str) -> Recommendation:
    return recommend(
        runs,
        monitor=list(monitors),
        objective="val_f1",
        objective_mode="max",
        tolerance=0.01,
    )


def test_the_monitor_that_keeps_more_of_the_objective_is_told_apart() -> None:
    advice = ask(make_runs(20, alike=False), "val_loss", "val_accuracy")
    # val_loss keeps epoch 5: 0.25 of accuracy is lost, whatever the patience
    assert advice.told_apart
    assert advice.monitor == "val_accuracy"
    assert advice.kind == "guaranteed"
    assert [one.unknown_groups for one in advice.monitors] == [20, 0]
    assert advice.callbacks[0].monitor == "val_accuracy"


def test_a_monitor_that_is_judged_by_itself_is_never_called_better() -> None:
    advice = recommend(
        make_runs(20, alike=False),
        monitor=["val_loss", "val_accuracy"],
        objective="val_accuracy",
    )
    assert advice.told_apart is False
    assert advice.monitor == "val_loss"


def test_of_monitors_that_decide_alike_the_first_named_is_kept() -> None:
    runs = make_runs(20, alike=True)
    for monitors in (("val_loss", "val_accuracy"), ("val_accuracy", "val_loss")):
        advice = ask(runs, *monitors)
        assert advice.told_apart is False
        assert advice.monitor == monitors[0]


def test_a_promise_about_the_better_of_two_takes_twice_the_care() -> None:
    # nine tenths of each of two: 0.95, which takes 19
    few = recommend(
        make_runs(18, alike=False),
        monitor=["val_loss", "val_accuracy"],
        objective="val_f1",
        objective_mode="max",
        tolerance=0.01,
        confidence=0.9,
    )
    assert few.kind == "heuristic"
    advice = ask(make_runs(19, alike=False), "val_loss", "val_accuracy")
    assert advice.kind == "guaranteed"
    assert advice.promise is not None
    assert (advice.promise.confidence, advice.promise.rank) == (0.9, 19)


def test_few_runs_cannot_tell_monitors_apart() -> None:
    advice = ask(make_runs(3, alike=False), "val_loss", "val_accuracy")
    assert advice.told_apart is False
    assert advice.monitor == "val_loss"


def test_the_monitor_without_a_group_is_the_one_of_the_others() -> None:
    rng = np.random.default_rng(0)
    for n_groups in range(3, 30):
        score = rng.normal(0, 1, (3, n_groups)) + np.array([[0.8], [0.4], [0.0]])
        # whoever takes a group out and asks again
        expected = []
        for group in range(n_groups):
            others = np.delete(score, group, axis=1)
            least = int(np.argmin(others.mean(axis=1)))
            apart = np.delete(others, least, axis=0) - others[least]
            error = apart.std(axis=1, ddof=1) / np.sqrt(n_groups - 1)
            clearly = n_groups > 4 and (apart.mean(axis=1) > 2 * error).all()
            expected.append(least if clearly else 0)
        assert best_without_each(score).tolist() == expected
