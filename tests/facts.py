"""What a sentence of an answer tells as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.document import Fact

if TYPE_CHECKING:
    from cbreplay.document import Text

__all__ = ["facts_of"]


def facts_of(text: Text) -> dict[str, Any]:
    """Return the named values of a sentence."""
    return {
        part.name: part.value
        for part in text.parts
        if isinstance(part, Fact) and part.name
    }
