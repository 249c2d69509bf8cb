"""DrivenCallback: a user's own callback, driven hook by hook on a stand-in model."""

from __future__ import annotations

import contextlib
import copy
import io
import math
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, SupportsFloat

from cbreplay.errors import CbreplayError, ConfigError, EvidenceError
from cbreplay.rules.base import Callback
from cbreplay.rules.decisions import BestSeen, Decision
from cbreplay.rules.keras.custom_code import inherits_from, refuse_unanswerable, root_of
from cbreplay.rules.keras.keras_objects import attributes_of, models_of
from cbreplay.rules.keras.metric_directions import resolve_mode
from cbreplay.rules.keras.outer_state import check_outside, copy_closures, outer_state
from cbreplay.rules.keras.stand_in import Stage, is_history

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.rules.decisions import Observation, Phase
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode

__all__ = ["DrivenCallback", "DrivenState"]


_LARGEST = 2**1023
# a callback that extends this many of Keras's classes extends one that decides, besides
# Callback itself
_EXTENDS_A_RULE = 2


class DrivenState(NamedTuple):
    """Where a driven callback stands.

    Parameters
    ----------
    attributes : mapping of str to float
        Its own attributes that are numbers, after the hook.
    driver : Driver
        The copy that is driven; it goes on changing.
    """

    attributes: Mapping[str, float]
    driver: Driver


@dataclass(frozen=True, slots=True, eq=False)
class DrivenCallback(Callback):
    """A callback that cbreplay does not know, driven itself on a copy for each replay.

    Its hooks ``on_train_begin``, ``on_epoch_begin``, ``on_epoch_end`` and
    ``on_train_end`` are called with Python floats in ``logs`` and a stand-in model. It
    decides by the Keras that it inherits from, whichever one decides for the others.
    What it prints is not shown; what it writes to a file is written.

    Parameters
    ----------
    callback : object
        The callback: of a class that extends one of Keras's, or with its hooks.
    code : str
        The call that makes it, where that is known.

    Raises
    ------
    EvidenceError
        If it asks for what no log can answer (`refuse_unanswerable`).
    ConfigError
        If driving it would make a directory.
    """

    callback: Any
    code: str = ""

    acts_at: ClassVar[frozenset[Phase]] = frozenset({"begin", "end"})
    holds_own_code: ClassVar[bool] = True

    def __post_init__(self) -> None:
        refuse_unanswerable(self.callback)
        if not self.code:
            object.__setattr__(self, "code", f"{self.class_name}(...)")

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return self.code

    @property
    def class_name(self) -> str:
        """Its class."""
        return type(self.callback).__name__

    @property
    def monitor(self) -> str | None:
        """What it says that it monitors, if it does."""
        named = getattr(self.callback, "monitor", None)
        return named if isinstance(named, str) else None

    @property
    def mode(self) -> str:
        """Which way is better, as it says."""
        return str(getattr(self.callback, "mode", "auto"))

    def written_as(self, code: str) -> DrivenCallback:
        """Return the same callback with the call that makes it."""
        return DrivenCallback(self.callback, code)

    def extends(self, name: str) -> bool:
        """Return whether it inherits from a class of Keras."""
        return name in inherits_from(self.callback)

    @property
    def remarks(self) -> tuple[str, ...]:
        """That it is driven, and which Keras it decides by."""
        bases = inherits_from(self.callback)
        told = f"{self.class_name} is replayed by running its own code"
        if len(bases) >= _EXTENDS_A_RULE:
            told += (
                f", as the {bases[0]} of {self.library_version}, whichever Keras "
                "decides for the others"
            )
        return (told,)

    @property
    def library_version(self) -> str:
        """The Keras that it inherits from, as ``keras-3.15.1``; empty without one."""
        roots = _roots_of(self.callback)
        for root in ("tf_keras", "keras"):
            if root in roots:
                return f"{root}-{_loaded_version(root)}"
        return ""

    def resolve_mode(self, training: Training) -> Mode:
        """Return the direction of its monitor, by its own ``mode`` where it has one."""
        name, monitor = self.class_name, str(self.monitor)
        return resolve_mode(name, monitor, self.mode, training, "metric")

    def begin(self, training: Training) -> DrivenState:
        """Return the state before training begins: a copy that nothing has called."""
        driver = Driver(self, training)
        return DrivenState(_numbers(driver.copy), driver)

    def begin_again(self, state: DrivenState, training: Training) -> DrivenState:
        """Return the state before another fit with the same instance."""
        driver = Driver(self, training, again=state.driver.copy)
        return DrivenState(_numbers(driver.copy), driver)

    def begin_training(
        self, state: DrivenState, seen: Observation
    ) -> tuple[DrivenState, Decision]:
        """Give it its model and call ``on_train_begin``."""
        driver, stage = state.driver, state.driver.stage
        driver.call("set_params", seen, stage.params)
        driver.call("set_model", seen, stage.model)
        if is_history(driver.copy):
            # Keras's CallbackList sets model.history to a History that is in the list
            stage.model.history = driver.copy
        return driver.decided(driver.call("on_train_begin", seen, {}), seen)

    def begin_epoch(
        self, state: DrivenState, seen: Observation
    ) -> tuple[DrivenState, Decision]:
        """Call ``on_epoch_begin``."""
        driver = state.driver
        if driver.last is not None:
            # the last epoch's logs are complete only now: later callbacks added to them
            driver.stage.ledger.note_epoch(driver.last)
        return driver.decided(driver.call("on_epoch_begin", seen, seen.epoch, {}), seen)

    def step(
        self, state: DrivenState, seen: Observation
    ) -> tuple[DrivenState, Decision]:
        """Call ``on_epoch_end`` with the logs that the list shares."""
        driver, before = state.driver, set(seen.logs)
        driver.last = seen
        decision = driver.call("on_epoch_end", seen, seen.epoch, seen.logs)
        driver.check_written(seen, before)
        return driver.decided(decision, seen)

    def carries(self, semantics: object) -> bool:  # noqa: ARG002
        """Return whether it takes anything into the next fit: all its attributes."""
        return True

    def end_training(
        self, state: DrivenState, seen: Observation
    ) -> tuple[DrivenState, Decision]:
        """Call ``on_train_end`` with what ``fit`` logged last."""
        driver = state.driver
        decision = driver.call("on_train_end", seen, dict(seen.fit_logs))
        driver.restored_at_end = decision.restored_epoch
        return driver.decided(decision, seen)

    def held_epoch(self, state: DrivenState) -> int | None:
        """Return whose weights it put back when training ended, if any."""
        return state.driver.restored_at_end

    def best_of(self, state: DrivenState) -> BestSeen | None:
        """Return the best that it has seen, if it extends Keras's own EarlyStopping."""
        if not self.extends("EarlyStopping"):
            return None
        best = state.attributes.get("best", math.inf)
        if not math.isfinite(best):
            return BestSeen()
        return BestSeen(int(state.attributes["best_epoch"]), best)


