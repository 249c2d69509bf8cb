"""The text of a CSV: its encoding, delimiter, header, rows, and where it breaks off."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = [
    "CsvText",
    "decode_text",
    "parse_cell",
    "parse_text",
    "shown_names",
    "sniff_header",
]

_DELIMITERS = ",;\t|"
_MISSING = ("", "NA")
# rows that are looked at to choose between delimiters that are in the header
_SNIFFED_ROWS = 20


@dataclass(slots=True, eq=False, repr=False)
class CsvText:
    """The cells of a CSV, all rows as wide as the header.

    Parameters
    ----------
    header : list of str
        The column names.
    rows : list of list of str
        The cells of each row.
    lines : list of int
        The one-based line of each row.
    repeated_header : set of int
        Positions of the rows before which the header stands once more.
    notes : list of str
        What was odd about the text.
    """

    header: list[str]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    repeated_header: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


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


def decode_text(content: bytes, source: str) -> tuple[str, list[str]]:
    """Return the text of a file, with a note if its encoding had to be guessed.

    Raises
    ------
    LogError
        If it is not text.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16"), []
        except UnicodeDecodeError:
            problem = "the file starts as UTF-16 text and does not go on so"
            raise TruncatedLogError(
                problem, source=source, hint=_NO_TEXT_HINT
            ) from None
    if b"\0" in content:
        problem = f"this is not text (a zero byte at byte {content.index(0)})"
        raise LogError(problem, source=source, hint=_NO_TEXT_HINT)
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        return _decode_latin(content, error.start, source)


_NO_TEXT_HINT = "Give the CSV that Keras's CSVLogger wrote"


def _decode_latin(content: bytes, byte: int, source: str) -> tuple[str, list[str]]:
    text = content.decode("latin-1")
    header = text.lstrip().partition("\n")[0]
    if not header.rstrip().replace("\t", " ").isprintable():
        problem = "this is not text"
        raise LogError(problem, source=source, byte=byte, hint=_NO_TEXT_HINT)
    return text, [f"not UTF-8 at byte {byte}: the text was read as Latin-1"]


def sniff_header(text: str) -> tuple[list[str], str]:
    """Return the column names and the delimiter; no names if there is no text.

    The delimiter is the one of ``, ; tab |`` that cuts the header and the most rows
    into equally many cells; of several, the one that makes the most cells.
    """
    lines = [line for line in _lines(text) if line.strip()]
    sample = lines[: _SNIFFED_ROWS + 1]
    if not sample:
        return [], ","

    def consistency(delimiter: str) -> tuple[int, int]:
        widths = [len(_cut(line, delimiter)) for line in sample]
        if widths[0] == 1:
            return 0, 0
        return sum(width == widths[0] for width in widths), widths[0]

    delimiter = max(_DELIMITERS, key=consistency)
    return _cut(sample[0], delimiter), delimiter


def _cut(line: str, delimiter: str) -> list[str]:
    """Cut one line into cells; a line that csv refuses is one cell."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return [line]


def parse_text(text: str, source: str, damage: Damage) -> CsvText:
    """Cut a CSV into rows as wide as its header.

    Raises
    ------
    LogError
        If it has no header or no rows; when strict, also if a row has another width
        (`TruncatedLogError`: the last row breaks off).
    """
    header, delimiter = sniff_header(text)
    parsed = CsvText(header)
    _check_header(header, source)
    lines = _lines(text)
    for line, row in _rows(lines, delimiter, source, damage):
        if row == header:
            if line != _first_line(lines):
                parsed.repeated_header.add(len(parsed.rows))
        elif "epoch" in [cell.lower() for cell in row]:
            # below another header the cells mean something else
            problem = f"from here on another header holds: {shown_names(row)}"
            hint = (
                "Cut the file in two there, or keep the part above with errors='skip'"
            )
            hint += " or --errors skip"
            damage.report(LogError(problem, source=source, line=line, hint=hint))
            break
        elif len(row) != len(header) and line != len(lines):
            damage.report(_wrong_width(row, header, source, line))
        else:
            parsed.rows.append(row)
            parsed.lines.append(line)
    _check_end(text, parsed, len(lines), source, damage)
    if not parsed.rows:
        problem = f"there is no row under the header {shown_names(header)}"
        hint = "Give a log with at least one whole epoch"
        raise LogError(problem, source=source, hint=hint)
    return parsed


def shown_names(names: Sequence[str]) -> str:
    """Write column names for an error, in a line of bearable length."""
    shown = ", ".join(name[:_SHOWN_LETTERS] for name in names[:_SHOWN_NAMES])
    return shown + (", ..." if len(names) > _SHOWN_NAMES else "")


_SHOWN_NAMES, _SHOWN_LETTERS = 12, 40


def _lines(text: str) -> list[str]:
    """Cut at LF, CRLF and the CR CR LF of Windows; at CR only if there is no LF."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    if len(lines) == 1:
        lines = text.split("\r")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _first_line(lines: Sequence[str]) -> int:
    return next(i for i, line in enumerate(lines, start=1) if line.strip())


