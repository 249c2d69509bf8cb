"""What a rule is given and what it answers."""

from __future__ import annotations

import math
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from cbreplay.errors import ConfigError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cbreplay.rules.keras.semantics import Semantics
    from cbreplay.rules.keras.stand_in import Stage
    from cbreplay.run import Mode, Run

__all__ = [
    "Callback",
    "Decision",
    "Observation",
    "Training",
    "check_mode",
    "check_number",
    "describe_training",
    "format_callback",
    "monitored_series",
    "read_series",
    "rule_name",
    "watched_series",
]


_NO_LOGS: Mapping[str, float] = MappingProxyType({})


class Training(NamedTuple):
    """What a rule knows when training begins.

    Parameters
    ----------
    semantics : Semantics
        Which Keras decides.
    directions : mapping of str to {"min", "max"}
        The direction of each compiled metric, as ``run.json`` has it; may be empty.
    first_epoch : int
        The first epoch that is recorded.
    epochs : int or None
        As ``fit`` was given it: training ends before that epoch; None where nothing
        tells.
    schedule : str or None
        The LearningRateSchedule that the optimizer was given, if it was.
    stage : Stage or None
        What the user's own callbacks of one replay share; None where there are none.
    """

    semantics: Semantics
    directions: Mapping[str, Mode]
    first_epoch: int = 0
    epochs: int | None = None
    schedule: str | None = None
    stage: Stage | None = None


def describe_training(run: Run, semantics: Semantics) -> Training:
    """Return what is known when the training of a run begins."""
    metadata = run.metadata
    if metadata is None:
        return Training(semantics, {}, run.first_epoch, run.planned_epochs)
    return Training(
        semantics,
        directions=metadata.metrics,
        first_epoch=run.first_epoch,
        epochs=run.planned_epochs,
        schedule=metadata.schedule,
    )


class Observation(NamedTuple):
    """What a rule sees at the end of an epoch.

    Parameters
    ----------
    epoch : int
        Zero-based and absolute.
    logs : mapping of str to float
        Keras's ``logs``: what was recorded, and what callbacks before this one wrote.
        A series that was not recorded in this epoch is absent.
    learning_rate : float or None
        The optimizer's rate at this moment, a float32 value; None if it is unknown.
    weights_epoch : int
        Whose weights the model holds: an earlier epoch's where a callback before this
        one has put those back in this epoch.
    learning_rate_key : str
        The name under which this Keras writes the rate into ``logs``.
    stop_training : bool
        Whether a callback before this one has asked for the end of training.
    fit_logs : mapping of str to float
        What ``fit`` itself logged: `logs` without what callbacks wrote.
    """

    epoch: int
    logs: dict[str, float]
    learning_rate: float | None
    weights_epoch: int
    learning_rate_key: str
    stop_training: bool = False
    fit_logs: Mapping[str, float] = _NO_LOGS


class Decision(NamedTuple):
    """What a rule decided at the end of an epoch.

    Parameters
    ----------
    stop : bool
        Whether it asks for the end of training.
    reduced : bool
        Whether it set the learning rate.
    learning_rate : float or None
        The rate it set, a float32 value; None if it set none or it is unknown.
    improved : bool or None
        Whether the value was an improvement; None if nothing was compared.
    restored_epoch : int or None
        Whose weights it put back at once, before the end of training.
    saved_file : str or None
        The file that it wrote.
    saved_epoch : int or None
        Whose weights went into it.
    scheduled : bool
        Whether it set `learning_rate` at the beginning of the epoch.
    cancels_stop : bool
        Whether it took back that a callback before it asked for the end of training.
    also_saved : tuple of str
        The files that it wrote besides `saved_file`.
    """

    stop: bool = False
    reduced: bool = False
    learning_rate: float | None = None
    improved: bool | None = None
    restored_epoch: int | None = None
    saved_file: str | None = None
    saved_epoch: int | None = None
    scheduled: bool = False
    cancels_stop: bool = False
    also_saved: tuple[str, ...] = ()


@runtime_checkable
class Callback(Protocol):
    """A decision rule: frozen parameters, and a state that is returned, not changed."""

    @property
    def monitor(self) -> str | None:
        """The monitored series; None if it monitors none."""
        ...

    @property
    def changes_learning_rate(self) -> bool:
        """Whether the rule can change the learning rate, whether or not it does."""
        ...

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions hang on the rate's value."""
        ...

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of the monitor as this Keras resolves it."""
        ...

    def begin(self, training: Training) -> Any:  # noqa: ANN401 - each rule has its own state
        """Return the state at the begin of training."""
        ...

    def step(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401
        """Return the state after an epoch, and what was decided at its end."""
        ...

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        """Return what the callback writes into ``logs`` before it decides."""
        ...

    def held_epoch(self, state: Any) -> int | None:  # noqa: ANN401
        """Return whose weights it puts back when training ends; None if none."""
        ...


def watched_series(callback: Callback) -> str | None:
    """Return the series by which a callback decides, if there is one.

    Mostly its monitor; a rule for which it is another says so as ``watched``.
    """
    watched: str | None = getattr(callback, "watched", callback.monitor)
    return watched


def read_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return every series that the callbacks of a list decide by, each once.

    Mostly the watched ones; a rule that reads the training error as well has it as
    ``training_monitor``.
    """
    names: dict[str | None, None] = {}
    for one in callbacks:
        names[watched_series(one)] = None
        names[getattr(one, "training_monitor", None)] = None
    return [name for name in names if name is not None]


def monitored_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return the monitors by which the callbacks of a list decide, in its order."""
    return [
        one.monitor
        for one in callbacks
        if one.monitor is not None and watched_series(one) is not None
    ]


def rule_name(callback: object) -> str:
    """Return which rule a callback is, without importing its class.

    A replay loads only the rules that it is asked about; each costs start-up time.
    """
    return type(callback).__name__


def check_number(callback: str, parameter: str, value: object) -> None:
    """Raise ConfigError unless the value is a number that Keras can compute with."""
    # numpy's numbers have __float__ too; text and arrays of several do not pass
    if not isinstance(value, (str, bytes)) and hasattr(value, "__float__"):
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isnan(number):
            return
    sentence = f"{callback}: {parameter} is {value!r}, where a number is expected"
    raise ConfigError(sentence)


def check_mode(callback: str, mode: object) -> None:
    """Raise ConfigError unless the mode is one of Keras's three."""
    modes = ("auto", "min", "max")
    if mode not in modes:
        sentence = (
            f"{callback}: mode is {mode!r}, where 'auto', 'min' or 'max' is expected"
            f"{nearest_name(str(mode), modes)}"
        )
        raise ConfigError(sentence)


def format_callback(callback: Callback) -> str:
    """Write a callback as Keras code: its name, and what differs from the defaults.

    >>> from cbreplay import EarlyStopping
    >>> format_callback(EarlyStopping(patience=5))
    'EarlyStopping(patience=5)'
    """
    code = getattr(callback, "code", None)
    if isinstance(code, str):
        return code
    # a rule is a dataclass; the protocol cannot say so
    changed = [
        f"{one.name}={_code(getattr(callback, one.name))}"
        for one in fields(callback)  # type: ignore[arg-type]
        if getattr(callback, one.name) != one.default
    ]
    return f"{type(callback).__name__}({', '.join(changed)})"


def _code(value: object) -> str:
    # a function has a name and no literal
    return getattr(value, "__name__", "...") if callable(value) else repr(value)
