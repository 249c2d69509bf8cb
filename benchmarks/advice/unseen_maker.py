"""Curves of a maker that nothing was tuned on: written down before any was judged.

Small networks on dense inputs, counts of words, windows of sequences, sequences step by
step, and tables to be factorised, with dropout, batch norm, wrong labels, rare classes,
heavy tails and small validation sets, under four schedules of the rate; boosted trees;
and `partial_fit`. 96 runs a set; each logs one of four metrics of its validation set.

    python -m benchmarks.advice unseen
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from benchmarks.advice.asked import ENDS_AT_ONE, judge_answers
from benchmarks.advice.backwards import Term, find_slopes
from benchmarks.advice.choices import SIZES, Population
from benchmarks.advice.curves import N_EPOCHS, N_RUNS, default_cache
from benchmarks.advice.make_prior import price_patience
from benchmarks.advice.unseen_tasks import TASKS
from cbreplay.generalization.prior import read_prior

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.advice.backwards import Array
    from cbreplay.run import FloatArray

__all__ = [
    "SETS",
    "Boosted",
    "Drawn",
    "Model",
    "Network",
    "Partial",
    "find_slope",
    "measure",
    "measure_loss",
    "populate_unseen",
    "print_unseen",
]

Loss: TypeAlias = Literal["softmax", "sigmoid", "squared", "huber"]
Metric: TypeAlias = Literal["val_loss", "val_accuracy", "val_auc", "val_mae"]
Schedule: TypeAlias = Literal["steady", "warm-up", "steps", "cosine"]
Varied: TypeAlias = Literal["seeds", "splits", "rates", "decays"]
Maker: TypeAlias = "Callable[[np.random.Generator, int], Any]"

_PLANS = (100, 200)
_N_LARGEST = 4
_DECADES = 1.2
_WARM, _DROPS = 10, (40, 80)
_RUNNING, _SMALL, _SEEDS = 0.9, 1e-7, 4


class Network(NamedTuple):
    """A set of networks.

    Parameters
    ----------
    task : str
        What they learn: a key of `TASKS`.
    layers : str
        ``dense``; ``windows``, whose first layer all windows share, averaged over both
        halves of them; ``recurrent``, whose first layer reads the steps one by one; or
        ``factors``, a table of the training as the product of two.
    hidden : tuple of int
        The units of the hidden layers; the rank of factors.
    steps, rate : str, float
        How a step is taken: ``momentum`` (0.9), ``adam`` or ``rmsprop``, as in Keras.
    n_train, n_watched : int
        Examples (of factors: entries) to train on, and to validate by.
    seed : int
        For what is drawn.
    loss, metric, schedule, varied : str
        What is minimised, what is logged, how the rate goes, and how runs differ.
    wrong : float
        The share of labels that are drawn anew, of training and validation alike.
    dropout, decay : float
        The share of hidden units dropped; what is taken from weights, in rates.
    norm : bool
        Whether hidden layers have batch norm.
    """

    task: str
    layers: Literal["dense", "windows", "recurrent", "factors"]
    hidden: tuple[int, ...]
    steps: Literal["momentum", "adam", "rmsprop"]
    rate: float
    n_train: int
    n_watched: int
    seed: int
    loss: Loss
    metric: Metric = "val_loss"
    schedule: Schedule = "steady"
    varied: Varied = "splits"
    wrong: float = 0
    dropout: float = 0
    decay: float = 0
    norm: bool = False
    batch: int = 32

    def train(self, n_epochs: int, n_runs: int = N_RUNS) -> FloatArray:
        """Return the metric of each run and epoch."""
        return _train_networks(self, n_epochs, n_runs)


class Boosted(NamedTuple):
    """A set of boosted trees, each run on its own split; an epoch is a tree."""

    task: str
    rate: float
    depth: int
    n_train: int
    n_watched: int
    seed: int
    loss: Loss
    metric: Metric
    varied: Varied = "splits"
    schedule: Schedule = "steady"

    def train(self, n_epochs: int, n_runs: int = N_RUNS) -> FloatArray:
        """Return the metric of each run after each tree."""
        return _boost(self, n_epochs, n_runs)


class Partial(NamedTuple):
    """A set of scikit-learn's linear models, an epoch a call of ``partial_fit``."""

    task: str
    rate: float
    n_train: int
    n_watched: int
    seed: int
    loss: Loss
    metric: Metric
    varied: Varied
    wrong: float = 0
    schedule: Schedule = "steady"

    def train(self, n_epochs: int, n_runs: int = N_RUNS) -> FloatArray:
        """Return the metric of each run and epoch."""
        return _fit_partially(self, n_epochs, n_runs)


