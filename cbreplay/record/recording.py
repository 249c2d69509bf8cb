"""`recorded` and `recording`: record a callbacks list, or every fit in a block."""

from __future__ import annotations

import contextlib
import inspect
import operator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.record.description import describe_user_callback
from cbreplay.record.keras_callbacks import class_names, make_keras_callback
from cbreplay.record.open_fit import FitFacts, tell_user
from cbreplay.record.run_directory import METADATA, place_record, take_directory
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.record.recorder import Recorder
    from cbreplay.record.seen_training import HeldFits

__all__ = ["FitChanges", "recorded", "recording"]


@checked
def recorded(callbacks: Sequence[Any], directory: str | os.PathLike[str]) -> list[Any]:
    """Return a callbacks list that records the fit which it is given to.

    Parameters
    ----------
    callbacks : sequence
        The callbacks of the training, in fit's order. They are in the list that is
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
    ConfigError
        If the Keras that is installed is older than 3.
    OutputError
        If something is in the directory already, or it cannot be written.
    MissingExtraError
        If Keras is not installed.
    """
    from cbreplay.record.recorder import Recorder, check_keras

    check_keras()
    users = [make_keras_callback(callback) for callback in callbacks]
    return _list_with(Recorder(directory), users)


def _list_with(recorder: Recorder, users: Sequence[Any]) -> list[Any]:
    """Return the user's callbacks with a witness after each, and the recorder last."""
    from cbreplay.record.recorder import witnessed

    texts = tuple(describe_user_callback(callback) for callback in users)
    recorder.facts = recorder.facts._replace(callbacks=texts)
    return [*witnessed(recorder, users), recorder]


class FitChanges(NamedTuple):
    """What is changed in every fit that is recorded.

    Parameters
    ----------
    without : tuple of str
        Class names of callbacks that are left out, with their subclasses.
    epochs : int or None
        How many epochs to train, whatever ``fit`` is given.
    held : HeldFits or None
        What `confirm` asks of the fits, to compare them with replays.
    """

    without: tuple[str, ...] = ()
    epochs: int | None = None
    held: HeldFits | None = None

    def keeps(self, callback: Any) -> bool:  # noqa: ANN401 - keras is untyped
        """Tell whether a callback stays in the list."""
        return set(self.without).isdisjoint(class_names(callback))


