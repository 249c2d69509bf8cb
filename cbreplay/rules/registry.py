"""The table of all rules: a row tells where everything about one of them is.

A row gives the place of everything that belongs to a rule as ``"module:name"``, which
is imported when it is needed: a replay loads only the rules that it is asked about.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cbreplay.rules.base import Callback
    from cbreplay.rules.checks import RuleChecks
    from cbreplay.rules.pasted_code import PastedCode
    from cbreplay.rules.words import RuleWords

__all__ = [
    "PLAIN_STOPS",
    "ROWS",
    "STOPPING",
    "Kernel",
    "RuleRow",
    "checks_of",
    "find_rule",
    "import_named",
    "is_rule",
    "known_rules",
    "nearest_row",
    "never_stop",
    "pasted_code_of",
    "row_of",
    "rule_named",
    "words_of",
]

# what a rule does, so that a sweep can decide all its settings at once: "stops" and
# "reduces" the rate by a patience; "smooths" its monitor and stops by a patience;
# stops where its monitor "reaches" a target; "breaks" an epoch off in a batch; "saves"
# files; "idle" does nothing
Kernel: TypeAlias = Literal[
    "stops", "smooths", "reaches", "reduces", "breaks", "saves", "idle"
]
# those that hold the best single value, and put it back at the end of every training
PLAIN_STOPS: tuple[Kernel, ...] = ("smooths", "reaches")
# those that ask for the stop at an epoch's end
STOPPING: tuple[Kernel, ...] = ("stops", *PLAIN_STOPS)


class RuleRow(NamedTuple):
    """One rule: its name, and where everything about it is, as ``"module:name"``.

    Parameters
    ----------
    name : str
        Its class, as an expression writes it.
    home : str
        The module that holds the class.
    family : str
        The family that it belongs to; empty if it goes with every one.
    kernel : str or None
        Which of the sweep's kernels decides it; without one it is replayed cell by
        cell.
    words : str
        Its `RuleWords`; without them, sentences only say what it did and not why.
    checks : str
        The `RuleChecks` that `lint` has for it.
    code : str
        The `PastedCode` of a class that decides the same, where its framework has none.
    reader : str
        The function that reads a real object of the framework into the rule.
    tried_on : str
        The option that has `recommend` compare it with a patience, by the values in
        `tried` of the class: ``"prechelt"`` or ``"beyond_patience"``.
    written : bool
        Whether an expression can name it; else it comes from an object only.
    can_stop : bool
        Whether it can end a training before its plan.
    """

    name: str
    home: str
    family: str = ""
    kernel: Kernel | None = None
    words: str = ""
    checks: str = ""
    code: str = ""
    reader: str = ""
    tried_on: str = ""
    written: bool = True
    can_stop: bool = True

    def load(self) -> type[Any]:
        """Return the class."""
        kind: type[Any] = import_named(f"{self.home}:{self.name}")
        return kind


_KERAS = "cbreplay.rules.keras"
# the rules that Keras lacks: the class; its package, which is the name of the option
# too; its module; the name under which its words and checks stand; its kernel
_BEYOND_KERAS: tuple[tuple[str, str, str, str, Kernel | None], ...] = (
    ("PrecheltGL", "prechelt", "gl", "GL", None),
    ("PrecheltPQ", "prechelt", "pq", "PQ", None),
    ("PrecheltUP", "prechelt", "up", "UP", None),
    ("EmaStopping", "beyond_patience", "ema", "SMOOTHED", "smooths"),
    ("MeanStopping", "beyond_patience", "mean", "SMOOTHED", "smooths"),
    ("TargetStopping", "beyond_patience", "target", "TARGET", "reaches"),
)

# what `lint` looks for in some of the callbacks that decide nothing
_CHECKS_OF_LOGGERS = {"CSVLogger": "cbreplay.rules.keras.checks.checkpoints:LOGGING"}
# every rule by its name; `register_family` adds those of another framework
ROWS: dict[str, RuleRow] = {
    row.name: row
    for row in (
        RuleRow(
            "EarlyStopping",
            f"{_KERAS}.early_stopping",
            "keras",
            kernel="stops",
            words=f"{_KERAS}.words.waiting:STOPPING",
            checks=f"{_KERAS}.checks.early_stopping:STOPPING",
            reader=f"{_KERAS}.keras_objects:read_early_stopping",
        ),
        RuleRow(
            "ReduceLROnPlateau",
            f"{_KERAS}.reduce_lr_on_plateau",
            "keras",
            kernel="reduces",
            words=f"{_KERAS}.words.waiting:REDUCING",
            checks=f"{_KERAS}.checks.learning_rate:REDUCING",
            reader=f"{_KERAS}.keras_objects:read_reduce_lr_on_plateau",
            can_stop=False,
        ),
        RuleRow(
            "LearningRateScheduler",
            f"{_KERAS}.learning_rate_scheduler",
            "keras",
            words=f"{_KERAS}.words.others:SCHEDULING",
            checks=f"{_KERAS}.checks.learning_rate:SCHEDULING",
            reader=f"{_KERAS}.keras_objects:read_learning_rate_scheduler",
            can_stop=False,
        ),
        RuleRow(
            "ModelCheckpoint",
            f"{_KERAS}.model_checkpoint",
            "keras",
            kernel="saves",
            words=f"{_KERAS}.words.others:SAVING",
            checks=f"{_KERAS}.checks.checkpoints:SAVING",
            reader=f"{_KERAS}.keras_objects:read_model_checkpoint",
            can_stop=False,
        ),
        RuleRow(
            "TerminateOnNaN",
            f"{_KERAS}.terminate_on_nan",
            "keras",
            kernel="breaks",
            words=f"{_KERAS}.words.others:BREAKING",
            reader=f"{_KERAS}.keras_objects:read_terminate_on_nan",
        ),
        *(
            RuleRow(
                name,
                f"cbreplay.rules.{package}.{module}",
                kernel=kernel,
                words=f"cbreplay.rules.{package}.words:{shared}",
                checks=f"cbreplay.rules.{package}.checks:{shared}",
                code=f"cbreplay.rules.{package}.code:{module.upper()}",
                tried_on=package,
            )
            for name, package, module, shared, kernel in _BEYOND_KERAS
        ),
        RuleRow(
            "Bystander",
            "cbreplay.rules.bystander",
            kernel="idle",
            checks="cbreplay.rules.checks:BYSTANDING",
            written=False,
            can_stop=False,
        ),
        RuleRow(
            "DrivenCallback",
            f"{_KERAS}.driven",
            "keras",
            words=f"{_KERAS}.words.others:DRIVING",
            written=False,
        ),
    )
}


def known_rules() -> tuple[RuleRow, ...]:
    """Return the rules that an expression can name, in the order of the registry."""
    return tuple(row for row in ROWS.values() if row.written)


def find_rule(name: str) -> RuleRow | None:
    """Return the rule that an expression names so; None if there is none."""
    row = ROWS.get(name)
    return row if row is not None and row.written else None


def rule_named(name: str) -> RuleRow:
    """Return a rule of this name, whether or not an expression can name it.

    Raises
    ------
    KeyError
        If there is none.
    """
    return ROWS[name]


def row_of(kind: object) -> RuleRow | None:
    """Return the row of a class; None if it is no rule."""
    if not isinstance(kind, type):
        return None
    row = ROWS.get(kind.__name__)
    return row if row is not None and row.home == kind.__module__ else None


def nearest_row(kind: type[Any]) -> RuleRow | None:
    """Return the row of a class or of the nearest rule that it extends, if any."""
    rows = (row_of(base) for base in kind.__mro__)
    return next((row for row in rows if row is not None), None)


def is_rule(callback: object) -> bool:
    """Return whether an object is a rule that can be replayed as it is."""
    return nearest_row(type(callback)) is not None


def never_stop(kinds: Iterable[object]) -> bool:
    """Return whether no callback of these classes can end a training before its plan.

    A class that is no rule, or only extends one, may do anything.
    """
    rows = map(row_of, kinds)
    return all(row is not None and not row.can_stop for row in rows)


def words_of(callback: Callback) -> RuleWords | None:
    """Return the `RuleWords` of a rule; None without any."""
    row = nearest_row(type(callback))
    words: RuleWords | None = import_named(row.words) if row and row.words else None
    return words


def checks_of(callback: Callback) -> RuleChecks:
    """Return what `lint` looks for in a rule."""
    row = nearest_row(type(callback))
    place = _CHECKS_OF_LOGGERS.get(callback.class_name) or (row and row.checks)
    checks: RuleChecks = import_named(place or "cbreplay.rules.checks:NO_CHECKS")
    return checks


def pasted_code_of(callback: object) -> PastedCode | None:
    """Return the class to paste for a rule that its framework does not have."""
    row = nearest_row(type(callback))
    code: PastedCode | None = import_named(row.code) if row and row.code else None
    return code


def import_named(place: str) -> Any:
    """Import a ``"module:name"`` and return it."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
