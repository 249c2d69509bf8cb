"""Train a recorded experiment again, in memory, and collect what can be compared."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.record.experiments import split_examples
from cbreplay.record.keras_callbacks import make_keras_callback
from cbreplay.record.run_directory import STATE
from cbreplay.record.seen_training import SeenEpochs, read_files
from cbreplay.record.train import (
    build_for_fit,
    build_untrained,
    import_training,
    seed_everything,
)
from cbreplay.system.whole_files import passing_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.record.plan import RecordedFit
    from cbreplay.record.seen_training import Retraining

__all__ = ["RetrainedModel", "confined", "confined_path", "with_file_at"]


class RetrainedModel:
    """An experiment's model, which is reset to its first weights before each run.

    It is built and compiled once, so that a training costs little more than its steps.
    A run of several fits is resumed as it was recorded: with the saved model of the fit
    before, or, if that was broken off, with what BackupAndRestore restores. `on_epoch`
    is called after each epoch.
    """

    def __init__(
        self, fits: Sequence[RecordedFit], on_epoch: Callable[[], None] | None = None
    ) -> None:
        import_training()
        self._on_epoch = on_epoch
        self._fits = fits
        plan = fits[0].plan
        seed_everything(plan.seed, 0)
        self._training, self._validation = split_examples(plan.experiment, plan.seed)
        self._model = build_untrained(plan, self._training)
        variables = [*self._model.variables, *self._model.optimizer.variables]
        self._first = [(each, each.numpy().copy()) for each in variables]

    def train_as_recorded(self) -> Retraining:
        """Train every recorded fit, each under its own recorded callbacks."""
        seen = SeenEpochs(self._on_epoch)
        with _own_directory():
            model = self._begin_first()
            users: list[Any] = []
            for number, fit in enumerate(self._fits):
                users = _made_anew([confined(each) for each in fit.callbacks])
                model = self._fit(model, number, users, seen)
            return self._told(model, users, seen)

    def train(self, callbacks: Sequence[Any], *, kept: bool = False) -> Retraining:
        """Train from the first epoch on, under Keras's own callbacks.

        The files of a ModelCheckpoint go into a temporary directory. Keras's and the
        user's own objects are copied first. `kept` is whether later fits have the
        instances of the first, or new ones.
        """
        seen = SeenEpochs(self._on_epoch)
        with _own_directory():
            model = self._begin_first()
            users = _made_anew(callbacks)
            for number, _ in enumerate(self._fits):
                if number and not kept:
                    users = _made_anew(callbacks)
                model = self._fit(model, number, users, seen)
                if model.stop_training:
                    # a training that was stopped is not resumed
                    break
            return self._told(model, users, seen)

    def _begin_first(self) -> Any:  # noqa: ANN401 - keras is untyped
        seed_everything(self._fits[0].plan.seed, 0)
        for variable, number in self._first:
            variable.assign(number)
        return self._model

    def _fit(
        self,
        model: Any,  # noqa: ANN401 - keras is untyped
        number: int,
        users: Sequence[Any],
        seen: SeenEpochs,
    ) -> Any:  # noqa: ANN401 - keras is untyped
        """Train one fit, and return the model that it trained."""
        fit, plan = self._fits[number], self._fits[number].plan
        restored = number > 0 and self._fits[number - 1].broken_off
        if number:
            model = self._resumed(model, fit)
        if restored:
            # zeros, so that all numbers certainly come from the backup
            for variable in [*model.trainable_variables, *model.optimizer.variables]:
                variable.assign(variable.numpy() * 0)
        breaks_at = None
        if fit.broken_off and number + 1 < len(self._fits):
            breaks_at = self._fits[number + 1].first_epoch
        with _naming_refusals(), contextlib.suppress(_BrokenOff):
            model.fit(
                *self._training,
                validation_data=self._validation,
                epochs=plan.epochs,
                # BackupAndRestore sets the epoch itself
                initial_epoch=0 if restored else fit.first_epoch,
                batch_size=plan.batch_size,
                validation_freq=plan.validation_freq,
                callbacks=[
                    seen.watcher(),
                    *users,
                    seen.logger(),
                    *_backing_up(breaks_at, restored=restored),
                ],
                verbose=0,
            )
        return model

    def _resumed(self, model: Any, fit: RecordedFit) -> Any:  # noqa: ANN401 - keras is untyped
        """Return the model as a script has it that loads the saved one."""
        with passing_directory() as directory:
            model.save(Path(directory) / STATE)
            seed_everything(fit.plan.seed, fit.first_epoch)
            return build_for_fit(
                fit.plan, Path(directory), self._training, resumed=True
            )

    def _told(self, model: Any, users: Sequence[Any], seen: SeenEpochs) -> Retraining:  # noqa: ANN401 - keras is untyped
        evaluated = model.evaluate(
            *self._validation,
            batch_size=self._fits[-1].plan.batch_size,
            return_dict=True,
            verbose=0,
        )
        return seen.told(
            model,
            users,
            evaluated={f"val_{name}": float(each) for name, each in evaluated.items()},
            files=dict(read_files(model, Path())),
        )


class _BrokenOff(Exception):  # noqa: N818 - stands for the end of a process
    """Ends a fit early, as an interrupt would."""


@contextlib.contextmanager
def _naming_refusals() -> Iterator[None]:
    """Turn Keras's errors about callbacks of a run.json into a ConfigError."""
    try:
        yield
    except (CbreplayError, MemoryError, OSError):
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        sentence = f"Keras does not train under these callbacks ({said[:_MOST_SAID]})"
        raise ConfigError(sentence) from error