@contextlib.contextmanager
@checked
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
    ConfigError
        If the Keras that is installed is older than 3.
    OutputError
        If something is in the directory already, or it cannot be written.
    MissingExtraError
        If Keras is not installed.
    """
    root = take_directory(place_record(Path(directory)))
    with WatchedModels(root, FitChanges()):
        yield


class WatchedModels:
    """Keras's models while every ``fit`` of them is recorded.

    The run directories are made below `root`.

    Attributes
    ----------
    n_fits : int
        How many fits began so far.
    directories : list of Path
        The run directories that they left, those of the user's own recorders too.
    n_in_part : int
        How many of these are not recorded to the end of their fit.
    names : set of str
        The class names of all callbacks of the fits, with those of base classes.
    """

    def __init__(self, root: Path, changes: FitChanges) -> None:
        self.root, self.changes = root, changes
        self.n_fits = 0
        self.directories: list[Path] = []
        self.n_in_part = 0
        self.names: set[str] = set()
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        """Put a recording ``fit`` before Keras's own."""
        from cbreplay.record.recorder import check_keras

        check_keras()
        import keras

        own = keras.Model.fit
        signature = inspect.signature(own)

        def fit(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Keras's
            self.n_fits += 1
            call = self._watched(_FitCall(args, kwargs), signature)
            try:
                return own(*call.args, **call.kwargs)
            except BaseException as error:
                call.break_off(error)
                raise
            finally:
                for recorder in call.end():
                    self._take_note(recorder)

        fit.__doc__, fit.__name__ = own.__doc__, own.__name__
        fit.__signature__ = signature  # type: ignore[attr-defined]  # inspect reads it
        self._hidden = vars(keras.Model).get("fit")
        keras.Model.fit = fit
        return self

    def __exit__(self, *_: object) -> None:
        """Restore Keras's own ``fit``."""
        import keras

        # keras.Model inherits its fit: without ours, that one is found again
        del keras.Model.fit
        if self._hidden is not None:
            keras.Model.fit = self._hidden

    def _watched(self, call: _FitCall, signature: inspect.Signature) -> _FitCall:
        """Return a ``fit`` call that is recorded; unchanged if that fails."""
        try:
            asked = signature.bind(*call.args, **call.kwargs)
        except TypeError:
            # Keras raises its own error
            return call
        asked.apply_defaults()
        try:
            return self._recorded(asked)
        except Exception as error:  # noqa: BLE001 - a training is worth more than its log
            tell_user(f"this fit is not recorded, and trains as it is: {error}")
            return call

    def _recorded(self, asked: inspect.BoundArguments) -> _FitCall:
        """Return a call with the wanted changes and with a recorder in its list."""
        from cbreplay.record.recorder import Recorder, StopWitness

        arguments, changes, held = asked.arguments, self.changes, self.changes.held
        listed = _flat(arguments["callbacks"])
        self._see(each for each in listed if not isinstance(each, StopWitness))
        kept = [
            each
            for each in listed
            # a witness goes with the callback that it watches
            if changes.keeps(each.callback if isinstance(each, StopWitness) else each)
        ]
        recorders = [each for each in kept if isinstance(each, Recorder)]
        users = [each for each in kept if not isinstance(each, Recorder | StopWitness)]
        facts = FitFacts(
            callbacks=tuple(describe_user_callback(callback) for callback in users),
            validation_freq=arguments["validation_freq"],
            batch_size=arguments["batch_size"],
            without=changes.without,
        )
        if changes.epochs is not None:
            first = operator.index(arguments["initial_epoch"])
            arguments["epochs"] = first + changes.epochs
        is_other = held is not None and held.fit == self.n_fits
        if held is not None and is_other:
            users = held.put_into(users)
        # a list with a recorder of its own keeps its order
        as_it_is = bool(recorders) and not is_other
        recorders = recorders or [Recorder(self.root / f"fit{self.n_fits}")]
        if not as_it_is:
            kept = [*_list_with(recorders[0], users), *recorders[1:]]
        if held is not None:
            kept = held.watched(self.n_fits, kept, users)
        arguments["callbacks"] = kept
        before = [recorder.facts for recorder in recorders]
        for recorder in recorders:
            recorder.facts = facts
        return _FitCall(
            asked.args, asked.kwargs, tuple(zip(recorders, before, strict=True))
        )

    def _take_note(self, recorder: Recorder) -> None:
        """Add the run directory that a fit has left."""
        made = recorder.directory
        if (made / METADATA).exists() and made not in self.directories:
            self.directories.append(made)
            self.n_in_part += recorder.gave_up

    def _see(self, callbacks: Iterable[Any]) -> None:
        """Note the classes in a fit; warn if a name of --without may be a typo."""
        names = {name for callback in callbacks for name in class_names(callback)}
        for name in self.changes.without:
            near = nearest_name(name, sorted(names))
            if near and name not in names | self.names | self._told:
                self._told.add(name)
                tell_user(f"no callback of this fit is of the class {name}{near}")
        self.names |= names


class _FitCall(NamedTuple):
    """A call of ``fit``, and its recorders, each with its facts before the call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    recorders: tuple[tuple[Recorder, FitFacts], ...] = ()

    def break_off(self, error: BaseException) -> None:
        """End the records of a fit that did not come to its end."""
        for recorder, _ in self.recorders:
            recorder.break_off(error)

    def end(self) -> Iterator[Recorder]:
        """Restore the facts of the recorders, and yield these."""
        for recorder, before in self.recorders:
            recorder.facts = before
            yield recorder


def _flat(callbacks: Any) -> list[Any]:  # noqa: ANN401 - what fit is given
    """Return the callbacks as the installed Keras flattens them."""
    from keras.callbacks import CallbackList

    if isinstance(callbacks, CallbackList):
        sentence = "it is given a CallbackList"
        raise ConfigError(sentence)
    flat: list[Any] = CallbackList(callbacks).callbacks
    return flat
