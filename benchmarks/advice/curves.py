"""Real learning curves for the benchmark of the advice: thousands of small trainings.

A set is 96 trainings of one network on one of scikit-learn's bundled data sets, of 200
epochs, that differ by seed, by split, or by one parameter that somebody sweeps. Loss
and accuracy on the training, validation and test part are kept. No rate here is
scheduled to the plan's end, so the first 100 epochs are what a plan of 100 would log.

    python -m benchmarks.advice.curves               # train what is missing
    python -m benchmarks.advice.curves --only wine   # sets with this in their name

The same seed gives the same curves on one machine; another BLAS rounds otherwise, and
after some epochs a curve is another one of the same kind.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from benchmarks.advice.networks import SERIES, Splits, Training, train_networks
from benchmarks.advice.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.advice.networks import Array, Optimiser, Problem
    from cbreplay.run import FloatArray

__all__ = ["N_EPOCHS", "N_RUNS", "RECIPES", "Curves", "Recipe", "load_curves"]

N_RUNS = 96
N_EPOCHS = 200
SEED = 14
_VERSION = 1

Varied = Literal[
    "seeds",
    "splits",
    "rates",
    "widths",
    "decays",
    "dropouts",
    "optimisers",
    "batches",
    "noises",
]


class Recipe(NamedTuple):
    """How a set is made.

    Parameters
    ----------
    task : str
        One of `TASKS`.
    varied : str
        By what its runs differ.
    hidden, optimiser, rate, batch_size, momentum, decay, dropout, plateau
        As in `Training`; a rate or a decay that is swept is in the middle of the sweep.
    n_train, n_watched : int
        Examples to learn from, and to validate by; as many again are for the test.
    noise : float
        The share of labels that are drawn anew, or the noise beside a regression's
        targets in their own standard deviations.
    """

    task: str
    varied: Varied
    hidden: tuple[int, ...]
    optimiser: Optimiser
    rate: float
    batch_size: int
    n_train: int
    n_watched: int
    momentum: float = 0.9
    decay: float = 0.0
    dropout: float = 0.0
    noise: float = 0.0
    plateau: int = 0

    @property
    def name(self) -> str:
        """What the set is called."""
        return f"{self.task}-{self.varied}-{self.optimiser}-{self.rate:g}"


class Curves(NamedTuple):
    """The curves of a set: for each of `SERIES` an array (n_runs, n_epochs)."""

    recipe: Recipe
    logged: Array

    @property
    def name(self) -> str:
        """What the set is called."""
        return self.recipe.name

    def series(self, name: str, n_epochs: int = N_EPOCHS) -> FloatArray:
        """Return a series of all runs, as float64 like a log that is read."""
        values: FloatArray = self.logged[SERIES.index(name), :, :n_epochs].astype(float)
        return values

    @property
    def classes(self) -> bool:
        """Whether it is classification, so that there is an accuracy."""
        return bool(np.isfinite(self.logged[3]).any())


RECIPES: tuple[Recipe, ...] = (
    # seeds of one setting
    Recipe("digits", "seeds", (32,), "adam", 1e-3, 32, 500, 300),
    Recipe("digits", "seeds", (48,), "sgd", 0.1, 32, 300, 300, noise=0.15),
    Recipe("digits-conv", "seeds", (6, 24), "adam", 1e-3, 32, 400, 250, dropout=0.25),
    Recipe("cancer", "seeds", (16,), "adam", 1e-3, 16, 280, 140),
    Recipe("diabetes", "seeds", (32, 16), "adam", 1e-3, 16, 220, 110),
    Recipe("wine", "seeds", (16,), "sgd", 1e-2, 16, 90, 44),
    Recipe("friedman", "seeds", (32,), "adam", 2e-3, 32, 300, 300),
    Recipe("clusters", "seeds", (48, 24), "rmsprop", 1e-3, 32, 400, 250, dropout=0.3),
    Recipe("digits-copied", "seeds", (12,), "adam", 1e-3, 32, 400, 200),
    Recipe("moons", "seeds", (24,), "adam", 3e-3, 32, 200, 300),
    Recipe("photograph", "seeds", (48, 48), "adam", 2e-3, 32, 500, 300),
    Recipe("diabetes-classes", "seeds", (48,), "sgd", 3e-2, 16, 200, 120),
    # a split a run
    Recipe("digits", "splits", (24,), "sgd", 3e-2, 32, 400, 200),
    Recipe("cancer", "splits", (24, 12), "adam", 2e-3, 16, 280, 140),
    Recipe("cancer", "splits", (16,), "sgd", 1e-2, 32, 280, 140, noise=0.05),
    Recipe("diabetes", "splits", (24,), "adam", 3e-3, 32, 260, 90),
    Recipe("wine", "splits", (12,), "adam", 2e-3, 8, 100, 39),
    Recipe("iris", "splits", (12,), "adam", 2e-3, 8, 80, 35),
    Recipe("parity", "splits", (32,), "adam", 5e-4, 32, 400, 250, decay=0.05),
    Recipe("friedman", "splits", (48,), "sgd", 1e-2, 32, 300, 200),
    Recipe("digit-halves", "splits", (32,), "adam", 1e-3, 32, 400, 200),
    Recipe("clusters", "splits", (32,), "adam", 1e-3, 16, 300, 150, dropout=0.4),
    Recipe("digits-conv", "splits", (8,), "adam", 5e-4, 32, 300, 200),
    Recipe("cancer-sizes", "splits", (24,), "adam", 2e-3, 16, 280, 140),
    # sweeps of the rate
    Recipe("digits", "rates", (32,), "adam", 1e-3, 32, 500, 250),
    Recipe("digits", "rates", (32, 16), "sgd", 3e-2, 32, 400, 250, dropout=0.2),
    Recipe("cancer", "rates", (16,), "adam", 1e-3, 16, 280, 140),
    Recipe("diabetes", "rates", (24,), "adam", 3e-3, 16, 220, 110),
    Recipe("wine", "rates", (16,), "sgd", 1e-2, 8, 90, 44),
    Recipe("parity", "rates", (24,), "rmsprop", 5e-4, 32, 400, 250, noise=0.05),
    Recipe("friedman", "rates", (32, 16), "adam", 3e-3, 32, 300, 300),
    Recipe("moons", "rates", (32,), "sgd", 0.1, 32, 200, 300, decay=1e-3),
    Recipe("digits-conv", "rates", (6,), "adam", 1e-3, 32, 300, 200),
    Recipe("photograph", "rates", (32, 32), "adam", 2e-3, 32, 400, 300),
    # sweeps of something else
    Recipe("digits", "widths", (64,), "adam", 1e-3, 32, 300, 250),
    Recipe("diabetes", "widths", (64,), "adam", 2e-3, 16, 220, 110),
    Recipe("clusters", "widths", (64,), "sgd", 3e-2, 32, 400, 250),
    Recipe("cancer", "decays", (24,), "adam", 2e-3, 16, 280, 140, decay=0.1),
    Recipe("friedman", "decays", (64,), "adam", 3e-3, 32, 200, 300, decay=0.1),
    Recipe("digits", "dropouts", (48,), "adam", 2e-3, 32, 300, 250),
    Recipe("diabetes-classes", "dropouts", (48,), "adam", 2e-3, 16, 200, 120),
    Recipe("digits", "optimisers", (32,), "adam", 1e-3, 32, 400, 250),
    Recipe("wine-unscaled", "optimisers", (16,), "adam", 1e-3, 16, 90, 44),
    Recipe("diabetes", "batches", (32,), "adam", 1e-3, 16, 220, 110),
    Recipe("parity", "batches", (32,), "sgd", 3e-2, 16, 400, 250),
    Recipe("digits", "noises", (32,), "adam", 1e-3, 32, 400, 250, noise=0.2),
    Recipe("moons", "noises", (24,), "adam", 5e-3, 16, 150, 300, noise=0.15),
    # the rate is halved on plateaus
    Recipe("digits", "seeds", (24,), "sgd", 0.2, 32, 400, 250, plateau=5, noise=0.05),
    Recipe("diabetes", "splits", (24,), "adam", 1e-2, 16, 220, 110, plateau=8),
    Recipe("friedman", "rates", (32,), "adam", 1e-2, 32, 300, 300, plateau=6),
)


def _middle_out(rng: np.random.Generator, middle: float, decades: float) -> Array:
    """Return what a sweep draws: log-uniform about its middle."""
    return middle * 10 ** rng.uniform(-decades / 2, decades / 2, N_RUNS)


def _parameters(recipe: Recipe, rng: np.random.Generator) -> dict[str, Array]:
    """Return the parameters of each run."""
    ones = np.ones(N_RUNS)
    found: dict[str, Array] = {
        "learning_rate": recipe.rate * ones,
        "momentum": recipe.momentum * ones,
        "weight_decay": recipe.decay * ones,
        "dropout": recipe.dropout * ones,
        "width": ones,
    }
    if recipe.varied == "rates":
        found["learning_rate"] = _middle_out(rng, recipe.rate, 1.5)
    if recipe.varied == "widths":
        found["width"] = 2 ** -rng.uniform(0, 4, N_RUNS)
    if recipe.varied == "decays":
        found["weight_decay"] = _middle_out(rng, recipe.decay, 3)
    if recipe.varied == "dropouts":
        found["dropout"] = rng.uniform(0, 0.7, N_RUNS)
    return found


def _draw_splits(recipe: Recipe, n_examples: int, rng: np.random.Generator) -> Splits:
    rows = np.tile(rng.permutation(n_examples), (N_RUNS, 1))
    if recipe.varied == "splits":
        rows = rng.permuted(rows, axis=1)
    bounds = np.cumsum([recipe.n_train, recipe.n_watched, recipe.n_watched])
    return Splits(*np.split(rows, bounds, axis=1)[:3])


def _draw_targets(recipe: Recipe, problem: Problem, rng: np.random.Generator) -> Array:
    """Return what each run is told, with the wrong labels that the recipe asks for."""
    targets = np.tile(problem.targets, (N_RUNS, 1, 1))
    noise = np.full(N_RUNS, recipe.noise)
    shape = (N_RUNS, targets.shape[1])
    if recipe.varied == "noises":
        noise = rng.uniform(0, 2 * recipe.noise, N_RUNS)
    elif recipe.varied != "splits":
        shape = (1, targets.shape[1])
    if not noise.any():
        return targets
    if not problem.classes:
        drawn = rng.normal(size=(*shape, targets.shape[2])) * noise[:, None, None]
        noisy: Array = (targets + drawn).astype(np.float32)
        return noisy
    wrong = rng.random(shape) < noise[:, None]
    others = rng.integers(0, targets.shape[2], shape)
    labels = np.where(wrong, others, problem.targets.argmax(axis=1)[None])
    columns: Array = np.eye(targets.shape[2], dtype=np.float32)[labels]
    return columns


def _parts(recipe: Recipe) -> list[tuple[Optimiser, int]]:
    """Return optimisers and batch sizes, each of an equal part of the runs."""
    if recipe.varied == "optimisers":
        names: tuple[Optimiser, ...] = ("adam", "rmsprop", "sgd")
        return [(optimiser, recipe.batch_size) for optimiser in names]
    if recipe.varied == "batches":
        return [(recipe.optimiser, recipe.batch_size * 2**power) for power in range(4)]
    return [(recipe.optimiser, recipe.batch_size)]


def train_set(recipe: Recipe, n_epochs: int = N_EPOCHS) -> Array:
    """Train the runs of a set: an array (n_series, n_runs, n_epochs)."""
    rng = np.random.default_rng([SEED, zlib.crc32(recipe.name.encode())])
    problem = TASKS[recipe.task]()
    splits = _draw_splits(recipe, len(problem.inputs), rng)
    targets = _draw_targets(recipe, problem, rng)
    parameters, parts = _parameters(recipe, rng), _parts(recipe)
    # the parts of a sweep stand mixed, as in a directory of logs
    order, found = rng.permutation(N_RUNS), []
    for (optimiser, batch_size), runs in zip(
        parts, np.split(np.arange(N_RUNS), len(parts)), strict=True
    ):
        own = {name: values[runs] for name, values in parameters.items()}
        if len(parts) > 1 and optimiser == "sgd":
            own["learning_rate"] = own["learning_rate"] * 10
        training = Training(
            recipe.hidden, optimiser, batch_size, plateau=recipe.plateau, **own
        )
        mine = Splits(*(rows[runs] for rows in splits))
        found.append(
            train_networks(
                problem, targets[runs], mine, training, n_epochs=n_epochs, rng=rng
            )
        )
    logged: Array = np.concatenate(found, axis=1)[:, order]
    return logged


def default_cache() -> Path:
    """Return where the curves are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cbreplay-benchmarks"


def load_curves(
    cache: Path | None = None,
    only: str = "",
    recipes: Sequence[Recipe] = RECIPES,
    n_epochs: int = N_EPOCHS,
) -> list[Curves]:
    """Return the sets, training those that are not kept yet."""
    directory = cache or default_cache()
    directory.mkdir(parents=True, exist_ok=True)
    found = []
    for recipe in recipes:
        if only not in recipe.name:
            continue
        said = json.dumps([_VERSION, SEED, N_RUNS, n_epochs, *recipe])
        mark = hashlib.sha256(said.encode()).hexdigest()[:12]
        path = directory / f"{recipe.name}-{mark}.npy"
        if not path.exists():
            started = time.process_time()
            logged = train_set(recipe, n_epochs)
            part = path.with_suffix(".part.npy")
            np.save(part, logged)
            part.rename(path)
            print(
                f"{recipe.name}: {time.process_time() - started:.0f} s of CPU",
                flush=True,
            )
        found.append(Curves(recipe, np.load(path)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for curves in load_curves(options.cache, options.only):
        print(curves.name, np.isnan(curves.series("val_loss")).any(axis=1).sum())


if __name__ == "__main__":
    main()
