"""Ways to choose a setting, and what each came to on trainings with new seeds.

Patience is chosen by `recommend` from some recorded runs, and stands beside a fixed 10.
Ways to treat the learning rate may each look at as many trainings as the others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.tuning_worth.trainings import EPOCHS
from cbreplay import ReduceLROnPlateau, replay_run
from cbreplay.recommend import recommend_config, sweep_patience
from cbreplay.staircase.reductions import later_gain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.tuning_worth.trainings import Kept, TrainedOften
    from cbreplay import Run

__all__ = ["Outcome", "judge_patience", "judge_rates"]

USUAL = 10
# so many runs are recorded without a stop; sets of three and of ten are taken from them
RECORDED = range(20)
SETS = [range(3), range(3, 6), range(6, 9), range(9, 12), range(10), range(10, 20)]
FRESH_STOPS = range(100, 120)

TUNED_ON = range(200, 203)
FRESH_RATES = range(300, 316)
# of the experiment's own rate
CONSTANT = (0.1, 0.3, 1.0, 3.0, 10.0)
# the same, factor and patience of ReduceLROnPlateau: as many as there are rates
PLATEAUS = ((1, 0.5, 5), (1, 0.2, 10), (3, 0.5, 5), (3, 0.2, 10), (3, 0.1, 5))
# up to this share still to come, an earlier reduction has cost nothing in retrainings
NOTHING_TO_COME = 0.01
LONGEST = 30


class Outcome(NamedTuple):
    """A row of the file: what was chosen, and what a training with it came to."""

    keras: str
    part: str
    experiment: str
    chosen: str
    chosen_from: str
    setting: str
    seed: int
    epochs: int
    val_loss: float
    test_loss: float


class _Setting(NamedTuple):
    """A rate, and the arguments of a ReduceLROnPlateau, if there is one."""

    rate: float
    factor: float | None = None
    patience: int | None = None

    def callbacks(self) -> list[Any]:
        from keras.callbacks import ReduceLROnPlateau as Reducing

        if self.factor is None:
            return [*keep_best()]
        return [Reducing(factor=self.factor, patience=self.patience), *keep_best()]

    def __str__(self) -> str:
        if self.factor is None:
            return f"rate {self.rate:g}"
        return f"rate {self.rate:g} factor {self.factor:g} patience {self.patience}"


def keep_best() -> Iterator[Any]:
    """Yield what trains to the end of the plan and keeps the best weights."""
    from keras.callbacks import EarlyStopping, TerminateOnNaN

    yield TerminateOnNaN()
    yield EarlyStopping(patience=EPOCHS, restore_best_weights=True)


def judge_patience(model: TrainedOften) -> Iterator[Outcome]:
    """Choose a patience from each set of recorded runs, and train anew under it."""
    recorded = [model.train(seed).run for seed in RECORDED]
    chosen = [
        (f"{len(seeds)} runs", seeds, _recommended(recorded, seeds)) for seeds in SETS
    ]
    by_patience = {
        patience: _train_all(model, FRESH_STOPS, _stopper(patience))
        for patience in sorted({USUAL, *(each or USUAL for *_, each in chosen)})
    }
    for name, seeds, patience in [*chosen, ("always 10", range(0), USUAL)]:
        said = "nothing" if patience is None else f"patience {patience}"
        where = f"seeds {seeds[0]}-{seeds[-1]}" if seeds else ""
        for seed, kept in by_patience[patience or USUAL]:
            yield _outcome(model, "patience", (name, where, said), seed, kept)


def _recommended(recorded: Sequence[Run], seeds: Iterable[int]) -> int | None:
    sweep, _ = sweep_patience([recorded[seed] for seed in seeds])
    return recommend_config(sweep).patience


def _stopper(patience: int) -> Callable[[], list[Any]]:
    from keras.callbacks import EarlyStopping

    return lambda: [EarlyStopping(patience=patience, restore_best_weights=True)]


def judge_rates(model: TrainedOften) -> Iterator[Outcome]:
    """Choose a constant rate and ReduceLROnPlateaus, and train anew under each."""
    own = model.experiment.learning_rate
    constants = [_Setting(own * share) for share in CONSTANT]
    plateaus = [
        _Setting(own * share, factor, patience) for share, factor, patience in PLATEAUS
    ]
    constant, recorded = _best_of(model, constants)
    plateau, _ = _best_of(model, plateaus)
    ways = {
        "own rate": _Setting(own),
        "tuned rate": constant,
        "tuned rate with Keras's plateau": _Setting(constant.rate, 0.1, USUAL),
        "tuned rate with plateau by replay": _Setting(
            constant.rate, 0.1, _first_without_loss(recorded)
        ),
        "tuned plateau": plateau,
    }
    for name, setting in ways.items():
        trained = _train_all(
            model, FRESH_RATES, setting.callbacks, learning_rate=setting.rate
        )
        for seed, kept in trained:
            yield _outcome(model, "rate", (name, "", str(setting)), seed, kept)


def _best_of(
    model: TrainedOften, settings: Sequence[_Setting]
) -> tuple[_Setting, list[Run]]:
    """Return the setting of least val_loss on the seeds to tune on, and its logs."""
    tried = [
        [
            kept
            for _, kept in _train_all(
                model, TUNED_ON, setting.callbacks, learning_rate=setting.rate
            )
        ]
        for setting in settings
    ]
    losses = [sum(kept.val_loss for kept in every) for every in tried]
    # what diverged is no choice
    order = [loss if math.isfinite(loss) else math.inf for loss in losses]
    best = order.index(min(order))
    return settings[best], [kept.run for kept in tried[best]]


def _first_without_loss(runs: Sequence[Run]) -> int:
    """Return the least patience after whose first reduction no run had more to gain."""
    for patience in range(1, LONGEST):
        gains = [_still_to_come(run, patience) for run in runs]
        if all(gain <= NOTHING_TO_COME for gain in gains):
            return patience
    return LONGEST


def _still_to_come(run: Run, patience: int) -> float:
    """Return by what share val_loss still fell after where a reduction would begin."""
    reducing = ReduceLROnPlateau(patience=patience)
    replay = replay_run(run, reducing, initial_learning_rate=1.0)
    if not replay.reductions:
        return 0.0
    return later_gain(run, "val_loss", "min", replay.reductions[0].epoch) or 0.0


def _train_all(
    model: TrainedOften,
    seeds: Iterable[int],
    make_callbacks: Callable[[], list[Any]],
    *,
    learning_rate: float = 0.0,
) -> list[tuple[int, Kept]]:
    return [
        (seed, model.train(seed, make_callbacks(), learning_rate=learning_rate))
        for seed in seeds
    ]


def _outcome(
    model: TrainedOften, part: str, chosen: tuple[str, str, str], seed: int, kept: Kept
) -> Outcome:
    import keras

    return Outcome(
        f"{keras.__version__} on {keras.backend.backend()}",
        part,
        model.name,
        *chosen,
        seed,
        kept.epochs,
        # as many digits as are compared
        *(float(f"{loss:.6g}") for loss in (kept.val_loss, kept.test_loss)),
    )
