"""Trainings of the bundled experiments, each with a test part that nothing watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay import Run
from cbreplay.record import EXPERIMENTS
from cbreplay.record.experiments import Examples, build_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.record import Experiment

__all__ = ["EPOCHS", "Kept", "TrainedOften"]

EPOCHS = 100
_TEST_SHARE = 0.25


class Kept(NamedTuple):
    """What one training left.

    Parameters
    ----------
    run : Run
        Its log.
    epochs : int
        How many epochs it took.
    val_loss, test_loss : float
        Of the weights that it ended with.
    """

    run: Run
    epochs: int
    val_loss: float
    test_loss: float


class TrainedOften:
    """An experiment's model, compiled once and trained from any seed.

    Parameters
    ----------
    name : str
        Of the experiment.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.experiment = EXPERIMENTS[name]
        self._examples = self.experiment.load()
        self._model = self._first_model(seed=0)
        # Keras makes what is missing in the first step, and draws other batches then
        training, *_ = _split(self.experiment, self._examples, 0)
        self._model.fit(*training, epochs=1, verbose=0)

    def train(
        self, seed: int, callbacks: Sequence[Any] = (), *, learning_rate: float = 0.0
    ) -> Kept:
        """Train under Keras's callbacks.

        The seed decides the parts, the first weights and the batches, so that two
        settings with one seed are a pair.
        """
        import keras

        training, validation, test = _split(self.experiment, self._examples, seed)
        # its weights and the states of its dropout, as this seed makes them
        first = self._first_model(seed).variables
        model = self._model
        for variable, drawn in zip(model.variables, first, strict=True):
            variable.assign(drawn)
        for variable in model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        model.optimizer.learning_rate = learning_rate or self.experiment.learning_rate
        keras.utils.set_random_seed(seed)
        fit = model.fit(
            *training,
            validation_data=tuple(validation),
            epochs=EPOCHS,
            batch_size=self.experiment.batch_size,
            validation_batch_size=len(validation.inputs),
            callbacks=list(callbacks),
            verbose=0,
        )
        history = {
            series: [float(number) for number in numbers]
            for series, numbers in fit.history.items()
        }
        return Kept(
            Run.from_logs(
                (
                    dict(zip(history, row, strict=True))
                    for row in zip(*history.values(), strict=True)
                ),
                name=f"{self.name}-seed{seed}",
                planned_epochs=EPOCHS,
            ),
            len(fit.epoch),
            self._loss_of(validation),
            self._loss_of(test),
        )

    def _first_model(self, seed: int) -> Any:  # noqa: ANN401 - keras is untyped
        import keras

        keras.utils.set_random_seed(seed)
        shape = self._examples.inputs.shape[1:]
        return build_model(self.experiment, shape, self.experiment.learning_rate)

    def _loss_of(self, part: Examples) -> float:
        told = self._model.evaluate(
            *part, batch_size=len(part.inputs), return_dict=True, verbose=0
        )
        return float(told["loss"])


def _split(
    experiment: Experiment, examples: Examples, seed: int
) -> tuple[Examples, Examples, Examples]:
    """Split into training, validation and test; the rest after test as `train` does."""
    n_examples = len(examples.inputs)
    order = np.random.default_rng(seed).permutation(n_examples)
    test, rest = np.split(order, [round(_TEST_SHARE * n_examples)])
    watched, kept = np.split(rest, [round(experiment.validation_share * len(rest))])
    inputs = examples.inputs
    if experiment.standardized:
        inputs = (inputs - inputs[kept].mean(axis=0)) / inputs[kept].std(axis=0)
    training, validation, unseen = (
        Examples(inputs[rows], examples.targets[rows]) for rows in (kept, watched, test)
    )
    return training, validation, unseen
