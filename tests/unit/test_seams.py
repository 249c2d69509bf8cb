"""A resumed fit begins its callbacks anew; after other weights it is another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    choices,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.run_metadata import EarlierFit, Fit, RunMetadata

# the first fit is best at epoch 2; a second one goes on at epoch 8, worse, and falls
FIRST = [0.5, 0.4, 0.3, 0.32, 0.31, 0.34, 0.33, 0.36]
SECOND = [0.6, 0.58, 0.56, 0.54, 0.52, 0.5, 0.48, 0.46]


def resumed(*seams: int, rate: float | None = None) -> Run:
    rows: list[dict[str, float]] = [{"val_loss": one} for one in [*FIRST, *SECOND]]
    if rate is not None:
        rows = [row | {"learning_rate": rate} for row in rows]
    return replace(Run.from_logs(rows), seams=seams or (8,))


def ask(run: Run, *callbacks: Any, **options: Any) -> Any:
    return replay_run(run, callbacks, semantics="keras-3.15", **options)


def test_a_checkpoint_forgets_its_best_at_the_seam() -> None:
    saving = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    replay = ask(resumed(), saving)
    # epochs 1 to 3 of the first fit; every epoch of the second is better than before
    saved = [epoch for epoch, _, _ in replay.saves]
    assert saved == [0, 1, 2, *range(8, 16)]
    carried = ask(resumed(), saving, resume="carried")
    assert [epoch for epoch, _, _ in carried.saves] == [0, 1, 2]


def test_a_wait_begins_anew() -> None:
    # five epochs after the best of the first fit, none in the second
    assert ask(resumed(), EarlyStopping(patience=7)).evidence == "censored"
    carried = ask(resumed(), EarlyStopping(patience=7), resume="carried")
    assert carried.stopped_epoch == 9
    assert ask(resumed(), EarlyStopping(patience=5)).stopped_epoch == 7


def test_after_restored_weights_the_second_fit_is_another_training() -> None:
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    replay = ask(resumed(), restoring)
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 8)
    # Keras 2.15 puts weights back at its own stop alone
    older = replay_run(resumed(), restoring, semantics="keras-2.15")
    assert older.evidence == "censored"
    # what stops in the first fit is known
    early = EarlyStopping(patience=3, restore_best_weights=True)
    assert (ask(resumed(), early).evidence, ask(resumed(), early).kept_epoch) == (
        "exact",
        2,
    )


def test_a_list_that_the_first_fit_had_goes_on() -> None:
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    earlier = EarlierFit(Fit(), (restoring.code, "CSVLogger('logs.csv')"), None)
    run = replace(resumed(), metadata=RunMetadata(earlier_fits=(earlier,)))
    assert ask(run, restoring).evidence == "censored"
    other = EarlyStopping(patience=6, restore_best_weights=True)
    assert ask(run, other).evidence == "incomplete"


def test_a_changed_rate_ends_the_evidence_before_the_seam() -> None:
    replay = ask(resumed(rate=0.5), ReduceLROnPlateau(patience=2, min_delta=0))
    assert (replay.evidence, replay.divergence_epoch) == ("diverged", 5)


def test_a_sweep_says_what_a_replay_says() -> None:
    grid = make_grid(
        [choices(EarlyStopping, patience=range(9), restore_best_weights=[True, False])]
    )
    sweep = sweep_runs([resumed(), resumed(3, 8)], grid, semantics="keras-3.15")
    codes = ("exact", "censored", "diverged", "incomplete")
    for row, run in enumerate(sweep.records):
        for column, config in enumerate(grid):
            replay = replay_run(run, config, semantics="keras-3.15")
            assert codes[sweep.evidence[row, column]] == replay.evidence


def test_there_are_two_ways_to_resume() -> None:
    with pytest.raises(ConfigError, match="'fresh' or 'carried'"):
        ask(resumed(), EarlyStopping(), resume="anew")
