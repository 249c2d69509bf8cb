"""What a training did, seen by callbacks in its list, to be compared with a replay.

`HeldFits` collects it of the fits of a script, in the own process of that.
"""

from __future__ import annotations

import hashlib
import json
import math
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.record.description import read_rate
from cbreplay.record.keras_callbacks import class_names, make_keras_callback
from cbreplay.rules.families import stopping_rule
from cbreplay.rules.registry import find_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cbreplay.run import Run

__all__ = [
    "HeldFits",
    "Retraining",
    "SeenEpochs",
    "best_seen",
    "equal",
    "read_files",
]


class Retraining(NamedTuple):
    """What a training did.

    Parameters
    ----------
    logs : sequence of mapping
        The ``logs`` of each epoch, as the callbacks saw them.
    rates : sequence of float
        The learning rate that each epoch was trained at.
    first : str
        A digest of the weights before the first epoch.
    weights : sequence of str
        A digest of the weights at the end of each epoch, before any are restored.
    left : str
        A digest of the weights after ``fit``.
    stopped : bool
        Whether a callback stopped it.
    best : sequence of (int or None, float or None) or None
        Epoch and value of the first EarlyStopping; None without one.
    evaluated : mapping of str to float
        The validation of the weights after ``fit``.
    files : mapping of str to str
        A digest of the weights in each file that a ModelCheckpoint left, by its
        `confined_path`.
    """

    logs: Sequence[Mapping[str, float]]
    rates: Sequence[float | None]
    first: str
    weights: Sequence[str]
    left: str
    stopped: bool
    best: Sequence[Any] | None
    evaluated: Mapping[str, float]
    files: Mapping[str, str]

    def first_difference(self, run: Run, n_epochs: int) -> tuple[int, str] | None:
        """Return the first difference to the logs of a run: its position and series.

        None if the first `n_epochs` are equal.
        """
        for place in range(n_epochs):
            logs = self.logs[place] if place < len(self.logs) else {}
            for name, series in run.series.items():
                recorded = None
                if series.recorded[place]:
                    recorded = float(series.values[place])
                if not equal(recorded, logs.get(name)):
                    return place, name
        return None


def equal(ours: Any, theirs: Any) -> bool:  # noqa: ANN401 - numbers or nothing
    """Tell whether two values are equal; NaN equals NaN."""
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)


class SeenEpochs:
    """Collects logs, rates and weights of a training, in one fit or several.

    `on_epoch` is called after each epoch.
    """

    def __init__(self, on_epoch: Callable[[], None] | None = None) -> None:
        self._on_epoch = on_epoch
        self.logs: list[dict[str, float]] = []
        # by epoch: one that was broken off at its beginning begins again
        self._rates: dict[int, float | None] = {}
        self.weights: list[str] = []
        self._first: list[str] = []

    def watcher(self) -> Any:  # noqa: ANN401 - keras is untyped
        """Return a callback for the first place, to see weights before a restore."""
        from keras.callbacks import LambdaCallback

        watcher = LambdaCallback()
        # with JAX, Keras updates the model when its property of a callback is read
        watcher.on_train_begin = lambda *_: self._first.append(
            _digest_weights(watcher.model)
        )
        watcher.on_epoch_end = lambda *_: self.weights.append(
            _digest_weights(watcher.model)
        )
        return watcher

    def logger(self) -> Any:  # noqa: ANN401 - keras is untyped
        """Return a callback for the last place, which sees rates and logs."""
        from keras.callbacks import LambdaCallback

        logger = LambdaCallback()

        def see_rate(epoch: int, _logs: object) -> None:
            self._rates[epoch] = read_rate(logger.model)

        def see_logs(_epoch: int, logs: Mapping[str, float]) -> None:
            self.logs.append({name: float(logs[name]) for name in logs})
            if self._on_epoch is not None:
                self._on_epoch()

        logger.on_epoch_begin, logger.on_epoch_end = see_rate, see_logs
        return logger

    def told(
        self,
        model: Any,  # noqa: ANN401 - keras is untyped
        users: Sequence[Any],
        *,
        evaluated: Mapping[str, float],
        files: Mapping[str, str],
    ) -> Retraining:
        """Return what was collected, and the state after the last fit."""
        return Retraining(
            logs=tuple(self.logs),
            rates=tuple(self._rates.values())[: len(self.logs)],
            first=self._first[0],
            weights=tuple(self.weights),
            left=_digest_weights(model),
            stopped=bool(model.stop_training),
            best=best_seen(users),
            evaluated=evaluated,
            files=files,
        )


