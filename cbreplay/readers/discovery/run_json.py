"""How the text of a ``run.json`` is read, and what of it is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from cbreplay.arguments import shown_value
from cbreplay.errors import LogError
from cbreplay.run_metadata import RUN_SCHEMA, EarlierFit, Ended, Fit, RunMetadata
from cbreplay.wording.plain_text import well_formed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parse_run_metadata"]

_T = TypeVar("_T")


def parse_run_metadata(text: str, *, source: str) -> RunMetadata:
    """Read the text of a ``run.json``.

    Raises
    ------
    LogError
        If it is not JSON, or if a key that decides something has a value of another
        kind. A number that cannot be is not used, and noted; unknown keys are kept in
        ``raw``.
    """
    try:
        raw = json.loads(text, parse_int=_read_integer)
    except RecursionError:
        raise _too_deep(source) from None
    except ValueError as error:
        problem = f"this is not JSON ({error})"
        raise LogError(problem, source=source, hint=_HINT) from None
    if _is_deep(raw):
        raise _too_deep(source)
    if re.search(_HALF, text) is not None:
        raw = _well_formed(raw)
    if not isinstance(raw, dict):
        problem = f"a run.json holds an object, not a {type(raw).__name__}"
        raise LogError(problem, source=source, hint=_HINT)
    return _Fields(raw, source, "", []).metadata()


_HINT = "Correct or remove the file; a run directory may be without it"
_DEEPEST = 100
# no count of epochs, and no seed, is longer
_MOST_DIGITS = 20


def _too_deep(source: str) -> LogError:
    return LogError(f"it is nested over {_DEEPEST} deep", source=source, hint=_HINT)


# a lone surrogate as JSON writes it
_HALF = r"\\u[dD][89a-fA-F]"


def _well_formed(raw: Any) -> Any:
    """Return JSON without lone surrogates in its texts: they could not be written."""
    if isinstance(raw, str):
        return well_formed(raw)
    if isinstance(raw, dict):
        return {well_formed(key): _well_formed(value) for key, value in raw.items()}
    return [_well_formed(value) for value in raw] if isinstance(raw, list) else raw


def _is_deep(raw: object) -> bool:
    """Tell whether JSON is nested too deeply to be read by recursion."""
    level, depth = [raw], 0
    while level and depth <= _DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return bool(level)


def _read_integer(digits: str) -> float:
    """Read a whole number; one of hundreds of digits becomes a float."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


