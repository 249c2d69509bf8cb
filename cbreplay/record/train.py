"""Train a bundled experiment and leave a run directory."""

from __future__ import annotations

import contextlib
import copy
import functools
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError, MissingExtraError, OutputError
from cbreplay.record.description import describe_run, metric_directions
from cbreplay.record.experiments import build_model, split_examples
from cbreplay.record.keras_callbacks import (
    check_monitors,
    check_rate_column,
    describe_callback,
    make_keras_callback,
)
from cbreplay.record.plan import check_plan_resumes, make_plan, next_epoch
from cbreplay.record.run_directory import (
    ELSEWHERE,
    EVENTS,
    LOGS,
    STATE,
    check_vacant,
    logged_columns,
    make_run_directory,
    read_contents,
    read_resumable,
    write_metadata,
)
from cbreplay.system.interrupts import is_interrupt, undisturbed
from cbreplay.system.run_lock import RunLock, refuse_second_writer
from cbreplay.system.silence import silenced_tensorflow

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from cbreplay.record.experiments import Examples
    from cbreplay.record.fit import WatchedFit
    from cbreplay.record.plan import ExperimentPlan

__all__ = [
    "build_for_fit",
    "build_untrained",
    "import_training",
    "seed_everything",
    "train_experiment",
]


