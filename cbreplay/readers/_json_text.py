"""JSON, whole or one object on each line, with every failure a sentence."""

from __future__ import annotations

from typing import Any

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers._csv_header import decode_beginning
from cbreplay.readers.base import read_bytes

__all__ = ["read_json"]

_HINT = "Give the JSON as it was written"


def read_json(path: str) -> Any:  # noqa: ANN401 - JSON holds anything
    """Return what a JSON file holds; of JSON Lines, the list of the lines.

    Raises
    ------
    LogError
        If it is no JSON (`TruncatedLogError`: it breaks off).
    """
    return parse_json(read_bytes(path), path)


def parse_json(content: bytes, source: str) -> Any:  # noqa: ANN401 - as above
    """Return what JSON in memory holds."""
    import json

    text = decode_beginning(content).lstrip("\ufeff")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        if error.msg == "Extra data" and len(lines) > 1:
            return _parse_lines(lines, source)
        raise _no_json(error, text, source) from None
    except RecursionError:
        problem = "this JSON is nested too deeply for a log"
        raise LogError(problem, source=source, hint=_HINT) from None
    except ValueError as error:
        # a whole number of thousands of digits
        problem = f"this is not the JSON of a log ({error})"
        raise LogError(problem, source=source, hint=_HINT) from None


def _no_json(error: Any, text: str, source: str) -> LogError:  # noqa: ANN401
    at_end = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
    problem = f"the JSON breaks off here ({error.msg})" if at_end else error.msg
    kind = TruncatedLogError if at_end else LogError
    return kind(problem, source=source, line=error.lineno, hint=_HINT)


def _parse_lines(lines: list[str], source: str) -> list[Any]:
    import json

    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            last = number == len(lines)
            kind = TruncatedLogError if last else LogError
            problem = f"this line is not JSON ({error})"
            raise kind(problem, source=source, line=number, hint=_HINT) from None
    return found
