"""The text of a CSV: its encoding, delimiter, header, rows, and where it breaks off."""

from __future__ import annotations

import codecs
import csv
import re
from typing import TYPE_CHECKING

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = [
    "CsvText",
    "NotUtf8Error",
    "decode_beginning",
    "holds_number",
    "parse_cell",
    "shown_names",
    "sniff_header",
]

_DELIMITERS = ",;\t|"
_MISSING = ("", "NA")
_COMMENT = "#"
# rows that are looked at to choose between delimiters that are in the header
_SNIFFED_ROWS = 20
_BATCH = 4096
# a line beyond it is no row of a log, and would have to be held as a whole
_LONGEST_LINE = 1 << 24
# control characters that stand in no text
_NO_TEXT = frozenset(map(chr, range(32))) - frozenset("\t\n\v\f\r\x1b")
_NO_TEXT_HINT = "Give the CSV that Keras's CSVLogger wrote"


class NotUtf8Error(Exception):
    """A text that is to be read again, as Latin-1.

    Parameters
    ----------
    byte : int
        Where it is not UTF-8.
    """

    def __init__(self, byte: int) -> None:
        super().__init__(byte)
        self.byte = byte


def parse_cell(cell: str) -> float | None:
    """Return the number in a cell, or None for an empty one or ``NA``.

    Raises
    ------
    ValueError
        If the cell holds something else.

    Examples
    --------
    >>> parse_cell("0.009999999776482582"), parse_cell("NA")
    (0.009999999776482582, None)
    """
    cell = cell.strip()
    if cell in _MISSING:
        return None
    # Python's float() also takes 1_0 and the digits of other scripts
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    return float(cell)


def holds_number(cell: str) -> bool:
    """Tell whether a cell holds a number.

    >>> [holds_number(cell) for cell in ("0.5", "NA", "loss")]
    [True, False, False]
    """
    try:
        return parse_cell(cell) is not None
    except ValueError:
        return False


def shown_names(names: Sequence[str]) -> str:
    """Write column names for an error, in a line of bearable length."""
    shown = ", ".join(name[:_SHOWN_LETTERS] for name in names[:_SHOWN_NAMES])
    return shown + (", ..." if len(names) > _SHOWN_NAMES else "")


_SHOWN_NAMES, _SHOWN_LETTERS = 12, 40