SETS: dict[str, Network | Boosted | Partial] = {
    "norm-digits-wrong": Network(
        "digits", "dense", (48,), "adam", 2e-3, 300, 60, 1, "softmax",
        wrong=0.2, norm=True,
    ),
    "rare-cancer-auc": Network(
        "rare-cancer", "dense", (16,), "rmsprop", 1e-3, 200, 100, 2, "sigmoid",
        "val_auc", varied="rates", dropout=0.3,
    ),
    "warm-rare-classes": Network(
        "rare-classes", "dense", (32,), "momentum", 0.05, 400, 60, 3, "softmax",
        schedule="warm-up",
    ),
    "topics-splits": Network(
        "topics", "dense", (16,), "adam", 5e-3, 400, 50, 4, "sigmoid",
    ),
    "topics-accuracy": Network(
        "topics", "dense", (24,), "adam", 2e-3, 400, 60, 5, "sigmoid",
        "val_accuracy", varied="rates", dropout=0.5,
    ),
    "tails-mae": Network(
        "tails", "dense", (32, 16), "adam", 3e-3, 300, 60, 6, "huber",
        "val_mae", varied="seeds",
    ),
    "skewed-diabetes": Network(
        "skewed-diabetes", "dense", (24,), "momentum", 0.01, 260, 40, 7, "squared",
    ),
    "factors-pixels": Network(
        "pixels", "factors", (8,), "adam", 1e-2, 2400, 300, 8, "squared",
        varied="decays", decay=0.1,
    ),
    "factors-ratings-mae": Network(
        "ratings", "factors", (6,), "rmsprop", 5e-3, 1600, 200, 9, "squared",
        "val_mae", varied="seeds",
    ),
    "windows-rows-wrong": Network(
        "digit-rows", "windows", (16, 24), "adam", 1e-3, 300, 60, 10, "softmax",
        wrong=0.1, dropout=0.25,
    ),
    "windows-waves-accuracy": Network(
        "waves", "windows", (12, 16), "rmsprop", 2e-3, 240, 60, 11, "softmax",
        "val_accuracy", varied="rates",
    ),
    "recurrent-adding": Network(
        "adding", "recurrent", (24,), "adam", 3e-3, 300, 60, 12, "squared",
        varied="rates",
    ),
    "recurrent-bits": Network(
        "bits", "recurrent", (16,), "adam", 3e-3, 300, 60, 13, "sigmoid",
        varied="seeds",
    ),
    "cosine-friedman": Network(
        "friedman", "dense", (24,), "adam", 3e-3, 300, 60, 14, "squared",
        schedule="cosine",
    ),
    "circles-wrong": Network(
        "circles", "dense", (16,), "momentum", 0.05, 150, 40, 15, "sigmoid",
        wrong=0.15,
    ),
    "steps-drowned-wine": Network(
        "drowned-wine", "dense", (16,), "momentum", 0.02, 90, 40, 16, "softmax",
        schedule="steps", dropout=0.4, norm=True,
    ),
    "hastie-accuracy": Network(
        "hastie", "dense", (32,), "adam", 3e-3, 400, 60, 17, "sigmoid",
        "val_accuracy", varied="decays", decay=0.1,
    ),
    "boosted-rare-auc": Boosted(
        "rare-class", 0.1, 2, 300, 100, 18, "sigmoid", "val_auc"
    ),
    "boosted-tails-mae": Boosted(
        "tails", 0.1, 2, 300, 60, 19, "huber", "val_mae", "rates"
    ),
    "partial-digits-accuracy": Partial(
        "digits", 1e-3, 200, 60, 20, "softmax", "val_accuracy", "rates", 0.1
    ),
    "partial-tails-mae": Partial(
        "tails", 1e-3, 200, 50, 21, "huber", "val_mae", "splits"
    ),
}  # fmt: skip


