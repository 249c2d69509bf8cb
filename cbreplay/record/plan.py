"""The settings of the fits of a bundled experiment: as asked, and as recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cbreplay.arguments import shown_value
from cbreplay.errors import CbreplayError, ConfigError
from cbreplay.expressions import parse_recorded
from cbreplay.record.experiments import EXPERIMENTS
from cbreplay.rules.base import class_name
from cbreplay.rules.families import stands_by
from cbreplay.wording.near_names import nearest_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.record.experiments import Experiment
    from cbreplay.run import Run
    from cbreplay.run_metadata import Fit

__all__ = [
    "ExperimentPlan",
    "RecordedFit",
    "check_plan_resumes",
    "find_fits",
    "make_plan",
    "next_epoch",
]


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """The settings of one fit of the experiment `name`, as `train_experiment` has them.

    Each has a value but `learning_rate`, which is None for the experiment's own.
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
    seed: int,
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    validation_freq: int | None = None,
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


class RecordedFit(NamedTuple):
    """One fit of a recorded experiment.

    Parameters
    ----------
    plan : ExperimentPlan
        Its settings.
    first_epoch : int
        The epoch that it began with.
    callbacks : tuple of Callback
        Those of the list that it was recorded under which decide something.
    broken_off : bool
        Whether it was interrupted or failed, after its last whole epoch.
    """

    plan: ExperimentPlan
    first_epoch: int
    callbacks: tuple[Any, ...]
    broken_off: bool = False


def find_fits(run: Run) -> tuple[RecordedFit, ...]:
    """Return the fits of a bundled experiment, the first one first.

    Raises
    ------
    ConfigError
        If the run is no bundled experiment, or was recorded under a list that cannot be
        read.
    """
    metadata = run.metadata
    if metadata is None or not isinstance(metadata.raw.get("experiment"), str):
        why = "its run.json names no experiment"
        if metadata is None:
            why = "it has no run.json that can be read"
        sentence = (
            f"run {run.name!r} cannot be trained again: {why}. Give a run of cbreplay "
            'train, or the script that it was recorded of: --script "train.py ARGS" or '
            "script="
        )
        raise ConfigError(sentence)
    return tuple(
        RecordedFit(
            _plan(metadata.raw, fit.fit, is_first=number == 0),
            fit.fit.initial_epoch,
            _read_deciding(run, fit.callbacks),
            broken_off=fit.ended is not None and fit.ended.broken_off,
        )
        for number, fit in enumerate(metadata.fits)
    )


def _read_deciding(run: Run, texts: Sequence[str]) -> tuple[Any, ...]:
    """Return those of a recorded list that decide; the loggers would write files.

    One that cannot be read is refused here, before the slow import of Keras.
    """
    read: list[Any] = []
    for text in texts:
        try:
            read += [] if stands_by(class_name(text)) else parse_recorded([text])
        except CbreplayError as error:
            sentence = (
                f"run {run.name!r} cannot be trained again: its run.json lists "
                f"the callback {shown_value(text)}, which is none that can be "
                "read. Record it again, with cbreplay train"
            )
            raise ConfigError(sentence) from error
    return tuple(read)


def _plan(raw: Mapping[str, Any], fit: Fit, *, is_first: bool) -> ExperimentPlan:
    first = next(iter(raw.get("earlier_fits") or []), raw)
    optimizer = first.get("optimizer")
    told = optimizer if isinstance(optimizer, dict) else {}
    frequency: Any = fit.validation_freq
    return make_plan(
        raw["experiment"],
        epochs=fit.epochs,
        seed=raw.get("seed", 0),
        # a resumed fit goes on at the rate it ended with
        learning_rate=told.get("initial_learning_rate") if is_first else None,
        batch_size=fit.batch_size,
        validation_freq=frequency or 1,
    )
