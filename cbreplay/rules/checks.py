"""The types of `lint`'s checks: what they look at, and the findings they yield.

The checks of each rule are in its family's folder; those of any monitor are in
`monitor_checks`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError
from cbreplay.monitor import Comparison
from cbreplay.rules.base import Callback
from cbreplay.rules.training import Training

if TYPE_CHECKING:
    from cbreplay.rules.compiled import Compiled
    from cbreplay.run import Mode, Run

__all__ = [
    "BYSTANDING",
    "NOT_TOLD",
    "NO_CHECKS",
    "CheckedList",
    "Finding",
    "ListCheck",
    "RuleCheck",
    "RuleChecks",
    "TrainingFacts",
    "WrittenCallback",
    "find_text_flags",
]

# stands in a text for its beginning, where only its end is known
NOT_TOLD = "…"
_NO_FLOAT32 = 2.0**127
_NO_FACTS: Mapping[str, float] = {}
Severity: TypeAlias = Literal["warning", "remark"]


class Finding(NamedTuple):
    """A setting that can never act, or acts otherwise than it looks.

    Parameters
    ----------
    code : str
        The kind of finding, a stable name, for example ``"reduce-after-stop"``.
    callback : int
        The callback's index in the list.
    message : str
        What is wrong, with the values.
    reason : str
        Why it is so: the rule of Keras behind it.
    fix : str
        What to write instead.
    severity : {"warning", "remark"}
        A remark is about a setting that may be meant as it is.
    facts : mapping of str to float
        The numbers of its sentences that are no parameters of the callback, by name;
        epochs and places in the list count from 0.
    """

    code: str
    callback: int
    message: str
    reason: str
    fix: str
    severity: Severity = "warning"
    facts: Mapping[str, float] = _NO_FACTS

    def __hash__(self) -> int:
        """Return a hash of what can have one: `facts` is a dict."""
        return hash(self[:-1])


class TrainingFacts(NamedTuple):
    """What the text of a script tells about a training; None where it tells nothing.

    Parameters
    ----------
    place : str
        Where ``fit`` is called, for people: ``"line 30"``.
    epochs, validation_freq : int or None
        As ``fit`` gets them.
    validated : bool or None
        Whether ``fit`` gets validation data.
    resumes : bool
        Whether ``fit`` certainly begins with a later epoch than the first.
    schedule : str or None
        The class of the LearningRateSchedule that the optimizer has.
    initial_rate : float or None
        The number that the optimizer is built with as its learning rate.
    compiled : Compiled or None
        The metrics that ``compile`` names.
    first_epoch : int
        The ``initial_epoch`` of ``fit``.
    schedule_doubt : str
        Why the optimizer may have a LearningRateSchedule, and need not; else empty.
    plan_doubt : str
        Why it is not told how many epochs ``fit`` gets, although it gets some; or "".
    renumbered : mapping of str to str
        The metrics that Keras logs by another name, because they have none of the
        script's and are not the first of their class; and what makes others.
    may_be_shorter : bool
        Whether `epochs` is the largest of several numbers that ``fit`` may get.
    keeps_best : bool
        Whether what runs the ``fit`` keeps the best weights, as a tuner does.
    """

    place: str = ""
    epochs: int | None = None
    validation_freq: int | None = None
    validated: bool | None = None
    resumes: bool = False
    schedule: str | None = None
    initial_rate: float | None = None
    compiled: "Compiled | None" = None
    first_epoch: int = 0
    schedule_doubt: str = ""
    plan_doubt: str = ""
    renumbered: Mapping[str, str] = MappingProxyType({})
    may_be_shorter: bool = False
    keeps_best: bool = False


class WrittenCallback(NamedTuple):
    """What code tells of one callback; empty where there is no code, or no script.

    Parameters
    ----------
    place : str
        Where it is written, for people.
    parameters : frozenset of str
        The parameters that its code names.
    kept_in : str
        Why an earlier fit with this callback trained another model, for people: a loop
        makes models, or that fit has its own; "" where none did.
    logged_later : mapping of str to str
        Which callback behind it alone logs a value, for people, by the value's name.
    written_in : str
        The earlier fit, or the run before this one, that wrote the file which it writes
        anew, for people; "" without one.
    stays_in : str
        Why each later fit has it too, for people; "" where none has.
    is_told : bool
        Whether its arguments are told, and so are those of all fits.
    was_fitted : bool
        Whether a fit before certainly had it.
    """

    place: str = ""
    parameters: frozenset[str] = frozenset()
    kept_in: str = ""
    logged_later: Mapping[str, str] = MappingProxyType({})
    written_in: str = ""
    stays_in: str = ""
    is_told: bool = False
    was_fitted: bool = False


_NO_CODE = WrittenCallback()


class CheckedList(NamedTuple):
    """A list under examination, and what is known about the training it is for.

    Parameters
    ----------
    callbacks : tuple of Callback
        The list, in order.
    training : Training
        Which Keras decides, and the direction of each compiled metric.
    epochs : int or None
        The ``epochs`` of ``fit``.
    validation_freq : int
        As in ``fit``.
    run : Run or None
        A record of such a training.
    facts : TrainingFacts
        What a script tells about it.
    written : tuple of WrittenCallback
        What code tells of each callback; empty without code.
    checked : int
        Which callback of the list is checked, by its index.
    """

    callbacks: tuple[Callback, ...]
    training: Training
    epochs: int | None
    validation_freq: int
    run: "Run | None"
    facts: TrainingFacts = TrainingFacts()
    written: tuple[WrittenCallback, ...] = ()
    checked: int = 0

    @property
    def told(self) -> WrittenCallback:
        """What code tells of the callback that is checked."""
        return self.written[self.checked] if self.written else _NO_CODE

    def finding(
        self,
        code: str,
        message: str,
        reason: str,
        fix: str,
        severity: Severity = "warning",
        *,
        facts: Mapping[str, float] = _NO_FACTS,
    ) -> Finding:
        """Return a finding about the callback that is checked."""
        return Finding(code, self.checked, message, reason, fix, severity, facts)

    def places_of(self, *indices: int) -> str:
        """Say where callbacks are: ``"callbacks 1 and 2"``, or their lines."""
        places = [self.written[index].place for index in indices if self.written]
        if any(places):
            return " and ".join(places)
        noun = "callback" if len(indices) == 1 else "callbacks"
        return f"{noun} {' and '.join(str(index + 1) for index in indices)}"

    def mode(self, callback: Callback) -> "Mode | None":
        """Return the direction as this Keras resolves it; None if nothing tells."""
        try:
            return callback.resolve_mode(self.training)
        except ConfigError:
            return None

    def monitor_rule(self, callback: Any) -> Any:
        """Return how this version compares what a callback monitors."""
        return callback.monitor_rule(self.training.semantics)

    def comparison(
        self, callback: Any, mode: "Mode", min_delta: float = 0
    ) -> Comparison:
        """Return what counts as better for a callback."""
        rule = self.monitor_rule(callback)
        compared: Comparison = self.training.semantics.comparison(rule, mode, min_delta)
        return compared

    def every(self, callback: Callback) -> int:
        """Return in every how many epochs the monitor has a value."""
        validated = (callback.monitor or "").startswith("val_")
        return self.validation_freq if validated else 1

    def seen_in_plan(self, callback: Callback, *, start: float = 0) -> float:
        """Return in how many epochs of the plan a callback sees a value.

        It looks from the zero-based epoch `start` on. Infinite where no plan is known.
        """
        if self.epochs is None:
            return math.inf
        first = min(max(start, self.facts.first_epoch), self.epochs)
        every = self.every(callback)
        # with validation_freq=every, Keras validates in epochs every-1, 2*every-1, ...
        return max(self.epochs // every - math.ceil(first) // every, 0)

    @property
    def initial_rate(self) -> float | None:
        """The rate of the first epoch, by the record or the script; None if untold."""
        rate = None if self.run is None else self.run.learning_rate
        if rate is not None and rate.recorded[0]:
            return float(rate.values[0])
        metadata = None if self.run is None else self.run.metadata
        told = self.facts.initial_rate
        if metadata is not None:
            told = metadata.initial_learning_rate
        # a rate is a float32: ignore a number that is none
        return told if told is not None and 0 < told < _NO_FLOAT32 else None


RuleCheck: TypeAlias = "Callable[[CheckedList, Any], Iterator[Finding]]"
ListCheck: TypeAlias = "Callable[[CheckedList], Iterator[Finding]]"


class RuleChecks(NamedTuple):
    """What `lint` looks for in one rule.

    Parameters
    ----------
    single : tuple of callable
        The checks: each takes the list, whose `checked` is the rule's index, and the
        rule, and yields what it finds.
    stands_twice : callable, optional
        Says what follows if the same rule is in a list twice; by default, that the
        second one adds nothing.
    when_it_stays : str
        What it does in a later fit, where the list of an earlier one is used again.
    """

    single: tuple[RuleCheck, ...] = ()
    stands_twice: Callable[[Any], str] | None = None
    when_it_stays: str = "acts in it too"


NO_CHECKS = RuleChecks()


def find_text_flags(known: CheckedList, callback: Any) -> Iterator[Finding]:
    """Find a text where True or False is meant: ``"False"`` is true."""
    flags = [own.name for own in fields(callback) if isinstance(own.default, bool)]
    for name in flags:
        value = getattr(callback, name)
        if not isinstance(value, str):
            continue
        taken = bool(value)
        meant = value.strip().lower() in ("true", "yes", "on", "1")
        text = "a text that is not empty" if taken else "an empty text"
        yield known.finding(
            "refused-value",
            f"{callback.class_name} takes {taken} for {name}={shown_value(value)}",
            f"{text} counts as {taken}, whatever it says",
            f"{name}=True"
            if meant
            else f"{name}=False, or {name}=True if that is meant",
            "remark" if meant else "warning",
        )


BYSTANDING = RuleChecks(
    stands_twice=lambda _: "both do the same with the same arguments"
)