class Drawn(NamedTuple):
    """What each run trains on and is validated by, (n_runs, n_examples, ...).

    A target that is NaN is not known to the run.
    """

    inputs: Array
    targets: Array
    watched: Array
    wanted: Array


def _draw(recipe: Network, n_runs: int, rng: np.random.Generator) -> Drawn:
    inputs, targets = (part.astype(np.float32) for part in TASKS[recipe.task]())
    if recipe.layers == "factors":
        return _draw_entries(recipe, inputs, targets, n_runs, rng)
    told = _mislabel(targets, recipe.wrong, rng) if recipe.wrong else targets
    orders = _draw_orders(recipe, len(inputs), n_runs, rng)
    train, watched = orders[:, : recipe.n_train], orders[:, recipe.n_train :]
    return Drawn(inputs[train], told[train], inputs[watched], told[watched])


def _draw_orders(
    recipe: Network | Boosted | Partial,
    n_examples: int,
    n_runs: int,
    rng: np.random.Generator,
) -> Any:  # noqa: ANN401
    """Return which examples each run trains on, and those that it is validated by."""
    orders = np.tile(rng.permutation(n_examples), (n_runs, 1))
    if recipe.varied == "splits":
        orders = rng.permuted(orders, axis=1)
    return orders[:, : recipe.n_train + recipe.n_watched]


def _draw_entries(
    recipe: Network,
    rows: Array,
    table: Array,
    n_runs: int,
    rng: np.random.Generator,
) -> Drawn:
    """Draw the entries of a table that are known, and those that are asked."""
    orders = _draw_orders(recipe, table.size, n_runs, rng)
    parts = []
    for places in (orders[:, : recipe.n_train], orders[:, recipe.n_train :]):
        known = np.full((n_runs, table.size), np.nan, np.float32)
        np.put_along_axis(known, places, table.ravel()[places], axis=1)
        parts.append(known.reshape(n_runs, *table.shape))
    shown = np.broadcast_to(rows, (n_runs, *rows.shape))
    return Drawn(shown, parts[0], shown, parts[1])


def _mislabel(targets: Array, share: float, rng: np.random.Generator) -> Array:
    """Draw the labels of a share of the examples anew."""
    wrong = rng.random(len(targets)) < share
    others = targets[rng.permutation(len(targets))]
    told: Array = np.where(wrong[:, None], others, targets)
    return told


def _draw_about(
    middle: float, n_runs: int, rng: np.random.Generator, *, swept: bool
) -> Array:
    decades = rng.uniform(-_DECADES / 2, _DECADES / 2, n_runs) * swept
    found: Array = middle * 10**decades
    return found


def follow_schedule(schedule: Schedule, epoch: int, n_epochs: int) -> float:
    """Return by what the rate is multiplied in an epoch.

    >>> [follow_schedule("warm-up", epoch, 100) for epoch in (0, 4, 9, 50)]
    [0.1, 0.5, 1.0, 1.0]
    >>> [round(follow_schedule("steps", epoch, 100), 2) for epoch in (39, 40, 80)]
    [1.0, 0.2, 0.04]
    >>> [round(follow_schedule("cosine", epoch, 100), 2) for epoch in (0, 50, 99)]
    [1.0, 0.5, 0.0]
    """
    if schedule == "warm-up":
        return min(1.0, (epoch + 1) / _WARM)
    if schedule == "steps":
        return float(0.2 ** sum(epoch >= drop for drop in _DROPS))
    if schedule == "cosine":
        return float((1 + np.cos(np.pi * epoch / n_epochs)) / 2)
    return 1.0


