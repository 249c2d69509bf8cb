"""Curves of other makers than those that the kinds were learned from.

Linear models on the inputs or on random features, under several losses and optimisers,
and gradient boosting, whose epochs are its trees: 96 runs a set, one validation loss.
The kinds that come with the package choose; how much these weigh, and how wide the runs
are evened out, was settled with these sets in view.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from benchmarks.advice.choices import (
    SIZES,
    Population,
    judge_choice,
    promise_in_near_tie,
)
from benchmarks.advice.curves import N_EPOCHS, N_RUNS, default_cache
from benchmarks.advice.make_prior import price_patience
from cbreplay.generalization.prior import read_prior

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cbreplay.run import EpochArray, FloatArray

__all__ = ["Loss", "find_slope", "measure_loss", "print_others"]

Loss: TypeAlias = Literal["softmax", "squared", "huber", "hinge", "absolute"]
Stepping: TypeAlias = Literal["sgd", "adagrad", "adam"]

_PLANS = (100, 200)
_N_FEATURES, _BATCH, _DECADES = 300, 32, 1.5
_BEND = 0.5
_SMALL = 1e-8


class Linear(NamedTuple):
    """A set of linear models.

    Parameters
    ----------
    task : str
        What they learn: a key of `TASKS`.
    rate : float
        The learning rate; the middle of those that are drawn, if rates are.
    n_train, n_watched, seed : int
        How many examples each trains on, and watches; and what is drawn.
    loss, steps : str
        What is minimised, and how.
    features : float
        The width of the random features' kernel; 0 for the inputs themselves.
    momentum, decay : float
        Of plain steps; the rate falls as 1 / (1 + decay x epoch).
    splits, rates : bool
        Whether every run has its own split, and its own rate.
    """

    task: str
    rate: float
    n_train: int
    n_watched: int
    seed: int
    loss: Loss = "softmax"
    steps: Stepping = "sgd"
    features: float = 0
    momentum: float = 0
    decay: float = 0
    splits: bool = True
    rates: bool = False

    def train(self) -> FloatArray:
        """Return the validation loss of each run and epoch."""
        return _train_linear(self)


class Boosted(NamedTuple):
    """A set of boosted trees on the bundled data, each run on its own split."""

    task: str
    rate: float
    depth: int
    n_train: int
    n_watched: int

    def train(self) -> FloatArray:
        """Return the validation loss of each run after each tree."""
        return _boost(self)


SETS: dict[str, Linear | Boosted] = {
    "logistic-blobby-splits": Linear("blobby", 0.02, 300, 200, 1),
    "logistic-digits-rates": Linear(
        "digits", 0.01, 300, 200, 2, splits=False, rates=True
    ),
    "logistic-cancer-adagrad": Linear("cancer", 0.05, 150, 150, 3, steps="adagrad"),
    "rbf-digits-splits": Linear("digits", 0.01, 300, 200, 4, features=1),
    "rbf-hastie-adam": Linear("hastie", 0.003, 400, 300, 5, steps="adam", features=1),
    "rbf-quantiles-momentum": Linear(
        "quantiles", 0.003, 400, 300, 6, features=1, momentum=0.9, splits=False
    ),
    "rbf-friedman2-huber": Linear("friedman2", 0.003, 250, 200, 7, "huber", features=1),
    "rbf-friedman3-absolute": Linear(
        "friedman3",
        0.002,
        250,
        200,
        8,
        "absolute",
        features=1,
        splits=False,
        rates=True,
    ),
    "linear-regress-squared": Linear("regress", 0.001, 150, 150, 9, "squared"),
    "rbf-blobby-hinge": Linear("blobby", 0.003, 300, 200, 10, "hinge", features=1),
    "linear-diabetes-huber": Linear(
        "diabetes", 0.003, 150, 150, 11, "huber", steps="adam"
    ),
    "rbf-diabetes-decay": Linear(
        "diabetes", 0.0005, 200, 150, 12, "squared", features=0.5, decay=0.02
    ),
    "rbf-wine-rates": Linear("wine", 0.01, 80, 60, 13, features=1, rates=True),
    "boost-cancer-.1": Boosted("cancer", 0.1, 2, 250, 150),
    "boost-cancer-.03": Boosted("cancer", 0.03, 3, 250, 150),
    "boost-diabetes-.05": Boosted("diabetes", 0.05, 2, 220, 110),
    "boost-wine-.03": Boosted("wine", 0.03, 2, 90, 44),
}


def _bundled(name: str) -> tuple[Any, Any]:
    from sklearn import datasets

    inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    return inputs, targets


def _generated(name: str, *sizes: int, **options: Any) -> tuple[Any, Any]:  # noqa: ANN401
    from sklearn import datasets

    inputs, targets = getattr(datasets, f"make_{name}")(*sizes, **options)
    return inputs, targets


def _two_classes() -> tuple[Any, Any]:
    inputs, targets = _generated("hastie_10_2", 1500, random_state=1)
    return inputs, (targets > 0).astype(int)


TASKS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "digits": partial(_bundled, "digits"),
    "cancer": partial(_bundled, "breast_cancer"),
    "wine": partial(_bundled, "wine"),
    "diabetes": partial(_bundled, "diabetes"),
    "blobby": partial(
        _generated,
        "classification",
        1500,
        40,
        n_informative=8,
        n_redundant=5,
        n_classes=3,
        flip_y=0.15,
        class_sep=0.8,
        random_state=3,
    ),
    "hastie": _two_classes,
    "quantiles": partial(
        _generated,
        "gaussian_quantiles",
        n_samples=1200,
        n_features=12,
        n_classes=4,
        random_state=2,
    ),
    "friedman2": partial(_generated, "friedman2", 900, noise=80, random_state=5),
    "friedman3": partial(_generated, "friedman3", 900, noise=0.3, random_state=5),
    "regress": partial(
        _generated, "regression", 600, 80, n_informative=10, noise=60, random_state=6
    ),
}


def measure_loss(loss: Loss, found: FloatArray, wanted: FloatArray) -> float:
    """Return the mean loss of what was found."""
    if loss == "softmax":
        found = found - found.max(axis=1, keepdims=True)
        logs = found - np.log(np.exp(found).sum(axis=1, keepdims=True))
        return float(-(wanted * logs).sum(axis=1).mean())
    if loss == "hinge":
        return float(np.maximum(0, 1 - found * (2 * wanted - 1)).sum(axis=1).mean())
    off = np.abs(found - wanted)
    if loss == "huber":
        bent = _BEND * off - _BEND**2 / 2
        return float(np.where(off < _BEND, off**2 / 2, bent).mean())
    return float((off**2 if loss == "squared" else off).mean())


def find_slope(loss: Loss, found: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return how each example's loss changes with what was found."""
    if loss == "softmax":
        odds = np.exp(found - found.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True) - wanted)
    if loss == "hinge":
        signs = 2 * wanted - 1
        return np.asarray(-signs * (found * signs < 1))
    off = found - wanted
    if loss == "squared":
        return np.asarray(2 * off)
    return np.asarray(np.clip(off, -_BEND, _BEND) if loss == "huber" else np.sign(off))


