"""What the small networks learn: scikit-learn's bundled data, and some it makes up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.advice.networks import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.advice.networks import Array

__all__ = ["TASKS"]

_SEED = 14


def _standardised(values: Any) -> Array:  # noqa: ANN401 - scikit-learn is untyped
    values = np.asarray(values, float)
    spread = values.std(axis=0)
    scaled: Array = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return scaled.astype(np.float32)


def _one_hot(labels: Any) -> Array:  # noqa: ANN401
    columns: Array = np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]
    return columns


def _bundled(name: str) -> tuple[Any, Any]:
    from sklearn import datasets

    loader = getattr(datasets, f"load_{name}")
    inputs, targets = loader(return_X_y=True)
    return inputs, targets


def _classes_of(name: str) -> Problem:
    inputs, labels = _bundled(name)
    return Problem(_standardised(inputs), _one_hot(labels), classes=True)


def _unscaled_wine() -> Problem:
    """Wine as many feed it: columns of very different size."""
    inputs, labels = _bundled("wine")
    spread = np.asarray(inputs).std() / 3
    return Problem((inputs / spread).astype(np.float32), _one_hot(labels), classes=True)


def _parity() -> Problem:
    inputs, labels = _bundled("digits")
    return Problem(_standardised(inputs), _one_hot(labels % 2), classes=True)


def _digits() -> Problem:
    inputs, labels = _bundled("digits")
    return Problem((inputs / 16).astype(np.float32), _one_hot(labels), classes=True)


def _patched_digits() -> Problem:
    """The digits as 36 patches of 3 x 3 pixels each, for a convolution."""
    inputs, labels = _bundled("digits")
    images = (inputs / 16).reshape(-1, 8, 8).astype(np.float32)
    patches = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    return Problem(patches.reshape(len(images), 36, 9), _one_hot(labels), classes=True)


def _digits_copied() -> Problem:
    """The digits, to be told again through a narrow layer."""
    inputs, _ = _bundled("digits")
    pixels = (inputs / 16).astype(np.float32)
    return Problem(pixels, pixels, classes=False)


def _digit_halves() -> Problem:
    """The lower half of a digit from the upper one."""
    inputs, _ = _bundled("digits")
    pixels = (inputs / 16).astype(np.float32)
    return Problem(pixels[:, :32], pixels[:, 32:], classes=False)


def _diabetes() -> Problem:
    inputs, targets = _bundled("diabetes")
    return Problem(
        _standardised(inputs), _standardised(targets[:, None]), classes=False
    )


def _diabetes_classes() -> Problem:
    inputs, targets = _bundled("diabetes")
    high = np.asarray(targets > np.median(targets)).astype(int)
    return Problem(_standardised(inputs), _one_hot(high), classes=True)


def _cancer_sizes() -> Problem:
    """The worst area of a cell nucleus from its other measures' means."""
    inputs, _ = _bundled("breast_cancer")
    return Problem(
        _standardised(inputs[:, :10]), _standardised(inputs[:, 20:]), classes=False
    )


def _friedman() -> Problem:
    from sklearn.datasets import make_friedman1

    inputs, targets = make_friedman1(900, noise=1.0, random_state=_SEED)
    return Problem(
        _standardised(inputs), _standardised(targets[:, None]), classes=False
    )


def _moons() -> Problem:
    from sklearn.datasets import make_moons

    inputs, labels = make_moons(900, noise=0.3, random_state=_SEED)
    return Problem(_standardised(inputs), _one_hot(labels), classes=True)


def _clusters() -> Problem:
    from sklearn.datasets import make_classification

    inputs, labels = make_classification(
        900,
        20,
        n_informative=8,
        n_classes=4,
        n_clusters_per_class=2,
        flip_y=0.05,
        class_sep=1.2,
        random_state=_SEED,
    )
    return Problem(_standardised(inputs), _one_hot(labels), classes=True)


def _photograph() -> Problem:
    """The colour of a photograph at a place: it goes on improving for long."""
    inputs = np.random.default_rng(_SEED).uniform(-1, 1, (1500, 2))
    from sklearn.datasets import load_sample_image

    image = load_sample_image("flower.jpg")[60:360, 150:450] / 255
    rows, columns = ((inputs + 1) / 2 * 299).astype(int).T
    turns = np.concatenate(
        [
            wave(2**power * np.pi / 2 * inputs)
            for power in range(3)
            for wave in (np.sin, np.cos)
        ],
        axis=1,
    )
    return Problem(
        turns.astype(np.float32), _standardised(image[rows, columns]), classes=False
    )


TASKS: dict[str, Callable[[], Problem]] = {
    "digits": _digits,
    "digits-conv": _patched_digits,
    "parity": _parity,
    "digits-copied": _digits_copied,
    "digit-halves": _digit_halves,
    "cancer": lambda: _classes_of("breast_cancer"),
    "cancer-sizes": _cancer_sizes,
    "wine": lambda: _classes_of("wine"),
    "wine-unscaled": _unscaled_wine,
    "iris": lambda: _classes_of("iris"),
    "diabetes": _diabetes,
    "diabetes-classes": _diabetes_classes,
    "friedman": _friedman,
    "moons": _moons,
    "clusters": _clusters,
    "photograph": _photograph,
}
