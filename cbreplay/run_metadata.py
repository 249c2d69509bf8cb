"""What ``run.json`` says about a run: the Keras, the plan, the callbacks, the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cbreplay.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EarlierFit", "Ended", "Fit", "RunMetadata", "parse_run_metadata"]

_SCHEMA = 1
_T = TypeVar("_T")


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
    """

    epochs: int | None = None
    initial_epoch: int = 0
    validation_freq: int | list[int] | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a fit ended: ``by`` is plan, interrupt, error, or a callback's class name."""

    by: str
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class EarlierFit:
    """A fit that the last one resumed."""

    fit: Fit
    callbacks: tuple[str, ...]
    ended: Ended | None


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
        The callbacks of the last fit as text, in fit's order; it decides what the
        learning-rate column means.
    metrics : mapping of str to {"min", "max"}
        The direction of each metric as Keras resolved it.
    initial_learning_rate : float or None
        The optimizer's rate when the fit began.
    schedule : str or None
        The optimizer's ``LearningRateSchedule``, if it has one.
    ended : Ended or None
        How the last fit ended; None while it runs.
    earlier_fits : tuple of EarlierFit
        The fits that this one resumed, oldest first.
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
    ended: Ended | None = None
    earlier_fits: tuple[EarlierFit, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

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


def parse_run_metadata(text: str, *, source: str) -> RunMetadata:
    """Read the text of a ``run.json``.

    Parameters
    ----------
    text : str
        The file's text.
    source : str
        Its path, for the error.

    Raises
    ------
    LogError
        If it is not JSON, or if a key that decides something has a value that it
        cannot have. Unknown keys are kept in ``raw``.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"this is not JSON ({error})"
        raise LogError(problem, source=source, hint=_HINT) from None
    if not isinstance(raw, dict):
        problem = f"a run.json holds an object, not a {type(raw).__name__}"
        raise LogError(problem, source=source, hint=_HINT)
    return _Fields(raw, source).metadata()


_HINT = "Correct or remove the file; a run directory may be without it"


class _Fields:
    """Typed look-ups in a ``run.json``; each names the key that is wrong."""

    def __init__(self, raw: dict[str, Any], source: str) -> None:
        self.raw, self.source = raw, source

    def metadata(self) -> RunMetadata:
        schema = self.get(self.raw, "schema", int, "schema")
        if schema is not None and schema > _SCHEMA:
            problem = f"schema {schema} was written by a newer cbreplay"
            raise LogError(problem, source=self.source, hint="Update cbreplay")
        keras = self.get(self.raw, "keras", dict, "keras") or {}
        optimizer = self.get(self.raw, "optimizer", dict, "optimizer") or {}
        return RunMetadata(
            keras_version=self.version(keras),
            backend=self.get(keras, "backend", str, "keras.backend"),
            fit=self.fit(self.raw, "fit"),
            callbacks=self.texts(self.raw, "callbacks"),
            metrics=self.directions(),
            initial_learning_rate=self.number(optimizer, "initial_learning_rate"),
            schedule=self.schedule(optimizer),
            ended=self.ended(self.raw, "ended"),
            earlier_fits=self.earlier_fits(),
            raw=self.raw,
        )

    def get(
        self, holder: Mapping[str, Any], key: str, kind: type[_T], name: str
    ) -> _T | None:
        value = holder.get(key)
        if value is None:
            return None
        # bool is an int in Python, and never what a count in this file means
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fail(name, value, kind.__name__)
        found: _T = value
        return found

    def fail(self, name: str, value: object, expected: str) -> None:
        problem = f"{name!r} is {value!r}, where {expected} is expected"
        raise LogError(problem, source=self.source, hint=_HINT)

    def version(self, keras: Mapping[str, Any]) -> str | None:
        version = self.get(keras, "version", str, "keras.version")
        package = self.get(keras, "package", str, "keras.package") or "keras"
        return None if version is None else f"{package}-{version}"

    def number(self, holder: Mapping[str, Any], key: str) -> float | None:
        value = holder.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(f"optimizer.{key}", value, "a number")
        return float(value)

    def schedule(self, optimizer: Mapping[str, Any]) -> str | None:
        value = optimizer.get("schedule")
        return None if value is None else str(value)

    def texts(self, holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
        values = self.get(holder, key, list, key) or []
        for value in values:
            if not isinstance(value, str):
                self.fail(key, value, "text")
        return tuple(values)

    def directions(self) -> Mapping[str, Literal["min", "max"]]:
        metrics = self.get(self.raw, "metrics", dict, "metrics") or {}
        for name, mode in metrics.items():
            # Keras's Mean and Sum have no direction: null says so
            if mode not in ("min", "max", None):
                self.fail(f"metrics.{name}", mode, "'min' or 'max'")
        return {name: mode for name, mode in metrics.items() if mode is not None}

    def fit(self, holder: Mapping[str, Any], name: str) -> Fit:
        fit = self.get(holder, "fit", dict, name) or {}
        frequency = fit.get("validation_freq")
        if isinstance(frequency, list):
            wrong = [epoch for epoch in frequency if not isinstance(epoch, int)]
            if wrong:
                self.fail(f"{name}.validation_freq", frequency, "epoch numbers")
        else:
            frequency = self.get(fit, "validation_freq", int, f"{name}.validation_freq")
        initial = self.get(fit, "initial_epoch", int, f"{name}.initial_epoch")
        return Fit(
            epochs=self.get(fit, "epochs", int, f"{name}.epochs"),
            initial_epoch=initial or 0,
            validation_freq=frequency,
        )

    def ended(self, holder: Mapping[str, Any], name: str) -> Ended | None:
        ended = self.get(holder, "ended", dict, name)
        if ended is None:
            return None
        return Ended(
            by=self.get(ended, "by", str, f"{name}.by") or "",
            epoch=self.get(ended, "epoch", int, f"{name}.epoch"),
        )

    def earlier_fits(self) -> tuple[EarlierFit, ...]:
        fits = self.get(self.raw, "earlier_fits", list, "earlier_fits") or []
        for fit in fits:
            if not isinstance(fit, dict):
                self.fail("earlier_fits", fit, "an object")
        return tuple(
            EarlierFit(
                fit=self.fit(fit, f"earlier_fits[{position}].fit"),
                callbacks=self.texts(fit, "callbacks"),
                ended=self.ended(fit, f"earlier_fits[{position}].ended"),
            )
            for position, fit in enumerate(fits)
        )