class _Weights:
    """The weights of one linear model, and how they take a step."""

    def __init__(self, recipe: Linear, drawn: FloatArray) -> None:
        self.recipe, self.weights, self.n_steps = recipe, drawn, 0
        self.first, self.second = np.zeros_like(drawn), np.zeros_like(drawn)

    def step(self, slope: FloatArray, rate: float) -> None:
        self.n_steps += 1
        if self.recipe.steps == "adagrad":
            self.second += slope * slope
            self.weights = self.weights - rate * slope / (np.sqrt(self.second) + _SMALL)
        elif self.recipe.steps == "adam":
            self.first = 0.9 * self.first + 0.1 * slope
            self.second = 0.999 * self.second + 0.001 * slope * slope
            mean = self.first / (1 - 0.9**self.n_steps)
            size = np.sqrt(self.second / (1 - 0.999**self.n_steps)) + _SMALL
            self.weights = self.weights - rate * mean / size
        else:
            self.first = self.recipe.momentum * self.first - rate * slope
            self.weights = self.weights + self.first


def _prepare(recipe: Linear) -> tuple[FloatArray, FloatArray]:
    """Return the inputs, with a column of ones, and the targets a column a class."""
    from sklearn.kernel_approximation import RBFSampler
    from sklearn.preprocessing import StandardScaler

    inputs, targets = TASKS[recipe.task]()
    inputs = StandardScaler().fit_transform(inputs)
    if recipe.features:
        sampler = RBFSampler(
            gamma=recipe.features / inputs.shape[1],
            n_components=_N_FEATURES,
            random_state=0,
        )
        inputs = 4 * sampler.fit_transform(inputs)
    inputs = np.hstack([inputs, np.ones((len(inputs), 1))])
    if targets.dtype.kind == "f":
        return inputs, ((targets - targets.mean()) / targets.std())[:, None]
    return inputs, np.eye(len(np.unique(targets)))[targets]