def find_slope(loss: Loss, found: Array, wanted: Array) -> Array:
    """Return how the mean loss of each run changes with what was found."""
    known = ~np.isnan(wanted)
    apart = np.where(known, _lean(loss, found) - np.nan_to_num(wanted), 0)
    if loss == "squared":
        apart = 2 * apart
    elif loss == "huber":
        apart = np.clip(apart, -1, 1)
    counted: Array = known.sum(axis=(1, 2), keepdims=True)
    if loss == "softmax":
        counted = np.full_like(counted, found.shape[1])
    slope: Array = apart / np.maximum(counted, 1)
    return slope.astype(found.dtype)


def _lean(loss: Loss, found: Array) -> Array:
    """Return what was found as it is held against what was wanted."""
    if loss == "softmax":
        odds = np.exp(found - found.max(axis=2, keepdims=True))
        return np.asarray(odds / odds.sum(axis=2, keepdims=True))
    if loss == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(found, -60, 60))))
    return found


def measure_loss(loss: Loss, found: Array, wanted: Array) -> Array:
    """Return the mean loss of each run."""
    found, wanted = found.astype(float), wanted.astype(float)
    if loss == "softmax":
        most = found.max(axis=2, keepdims=True)
        logs = found - most - np.log(np.exp(found - most).sum(axis=2, keepdims=True))
        return np.asarray(-(wanted * logs).sum(axis=2).mean(axis=1))
    if loss == "sigmoid":
        each = np.logaddexp(0, found) - found * wanted
        return np.asarray(np.nanmean(each, axis=(1, 2)))
    off = np.abs(found - wanted)
    if loss == "huber":
        off = np.where(off < 1, off**2 / 2, off - 0.5)
    return np.asarray(np.nanmean(off**2 if loss == "squared" else off, axis=(1, 2)))


def measure(recipe_loss: Loss, metric: Metric, found: Array, wanted: Array) -> Array:
    """Return the metric of each run.

    >>> found = np.array([[[2.0], [-1.0], [0.5], [-3.0]]])
    >>> wanted = np.array([[[1.0], [0.0], [0.0], [1.0]]])
    >>> measure("sigmoid", "val_accuracy", found, wanted)
    array([0.5])
    >>> measure("sigmoid", "val_auc", found, wanted)  # of four pairs two are in order
    array([0.5])
    >>> measure("squared", "val_mae", found, wanted)
    array([1.625])
    """
    if metric == "val_loss":
        return measure_loss(recipe_loss, found, wanted)
    if metric == "val_mae":
        return np.asarray(np.nanmean(np.abs(found - wanted), axis=(1, 2), dtype=float))
    if metric == "val_auc":
        return _measure_auc(found, wanted)
    if recipe_loss == "softmax":
        right = found.argmax(axis=2) == wanted.argmax(axis=2)
        return np.asarray(right.mean(axis=1))
    return np.asarray(((found > 0) == (wanted > 0)).mean(axis=(1, 2)))


def _measure_auc(found: Array, wanted: Array) -> Array:
    """Return the area under the ROC curve: of pairs, those in order, ties half."""
    first, true = found[:, :, 0], wanted[:, :, 0] > 0
    pairs = true[:, :, None] & ~true[:, None, :]
    apart = first[:, :, None] - first[:, None, :]
    right = (pairs * ((apart > 0) + (apart == 0) / 2)).sum(axis=(1, 2))
    n_pairs = pairs.sum(axis=(1, 2))
    return np.where(n_pairs > 0, right / np.maximum(n_pairs, 1), 0.5)


