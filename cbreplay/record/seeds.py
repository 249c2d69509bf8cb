"""Train several seeds of one experiment, in parallel; complete runs are kept."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from cbreplay.errors import ConfigError, OutputError
from cbreplay.record.description import describe_keras
from cbreplay.record.keras_callbacks import describe_callback, make_keras_callback
from cbreplay.record.plan import make_plan
from cbreplay.record.run_directory import ELSEWHERE, clear_run, read_contents
from cbreplay.record.train import import_training, train_experiment
from cbreplay.system.interrupts import heed_signals, interrupt
from cbreplay.system.run_lock import refuse_second_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from multiprocessing.connection import Connection
    from multiprocessing.queues import SimpleQueue
    from types import FrameType

    from cbreplay.record.plan import ExperimentPlan

    OnEpoch: TypeAlias = Callable[[Path, int, Mapping[str, float]], None]

__all__ = ["SeedRun", "train_seeds"]


class SeedRun(NamedTuple):
    """The directory of one seed's run; a complete one was not trained now."""

    path: Path
    trained: bool


def train_seeds(
    experiment: str,
    directories: Mapping[int, str | os.PathLike[str]],
    *,
    jobs: int = 1,
    callbacks: Sequence[Any] = (),
    on_epoch: OnEpoch | None = None,
    **settings: Any,  # noqa: ANN401 - as train_experiment takes them
) -> Iterator[SeedRun]:
    """Train an experiment once for each seed; a run that is complete already is kept.

    A run that was killed, interrupted or failed is trained again from its first epoch,
    with the same seed and so the same numbers. So the same call continues an earlier
    one that was broken off.

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
        Called with the directory, each epoch and its logs, in this process.
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
        for place in places:
            yield train(place, on_epoch)
        return
    context = get_context("spawn")
    epochs: SimpleQueue[_Epoch] = context.SimpleQueue()
    # workers see by this pipe that the parent has ended or is ending
    heard, held_open = context.Pipe(duplex=False)
    with ProcessPoolExecutor(
        min(jobs, len(places)),
        context,
        initializer=_begin_worker,
        initargs=(epochs, heard),
    ) as workers:
        runs: list[Future[SeedRun]] = []
        try:
            runs += (workers.submit(_train_in_worker, train, place) for place in places)
            for run in runs:
                _wait_for([run], epochs, on_epoch)
                yield _run_of(run)
        except BaseException as error:
            workers.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):
                held_open.close()
            # after an error the runs that have begun are trained to their end
            _wait_for(runs, epochs, None)
            raise


def _run_of(trained: Future[SeedRun]) -> SeedRun:
    try:
        return trained.result()
    except BrokenExecutor as error:
        sentence = (
            "a process that trained was lost: killed, or out of memory. The same "
            "command goes on with the runs that are not whole; give fewer jobs at once"
        )
        raise ConfigError(sentence) from error


_Epoch: TypeAlias = tuple[Path, int, dict[str, float]]
_SECONDS_BETWEEN_LOOKS = 0.2
# in a worker process: the queue into which it puts its epochs, and whether it trains
_told_to: list[SimpleQueue[_Epoch]] = []
_trains: list[bool] = []


def _begin_worker(epochs: SimpleQueue[_Epoch], parent: Connection) -> None:
    """Handle signals, so that the end of a run is recorded before the worker ends."""
    _told_to[:] = [epochs]
    heed_signals(_end_worker)
    # a process started in the background ignores interrupts; SIGTERM is never ignored
    signal.signal(signal.SIGTERM, _end_worker)
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()


def _end_worker(number: int, frame: FrameType | None) -> None:
    if not _trains:
        os._exit(128 + number)
    interrupt(number, frame)


def _end_with_parent(parent: Connection) -> None:
    """End this worker when the parent ends: nobody would read its epochs."""
    # nothing is ever sent: the pipe becomes readable when the parent's end is closed
    parent.poll(None)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_END)
    os._exit(1)


# how long a worker may take to end: nothing interrupts Keras while it traces a step
_SECONDS_TO_END = 20.0


def _train_in_worker(train: Callable[..., SeedRun], place: tuple[int, Path]) -> SeedRun:
    _trains.append(True)
    try:
        return train(place, _tell_parent)
    except KeyboardInterrupt:
        # this process has no other run to train
        os._exit(1)
    finally:
        _trains.clear()


def _tell_parent(directory: Path, epoch: int, logs: Mapping[str, float]) -> None:
    (epochs,) = _told_to
    epochs.put((directory, epoch, {name: float(logs[name]) for name in logs}))


def _wait_for(
    runs: Sequence[Future[SeedRun]],
    epochs: SimpleQueue[_Epoch],
    on_epoch: OnEpoch | None,
) -> None:
    """Wait for runs, and pass their epochs on: a full queue would block the workers."""
    while not all(run.done() for run in runs):
        wait(runs, timeout=_SECONDS_BETWEEN_LOOKS)
        _tell_epochs(epochs, on_epoch)
    _tell_epochs(epochs, on_epoch)


def _tell_epochs(epochs: SimpleQueue[_Epoch], on_epoch: OnEpoch | None) -> None:
    while not epochs.empty():
        told = epochs.get()
        if on_epoch is not None:
            on_epoch(*told)


def _train_seed(
    experiment: str,
    callbacks: Sequence[Any],
    settings: Mapping[str, Any],
    place: tuple[int, Path],
    on_epoch: OnEpoch | None,
) -> SeedRun:
    seed, out = place
    # what Keras's callbacks print is no part of the answer
    with contextlib.redirect_stdout(sys.stderr):
        if _is_whole(experiment, seed, out, callbacks, settings):
            return SeedRun(out, trained=False)
        path = train_experiment(
            experiment,
            out=out,
            seed=seed,
            callbacks=callbacks,
            on_epoch=functools.partial(on_epoch, out) if on_epoch else None,
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
    """Tell whether a complete run is there; one that was broken off is removed.

    A run of other settings is refused.
    """
    held = {} if settings.get("append") else read_contents(out)
    if not held:
        return False
    refuse_second_writer(out)
    asked = {name: value for name, value in settings.items() if name != "append"}
    plan = make_plan(experiment, seed=seed, **asked)
    expected, found = _expected(plan, callbacks), _told(held)
    ended = held.get("ended") or {}
    by_plan = ended.get("by") == "plan"
    is_first_of_two = found["epochs"] == plan.first_fit_epochs < plan.epochs
    if is_first_of_two:
        found["epochs"] = plan.epochs
    for name, value in expected.items():
        if found[name] != value:
            reason = f"it holds a run whose {name} is {found[name]!r}, not {value!r}"
            raise OutputError(str(out), reason, hint=ELSEWHERE)
    if ended.get("by") in (None, "interrupt", "error") or (is_first_of_two and by_plan):
        clear_run(out)
        return False
    return True


def _expected(plan: ExperimentPlan, callbacks: Sequence[Any]) -> dict[str, Any]:
    """Return the settings that determine the numbers of a run."""
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
        # Keras holds the rate in float32
        "learning_rate": float(np.float32(rate)),
        "callbacks": [
            describe_callback(make_keras_callback(callback)) for callback in callbacks
        ],
        "keras": describe_keras(),
    }


def _told(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same settings from a ``run.json``; None for those it lacks."""
    fit = held.get("fit") or {}
    texts = held.get("callbacks") or []
    first = next(iter(held.get("earlier_fits") or []), held)
    return {
        "experiment": held.get("experiment"),
        "seed": held.get("seed"),
        **{name: fit.get(name) for name in _OF_FIT},
        "initial_epoch": (first.get("fit") or {}).get("initial_epoch"),
        "learning_rate": (first.get("optimizer") or {}).get("initial_learning_rate"),
        "callbacks": [text for text in texts if not text.startswith(_LOGGERS)],
        "keras": held.get("keras"),
    }


_OF_FIT = ("epochs", "batch_size", "validation_freq")
_LOGGERS = ("CSVLogger(", "TensorBoard(")