def _train_linear(recipe: Linear) -> FloatArray:
    inputs, wanted = _prepare(recipe)
    rng, logged = np.random.default_rng(recipe.seed), np.empty((N_RUNS, N_EPOCHS))
    shape = inputs.shape[1], wanted.shape[1]
    same = rng.permutation(len(inputs))
    for row in logged:
        order = rng.permutation(len(inputs)) if recipe.splits else same
        train = order[: recipe.n_train]
        watched = order[recipe.n_train : recipe.n_train + recipe.n_watched]
        rate = recipe.rate
        if recipe.rates:
            rate *= 10 ** rng.uniform(-_DECADES / 2, _DECADES / 2)
        model = _Weights(recipe, rng.normal(0, 0.05, shape))
        for epoch in range(N_EPOCHS):
            for rows in _batches(train, rng):
                found = inputs[rows] @ model.weights
                slope = find_slope(recipe.loss, found, wanted[rows])
                model.step(
                    inputs[rows].T @ slope / len(rows),
                    rate / (1 + recipe.decay * epoch),
                )
            told = inputs[watched] @ model.weights
            row[epoch] = measure_loss(recipe.loss, told, wanted[watched])
    return logged


def _batches(train: EpochArray, rng: np.random.Generator) -> Iterator[EpochArray]:
    order = rng.permutation(len(train))
    for first in range(0, len(order), _BATCH):
        yield train[order[first : first + _BATCH]]


def _boost(recipe: Boosted) -> FloatArray:
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
    from sklearn.metrics import log_loss

    inputs, targets = TASKS[recipe.task]()
    rng, logged = np.random.default_rng(0), np.empty((N_RUNS, N_EPOCHS))
    classes = targets.dtype.kind != "f"
    kind = GradientBoostingClassifier if classes else GradientBoostingRegressor
    for seed, row in enumerate(logged):
        order = rng.permutation(len(inputs))
        train = order[: recipe.n_train]
        watched = order[recipe.n_train : recipe.n_train + recipe.n_watched]
        model = kind(
            learning_rate=recipe.rate,
            max_depth=recipe.depth,
            n_estimators=N_EPOCHS,
            subsample=0.7,
            random_state=seed,
        ).fit(inputs[train], targets[train])
        wanted = targets[watched]
        if classes:
            labels = np.unique(targets)
            told = model.staged_predict_proba(inputs[watched])
            row[:] = [log_loss(wanted, shares, labels=labels) for shares in told]
        else:
            told = model.staged_predict(inputs[watched])
            row[:] = [((found - wanted) ** 2).mean() for found in told]
    return logged


def load_others(cache: Path | None = None) -> dict[str, FloatArray]:
    """Return the losses of each set, training those that are not kept yet."""
    directory, found = (cache or default_cache()) / "other-makers", {}
    directory.mkdir(parents=True, exist_ok=True)
    for name, recipe in SETS.items():
        path = directory / f"{name}.npy"
        if not path.exists():
            np.save(path, recipe.train())
        found[name] = np.load(path)
    return found


def print_others(cache: Path | None, draws: int) -> None:
    """Print what share of the distance is closed by the kinds that are shipped."""
    curves = load_others(cache)
    print(
        f"{len(curves)} sets of other makers, share closed in %, from 3 / 10 / 30 runs"
    )
    for plan in _PLANS:
        populations = []
        for name, losses in curves.items():
            values = losses[:, :plan]
            populations.append(Population(name, values, price_patience(values)))
        priors = [(read_prior(), read_prior())] * len(populations)
        judged = [
            judge_choice(populations, priors, promise_in_near_tie, n_runs, draws)
            for n_runs in SIZES
        ]
        shares = " / ".join(f"{one.closed():4.0f}" for one in judged)
        print(f"  {plan} epochs   {shares}", flush=True)
