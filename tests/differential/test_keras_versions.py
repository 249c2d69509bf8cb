"""Every decision of a replay equals that of the real callback of that version.

Each version answers in a process of its own, prepared as
`prepare_keras_versions.py` says. A quick share is driven by default; all of it by

    python -m pytest tests/differential/test_keras_versions.py --all-keras-cases
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import ConfigError, EarlyStopping, ReduceLROnPlateau, Run, replay_run
from cbreplay.callbacks.base import Training
from cbreplay.callbacks.semantics import known_semantics, resolve_semantics
from cbreplay.errors import EvidenceError
from tests.oracles.adversarial import Case, draw_case, version_cases
from tests.oracles.decisions import find_difference
from tests.oracles.keras_driver import Driven, parameters
from tests.oracles.keras_versions import PREPARE, VERSIONS, KerasVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.callbacks.base import Callback

pytestmark = [pytest.mark.keras, pytest.mark.slow]

QUICK = {"E": 35, "R": 35, "ER": 10, "RE": 10, "RR": 5, "EE": 10}
# for the first version of every set of rules, and for the others
ALL_FIRST = {"E": 20_000, "R": 20_000, "ER": 1000, "RE": 1000, "RR": 500, "EE": 1000}
ALL_OTHER = {"E": 2000, "R": 2000, "ER": 200, "RE": 200, "RR": 100, "EE": 200}


# metrics of a compiled model: a name as compile takes it, or a class's
MODELS = [
    ["accuracy", "AUC", "Precision", "CosineSimilarity", "mae", "own_metric"],
    ["acc", "Recall", "RootMeanSquaredError"],
    ["TruePositives"],
]
BEYOND_FLOAT32 = [
    Case([{"loss": 0.5}, {"loss": 1e39}], [kind(monitor="loss", mode="min")], 0.5, 0)
    for kind in (EarlyStopping, ReduceLROnPlateau)
]
RATE_ONLY = Case([{"loss": 1.0}], [ReduceLROnPlateau(monitor="loss")], 0.5, 0)


@dataclass
class Asked:
    """A version, what it was asked, and what it answered; one process for all."""

    version: KerasVersion
    cases: list[Case]
    decided: list[dict[str, Any]]
    beyond: list[dict[str, Any]]
    rate_only: dict[str, Any]
    directions: list[dict[str, dict[str, str]]]


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.name)
def asked(request: pytest.FixtureRequest) -> Asked:
    version: KerasVersion = request.param
    if not version.is_prepared():
        pytest.skip(f"this Keras is not prepared: {PREPARE}")
    counts = QUICK
    if request.config.getoption("--all-keras-cases"):
        counts = ALL_FIRST if version.first else ALL_OTHER
    cases = [*version_cases(), *draw_cases(counts, seed=len(version.name))]
    every = [*cases, *BEYOND_FLOAT32, RATE_ONLY]
    # Keras cannot fit on its numpy backend, nor an older one on a newer JAX
    models = MODELS if version.backend == "tensorflow" else []
    answers = version.ask(
        [*map(question, every), *({"metrics": names} for names in models)]
    )
    n = len(cases)
    return Asked(
        version,
        cases,
        answers[:n],
        answers[n : n + 2],
        answers[n + 2],
        answers[n + 3 :],
    )


def test_every_known_version_is_driven() -> None:
    assert set(known_semantics()) <= {one.semantics for one in VERSIONS}


def test_trainings_are_decided_as_by_that_version(asked: Asked) -> None:
    semantics = asked.version.semantics
    for case, answer in zip(asked.cases, asked.decided, strict=True):
        difference = find_difference(case, Driven(**answer), semantics)
        assert difference is None, (difference, case)


def test_auto_finds_the_direction_that_this_version_finds(asked: Asked) -> None:
    training = Training(resolve_semantics(asked.version.semantics).semantics, {})
    for model in asked.directions:
        for monitor, directions in model.items():
            ours = {
                "EarlyStopping": resolved(EarlyStopping(monitor=monitor), training),
                "ReduceLROnPlateau": resolved(
                    ReduceLROnPlateau(monitor=monitor), training
                ),
            }
            assert ours == directions, monitor


def test_the_rate_is_written_under_the_name_of_this_version(asked: Asked) -> None:
    semantics = resolve_semantics(asked.version.semantics).semantics
    assert asked.rate_only["written"] == [semantics.learning_rate_key]


def test_a_value_beyond_float32_is_refused_where_it_fails(asked: Asked) -> None:
    for case, answer in zip(BEYOND_FLOAT32, asked.beyond, strict=True):
        if asked.version.backend == "jax":
            # JAX takes it as infinite; a record that holds it may be refused
            assert "error" not in answer
        else:
            assert is_refused(case, asked.version.semantics) == ("error" in answer)


def draw_cases(counts: dict[str, int], seed: int) -> Iterator[Case]:
    for kinds, count in counts.items():
        for number in range(count):
            rng = np.random.default_rng([number, seed, *kinds.encode()])
            yield draw_case(rng, kinds)


def question(case: Case) -> dict[str, Any]:
    return vars(case) | {"callbacks": [parameters(one) for one in case.callbacks]}


def resolved(callback: Callback, training: Training) -> str:
    try:
        return callback.resolve_mode(training)
    except ConfigError:
        return "ValueError"


def is_refused(case: Case, semantics: str) -> bool:
    try:
        replay_run(Run.from_logs(case.logs), case.callbacks, semantics=semantics)
    except EvidenceError:
        return True
    return False