def _encoding(beginning: bytes) -> str:
    """Choose the encoding by a byte order mark, or by the zeros of UTF-16."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for letters, zeros, encoding in ((0, 1, "utf-16-le"), (1, 0, "utf-16-be")):
        plain = b"".join(beginning[letters:32:2].split()).decode("latin-1")
        if (
            set(beginning[zeros:32:2]) == {0}
            and plain.isprintable()
            and plain.isascii()
        ):
            return encoding
    return "utf-8-sig"


def decode_beginning(beginning: bytes) -> str:
    """Return the text that a file begins with; nothing if it is no text."""
    encoding = _encoding(beginning)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(beginning)
    except UnicodeDecodeError:
        text = "" if "16" in encoding else beginning.decode("latin-1")
    return "" if _NO_TEXT.intersection(text[:_LOOKED_AT]) else text


_LOOKED_AT = 1000


def sniff_header(text: str) -> tuple[list[str], str]:
    """Return the column names and the delimiter; no names if there is no text."""
    first = _first_lines(text.replace("\r", "\n").split("\n"))
    names, delimiter, _ = _find_header([line for line in first if line.strip()])
    return names, delimiter


def _first_lines(lines: Iterable[str]) -> list[str]:
    """Return the lines up to where the header and enough rows have been seen."""
    found: list[str] = []
    n_said = 0
    for line in lines:
        found.append(line)
        n_said += bool(line.strip()) and not line.startswith(_COMMENT)
        if n_said > _SNIFFED_ROWS:
            break
    return found


def _find_header(lines: Sequence[str]) -> tuple[list[str], str, str]:
    """Return the column names, the delimiter, and the line that they stand in.

    The delimiter is the one of ``, ; tab |`` that cuts the header and the most rows
    into equally many cells; of several, the one that makes the most cells. A comment
    is no header, unless only numbers follow: numpy.savetxt writes it so.
    """
    rows = [line for line in lines if not line.lstrip("\ufeff").startswith(_COMMENT)]
    if not rows:
        return [], ",", ""
    delimiter = _find_delimiter(rows)
    names = _cut(rows[0], delimiter)
    if all(holds_number(name) for name in names):
        above = [line for line in lines[: lines.index(rows[0])] if line not in rows]
        for line in reversed(above):
            marked = _cut(line.lstrip("\ufeff" + _COMMENT), delimiter)
            if len(marked) == len(names) and not any(map(holds_number, marked)):
                return marked, delimiter, line
    return names, delimiter, rows[0]


def _find_delimiter(lines: Sequence[str]) -> str:
    there = [delimiter for delimiter in _DELIMITERS if delimiter in lines[0]]
    if len(there) <= 1:
        return there[0] if there else ","
    sample = lines[: _SNIFFED_ROWS + 1]

    def consistency(delimiter: str) -> tuple[int, int]:
        widths = [len(_cut(line, delimiter)) for line in sample]
        if widths[0] == 1:
            return 0, 0
        return sum(width == widths[0] for width in widths), widths[0]

    return max(there, key=consistency)


def _cut(line: str, delimiter: str) -> list[str]:
    """Cut one line into cells; a line that csv refuses is one cell."""
    line = line.strip("\r\n").lstrip("\ufeff")
    try:
        cells = next(csv.reader([line], delimiter=delimiter))
        return [cell.strip().lstrip("\ufeff").strip() for cell in cells]
    except (csv.Error, StopIteration):
        return [line]


class _Lines:
    """The lines of a text, decoded while it is read.

    Attributes
    ----------
    plain : bool
        Whether no row so far holds a letter that float() would take amiss.
    ended : bool
        Whether the last line has a line end.
    crlf : bool
        Whether there is a CRLF.
    last : str
        The last line that says something.
    """

    def __init__(
        self, chunks: Iterator[bytes], source: str, damage: Damage, encoding: str
    ) -> None:
        self.source, self.damage = source, damage
        self.plain, self.ended, self.crlf = True, True, False
        self.half_ended = False
        self.last = ""
        self._texts = self._decoded(chunks, encoding)

    def _decoded(self, chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
        """Yield text; what cannot be read ends it, and is damage."""
        decoder = None
        n_bytes = 0
        try:
            for chunk in chunks:
                if decoder is None:
                    encoding = encoding or _encoding(chunk)
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
        return TruncatedLogError(problem, source=self.source, hint=_NO_TEXT_HINT)

    def __iter__(self) -> Iterator[str]:
        """Cut at LF, CRLF and the CR CR LF of Windows; at CR only without any LF."""
        rest, end = "", ""
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
            if len(rest) > _LONGEST_LINE:
                problem = "a line is longer than any row of a log"
                raise LogError(problem, source=self.source, hint=_NO_TEXT_HINT)
            for line in lines:
                yield line.rstrip("\r")
        if rest.strip():
            self.half_ended = rest.rstrip(" \t").endswith("\r")
            self.ended = self.half_ended
            self.last = rest
            yield rest.rstrip("\r")

    def _check_first(self, text: str) -> None:
        found = _NO_TEXT.intersection(text.lstrip().partition("\n")[0])
        if found:
            problem = f"this is not text (the control character {min(found)!r})"
            raise LogError(problem, source=self.source, hint=_NO_TEXT_HINT)


class CsvText:
    """A CSV cut into cells, read once from the beginning to the end.

    Parameters
    ----------
    chunks : iterator of bytes
        The content of the file.
    source : str
        Its name, for errors.
    damage : Damage
        Where damaged rows are reported.
    encoding : str
        ``"latin-1"`` for a text that was found not to be UTF-8.

    Attributes
    ----------
    header : list of str
        The column names.
    notes : list of str
        What was odd about the text.
    repeated_header : set of int
        Positions of the rows before which the header stands once more.

    Raises
    ------
    LogError
        If it has no header.
    NotUtf8Error
        If it is to be read again, as Latin-1.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        source: str,
        damage: Damage,
        encoding: str = "",
    ) -> None:
        self.source, self.damage = source, damage
        self.notes: list[str] = []
        self.repeated_header: set[int] = set()
        self._lines = _Lines(chunks, source, damage, encoding)
        self._n_rows = self._n_beside = self._uncut_line = 0
        self._remarks: list[int] = []
        self._ends = False
        lines = iter(self._lines)
        first = _first_lines(lines)
        self.header, self.delimiter, header_line = _find_header(
            [line for line in first if line.strip()]
        )
        _check_header(self.header, source)
        self._header_at = first.index(header_line) + 1
        if header_line.lstrip("\ufeff").startswith(_COMMENT):
            self.notes.append("the column names were taken from a comment line")
        self._reader = csv.reader(
            self._without_comments(first, lines), delimiter=self.delimiter, strict=True
        )

    @property
    def plain(self) -> bool:
        """Whether no cell holds a letter that float() would take amiss."""
        return self._lines.plain

    def _without_comments(
        self, first: Sequence[str], lines: Iterator[str]
    ) -> Iterator[str]:
        """Yield every line, blank where it is a comment or stands above the header."""
        n_comments = 0
        for number, line in enumerate(first, start=1):
            comment = number != self._header_at and line.startswith(_COMMENT)
            n_comments += comment
            yield "" if comment or number <= self._header_at else line
        for line in lines:
            if line[:1] == _COMMENT:
                n_comments += 1
                yield ""
            else:
                yield line
        if n_comments:
            self.notes.append(f"{n_comments} comment lines were left out")

    def batches(self) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Yield rows as wide as the header, many at a time, and the line of each."""
        rows: list[list[str]] = []
        lines: list[int] = []
        for following in self._raw_batches():
            if rows:
                yield self._sifted(rows, lines)
            if self._ends:
                return
            rows, lines = following
        self._drop_cut_row(rows, lines)
        yield self._sifted(rows, lines)
        if self._n_beside:
            note = f"text beside the columns was left out in {self._n_beside} rows"
            self.notes.append(note)
        if self._remarks:
            listed = ", ".join(map(str, self._remarks[:_SHOWN_LINES]))
            more = ", ..." if len(self._remarks) > _SHOWN_LINES else ""
            self.notes.append(f"lines of text were left out: line {listed}{more}")

    def _raw_batches(self) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Yield rows many at a time; only the last batch holds the end of the file."""
        rows: list[list[str]] = []
        begins: list[int] = []
        line = 0
        while True:
            try:
                for row in self._reader:
                    if len(rows) == _BATCH:
                        yield rows, begins
                        rows, begins = [], []
                    rows.append(row)
                    begins.append(line + 1)
                    line = self._reader.line_num
            except csv.Error as error:
                self._report_uncut(error, line + 1, self._reader.line_num)
                line = self._uncut_line = self._reader.line_num
            else:
                yield rows, begins
                return

    def _report_uncut(self, error: csv.Error, first: int, last: int) -> None:
        kind = TruncatedLogError if "unexpected end" in str(error) else LogError
        until = f"the row from here to line {last}" if last > first else "this row"
        problem = f"{until} cannot be cut into cells ({error})"
        found = kind(problem, source=self.source, line=first, hint=SKIP_HINT)
        self.damage.report(found)

    def _sifted(
        self, rows: list[list[str]], lines: list[int]
    ) -> tuple[list[list[str]], list[int]]:
        """Leave out what is no row of the table."""
        width = len(self.header)
        # the header itself was handed to csv as a blank line
        while rows and not rows[0]:
            rows, lines = rows[1:], lines[1:]
        if all(len(row) == width and row[0][:1] in _NUMBER_BEGINS for row in rows):
            self._n_rows += len(rows)
            return rows, lines
        kept, places = [], []
        for row, line in zip(rows, lines, strict=True):
            cells = self._read_row([cell.strip() for cell in row], line)
            if cells is not None:
                kept.append(cells)
                places.append(line)
                self._n_rows += 1
            if self._ends:
                break
        return kept, places

    def _read_row(self, cells: list[str], line: int) -> list[str] | None:
        """Return the cells of a row; None if it is none, or damaged."""
        if cells:
            cells[0] = cells[0].lstrip("\ufeff").strip()
        if not any(cells):
            return None
        if cells == self.header:
            self.repeated_header.add(self._n_rows)
            return None
        width = len(self.header)
        names_epoch = "epoch" in [cell.lower() for cell in cells]
        first = self._n_rows == 0 and len(cells) == width
        if names_epoch or (_is_text(cells) and not first):
            self._read_text(cells, line)
            return None
        if len(cells) == width:
            return cells
        beside = cells[width:]
        if beside and all(not one or _is_text([one]) for one in beside):
            self._n_beside += any(beside)
            return cells[:width]
        self.damage.report(_wrong_width(cells, self.header, self.source, line))
        return None

    def _read_text(self, cells: list[str], line: int) -> None:
        """Pass by a remark; below another header the cells mean something else."""
        n_said = sum(bool(cell) for cell in cells)
        if n_said == 1 and cells[0].lower() != "epoch":
            self._remarks.append(line)
            return
        problem = f"from here on another header holds: {shown_names(cells)}"
        hint = "Cut the file in two there, or keep the part above with errors='skip' "
        hint += "or --errors skip"
        self.damage.report(LogError(problem, source=self.source, line=line, hint=hint))
        self._ends = True

    def _drop_cut_row(self, rows: list[list[str]], lines: list[int]) -> None:
        """Report and drop a last row that may be cut inside its last number.

        Keras ends every row with CRLF, so a CRLF file without it was cut. In a file
        with plain LF, written by hand, a row is kept if its last cell is seen to be
        whole.
        """
        text = self._lines
        if not text.ended and rows and any(rows[-1]):
            if self._uncut_line == self._reader.line_num:
                return
            cells = [cell.strip() for cell in rows[-1]]
            width = len(self.header)
            column = [row[-1].strip() for row in rows[:-1] if len(row) == width]
            closed = text.last.rstrip().endswith('"')
            whole = closed or _seen_whole(cells[-1] if cells else "", column)
            if len(cells) == width and not text.crlf and whole:
                note = f"the last row (line {lines[-1]}) has no line end; it was kept"
                self.notes.append(note)
                return
            rows.pop()
            problem = f"the file breaks off in this row of {width} columns"
            hint = "Give the whole file, end the row with a line end if it is whole, "
            hint += "or leave it out with --errors skip or errors='skip'"
            self.damage.report(
                TruncatedLogError(
                    problem, source=self.source, line=lines.pop(), hint=hint
                )
            )
        elif text.half_ended and text.crlf:
            self.notes.append("the file breaks off inside its last line end")


