"""A rule: what a replay asks it, with the answer of one that has nothing to say."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from cbreplay.errors import ConfigError
from cbreplay.rules.decisions import NO_LOGS, NOTHING, BestSeen, Decision
from cbreplay.rules.parameters import changed_parameters, parameters_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cbreplay.rules.decisions import Observation, Phase, Standing
    from cbreplay.rules.training import Training
    from cbreplay.rules.tried_values import TriedValues
    from cbreplay.run import Mode

__all__ = [
    "Callback",
    "begin_all",
    "best_seen",
    "class_name",
    "format_callback",
    "monitored_series",
    "read_series",
]


class Callback:
    """A decision rule: frozen parameters, and a state that is returned, not changed.

    A replay calls, in this order: `begin`; in every epoch `begin_epoch` (before the
    first one `begin_training`) of the rules that act at "begin", `ends_in_batch` of
    those that act in a "batch", `written_logs` and `step` of all; and `end_training`.

    Here are the answers of a rule that decides nothing at the end of an epoch; one that
    inherits from this defines only what is different about it.
    """

    __slots__ = ()

    # when it can decide anything; empty if it decides nothing
    acts_at: ClassVar[frozenset[Phase]] = frozenset({"end"})
    # whether it can change the learning rate, whether or not it does
    changes_learning_rate: ClassVar[bool] = False
    # whether it is there to end training before its plan
    stops_early: ClassVar[bool] = False
    # whether outcomes are judged by its monitor rather than by another's
    sets_objective: ClassVar[bool] = False
    # with which of its values `recommend` compares it with a patience, where it may
    tried: ClassVar[TriedValues | None] = None
    # whether it runs code of the user's own, which may do anything
    holds_own_code: ClassVar[bool] = False
    # the parts of its state that people are shown, by name
    shown_state: ClassVar[tuple[str, ...]] = ()
    # parameters that some older version takes, and that are no fields here, each with
    # what to write instead
    older_parameters: ClassVar[Mapping[str, str]] = MappingProxyType({})
    # how many of these an older version also takes as positional arguments
    n_older_by_place: ClassVar[int] = 0
    on_unknown_name: ClassVar[str] = "a name that it does not have is a TypeError"
    on_older_name: ClassVar[str] = ""
    # by parameter, in words: when the framework raises TypeError for what is no number;
    # '' for a parameter that its constructor refuses
    on_no_number: ClassVar[Mapping[str, str]] = MappingProxyType({})
    # likewise for parameters of which only a text is an error, not None or a list
    on_text: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @property
    def class_name(self) -> str:
        """The name of its class in its framework."""
        return type(self).__name__

    @property
    def code(self) -> str:
        """The call that makes it, with the parameters that are not their defaults."""
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

    def written_as(self, code: str) -> Self:
        """Return the same rule with this code, if its parameters do not tell it."""
        return self

    @property
    def monitor(self) -> str | None:
        """The monitored series; None if it monitors none."""
        return None

    @property
    def mode(self) -> str | None:
        """Which way is better, as it was given; None if nothing is monitored."""
        return None

    @property
    def watched(self) -> str | None:
        """The series whose values a trace shows beside its decisions."""
        return self.monitor

    @property
    def reads(self) -> Mapping[str, str]:
        """Every series that it decides by, with the parameter that names it."""
        return {} if self.watched is None else {self.watched: "monitor"}

    @property
    def margin(self) -> float | None:
        """By how much a value has to beat the best; None where any value may matter."""
        return None

    @property
    def begins_later(self) -> bool:
        """Whether it may ignore the first epochs, as start_from_epoch does."""
        return False

    @property
    def needs_learning_rate(self) -> bool:
        """Whether its decisions depend on the rate's value."""
        return False

    @property
    def schedules_rate(self) -> bool:
        """Whether it sets the rate that an epoch begins with."""
        return self.changes_learning_rate and "begin" in self.acts_at

    @property
    def reduction(self) -> float | None:
        """By what it multiplies the rate, where that is one number; else None."""
        return None

    @property
    def raises(self) -> bool:
        """Whether it ends training by an exception, where it acts in a batch."""
        return False

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every answer about a list that holds it has to say, in sentences."""
        return ()

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of the monitor as this framework resolves it.

        Raises
        ------
        ConfigError
            If it cannot be resolved, or nothing is monitored.
        """
        sentence = f"{self.class_name} monitors nothing"
        raise ConfigError(sentence)

    def begin(self, training: Training) -> Any:
        """Return the state before training begins."""
        return None

    def begin_again(self, state: Any, training: Training) -> Any:
        """Return the state before another fit with the same instance."""
        return self.begin(training)

    def carries(self, semantics: Any) -> bool:
        """Return whether an instance carries anything from one fit into the next."""
        return False

    def begin_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:
        """Return the state after training has begun, and what was decided."""
        return state, NOTHING

    def begin_epoch(self, state: Any, seen: Observation) -> tuple[Any, Decision]:
        """Return the state after an epoch has begun, and what was decided."""
        return state, NOTHING

    def ends_in_batch(self, logs: Mapping[str, float]) -> bool:
        """Return whether it ends training within the epoch that these are logs of."""
        return False

    def step(self, state: Any, seen: Observation) -> tuple[Any, Decision]:
        """Return the state after an epoch, and what was decided at its end."""
        return state, NOTHING

    def written_logs(self, seen: Observation) -> Mapping[str, float]:
        """Return what the callback writes into ``logs`` before it decides."""
        return NO_LOGS

    def end_training(self, state: Any, seen: Observation) -> tuple[Any, Decision]:
        """Return the state after training has ended, and what was decided there.

        A rule that holds weights puts them back.
        """
        held = self.held_epoch(state)
        return state, NOTHING if held is None else Decision(restored_epoch=held)

    def held_epoch(self, state: Any) -> int | None:
        """Return whose weights it puts back when training ends; None if none."""
        return None

    def acts_without_value(self, semantics: Any) -> str:
        """Say what it does in an epoch without its value; empty if it skips that."""
        return ""

    def takes_older_names(self, semantics: Any) -> bool:
        """Return whether this version takes `older_parameters`."""
        return False

    def best_of(self, state: Any) -> BestSeen | None:
        """Return the best that it has seen; None if it keeps no best value."""
        return None

    def standing(self, state: Any) -> Standing | None:
        """Return what the next value is compared with; None if it compares none."""
        return None

    def shown(self, state: Any) -> Mapping[str, Any]:
        """Return the parts of its state that people are shown, by name."""
        return {name: getattr(state, name) for name in self.shown_state}