class Driver:
    """The copy of a callback in one fit."""

    def __init__(
        self, driven: DrivenCallback, training: Training, again: Any = None
    ) -> None:
        self.driven, self.first_epoch = driven, training.first_epoch
        self.stage = Stage.of(training)
        self.library = _library_of(driven.callback)
        self.copy = again
        if again is None:
            self.copy = _copied(driven.callback, self.stage.memo)
        self.last: Observation | None = None
        self.restored_at_end: int | None = None
        _resolve_auto(driven, self.copy, training)

    def call(self, hook: str, seen: Observation, *arguments: Any) -> Decision:
        """Call a hook, and return what it did to the stand-in model."""
        ledger = self.stage.ledger
        outside = outer_state(self.copy)
        ledger.enter(self.driven.class_name, self.library, hook, seen)
        try:
            with _silence():
                getattr(self.copy, hook)(*arguments)
        except CbreplayError:
            raise
        except (Exception, SystemExit) as error:
            if ledger.refused is None:
                raise self._raised(hook, seen, error) from error
        if ledger.refused is not None:
            # the callback caught the error and went on
            raise ledger.refused
        check_outside(self.driven.class_name, hook, outside, outer_state(self.copy))
        asked, asks = seen.stop_training, ledger.stop_training
        return Decision(
            stop=asks and not asked,
            cancels_stop=asked and not asks,
            reduced=ledger.rate_was_set and hook == "on_epoch_end",
            scheduled=ledger.rate_was_set and hook != "on_epoch_end",
            learning_rate=ledger.rate if ledger.rate_was_set else None,
            restored_epoch=ledger.restored_epoch,
            saved_files=tuple(ledger.saved),
            saved_epoch=seen.weights_epoch if ledger.saved else None,
        )

    def _raised(
        self, hook: str, seen: Observation, error: BaseException
    ) -> ConfigError:
        where = f"{hook} of epoch {seen.epoch + 1}" if "epoch" in hook else hook
        problem = f"{type(error).__name__}: {error}".rstrip(": ")
        held = ", ".join(seen.logs) if hook == "on_epoch_end" else ""
        told = f"; the logs of that epoch hold {held}" if held else ""
        return ConfigError(
            f"{self.driven.class_name} raises {problem} in {where}{told}."
        )

    def check_written(self, seen: Observation, before: set[str]) -> None:
        """Refuse what it wrote into ``logs`` that is no name and number."""
        # a user's code may have written names that are no text, too
        logs: dict[Any, Any] = seen.logs
        for name, value in logs.items():
            if isinstance(name, str) and isinstance(value, (float, SupportsFloat)):
                continue
            if name not in before:
                sentence = (
                    f"{self.driven.class_name} writes {name!r}: {value!r} into logs in "
                    f"epoch {seen.epoch + 1}, where a name and a number are expected."
                )
                raise ConfigError(sentence)

    def decided(
        self, decision: Decision, seen: Observation
    ) -> tuple[DrivenState, Decision]:
        """Return its state and the decision; refuse weights of before the record."""
        restored, first = decision.restored_epoch, self.first_epoch
        if restored is not None and restored < first:
            sentence = (
                f"{self.driven.class_name} puts back the weights from before epoch "
                f"{first + 1} at epoch {seen.epoch + 1}, of which nothing is recorded."
            )
            raise EvidenceError(sentence)
        return DrivenState(_numbers(self.copy), self), decision


