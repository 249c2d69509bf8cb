"""Hold replays against trainings under the real callbacks, item by item.

    python benchmarks/confirm.py [--runs N]

Each run is a small real experiment, recorded once and trained again twice; each setting
is then predicted from the record by replay and trained with the same seed. A line a
confirmation goes to stderr as it is made; the table at the end counts them by what was
asked and by how far the replay calls itself evidence. Ends with status 1 if anything
that a replay calls exact is not what the training did.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from cbreplay import load_runs, parse_callbacks
from cbreplay.record import train_experiment
from cbreplay.record.confirming import Confirmation, Retrainer


class Recording(NamedTuple):
    """A training to record, and the list that it is recorded under."""

    experiment: str
    settings: dict[str, Any]
    under: tuple[str, ...] = ()


PLATEAU = "ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.05)"
STEPS = "LearningRateScheduler({0: 0.1, 6: 0.05, 12: 0.01})"
FULL = {"epochs": 20, "batch_size": 512}

RECORDINGS = [
    Recording("diabetes", {**FULL, "learning_rate": 0.2}),
    Recording("diabetes", {**FULL, "learning_rate": 0.1, "seed": 1}, (PLATEAU,)),
    Recording("breast-cancer", {**FULL, "learning_rate": 0.02, "seed": 2}),
    Recording("diabetes", {**FULL, "learning_rate": 0.1, "seed": 3}, (STEPS,)),
    Recording(
        "diabetes", {**FULL, "learning_rate": 0.2, "seed": 4, "validation_freq": 2}
    ),
    # diverges to NaN
    Recording("diabetes", {**FULL, "learning_rate": 0.8, "seed": 0}),
    Recording("breast-cancer", {**FULL, "learning_rate": 0.05, "seed": 6}, (PLATEAU,)),
    Recording("diabetes", {**FULL, "learning_rate": 0.3, "seed": 7}),
]

BEST = "restore_best_weights=True"
# what varies goes behind the callbacks that the run was recorded under, so that a
# replay is evidence where the rate is the recorded one
SETTINGS = {
    "EarlyStopping": [
        ["EarlyStopping()"],
        [f"EarlyStopping(patience=1, {BEST})"],
        [f"EarlyStopping(patience=2, min_delta=0.02, {BEST})"],
        ["EarlyStopping('loss', patience=3, min_delta=0.05)"],
        [f"EarlyStopping(patience=2, start_from_epoch=5, {BEST})"],
        [f"EarlyStopping(patience=4, baseline=0.4, {BEST})"],
        [f"EarlyStopping(mode='max', patience=2, {BEST})"],
    ],
    "ReduceLROnPlateau": [
        ["ReduceLROnPlateau(factor=0.5, patience=2, min_delta=0.1)"],
        ["ReduceLROnPlateau('loss', 0.3, 4, min_delta=0.2, cooldown=2)"],
    ],
    "ModelCheckpoint": [
        [("ModelCheckpoint('best.weights.h5', save_weights_only=True, "
         "save_best_only=True)")],
        [("ModelCheckpoint('e{epoch:02d}.weights.h5', 'loss', mode='max', "
         "save_weights_only=True, save_best_only=True)")],
    ],
    "lists": [
        [f"EarlyStopping(patience=3, {BEST})",
         "ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.01)"],
        ["TerminateOnNaN()", f"EarlyStopping(patience=5, {BEST})"],
        ["EarlyStopping('loss', patience=2)", f"EarlyStopping(patience=1, {BEST})",
         ("ModelCheckpoint('b.weights.h5', save_weights_only=True, "
         "save_best_only=True)")],
    ],
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=len(RECORDINGS))
    n_runs = parser.parse_args().runs
    # Keras warns of a monitor that an epoch has not, which validation_freq makes
    warnings.simplefilter("ignore")
    counts: collections.Counter[tuple[str, str, bool]] = collections.Counter()
    with tempfile.TemporaryDirectory() as directory:
        for number, recording in enumerate(RECORDINGS[:n_runs]):
            confirm_all(recording, Path(directory) / str(number), counts)
    print_table(counts)
    return int(any(not held for _, _, held in counts))


def confirm_all(
    recording: Recording,
    out: Path,
    counts: collections.Counter[tuple[str, str, bool]],
) -> None:
    under = parse_callbacks(*recording.under)
    with contextlib.redirect_stdout(sys.stderr):
        train_experiment(
            recording.experiment, out=out, callbacks=under, **recording.settings
        )
    (run,) = load_runs(out)
    model = Retrainer(run)
    for kind, settings in SETTINGS.items():
        for texts in settings:
            listed = parse_callbacks(*recording.under, *texts)
            began = time.perf_counter()
            with contextlib.redirect_stdout(sys.stderr):
                confirmed = model.confirm(listed)
            counts[kind, confirmed.replay.evidence, confirmed.held] += 1
            tell(recording, texts, confirmed, time.perf_counter() - began)


def tell(
    recording: Recording, texts: list[str], confirmed: Confirmation, seconds: float
) -> None:
    failed = [each for each in confirmed.items if each.verdict == "failed"]
    words = [
        "held" if confirmed.held else "FAILED",
        confirmed.replay.evidence,
        f"{recording.experiment} {recording.settings['seed']}"
        if "seed" in recording.settings
        else recording.experiment,
        *recording.under,
        *texts,
        f"{seconds:.1f} s",
        *map(str, failed),
    ]
    print("  ".join(words), file=sys.stderr, flush=True)


def print_table(counts: collections.Counter[tuple[str, str, bool]]) -> None:
    import keras

    kinds = list(dict.fromkeys(kind for kind, _, _ in counts))
    codes = ["exact", "censored", "diverged", "incomplete"]
    print(f"Keras {keras.__version__} on {keras.backend.backend()}")
    print("| setting | " + " | ".join(codes) + " |")
    print("|---|" + "---|" * len(codes))
    for kind in kinds:
        cells = []
        for code in codes:
            held, failed = counts[kind, code, True], counts[kind, code, False]
            cells.append(f"{held} of {held + failed}")
        print(f"| {kind} | " + " | ".join(cells) + " |")
    n_held = sum(number for (*_, held), number in counts.items() if held)
    print(f"{n_held} of {counts.total()} confirmed")


if __name__ == "__main__":
    sys.exit(main())
