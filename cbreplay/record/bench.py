"""Several seeds of one experiment, at once in processes; whole runs are kept."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import OutputError
from cbreplay.record.description import describe_keras
from cbreplay.record.keras_callbacks import describe_callback, make_keras_callback
from cbreplay.record.plan import make_plan
from cbreplay.record.run_directory import ELSEWHERE, clear_run, read_contents
from cbreplay.record.train import import_training, train_experiment
from cbreplay.run_lock import refuse_second_writer

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cbreplay.record.plan import ExperimentPlan

__all__ = ["SeedRun", "train_seeds"]


class SeedRun(NamedTuple):
    """The run of one seed.

    Parameters
    ----------
    path : Path
        Its directory.
    trained : bool
        Whether it was trained now; else it lay there whole.
    """

    path: Path
    trained: bool


def train_seeds(
    experiment: str,
    directories: Mapping[int, str | os.PathLike[str]],
    *,
    jobs: int = 1,
    callbacks: Sequence[Any] = (),
    on_epoch: Callable[[Path, int, Mapping[str, float]], None] | None = None,
    **settings: Any,  # noqa: ANN401 - as train_experiment takes them
) -> Iterator[SeedRun]:
    """Train an experiment once a seed; a run that lies there whole is kept.

    A run that was killed, interrupted or failed is trained again from its first epoch:
    by its seed it becomes what it would have been. So the same call goes on where an
    earlier one was broken off.

    Parameters
    ----------
    experiment : str
        As in `train_experiment`.
    directories : mapping of int to path
        The run directory of each seed.
    jobs : int
        How many to train at once, each in a process of its own. The logs are the same,
        byte for byte, for any number.
    callbacks : sequence
        As in `train_experiment`; with several jobs they go to other processes.
    on_epoch : callable, optional
        Called with the directory, each epoch and its logs, if there is one job.
    **settings
        The other arguments of `train_experiment`.

    Yields
    ------
    SeedRun
        In the order of `directories`.

    Raises
    ------
    ConfigError, MissingExtraError, OutputError, UnknownMonitorError
        As `train_experiment`; also if a directory holds a run of other settings.
    """
    train = functools.partial(_train_seed, experiment, tuple(callbacks), settings)
    places = [(seed, Path(out)) for seed, out in directories.items()]
    if jobs == 1:
        for seed, out in places:
            shown = functools.partial(on_epoch, out) if on_epoch else None
            yield train((seed, out), shown)
        return
    with ProcessPoolExecutor(
        min(jobs, len(places)), get_context("spawn"), initializer=_begin_worker
    ) as workers:
        try:
            yield from workers.map(train, places)
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_worker() -> None:
    """End at once with Ctrl-C: the run is trained again by the next call."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _train_seed(
    experiment: str,
    callbacks: Sequence[Any],
    settings: Mapping[str, Any],
    place: tuple[int, Path],
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> SeedRun:
    seed, out = place
    # what Keras's callbacks print is not what was asked for
    with contextlib.redirect_stdout(sys.stderr):
        if _is_whole(experiment, seed, out, callbacks, settings):
            return SeedRun(out, trained=False)
        path = train_experiment(
            experiment,
            out=out,
            seed=seed,
            callbacks=callbacks,
            on_epoch=on_epoch,
            **settings,
        )
    return SeedRun(path, trained=True)


def _is_whole(
    experiment: str,
    seed: int,
    out: Path,
    callbacks: Sequence[Any],
    settings: Mapping[str, Any],
) -> bool:
    """Tell whether a run is there already; what is left of a broken one is removed."""
    held = {} if settings.get("append") else read_contents(out)
    if not held:
        return False
    refuse_second_writer(out)
    expected = _expected(_plan(experiment, seed, **settings), callbacks)
    found = _told(held)
    for name, value in expected.items():
        if found[name] != value:
            reason = f"it holds a run whose {name} is {found[name]!r}, not {value!r}"
            raise OutputError(str(out), reason, hint=ELSEWHERE)
    ended = held.get("ended") or {}
    if ended.get("by") in (None, "interrupt", "error"):
        clear_run(out)
        return False
    return True


def _plan(
    experiment: str,
    seed: int,
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    validation_freq: int = 1,
    append: bool = False,  # noqa: ARG001 - a new run: it is False
) -> ExperimentPlan:
    return make_plan(
        experiment,
        seed=seed,
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        validation_freq=validation_freq,
    )


def _expected(plan: ExperimentPlan, callbacks: Sequence[Any]) -> dict[str, Any]:
    """Return what decides the numbers of a run."""
    import_training()
    import numpy as np

    rate = plan.learning_rate or plan.experiment.learning_rate
    return {
        "experiment": plan.name,
        "seed": plan.seed,
        "epochs": plan.epochs,
        "initial_epoch": 0,
        "batch_size": plan.batch_size,
        "validation_freq": plan.validation_freq,
        # Keras holds it so
        "learning_rate": float(np.float32(rate)),
        "callbacks": [
            describe_callback(make_keras_callback(callback)) for callback in callbacks
        ],
        "keras": describe_keras(),
    }


def _told(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``run.json`` says of the same; None where it does not."""
    fit = held.get("fit") or {}
    texts = held.get("callbacks") or []
    return {
        "experiment": held.get("experiment"),
        "seed": held.get("seed"),
        **{name: fit.get(name) for name in _OF_FIT},
        "learning_rate": (held.get("optimizer") or {}).get("initial_learning_rate"),
        "callbacks": [text for text in texts if not text.startswith(_LOGGERS)],
        "keras": held.get("keras"),
    }


_OF_FIT = ("epochs", "initial_epoch", "batch_size", "validation_freq")
_LOGGERS = ("CSVLogger(", "TensorBoard(")