def _library_of(callback: object) -> str:
    """Return whose variable holds the rate that it sees: "tf", "keras" or neither."""
    roots = _roots_of(callback)
    if "tf_keras" in roots:
        return "tf"
    if "keras" not in roots:
        return ""
    return "tf" if _loaded_version("keras").startswith("2.") else "keras"


def _roots_of(callback: object) -> set[str]:
    """Return the packages that its class and those above it come from."""
    return set(map(root_of, type(callback).__mro__))


def _loaded_version(package: str) -> str:
    """Return the version of a package that somebody has imported; empty if none has."""
    return getattr(sys.modules.get(package), "__version__", "")


def _copied(callback: Any, memo: dict[int, Any]) -> Any:
    """Return a deep copy without the model of an earlier fit.

    `memo` is as ``copy.deepcopy`` takes it, and gains what is copied.
    """
    memo |= {id(model): None for model in models_of(callback)}
    try:
        made = copy.deepcopy(callback, memo)
        copy_closures(made, memo)
    except Exception as error:
        sentence = (
            f"{type(callback).__name__} cannot be copied for a replay "
            f"({type(error).__name__}: {error}). Keep what it holds out of its "
            "attributes, or leave it out of the list."
        )
        raise ConfigError(sentence) from error
    return made


def _resolve_auto(driven: DrivenCallback, made: Any, training: Training) -> None:
    """Set the mode of a callback that extends a class of Keras and has "auto".

    Otherwise it would ask the compiled metrics of its model (``_set_monitor_op``).
    """
    asks = getattr(made, "monitor_op", "") is None and hasattr(made, "_set_monitor_op")
    if asks and getattr(made, "mode", None) == "auto":
        made.mode = driven.resolve_mode(training)


def reached_from(callback: Any) -> set[int]:
    """Return the ids of all objects that a callback holds, but not its own id."""
    memo: dict[int, Any] = {}
    _copied(callback, memo)
    return set(memo) - {id(callback), id(memo)}


@contextlib.contextmanager
def _silence() -> Any:
    """Keep what a callback prints or warns of out of the answer."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def _numbers(callback: object) -> dict[str, float]:
    """Return the public attributes that are numbers, of a size that a float holds."""
    return {
        name: value
        for name, value in attributes_of(callback).items()
        if type(value) in (int, float)
        and not name.startswith("_")
        and not abs(value) >= _LARGEST
    }
