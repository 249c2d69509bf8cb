"""Every decision of a replay equals that of the real callback of that version.

Each version answers in a process of its own, prepared as
`prepare_keras_versions.py` says. A quick share is driven by default; all of it, with
a table of what was driven, by

    python -m pytest tests/differential/test_keras_versions.py --all-keras-cases
"""

from __future__ import annotations

from collections import Counter
from dataclasses import MISSING, dataclass, fields, replace
from itertools import chain, islice, tee
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    replay_run,
)
from cbreplay.errors import EvidenceError
from cbreplay.rules.keras.framework import KERAS
from cbreplay.rules.keras.semantics import SEMANTICS
from cbreplay.rules.keras.versions import resolve_keras
from cbreplay.rules.training import Training
from tests.conftest import SUMMARY
from tests.oracles.adversarial import Case, draw_case, version_cases
from tests.oracles.decisions import find_difference, find_difference_of_fits
from tests.oracles.keras_driver import Driven
from tests.oracles.keras_versions import (
    PREPARE,
    QUICK,
    TENSORFLOW_2_15,
    VERSIONS,
    KerasVersion,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.base import Callback
    from cbreplay.rules.keras.semantics import Semantics

pytestmark = [pytest.mark.keras, pytest.mark.slow]

# what the decisions of each callback hang on: where two versions have the same, the
# second gets fewer cases
RULES = {
    "E": attrgetter(
        "early_stopping",
        "restores_without_stop",
        "first_weights_set_best_epoch",
        "flush_subnormals",
    ),
    "R": attrgetter(
        "reduce_lr_on_plateau",
        "factor_precision",
        "learning_rate_key",
        "flush_subnormals",
    ),
    "C": attrgetter(
        "model_checkpoint",
        "saves_without_monitor",
        "checkpoint_suffixes",
        "learning_rate_key",
        "flush_subnormals",
    ),
    "T": attrgetter("terminate_on_nan_can_raise"),
    "L": attrgetter("learning_rate_key"),
}
LISTS = [
    "EE",
    "RR",
    "CC",
    "TT",
    "LL",
    "ER",
    "RE",
    "EC",
    "CE",
    "CR",
    "RC",
    "TE",
    "ET",
    "TR",
    "RT",
    "TC",
    "CT",
    "EL",
    "LE",
    "LR",
    "RL",
    "LC",
    "CL",
    "TL",
    "LT",
    "ERC",
    "CRE",
    "LRC",
    "RLT",
    "LCER",
    "ELRCT",
    "TCRLE",
    "RCRT",
    "LERC",
    "ECEC",
    "RLRC",
    "CERT",
    "TRCE",
    "LELR",
    "CLCR",
    "ERCTL",
    "LTCRER",
    "CRLECRE",
]
QUICK_COUNTS = {**dict.fromkeys(RULES, 35), **dict.fromkeys(LISTS, 5)}
# for the first version of every set of rules, and for the others
ALL_FIRST, ALL_FIRST_LIST = 20_000, 125
ALL_OTHER, ALL_OTHER_LIST = 2000, 25
# lists that live over several fits
FITS = ["E", "R", "C", "ER", "CE", "RR", "EE", "LR", "RCE", "TEC"]
QUICK_FITS, ALL_FITS = 60, 2000


# metrics of a compiled model: a name as compile takes it, a class's, or our own
MODELS = [
    ["accuracy", "AUC", "Precision", "CosineSimilarity", "mae", "own_metric"],
    ["acc", "Recall", "RootMeanSquaredError", "fmeasure_own"],
    ["TruePositives"],
]
BEYOND_FLOAT32 = [
    Case([{"loss": 0.5}, {"loss": 1e39}], [callback], 0.5, 0)
    for callback in (
        EarlyStopping(monitor="loss", mode="min"),
        ReduceLROnPlateau(monitor="loss", mode="min"),
        ModelCheckpoint("a.keras", "loss", save_best_only=True, mode="min"),
    )
]
RATE_ONLY = Case([{"loss": 1.0}], [ReduceLROnPlateau(monitor="loss")], 0.5, 0)
CLASSES: dict[str, Any] = {
    one.__name__: one
    for one in (
        EarlyStopping,
        ReduceLROnPlateau,
        ModelCheckpoint,
        TerminateOnNaN,
        LearningRateScheduler,
    )
}


@dataclass
class Asked:
    """A version, and what it answered; one process for all."""

    version: KerasVersion
    beyond: list[dict[str, Any]]
    rate_only: dict[str, Any]
    signatures: dict[str, list[list[Any]]]
    directions: list[dict[str, dict[str, str]]]
    # the kinds of a list, the difference that was found, and the case
    differences: list[tuple[str, str, Case]]
    # what the same instances did in fit after fit
    fits: list[tuple[list[Case], list[Driven]]]

    @property
    def semantics(self) -> Semantics:
        return resolve_keras(self.version.semantics)[0]


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version.name)
def asked(request: pytest.FixtureRequest) -> Asked:
    version: KerasVersion = request.param
    if not version.is_prepared():
        pytest.skip(f"this Keras is not prepared: {PREPARE}")
    everything = request.config.getoption("--all-keras-cases")
    counts = all_counts(version) if everything else QUICK_COUNTS
    # Keras cannot fit on its numpy backend, nor an older one on a newer JAX
    models = MODELS if version.backend == "tensorflow" else []
    several = draw_fits(ALL_FITS if everything else QUICK_FITS)
    others = [
        *(case.question() for case in [*BEYOND_FLOAT32, RATE_ONLY]),
        {"signatures": list(CLASSES)},
        *({"metrics": names} for names in models),
        *(
            {**cases[0].question(), "fits": [one.logs for one in cases]}
            for cases in several
        ),
    ]
    drawn, kept = tee(draw_cases(counts, seed=len(version.name)))
    answers = version.ask(chain(others, (case.question() for _, case in drawn)))
    *beyond, rate_only, signatures = islice(answers, len(BEYOND_FLOAT32) + 2)
    directions = list(islice(answers, len(models)))
    fits = [
        (cases, [Driven(**one) for one in answer])
        for cases, answer in zip(several, islice(answers, len(several)), strict=True)
    ]
    differences = [
        (kinds, difference, case)
        for (kinds, case), answer in zip(kept, answers, strict=True)
        if (difference := find_difference(case, Driven(**answer), version.semantics))
    ]
    if everything:
        differing = Counter(kinds for kinds, *_ in differences)
        request.config.stash[SUMMARY].append(table_row(version, counts, differing))
    return Asked(version, beyond, rate_only, signatures, directions, differences, fits)


