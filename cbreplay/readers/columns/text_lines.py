"""The lines of a text, decoded while it is read, and whether the last one is whole."""

from __future__ import annotations

import codecs
import os
import re
from typing import TYPE_CHECKING

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.columns.cells import holds_number
from cbreplay.readers.columns.header import NO_TEXT, NO_TEXT_HINT, encoding_of
from cbreplay.readers.sizes import check_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = [
    "NotUtf8Error",
    "TextLines",
    "are_never_ended",
    "is_complete",
    "may_be_cut",
    "tells_fit",
]

# a longer line is no row of a log, and would have to be held in memory
_LONGEST_LINE = 1 << 24


class NotUtf8Error(Exception):
    """A text that is not UTF-8, and is to be read again as Latin-1.

    `byte` is the offset of the first byte that is not UTF-8.
    """

    def __init__(self, byte: int) -> None:
        super().__init__(byte)
        self.byte = byte


class TextLines:
    """The lines of a text, decoded while it is read.

    Attributes
    ----------
    plain : bool
        Whether no row so far holds a character that float() would misread.
    ended : bool
        Whether the last line has a line end.
    half_ended : bool
        Whether the text ends in the CR of a CRLF.
    crlf : bool
        Whether there is a CRLF.
    """

    def __init__(
        self, chunks: Iterator[bytes], source: str, damage: Damage, encoding: str
    ) -> None:
        self.source, self.damage = source, damage
        self.plain, self.ended, self.crlf = True, True, False
        self.half_ended = False
        self._texts = self._decoded(chunks, encoding)

    def _decoded(self, chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
        """Yield text up to the first damage, which is reported."""
        decoder = None
        n_bytes = 0
        try:
            for chunk in chunks:
                if decoder is None:
                    encoding = encoding or encoding_of(chunk)
                    decoder = codecs.getincrementaldecoder(encoding)()
                held = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    raise self._undecodable(
                        encoding, n_bytes - held + error.start
                    ) from None
                n_bytes += len(chunk)
                yield text
            held = 0 if decoder is None else len(decoder.getstate()[0])
            if held:
                # a character that breaks off
                raise self._undecodable(encoding, n_bytes - held)
        except LogError as error:
            self.damage.report(error)

    def _undecodable(self, encoding: str, byte: int) -> Exception:
        if "16" not in encoding:
            return NotUtf8Error(byte)
        problem = "the file starts as UTF-16 text and does not go on so"
        return TruncatedLogError(problem, source=self.source, hint=NO_TEXT_HINT)

    def __iter__(self) -> Iterator[str]:
        """Cut at LF, CRLF and the CR CR LF of Windows; at CR only without any LF."""
        rest, end, n_lines = "", "", 0
        for text in self._texts:
            if not end:
                end = "\r" if "\n" not in text and "\r" in text else "\n"
                self._check_first(text)
                rows = text.partition(end)[2]
            else:
                rows = text
            self.plain = self.plain and "_" not in rows and rows.isascii()
            joined = rest + text
            self.crlf = self.crlf or "\r\n" in joined
            lines = joined.split(end)
            rest = lines.pop()
            n_lines += len(lines)
            check_rows(n_lines, self.source, self.damage.max_bytes)
            if len(rest) > _LONGEST_LINE:
                problem = "a line is longer than any row of a log"
                raise LogError(problem, source=self.source, hint=NO_TEXT_HINT)
            for line in lines:
                yield line.rstrip("\r")
        if rest.strip():
            self.half_ended = rest.rstrip(" \t").endswith("\r")
            self.ended = self.half_ended
            yield rest.rstrip("\r")

    def _check_first(self, text: str) -> None:
        found = NO_TEXT.intersection(text.lstrip().partition("\n")[0])
        if found:
            problem = f"this is not text (the control character {min(found)!r})"
            raise LogError(problem, source=self.source, hint=NO_TEXT_HINT)


_FIT = (
    r"(?i)\bresum(?:e|ed|ing)\b|\brestart|\bcontinu(?:e|ed|ing)\b"
    r"|\bnew\b.*\b(?:run|fit|training|session|fine-?tuning)\b"
    r"|\b(?:from|load(?:ed|ing)?)\b.*\bcheckpoint\b"
)


def tells_fit(line: str) -> bool:
    """Tell whether a line of text says that a fit begins, or goes on.

    >>> tells_fit("--- New fine-tuning run ---"), tells_fit("# resumed at epoch 12")
    (True, True)
    >>> tells_fit("saved the best checkpoint")
    False
    """
    return re.search(_FIT, line) is not None


# files of a directory that are looked at, and how much of each
_MOST_FILES, _MOST_BYTES = 200, 1 << 20


def is_complete(cell: str) -> bool:
    """Tell whether a cell at the end of a file holds what a whole one would hold."""
    return (
        cell in ("NA", "nan", "inf", "-inf") or cell.endswith("]") or holds_number(cell)
    )


def may_be_cut(cell: str, above: Sequence[str]) -> bool:
    """Tell whether a last number may lack digits, by the numbers above it.

    It may if all of them have more signs, if it is how one of them begins, or if its
    exponent may be lacking. A round number is whole where another above is round, and a
    share may end at 1.0.

    >>> may_be_cut("0.4", ["0.4321", "0.4287"]), may_be_cut("1.0", ["0.98", "0.99"])
    (True, False)
    >>> may_be_cut("0.43", ["0.5", "0.4321"]), may_be_cut("3.3", ["12.5", "4.1e-05"])
    (True, True)
    >>> may_be_cut("0.0", ["0.1127", "0.1044"]), may_be_cut("0.", ["1.0416"])
    (True, True)
    """
    is_shortest = bool(above) and len(cell) < min(map(len, above))
    is_share = cell == "1.0" and all(own.startswith("0.") for own in above)
    is_round = is_share or any(own.endswith(".0") for own in above)
    exponents = any(re.search(r"\d[eE]", own) for own in (cell, *above))
    return (
        (is_shortest and not (is_round and cell.endswith(".0")))
        or any(own.startswith(cell) and own != cell for own in above)
        or (exponents and re.fullmatch(_UP_TO_EXPONENT, cell) is not None)
    )


# as `1.5` and `1.5e-0` are of `1.5e-05`
_UP_TO_EXPONENT = r"[+-]?[1-9](\.\d+)?([eE][+-]?\d?)?"


def are_never_ended(source: str, delimiter: str) -> bool:
    """Tell whether the files beside one, with the same header, end like it.

    A writer that leaves out the last line end does so in each. A training that is being
    written lies beside others that have ended, or are cut inside other cells.
    """
    place, name = os.path.split(source)
    header = _rows_of(source)[:1]
    ending = os.path.splitext(name)[1]
    try:
        others = [
            entry.path
            for entry in os.scandir(place or os.curdir)
            if entry.name.endswith(ending) and entry.name != name and entry.is_file()
        ]
    except OSError:
        return False
    tables = [_rows_of(path) for path in sorted(others)[:_MOST_FILES]]
    alike = [rows for rows in tables if header and rows[:1] == header]
    return bool(alike) and all(_is_unended(rows, delimiter) for rows in alike)


def _rows_of(path: str) -> list[str]:
    """Return the lines of a small file, the last of them empty if it has a line end."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_MOST_BYTES)
    except (OSError, ValueError):
        return []
    return [] if len(text) == _MOST_BYTES else text.split("\n")


def _is_unended(rows: Sequence[str], delimiter: str) -> bool:
    """Tell whether a table ends with a whole row that has no line end."""
    cells = [[cell.strip() for cell in row.split(delimiter)] for row in rows if row]
    last = cells[-1]
    above = [row[-1] for row in cells[1:-1]]
    return (
        rows[-1] != ""
        and len(cells) > 1
        and len(last) == len(cells[0])
        and is_complete(last[-1])
        and not may_be_cut(last[-1], above)
    )
