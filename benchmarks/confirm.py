"""Hold replays against trainings under the real callbacks, item by item.

    python -m benchmarks.confirm [--recordings N ...] [--kinds K ...] [--write FILE]

Each run is a small real experiment, recorded once and trained again twice; each setting
is then predicted from the record by replay and trained with the same seed. A line a
confirmation goes to stderr as it is made; the table at the end counts them by what was
asked and by how far the replay calls itself evidence. Ends with status 1 if anything
that a replay calls exact is not what the training did.

``--write`` puts a row a confirmation into a CSV file, in the place of the rows that
this version of Keras has there of these kinds and recordings. Another version is asked
by having it first on PYTHONPATH. ``--recordings`` takes those of each kind with these
numbers, from one.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import csv
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cbreplay import load_runs, parse_callbacks
from cbreplay.record import train_experiment
from cbreplay.record.confirming import Retrainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Recording(NamedTuple):
    """A training to record, and the list that it is recorded under.

    A second fit resumes one that its plan ended, that was interrupted, or that its own
    callback stopped, if one of the kinds asks for that.
    """

    experiment: str
    settings: dict[str, Any]
    under: tuple[str, ...] = ()
    ended: str = ""


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
# the first fit ends, or is broken off, after so many epochs
SEAM = 9
RESUMED = [
    Recording("diabetes", {**FULL, "learning_rate": 0.2, "seed": 1}, (), "plan"),
    Recording("breast-cancer", {**FULL, "learning_rate": 0.02}, (), "interrupt"),
    Recording("breast-cancer", {**FULL, "learning_rate": 0.05, "seed": 2}, (), "plan"),
    Recording("diabetes", {**FULL, "learning_rate": 0.2}, (PLATEAU,), "interrupt"),
]
CUT_SHORT = [
    Recording(
        "breast-cancer",
        {**FULL, "learning_rate": 0.05, "seed": 2},
        ("EarlyStopping(patience=2)",),
        "callback",
    ),
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
OWN = "tests.custom_callbacks:"
CUSTOM = [
    [f"{OWN}StopAtLoss(goal=0.4)"],
    [f"{OWN}StopAtMinimum(patience=2)"],
    [f"{OWN}DelayedStopping(start_epoch=3, patience=2)"],
    [f"{OWN}StopOnEither(patience=2, {BEST})"],
    [f"{OWN}StopWhenOverfit(ratio=1.1)"],
    ["EarlyStopping()", f"{OWN}AtLeast(epochs=8)"],
    [f"{OWN}KeepBest()"],
    [f"{OWN}Smoothed()",
     "EarlyStopping('val_loss_smoothed', mode='min', patience=2)"],
    [f"{OWN}StopByHistory()"],
    [f"{OWN}StopAtHalf()"],
    [f"{OWN}HalveOnRise()"],
    [f"{OWN}BackToBest(patience=1, min_delta=0.05)"],
    [f"{OWN}SaveImproved()"],
]  # fmt: skip
OVER_A_SEAM = [
    ["EarlyStopping()"],
    [f"EarlyStopping(patience=3, {BEST})"],
    [f"EarlyStopping('val_loss', patience=12, {BEST})"],
    ["EarlyStopping('loss', patience=3, min_delta=0.05)"],
    ["EarlyStopping(patience=2, start_from_epoch=10)"],
    [("ModelCheckpoint('best.weights.h5', save_weights_only=True, "
     "save_best_only=True)")],
    ["ReduceLROnPlateau(factor=0.5, patience=4, min_delta=0.01)"],
    [f"{OWN}StopAtMinimum(patience=3)"],
]  # fmt: skip


class Asked(NamedTuple):
    """Settings to predict on some recordings."""

    recordings: list[Recording]
    settings: list[list[str]]
    resume: Literal["fresh", "carried"] = "fresh"


KINDS = {
    **{kind: Asked(RECORDINGS, settings) for kind, settings in SETTINGS.items()},
    "custom callbacks": Asked([RECORDINGS[0], *RECORDINGS[2:5:2]], CUSTOM),
    "resumed, new callbacks": Asked([*RESUMED, *CUT_SHORT], OVER_A_SEAM),
    "resumed, the same callbacks": Asked(RESUMED, OVER_A_SEAM, "carried"),
}


class Confirmed(NamedTuple):
    """A row of the file: what was asked, and how it came out."""

    keras: str
    kind: str
    experiment: str
    settings: str
    recorded_under: str
    setting: str
    evidence: str
    held: bool
    failed: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--recordings", nargs="+", type=int, default=range(1, len(RECORDINGS) + 1)
    )
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    # Keras warns of a monitor that an epoch has not, which validation_freq makes
    warnings.simplefilter("ignore")
    rows: list[Confirmed] = []
    for recording in [*RECORDINGS, *RESUMED, *CUT_SHORT]:
        kinds = [
            kind
            for kind in options.kinds
            if number_of(recording, kind) in options.recordings
        ]
        if kinds:
            rows += confirm_all(recording, kinds)
    print_table(rows)
    if options.write:
        write_rows(options.write, rows)
    return int(not all(row.held for row in rows))


def number_of(recording: Recording, kind: str) -> int:
    """Return its place among those of a kind, from one; 0 where it is not."""
    recordings = KINDS[kind].recordings
    return recordings.index(recording) + 1 if recording in recordings else 0


def confirm_all(recording: Recording, kinds: list[str]) -> Iterator[Confirmed]:
    with tempfile.TemporaryDirectory() as directory:
        record(recording, Path(directory) / "run")
        (run,) = load_runs(Path(directory) / "run")
    model = Retrainer(run)
    for kind in kinds:
        for texts in KINDS[kind].settings:
            began = time.perf_counter()
            row = confirm_one(recording, model, kind, texts)
            seconds = f"{time.perf_counter() - began:.1f} s"
            print(*row, seconds, sep="  ", file=sys.stderr, flush=True)
            yield row


def record(recording: Recording, out: Path) -> None:
    """Train an experiment, in one fit or in two."""
    settings = dict(recording.settings)
    under = parse_callbacks(*recording.under)
    train = partial(train_experiment, recording.experiment, out=out, callbacks=under)

    def interrupt(epoch: int, _logs: object) -> None:
        # seen in the last hook of an epoch that is logged already
        if epoch == SEAM - 1:
            raise KeyboardInterrupt

    with contextlib.redirect_stdout(sys.stderr):
        if recording.ended == "plan":
            train(**settings | {"epochs": SEAM})
        elif recording.ended == "interrupt":
            with contextlib.suppress(KeyboardInterrupt):
                train(**settings, on_epoch=interrupt)
        else:
            train(**settings)
        if recording.ended:
            # it goes on at the rate that it ended with
            settings.pop("learning_rate")
            train(**settings, append=True)


def confirm_one(
    recording: Recording, model: Retrainer, kind: str, texts: list[str]
) -> Confirmed:
    import keras

    listed = parse_callbacks(*recording.under, *texts)
    if recording.ended == "callback":
        # in the place of the callback that stopped the first fit
        listed = parse_callbacks(*texts)
    with contextlib.redirect_stdout(sys.stderr):
        confirmed = model.confirm(listed, resume=KINDS[kind].resume)
    ended = f" first fit ended by {recording.ended}" if recording.ended else ""
    return Confirmed(
        keras.__version__,
        kind,
        recording.experiment,
        " ".join(f"{name}={n}" for name, n in recording.settings.items()) + ended,
        "; ".join(recording.under),
        "; ".join(text.removeprefix(OWN) for text in texts),
        confirmed.replay.evidence,
        confirmed.held,
        "; ".join(entry.name for entry in confirmed.items if entry.verdict == "failed"),
    )


def print_table(rows: list[Confirmed]) -> None:
    import keras

    codes = ["exact", "censored", "diverged", "incomplete"]
    counts = collections.Counter((row.kind, row.evidence, row.held) for row in rows)
    print(f"Keras {keras.__version__} on {keras.backend.backend()}")
    print("| setting | " + " | ".join(codes) + " |")
    print("|---|" + "---|" * len(codes))
    for kind in dict.fromkeys(row.kind for row in rows):
        cells = []
        for code in codes:
            held, failed = counts[kind, code, True], counts[kind, code, False]
            cells.append(f"{held} of {held + failed}")
        print(f"| {kind} | " + " | ".join(cells) + " |")
    print(f"{sum(row.held for row in rows)} of {len(rows)} confirmed")


def write_rows(path: Path, rows: list[Confirmed]) -> None:
    """Put rows in the place of those of their version, kind and recording."""
    same = ("keras", "kind", "experiment", "settings", "recorded_under")

    def place(row: Mapping[str, str]) -> list[str]:
        return [row[name] for name in same]

    written = [place(row._asdict()) for row in rows]
    kept = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            kept = [row for row in csv.DictReader(file) if place(row) not in written]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, Confirmed._fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *(row._asdict() for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