def _rows(
    lines: list[str], delimiter: str, source: str, damage: Damage
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with the line it begins in."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            hint = SKIP_HINT
            kind = TruncatedLogError if reader.line_num >= len(lines) else LogError
            problem = f"this row cannot be cut into cells ({error})"
            damage.report(kind(problem, source=source, line=line, hint=hint))
            continue
        if any(row) or len(row) > 1:
            yield line, row


def _check_header(header: Sequence[str], source: str) -> None:
    if not header:
        problem, hint = "the file holds only blank lines", "Give a log with an epoch"
        raise LogError(problem, source=source, hint=hint)
    if header[0].startswith(("{", "[")):
        problem, hint = "this is JSON, not a CSV", "Load it and pass load_runs the dict"
        raise LogError(problem, source=source, line=1, hint=hint)
    if all(_holds_number(name) for name in header):
        problem = f"the first line holds numbers, not column names: {header[:5]}"
        hint = "Put a header such as epoch,loss,val_loss above it"
        raise LogError(problem, source=source, line=1, hint=hint)
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        problem = f"two columns are named {repeated[0]!r}"
        raise LogError(problem, source=source, line=1, hint="Rename one of them")


def _holds_number(cell: str) -> bool:
    try:
        return parse_cell(cell) is not None
    except ValueError:
        return False


def _wrong_width(
    row: Sequence[str], header: Sequence[str], source: str, line: int
) -> LogError:
    problem = f"{len(row)} cells under {len(header)} columns"
    if len(row) == 2 * len(header) - 1:
        problem += ", as with decimal commas"
    return LogError(problem, source=source, line=line, hint=SKIP_HINT)


def _check_end(
    text: str, parsed: CsvText, last_line: int, source: str, damage: Damage
) -> None:
    """Judge a last row without a line end: it may be cut inside its last number.

    Keras ends every row with CRLF, so a CRLF file without it was cut. In a file with
    plain LF, written by hand, a missing last line end is ordinary.
    """
    if not parsed.rows or parsed.lines[-1] != last_line:
        return
    row, width = parsed.rows[-1], len(parsed.header)
    if text.rstrip(" \t").endswith(("\n", "\r")):
        if len(row) != width:
            _drop_last(parsed)
            damage.report(_wrong_width(row, parsed.header, source, last_line))
        return
    if len(row) == width and "\r\n" not in text and _ends_in_value(row[-1]):
        note = f"the last row (line {last_line}) has no line end; it was kept"
        parsed.notes.append(note)
        return
    problem = f"the file breaks off in this row of {width} columns"
    hint = "Give the whole file, or leave the row out with --errors skip or "
    hint += "errors='skip'"
    _drop_last(parsed)
    damage.report(TruncatedLogError(problem, source=source, line=last_line, hint=hint))


def _drop_last(parsed: CsvText) -> None:
    parsed.rows.pop()
    parsed.lines.pop()


def _ends_in_value(cell: str) -> bool:
    """Tell whether a cell cannot be seen to be cut."""
    return cell == "NA" or _holds_number(cell) or cell.endswith("]")
