"""Keras as a family: its versions, its names, and what its fit refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cbreplay.errors import ConfigError
from cbreplay.rules.family import Family, ResolvedSemantics
from cbreplay.rules.keras.metric_directions import find_direction
from cbreplay.rules.keras.metric_names import is_refused_text
from cbreplay.rules.keras.versions import (
    find_tf_keras,
    is_keras_version,
    resolve_keras,
    spoken_semantics,
)
from cbreplay.rules.keras.without_rule import (
    BYSTANDERS,
    LOGGERS_ELSEWHERE,
    NOT_REPLAYED,
    SENDING,
)
from cbreplay.series_names import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.checks import ListCheck
    from cbreplay.rules.compiled import Compiled
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
    from cbreplay.rules.keras.semantics import Semantics
    from cbreplay.rules.training import Training
    from cbreplay.run import Mode, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["KERAS"]


class KerasFamily(Family):
    """Keras and tf_keras. ``fit`` stops where a callback asks for it."""

    name = "keras"
    title = "Keras"
    prefixes = (
        "callbacks",
        "keras.callbacks",
        "tensorflow.keras.callbacks",
        "tf.keras.callbacks",
        "tf_keras.callbacks",
    )
    bystanders, sending = BYSTANDERS, SENDING
    loggers_elsewhere, not_replayed = LOGGERS_ELSEWHERE, NOT_REPLAYED
    rate_changing = ("LearningRateScheduler", "ReduceLROnPlateau")

    @property
    def stopping_rule(self) -> type[EarlyStopping]:
        """The rule that stops by a ``patience``."""
        from cbreplay.rules.keras.early_stopping import EarlyStopping

        return EarlyStopping

    @property
    def reducing_rule(self) -> type[ReduceLROnPlateau]:
        """The rule that reduces the rate by a ``patience``."""
        from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

        return ReduceLROnPlateau

    @property
    def list_checks(self) -> tuple[ListCheck, ...]:
        """What `lint` looks for in a list of its callbacks."""
        from cbreplay.rules.keras.checks.lists import LIST_CHECKS

        return LIST_CHECKS

    def owns_version(self, name: str) -> bool:
        """Return whether this is how a version of Keras is written."""
        return is_keras_version(name)

    def recorded_version(self, metadata: RunMetadata) -> str | None:
        """Return the version that a ``run.json`` names."""
        return metadata.keras_version

    def imported_version(self, packages: Collection[str]) -> str | None:
        """Return the tf_keras version, if a script imports tf_keras and not keras."""
        if "tf_keras" in packages and "keras" not in packages:
            return find_tf_keras()
        return None

    def resolve(
        self, name: str | None, *, metadata: RunMetadata | None = None
    ) -> ResolvedSemantics:
        """Find the Keras whose decisions are asked for, as `resolve_keras`."""
        return ResolvedSemantics(*resolve_keras(name, metadata=metadata), self)

    def spoken_version(self, name: str) -> str:
        """Write the name of a version as people do."""
        return spoken_semantics(name)

    def find_direction(self, name: str, directions: Mapping[str, Mode]) -> Mode | None:
        """Return which way a series improves, by the table of Keras's metrics."""
        return find_direction(name, directions)

    def check_run(
        self, run: Run, callbacks: Sequence[Callback], training: Training
    ) -> None:
        """Refuse a callback that sets the rate, if the optimizer has a schedule.

        Raises
        ------
        ConfigError
            Where Keras 3 raises TypeError, and Keras 2 trains at the schedule's rate.
        """
        schedule = run.metadata.schedule if run.metadata is not None else None
        for callback in callbacks if schedule is not None else ():
            if callback.changes_learning_rate:
                does = "raises TypeError"
                if not training.semantics.refuses_rate_of_schedule:
                    does = "changes no rate that is trained at"
                sentence = (
                    f"run {run.name!r} was trained with the LearningRateSchedule "
                    f"{schedule}, beside which {callback.class_name} {does} in "
                    f"{training.version}, so leave it out."
                )
                raise ConfigError(sentence)

    def name_metrics(self, compiled: Compiled, semantics: Semantics) -> Compiled:
        """Return the metrics of a ``compile`` under the names of one version."""
        if not semantics.names_metrics_by_text:
            return compiled.by_keras_2()
        texts = dict.fromkeys(compiled.texts.values())
        return compiled.without([*filter(is_refused_text, texts)])

    def check_unlogged(self, monitor: str, training: Training) -> None:
        """Explain who writes the learning rate into ``logs``, if a list monitors it.

        Raises
        ------
        ConfigError
            If the monitor is the learning rate.
        """
        if monitor in LEARNING_RATE_NAMES:
            sentence = (
                f"monitor={monitor!r}: this Keras writes the learning rate into logs "
                f"as {training.semantics.learning_rate_key!r}, and only in a list with "
                "a ReduceLROnPlateau or LearningRateScheduler, for the callbacks from "
                "that one on. Put it before, or monitor something else."
            )
            raise ConfigError(sentence)

    def read_object(self, callback: object) -> Callback | None:
        """Return the rule of a callback of Keras, or of the user's own with its hooks.

        Raises
        ------
        ConfigError, EvidenceError
            If it cannot be replayed.
        """
        from cbreplay.rules.keras.reading import read_callback_object

        return read_callback_object(callback)

    def settle_list(
        self, given: Sequence[object], rules: Sequence[Callback]
    ) -> list[Callback]:
        """Drive the callbacks that share state, as `drive_entangled`."""
        from cbreplay.rules.keras.reading import drive_entangled

        return drive_entangled(given, rules)

    def write_code(self, callbacks: Sequence[Callback], version: str) -> str:
        """Write a list as Keras code to paste."""
        from cbreplay.rules.keras.keras_code import write_setting

        package: Literal["keras", "tf_keras"] = "keras"
        if version.startswith("tf_keras"):
            package = "tf_keras"
        return write_setting(callbacks, package=package)


KERAS = KerasFamily()
