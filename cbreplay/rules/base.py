"""What a rule is: what it is told, what it answers, and what may be asked of it."""

from __future__ import annotations

import math
from dataclasses import fields
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    SupportsFloat,
    TypeAlias,
)

from cbreplay.errors import ConfigError, nearest_name
from cbreplay.plain_text import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cbreplay.monitor import Comparison
    from cbreplay.run import Mode, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = [
    "BestSeen",
    "Callback",
    "Decision",
    "Framework",
    "Observation",
    "Phase",
    "PlainRule",
    "Standing",
    "Training",
    "changed_parameters",
    "check_count",
    "check_flags",
    "check_mode",
    "check_numbers",
    "check_text",
    "describe_training",
    "format_callback",
    "monitored_series",
    "parameters_of",
    "read_series",
    "resolve_direction",
]


_NO_LOGS: Mapping[str, float] = MappingProxyType({})
# when a rule can act: as training or an epoch begins, within an epoch, at its end
Phase: TypeAlias = Literal["begin", "batch", "end"]


class Framework(Protocol):
    """What a rule may ask of the framework whose rule it is; a `Family` answers."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def spoken_version(self, name: str) -> str:
        """Write the name of one of its versions as people do."""
        ...

    def find_direction(self, name: str, directions: Mapping[str, Mode]) -> Mode | None:
        """Return which way a series improves; None where nothing tells.

        Parameters
        ----------
        name : str
            The series.
        directions : mapping of str to {"min", "max"}
            What is recorded of the compiled metrics.
        """
        ...


class Training(NamedTuple):
    """What a rule knows when training begins.

    Parameters
    ----------
    semantics : object
        Which version of the framework decides: a row of the family's own table. Every
        one has a `name`, a `row` and a `learning_rate_key`.
    directions : mapping of str to {"min", "max"}
        The direction of each compiled metric, as ``run.json`` has it; may be empty.
    framework : Framework
        Whose version that is.
    first_epoch : int
        The first epoch that is recorded.
    epochs : int or None
        As ``fit`` was given it: training ends before that epoch; None where nothing
        tells.
    schedule : str or None
        The schedule of rates that the optimizer was given, if it was.
    metadata : RunMetadata or None
        What else was recorded beside the log.
    shared : dict or None
        Where the callbacks of one replay keep what they share, as those of one fit
        share its model; None before there is a replay.
    """

    semantics: Any
    directions: Mapping[str, Mode]
    framework: Framework
    first_epoch: int = 0
    epochs: int | None = None
    schedule: str | None = None
    metadata: RunMetadata | None = None
    shared: dict[str, Any] | None = None

    def find_direction(self, name: str) -> Mode | None:
        """Return which way a series improves; None where nothing tells."""
        return self.framework.find_direction(name, self.directions)


def describe_training(
    run: Run,
    semantics: Any,  # noqa: ANN401 - as Training has it
    framework: Framework,
) -> Training:
    """Return what is known when the training of a run begins.

    Parameters
    ----------
    run, semantics, framework : Run, object, Framework
        The record, and by whose rules it is replayed: as `Training` has them.
    """
    metadata = run.metadata
    if metadata is None:
        return Training(semantics, {}, framework, run.first_epoch, run.planned_epochs)
    return Training(
        semantics,
        directions=metadata.metrics,
        framework=framework,
        first_epoch=run.first_epoch,
        epochs=run.planned_epochs,
        schedule=metadata.schedule,
        metadata=metadata,
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
        The name under which this framework writes the rate into ``logs``.
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
    """What a rule decided in one of its hooks.

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


_NOTHING = Decision()


class Standing(NamedTuple):
    """What the next value of a series will be compared with, and how."""

    comparison: Comparison
    best: float | None


class BestSeen(NamedTuple):
    """The best value that a rule has seen, and its epoch; None before the first one."""

    epoch: int | None = None
    value: float | None = None


