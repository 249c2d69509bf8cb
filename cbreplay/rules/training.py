"""What is known when training begins, and what a training asks of its framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.series_names import plain_direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.run import Mode, Run
    from cbreplay.run_metadata import RunMetadata

__all__ = ["Framework", "Training", "describe_training"]


class Framework:
    """What a training asks of its framework: a direction, what it refuses, its loop.

    Here are the answers of a framework that has nothing special, and whose loop stops
    when it is asked; a `Family` says more about one.
    """

    # what people call it
    title: str

    def spoken_version(self, name: str) -> str:
        """Write the name of one of its versions as people do."""
        return name

    def find_direction(self, name: str, directions: Mapping[str, Mode]) -> Mode | None:
        """Return the recorded direction of a series; else "min" for a loss."""
        metric = name.removeprefix("val_")
        known = directions.get(metric, directions.get(name))
        return "min" if known is None and metric.endswith("loss") else known

    def check_run(self, run: Run, callbacks: Sequence[Any], training: Training) -> None:
        """Raise ConfigError where the framework itself refuses a list on such a run."""

    def check_unlogged(self, monitor: str, training: Training) -> None:
        """Raise ConfigError if there is a special reason why a series is not logged."""

    def begin_trainer(self, training: Training) -> Any:
        """Return the state of the training loop before training begins."""
        return None

    def end_epoch(
        self, trainer: Any, epoch: int, asked: tuple[int, ...]
    ) -> tuple[Any, tuple[int, ...], str]:
        """Decide, as the framework's training loop does, whether an epoch is the last.

        Parameters
        ----------
        trainer : object
            The state of the loop.
        epoch : int
            The epoch that ends.
        asked : tuple of int
            Which callbacks ask for the end of training, by their index.

        Returns
        -------
        object
            The state afterwards.
        tuple of int
            The callbacks by which training ends now; empty where it goes on.
        str
            Why it goes on although someone asked, if it does.
        """
        return trainer, asked, ""


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

    def tell_direction(self, name: str) -> Mode | None:
        """Return a direction for a doubt or a check: where nothing tells, by the name.

        No decision goes by it: the framework does not know it.
        """
        return self.find_direction(name) or plain_direction(name)


def describe_training(run: Run, semantics: Any, framework: Framework) -> Training:
    """Return what is known when the training of a run begins, as `Training` has it."""
    metadata = run.metadata
    if metadata is None:
        directions, begun = run.directions, run.first_epoch
        return Training(semantics, directions, framework, begun, run.planned_epochs)
    return Training(
        semantics,
        directions={**run.directions, **metadata.metrics},
        framework=framework,
        first_epoch=run.first_epoch,
        epochs=run.planned_epochs,
        schedule=metadata.schedule,
        metadata=metadata,
    )
