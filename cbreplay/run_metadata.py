"""What ``run.json`` says about a run: the Keras, the plan, the callbacks, the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RUN_SCHEMA", "EarlierFit", "Ended", "Fit", "RunMetadata"]

# raised with what run.schema.json describes; a newer one is refused
RUN_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Fit:
    """What ``fit`` was given.

    Parameters
    ----------
    epochs, initial_epoch : int or None
        As in ``Model.fit``: absolute, so a fit trains ``initial_epoch`` up to but
        not including ``epochs``.
    validation_freq : int, list of int, or None
        As in ``Model.fit``.
    batch_size, steps : int or None
        Of an epoch: they decide nothing that is replayed.
    """

    epochs: int | None = None
    initial_epoch: int = 0
    validation_freq: int | list[int] | None = None
    batch_size: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a fit ended.

    Parameters
    ----------
    by : str
        ``"plan"``; ``"interrupt"`` or ``"error"``; ``"unknown"`` where it was broken
        off and nobody saw by what; the class name of the callback that stopped it, or
        ``"callback"`` where nobody saw which. Empty where the file does not say.
    epoch : int or None
        The last epoch that was trained whole.
    """

    by: str
    epoch: int | None = None

    @property
    def broken_off(self) -> bool:
        """Whether neither the plan nor a callback ended it."""
        return self.by in ("interrupt", "error", "unknown")

    @property
    def by_callback(self) -> bool:
        """Whether a callback of the training ended it."""
        return self.by not in ("plan", "") and not self.broken_off


@dataclass(frozen=True, slots=True)
class EarlierFit:
    """A fit that the last one resumed."""

    fit: Fit
    callbacks: tuple[str, ...]
    ended: Ended | None

    @property
    def broken_off(self) -> bool:
        """Whether it ended without its callbacks seeing the end."""
        return self.ended is not None and self.ended.broken_off

    def cut_short(self, seam: int) -> bool:
        """Whether a callback ended it before a seam, and its plan went further."""
        if self.ended is None or not self.ended.by_callback:
            return False
        return self.fit.epochs is None or self.fit.epochs > seam


@dataclass(frozen=True, slots=True)
class RunMetadata:
    """The parts of a ``run.json`` that decide how a log is read and replayed.

    Parameters
    ----------
    keras_version : str or None
        Which Keras trained: ``"keras-3.15.1"``, ``"tf_keras-2.21.0"``.
    backend : str or None
        Keras's backend: ``"tensorflow"``, ``"jax"``, ``"torch"``, ``"numpy"``.
    fit : Fit
        The plan of the last fit.
    callbacks : tuple of str
        The callbacks of the last fit as text, in the order of its list, which decides
        what the learning-rate column means. Empty where they are not known.
    metrics : mapping of str to {"min", "max"}
        The direction of each metric as Keras resolved it.
    initial_learning_rate : float or None
        The optimizer's rate when the fit began.
    schedule : str or None
        The optimizer's ``LearningRateSchedule``, if it has one.
    wall_seconds : float or None
        The time that all fits took.
    ended : Ended or None
        How the last fit ended; None while it runs.
    earlier_fits : tuple of EarlierFit
        The fits that this one resumed, oldest first.
    rate_trained_at : bool
        Whether the learning-rate column of ``logs.csv`` holds the rate that each epoch
        was trained at, whatever the callbacks wrote.
    notes : tuple of str
        What in the file cannot be, and is not used.
    raw : mapping
        The whole file, unknown keys included.
    """

    keras_version: str | None = None
    backend: str | None = None
    fit: Fit = field(default_factory=Fit)
    callbacks: tuple[str, ...] = ()
    metrics: Mapping[str, Literal["min", "max"]] = field(default_factory=dict)
    initial_learning_rate: float | None = None
    schedule: str | None = None
    wall_seconds: float | None = None
    ended: Ended | None = None
    earlier_fits: tuple[EarlierFit, ...] = ()
    rate_trained_at: bool = False
    notes: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fits(self) -> tuple[EarlierFit | RunMetadata, ...]:
        """Every fit, each with its plan, its callbacks and its end; this one last."""
        return (*self.earlier_fits, self)

    def fit_before(self, seam: int) -> EarlierFit | None:
        """Return the fit that trained up to a seam; None where none is told."""
        for fit, later in zip(self.earlier_fits, self.fits[1:], strict=True):
            # a fit that trained no epoch does not count
            if later.fit.initial_epoch == seam and fit.fit.initial_epoch < seam:
                return fit
        return None

    @property
    def steps_taken(self) -> int:
        """How many steps the model had been trained for when the fit began.

        It decides nothing that is replayed, so what is no number is no error.
        """
        optimizer = self.raw.get("optimizer")
        steps = optimizer.get("steps_taken") if isinstance(optimizer, dict) else None
        return steps if type(steps) is int and steps > 0 else 0

    @property
    def without_end(self) -> bool:
        """Whether its writer keeps the end of a fit, and has not recorded one."""
        return self.ended is None and "ended" in self.raw

    @property
    def started(self) -> float | None:
        """When the first fit began, in seconds since 1970; None where it is not said.

        It decides nothing that is replayed, so what is no time is no error.
        """
        from datetime import UTC, datetime

        try:
            began = datetime.fromisoformat(self.raw.get("started", ""))
        except (TypeError, ValueError):
            return None
        # without a zone it is in UTC, as the schema has it
        return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()
