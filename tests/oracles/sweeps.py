"""Random runs and lists of settings to sweep, and the scalar replay of every cell."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay import (
    CbreplayError,
    EarlyStopping,
    EmaStopping,
    MeanStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TargetStopping,
    TerminateOnNaN,
    choices,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.answers.setting_cells import read_replays
from cbreplay.answers.swept_cells import read_sweep, reads_from_sweep
from cbreplay.grid import Grid
from cbreplay.judging import Judging
from cbreplay.readers.building.rate_columns import logged_rate
from cbreplay.rules.base import format_callback
from cbreplay.rules.keras.semantics import SEMANTICS
from cbreplay.run import Series
from cbreplay.run_metadata import Ended, RunMetadata
from cbreplay.sweep import SharedReplays
from tests.oracles.adversarial import draw_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

    from cbreplay import Replay


@dataclass
class Question:
    """A sweep, and its options."""

    runs: list[Run]
    configs: Any
    options: dict[str, Any]


# a letter for each callback of the list; several shares of the more usual
LISTS = [
    "E",
    "E",
    "R",
    "ER",
    "RE",
    "EE",
    "C",
    "EC",
    "CR",
    "ERC",
    "T",
    "ET",
    "TER",
    "EER",
    "EE",
    "A",
    "M",
    "G",
    "AG",
    "EG",
    "GE",
    "MTR",
]
PLATFORMS = [
    "keras-3.0+numpy-backend",
    "keras-3.7+numpy-backend",
    "keras-3.11+numpy-backend",
    "tf_keras-2.21+numpy1",
]
_MOST_CELLS = 1500


def draw_question(seed: int) -> Question:
    """Draw runs, configs, the rules and the options."""
    rng = np.random.default_rng([seed, 77])
    kinds = LISTS[seed % len(LISTS)]
    semantics = str(rng.choice([*SEMANTICS, *PLATFORMS]))
    runs = draw_runs(rng, int(rng.integers(1, 5)))
    configs = draw_configs(rng, kinds, int(rng.integers(1, 30)))
    options: dict[str, Any] = {"semantics": semantics}
    if rng.random() < 0.5:
        options["objective_mode"] = str(rng.choice(["min", "max"]))
    if rng.random() < 0.3:
        options["objective"] = str(rng.choice(["loss", "val_loss"]))
    if rng.random() < 0.2:
        options["initial_learning_rate"] = 0.01
    if "R" in kinds and rng.random() < 0.4:
        chosen = configs[int(rng.integers(len(configs)))]
        with contextlib.suppress(CbreplayError):
            runs = [recorded_by(run, chosen, semantics) for run in runs]
    runs = [_read_twice(run) if rng.random() < 0.2 else run for run in runs]
    runs = [_with_more(rng, run) for run in runs]
    runs = [_rounded(rng, run) if rng.random() < 0.2 else run for run in runs]
    n_runs = max(1, min(len(runs), _MOST_CELLS // len(configs)))
    return Question(runs[:n_runs], configs, options)


def draw_runs(rng: Generator, n_runs: int) -> list[Run]:
    """Draw runs of several lengths, with every kind of value, epoch and rate."""
    return [_draw_run(rng, f"run{number}") for number in range(n_runs)]


def _draw_run(rng: Generator, name: str) -> Run:
    case = draw_case(rng, "E")
    logs: list[dict[str, Any]] = [dict(row) for row in case.logs]
    if rng.random() < 0.5:
        # a usual curve: falling, then flat
        n_epochs = int(rng.integers(2, 60))
        curve = 1 / (1 + np.arange(n_epochs)) + rng.normal(0, 0.05, n_epochs)
        logs = [{"loss": float(one), "val_loss": float(one) + 0.1} for one in curve]
        if rng.random() < 0.3:
            logs = [
                row if rng.random() < 0.8 else {"loss": row["loss"]} for row in logs
            ]
        logs[0]["val_loss"] = 1.0
    _draw_rates(rng, logs)
    last = len(logs) + case.first_epoch
    return Run.from_logs(
        logs,
        first_epoch=case.first_epoch,
        name=name,
        planned_epochs=[None, last, last + 5][rng.integers(3)],
    )


def _draw_rates(rng: Generator, logs: list[dict[str, Any]]) -> None:
    """Write rates: none, one for all, falling now and then, or with gaps."""
    kind = rng.integers(5)
    rate = np.float32(rng.choice([0.01, 0.001, 1.0, 1e-5, 0.002]))
    if kind == 0:
        return
    factor = rng.choice([0.1, 0.5, 0.3, 0.9])
    for epoch, row in enumerate(logs):
        if kind >= 2 and epoch and rng.random() < 0.2:
            rate = np.float32(float(rate) * factor)
        if kind != 3 or epoch == 0 or rng.random() < 0.9:
            row["learning_rate"] = float(rate)
    if kind == 4 and rng.random() < 0.1:
        logs[-1]["learning_rate"] = math.nan


def recorded_by(run: Run, callbacks: list[Any], semantics: str) -> Run:
    """Return a run whose rates are those of a list, so that the list never parts."""
    replay = replay_run(
        run,
        callbacks,
        semantics=semantics,
        initial_learning_rate=None if run.learning_rate is not None else 0.01,
        hypothetical=True,
    )
    rates = (replay.hypothetical or replay).learning_rate
    rows = [
        {
            key: float(one.values[position])
            for key, one in run.series.items()
            if one.recorded[position]
        }
        for position in range(run.n_epochs)
    ]
    if rates is not None:
        listed = rates.values.tolist()
        listed += [listed[-1]] * (len(rows) - len(listed))
        for row, rate in zip(rows, listed, strict=True):
            row["learning_rate"] = rate
    return Run.from_logs(
        rows,
        first_epoch=run.first_epoch,
        name=run.name,
        planned_epochs=run.planned_epochs,
    )


def _read_twice(run: Run) -> Run:
    """Return a run whose rates may also have been written after each reduction."""
    rate = run.learning_rate
    if rate is None or not rate.recorded.all():
        return run
    before = np.concatenate([rate.values[:1], rate.values[:-1]])
    return replace(run, other_learning_rate=Series(before, rate.recorded))


def _rounded(rng: Generator, run: Run) -> Run:
    """Return a run whose log holds a few digits, or decimals, of its rates."""
    if run.learning_rate is None:
        return run
    form = f".{int(rng.integers(1, 9))}{rng.choice(['g', 'f'])}"
    values = [float(f"{rate:{form}}") for rate in run.learning_rate.values]
    logged = logged_rate(Series(np.array(values), run.learning_rate.recorded), "logs")
    return replace(
        run, learning_rate=logged.rate, learning_rate_rounding=logged.rounding
    )


def _with_more(rng: Generator, run: Run) -> Run:
    """Let a run know its seconds, or that TerminateOnNaN ended it."""
    if rng.random() < 0.3:
        seconds = rng.uniform(1, 2, run.n_epochs)
        recorded = rng.random(run.n_epochs) < 0.98
        recorded[0] = False
        series = Series(np.where(recorded, seconds, np.nan), recorded)
        run = replace(run, epoch_seconds=series)
    if rng.random() < 0.2:
        run = replace(run, metadata=RunMetadata(ended=Ended("TerminateOnNaN")))
    return run


_KINDS = {
    "E": EarlyStopping,
    "R": ReduceLROnPlateau,
    "C": ModelCheckpoint,
    "T": TerminateOnNaN,
    "A": EmaStopping,
    "M": MeanStopping,
    "G": TargetStopping,
}
_SHARED = ["mode", "restore_best_weights", "monitor"]
_VARIED = {
    "E": [
        "min_delta",
        "patience",
        "mode",
        "baseline",
        "restore_best_weights",
        "start_from_epoch",
        "monitor",
    ],
    "R": ["factor", "patience", "mode", "min_delta", "cooldown", "min_lr", "monitor"],
    "C": ["initial_value_threshold", "save_best_only"],
    "T": [],
    "A": ["min_delta", "patience", "smoothing", *_SHARED],
    "M": ["min_delta", "patience", "window", *_SHARED],
    "G": ["target", *_SHARED],
}


def draw_configs(rng: Generator, kinds: str, n_configs: int) -> Any:
    """Draw a grid, or a list of callbacks lists, of the kinds that are named."""
    cases = [_draw_list(rng, kinds) for _ in range(max(n_configs, 2))]
    for case in cases:
        for place, one in enumerate(case):
            whole = isinstance(one, (EmaStopping, MeanStopping))
            if rng.random() < 0.05 and hasattr(one, "patience") and not whole:
                patience = float(rng.choice([0.5, 2.5, math.inf, 1e6]))
                given = {each.name: getattr(one, each.name) for each in fields(one)}
                case[place] = type(one)(**given | {"patience": patience})
    if rng.random() < 0.3:
        return cases[:n_configs]
    return make_grid(_entry(rng, cases, place) for place in range(len(kinds)))


def _draw_list(rng: Generator, kinds: str) -> list[Any]:
    """Draw a list; Keras has no callback for the letters A, M and G."""
    of_keras = iter(draw_case(rng, kinds.translate(_WITHOUT_KERAS)).callbacks)
    return [
        _draw_beyond(rng, letter) if letter in "AMG" else next(of_keras)
        for letter in kinds
    ]


_WITHOUT_KERAS = str.maketrans("", "", "AMG")


def _draw_beyond(rng: Generator, letter: str) -> Any:
    shared: dict[str, Any] = {
        "monitor": str(rng.choice(["val_loss", "val_loss", "loss"])),
        "mode": str(rng.choice(["auto", "min", "max"])),
        "restore_best_weights": bool(rng.random() < 0.7),
    }
    if letter == "G":
        targets = [*rng.normal(0.5, 0.3, 3), 0.5, math.inf, -math.inf, 0.0]
        return TargetStopping(float(rng.choice(targets)), **shared)
    shared["patience"] = int(rng.integers(1, 12))
    shared["min_delta"] = float(rng.choice([0, 0, 0.05, -0.05, 1e-7, 1e300]))
    if letter == "A":
        smoothing = float(rng.choice([0.0, 0.3, 0.5, 0.9, rng.random()]))
        return EmaStopping(smoothing=smoothing, **shared)
    return MeanStopping(window=int(rng.integers(1, 7)), **shared)


def _entry(rng: Generator, cases: list[list[Any]], place: int) -> Any:
    """Let some parameters of one place take the values of several cases."""
    first: Any = cases[0][place]
    letter = next(key for key, kind in _KINDS.items() if kind is type(first))
    given = {one.name: getattr(first, one.name) for one in fields(first)}
    varied = [name for name in _VARIED[letter] if rng.random() < 0.35]
    for name in rng.permutation(varied)[:3]:
        values = [getattr(case[place], str(name)) for case in cases]
        count = int(rng.integers(1, 5))
        given.pop(str(name))
        given[str(name)] = list(values[:count])
        if name == "patience" and rng.random() < 0.5:
            least = 1 if letter in "AM" else 0
            given["patience"] = range(
                int(rng.integers(least, 3)), int(rng.integers(4, 30))
            )
    if not any(isinstance(value, (list, range)) for value in given.values()):
        return first
    return choices(type(first), **given)


def compare(question: Question) -> tuple[int, str | None]:
    """Sweep, replay every cell, and return how many agree and the first difference."""
    runs, configs, options = question.runs, question.configs, question.options
    try:
        replays = [[replay_run(run, one, **options) for one in configs] for run in runs]
    except CbreplayError as error:
        try:
            sweep_runs(runs, configs, **options)
        except CbreplayError as ours:
            same = (type(ours), str(ours)) == (type(error), str(error))
            return 0, None if same else f"{ours!r} instead of {error!r}"
        return 0, f"no error, where the replay has {error!r}"
    sweep = sweep_runs(runs, configs, **options)
    n_cells = 0
    for row, column, replay in _cells(replays):
        difference = _difference(sweep, row, column, replay)
        if difference is not None:
            listed = ", ".join(map(format_callback, replay.callbacks))
            return n_cells, f"{difference} in run {row}, config {column}: [{listed}]"
        n_cells += 1
    return n_cells, None


def _cells(replays: list[list[Replay]]) -> Iterator[tuple[int, int, Replay]]:
    for row, of_run in enumerate(replays):
        for column, replay in enumerate(of_run):
            yield row, column, replay


_CODES = {"exact": 0, "censored": 1, "diverged": 2, "incomplete": 3}


def _difference(sweep: Any, row: int, column: int, replay: Replay) -> str | None:
    """Return what a cell of a sweep says otherwise than its replay."""
    outcome = replay.outcome
    made = replay.reductions
    told: dict[str, tuple[Any, Any]] = {
        "stopped_epoch": (sweep.stopped, replay.stopped_epoch),
        "kept_epoch": (sweep.kept, replay.kept_epoch),
        "divergence_epoch": (sweep.diverged, replay.divergence_epoch),
        "gap_epoch": (sweep.incomplete, replay.gap_epoch),
        "kept_value": (sweep.judged, outcome.kept_value),
        "regret": (sweep.ranked, outcome.regret),
        "first_reduction_epoch": (sweep.reduced, made[0].epoch if made else None),
    }
    for name, (mask, expected) in told.items():
        value = getattr(sweep, name)[row, column].item()
        found = value if mask[row, column] else None
        if found != expected:
            return f"{name} is {found!r}, not {expected!r}"
    plain = {
        "evidence": _CODES[replay.evidence],
        "provisional": bool(outcome.provisional),
        "trained_epochs": outcome.trained_epochs,
        "epochs_saved": outcome.epochs_saved,
        "n_reductions": len(made),
    }
    for name, expected in plain.items():
        found = getattr(sweep, name)[row, column].item()
        if found != expected:
            return f"{name} is {found!r}, not {expected!r}"
    seconds = sweep.seconds_saved[row, column].item()
    found = None if math.isnan(seconds) else seconds
    if found != outcome.seconds_saved:
        return f"seconds_saved is {found!r}, not {outcome.seconds_saved!r}"
    return None


def compare_cells(question: Question) -> tuple[int, str | None]:
    """Read every cell from a sweep's arrays and from a replay of its own.

    Returns
    -------
    n_cells : int
        How many agree; 0 where arrays do not hold all of a cell, or it cannot be
        replayed.
    difference : str or None
        The first one, in any field, or in the notes of a run.
    """
    runs, configs, judging = (
        question.runs,
        question.configs,
        Judging(**question.options),
    )
    if not isinstance(configs, Grid) or not reads_from_sweep(configs):
        return 0, None
    try:
        replays = [
            replay_run(run, config, judging=judging)
            for run in runs
            for config in configs
        ]
    except CbreplayError:
        return 0, None
    expected = read_replays(runs, configs, replays)
    found = read_sweep(sweep_runs(runs, configs, judging=judging))
    for name, column in expected.columns.items():
        if found.columns[name] != column:
            pairs = zip(found.columns[name], column, strict=True)
            place, pair = next(
                (at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1]
            )
            return 0, f"{name} of cell {place} is {pair[0]!r}, not {pair[1]!r}"
    for name in ("rules", "judged_by", "notes"):
        ours, theirs = (_unordered(getattr(one, name)) for one in (found, expected))
        if ours != theirs:
            return 0, f"{name} is {ours}, not {theirs}"
    return len(replays), None


def compare_shared(question: Question) -> tuple[int, str | None]:
    """Hold the replays that cells share to the replay of each cell by itself.

    Returns what `compare_cells` does.
    """
    runs, configs, judging = (
        question.runs,
        question.configs,
        Judging(**question.options),
    )
    if not isinstance(configs, Grid):
        return 0, None
    try:
        alone = [
            replay_run(run, config, judging=judging)
            for run in runs
            for config in configs
        ]
    except CbreplayError:
        return 0, None
    shared, untraced = (
        SharedReplays.of_grid(runs, configs, judging, whole_trace=traced).every()
        for traced in (True, False)
    )
    for place, (found, expected) in enumerate(zip(shared, alone, strict=True)):
        ours, theirs = _decided(found), _decided(expected)
        if ours != theirs:
            return 0, f"cell {place} is {ours}, not {theirs}"
    without, with_traces = (
        repr(read_replays(runs, configs, replays).columns)
        for replays in (untraced, alone)
    )
    if without != with_traces:
        return 0, f"without their traces cells are {without}, not {with_traces}"
    return len(alone), None


def _decided(replay: Replay) -> str:
    """Write all that a replay says but for its callbacks and its trace; NaN is NaN."""
    rate = replay.learning_rate
    said = replay._asdict() | {
        "callbacks": None,
        "trace": None,
        "learning_rate": None if rate is None else rate.values.tolist(),
    }
    return repr(said)


def _unordered(value: Any) -> Any:
    """Return what is named without its order; the notes of each run, too."""
    if callable(value):
        return [sorted(notes) for notes in value()]
    return sorted(value)