_SHOWN_LINES = 5
_NUMBER_BEGINS = frozenset("0123456789+-.")


def _is_text(cells: Sequence[str]) -> bool:
    """Tell whether cells hold words, and neither a number nor a missing one."""
    said = [cell for cell in cells if cell]
    return bool(said) and not any(
        one in _MISSING or one.startswith("[") or holds_number(one) for one in said
    )


def _seen_whole(cell: str, column: Sequence[str]) -> bool:
    """Tell whether a cell at the end of a file is seen not to be cut.

    A float32 in many digits is: fewer digits would be no float32. So is a number with
    as many decimals as all above it, if these are rounded: one ends in a zero, which
    Python does not write by itself.
    """
    if cell in ("NA", "nan", "inf", "-inf") or cell.endswith("]"):
        return True
    if not holds_number(cell):
        return False
    if len(cell.lstrip("+-0.")) > _DIGITS_OF_FLOAT32 and _is_float32(float(cell)):
        return True
    decimals = {len(one.partition(".")[2]) for one in (cell, *column)}
    rounded = any(one.endswith("0") for one in column)
    digits_only = all(re.fullmatch(_DECIMAL, one) for one in (cell, *column))
    return digits_only and rounded and len(decimals) == 1 and min(decimals) > 1


_DIGITS_OF_FLOAT32 = 10
_DECIMAL = r"-?[0-9]+\.[0-9]+"


