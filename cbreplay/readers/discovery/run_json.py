"""How the text of a ``run.json`` is read, and what of it is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from cbreplay.errors import LogError
from cbreplay.plain_text import shown_value, well_formed
from cbreplay.run_metadata import RUN_SCHEMA, EarlierFit, Ended, Fit, RunMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parse_run_metadata"]

_T = TypeVar("_T")


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
    return _Fields(raw, source).metadata()


_HINT = "Correct or remove the file; a run directory may be without it"
_DEEPEST = 100
# no count of epochs, and no seed, is longer
_MOST_DIGITS = 20


def _too_deep(source: str) -> LogError:
    return LogError(f"it is nested over {_DEEPEST} deep", source=source, hint=_HINT)


# a lone surrogate as JSON writes it
_HALF = r"\\u[dD][89a-fA-F]"


def _well_formed(raw: Any) -> Any:  # noqa: ANN401 - any JSON
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
    """Typed look-ups in a ``run.json``; each names the key that is wrong."""

    def __init__(self, raw: dict[str, Any], source: str) -> None:
        self.raw, self.source = raw, source
        self.notes: list[str] = []

    def metadata(self) -> RunMetadata:
        schema = self.get(self.raw, "schema", int, "schema")
        if schema is not None and schema > RUN_SCHEMA:
            problem = f"schema {schema} was written by a newer cbreplay"
            raise LogError(problem, source=self.source, hint="Update cbreplay")
        keras = self.get(self.raw, "keras", dict, "keras") or {}
        optimizer = self.get(self.raw, "optimizer", dict, "optimizer") or {}
        return RunMetadata(
            keras_version=self.version(keras),
            backend=self.get(keras, "backend", str, "keras.backend"),
            fit=self.fit(self.raw, "fit"),
            callbacks=self.callbacks(self.raw, "callbacks"),
            metrics=self.directions(),
            initial_learning_rate=self.number(
                optimizer, "initial_learning_rate", "optimizer.initial_learning_rate"
            ),
            schedule=self.schedule(optimizer),
            wall_seconds=self.number(self.raw, "wall_seconds", "wall_seconds"),
            ended=self.ended(self.raw, "ended"),
            earlier_fits=self.earlier_fits(),
            rate_trained_at=self.raw.get("learning_rate_column") == "trained-at",
            notes=tuple(self.notes),
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

    def fail(self, name: str, value: object, expected: str) -> NoReturn:
        shown = shown_value(value)
        problem = f"{shown_value(name)} is {shown}, where {expected} is expected"
        raise LogError(problem, source=self.source, hint=_HINT)

    def doubt(self, name: str, value: object, expected: str) -> None:
        """Note an impossible value, which is not used."""
        shown = shown_value(value)
        self.notes.append(
            f"run.json: {name} is {shown}, where {expected} is expected; it is not used"
        )

    def version(self, keras: Mapping[str, Any]) -> str | None:
        version = self.get(keras, "version", str, "keras.version")
        package = self.get(keras, "package", str, "keras.package") or "keras"
        if version is None:
            return None
        if re.fullmatch(_VERSION, version) is None or package not in _PACKAGES:
            self.doubt("keras", f"{package} {version}", "a version of Keras")
            return None
        return f"{package}-{version}"

    def number(self, holder: Mapping[str, Any], key: str, name: str) -> float | None:
        """Return a rate or a duration: finite, not negative, within float32."""
        value = holder.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(name, value, "a number")
        if 0 <= value <= _LARGEST_FLOAT32:
            return float(value)
        self.doubt(name, value, "a number from 0 on")
        return None

    def whole(
        self, holder: Mapping[str, Any], key: str, name: str, *, least: int
    ) -> int | None:
        value = holder.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(name, value, "int")
        if least <= value <= _MOST_EPOCHS and value == int(value):
            return int(value)
        self.doubt(name, value, f"a whole number from {least} on")
        return None

    def told(self, holder: Mapping[str, Any], key: str, name: str) -> int | None:
        """Return a number that decides nothing, so that any value is accepted."""
        value = holder.get(key)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if value is None or is_number:
            return self.whole(holder, key, name, least=1)
        self.doubt(name, value, "a whole number from 1 on")
        return None

    def schedule(self, optimizer: Mapping[str, Any]) -> str | None:
        value = optimizer.get("schedule")
        return None if value is None else str(value)

    def texts(self, holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
        values = self.get(holder, key, list, key) or []
        for value in values:
            if not isinstance(value, str):
                self.fail(key, value, "text")
        return tuple(values)

    def callbacks(self, holder: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """Return a callbacks list; none longer than any that a fit gets."""
        texts = self.texts(holder, "callbacks")
        if len(texts) > _MOST_CALLBACKS:
            what = f"a list of {len(texts):,} callbacks"
            self.notes.append(
                f"run.json: {name} is {what}, where at most {_MOST_CALLBACKS} are "
                "read; it is not used"
            )
            return ()
        return texts

    def directions(self) -> Mapping[str, Literal["min", "max"]]:
        metrics = self.get(self.raw, "metrics", dict, "metrics") or {}
        for name, mode in metrics.items():
            # Keras's Mean and Sum have no direction: null says so
            if mode not in ("min", "max", None):
                self.fail(f"metrics.{name}", mode, "'min' or 'max'")
        return {name: mode for name, mode in metrics.items() if mode is not None}

    def fit(self, holder: Mapping[str, Any], name: str) -> Fit:
        fit = self.get(holder, "fit", dict, name) or {}
        frequency: int | list[int] | None
        if isinstance(fit.get("validation_freq"), list):
            frequency = self.frequencies(fit["validation_freq"], name)
        else:
            place = f"{name}.validation_freq"
            frequency = self.whole(fit, "validation_freq", place, least=1)
        initial = self.whole(fit, "initial_epoch", f"{name}.initial_epoch", least=0)
        return Fit(
            epochs=self.whole(fit, "epochs", f"{name}.epochs", least=1),
            initial_epoch=initial or 0,
            validation_freq=frequency,
            batch_size=self.told(fit, "batch_size", f"{name}.batch_size"),
            steps=self.told(fit, "steps", f"{name}.steps"),
        )

    def frequencies(self, values: list[Any], name: str) -> list[int] | None:
        """Return the epochs, counted from 1, after which ``fit`` validated."""
        place = f"{name}.validation_freq"
        if not all(isinstance(epoch, (int, float)) for epoch in values):
            self.fail(place, values, "epoch numbers")
        if values and all(
            epoch is not True and 1 <= epoch <= _MOST_EPOCHS and epoch == int(epoch)
            for epoch in values
        ):
            return [int(epoch) for epoch in values]
        self.doubt(place, values, "epoch numbers from 1 on")
        return None

    def ended(self, holder: Mapping[str, Any], name: str) -> Ended | None:
        ended = self.get(holder, "ended", dict, name)
        if ended is None:
            return None
        return Ended(
            by=self.get(ended, "by", str, f"{name}.by") or "",
            epoch=self.whole(ended, "epoch", f"{name}.epoch", least=0),
        )

    def _end_of_resumed(self, fit: Mapping[str, Any], name: str) -> Ended | None:
        """Return how a fit ended that was resumed: killed, if its end stayed null."""
        ended = self.ended(fit, name)
        killed = ended is None and "ended" in fit and fit["ended"] is None
        return Ended("unknown") if killed else ended

    def earlier_fits(self) -> tuple[EarlierFit, ...]:
        fits = self.get(self.raw, "earlier_fits", list, "earlier_fits") or []
        if len(fits) > _MOST_FITS:
            self.notes.append(
                f"run.json: earlier_fits is a list of {len(fits):,} fits, where at "
                f"most {_MOST_FITS:,} are read; it is not used"
            )
            return ()
        for fit in fits:
            if not isinstance(fit, dict):
                self.fail("earlier_fits", fit, "an object")
        return tuple(
            EarlierFit(
                fit=self.fit(fit, f"earlier_fits[{position}].fit"),
                callbacks=self.callbacks(fit, f"earlier_fits[{position}].callbacks"),
                ended=self._end_of_resumed(fit, f"earlier_fits[{position}].ended"),
            )
            for position, fit in enumerate(fits)
        )


_VERSION = r"(?a)[0-9]{1,4}[.][0-9]{1,4}([.]\w{1,40}){0,4}"
_PACKAGES = ("keras", "tf_keras")
_LARGEST_FLOAT32 = 2.0**128 - 2.0**104
_MOST_EPOCHS = 2**31 - 1
# a run.json that lists more lists something else
_MOST_CALLBACKS, _MOST_FITS = 250, 1_000
