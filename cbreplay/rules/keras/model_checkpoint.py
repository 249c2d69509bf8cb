"""ModelCheckpoint: parameters and step."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from cbreplay.arguments import shown_value
from cbreplay.errors import ConfigError, RefusedValueError
from cbreplay.rules.decisions import NOTHING, Decision
from cbreplay.rules.keras.monitor_callback import MonitorCallback
from cbreplay.rules.parameters import check_monitor, check_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.monitor import Comparison
    from cbreplay.rules.decisions import Observation
    from cbreplay.rules.keras.semantics import MonitorRule, Semantics
    from cbreplay.rules.training import Training

__all__ = ["ModelCheckpoint", "ModelCheckpointState"]

# a format with a width of a billion would make a file name of a billion letters
_LONGEST_FIELD = 999
_NOT_IMPROVED = Decision(improved=False)


class ModelCheckpointState(NamedTuple):
    """What ModelCheckpoint carries from epoch to epoch.

    Parameters
    ----------
    comparison : Comparison
        How this training's Keras compares.
    best : float or None
        The best value so far; None before the first one.
    saves_without_monitor : bool
        Whether an epoch without the monitor is saved; else it is skipped.
    """

    comparison: Comparison
    best: float | None
    saves_without_monitor: bool


@dataclass(frozen=True, slots=True)
class ModelCheckpoint(MonitorCallback):
    """Save the model at the end of every epoch, or of every best one so far.

    Nothing is written: a replay says which files there would be.

    Parameters
    ----------
    filepath : str or path
        As in ``keras.callbacks.ModelCheckpoint``: a format string of ``epoch``, counted
        from 1, and of what the epoch logs. Its braces may hold nothing but such names.
    monitor, verbose, save_best_only, save_weights_only, mode : Keras's
        As there; `verbose` is accepted and ignored.
    save_freq : "epoch"
        A number of batches is refused: a log of epochs does not tell when it saves.
    initial_value_threshold : float, optional
        As there: the first ``best``.

    Raises
    ------
    ConfigError
        If a parameter has a type or a mode that Keras cannot compute with, if
        `filepath` is no format string of names, or if `save_freq` counts batches.

    References
    ----------
    keras/src/callbacks/model_checkpoint.py and monitor_callback.py, Keras 3.15.1; what
    other versions do differently stands in ``semantics.py``.
    """

    filepath: str
    monitor: str = "val_loss"
    verbose: int = 0
    save_best_only: bool = False
    save_weights_only: bool = False
    mode: str = "auto"
    save_freq: str | int = "epoch"
    initial_value_threshold: float | None = None

    shown_state: ClassVar[tuple[str, ...]] = ("best",)
    older_parameters: ClassVar[Mapping[str, str]] = {
        "load_weights_on_restart": "BackupAndRestore, which also restores the epoch",
        "options": "a call without it",
        "period": "a call without it for 1, else save_freq, which counts batches",
    }
    # options, in tf_keras
    n_older_by_place: ClassVar[int] = 1
    on_unknown_name: ClassVar[str] = (
        "a name that it does not have is a TypeError in Keras 3, and ignored by "
        "tf_keras"
    )
    on_no_number: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"verbose": "when it first saves"}
    )
    on_older_name: ClassVar[str] = "it is a TypeError in Keras 3; tf_keras takes it"

    def __post_init__(self) -> None:
        try:
            written = os.fspath(self.filepath)
        except TypeError:
            written = None
        if not isinstance(written, str):
            shown = shown_value(self.filepath)
            sentence = f"ModelCheckpoint: filepath is {shown}, not a path"
            raise ConfigError(sentence) from None
        object.__setattr__(self, "filepath", written)
        _check_fields(self.filepath)
        check_monitor(self, "verbose", "save_best_only", "save_weights_only")
        _check_threshold(self)
        if not isinstance(self.save_freq, str) or self.save_freq != "epoch":
            if not isinstance(self.save_freq, int):
                raise RefusedValueError(
                    callback="ModelCheckpoint",
                    parameter="save_freq",
                    shown=shown_value(self.save_freq),
                    wanted="'epoch' or a whole number of batches",
                    instead="save_freq='epoch'",
                )
            sentence = (
                f"ModelCheckpoint: save_freq is {shown_value(self.save_freq)}, a "
                "number of batches, and a log of epochs does not tell after which of "
                "them it saves: only save_freq='epoch' is replayed"
            )
            raise ConfigError(sentence)

    @property
    def watched(self) -> str | None:
        """The series by which it decides: none if it saves every epoch."""
        return self.monitor if self.save_best_only else None

    @property
    def margin(self) -> float | None:
        """By how much a value has to beat the best; None with a threshold."""
        return 0.0 if self.initial_value_threshold is None else None

    @staticmethod
    def monitor_rule(semantics: Semantics) -> MonitorRule:
        """Return how this Keras compares what ModelCheckpoint monitors."""
        return semantics.model_checkpoint

    def wanted_endings(self, semantics: Semantics) -> tuple[str, ...]:
        """Return how this Keras wants `filepath` to end; empty if it takes any."""
        endings = semantics.checkpoint_suffixes
        return (".weights.h5",) if endings and self.save_weights_only else endings

    def begin(self, training: Training) -> ModelCheckpointState:
        """Return the state at the beginning of training.

        Raises
        ------
        ConfigError
            If this Keras refuses the ending of `filepath`, or cannot resolve the mode;
            both also where `save_best_only` is not set.
        """
        semantics: Semantics = training.semantics
        comparison, best = self.begin_standing(training, 0)
        suffixes = self.wanted_endings(semantics)
        if suffixes and not self.filepath.endswith(suffixes):
            sentence = (
                f"ModelCheckpoint: filepath is {self.filepath!r}, and "
                f"{semantics.name} wants it to end in {' or '.join(suffixes)} where "
                f"save_weights_only is {self.save_weights_only}"
            )
            raise ConfigError(sentence)
        given = self.initial_value_threshold
        return ModelCheckpointState(
            comparison=comparison,
            best=best if given is None else given,
            saves_without_monitor=semantics.saves_without_monitor,
        )

    def step(
        self, state: ModelCheckpointState, seen: Observation
    ) -> tuple[ModelCheckpointState, Decision]:
        """Return the state after an epoch, and what was decided at its end.

        Raises
        ------
        ConfigError
            If `filepath` cannot be filled in this epoch, where Keras raises KeyError.
        """
        # Keras makes the name first, whether or not it saves
        saved = Decision(
            saved_files=(self._file(seen),), saved_epoch=seen.weights_epoch
        )
        if not self.save_best_only:
            return state, saved
        current = seen.logs.get(self.monitor)
        if current is None:
            return state, saved if state.saves_without_monitor else NOTHING
        if not state.comparison.is_improvement(current, state.best):
            return state, _NOT_IMPROVED
        return state._replace(best=current), saved._replace(improved=True)

    def acts_without_value(self, semantics: Semantics) -> str:
        """Say what it does in an epoch without its monitor."""
        return "saves those all the same" if semantics.saves_without_monitor else ""

    def _file(self, seen: Observation) -> str:
        values: dict[str, Any] = {**seen.logs, "epoch": seen.epoch + 1}
        try:
            return self.filepath.format(**values)
        except KeyError as error:
            problem = f"{error.args[0]!r} is not logged; there are {', '.join(values)}"
        except ValueError as error:
            problem = str(error)
        sentence = (
            f"ModelCheckpoint: filepath {self.filepath!r} gives no name in epoch "
            f"{seen.epoch + 1}: {problem}"
        )
        raise ConfigError(sentence)


def _check_fields(filepath: str) -> None:
    """Raise ConfigError unless the braces hold plain names and plain, short formats."""
    import string

    problem = ""
    try:
        for _, name, written, _ in string.Formatter().parse(filepath):
            if name is None:
                continue
            widths = [int(digits) for digits in re.findall(r"[0-9]+", written or "")]
            if re.search(r"[.\[\]]", name) or not name or name.isdigit():
                problem = f"{{{name}}} is not the name of something logged"
            elif "{" in (written or "") or max(widths, default=0) > _LONGEST_FIELD:
                problem = f"the format {written!r} is not a plain one"
    except ValueError as error:
        problem = str(error)
    if problem:
        sentence = (
            f"ModelCheckpoint: filepath is {filepath!r}: {problem}. Write names such "
            "as {epoch:02d} or {val_loss:.3f} in its braces"
        )
        raise ConfigError(sentence)


def _check_threshold(rule: ModelCheckpoint) -> None:
    """Raise ConfigError unless Keras can compare with this as its first ``best``."""
    threshold: object = rule.initial_value_threshold
    if rule.save_best_only and isinstance(threshold, str):
        raise RefusedValueError(
            callback="ModelCheckpoint",
            parameter="initial_value_threshold",
            shown=shown_value(threshold),
            wanted="a number",
            outcome="raises an error, in the first epoch with its monitor, for",
            fails_at_once=False,
            instead="a number, such as initial_value_threshold=0.5",
        )
    if threshold is not None:
        check_numbers(rule, "initial_value_threshold")
