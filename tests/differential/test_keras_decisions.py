"""Every decision of the replay equals that of the real callback."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, replay_run
from cbreplay.errors import EvidenceError
from tests.oracles.adversarial import Case, draw_case
from tests.oracles.decisions import find_difference
from tests.oracles.keras_driver import Driven, answer, as_keras, drive

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    # Keras's own warning about an epoch without the monitor
    pytest.mark.filterwarnings("ignore:.*which is not available:UserWarning"),
    pytest.mark.filterwarnings("ignore:Can save best model only:UserWarning"),
]

# random trainings: alone, together in every order, and several of a kind
BATCHES = [
    ("E", 1200),
    ("R", 1200),
    ("ER", 700),
    ("RE", 700),
    ("RR", 200),
    ("EE", 200),
    ("T", 1000),
    ("L", 1000),
    *[(kinds, 100) for kinds in ("LE", "EL", "LR", "RL", "LCER", "RLT", "LL")],
    ("C", 1000),
    *[(kinds, 100) for kinds in ("CE", "EC", "CR", "RC", "CERT", "TRCE", "CC")],
    *[(kinds, 100) for kinds in ("TE", "ET", "TR", "RT", "ERT", "TER", "TET")],
]


@pytest.mark.parametrize(("kinds", "count"), BATCHES)
def test_random_trainings_are_decided_as_by_keras(
    kinds: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ModelCheckpoint writes where it stands
    monkeypatch.chdir(tmp_path)
    for seed in range(count):
        rng = np.random.default_rng([seed, *kinds.encode()])
        case = draw_case(rng, kinds)
        difference = find_difference(case, drive_case(case), "keras-3.15")
        assert difference is None, (seed, kinds, difference, case)


def drive_case(case: Case) -> Driven:
    return Driven(**answer(importlib.import_module("keras"), case.question()))


@pytest.mark.parametrize("kinds", ["R", "ER", "L", "ELR"])
def test_hypothetical_decisions_are_keras_decisions_on_the_same_values(
    kinds: str,
) -> None:
    for seed in range(300):
        rng = np.random.default_rng([seed, 7, *kinds.encode()])
        case = draw_case(rng, kinds)
        driven = drive_case(case)
        if driven.error:
            continue
        # the same values at a constant recorded rate: after the first reduction fiction
        rows = [{**logs, "learning_rate": case.learning_rate} for logs in case.logs]
        run = Run.from_logs(rows, first_epoch=case.first_epoch)
        replay = replay_run(
            run, case.callbacks, semantics="keras-3.15", hypothetical=True
        )
        fiction = replay.hypothetical or replay
        assert fiction.stopped_epoch == driven.stopped_epoch, (seed, case)
        assert fiction.kept_epoch == driven.kept_epoch, (seed, case)
        assert fiction.learning_rate is not None
        assert fiction.learning_rate.values.tolist() == driven.rates[:-1], (seed, case)


def test_a_value_beyond_float32_fails_in_keras_and_is_refused_here() -> None:
    logs = [{"val_loss": 0.5}, {"val_loss": 1e39}]
    early_stopping = EarlyStopping(mode="min")
    driven = drive([as_keras(early_stopping)], logs, learning_rate=0.1)
    assert driven.error is not None
    assert "out of range" in driven.error
    with pytest.raises(EvidenceError, match="does not fit into float32"):
        replay_run(Run.from_logs(logs), early_stopping, semantics="keras-3.15")


def test_a_factor_of_one_is_refused_by_both() -> None:
    import keras

    with pytest.raises(ValueError, match="factor >= 1"):
        keras.callbacks.ReduceLROnPlateau(factor=1.0)
    with pytest.raises(ValueError, match="factor is 1"):
        ReduceLROnPlateau(factor=1.0)
