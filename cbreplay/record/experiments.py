"""The bundled experiments: scikit-learn's own small data sets, nothing downloaded.

Each is one line of the table at the end, made of a function that loads the data and
one that builds the layers. The defaults are chosen so that a run takes seconds. There
is a clear example of each kind of curve: one that overfits, gains by a reduced rate,
ends in NaN, is noisy, has values in some epochs only, or is resumed by a second fit. A
test checks each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbreplay.run import FloatArray

__all__ = ["EXPERIMENTS", "Examples", "Experiment", "build_model", "split_examples"]


class Examples(NamedTuple):
    """Inputs and targets, one row per example."""

    inputs: FloatArray
    targets: FloatArray


@dataclass(frozen=True, slots=True)
class Experiment:
    """A data set, a network for it, and settings under which it learns.

    Parameters
    ----------
    summary : str
        The task, in a few words.
    load : callable
        Returns the examples.
    layers : callable
        Returns the layers of the network, the last one included.
    loss, metric, optimizer : str
        Keras's names for them.
    validation_share : float
        The share of the examples that is used for validation.
    epochs, learning_rate, batch_size
        The defaults of a run.
    standardized : bool
        Whether inputs are shifted and scaled by the training part's mean and
        standard deviation.
    validation_freq : int
        The default of a run.
    resumed_at : int or None
        The epoch at which a second fit resumes the first one; None for a single fit.
    """

    summary: str
    load: Callable[[], Examples]
    layers: Callable[[], list[Any]]
    loss: str
    metric: str
    optimizer: str
    validation_share: float
    epochs: int
    learning_rate: float
    batch_size: int
    standardized: bool = False
    validation_freq: int = 1
    resumed_at: int | None = None


def split_examples(experiment: Experiment, seed: int) -> tuple[Examples, Examples]:
    """Load an experiment's data and split it into training and validation.

    The split depends on nothing but the seed.
    """
    import numpy as np

    examples = experiment.load()
    order = np.random.default_rng(seed).permutation(len(examples.inputs))
    n_validation = round(experiment.validation_share * len(order))
    held_out, kept = order[:n_validation], order[n_validation:]
    inputs = examples.inputs
    if experiment.standardized:
        inputs = (inputs - inputs[kept].mean(axis=0)) / inputs[kept].std(axis=0)
    training = Examples(inputs[kept], examples.targets[kept])
    return training, Examples(inputs[held_out], examples.targets[held_out])


def build_model(
    experiment: Experiment, input_shape: tuple[int, ...], learning_rate: float
) -> Any:  # noqa: ANN401 - a keras.Model, and keras is untyped
    """Build and compile an experiment's network."""
    import keras

    model = keras.Sequential([keras.Input(input_shape), *experiment.layers()])
    optimizer = keras.optimizers.get(experiment.optimizer)
    optimizer.learning_rate = learning_rate
    model.compile(optimizer, experiment.loss, metrics=[experiment.metric])
    return model


def _load_digits() -> Examples:
    from sklearn.datasets import load_digits

    inputs, targets = load_digits(return_X_y=True)
    return Examples(inputs / 16.0, targets)


def _load_digit_images() -> Examples:
    inputs, targets = _load_digits()
    return Examples(inputs.reshape(-1, 8, 8, 1), targets)


def _load_breast_cancer() -> Examples:
    from sklearn.datasets import load_breast_cancer

    return Examples(*load_breast_cancer(return_X_y=True))


def _load_diabetes() -> Examples:
    from sklearn.datasets import load_diabetes

    inputs, progression = load_diabetes(return_X_y=True)
    return Examples(inputs, progression / 100.0)


def _dense(
    *widths: int, outputs: int = 1, activation: str | None = None, dropout: float = 0
) -> list[Any]:
    """Return dense layers; dropout behind the hidden ones makes a curve uneven."""
    from keras.layers import Dense, Dropout

    made: list[Any] = []
    for width in widths:
        made.append(Dense(width, activation="relu"))
        made += [Dropout(dropout)] if dropout else []
    return [*made, Dense(outputs, activation=activation)]


def _digits_cnn() -> list[Any]:
    from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D

    return [
        Conv2D(16, 3, padding="same", activation="relu"),
        MaxPooling2D(),
        Conv2D(32, 3, padding="same", activation="relu"),
        Flatten(),
        Dropout(0.25),
        Dense(10, activation="softmax"),
    ]


_DIGITS_MLP = Experiment(
    summary="ten digits from 8 x 8 pixels, two dense layers",
    load=_load_digits,
    layers=partial(_dense, 64, 64, outputs=10, activation="softmax", dropout=0.3),
    loss="sparse_categorical_crossentropy",
    metric="accuracy",
    optimizer="adam",
    validation_share=0.5,
    epochs=60,
    learning_rate=3e-3,
    batch_size=32,
)
_BREAST_CANCER = Experiment(
    summary="malignant or benign, 30 measurements, two dense layers",
    load=_load_breast_cancer,
    layers=partial(_dense, 64, 64, activation="sigmoid", dropout=0.3),
    loss="binary_crossentropy",
    metric="accuracy",
    optimizer="adam",
    validation_share=0.5,
    epochs=60,
    learning_rate=1e-3,
    batch_size=32,
    standardized=True,
)
_DIABETES = Experiment(
    summary="progression of a disease (hundreds), 10 measurements",
    load=_load_diabetes,
    layers=partial(_dense, 32, 32),
    loss="mse",
    metric="mae",
    optimizer="sgd",
    validation_share=0.3,
    epochs=60,
    learning_rate=1e-2,
    batch_size=32,
    standardized=True,
)
# a variant of another experiment names only the differences
EXPERIMENTS: Mapping[str, Experiment] = {
    "digits-mlp": _DIGITS_MLP,
    "digits-cnn": replace(
        _DIGITS_MLP,
        summary="ten digits from 8 x 8 pixels, two convolutions",
        load=_load_digit_images,
        layers=_digits_cnn,
        validation_share=0.3,
        epochs=40,
        learning_rate=1e-3,
    ),
    "breast-cancer": _BREAST_CANCER,
    "diabetes": _DIABETES,
    # each step follows four patients, so the loss stays above what a lower rate reaches
    "diabetes-plateau": replace(
        _DIABETES,
        summary="as diabetes, linear, at a rate whose reduction pays",
        layers=_dense,
        epochs=40,
        learning_rate=0.05,
        batch_size=4,
    ),
    # two over the largest curvature of the loss is near 0.25: the error grows each step
    "diabetes-diverging": replace(
        _DIABETES,
        summary="as diabetes, linear, at a rate that ends in NaN",
        layers=_dense,
        epochs=30,
        learning_rate=0.35,
    ),
    "breast-cancer-overfit": replace(
        _BREAST_CANCER,
        summary="as breast-cancer, without dropout: soon past its best",
        layers=partial(_dense, 64, 64, activation="sigmoid"),
        learning_rate=3e-3,
    ),
    "breast-cancer-noisy": replace(
        _BREAST_CANCER,
        summary="as breast-cancer, 28 validation examples, a large rate",
        validation_share=0.05,
        epochs=40,
        learning_rate=1e-2,
    ),
    "breast-cancer-sparse": replace(
        _BREAST_CANCER,
        summary="as breast-cancer, validated after every fifth epoch",
        validation_freq=5,
    ),
    "diabetes-resumed": replace(
        _DIABETES,
        summary="as diabetes, in two fits: the second has new callbacks",
        resumed_at=30,
    ),
}
