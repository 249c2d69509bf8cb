"""Which numbers an answer says, and whether its data holds them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.document import Code, Fact, Notice, Paragraph, Points, Table, Text, Trend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.document import Document

__all__ = ["NUMBER", "AnswerData", "is_among", "sentences_of"]

# not inside of a name (run3), and not the first number of a version (3.15.1)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\d)")
# a threshold is the shortest number between two neighbouring float32
_THRESHOLD = 2.0**-22
# a version is a name; how many of a list are not named is told by the list
_NO_FIGURES = re.compile(r"\b(?:tf_)?[Kk]eras[ -][\d.]*\d|\band \d+ more\b")
# sentences, whose numbers cannot be their own proof
_SENTENCES = ("notes", "reasons", "reason", "message", "fix", "text")
# of these, data counts from 0 and people from 1
_FROM_ZERO = ("epoch", "horizon", "callback")


def is_among(token: str, values: Iterable[Any]) -> bool:
    """Return whether a written number is one of the values, to the digits written."""
    number = Decimal(token)
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    for value in values:
        if value is None or not math.isfinite(value):
            continue
        off = abs(Decimal(repr(float(value))) - number)
        # a comparison may be rounded half up or to even
        if off <= half or float(off) <= _THRESHOLD * abs(value):
            return True
    return False


def sentences_of(document: Document) -> Iterator[Text]:
    """Yield every sentence of a document, those in the cells of its tables too."""
    yield from (document.headline, document.lead)
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.text
            elif isinstance(block, (Points, Notice)):
                yield from block.points
            elif isinstance(block, Trend):
                yield block.caption
            elif isinstance(block, Table):
                cells = [cell for row in block.rows for cell in row.cells]
                yield from (cell for cell in cells if isinstance(cell, Text))


class AnswerData(NamedTuple):
    """The numbers in the data of an answer, which has them as JSON does.

    Parameters
    ----------
    known : set of float
        Every one, and the lengths of its lists; epochs as people count them too.
    named : dict of str to set of float
        The same by the names under which they stand.
    """

    known: set[float]
    named: dict[str, set[float]]

    @classmethod
    def of(cls, members: Any, *, more: Iterable[float] = ()) -> AnswerData:
        """Read the members of an answer, and what else its reader has given."""
        found = cls(set(more), {})
        found.add("", members)
        return found

    def add(self, name: str, held: Any) -> None:
        """Add what stands under a name."""
        if isinstance(held, bool) or held is None:
            return
        if isinstance(held, (int, float)):
            self.known.add(held)
            self.named.setdefault(name, set()).add(held)
            if name.endswith(_FROM_ZERO):
                self.known.add(held + 1)
        elif isinstance(held, str):
            # the code of a setting holds its parameters
            self.known.update(map(float, NUMBER.findall(held)))
        elif isinstance(held, Mapping):
            for key, part in held.items():
                if key not in _SENTENCES:
                    self.add(str(key), part)
        elif isinstance(held, Iterable):
            parts = list(held)
            self.known.add(len(parts))
            # how many runs there are is told by a list of runs
            self.named.setdefault(f"n_{name}", set()).add(len(parts))
            for part in parts:
                self.add(name, part)

    def unknown_in(self, text: Text) -> list[str]:
        """Return the numbers of a sentence that are none of these."""
        return [
            unknown
            for part in text.parts
            if not isinstance(part, Code)
            for unknown in self._unknown_of(part)
        ]

    def _unknown_of(self, part: Any) -> Iterator[str]:
        if isinstance(part, Fact):
            if isinstance(part.value, (int, float)) and math.isfinite(part.value):
                held = self.named.get(part.name, self.known)
                if part.value not in held:
                    yield f"{part.name}={part.value!r}"
            return
        words = _NO_FIGURES.sub("", part if isinstance(part, str) else part.text)
        for token in NUMBER.findall(words):
            # how much a number below 0 comes to is said without its sign
            if not is_among(token, (self.known | {abs(each) for each in self.known})):
                yield token