class Callback(Protocol):
    """A decision rule: frozen parameters, and a state that is returned, not changed.

    A replay calls `begin`; then in every epoch `begin_epoch` (in the first one
    `begin_training` before it) of those that act at "begin", `ends_in_batch` of those
    that act in a "batch", and `written_logs` and `step` of all; then `end_training`.
    `PlainRule` answers what a rule has nothing to say about.
    """

    @property
    def class_name(self) -> str:
        """What its class is called where it comes from."""
        ...

    @property
    def code(self) -> str:
        """The call that makes it: what differs from the defaults."""
        ...

    @property
    def monitor(self) -> str | None:
        """The monitored series; None if it monitors none."""
        ...

    @property
    def mode(self) -> str | None:
        """Which way is better, as it was given; None if nothing is monitored."""
        ...

    @property
    def watched(self) -> str | None:
        """The series whose values stand beside its decisions: mostly the monitor."""
        ...

    @property
    def reads(self) -> Mapping[str, str]:
        """Every series that it decides by, with the parameter that names it."""
        ...

    @property
    def margin(self) -> float | None:
        """By how much a value has to beat the best; None where any value may matter."""
        ...

    @property
    def begins_later(self) -> bool:
        """Whether it may look for the best from an epoch on that is not the first."""
        ...

    @property
    def acts_at(self) -> frozenset[Phase]:
        """When it can decide anything; never, if it only stands by."""
        ...

    @property
    def changes_learning_rate(self) -> bool:
        """Whether the rule can change the learning rate, whether or not it does."""
        ...

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions hang on the rate's value."""
        ...

    @property
    def reduction(self) -> float | None:
        """By what it multiplies the rate, where that is one number; else None."""
        ...

    @property
    def stops_early(self) -> bool:
        """Whether it is there to end training before its plan."""
        ...

    @property
    def sets_objective(self) -> bool:
        """Whether outcomes are judged by its monitor rather than by another's."""
        ...

    @property
    def holds_own_code(self) -> bool:
        """Whether it runs code that nobody here has read, and that may do anything."""
        ...

    @property
    def raises(self) -> bool:
        """Whether it ends training by an exception, where it acts in a batch."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every answer about a list that holds it has to say, in sentences."""
        ...

    def written_as(self, code: str) -> Callback:
        """Return the same rule as it was written, where its parameters do not say."""
        ...

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of the monitor as this framework resolves it."""
        ...

    def begin(self, training: Training) -> Any:  # noqa: ANN401 - each rule has its own state
        """Return the state before training begins."""
        ...

    def begin_again(self, state: Any, training: Training) -> Any:  # noqa: ANN401
        """Return the state before another fit with the same instance."""
        ...

    def carries(self, semantics: Any) -> bool:  # noqa: ANN401 - as Training's
        """Return whether such an instance takes anything into the next fit."""
        ...

    def begin_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401
        """Return the state after training has begun, and what was decided."""
        ...

    def begin_epoch(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401
        """Return the state after an epoch has begun, and what was decided."""
        ...

    def ends_in_batch(self, logs: Mapping[str, float]) -> bool:
        """Return whether it ends training within the epoch that these are logs of."""
        ...

    def step(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401
        """Return the state after an epoch, and what was decided at its end."""
        ...

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        """Return what the callback writes into ``logs`` before it decides."""
        ...

    def end_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401
        """Return the state after training has ended, and what was decided there."""
        ...

    def held_epoch(self, state: Any) -> int | None:  # noqa: ANN401
        """Return whose weights it puts back when training ends; None if none."""
        ...

    def acts_without_value(self, semantics: Any) -> str:  # noqa: ANN401 - as Training's
        """Say what it does in an epoch without its value; nothing if it skips it."""
        ...

    def best_of(self, state: Any) -> BestSeen | None:  # noqa: ANN401
        """Return the best that it has seen; None if that is not what it is about."""
        ...

    def standing(self, state: Any) -> Standing | None:  # noqa: ANN401
        """Return what the next value is compared with; None if it compares none."""
        ...

    def shown(self, state: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return what of its state can be shown, each part by its name."""
        ...