_MOST_SAID = 300


def _made_anew(callbacks: Sequence[Any]) -> list[Any]:
    """Return new Keras objects for callbacks; the user's own objects are copied."""
    # copied together: a callback may hold another one of the list
    return copy.deepcopy([make_keras_callback(each) for each in callbacks])


def _backing_up(breaks_at: int | None, *, restored: bool) -> Iterator[Any]:
    """Yield the callbacks of a fit that is broken off, or resumes one that was."""
    from keras.callbacks import BackupAndRestore, LambdaCallback

    if breaks_at is None and not restored:
        return
    yield BackupAndRestore("backup of the fit")

    def break_off(epoch: int, _logs: object) -> None:
        if epoch == breaks_at:
            raise _BrokenOff

    yield LambdaCallback(on_epoch_begin=break_off)


@contextlib.contextmanager
def _own_directory() -> Iterator[None]:
    before = Path.cwd()
    with passing_directory() as directory:
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def confined(callback: Any) -> Any:  # noqa: ANN401 - one of our rules
    """Return a rule that writes its files into the directory of the training.

    Raises
    ------
    ConfigError
        If a field in its file name could lead to another directory.
    """
    return with_file_at(callback, _confined_file)


def with_file_at(callback: Any, place: Callable[[str], str]) -> Any:  # noqa: ANN401 - one of our rules
    """Return a rule with ``place(path)`` as its file; one without a file as it is."""
    path = getattr(callback, "filepath", None)
    if path is None or not dataclasses.is_dataclass(callback):
        return callback
    return dataclasses.replace(callback, filepath=place(path))  # type: ignore[type-var]  # a rule with this field


def _confined_file(path: str) -> str:
    if _makes_a_path(path):
        sentence = (
            f"filepath={path!r} fills up a number with what leads to another "
            "directory, and is not trained with"
        )
        raise ConfigError(sentence)
    return confined_path(path)


def _makes_a_path(path: str) -> bool:
    """Tell whether a field in braces may write a path, as ``{epoch!s:/>1.0}``."""
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


# in the format of a field, the character after the one that it is filled up with
_ALIGNS = ("<", ">", "=", "^")
# with {, a field inside a field, which may hold anything
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
