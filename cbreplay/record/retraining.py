"""Train a recorded experiment again, in memory, and keep all that can be compared."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.errors import ConfigError
from cbreplay.record.description import read_rate
from cbreplay.record.experiments import split_examples
from cbreplay.record.keras_callbacks import make_keras_callback
from cbreplay.record.plan import make_plan
from cbreplay.record.train import build_untrained, import_training, seed_everything
from cbreplay.rules.registry import stopping_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.record.plan import ExperimentPlan
    from cbreplay.run import Run

__all__ = ["RetrainedModel", "Retraining", "confined", "confined_path", "planned_again"]


class Retraining(NamedTuple):
    """What a training did.

    Parameters
    ----------
    logs : tuple of mapping
        The ``logs`` of each epoch, as the callbacks saw them.
    rates : tuple of float
        The learning rate that each epoch was trained at.
    weights : tuple of str
        A digest of the weights at the end of each epoch, before anything is put back.
    left : str
        That of the weights when ``fit`` had returned.
    stopped : bool
        Whether a callback stopped it.
    best : tuple of (int or None, float or None) or None
        Epoch and value of the first EarlyStopping; None without one.
    evaluated : mapping of str to float
        The validation of the weights that were left.
    files : mapping of str to str
        A digest of the weights in each file that a ModelCheckpoint left, by its
        `confined_path`.
    """

    logs: tuple[Mapping[str, float], ...]
    rates: tuple[float | None, ...]
    weights: tuple[str, ...]
    left: str
    stopped: bool
    best: tuple[int | None, float | None] | None
    evaluated: Mapping[str, float]
    files: Mapping[str, str]


def planned_again(run: Run) -> ExperimentPlan:
    """Return the settings that a recorded experiment was trained with.

    Raises
    ------
    ConfigError
        If the run is no bundled experiment, or resumed an earlier fit.
    """
    told: Mapping[str, Any] = {} if run.metadata is None else run.metadata.raw
    if run.metadata is None or not isinstance(told.get("experiment"), str):
        sentence = (
            f"run {run.name!r} cannot be trained again: its run.json names no "
            "experiment. Give a run of cbreplay train"
        )
        raise ConfigError(sentence)
    if run.metadata.earlier_fits:
        sentence = (
            f"run {run.name!r} resumed an earlier fit, and only a training from the "
            "first epoch on can be trained again"
        )
        raise ConfigError(sentence)
    fit = told.get("fit") or {}
    return make_plan(
        told["experiment"],
        epochs=fit.get("epochs"),
        seed=told.get("seed", 0),
        learning_rate=run.metadata.initial_learning_rate,
        batch_size=fit.get("batch_size"),
        validation_freq=fit.get("validation_freq") or 1,
    )


class RetrainedModel:
    """An experiment's model, which is put back to its first weights before each fit.

    It is built and compiled once, so that a training costs little more than its steps.

    Parameters
    ----------
    plan : ExperimentPlan
        The experiment, its seed and its settings.
    """

    def __init__(self, plan: ExperimentPlan) -> None:
        import_training()
        seed_everything(plan.seed, 0)
        self._plan = plan
        self._training, self._validation = split_examples(plan.experiment, plan.seed)
        self._model = build_untrained(plan, self._training)
        variables = [*self._model.variables, *self._model.optimizer.variables]
        self._first = [(each, each.numpy().copy()) for each in variables]

    def train(self, callbacks: Sequence[Any]) -> Retraining:
        """Train from the first epoch on, under Keras's own callbacks.

        Parameters
        ----------
        callbacks : sequence
            cbreplay's callbacks or Keras's, in fit's order. The files of a
            ModelCheckpoint go into a directory that is gone afterwards.
        """
        users = [make_keras_callback(each) for each in callbacks]
        seed_everything(self._plan.seed, 0)
        for variable, number in self._first:
            variable.assign(number)
        with _own_directory():
            return self._fit(users)

    def _fit(self, users: Sequence[Any]) -> Retraining:
        model, plan = self._model, self._plan
        logs: list[dict[str, float]] = []
        rates: list[float | None] = []
        weights: list[str] = []
        model.fit(
            *self._training,
            validation_data=self._validation,
            epochs=plan.epochs,
            batch_size=plan.batch_size,
            validation_freq=plan.validation_freq,
            callbacks=[_watcher(model, weights), *users, _logger(model, logs, rates)],
            verbose=0,
        )
        evaluated = model.evaluate(
            *self._validation, batch_size=plan.batch_size, return_dict=True, verbose=0
        )
        return Retraining(
            logs=tuple(logs),
            rates=tuple(rates),
            weights=tuple(weights),
            left=digest_weights(model),
            stopped=bool(model.stop_training),
            best=_best(users),
            evaluated={f"val_{name}": float(each) for name, each in evaluated.items()},
            files=dict(_read_files(model)),
        )


@contextlib.contextmanager
def _own_directory() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def confined(callback: Any) -> Any:  # noqa: ANN401 - one of our rules
    """Return a rule whose files lie in the directory where it is trained.

    Raises
    ------
    ConfigError
        If the numbers that its file name takes in can make another path of it.
    """
    path = getattr(callback, "filepath", None)
    if path is None or not dataclasses.is_dataclass(callback):
        return callback
    if _makes_a_path(path):
        sentence = (
            f"filepath={path!r} fills up a number with what leads to another "
            "directory, and is not trained with"
        )
        raise ConfigError(sentence)
    return dataclasses.replace(callback, filepath=confined_path(path))  # type: ignore[type-var]  # a rule with this field


def _makes_a_path(path: str) -> bool:
    """Tell whether what stands in brackets can be a path, as ``{epoch!s:/>1.0}``."""
    try:
        fields = [*string.Formatter().parse(path)]
    except ValueError:
        return True
    for _, name, spec, _ in fields:
        held = f"{name or ''}{spec or ''}"
        fills_with_dots = (spec or "")[:1] == "." and (spec or "")[1:2] in _ALIGNS
        if fills_with_dots or not _SEPARATORS.isdisjoint(held):
            return True
    return False


# in a field's format, behind the sign that fills it up
_ALIGNS = ("<", ">", "=", "^")
# and what may hold any of it: a field in a field
_SEPARATORS = frozenset("/\\{")


def confined_path(path: str) -> str:
    """Return the place of a file in the directory of a training; no two share one.

    >>> confined_path("./a/best.keras"), confined_path("../b/../best.keras")
    ('a/best.keras', 'outside this directory/1/best.keras')
    """
    parts = Path(os.path.normpath(path)).parts
    n_above = sum(part == os.pardir for part in parts)
    inside = Path(*parts[n_above:])
    if inside.is_absolute():
        inside = inside.relative_to(inside.anchor)
    elif not n_above:
        return inside.as_posix()
    return (Path("outside this directory") / str(n_above) / inside).as_posix()


def _watcher(model: Any, weights: list[str]) -> Any:  # noqa: ANN401 - keras is untyped
    """See the weights of an epoch before any callback puts others in their place."""
    from keras.callbacks import LambdaCallback

    def see(_epoch: int, _logs: object) -> None:
        weights.append(digest_weights(model))

    return LambdaCallback(on_epoch_end=see)


def _logger(model: Any, logs: list[Any], rates: list[float | None]) -> Any:  # noqa: ANN401 - keras is untyped
    """See the rate when every callback has begun an epoch, and the logs at its end."""
    from keras.callbacks import LambdaCallback

    return LambdaCallback(
        on_epoch_begin=lambda _epoch, _logs: rates.append(read_rate(model)),
        on_epoch_end=lambda _epoch, seen: logs.append(dict(seen)),
    )


def digest_weights(model: Any) -> str:  # noqa: ANN401 - keras is untyped
    """Return a text that two models share if their weights are equal bit for bit."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(array.tobytes())
    return digest.hexdigest()


def _best(users: Sequence[Any]) -> tuple[int | None, float | None] | None:
    import keras

    # Keras's class of this name
    kind = getattr(keras.callbacks, stopping_rule().__name__)
    for callback in users:
        if isinstance(callback, kind):
            best = callback.best
            return callback.best_epoch, None if best is None else float(best)
    return None


def _read_files(model: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - keras is untyped
    """Read what lies in the directory where the training left its files."""
    import keras

    for path in sorted(Path().rglob("*")):
        name = path.as_posix()
        if name.endswith(".weights.h5"):
            model.load_weights(path)
            yield name, digest_weights(model)
        elif path.suffix in (".keras", ".h5"):
            saved = keras.saving.load_model(path, compile=False)
            yield name, digest_weights(saved)
