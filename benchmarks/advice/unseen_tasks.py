"""What the unseen maker's models learn: see `unseen_maker`.

scikit-learn's data, thinned, drowned in noise or with heavy tails, its counts of words,
and toy sequences and tables that are drawn.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.advice.backwards import Array

__all__ = ["TASKS"]

_SEED = 4
_N_RARE = 50


def _bundled(name: str) -> tuple[Any, Any]:
    from sklearn import datasets

    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    return inputs, targets


def _generated(name: str, *sizes: int, **options: Any) -> tuple[Any, Any]:  # noqa: ANN401
    from sklearn import datasets

    inputs, targets = getattr(datasets, f"make_{name}")(
        *sizes, **options, random_state=_SEED
    )
    return inputs, targets


def _scaled(values: Any) -> Array:  # noqa: ANN401 - scikit-learn is untyped
    values = np.asarray(values, float)
    spread = values.std(axis=0)
    found: Array = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return found


def _classes(inputs: Any, labels: Any) -> tuple[Array, Array]:  # noqa: ANN401
    """Return a column a class, or one column for two."""
    n_classes = len(np.unique(labels))
    columns = np.eye(n_classes)[labels]
    return _scaled(inputs), columns if n_classes > 2 else columns[:, 1:]  # noqa: PLR2004


def _values(inputs: Any, targets: Any) -> tuple[Array, Array]:  # noqa: ANN401
    return _scaled(inputs), _scaled(targets)[:, None]


def _fourier(inputs: Any, width: float) -> Any:  # noqa: ANN401
    """Return a hundred random features of a Gaussian kernel."""
    from sklearn.kernel_approximation import RBFSampler

    sampler = RBFSampler(gamma=width, n_components=100, random_state=_SEED)
    return sampler.fit_transform(_scaled(inputs))


def _digits() -> tuple[Array, Array]:
    return _classes(*_bundled("digits"))


def _digit_rows() -> tuple[Array, Array]:
    """The digits as six windows of three rows of pixels."""
    inputs, labels = _bundled("digits")
    rows = _scaled(inputs).reshape(-1, 8, 8)
    windows = np.lib.stride_tricks.sliding_window_view(rows, 3, axis=1)
    return windows.reshape(len(rows), 6, 24), np.eye(10)[labels]


def _rare_cancer() -> tuple[Array, Array]:
    """The data of breast cancer with fifty malignant ones, an eighth."""
    inputs, labels = _bundled("breast_cancer")
    rare = np.flatnonzero(labels == 0)[:_N_RARE]
    kept = np.sort(np.concatenate([rare, np.flatnonzero(labels == 1)]))
    return _classes(inputs[kept], 1 - labels[kept])


def _rare_classes(*weights: float) -> tuple[Array, Array]:
    return _classes(
        *_generated(
            "classification",
            1200,
            20,
            n_informative=6,
            n_classes=len(weights),
            weights=list(weights),
            flip_y=0.05,
        )
    )


def _topics() -> tuple[Array, Array]:
    """Documents of about forty words out of 120; several topics each."""
    counts, topics = _generated(
        "multilabel_classification", 1200, 120, n_classes=6, n_labels=2, length=40
    )
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return 10 * shares, topics.astype(float)


def _tails() -> tuple[Array, Array]:
    """A linear regression whose noise has no variance."""
    inputs, targets = _generated("regression", 700, 30, n_informative=8)
    rng = np.random.default_rng(_SEED)
    noise = rng.standard_t(2, len(targets)) * targets.std() / 2
    return _scaled(inputs), ((targets + noise) / targets.std())[:, None]


def _skewed_diabetes() -> tuple[Array, Array]:
    inputs, targets = _bundled("diabetes")
    return _values(inputs, np.exp(_scaled(targets)))


def _friedman() -> tuple[Array, Array]:
    inputs, targets = _generated("friedman1", 900, 10, noise=1.5)
    return 3 * _fourier(inputs, 0.05), _scaled(targets)[:, None]


def _circles() -> tuple[Array, Array]:
    inputs, labels = _generated("circles", 800, noise=0.2, factor=0.5)
    return 3 * _fourier(inputs, 1.0), labels[:, None].astype(float)


def _drowned_wine() -> tuple[Array, Array]:
    """Wine, and forty columns that say nothing."""
    inputs, labels = _bundled("wine")
    noise = np.random.default_rng(_SEED).normal(size=(len(inputs), 40))
    return _classes(np.hstack([inputs, noise]), labels)


def _hastie() -> tuple[Array, Array]:
    inputs, labels = _generated("hastie_10_2", 1500)
    return _classes(inputs, (labels > 0).astype(int))


def _waves() -> tuple[Array, Array]:
    """Three frequencies in noise, as twenty windows of five values."""
    rng = np.random.default_rng(_SEED)
    labels = rng.integers(0, 3, 900)
    angles = np.outer(0.6 + 0.25 * labels, np.arange(24))
    waves = np.sin(angles + rng.uniform(0, 2 * np.pi, (900, 1)))
    noisy = waves + rng.normal(0, 0.8, waves.shape)
    windows = np.lib.stride_tricks.sliding_window_view(noisy, 5, axis=1)
    return windows.copy(), np.eye(3)[labels]


def _adding() -> tuple[Array, Array]:
    """The sum of the two numbers of ten that are marked."""
    rng = np.random.default_rng(_SEED)
    numbers = rng.uniform(0, 1, (1000, 10))
    marks = rng.permuted(np.tile([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0], (1000, 1)), axis=1)
    sums = (numbers * marks).sum(axis=1)
    return np.stack([numbers, marks], axis=2), _scaled(sums)[:, None]


def _bits() -> tuple[Array, Array]:
    """Whether an even number of five noisy bits is set."""
    rng = np.random.default_rng(_SEED)
    bits = rng.choice([-1.0, 1.0], (900, 5))
    noisy = bits + rng.normal(0, 0.3, bits.shape)
    return noisy[:, :, None], (bits.prod(axis=1, keepdims=True) > 0).astype(float)


def _pixels() -> tuple[Array, Array]:
    """A table of a hundred digits by their pixels."""
    inputs, _ = _bundled("digits")
    return np.eye(100), _scaled(inputs[:100])


def _ratings() -> tuple[Array, Array]:
    """A table of eighty users by fifty things, of rank three and noise."""
    rng = np.random.default_rng(_SEED)
    tastes, things = rng.normal(size=(80, 3)), rng.normal(size=(3, 50))
    return np.eye(80), tastes @ things + rng.normal(size=(80, 50))


TASKS: dict[str, Callable[[], tuple[Array, Array]]] = {
    "digits": _digits,
    "digit-rows": _digit_rows,
    "rare-cancer": _rare_cancer,
    "rare-classes": partial(_rare_classes, 0.8, 0.13, 0.07),
    "rare-class": partial(_rare_classes, 0.85, 0.15),
    "topics": _topics,
    "tails": _tails,
    "skewed-diabetes": _skewed_diabetes,
    "friedman": _friedman,
    "circles": _circles,
    "drowned-wine": _drowned_wine,
    "hastie": _hastie,
    "waves": _waves,
    "adding": _adding,
    "bits": _bits,
    "pixels": _pixels,
    "ratings": _ratings,
}