def test_every_known_version_is_driven() -> None:
    assert set(SEMANTICS) <= {one.semantics for one in VERSIONS}


def test_the_quick_versions_have_every_set_of_rules_of_the_installed_tensorflow() -> (
    None
):
    def rules(name: str) -> Semantics:
        return resolve_keras(name)[0]._replace(name="", row="")

    installed = [one for one in VERSIONS if TENSORFLOW_2_15 not in one.parts]
    plain = {one.semantics for one in installed if "+" not in one.semantics}
    assert {rules(name) for name in QUICK} == {rules(name) for name in plain}


def test_trainings_are_decided_as_by_that_version(asked: Asked) -> None:
    assert asked.differences[:3] == []


def test_the_same_instances_decide_in_later_fits_as_in_this_version(
    asked: Asked,
) -> None:
    for cases, driven in asked.fits:
        difference = find_difference_of_fits(cases, driven, asked.version.semantics)
        assert difference is None, (difference, cases)


def test_auto_finds_the_direction_that_this_version_finds(asked: Asked) -> None:
    training = Training(asked.semantics, {}, KERAS)
    for model in asked.directions:
        for monitor, directions in model.items():
            ours = {
                type(one).__name__: resolved(one, training)
                for one in (
                    EarlyStopping(monitor=monitor),
                    ReduceLROnPlateau(monitor=monitor),
                    ModelCheckpoint("a.keras", monitor=monitor),
                )
            }
            assert ours == directions, monitor


def test_the_rate_is_written_under_the_name_of_this_version(asked: Asked) -> None:
    assert asked.rate_only["written"] == [asked.semantics.learning_rate_key]


def test_a_value_beyond_float32_is_refused_where_it_fails(asked: Asked) -> None:
    for case, answer in zip(BEYOND_FLOAT32, asked.beyond, strict=True):
        if asked.version.backend == "jax":
            # JAX takes it as infinite; a record that holds it may be refused
            assert answer["error"] is None
        else:
            refused = is_refused(case, asked.version.semantics)
            assert refused == (answer["error"] is not None), case


# what Keras 2 and 3.0 take beyond the parameters that are replayed: where a checkpoint
# is written, and names of Keras 1
NOT_REPLAYED = {
    "ModelCheckpoint": ["options", "kwargs"],
    "ReduceLROnPlateau": ["kwargs"],
}


def test_parameters_are_named_ordered_and_preset_as_in_this_version(
    asked: Asked,
) -> None:
    for kind, signature in asked.signatures.items():
        ours = [
            [one.name] if one.default is MISSING else [one.name, one.default]
            for one in fields(CLASSES[kind])
        ]
        if kind == "TerminateOnNaN" and not asked.semantics.terminate_on_nan_can_raise:
            ours.remove(["raise_error", False])
        beyond = NOT_REPLAYED.get(kind, [])
        theirs = [one for one in signature if one[0] not in beyond]
        assert ours == theirs, kind


def all_counts(version: KerasVersion) -> dict[str, int]:
    """Return how many cases of each list this version gets of all."""
    before = [
        KERAS.resolve(one.semantics).semantics
        for one in VERSIONS[: VERSIONS.index(version)]
        if one.is_prepared()
    ]
    here = KERAS.resolve(version.semantics).semantics
    is_first = {
        kind: rules(here) not in map(rules, before) for kind, rules in RULES.items()
    }
    singles = {kind: ALL_FIRST if one else ALL_OTHER for kind, one in is_first.items()}
    listed = ALL_FIRST_LIST if any(is_first.values()) else ALL_OTHER_LIST
    return {**singles, **dict.fromkeys(LISTS, listed)}


def draw_cases(counts: dict[str, int], seed: int) -> Iterator[tuple[str, Case]]:
    for case in version_cases():
        yield "smallest", case
    for kinds, count in counts.items():
        for number in range(count):
            rng = np.random.default_rng([number, seed, *kinds.encode()])
            yield kinds, draw_case(rng, kinds)


def draw_fits(count: int) -> list[list[Case]]:
    """Draw two or three fits for each list of callbacks that are made once."""
    fits = []
    for number in range(count):
        kinds = FITS[number % len(FITS)]
        rng = np.random.default_rng([number, 3, *kinds.encode()])
        cases = [draw_case(rng, kinds) for _ in range(int(rng.integers(2, 4)))]
        first = cases[0]
        fits.append([replace(first, logs=one.logs) for one in cases])
    return fits


def table_row(
    version: KerasVersion, counts: dict[str, int], differing: Counter[str]
) -> str:
    """Say how many cases of each callback, and of lists, were driven and differ."""
    cells = [f"{kind} {counts[kind]}/{differing[kind]}" for kind in RULES]
    driven = sum(counts[kinds] for kinds in LISTS)
    cells.append(f"lists {driven}/{sum(differing[kinds] for kinds in LISTS)}")
    return " | ".join([version.name, *cells])


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