@checked
def train_experiment(
    experiment: str,
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    seed: int = 0,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    validation_freq: int | None = None,
    callbacks: Sequence[Any] = (),
    append: bool = False,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Path:
    """Train a bundled experiment under CSVLogger and TensorBoard.

    The same arguments on the same machine give the same ``logs.csv``, byte for byte.
    For that the random state of Python, numpy and TensorFlow is seeded, and
    TensorFlow's operations are made deterministic for the rest of the process.

    Parameters
    ----------
    experiment : str
        A name in ``record.EXPERIMENTS``.
    out : path
        The run directory: made here, or with `append` the run to resume. It holds
        ``logs.csv``, ``tensorboard/``, ``run.json``, and ``resume.keras``, the model
        as the fit left it, which only `append` needs.
    epochs : int, optional
        As in ``Model.fit``: the absolute end, also of a resumed fit.
    seed : int
        Decides the split into training and validation, the first weights, the order
        of the batches.
    learning_rate : float, optional
        The optimizer's first rate. A resumed fit goes on at the rate it ended with.
    batch_size : int, optional
        Examples per step.
    validation_freq : int, optional
        As in ``Model.fit``; the experiment's own by default.
    callbacks : sequence
        Keras's callbacks or cbreplay's, in fit's order. They come before CSVLogger
        and TensorBoard, so that a reduced learning rate is logged.
    append : bool
        Resume the run in `out` with its model and optimizer, and log into the same
        files. The callbacks are new; they remember nothing of the earlier fit. An
        experiment that is resumed does so itself, unless a callback stops its first
        fit.
    on_epoch : callable, optional
        Called with each epoch and its logs, for showing progress.

    Returns
    -------
    Path
        The run directory.

    Raises
    ------
    ConfigError
        If an argument has an impossible value, or there is no run to resume.
    MissingExtraError
        If Keras, TensorFlow, TensorBoard or scikit-learn is not installed.
    OutputError
        If the directory is not empty or cannot be written, or if another process
        writes a run into it.
    UnknownMonitorError
        If a callback monitors what this experiment does not log.
    """
    plan = make_plan(
        experiment,
        epochs=epochs,
        seed=seed,
        learning_rate=learning_rate,
        batch_size=batch_size,
        validation_freq=validation_freq,
    )
    path = Path(out)
    if not append and plan.first_fit_epochs < plan.epochs:
        return _train_two_fits(plan, path, callbacks, on_epoch)
    # checked before the import of TensorFlow, which takes seconds
    refuse_second_writer(path)
    earlier = _begin_with(path, append=append)
    import_training()
    users = _prepare(plan, path, callbacks, earlier)
    with RunLock(path) as lock:
        # another process may have written a run meanwhile
        if _begin_with(path, append=append) != earlier:
            reason = "another run was written into it meanwhile"
            raise OutputError(str(path), reason, hint="Try again")
        with _failures_named(path, lock):
            _train(plan, path, users, earlier, on_epoch)
    return path


def _prepare(
    plan: ExperimentPlan,
    out: Path,
    callbacks: Sequence[Any],
    earlier: Mapping[str, Any] | None,
) -> list[Any]:
    """Return Keras's callbacks, checked against the plan; make a new directory."""
    users = [make_keras_callback(callback) for callback in callbacks]
    check_monitors(users, plan.experiment.metric, run=plan.name)
    if earlier is not None:
        check_plan_resumes(plan, earlier)
        check_rate_column(users, logged_columns(out), source=str(out / LOGS))
    else:
        make_run_directory(out)
    return users


def _train_two_fits(
    plan: ExperimentPlan,
    out: Path,
    callbacks: Sequence[Any],
    on_epoch: Callable[[int, Mapping[str, float]], None] | None,
) -> Path:
    """Train an experiment that is resumed, unless a callback stops its first fit."""
    train = functools.partial(
        train_experiment,
        plan.name,
        out=out,
        seed=plan.seed,
        batch_size=plan.batch_size,
        validation_freq=plan.validation_freq,
        on_epoch=on_epoch,
    )
    train(
        epochs=plan.first_fit_epochs,
        learning_rate=plan.learning_rate,
        # Keras's objects and the user's own are new in each fit too
        callbacks=copy.deepcopy(list(callbacks)),
    )
    if read_contents(out)["ended"]["by"] == "plan":
        train(epochs=plan.epochs, append=True, callbacks=callbacks)
    return out


def _begin_with(out: Path, *, append: bool) -> dict[str, Any] | None:
    """Return the ``run.json`` to resume; None for a new run, in an empty directory."""
    if append:
        return read_resumable(out)
    try:
        check_vacant(out)
    except OutputError as error:
        with contextlib.suppress(ConfigError):
            read_resumable(out)
            or_resume = ", or resume the run in it with --append or append=True."
            hint = error.hint + or_resume
            raise OutputError(error.path, error.reason, hint=hint) from None
        raise
    return None


def import_training() -> None:
    """Import what a training needs, before any directory is created.

    Raises
    ------
    MissingExtraError
        If something is not installed.
    """
    with silenced_tensorflow():
        for module in ("tensorflow", "keras", "tensorboard", "sklearn"):
            try:
                import_module(module)
            except ModuleNotFoundError as error:
                what = "training an experiment"
                raise MissingExtraError(what, extra="train", missing=module) from error


@contextlib.contextmanager
def _failures_named(out: Path, lock: RunLock) -> Iterator[None]:
    """Turn an OSError without a file name into an OutputError with the directory.

    If ``run.json`` does not tell how the fit ended, the lock file is left to say so.
    """
    try:
        yield
    except OSError as error:
        if not read_contents(out).get("ended"):
            lock.give_up()
        if isinstance(error, OutputError) or error.filename is not None:
            raise
        # a logger's file, whose name the error has lost
        reason = error.strerror or str(error)
        raise OutputError(str(out), reason, hint=ELSEWHERE) from error


def _train(
    plan: ExperimentPlan,
    out: Path,
    callbacks: Sequence[Any],
    earlier: Mapping[str, Any] | None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None,
) -> None:
    """Fit, and keep ``run.json`` up to date from the beginning to the end."""
    from cbreplay.record.fit import WatchedFit

    first_epoch = next_epoch(earlier) if earlier else 0
    seed_everything(plan.seed, first_epoch)
    training, validation = split_examples(plan.experiment, plan.seed)
    model = build_for_fit(plan, out, training, resumed=earlier is not None)
    fit = WatchedFit(model, out, callbacks, first_epoch=first_epoch)
    contents = _as_resumed(_describe(plan, fit, len(training.inputs)), earlier)
    earlier_seconds = float((earlier or {}).get("wall_seconds") or 0.0)
    with _recording_the_end(fit, out, contents, earlier_seconds):
        model.fit(
            *training,
            validation_data=validation,
            epochs=plan.epochs,
            initial_epoch=first_epoch,
            batch_size=plan.batch_size,
            validation_freq=plan.validation_freq,
            callbacks=fit.callbacks_list(on_epoch),
            verbose=0,
        )


@contextlib.contextmanager
def _recording_the_end(
    fit: WatchedFit, out: Path, contents: dict[str, Any], earlier_seconds: float
) -> Iterator[None]:
    """Write ``run.json``, and write it anew when the fit has ended, however it did."""
    began = time.perf_counter()
    by = "interrupt"
    try:
        write_metadata(out, contents)
        yield
        by = fit.stopped_by or "plan"
    except Exception as error:
        by = "interrupt" if is_interrupt(error) else "error"
        raise
    finally:
        # undisturbed: a second interrupt must not keep the end from being recorded
        with undisturbed():
            if by in ("interrupt", "error"):
                fit.break_off()
            fit.log.check_is_there()
            seconds = round(time.perf_counter() - began, 3)
            contents["wall_seconds"] = seconds + earlier_seconds
            contents["ended"] = {"by": by, "epoch": fit.last_epoch}
            try:
                fit.save_state()
            finally:
                write_metadata(out, contents)


def seed_everything(seed: int, first_epoch: int) -> None:
    """Seed all random numbers; a resumed fit gets others than the first."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed((seed + first_epoch) % 2**32)
    tf.config.experimental.enable_op_determinism()


def build_for_fit(
    plan: ExperimentPlan, out: Path, training: Examples, *, resumed: bool
) -> Any:  # noqa: ANN401 - keras is untyped
    """Return the built model, new or as the earlier fit left it.

    Only numbers are read from the file in the run directory: to load a whole model from
    it could run any code.

    Raises
    ------
    ConfigError
        If they are not those of this experiment.
    """
    model = build_untrained(plan, training)
    if not resumed:
        return model
    try:
        model.load_weights(out / STATE)
    # zipfile, HDF5 and Keras each have errors of their own
    except Exception as error:  # noqa: BLE001
        reason = str(error).strip().partition("\n")[0]
        sentence = (
            f"the run in {str(out)!r} cannot be resumed: its {STATE} does not hold the "
            f"state of {plan.name} ({reason})"
        )
        raise ConfigError(sentence) from None
    return model


def build_untrained(plan: ExperimentPlan, training: Examples) -> Any:  # noqa: ANN401 - keras is untyped
    """Return the model before its first epoch, with metrics and optimizer built.

    With TensorFlow, Keras builds these in the first step only; here the directions of
    the metrics and the state of the optimizer are needed before.
    """
    learning_rate = plan.learning_rate or plan.experiment.learning_rate
    model = build_model(plan.experiment, training.inputs.shape[1:], learning_rate)
    first = training.inputs[:1]
    model.compute_metrics(first, training.targets[:1], model(first))
    model.reset_metrics()
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return model


def _describe(plan: ExperimentPlan, fit: WatchedFit, n_examples: int) -> dict[str, Any]:
    """Return what ``run.json`` says when a fit begins."""
    optimizer = fit.model.optimizer
    return describe_run(
        {
            "epochs": plan.epochs,
            "initial_epoch": fit.first_epoch,
            "validation_freq": plan.validation_freq,
            "batch_size": plan.batch_size,
            "steps": -(-n_examples // plan.batch_size),
        },
        [
            *map(describe_callback, fit.callbacks),
            f"CSVLogger({LOGS!r}{', append=True' if fit.first_epoch else ''})",
            f"TensorBoard({EVENTS!r})",
        ],
        metrics=metric_directions(fit.model),
        optimizer={
            "class": type(optimizer).__name__,
            "initial_learning_rate": float(optimizer.learning_rate.numpy()),
            "schedule": None,
        },
        named={"experiment": plan.name, "seed": plan.seed},
    )


def _as_resumed(
    contents: dict[str, Any], earlier: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what ``run.json`` says about a fit, with the fits that it resumes."""
    if not earlier:
        return contents
    resumed = {key: earlier[key] for key in _FIT_KEYS if key in earlier}
    return {
        **earlier,
        **contents,
        "started": earlier.get("started", contents["started"]),
        "earlier_fits": [*earlier.get("earlier_fits", []), resumed],
    }


# the members of run.json that are kept of an earlier fit
_FIT_KEYS = ("fit", "callbacks", "ended", "optimizer")
