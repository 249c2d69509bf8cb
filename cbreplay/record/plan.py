"""The settings of a fit of a bundled experiment, and their checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from cbreplay.errors import ConfigError, nearest_name
from cbreplay.record.experiments import EXPERIMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.record.experiments import Experiment

__all__ = ["ExperimentPlan", "check_plan_resumes", "make_plan", "next_epoch"]


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The settings of one fit, each with a value.

    Parameters
    ----------
    name : str
        The experiment.
    epochs, batch_size, validation_freq : int
        As in ``Model.fit``.
    seed : int
        As in ``train_experiment``.
    learning_rate : float or None
        The rate that was asked for; None for the experiment's own.
    """

    name: str
    epochs: int
    seed: int
    learning_rate: float | None
    batch_size: int
    validation_freq: int

    @property
    def first_fit_epochs(self) -> int:
        """The epochs of the first fit: fewer than planned if another resumes it."""
        resumed_at = self.experiment.resumed_at
        return self.epochs if resumed_at is None else min(self.epochs, resumed_at)

    @property
    def experiment(self) -> Experiment:
        """The experiment of this name."""
        return EXPERIMENTS[self.name]


def make_plan(
    name: str,
    *,
    epochs: int | None,
    seed: int,
    learning_rate: float | None,
    batch_size: int | None,
    validation_freq: int | None,
) -> ExperimentPlan:
    """Check every setting and fill in the experiment's defaults.

    Raises
    ------
    ConfigError
        If one has an impossible value.
    """
    if name not in EXPERIMENTS:
        allowed = f"one of {', '.join(EXPERIMENTS)}{nearest_name(name, EXPERIMENTS)}"
        _refuse("experiment", name, allowed, option="EXPERIMENT")
    # Keras holds the rate in float32; NaN fails every comparison
    if learning_rate is not None and not _LEAST_RATE <= learning_rate <= _MOST_RATE:
        allowed = f"a number from {_LEAST_RATE} to {_MOST_RATE}"
        _refuse("learning_rate", learning_rate, allowed)
    experiment = EXPERIMENTS[name]
    return ExperimentPlan(
        name=name,
        epochs=_whole("epochs", experiment.epochs if epochs is None else epochs),
        seed=_whole("seed", seed, least=0),
        learning_rate=learning_rate,
        batch_size=_whole(
            "batch_size", experiment.batch_size if batch_size is None else batch_size
        ),
        validation_freq=_whole(
            "validation_freq",
            experiment.validation_freq if validation_freq is None else validation_freq,
        ),
    )


_LEAST_RATE, _MOST_RATE = 1e-37, 1e38
# the seeds of numpy are below this
_TOO_MUCH = 2**32


def check_plan_resumes(plan: ExperimentPlan, earlier: Mapping[str, Any]) -> None:
    """Refuse a plan that cannot resume the run that a ``run.json`` describes.

    Another seed would move examples from validation into training.

    Raises
    ------
    ConfigError
        If the experiment or the seed is another, if a rate is given, or if the run
        already has the planned epochs.
    """
    resumed = f"{earlier.get('experiment')!r}, which the run to resume is of"
    if earlier.get("experiment") != plan.name:
        _refuse("experiment", plan.name, resumed, option="EXPERIMENT")
    if earlier.get("seed") != plan.seed:
        allowed = f"{earlier.get('seed')!r}, with which the run to resume was begun"
        _refuse("seed", plan.seed, allowed)
    if plan.learning_rate is not None:
        allowed = "left out: a resumed fit goes on at the rate it ended with"
        _refuse("learning_rate", plan.learning_rate, allowed)
    done = next_epoch(earlier)
    if plan.epochs <= done:
        allowed = f"more than the {done} that the run to resume has"
        _refuse("epochs", plan.epochs, allowed)


def next_epoch(earlier: Mapping[str, Any]) -> int:
    """Return the epoch after the last one of a run; it is absolute and zero-based."""
    last: int | None = earlier["ended"]["epoch"]
    return 0 if last is None else last + 1


def _whole(name: str, value: object, *, least: int = 1) -> int:
    """Return a whole number that numpy, Keras and TensorFlow all take."""
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse(name, value, "a whole number")
    if not least <= value < _TOO_MUCH:
        _refuse(name, value, f"a whole number from {least} to {_TOO_MUCH - 1}")
    return value


def _refuse(name: str, value: object, allowed: str, *, option: str = "") -> NoReturn:
    option = option or "--" + name.replace("_", "-")
    sentence = (
        f"{name} is {value!r}; it has to be {allowed} (given with {option} or {name}=)."
    )
    raise ConfigError(sentence)