class Model:
    """The weights of all runs of a set of networks, and how they take a step."""

    def __init__(
        self, recipe: Network, shown: Drawn, decay: Array, rng: np.random.Generator
    ) -> None:
        self.recipe, self.rng, self.decay = recipe, rng, decay.astype(np.float32)
        self.weights: list[Array] = []
        self.running: list[tuple[Array, Array]] = []
        self.n_steps, n_runs = 0, len(shown.inputs)
        n_in = shown.inputs.shape[-1]
        for n_out in recipe.hidden:
            self._add(n_runs, n_in, n_out)
            n_in = n_out
            if recipe.layers == "windows" and not self.running:
                n_in = 2 * n_out
            if recipe.layers == "recurrent" and not self.running:
                self._add(n_runs, n_out, n_out)
            ones = np.ones((n_runs, 1, n_out), np.float32)
            self.running.append((0 * ones, ones))
        self._add(n_runs, n_in, shown.targets.shape[-1])
        self.first = [np.zeros_like(weight) for weight in self.weights]
        self.second = [np.zeros_like(weight) for weight in self.weights]

    def _add(self, n_runs: int, n_in: int, n_out: int) -> None:
        """Add a layer: Glorot's uniform weights, biases of 0."""
        limit = np.sqrt(6 / (n_in + n_out))
        drawn = self.rng.uniform(-limit, limit, (n_runs, n_in, n_out))
        self.weights += [
            drawn.astype(np.float32),
            np.zeros((n_runs, 1, n_out), np.float32),
        ]

    def forward(self, inputs: Array, *, learning: bool) -> tuple[Term, list[Term]]:
        """Return what the last layer finds, and the weights that it was made of."""
        own = [Term(weight) for weight in self.weights]
        left = iter(zip(own[::2], own[1::2], strict=True))
        found = self._read(Term(inputs), left, learning=learning)
        for layer, (weight, bias) in enumerate(left, self.recipe.layers != "dense"):
            found = found @ weight + bias
            if weight is not own[-2]:
                found = self._bend(found, layer, learning=learning)
        return found, own

    def _read(
        self, inputs: Term, left: Iterator[tuple[Term, Term]], *, learning: bool
    ) -> Term:
        """Return what the layers find that do not see an example as one vector."""
        kind, shape = self.recipe.layers, inputs.value.shape
        if kind == "windows":
            weight, bias = next(left)
            every = inputs.shaped(shape[0], -1, shape[3]) @ weight + bias
            bent = self._bend(every, 0, learning=learning)
            halves = bent.shaped(*shape[:2], 2, shape[2] // 2, bias.value.shape[2])
            return halves.mean(axis=3).shaped(*shape[:2], -1)
        if kind == "recurrent":
            (weight, bias), (back, back_bias) = next(left), next(left)
            found = Term(np.zeros((*shape[:2], bias.value.shape[2]), np.float32))
            for step in range(shape[2]):
                read = Term(inputs.value[:, :, step]) @ weight + bias
                found = (read + (found @ back + back_bias)).tanh()
            return found
        if kind == "factors":
            weight, bias = next(left)
            return inputs @ weight + bias
        return inputs

    def _bend(self, found: Term, layer: int, *, learning: bool) -> Term:
        """Return a hidden layer's outputs: norm, ReLU, dropout."""
        if self.recipe.norm:
            found = self._norm(found, layer, learning=learning)
        found = found.relu()
        if not (learning and self.recipe.dropout):
            return found
        kept = self.rng.random(found.value.shape, np.float32) >= self.recipe.dropout
        return found.times(Term(kept / np.float32(1 - self.recipe.dropout)))

    def _norm(self, found: Term, layer: int, *, learning: bool) -> Term:
        mean, spread = self.running[layer]
        if not learning:
            return Term((found.value - mean) / spread)
        even, *seen = found.normalised()
        self.running[layer] = (
            _RUNNING * mean + (1 - _RUNNING) * seen[0],
            _RUNNING * spread + (1 - _RUNNING) * seen[1],
        )
        return even

    def find_slopes(self, inputs: Array, wanted: Array) -> tuple[Array, list[Array]]:
        """Return what is found in a batch, and how its loss changes with weights."""
        found, own = self.forward(inputs, learning=True)
        slope = find_slope(self.recipe.loss, found.value, wanted)
        return found.value, find_slopes(found, slope, own)

    def step(self, inputs: Array, wanted: Array, rate: Array) -> None:
        """Learn from a batch."""
        _, found = self.find_slopes(inputs, wanted)
        rates, decays = (part[:, None, None] for part in (rate, self.decay))
        self.n_steps += 1
        for place, slopes in enumerate(found):
            change = rates * self._direct(place, slopes)
            if not place % 2:
                change += rates * decays * self.weights[place]
            self.weights[place] = self.weights[place] - change

    def _direct(self, place: int, slope: Array) -> Array:
        """Return the step of one weight at a rate of 1."""
        first, second = self.first[place], self.second[place]
        if self.recipe.steps == "momentum":
            first *= 0.9
            first += slope
            return first
        if self.recipe.steps == "rmsprop":
            second += 0.1 * (slope * slope - second)
            return np.asarray(slope / (np.sqrt(second) + _SMALL))
        first += 0.1 * (slope - first)
        second += 0.001 * (slope * slope - second)
        size = np.sqrt(second / (1 - 0.999**self.n_steps)) + _SMALL
        return np.asarray(first / (1 - 0.9**self.n_steps) / size)


def _train_networks(recipe: Network, n_epochs: int, n_runs: int) -> FloatArray:
    rng = np.random.default_rng([_SEEDS, recipe.seed])
    shown = _draw(recipe, n_runs, rng)
    rate = _draw_about(recipe.rate, n_runs, rng, swept=recipe.varied == "rates")
    decay = _draw_about(recipe.decay, n_runs, rng, swept=recipe.varied == "decays")
    model = Model(recipe, shown, decay, rng)
    runs, logged = np.arange(n_runs)[:, None], np.empty((n_runs, n_epochs))
    rows = np.tile(np.arange(shown.inputs.shape[1]), (n_runs, 1))
    for epoch in range(n_epochs):
        now = rate * follow_schedule(recipe.schedule, epoch, n_epochs)
        order = rng.permuted(rows, axis=1)
        for start in range(0, order.shape[1], recipe.batch):
            batch = order[:, start : start + recipe.batch]
            model.step(
                shown.inputs[runs, batch],
                shown.targets[runs, batch],
                now.astype(np.float32),
            )
        told, _ = model.forward(shown.watched, learning=False)
        logged[:, epoch] = measure(recipe.loss, recipe.metric, told.value, shown.wanted)
    return logged


def _boost(recipe: Boosted, n_epochs: int, n_runs: int) -> FloatArray:
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    inputs, targets = TASKS[recipe.task]()
    rng = np.random.default_rng([_SEEDS, recipe.seed])
    orders = _draw_orders(recipe, len(inputs), n_runs, rng)
    rates = _draw_about(recipe.rate, n_runs, rng, swept=recipe.varied == "rates")
    kind: Any = partial(GradientBoostingRegressor, loss="huber")
    if recipe.loss == "sigmoid":
        kind = GradientBoostingClassifier
    logged = np.empty((n_runs, n_epochs))
    for seed, (row, order) in enumerate(zip(logged, orders, strict=True)):
        train, watched = order[: recipe.n_train], order[recipe.n_train :]
        model = kind(
            learning_rate=float(rates[seed]),
            max_depth=recipe.depth,
            n_estimators=n_epochs,
            subsample=0.5,
            random_state=seed,
        ).fit(inputs[train], targets[train, 0])
        staged = (
            model.staged_decision_function(inputs[watched])
            if recipe.loss == "sigmoid"
            else model.staged_predict(inputs[watched])
        )
        told = np.stack([np.reshape(stage, (-1, 1)) for stage in staged])
        wanted = np.broadcast_to(targets[watched], told.shape)
        row[:] = measure(recipe.loss, recipe.metric, told, wanted)
    return logged


def _fit_partially(recipe: Partial, n_epochs: int, n_runs: int) -> FloatArray:
    from sklearn.linear_model import SGDClassifier, SGDRegressor

    inputs, targets = TASKS[recipe.task]()
    rng = np.random.default_rng([_SEEDS, recipe.seed])
    told = _mislabel(targets, recipe.wrong, rng) if recipe.wrong else targets
    orders = _draw_orders(recipe, len(inputs), n_runs, rng)
    rates = _draw_about(recipe.rate, n_runs, rng, swept=recipe.varied == "rates")
    classes = recipe.loss == "softmax"
    wanted = told.argmax(axis=1) if classes else told[:, 0]
    logged = np.empty((n_runs, n_epochs))
    for seed, (row, order) in enumerate(zip(logged, orders, strict=True)):
        train, watched = order[: recipe.n_train], order[recipe.n_train :]
        kind = partial(
            SGDClassifier if classes else SGDRegressor,
            loss="modified_huber" if classes else "huber",
            learning_rate="constant",
            eta0=float(rates[seed]),
            random_state=seed,
        )
        model = kind()
        asked = {"classes": np.unique(wanted)} if classes else {}
        for epoch in range(n_epochs):
            rows = rng.permutation(train)
            model.partial_fit(inputs[rows], wanted[rows], **asked)
            found = (
                model.decision_function(inputs[watched])
                if classes
                else model.predict(inputs[watched])[:, None]
            )
            row[epoch] = measure(
                recipe.loss, recipe.metric, found[None], told[watched][None]
            )[0]
    return logged


def load_unseen(plan: int, cache: Path | None = None) -> dict[str, FloatArray]:
    """Return what each set logs of a plan, training those that are not kept yet.

    A schedule that runs to the plan's end is trained anew for each plan; of the others
    a shorter plan is the beginning of the longer one.
    """
    directory, found = (cache or default_cache()) / "unseen-maker", {}
    directory.mkdir(parents=True, exist_ok=True)
    for name, recipe in SETS.items():
        n_epochs = plan if recipe.schedule == "cosine" else N_EPOCHS
        path = directory / f"{name}-{n_epochs}.npy"
        if not path.exists():
            np.save(path, recipe.train(n_epochs))
        found[name] = np.load(path)[:, :plan]
    return found


def populate_unseen(plan: int, cache: Path | None = None) -> list[Population]:
    """Price every patience on all sets; an accuracy or an AUC by its error."""
    found = []
    for name, logged in load_unseen(plan, cache).items():
        metric = SETS[name].metric
        values = 1 - logged if metric in ENDS_AT_ONE else logged
        costs = price_patience(values)
        found.append(Population(name, values, costs, monitor=metric))
    return found


def print_unseen(cache: Path | None, draws: int) -> None:
    """Print what share of the distance cbreplay's answers close.

    Of all sets, and of all but the few on which a fixed 10 loses most: these hold most
    of the distance.
    """
    print(
        f"{len(SETS)} sets that nothing was tuned on, share closed in %, from 3 / 10 / "
        f"30 runs (without the {_N_LARGEST} on which 10 loses most)"
    )
    for plan in _PLANS:
        populations = populate_unseen(plan, cache)
        priors = [(read_prior(), read_prior())] * len(populations)
        for planned in (True, False):
            judged = [
                judge_answers(populations, priors, n_runs, draws, planned=planned)
                for n_runs in SIZES
            ]
            said = "plan given" if planned else "plan not given"
            others = np.argsort(judged[0].distance)[:-_N_LARGEST].tolist()
            whole, rest = (
                " / ".join(f"{one.closed(rows):4.0f}" for one in judged)
                for rows in (None, others)
            )
            print(f"  {plan} epochs, {said:15s} {whole}   ({rest})", flush=True)
