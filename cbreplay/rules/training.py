"""What a rule knows when training begins, and what it may ask of its framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.run import Mode, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["Framework", "Training", "describe_training"]


class Framework(Protocol):
    """What a rule may ask of its framework; a `Family` implements it."""

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    def spoken_version(self, name: str) -> str:
        """Write the name of one of its versions as people do."""
        ...

    def find_direction(self, name: str, directions: Mapping[str, Mode]) -> Mode | None:
        """Return which way a series improves; None where nothing tells.

        `directions` is what is recorded of the compiled metrics.
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
        The framework of that version.
    first_epoch : int
        The first epoch that is recorded.
    epochs : int or None
        As ``fit`` was given it, the number of the epoch before which training ends;
        None if it is unknown.
    schedule : str or None
        The class of the optimizer's LearningRateSchedule, if it has one.
    metadata : RunMetadata or None
        What ``run.json`` says.
    shared : dict or None
        Where the driven callbacks of one replay keep what they share, such as the
        stand-in model; None outside of a replay.
    """

    semantics: Any
    directions: Mapping[str, Mode]
    framework: Framework
    first_epoch: int = 0
    epochs: int | None = None
    schedule: str | None = None
    metadata: RunMetadata | None = None
    shared: dict[str, Any] | None = None

    @property
    def version(self) -> str:
        """The version that decides, as people write it: ``"Keras 3.15"``."""
        return self.framework.spoken_version(self.semantics.name)

    def find_direction(self, name: str) -> Mode | None:
        """Return which way a series improves; None where nothing tells."""
        return self.framework.find_direction(name, self.directions)


def describe_training(run: Run, semantics: Any, framework: Framework) -> Training:
    """Return what is known when the training of a run begins, as `Training` has it."""
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