def begin_all(
    callbacks: Sequence[Callback],
    training: Training,
    carried: Sequence[Any] | None = None,
) -> list[Any]:
    """Return the state of each callback as a fit begins.

    They are new, or the same instances, with the states `carried` from the fit before.
    """
    if carried is None:
        return [callback.begin(training) for callback in callbacks]
    return [
        callback.begin_again(state, training)
        for callback, state in zip(callbacks, carried, strict=True)
    ]


def best_seen(callbacks: Sequence[Callback], states: Sequence[Any]) -> BestSeen:
    """Return the best value of the first callback that keeps one."""
    for callback, state in zip(callbacks, states, strict=True):
        found = callback.best_of(state)
        if found is not None:
            return found
    return BestSeen()


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

    The parameters in `written` are written even if they are the defaults.

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
    return callback.code_with(written) if written else callback.code


def _code(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        # `inf` would be an undefined name in the code
        return "1e999" if value > 0 else "-1e999"
    # a function cannot be written out: its name has to do
    return getattr(value, "__name__", "...") if callable(value) else repr(value)


def class_name(text: str) -> str:
    """Return the class that the text of a callback names.

    >>> class_name("keras.callbacks.EarlyStopping(patience=3)")
    'EarlyStopping'
    """
    return text.partition("(")[0].rpartition(".")[2].strip()
