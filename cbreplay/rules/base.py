"""A rule: the protocol that a replay calls, and defaults for what a rule leaves out."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from cbreplay.errors import ConfigError
from cbreplay.rules.decisions import NO_LOGS, NOTHING, Decision
from cbreplay.rules.parameters import changed_parameters, parameters_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cbreplay.rules.decisions import BestSeen, Observation, Phase, Standing
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = [
    "Callback",
    "PlainRule",
    "format_callback",
    "monitored_series",
    "read_series",
]


class Callback(Protocol):
    """A decision rule: frozen parameters, and a state that is returned, not changed.

    A replay calls, in this order: `begin`; in every epoch `begin_epoch` (before the
    first one `begin_training`) of the rules that act at "begin", `ends_in_batch` of
    those that act in a "batch", `written_logs` and `step` of all; and `end_training`.
    `PlainRule` has defaults for what a rule does not do.
    """

    @property
    def class_name(self) -> str:
        """The name of its class in its framework."""
        ...

    @property
    def code(self) -> str:
        """The call that makes it, with the parameters that are not their defaults."""
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
        """The series whose values a trace shows beside its decisions."""
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
        """Whether it may ignore the first epochs, as start_from_epoch does."""
        ...

    @property
    def acts_at(self) -> frozenset[Phase]:
        """When it can decide anything; empty if it decides nothing."""
        ...

    @property
    def changes_learning_rate(self) -> bool:
        """Whether the rule can change the learning rate, whether or not it does."""
        ...

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions depend on the rate's value."""
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
        """Whether it runs code of the user's own, which may do anything."""
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
        """Return the same rule with this code, if its parameters do not tell it."""
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
        """Return whether an instance carries anything from one fit into the next."""
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
        """Say what it does in an epoch without its value; empty if it skips that."""
        ...

    def best_of(self, state: Any) -> BestSeen | None:  # noqa: ANN401
        """Return the best that it has seen; None if it keeps no best value."""
        ...

    def standing(self, state: Any) -> Standing | None:  # noqa: ANN401
        """Return what the next value is compared with; None if it compares none."""
        ...

    def shown(self, state: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return the parts of its state that people are shown, by name."""
        ...


class PlainRule:
    """The defaults of a rule that decides at the end of an epoch by one series.

    A rule that inherits from this defines only what is different about it.
    """

    __slots__ = ()

    acts_at: ClassVar[frozenset[Phase]] = frozenset({"end"})
    changes_learning_rate: ClassVar[bool] = False
    stops_early: ClassVar[bool] = False
    sets_objective: ClassVar[bool] = False
    holds_own_code: ClassVar[bool] = False
    # parameters that some older version takes, and that are no fields here
    older_parameters: ClassVar[frozenset[str]] = frozenset()
    # how many of these an older version also takes as positional arguments
    n_older_by_place: ClassVar[int] = 0
    on_unknown_name: ClassVar[str] = "a name that it does not have is a TypeError"
    on_older_name: ClassVar[str] = ""
    # by parameter, when the framework raises TypeError if it is no number: '' means in
    # the constructor
    on_no_number: ClassVar[Mapping[str, str]] = MappingProxyType({})
    # by parameter, when it raises an error if that is a text; None or a list is taken
    on_text: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @property
    def class_name(self) -> str:
        """What its class is called."""
        return type(self).__name__

    @property
    def code(self) -> str:
        """The call that makes it: what differs from the defaults."""
        return self.code_with(())

    def code_with(self, written: Collection[str]) -> str:
        """Return the call that makes it, with parameters that were written out too."""
        changed = changed_parameters(self)
        arguments = [
            f"{name}={_code(value)}"
            for name, value in parameters_of(self).items()
            if name in changed or name in written
        ]
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
        """Whether its decisions depend on the rate's value: no."""
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
        return state, NOTHING

    def begin_epoch(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Decide nothing as an epoch begins."""
        return state, NOTHING

    def ends_in_batch(self, logs: Mapping[str, float]) -> bool:  # noqa: ARG002
        """Return whether it ends training within an epoch: no."""
        return False

    def step(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Decide nothing at the end of an epoch."""
        return state, NOTHING

    def written_logs(self, seen: Observation) -> Mapping[str, float]:  # noqa: ARG002
        """Return what it writes into ``logs``: nothing."""
        return NO_LOGS

    def end_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:  # noqa: ANN401, ARG002
        """Put back the weights that it holds, if it does."""
        held = self.held_epoch(state)
        return state, NOTHING if held is None else Decision(restored_epoch=held)

    def held_epoch(self, state: Any) -> int | None:  # noqa: ANN401, ARG002
        """Return whose weights it puts back when training ends: none."""
        return None

    def acts_without_value(self, semantics: Any) -> str:  # noqa: ANN401, ARG002
        """Say what it does in an epoch without its value: it skips it."""
        return ""

    def takes_older_names(self, semantics: Any) -> bool:  # noqa: ANN401, ARG002
        """Return whether this version takes `older_parameters`: it does not."""
        return False

    def best_of(self, state: Any) -> BestSeen | None:  # noqa: ANN401, ARG002
        """Return the best that it has seen: it keeps none."""
        return None

    def standing(self, state: Any) -> Standing | None:  # noqa: ANN401, ARG002
        """Return what the next value is compared with: nothing."""
        return None

    def shown(self, state: Any) -> Mapping[str, Any]:  # noqa: ANN401, ARG002
        """Return what of its state can be shown: nothing."""
        return {}


def read_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return every series that the callbacks of a list decide by, each once."""
    return list(dict.fromkeys(name for rule in callbacks for name in rule.reads))


def monitored_series(callbacks: Iterable[Callback]) -> list[str]:
    """Return the monitors that the callbacks of a list decide by, in order."""
    return [
        rule.monitor
        for rule in callbacks
        if rule.monitor is not None and rule.watched is not None
    ]


def format_callback(callback: Callback, written: Collection[str] = ()) -> str:
    """Write a callback as the code that makes it.

    Parameters
    ----------
    callback : Callback
        The callback.
    written : collection of str
        Parameters that are written even if they are the defaults.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> format_callback(EarlyStopping(patience=5))
    'EarlyStopping(patience=5)'
    >>> format_callback(EarlyStopping(patience=0), ["patience"])
    'EarlyStopping(patience=0)'
    >>> format_callback(EarlyStopping(min_delta=float("inf")))
    'EarlyStopping(min_delta=1e999)'
    """
    if written and isinstance(callback, PlainRule):
        return callback.code_with(written)
    return callback.code


def _code(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        # `inf` would be an undefined name in the code
        return "1e999" if value > 0 else "-1e999"
    # a function cannot be written out: its name has to do
    return getattr(value, "__name__", "...") if callable(value) else repr(value)