class PlainRule:
    """The answers of a rule that only looks at the end of an epoch, and only at one.

    A rule that inherits from this says what is different about it, and nothing else.
    """

    __slots__ = ()

    acts_at: ClassVar[frozenset[Phase]] = frozenset({"end"})
    changes_learning_rate: ClassVar[bool] = False
    stops_early: ClassVar[bool] = False
    sets_objective: ClassVar[bool] = False
    holds_own_code: ClassVar[bool] = False

    @property
    def class_name(self) -> str:
        """What its class is called."""
        return type(self).__name__

    @property
    def code(self) -> str:
        """The call that makes it: what differs from the defaults."""
        changed = changed_parameters(self).items()
        arguments = [f"{name}={_code(value)}" for name, value in changed]
        return f"{self.class_name}({', '.join(arguments)})"

    @property
    def monitor(self) -> str | None:
        """The monitored series: none."""
        return None

    @property
    def mode(self) -> str | None:
        """Which way is better: nothing is."""
        return None

    @property
    def watched(self) -> str | None:
        """The series whose values stand beside its decisions: the monitor."""
        return self.monitor

    @property
    def reads(self) -> Mapping[str, str]:
        """Every series that it decides by: the watched one."""
        return {} if self.watched is None else {self.watched: "monitor"}

    @property
    def margin(self) -> float | None:
        """By how much a value has to beat the best before: that is not known."""
        return None

    @property
    def begins_later(self) -> bool:
        """Whether it may look for the best from a later epoch on: it does not."""
        return False

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions hang on the rate's value: no."""
        return False

    @property
    def reduction(self) -> float | None:
        """By what it multiplies the rate: it does not."""
        return None

    @property
    def raises(self) -> bool:
        """Whether it ends training by an exception: no."""
        return False

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every answer about it has to say: nothing."""
        return ()

    def written_as(self, code: str) -> Self:  # noqa: ARG002
        """Return the same rule: its parameters say how it is written."""
        return self

    def resolve_mode(self, training: Training) -> Mode:  # noqa: ARG002
        """Raise ConfigError: nothing is monitored, so nothing is better or worse."""
        sentence = f"{self.class_name} monitors nothing"
        raise ConfigError(sentence)

    def begin(self, training: Training) -> Any:  # noqa: ANN401, ARG002
        """Return the state before training begins: there is none."""
        return None

    def begin_again(self, state: Any, training: Training) -> Any:  # noqa: ANN401, ARG002
        """Return the state before another fit: that of a new instance."""
        return self.begin(training)

    def carries(self, semantics: Any) -> bool:  # noqa: ANN401, ARG002
        """Return whether it takes anything into the next fit: no."""
        return False

    def begin_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Decide nothing as training begins."""
        return state, _NOTHING

    def begin_epoch(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Decide nothing as an epoch begins."""
        return state, _NOTHING

    def ends_in_batch(self, logs: Mapping[str, float]) -> bool:  # noqa: ARG002
        """Return whether it ends training within an epoch: no."""
        return False

    def step(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Decide nothing at the end of an epoch."""
        return state, _NOTHING

    def written_logs(self, seen: Observation) -> Mapping[str, float]:  # noqa: ARG002
        """Return what it writes into ``logs``: nothing."""
        return _NO_LOGS

    def end_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Put back the weights that it holds, if it does."""
        held = self.held_epoch(state)
        return state, _NOTHING if held is None else Decision(restored_epoch=held)

    def held_epoch(self, state: Any) -> int | None:  # noqa: ANN401, ARG002
        """Return whose weights it puts back when training ends: none."""
        return None

    def acts_without_value(self, semantics: Any) -> str:  # noqa: ANN401, ARG002
        """Say what it does in an epoch without its value: it skips it."""
        return ""

    def best_of(self, state: Any) -> BestSeen | None:  # noqa: ANN401, ARG002
        """Return the best that it has seen: that is not what it is about."""
        return None

    def standing(self, state: Any) -> Standing | None:  # noqa: ANN401, ARG002
        """Return what the next value is compared with: nothing."""
        return None

    def shown(self, state: Any) -> Mapping[str, Any]:  # noqa: ANN401, ARG002
        """Return what of its state can be shown: nothing."""
        return {}


def parameters_of(rule: Any) -> dict[str, Any]:  # noqa: ANN401 - any rule
    """Return the parameters of a rule and their values, in its order."""
    return {parameter.name: getattr(rule, parameter.name) for parameter in fields(rule)}


def changed_parameters(rule: Any) -> dict[str, Any]:  # noqa: ANN401 - any rule
    """Return the parameters of a rule that are not their defaults, in its order."""
    defaults = {parameter.name: parameter.default for parameter in fields(rule)}
    given = parameters_of(rule)
    return {name: value for name, value in given.items() if value != defaults[name]}


def read_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return every series that the callbacks of a list decide by, each once."""
    return list(dict.fromkeys(name for rule in callbacks for name in rule.reads))


def monitored_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return the monitors by which the callbacks of a list decide, in its order."""
    return [
        rule.monitor
        for rule in callbacks
        if rule.monitor is not None and rule.watched is not None
    ]


def check_numbers(callback: str, **numbers: object) -> None:
    """Raise ConfigError unless these are numbers that Keras can compute with."""
    for parameter, value in numbers.items():
        if not _is_number(value):
            raise _refused(callback, parameter, value, "a number")


# Python's own first, for the protocol takes long to ask
_NUMBERS = (float, int, SupportsFloat)


def _is_number(value: object) -> bool:
    # numpy's numbers too, whose text also says that it can be a float
    if isinstance(value, (str, bytes)) or not isinstance(value, _NUMBERS):
        return False
    try:
        return not math.isnan(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def check_count(callback: str, parameter: str, value: object) -> None:
    """Raise ConfigError unless the value counts something, from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < _MANY:
        raise _refused(callback, parameter, value, "a whole number from 1 on")


# counters and products of two counts stay exact
_MANY = 2**31


def check_text(callback: str, parameter: str, value: object) -> None:
    """Raise ConfigError unless the value is text, as the name of a series is."""
    if not isinstance(value, str):
        raise _refused(callback, parameter, value, "a name")


def check_flags(callback: str, **flags: object) -> None:
    """Raise ConfigError unless what is only true or false is one plain value."""
    for parameter, value in flags.items():
        # numpy's scalars have no axis
        plain = value is None or isinstance(value, (bool, float, str))
        small = isinstance(value, int) and value.bit_length() <= _MOST_BITS
        if not plain and not small and getattr(value, "ndim", None) != 0:
            raise _refused(callback, parameter, value, "True or False")


_MOST_BITS = 64


def _refused(callback: str, parameter: str, value: object, wanted: str) -> ConfigError:
    shown = shown_value(value)
    return ConfigError(
        f"{callback}: {parameter} is {shown}, where {wanted} is expected"
    )


def check_mode(callback: str, mode: object) -> None:
    """Raise ConfigError unless the mode is one of Keras's three."""
    modes = ("auto", "min", "max")
    if not isinstance(mode, str) or mode not in modes:
        near = nearest_name(mode, modes) if isinstance(mode, str) else ""
        sentence = (
            f"{callback}: mode is {shown_value(mode)}, where 'auto', 'min' or 'max' is "
            f"expected{near}"
        )
        raise ConfigError(sentence)


def resolve_direction(
    callback: str, monitor: str, mode: str, training: Training
) -> Mode:
    """Return which way a monitor improves: as it was given, else as its name tells.

    Parameters
    ----------
    callback, monitor, mode : str
        The callback's name, for the error, and its parameters.
    training : Training
        Whose framework knows directions.

    Raises
    ------
    ConfigError
        If mode is "auto" and nothing tells.
    """
    if mode == "min":
        return "min"
    if mode == "max":
        return "max"
    direction = training.find_direction(monitor)
    if direction is None:
        sentence = (
            f"{callback}: nothing tells whether {monitor!r} should be small or large. "
            "Give --mode or mode=."
        )
        raise ConfigError(sentence)
    return direction


def format_callback(callback: Callback) -> str:
    """Write a callback as the code that makes it.

    >>> from cbreplay import EarlyStopping
    >>> format_callback(EarlyStopping(patience=5))
    'EarlyStopping(patience=5)'
    """
    return callback.code


def _code(value: object) -> str:
    # a function cannot be written out: its name has to do
    return getattr(value, "__name__", "...") if callable(value) else repr(value)