def _digest_weights(model: Any) -> str:  # noqa: ANN401 - a keras.Model
    """Return a digest of a model's weights: equal if these are equal bit for bit."""
    digest = hashlib.sha256()
    for array in model.get_weights():
        digest.update(array.tobytes())
    return digest.hexdigest()


def best_seen(users: Sequence[Any]) -> tuple[int | None, float | None] | None:
    """Return epoch and value of the first EarlyStopping's best; None without one."""
    import keras

    # Keras's class of this name
    kind = getattr(keras.callbacks, stopping_rule().__name__)
    for callback in users:
        if isinstance(callback, kind):
            best = callback.best
            return callback.best_epoch, None if best is None else float(best)
    return None


def read_files(model: Any, folder: Path) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - keras is untyped
    """Yield the name of each saved file and a digest of its weights.

    The model is used to read ``.weights.h5`` files, and keeps the weights of one.
    """
    import keras

    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.endswith(".weights.h5"):
            model.load_weights(path)
            yield name, _digest_weights(model)
        elif path.suffix in (".keras", ".h5"):
            saved = keras.saving.load_model(path, compile=False)
            yield name, _digest_weights(saved)


class HeldFits(NamedTuple):
    """What `RetrainedScript` asks of the process in which a script runs.

    Parameters
    ----------
    folder : Path
        Where each fit's `Retraining` is written as JSON, by its number.
    files : Path
        Where the files of `callbacks` are written.
    fit : int
        The fit that is trained under `callbacks`, counted from one; 0 for none.
    callbacks : tuple
        cbreplay's callbacks, or objects of the user's own.
    """

    folder: Path
    files: Path
    fit: int = 0
    callbacks: tuple[Any, ...] = ()

    def write(self, path: Path) -> None:
        """Write this to a file, for the process of the script."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def read(path: Path) -> HeldFits:
        """Read what `write` wrote."""
        held: HeldFits = pickle.loads(path.read_bytes())  # noqa: S301 - our own file
        return held

    def put_into(self, users: Sequence[Any]) -> list[Any]:
        """Return the one fit's callbacks with others in place of those that decide.

        It goes where the first of these was. The others stay: they may write into
        ``logs`` what these monitor.
        """
        made = [make_keras_callback(callback) for callback in self.callbacks]
        own = {type(callback).__name__ for callback in made}
        goes = [_decides(callback, own) for callback in users]
        place = goes.index(True) if True in goes else len(users)
        stays = [
            callback
            for callback, gone in zip(users[place:], goes[place:], strict=True)
            if not gone
        ]
        return [*users[:place], *made, *stays]

    def watched(
        self, fit: int, listed: Sequence[Any], users: Sequence[Any]
    ) -> list[Any]:
        """Return the list of a fit with observers before and after all others."""
        from keras.callbacks import LambdaCallback

        seen, writer = SeenEpochs(), LambdaCallback()

        def write(_logs: object) -> None:
            model = writer.model
            told = seen.told(model, users, evaluated={}, files={})
            told = told._replace(evaluated=_validated(told))
            if fit == self.fit:
                held = model.get_weights()
                told = told._replace(files=dict(read_files(model, self.files)))
                model.set_weights(held)
            (self.folder / f"{fit}.json").write_text(json.dumps(told._asdict()))

        writer.on_train_end = write
        return [seen.watcher(), *listed, seen.logger(), writer]


def _decides(callback: Any, own: set[str]) -> bool:  # noqa: ANN401 - keras is untyped
    """Tell whether a callback is of a class that is replayed, or of its own."""
    names = class_names(callback)
    return any(name in own or find_rule(name) is not None for name in names)


def _validated(told: Retraining) -> dict[str, float]:
    """Return the logged validation of the epoch whose weights were left."""
    if told.left not in told.weights:
        return {}
    logs = told.logs[told.weights.index(told.left)]
    return {name: logs[name] for name in logs if name.startswith("val_")}
