"""Record trainings: a callbacks list, or every fit inside a block."""

from __future__ import annotations

import contextlib
import inspect
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cbreplay.errors import OutputError
from cbreplay.record.description import describe_user_callback
from cbreplay.record.keras_callbacks import make_keras_callback
from cbreplay.record.run_directory import check_vacant, make_run_directory

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.record.recorder import Recorder

__all__ = ["FitChanges", "recorded", "recording"]


def recorded(callbacks: Sequence[Any], directory: str | os.PathLike[str]) -> list[Any]:
    """Return a callbacks list that records the fit which it is given to.

    Parameters
    ----------
    callbacks : sequence
        The callbacks of the training, in fit's order. They stand in the list that is
        returned, and decide as before.
    directory : path
        The run directory: a new or empty one. A second fit with the same list goes
        into ``<directory>-fit2`` beside it.

    Returns
    -------
    list of keras.callbacks.Callback
        For ``model.fit(..., callbacks=...)``.

    Raises
    ------
    OutputError
        If something is in the directory already, or it cannot be written.
    MissingExtraError
        If Keras is not installed.
    """
    from cbreplay.record.recorder import Recorder

    users = [make_keras_callback(callback) for callback in callbacks]
    return _list_with(Recorder(directory), users)


def _list_with(recorder: Recorder, users: Sequence[Any]) -> list[Any]:
    """Return the user's callbacks with a witness behind each, and the recorder last."""
    from cbreplay.record.recorder import StopWitness

    texts = tuple(describe_user_callback(callback) for callback in users)
    recorder.facts = recorder.facts._replace(callbacks=texts)
    watched = [(callback, StopWitness(recorder, callback)) for callback in users]
    return [*itertools.chain.from_iterable(watched), recorder]


class FitChanges(NamedTuple):
    """What is changed in every fit that is recorded.

    Parameters
    ----------
    without : tuple of str
        Class names of callbacks that are left out, with the classes made from them.
    epochs : int or None
        The epochs to train, whatever ``fit`` is given.
    """

    without: tuple[str, ...] = ()
    epochs: int | None = None

    def keeps(self, callback: Any) -> bool:  # noqa: ANN401 - keras is untyped
        """Tell whether a callback stays in the list."""
        names = [kind.__name__ for kind in type(callback).__mro__]
        return not any(name in names for name in self.without)


@contextlib.contextmanager
def recording(directory: str | os.PathLike[str]) -> Iterator[None]:
    """Record every ``fit`` inside the block.

    The fits go into ``fit1``, ``fit2``, ... of the directory, whatever model is
    trained and whatever ``fit`` is given.

    Parameters
    ----------
    directory : path
        Where the run directories are made: a new or empty directory.

    Raises
    ------
    OutputError
        If something is in the directory already, or it cannot be written.
    MissingExtraError
        If Keras is not installed.
    """
    root = Path(directory)
    check_vacant(root)
    make_run_directory(root)
    # says what is missing
    from cbreplay.record.recorder import Recorder  # noqa: F401

    with WatchedModels(root, FitChanges()):
        yield


class WatchedModels:
    """Keras's models while every ``fit`` of them is recorded.

    Parameters
    ----------
    root : Path
        The directory above the run directories.
    changes : FitChanges
        What is changed in every fit.

    Attributes
    ----------
    directories : list of Path
        The run directories so far.
    """

    def __init__(self, root: Path, changes: FitChanges) -> None:
        self.root, self.changes = root, changes
        self.directories: list[Path] = []

    def __enter__(self) -> Self:
        """Put a recording ``fit`` before Keras's own."""
        import keras

        own = keras.Model.fit
        signature = inspect.signature(own)

        def fit(model: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Keras's
            asked = signature.bind(model, *args, **kwargs)
            asked.apply_defaults()
            recorder = self._begin(asked.arguments)
            try:
                return own(*asked.args, **asked.kwargs)
            except BaseException as error:
                if recorder is not None:
                    recorder.break_off(error)
                raise

        fit.__doc__, fit.__name__ = own.__doc__, own.__name__
        fit.__signature__ = signature  # type: ignore[attr-defined]  # inspect reads it
        self._hidden = vars(keras.Model).get("fit")
        keras.Model.fit = fit
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away again."""
        import keras

        # keras.Model inherits its fit: without ours, that one is found again
        del keras.Model.fit
        if self._hidden is not None:
            keras.Model.fit = self._hidden

    def _begin(self, arguments: dict[str, Any]) -> Recorder | None:
        """Change the arguments of a fit so that it is recorded."""
        from keras.callbacks import CallbackList

        from cbreplay.record.open_fit import FitFacts, tell_user
        from cbreplay.record.recorder import Recorder

        if isinstance(arguments["callbacks"], CallbackList):
            tell_user("a fit that is given a CallbackList cannot be recorded")
            return None
        users = [
            callback
            for callback in _flat(arguments["callbacks"])
            if self.changes.keeps(callback)
        ]
        if any(isinstance(callback, Recorder) for callback in users):
            return None
        if self.changes.epochs is not None:
            arguments["epochs"] = self.changes.epochs
        arguments["callbacks"] = users
        directory = self.root / f"fit{len(self.directories) + 1}"
        try:
            recorder = Recorder(directory)
        except OutputError as error:
            tell_user(f"this fit is not recorded: {error}")
            return None
        self.directories.append(directory)
        recorder.facts = FitFacts(
            validation_freq=_plain_frequency(arguments),
            batch_size=arguments["batch_size"],
            without=self.changes.without,
        )
        arguments["callbacks"] = _list_with(recorder, users)
        return recorder


def _flat(callbacks: Any) -> list[Any]:  # noqa: ANN401 - what fit is given
    """Return the callbacks as Keras flattens them."""
    import keras

    return [] if callbacks is None else list(keras.tree.flatten(callbacks))


def _plain_frequency(arguments: Mapping[str, Any]) -> int | list[int]:
    """Return ``validation_freq`` as JSON can hold it."""
    frequency = arguments["validation_freq"]
    if isinstance(frequency, int):
        return frequency
    return [int(epoch) for epoch in frequency]
