"""A document as JSON, as ``schemas/answer.schema.json`` has it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cbreplay import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.document import Document

__all__ = ["write_json"]


def write_json(document: Document, notes: Sequence[str] = ()) -> str:
    """Return the answer as JSON.

    Parameters
    ----------
    document : Document
        The answer.
    notes : sequence of str
        What concerns the whole answer and is no part of it: where a default came from.
    """
    members = dict(document.program())
    answer = {
        "schema": 1,
        "command": document.question,
        "cbreplay": __version__,
        **members,
        "notes": [*notes, *members.get("notes", ())],
    }
    return json.dumps(finite(answer), indent=2, allow_nan=False)


def finite(value: Any) -> Any:  # noqa: ANN401 - any value that JSON can hold
    """Return a value with the numbers that JSON cannot hold as text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, Mapping):
        return {str(key): finite(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [finite(held) for held in value]
    return value
