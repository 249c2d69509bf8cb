"""The callback that records the fit it is in."""

from __future__ import annotations

import atexit
import functools
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError, MissingExtraError
from cbreplay.record.description import describe_optimizer
from cbreplay.record.open_fit import FitFacts, OpenFit, tell_user
from cbreplay.record.run_directory import out_unnamed, place_record, take_directory
from cbreplay.system.silence import silenced_tensorflow

_MISSING = ""
try:
    with silenced_tensorflow():
        from keras import __version__
        from keras.callbacks import Callback
except ModuleNotFoundError as error:
    # `from cbreplay import *` and `help(cbreplay)` ask for the name without Keras too
    Callback, __version__, _MISSING = object, "", error.name or "keras"

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

__all__ = ["Recorder", "StopWitness", "check_keras", "witnessed"]


def check_keras() -> None:
    """Raise an error if Keras, or what it runs on, is missing or too old to record."""
    if _MISSING:
        what = "recording a training"
        raise MissingExtraError(what, extra="train", missing=_MISSING)
    if __version__.startswith(("1.", "2.")):
        sentence = (
            f"recording needs Keras 3, and this is Keras {__version__}; "
            "pip install 'cbreplay[train]' brings it"
        )
        raise ConfigError(sentence)


class Recorder(Callback):  # type: ignore[misc]  # keras is untyped
    """Record the fit that this callback is in, into a run directory.

    ``logs.csv`` holds the logs and the learning rate that each epoch was trained at,
    ``tensorboard/`` the event files, ``run.json`` the plan and how the fit ended. It
    changes no number of the training. A callback cannot see the list that it is in, nor
    ``validation_freq``, so these are null in ``run.json``; `recorded` writes the list.
    Put it last in the list, so that it logs what the others add.

    Parameters
    ----------
    directory : path
        The run directory: a new or empty one. A second fit with the same instance goes
        into ``<directory>-fit2`` beside it.

    Raises
    ------
    OutputError
        If something is in the directory already, or it cannot be written.
    """

    @checked
    def __init__(self, directory: str | os.PathLike[str]) -> None:
        check_keras()
        super().__init__()
        self.facts = FitFacts()
        self.stopped_by: str | None = None
        self.gave_up = False
        self._n_fits = 0
        self._fit: OpenFit | None = None
        self._optimizer: dict[str, Any] = {}
        self._directory = take_directory(place_record(Path(directory)))

    @property
    def directory(self) -> Path:
        """The run directory of the fit that runs, or of the last one."""
        if self._n_fits < _SECOND:
            return self._directory
        name = f"{self._directory.name}-fit{self._n_fits}"
        return self._directory.with_name(name)

    def break_off(self, error: BaseException | None) -> None:
        """End the record of a fit that did not come to its end.

        `error` is the exception that ended it; None if that is not known.
        """
        by = "unknown"
        if isinstance(error, KeyboardInterrupt):
            by = "interrupt"
        elif isinstance(error, Exception):
            by = "error"
        self._close(by)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 - Keras's signature
        """Prepare for a fit, and note its optimizer."""
        for recorder in list(_open):
            # a fit of the same model can only begin when the last one is over
            if recorder is self or recorder.model is self.model:
                recorder.break_off(None)
        self.stopped_by, self.gave_up = None, False
        self._safely(self._see_optimizer)

    def on_epoch_begin(
        self,
        epoch: int,
        logs: Mapping[str, Any] | None = None,  # noqa: ARG002 - Keras's signature
    ) -> None:
        """Begin the record with the first epoch: only now its number is known."""
        if self._optimizer:
            self._safely(self._begin, epoch)

    def on_train_batch_begin(
        self,
        batch: int,
        logs: Mapping[str, Any] | None = None,  # noqa: ARG002 - Keras's signature
    ) -> None:
        """Note the learning rate."""
        if self._fit is not None and self._fit.wants_rate(batch):
            # with JAX, this makes Keras update the state of the optimizer
            _ = self.model
            self._safely(self._fit.see_rate, batch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log an epoch."""
        if self._fit is not None:
            self._safely(self._fit.end_epoch, epoch, logs or {})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 - Keras's signature
        """Record how the fit ended."""
        by = "plan"
        if self.model.stop_training:
            by = self.stopped_by or "callback"
        self._close(by)

    def _see_optimizer(self) -> None:
        self._optimizer = describe_optimizer(self.model)

    @out_unnamed()
    def _begin(self, epoch: int) -> None:
        optimizer, self._optimizer = self._optimizer, {}
        self._n_fits += 1
        take_directory(self.directory)
        self._fit = OpenFit(
            self.directory,
            self.model,
            self.params,
            first_epoch=epoch,
            optimizer=optimizer,
            facts=self.facts,
        )
        _heed_the_end()
        _open.add(self)

    def _close(self, by: str) -> None:
        fit = self._fit
        if fit is not None:
            self._safely(fit.end, by)
            self.gave_up = self.gave_up or fit.lost_its_log
        self._fit = None
        _open.discard(self)

    def _safely(self, act: Callable[..., object], *arguments: object) -> None:
        """Record something; where that fails, the training goes on unrecorded."""
        try:
            act(*arguments)
        except Exception as error:  # noqa: BLE001 - a training is worth more than its log
            further = ""
            if self._fit is not None:
                further = " any further"
                self._fit.abandon()
            tell_user(f"this fit is not recorded{further}: {error}")
            self.gave_up = True
            self._fit, self._optimizer = None, {}
            _open.discard(self)


_SECOND = 2


class _Asking(Protocol):
    """An object that is told which callback stopped a training."""

    stopped_by: str | None


class StopWitness(Callback):  # type: ignore[misc]  # keras is untyped
    """See whether the callback before it in the list stopped the training.

    The first witness that finds ``model.stop_training`` set names the callback before
    it. It has only the hooks that this callback has, so that Keras need not fetch the
    numbers of every batch.

    Parameters
    ----------
    recorder : Recorder, or another object with `stopped_by`
        Gets the class name as its ``stopped_by``.
    callback : keras.callbacks.Callback
        The callback before it.
    """

    def __init__(self, recorder: _Asking, callback: Any) -> None:  # noqa: ANN401 - keras is untyped
        super().__init__()
        self._recorder, self.callback = recorder, callback
        for hook in _HOOKS:
            # Keras's own on_train_batch_end calls the older hook on_batch_end
            older = hook.replace("train_batch", "batch")
            if _has(callback, hook) or _has(callback, older):
                setattr(self, hook, self._look)

    def set_model(self, model: Any) -> None:  # noqa: ANN401 - keras is untyped
        """Keep the model: with JAX, Keras's own property copies its state each time."""
        super().set_model(model)
        self._watched = model

    def _look(self, *_: object, **_logs: object) -> None:
        if self._watched.stop_training and self._recorder.stopped_by is None:
            self._recorder.stopped_by = type(self.callback).__name__


def witnessed(recorder: _Asking, users: Iterable[Any]) -> list[Any]:
    """Return callbacks with a witness after each."""
    return [each for user in users for each in (user, StopWitness(recorder, user))]


# every hook in which a callback can stop a training
_HOOKS = (
    *("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"),
    *("on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"),
    "on_epoch_end",
)


def _has(callback: Any, hook: str) -> bool:  # noqa: ANN401 - keras is untyped
    """Tell whether a callback has a hook of its own."""
    own = getattr(type(callback), hook, None)
    return hook in vars(callback) or own is not getattr(Callback, hook)


# the recorders whose fit has begun and not ended
_open: set[Recorder] = set()


@functools.cache
def _heed_the_end() -> None:
    """End open records at an error that nobody caught, and when the process ends."""
    atexit.register(_end_open)
    earlier = sys.excepthook

    def see(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if _went_through_keras(trace):
            _end_open(error)
        earlier(kind, error, trace)

    sys.excepthook = see


def _went_through_keras(trace: TracebackType | None) -> bool:
    """Tell whether a traceback has a frame of Keras; it hides some, not all."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(trace)]
    return any("keras" in Path(file).parts for file in files)


def _end_open(error: BaseException | None = None) -> None:
    for recorder in list(_open):
        recorder.break_off(error)
