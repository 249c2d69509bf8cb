"""The stand-in model of a driven callback, which refuses what no log can answer.

Its weights are a token that holds an epoch's number; its learning rate is the replay's.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np

from cbreplay.errors import CbreplayError, EvidenceError
from cbreplay.monitor import round_float32
from cbreplay.rules.keras.stand_in_metrics import (
    compiled_metrics,
    looks_for_a_direction,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.training import Training

__all__ = [
    "HeldWeights",
    "Ledger",
    "Stage",
    "StandInModel",
    "StandInParams",
    "is_history",
]


class HeldWeights:
    """What ``get_weights`` returns: a token that can only be kept and put back.

    It stands for the weights of an epoch; the ledger refuses a use of their values.
    """

    def __init__(self, epoch: int, ledger: Ledger) -> None:
        self.epoch, self._ledger = epoch, ledger

    def __deepcopy__(self, memo: dict[int, Any]) -> HeldWeights:
        """Return itself: a copy of weights has the same values."""
        return self

    def copy(self) -> HeldWeights:
        """Return itself: a copied list of weights has the same values."""
        return self

    def _refuse(self, *_: object) -> NoReturn:
        self._ledger.refuse("the values of the weights")

    __iter__ = __len__ = __getitem__ = __array__ = __getattr__ = _refuse
    __add__ = __radd__ = __mul__ = __rmul__ = _refuse


class Stage:
    """What all driven callbacks of one replay share: model, rate and logs."""

    def __init__(self, training: Training) -> None:
        # as copy.deepcopy takes it: an object that two callbacks hold is copied once
        self.memo: dict[int, Any] = {}
        self.ledger = Ledger(training)
        self.model, self.params = StandInModel(self.ledger), StandInParams(self.ledger)

    @classmethod
    def of(cls, training: Training) -> Stage:
        """Return the stage of a replay; its first driven callback creates it."""
        if training.shared is None:
            return cls(training)
        stage: Stage = training.shared.setdefault("stage", cls(training))
        return stage


class Ledger:
    """What the driven callback whose hook is running may read, and what it does."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.owner, self.library, self.hook = "", "", ""
        self.refused: CbreplayError | None = None
        self.rate: float | None = None
        self.rate_was_set = False
        self.stop_training = False
        self.weights_epoch = 0
        self.restored_epoch: int | None = None
        self.saved: list[str] = []
        self.history: dict[str, list[float]] = {}
        self.epochs: list[int] = []
        self.logged: dict[str, None] = {}
        self._variables: dict[str, Any] = {}

    def enter(self, owner: str, library: str, hook: str, seen: Observation) -> None:
        """Begin a hook in the state that the callbacks before it left.

        `owner`, the callback's class, and the hook are for the errors. `library` tells
        whose variable holds the rate that it sees: "keras" one of Keras 3, "tf" one of
        TensorFlow (Keras 2 and tf_keras), "" neither.
        """
        self.owner, self.library, self.hook = owner, library, hook
        self.rate, self.rate_was_set = seen.learning_rate, False
        self.stop_training, self.weights_epoch = seen.stop_training, seen.weights_epoch
        self.restored_epoch = None
        self.saved = []
        self.logged |= dict.fromkeys(map(str, seen.logs))
        for variable in self._variables.values():
            if self.rate is not None:
                # the class's own assign: here the replay sets the rate
                type(variable).assign(variable, self.rate)

    def note_epoch(self, seen: Observation) -> None:
        """Enter the logs of an epoch that is over into the history, once."""
        if seen.epoch not in self.epochs:
            self.epochs.append(seen.epoch)
            for name, value in seen.logs.items():
                self.history.setdefault(name, []).append(value)

    def refuse(self, asked: str, reason: str = "") -> NoReturn:
        """Raise EvidenceError, and remember it where the callback catches it."""
        because = reason or (
            "a log holds what each epoch logged, not weights, gradients or batches, so "
            "what it decides cannot be replayed. Leave it out of the list"
        )
        sentence = f"{self.owner} asks for {asked} in {self.hook}: {because}."
        self.refused = self.refused or EvidenceError(sentence)
        raise self.refused

    def read_rate(self) -> Any:
        """Return the learning rate as a variable of the callback's Keras.

        Raises
        ------
        EvidenceError
            If the log does not tell the rate.
        """
        if self.training.schedule is not None:
            self.refuse(
                "optimizer.learning_rate",
                "the run was trained with the LearningRateSchedule "
                f"{self.training.schedule}, which may change the rate at every step, "
                "and a log of epochs does not tell the one there. Leave it out of the "
                "list",
            )
        if self.rate is None:
            self.refuse(
                "optimizer.learning_rate",
                "the log records no rate there. "
                "Give --initial-lr or initial_learning_rate=",
            )
        if not self.library:
            return PlainRate(self.rate, self.note_rate)
        if self.library not in self._variables:
            variable = _make_variable(self.library, self.rate)
            variable.assign = partial(self._assign, variable)
            self._variables[self.library] = variable
        return self._variables[self.library]

    def set_rate(self, value: Any) -> None:
        """Set the learning rate, as assigning to ``optimizer.learning_rate`` does."""
        if self.library:
            self.read_rate().assign(value)
        else:
            self.note_rate(round_float32(float(value)))

    def note_rate(self, rate: float) -> None:
        """Take a new rate, a float32 value."""
        self.rate, self.rate_was_set = rate, True

    def _assign(self, variable: Any, value: Any, *others: Any, **named: Any) -> Any:
        assigned = type(variable).assign(variable, value, *others, **named)
        self.note_rate(float(np.asarray(variable)))
        return assigned