def _is_float32(value: float) -> bool:
    import struct

    try:
        return bool(struct.unpack("f", struct.pack("f", value))[0] == value)
    except OverflowError:
        return False


def _check_header(header: Sequence[str], source: str) -> None:
    if not header:
        problem, hint = "the file holds only blank lines", "Give a log with an epoch"
        raise LogError(problem, source=source, hint=hint)
    if header[0].startswith(("{", "[")):
        problem, hint = "this is JSON, not a CSV", "Name it .json, or pass the dict"
        raise LogError(problem, source=source, line=1, hint=hint)
    if all(holds_number(name) for name in header):
        problem = f"the first line holds numbers, not column names: {header[:5]}"
        hint = "Put a header such as epoch,loss,val_loss above it"
        raise LogError(problem, source=source, line=1, hint=hint)
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        problem = f"two columns are named {repeated[0]!r}"
        raise LogError(problem, source=source, line=1, hint="Rename one of them")


def _wrong_width(
    row: Sequence[str], header: Sequence[str], source: str, line: int
) -> LogError:
    width = len(header)
    problem = f"{len(row)} cells under {width} columns"
    if len(row) == 2 * width - 1 or len(row) == 2 * width:
        problem += ", as with decimal commas or two rows in one line"
    hint = SKIP_HINT
    if len(row) > 1:
        hint += (
            " (a fit that CSVLogger appended with other metrics has no header of its "
            "own: put it into a file of its own, under its own header)"
        )
    return LogError(problem, source=source, line=line, hint=hint)
