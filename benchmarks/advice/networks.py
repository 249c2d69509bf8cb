"""Small networks, trained side by side: what a hundred trainings would have logged.

Every matrix has a first axis for the runs, so that one multiplication serves them all.
A network is dense layers with ReLU between them; where an example is a stack of
patches, the first layer is shared by them, which is a convolution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.floating[Any]]
    Rows = NDArray[np.integer[Any]]

__all__ = ["SERIES", "Optimiser", "Problem", "Splits", "Training", "train_networks"]

Optimiser = Literal["sgd", "adam", "rmsprop"]

SERIES = (
    "loss",
    "val_loss",
    "test_loss",
    "accuracy",
    "val_accuracy",
    "test_accuracy",
)
_DECAY = {"adam": (0.9, 0.999), "rmsprop": (0.0, 0.9)}
_EPSILON = 1e-7
# a loss beyond this has diverged; what comes after it is of no use to anybody
_LARGEST = 1e4
_MOST_SURE = 1e-7


class Problem(NamedTuple):
    """What is to be learned.

    Parameters
    ----------
    inputs : array of shape (n_examples, n_features) or (n_examples, n_patches, size)
        The examples.
    targets : array of shape (n_examples, n_outputs)
        One column a class with a single 1 a row, or the values of a regression.
    classes : bool
        Whether it is classification.
    """

    inputs: Array
    targets: Array
    classes: bool


class Splits(NamedTuple):
    """Which examples each run trains on, watches and is tested by: (n_runs, n)."""

    train: Rows
    validation: Rows
    test: Rows


class Training(NamedTuple):
    """How the runs are trained.

    Parameters
    ----------
    hidden : tuple of int
        How many units each hidden layer has.
    optimiser : {"sgd", "adam", "rmsprop"}
        Keras's, with its defaults; SGD with `momentum`.
    batch_size : int
        Examples a step.
    learning_rate, momentum, weight_decay, dropout, width : array of shape (n_runs,)
        Of each run; `width` is the share of the hidden units that it has.
    plateau : int
        After how many epochs without a better val_loss the rate is halved; 0 for never.
    """

    hidden: tuple[int, ...]
    optimiser: Optimiser
    batch_size: int
    learning_rate: Array
    momentum: Array
    weight_decay: Array
    dropout: Array
    width: Array
    plateau: int = 0


class _Network:
    """The weights of all runs, and one step of training."""

    def __init__(
        self,
        sizes: Sequence[tuple[int, int]],
        training: Training,
        rng: np.random.Generator,
    ) -> None:
        n_runs = len(training.learning_rate)
        self.training, self.rng = training, rng
        self.weights: list[Array] = []
        self.alive: list[Array] = []
        for n_in, n_out in sizes:
            # Keras's default: Glorot's uniform
            limit = np.sqrt(6 / (n_in + n_out))
            drawn = rng.uniform(-limit, limit, (n_runs, n_in, n_out))
            self.weights += [
                drawn.astype(np.float32),
                np.zeros((n_runs, 1, n_out), np.float32),
            ]
            units = np.arange(n_out)[None] < np.ceil(n_out * training.width)[:, None]
            self.alive.append(units[:, None].astype(np.float32))
        self.moments = [
            (np.zeros_like(weight), np.zeros_like(weight)) for weight in self.weights
        ]
        self.steps = 0

    def forward(self, inputs: Array, *, learning: bool) -> list[Array]:
        """Return the input of every layer, and the output of the last."""
        last = len(self.alive) - 1
        dropout = self.training.dropout.astype(np.float32)[:, None, None]
        found = [inputs]
        for layer in range(last + 1):
            before = _flattened(found[-1])
            after = before @ self.weights[2 * layer] + self.weights[2 * layer + 1]
            if layer < last:
                after = np.maximum(after, 0) * self.alive[layer]
                if learning and dropout.any():
                    drawn = self.rng.random(after.shape, dtype=np.float32)
                    after *= (drawn >= dropout) / (1 - dropout)
            found.append(after.reshape(*inputs.shape[:2], -1))
        return found

    def step(
        self, inputs: Array, targets: Array, rate: Array, *, classes: bool
    ) -> Array:
        """Learn from one batch, and return its loss and accuracy for each run."""
        found = self.forward(inputs, learning=True)
        slope, loss, hits = measure_loss(found[-1], targets, classes=classes)
        gradients: list[Array] = []
        for layer in range(len(self.alive) - 1, -1, -1):
            before = _flattened(found[layer])
            slope = slope.reshape(*before.shape[:2], -1)
            gradients = [
                before.transpose(0, 2, 1) @ slope,
                slope.sum(axis=1, keepdims=True),
                *gradients,
            ]
            if layer:
                dropped = 1 / (1 - self.training.dropout)[:, None, None]
                passed = (before > 0) * dropped.astype(np.float32)
                slope = (slope @ self.weights[2 * layer].transpose(0, 2, 1)) * passed
        self._update(gradients, rate)
        return np.stack([loss, hits])

    def _update(self, gradients: list[Array], rate: Array) -> None:
        rate = rate.astype(np.float32)[:, None, None]
        decay = self.training.weight_decay.astype(np.float32)[:, None, None]
        self.steps += 1
        for place, gradient in enumerate(gradients):
            weight, moments = self.weights[place], self.moments[place]
            if self.training.optimiser == "sgd":
                change = moments[0]
                change *= self.training.momentum.astype(np.float32)[:, None, None]
                change += gradient
            else:
                change = self._adapted(gradient, *moments)
            weight -= rate * change
            if not place % 2:
                weight -= rate * decay * weight

    def _adapted(self, gradient: Array, first: Array, second: Array) -> Array:
        beta, gamma = _DECAY[self.training.optimiser]
        first += (1 - beta) * (gradient - first)
        second += (1 - gamma) * (gradient * gradient - second)
        if self.training.optimiser == "rmsprop":
            change: Array = gradient / (np.sqrt(second) + _EPSILON)
        else:
            unbiased = np.sqrt(second / (1 - gamma**self.steps)) + _EPSILON
            change = first / (1 - beta**self.steps) / unbiased
        return change


def _flattened(examples: Array) -> Array:
    """Return the patches of all examples of a run in one row of them."""
    return examples.reshape(len(examples), -1, examples.shape[-1])


def measure_loss(
    outputs: Array, targets: Array, *, classes: bool
) -> tuple[Array, Array, Array]:
    """Return the slope of the mean loss, the loss and the accuracy of each run.

    >>> outputs = np.array([[[0.0, 0.0], [np.log(3), 0.0]]])
    >>> slope, loss, hits = measure_loss(outputs, np.eye(2)[None], classes=True)
    >>> loss.round(3), hits  # (log 2 + log 4) / 2; the second is taken for the first
    (array([1.04]), array([0.5]))
    """
    n_examples = outputs.shape[1]
    if not classes:
        apart = outputs - targets
        loss = np.square(apart).mean(axis=(1, 2))
        slope = 2 / (n_examples * outputs.shape[2]) * apart
        return slope, loss, np.full(len(loss), np.nan)
    shares = np.exp(outputs - outputs.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    of_truth = np.clip((shares * targets).sum(axis=2), _MOST_SURE, None)
    right = outputs.argmax(axis=2) == targets.argmax(axis=2)
    slope = (shares - targets) / n_examples
    return slope, -np.log(of_truth).mean(axis=1), right.mean(axis=1)


def train_networks(
    problem: Problem,
    targets: Array,
    splits: Splits,
    training: Training,
    *,
    n_epochs: int,
    rng: np.random.Generator,
) -> Array:
    """Train all runs, and return what they log.

    Parameters
    ----------
    problem : Problem
        The examples.
    targets : array of shape (n_runs, n_examples, n_outputs)
        What each run is told, which may hold wrong labels.
    splits, training : Splits, Training
        Who learns from what, and how.
    n_epochs : int
        For how long.
    rng : numpy.random.Generator
        Draws the weights, the order of the examples and what is dropped.

    Returns
    -------
    array of shape (n_series, n_runs, n_epochs)
        In the order of `SERIES`, float32: `loss` is the mean over the batches of an
        epoch, as Keras logs it; the others are measured at its end.
    """
    network = _Network(_sizes(problem, training.hidden), training, rng)
    runs = np.arange(len(targets))[:, None]
    watched = [
        (problem.inputs[rows], targets[runs, rows])
        for rows in (splits.validation, splits.test)
    ]
    logged = np.full((len(SERIES), len(targets), n_epochs), np.nan, np.float32)
    rate = training.learning_rate.astype(np.float64)
    halving = _Plateau(training.plateau, len(targets))
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(n_epochs):
            seen = np.zeros((2, len(targets)))
            for rows in _batches(splits.train, training.batch_size, rng):
                batch = (problem.inputs[rows], targets[runs, rows])
                found = network.step(*batch, rate, classes=problem.classes)
                seen += found * rows.shape[1] / splits.train.shape[1]
            logged[[0, 3], :, epoch] = seen
            for place, (inputs, wanted) in enumerate(watched, 1):
                outputs = network.forward(inputs, learning=False)[-1]
                measured = measure_loss(outputs, wanted, classes=problem.classes)
                logged[[place, place + 3], :, epoch] = np.stack(measured[1:])
            rate = rate * halving.look(logged[1, :, epoch])
    return np.where(np.abs(logged) < _LARGEST, logged, np.nan)


class _Plateau:
    """ReduceLROnPlateau(factor=0.5, min_delta=0) for each run."""

    def __init__(self, patience: int, n_runs: int) -> None:
        self.patience = patience
        self.best = np.full(n_runs, np.inf)
        self.wait = np.zeros(n_runs, int)

    def look(self, loss: Array) -> Array:
        """Return by what each rate is to be multiplied after an epoch."""
        better = loss < self.best
        self.best = np.where(better, loss, self.best)
        self.wait = np.where(better, 0, self.wait + 1)
        tired = (self.wait >= self.patience) & (self.patience > 0)
        self.wait[tired] = 0
        return np.where(tired, 0.5, 1.0)


def _sizes(problem: Problem, hidden: Sequence[int]) -> list[tuple[int, int]]:
    """Return how many numbers go into each layer, and come out of it."""
    sizes, n_in, shape = [], problem.inputs.shape[-1], problem.inputs.shape
    for layer, n_out in enumerate(hidden):
        sizes.append((n_in, n_out))
        shared = shape[1] if layer == 0 and len(shape) == 3 else 1  # noqa: PLR2004
        n_in = n_out * shared
    return [*sizes, (n_in, problem.targets.shape[1])]


def _batches(train: Rows, size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Yield the rows of each batch of an epoch, in an order of its own for each run."""
    shuffled = rng.permuted(train, axis=1)
    for start in range(0, train.shape[1], size):
        yield shuffled[:, start : start + size]