class PlainRate(np.float32):
    """The learning rate for a callback that inherits from no Keras."""

    _note: Callable[[float], None]

    def __new__(cls, rate: float, note: Callable[[float], None]) -> Self:
        """Return the rate; `note` is called with what is assigned to it."""
        made = super().__new__(cls, rate)
        made._note = note
        return made

    def numpy(self) -> np.float32:
        """Return the value, as a variable does."""
        return np.float32(self)

    def assign(self, value: float) -> None:
        """Set the rate."""
        self._note(round_float32(float(value)))


def _make_variable(library: str, rate: float) -> Any:
    # whoever built the callback has imported its library
    if library == "keras":
        keras = sys.modules["keras"]
        return keras.Variable(rate, dtype="float32", trainable=False)
    return sys.modules["tensorflow"].Variable(rate, dtype="float32", trainable=False)


class StandInOptimizer:
    """The optimizer of a stand-in model: its learning rate, and nothing else."""

    def __init__(self, ledger: Ledger) -> None:
        object.__setattr__(self, "_ledger", ledger)

    def __getattr__(self, name: str) -> Any:
        """Return the learning rate, or refuse."""
        _no_protocol(self, name)
        if name in self._rate_names():
            return self._ledger.read_rate()
        if name == "lr":
            message = "the optimizers of Keras 3 have no lr"
            raise AttributeError(message)
        self._ledger.refuse(f"optimizer.{name}")
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        """Set the learning rate, or refuse."""
        if name not in self._rate_names():
            self._ledger.refuse(f"optimizer.{name}")
        self._ledger.set_rate(value)

    def _rate_names(self) -> tuple[str, ...]:
        # Keras 3 has no optimizer.lr
        if self._ledger.library == "keras":
            return ("learning_rate",)
        return ("learning_rate", "lr")


class StandInHistory:
    """What ``model.history`` holds: the epochs before the one that runs."""

    def __init__(self, ledger: Ledger) -> None:
        self.history, self.epoch = ledger.history, ledger.epochs


def is_history(value: object) -> bool:
    """Return whether this is a History of some Keras, or extends one."""
    return "History" in {kind.__name__ for kind in type(value).__mro__}


class StandInModel:
    """The model that a driven callback sees.

    It has ``stop_training``, a learning rate, weights to get and set, and ``save``,
    which writes nothing; anything else is refused by name.
    """

    def __init__(self, ledger: Ledger) -> None:
        set_own = object.__setattr__
        set_own(self, "_ledger", ledger)
        set_own(self, "optimizer", StandInOptimizer(ledger))
        set_own(self, "history", StandInHistory(ledger))

    @property
    def metrics(self) -> list[Any]:
        """Tell Keras's own code which way a metric improves; refuse any other code."""
        ledger, asking = self._held(), sys._getframe(1)  # noqa: SLF001 - who asks
        # before the first epoch is logged, the metrics are not known
        if not ledger.logged or not looks_for_a_direction(asking):
            ledger.refuse("model.metrics")
        return compiled_metrics(ledger.logged, ledger)

    @property
    def stop_training(self) -> bool:
        """Whether training ends after this epoch."""
        return self._held().stop_training

    def get_weights(self) -> HeldWeights:
        """Return what stands for the weights."""
        ledger = self._held()
        return HeldWeights(ledger.weights_epoch, ledger)

    def set_weights(self, weights: Any) -> None:
        """Put back weights that ``get_weights`` returned."""
        ledger = self._held()
        if not isinstance(weights, HeldWeights):
            ledger.refuse("model.set_weights with weights of its own")
        ledger.weights_epoch = ledger.restored_epoch = weights.epoch

    def save(self, filepath: Any, *_: object, **__: object) -> None:
        """Note the file; nothing is written."""
        self._held().saved.append(os.fspath(filepath))

    save_weights = save

    def __setattr__(self, name: str, value: Any) -> None:
        """Take ``stop_training`` and a History, or refuse."""
        if name == "history" and is_history(value):
            # each History of a list puts itself there: keras/src/callbacks/history.py
            object.__setattr__(self, name, value)
            return
        if name != "stop_training":
            self._held().refuse(f"model.{name}")
        self._held().stop_training = bool(value)

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse any other attribute."""
        _no_protocol(self, name)
        self._held().refuse(f"model.{name}")

    def _held(self) -> Ledger:
        ledger: Ledger = object.__getattribute__(self, "_ledger")
        return ledger


class StandInParams(dict[str, Any]):
    """``self.params``: what is known of the arguments of ``fit``."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(verbose=0)
        if ledger.training.epochs is not None:
            self["epochs"] = ledger.training.epochs
        self._ledger = ledger

    def __missing__(self, key: str) -> NoReturn:
        """Refuse what the record does not tell."""
        option = ". Give --planned-epochs or planned_epochs=" if key == "epochs" else ""
        self._ledger.refuse(f"params[{key!r}]", f"the record does not tell it{option}")

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002
        """Return a value, or refuse: a default would be a guess."""
        return self[key]


def _no_protocol(owner: object, name: str) -> None:
    # copy, pickle and hasattr ask for dunder names; Keras asks for the other two:
    # keras/src/callbacks/callback.py and reduce_lr_on_plateau.py, 3.15.1
    if name.startswith("__") or name in ("jax_state_sync", "optimizers"):
        message = f"{type(owner).__name__} has no {name}"
        raise AttributeError(message)
