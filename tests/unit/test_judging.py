"""The four words that say how to judge are one value, taken wherever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    Judging,
    Run,
    build_staircase,
    choices,
    make_grid,
    replay_fits,
    replay_run,
    sweep_runs,
)
from cbreplay.distributed import sweep_logs
from cbreplay.recommend import sweep_patience
from cbreplay.report import build_report
from tests.conftest import write_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JUDGING = Judging(semantics="keras-3.6", objective="loss", objective_mode="max")
GRID = make_grid([choices(EarlyStopping, patience=range(1, 4))])


def _ways(run: Run, log: Path) -> list[tuple[str, Callable[..., Any]]]:
    return [
        ("replay_run", lambda **given: replay_run(run, GRID[0], **given).outcome),
        (
            "replay_fits",
            lambda **given: replay_fits([run], GRID[0], **given)[0].outcome,
        ),
        ("build_staircase", lambda **given: build_staircase(run, **given).steps),
        (
            "sweep_runs",
            lambda **given: sweep_runs([run], GRID, **given).regret.tolist(),
        ),
        (
            "sweep_logs",
            lambda **given: sweep_logs([log], GRID, **given).regret.tolist(),
        ),
        (
            "sweep_patience",
            lambda **given: sweep_patience([run], **given)[0].regret.tolist(),
        ),
        ("build_report", lambda **given: build_report([run], **given).lead),
    ]


def test_the_whole_and_its_parts_ask_the_same(tmp_path: Path) -> None:
    from cbreplay import load_runs

    log = write_csv(tmp_path / "log.csv", [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51])
    (run,) = load_runs(log)
    parts = JUDGING._asdict()
    for name, answer in _ways(run, log):
        assert answer(judging=JUDGING) == answer(**parts), name
        with pytest.raises(ConfigError, match="Give one of the two"):
            answer(judging=JUDGING, objective="val_loss")
        with pytest.raises(TypeError, match="'objectve'"):
            answer(objectve="loss")


def test_it_shows_what_it_says() -> None:
    assert repr(Judging()) == "Judging()"
    assert repr(Judging(objective="loss")) == "Judging(objective='loss')"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        # anything but "min" was taken as "max"
        ({"objective_mode": "MIN"}, "objective_mode is 'MIN', where 'min' or 'max'"),
        ({"objective": 3}, "objective is 3, where a text is"),
        ({"judging": "keras-3.6"}, "judging is 'keras-3.6', where a Judging is"),
        ({"judging": JUDGING._replace(objective_mode="x")}, "objective_mode is 'x'"),  # type: ignore[arg-type]
        (
            {"initial_learning_rate": "0.1"},
            "learning_rate is '0.1', where a number",
        ),
    ],
)
def test_a_judging_of_another_type_is_refused(given: Any, sentence: str) -> None:
    run = Run.from_logs([{"loss": 0.5}, {"loss": 0.4}])
    with pytest.raises(ConfigError, match=sentence):
        replay_run(run, EarlyStopping("loss"), **given)


def test_keep_is_best_or_last() -> None:
    run = Run.from_logs([{"val_loss": 0.5}, {"val_loss": 0.4}])
    wrong: Any = "all"
    for ask in (
        lambda: build_staircase(run, keep=wrong),
        lambda: sweep_patience([run], keep=wrong),
        lambda: build_report([run], keep=wrong),
    ):
        with pytest.raises(ConfigError, match="keep is 'all', where 'best' or 'last'"):
            ask()
