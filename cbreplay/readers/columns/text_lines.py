"""The lines of a text, decoded while it is read."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.columns.header import NO_TEXT, NO_TEXT_HINT, encoding_of
from cbreplay.readers.sizes import check_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.base import Damage

__all__ = ["NotUtf8Error", "TextLines", "tells_fit"]

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
            if decoder is not None:
                self._check_rest(decoder, encoding, n_bytes)
        except LogError as error:
            self.damage.report(error)

    def _check_rest(
        self, decoder: codecs.IncrementalDecoder, encoding: str, n_bytes: int
    ) -> None:
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise self._undecodable(encoding, n_bytes - held) from None

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