class _Fields:
    """An object in a ``run.json``: typed look-ups, which name the key that is wrong."""

    def __init__(
        self, held: dict[str, Any], source: str, place: str, notes: list[str]
    ) -> None:
        self.held, self.source, self.place, self.notes = held, source, place, notes

    def metadata(self) -> RunMetadata:
        schema = self.get("schema", int)
        if schema is not None and schema > RUN_SCHEMA:
            problem = f"schema {schema} was written by a newer cbreplay"
            raise LogError(problem, source=self.source, hint="Update cbreplay")
        optimizer = self.inner("optimizer")
        schedule = optimizer.held.get("schedule")
        return RunMetadata(
            keras_version=self.version(),
            backend=self.inner("keras").get("backend", str),
            fit=self.fit(),
            callbacks=self.callbacks(),
            metrics=self.directions(),
            initial_learning_rate=optimizer.number("initial_learning_rate"),
            schedule=None if schedule is None else str(schedule),
            wall_seconds=self.number("wall_seconds"),
            ended=self.ended(),
            earlier_fits=self.earlier_fits(),
            rate_trained_at=self.held.get("learning_rate_column") == "trained-at",
            notes=tuple(self.notes),
            raw=self.held,
        )

    def name(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def inner(self, key: str) -> _Fields:
        """Return the object under a key, or an empty one."""
        held = self.get(key, dict) or {}
        return _Fields(held, self.source, self.name(key), self.notes)

    def get(self, key: str, kind: type[_T]) -> _T | None:
        value = self.held.get(key)
        if value is None:
            return None
        # bool is an int in Python, and never what a count in this file means
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fail(key, value, kind.__name__)
        found: _T = value
        return found

    def fail(self, key: str, value: object, expected: str) -> NoReturn:
        name, shown = shown_value(self.name(key)), shown_value(value)
        problem = f"{name} is {shown}, where {expected} is expected"
        raise LogError(problem, source=self.source, hint=_HINT)

    def doubt(self, key: str, value: object, expected: str) -> None:
        """Note an impossible value, which is not used."""
        self.notes.append(
            f"run.json: {self.name(key)} is {shown_value(value)}, where {expected} is "
            "expected; it is not used"
        )

    def version(self) -> str | None:
        keras = self.inner("keras")
        version = keras.get("version", str)
        package = keras.get("package", str) or "keras"
        if version is None:
            return None
        if re.fullmatch(_VERSION, version) is None or package not in _PACKAGES:
            self.doubt("keras", f"{package} {version}", "a version of Keras")
            return None
        return f"{package}-{version}"

    def number(self, key: str) -> float | None:
        """Return a rate or a duration: finite, not negative, within float32."""
        value = self.held.get(key)
        if value is None or (_is_number(value) and 0 <= value <= _LARGEST_FLOAT32):
            return None if value is None else float(value)
        if not _is_number(value):
            self.fail(key, value, "a number")
        self.doubt(key, value, "a number from 0 on")
        return None

    def whole(self, key: str, *, least: int, decides: bool = True) -> int | None:
        """Return a count; any value is accepted where it decides nothing."""
        value = self.held.get(key)
        if value is None or (_is_number(value) and _is_whole(value, least)):
            return None if value is None else int(value)
        if decides and not _is_number(value):
            self.fail(key, value, "int")
        self.doubt(key, value, f"a whole number from {least} on")
        return None

    def listed(self, key: str, of: str, most: int) -> list[Any]:
        """Return a list; an empty one for one longer than any that is meant."""
        values = self.get(key, list) or []
        if len(values) <= most:
            return values
        self.notes.append(
            f"run.json: {self.name(key)} is a list of {len(values):,} {of}, where at "
            f"most {most:,} are read; it is not used"
        )
        return []

    def callbacks(self) -> tuple[str, ...]:
        texts = self.listed("callbacks", "callbacks", _MOST_CALLBACKS)
        for text in texts:
            if not isinstance(text, str):
                self.fail("callbacks", text, "text")
        return tuple(texts)

    def directions(self) -> Mapping[str, Literal["min", "max"]]:
        metrics = self.inner("metrics")
        for name, mode in metrics.held.items():
            # Keras's Mean and Sum have no direction: null says so
            if mode not in ("min", "max", None):
                metrics.fail(name, mode, "'min' or 'max'")
        return {name: mode for name, mode in metrics.held.items() if mode is not None}

    def fit(self) -> Fit:
        fit = self.inner("fit")
        frequency: int | list[int] | None
        if isinstance(fit.held.get("validation_freq"), list):
            frequency = fit.frequencies()
        else:
            frequency = fit.whole("validation_freq", least=1)
        initial = fit.whole("initial_epoch", least=0)
        return Fit(
            epochs=fit.whole("epochs", least=1),
            initial_epoch=initial or 0,
            validation_freq=frequency,
            batch_size=fit.whole("batch_size", least=1, decides=False),
            steps=fit.whole("steps", least=1, decides=False),
        )

    def frequencies(self) -> list[int] | None:
        """Return the epochs, counted from 1, after which ``fit`` validated."""
        key = "validation_freq"
        values = self.held[key]
        if not all(isinstance(epoch, (int, float)) for epoch in values):
            self.fail(key, values, "epoch numbers")
        if values and all(_is_number(own) and _is_whole(own, 1) for own in values):
            return [int(epoch) for epoch in values]
        self.doubt(key, values, "epoch numbers from 1 on")
        return None

    def ended(self) -> Ended | None:
        if self.get("ended", dict) is None:
            return None
        ended = self.inner("ended")
        return Ended(by=ended.get("by", str) or "", epoch=ended.whole("epoch", least=0))

    def earlier_fits(self) -> tuple[EarlierFit, ...]:
        key = "earlier_fits"
        fits = self.listed(key, "fits", _MOST_FITS)
        for fit in fits:
            if not isinstance(fit, dict):
                self.fail(key, fit, "an object")
        return tuple(
            _Fields(fit, self.source, f"{key}[{at}]", self.notes).earlier_fit()
            for at, fit in enumerate(fits)
        )

    def earlier_fit(self) -> EarlierFit:
        """Return this object as a fit that was resumed: killed, if its end is null."""
        ended = self.ended()
        if ended is None and "ended" in self.held:
            ended = Ended("unknown")
        return EarlierFit(self.fit(), self.callbacks(), ended)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: float, least: int) -> bool:
    return least <= value <= _MOST_EPOCHS and value == int(value)


_VERSION = r"(?a)[0-9]{1,4}[.][0-9]{1,4}([.]\w{1,40}){0,4}"
_PACKAGES = ("keras", "tf_keras")
_LARGEST_FLOAT32 = 2.0**128 - 2.0**104
_MOST_EPOCHS = 2**31 - 1
# a run.json that lists more lists something else
_MOST_CALLBACKS, _MOST_FITS = 250, 1_000
