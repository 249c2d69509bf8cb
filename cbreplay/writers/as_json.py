"""A document as JSON, as ``schemas/answer.schema.json`` has it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbreplay.version import __version__
from cbreplay.wording.plain_text import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.document import Document

__all__ = ["json_pieces"]


def json_pieces(document: Document, notes: Sequence[str] = ()) -> Iterator[str]:
    """Yield the answer as JSON, in pieces: a trace may have a hundred megabytes.

    Members that every answer has and that this one lacks are null or [].

    Parameters
    ----------
    document : Document
        The answer.
    notes : sequence of str
        Further notes, which come first: where a default came from.
    """
    answer = {
        "schema": 2,
        "command": document.question,
        "cbreplay": __version__,
        "epochs": "zero-based",
        "semantics": None,
        "objective": None,
        "runs": [],
        "configs": [],
        "results": [],
        "notes": [],
        **document.program(),
    }
    answer["notes"] = [*notes, *answer["notes"]]
    for piece in _pieces(answer, 0):
        # the log of a CI build obeys ##[...]; only strings can hold two number signs
        yield piece.replace("##", "#\\u0023")


def _pieces(value: Any, indent: int) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Write a value in lines; a list of numbers, a result or a small object in one."""
    if isinstance(value, Mapping) and not _is_short(value):
        gap = "{\n  " + " " * indent
        for key, held in value.items():
            yield f"{gap}{_line(str(key))}: "
            yield from _pieces(held, indent + 2)
            gap = ",\n  " + " " * indent
        yield "\n" + " " * indent + "}"
    elif isinstance(value, list | tuple) and any(map(_holds_something, value)):
        gap = "[\n  " + " " * indent
        is_lines = _are_results(value)
        for member in value:
            # in one piece each: there may be many
            yield gap + (_line(member) if is_lines else _text(member, indent + 2))
            gap = ",\n  " + " " * indent
        yield "\n" + " " * indent + "]"
    else:
        yield _line(value)


def _text(value: Any, indent: int) -> str:  # noqa: ANN401 - any JSON value
    return "".join(_pieces(value, indent))


def _line(value: Any) -> str:  # noqa: ANN401 - any JSON value
    try:
        line = _ENCODER.encode(value)
    except ValueError:
        line = _ENCODER.encode(_changed(value, _finite))
    if ":/" not in line:
        # no URL in it, as nearly always
        return line
    return _ENCODER.encode(_changed(_changed(value, _finite), _without_secrets))


# made once: an answer may have millions of small values
_ENCODER = json.JSONEncoder(allow_nan=False)


def _is_short(value: Mapping[str, Any]) -> bool:
    """Return whether an object is written in one line: few members, none nested."""
    return len(value) <= _FEW and not any(map(_holds_something, value.values()))


def _are_results(value: Sequence[Any]) -> bool:
    """Return whether these are results of runs and settings: one line each."""
    return isinstance(value[0], Mapping) and {"run", "config"} <= value[0].keys()


def _holds_something(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple) and len(value) > 0


_FEW = 3


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value with its numbers, texts and keys changed."""
    if isinstance(value, Mapping):
        return {change(str(key)): _changed(held, change) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(held, change) for held in value]
    return change(value)


def _finite(value: Any) -> Any:  # noqa: ANN401 - a number, a text, a flag or None
    """Return a text in place of NaN or an infinity; any other value as it is."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - a number, a text, a flag or None
    """Return a text without the secrets of URLs in it; any other value as it is."""
    return without_secrets(value) if isinstance(value, str) else value
