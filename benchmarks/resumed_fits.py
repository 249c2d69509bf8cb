"""What each Keras does where a second fit goes on with a first one, measured.

    python -m benchmarks.resumed_fits [--versions keras-3.6 ...]

Every version that is prepared (``python -m tests.differential.prepare_keras_versions``)
trains a model of one layer in two fits, in a process of its own. The values that the
callbacks watch are written into ``logs`` by the first callback of the list. All answers
go to stderr; the table is that of ``docs/what-keras-really-does.md``, where versions in
a row that answer alike share a line.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_SEAM, _END = 3, 8


class _Killed(Exception):  # noqa: N818 - stands for the end of a process
    pass


class ResumedFits:
    """Two fits of one version, asked again for each question.

    Parameters
    ----------
    keras : module
        The package.
    folder : Path
        Where files may be written.
    """

    def __init__(self, keras: Any, folder: Path) -> None:  # noqa: ANN401 - untyped
        self.keras, self.folder = keras, folder

    def model(self) -> Any:  # noqa: ANN401 - untyped
        model = self.keras.Sequential(
            [self.keras.layers.Input((2,)), self.keras.layers.Dense(1)]
        )
        model.compile(self.keras.optimizers.Adam(0.25), "mse")
        return model

    def fit(
        self,
        model: Any,  # noqa: ANN401 - untyped
        callbacks: Sequence[Any],
        values: Sequence[float],
        *,
        first: int = 0,
        killed_at: int | None = None,
    ) -> list[int]:
        """Train so many epochs as there are values, and return which they were."""
        import numpy as np

        epochs: list[int] = []

        def begin(epoch: int, _logs: object) -> None:
            epochs.append(epoch)
            if epoch == killed_at:
                raise _Killed

        def write(epoch: int, logs: dict[str, float]) -> None:
            logs["val_loss"] = values[epoch - first]

        watch = self.keras.callbacks.LambdaCallback(
            on_epoch_begin=begin, on_epoch_end=write
        )
        x = np.arange(8, dtype="float32").reshape(4, 2)
        model.fit(
            x,
            x[:, :1],
            batch_size=2,
            initial_epoch=first,
            epochs=first + len(values),
            verbose=0,
            callbacks=[watch, *callbacks],
        )
        return epochs

    def stopper(self) -> str:
        """Ask what a kept EarlyStopping knows after the first epoch of a second fit."""
        stopper = self.keras.callbacks.EarlyStopping(patience=9)
        model = self.model()
        self.fit(model, [stopper], [1.0, 2.0, 2.0])
        self.fit(model, [stopper], [1.5], first=_SEAM)
        # fresh: best 1.5 and wait 0; with the best taken along 1.0 and 1
        told = {0: "fresh", 1: "keeps best"}
        return told.get(stopper.wait, "keeps best and wait")

    def restored(self) -> str:
        """Ask whose weights a kept EarlyStopping puts back when fit 2 stops."""
        stopper = self.keras.callbacks.EarlyStopping(
            patience=2, restore_best_weights=True
        )
        model, left = self.model(), []
        see = self.keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_: left.append(model.get_weights()[0].tolist())
        )
        self.fit(model, [see, stopper], [1.0, 2.0])
        self.fit(model, [see, stopper], [3.0] * 6, first=2)
        last = model.get_weights()[0].tolist()
        if last not in left:
            return "other"
        epoch = left.index(last)
        return "of the first fit" if epoch <= 1 else "of the second fit"

    def plateau(self) -> str:
        """Ask the same of a kept ReduceLROnPlateau, in its cooldown when fit 1 ends."""
        plateau = self.keras.callbacks.ReduceLROnPlateau(
            patience=2, cooldown=9, factor=0.5, min_delta=0
        )
        model = self.model()
        self.fit(model, [plateau], [1.0, 2.0, 2.0])
        self.fit(model, [plateau], [1.5], first=_SEAM)
        kept = [
            *(["best"] if plateau.best == 1 else []),
            *(["cooldown"] if plateau.cooldown_counter else []),
        ]
        return f"keeps {' and '.join(kept)}" if kept else "fresh"

    def rate(self) -> float:
        """Ask for the rate of a second fit, after a reduction in the first."""
        plateau = self.keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5)
        model = self.model()
        self.fit(model, [plateau], [1.0, 2.0])
        self.fit(model, [], [1.0], first=2)
        return float(model.optimizer.learning_rate.numpy())

    def saver(self) -> str:
        """Ask whether a kept ModelCheckpoint writes over a better file."""
        path = self.folder / "best.weights.h5"
        saver = self.keras.callbacks.ModelCheckpoint(
            str(path), save_weights_only=True, save_best_only=True
        )
        model = self.model()
        self.fit(model, [saver], [1.0, 2.0])
        before = path.read_bytes()
        self.fit(model, [saver], [1.5], first=2)
        return "keeps best" if path.read_bytes() == before else "fresh"

    def saved(self) -> str:
        """Ask what a model brings along that was saved and loaded."""
        model = self.model()
        self.fit(model, [], [1.0] * _SEAM)
        model.optimizer.learning_rate = 0.125
        path = self.folder / "model.keras"
        model.save(path)
        return self._brought(model, self.keras.models.load_model(path))

    def backup(self) -> str:
        """Ask where a killed fit goes on with BackupAndRestore, and with what."""
        folder = str(self.folder / "backup")
        backup, killed = self._backup(folder), self.model()
        stopper = self.keras.callbacks.EarlyStopping(patience=9)
        halve = self.keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, _: self._halve(killed) if epoch == 0 else None
        )
        values = [1.0, *[2.0] * (_END - 1)]
        with contextlib.suppress(_Killed):
            self.fit(killed, [halve, stopper, backup], values, killed_at=_SEAM)
        seen: list[str] = []
        model = self.model()
        see = self.keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: seen.append(self._brought(killed, model))
        )
        again = self.fit(model, [self._backup(folder), see], values)
        third = self.fit(self.model(), [self._backup(folder)], values)
        where = "begins at the epoch after" if again[0] == _SEAM else "begins anew"
        left = "" if third[0] == 0 else f"; a third fit begins at epoch {third[0]}"
        return f"{where}, with its {seen[0]}{left}"

    def stopped_backup(self) -> str:
        """Ask where a fit begins that follows one which its EarlyStopping stopped."""
        folder = str(self.folder / "backup of a stopped fit")
        values = [1.0, *[2.0] * (_END - 1)]

        def train() -> list[int]:
            stopper = self.keras.callbacks.EarlyStopping(patience=2)
            return self.fit(self.model(), [stopper, self._backup(folder)], values)

        train()
        epochs = train()
        return "begins anew" if epochs[0] == 0 else f"epoch {epochs[0]}"

    def _backup(self, folder: str) -> Any:  # noqa: ANN401 - untyped
        return self.keras.callbacks.BackupAndRestore(folder)

    @staticmethod
    def _halve(model: Any) -> None:  # noqa: ANN401 - untyped
        model.optimizer.learning_rate = 0.125

    @staticmethod
    def _brought(model: Any, other: Any) -> str:  # noqa: ANN401 - untyped
        """Say which parts of two models are equal."""
        pairs = {
            "weights": [each.get_weights()[0].tolist() for each in (model, other)],
            "steps": [
                int(each.optimizer.iterations.numpy()) for each in (model, other)
            ],
            "rate": [
                float(each.optimizer.learning_rate.numpy()) for each in (model, other)
            ],
        }
        return ", ".join(
            name for name, (ours, theirs) in pairs.items() if ours == theirs
        )


QUESTIONS = {
    "kept EarlyStopping": "stopper",
    "its weights": "restored",
    "kept ReduceLROnPlateau": "plateau",
    "rate after a reduction": "rate",
    "kept ModelCheckpoint": "saver",
    "saved and loaded model": "saved",
    "BackupAndRestore": "backup",
    "BackupAndRestore after a stop": "stopped_backup",
}


IN_TABLE = ("kept EarlyStopping", "kept ReduceLROnPlateau", "BackupAndRestore")


def answer_here(package: str) -> None:
    """Print the answers of the package that is first on this process's path."""
    warnings.simplefilter("ignore")
    keras = importlib.import_module(package)
    answers: dict[str, Any] = {"version": keras.__version__}
    for question, name in QUESTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            ask: Callable[[], Any] = getattr(ResumedFits(keras, Path(folder)), name)
            try:
                answers[question] = ask()
            except Exception as error:  # noqa: BLE001 - an answer too
                answers[question] = f"{type(error).__name__}: {str(error)[:60]}"
    sys.stdout.write(json.dumps(answers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", nargs="+")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        answer_here(options.here)
        return
    # the tests' own list, which a version itself does not need
    from tests.oracles.keras_versions import VERSIONS, path_of

    answers = []
    for version in VERSIONS:
        if options.versions and version.semantics not in options.versions:
            continue
        if not version.is_prepared() or version.backend != "tensorflow":
            continue
        environment = os.environ | {"PYTHONPATH": path_of(version)}
        words = [sys.executable, __file__, "--here", version.package]
        told = subprocess.run(  # noqa: S603 - our own file
            words, env=environment, capture_output=True, text=True, check=True
        )
        print(version.semantics, told.stdout, file=sys.stderr, flush=True)
        answers.append((version.semantics, json.loads(told.stdout)))
    print(*table_lines(answers), sep="\n")


def table_lines(answers: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Yield a line for all versions in a row that answer alike."""

    def columns(answer: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
        package = answer[0].partition("-")[0]
        return (package, *(answer[1][question] for question in IN_TABLE))

    for (package, *cells), group in itertools.groupby(answers, columns):
        # the platform of a version, behind a plus, makes no line of its own
        first, *later = dict.fromkeys(name.partition("+")[0] for name, _ in group)
        upto = f" to {later[-1].removeprefix(f'{package}-')}" if later else ""
        yield f"| {first}{upto} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
