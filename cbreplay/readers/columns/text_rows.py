"""The rows of a CSV, without comments, titles, repeated headers, or a cut last row."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.columns.cells import are_dashes, are_words, is_quoted_row
from cbreplay.readers.columns.column_names import is_epoch_name, may_number_rows
from cbreplay.readers.columns.header import (
    COMMENT,
    SPACES,
    are_names_of_keras,
    check_header,
    check_table,
    conflict,
    cut_rows,
    find_header,
    first_lines,
    names_epoch,
    quoted_line,
    shown_names,
)
from cbreplay.readers.columns.numbered_names import are_numbered_anew, renamed_note
from cbreplay.readers.columns.text_lines import (
    TextLines,
    are_never_ended,
    is_complete,
    may_be_cut,
    tells_fit,
)
from cbreplay.readers.columns.written_again import OtherHeaderError
from cbreplay.wording.words import count, list_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = ["TextRows"]

_BATCH = 4096


class TextRows:
    """A CSV cut into cells, read once from the beginning to the end.

    `encoding` is ``"latin-1"`` for a text that was found not to be UTF-8. If it
    `may_change`, a later header with more or fewer of these names raises an
    `OtherHeaderError`.

    Attributes
    ----------
    header : list of str
        The column names.
    lines : TextLines
        Its lines, which know how they end and whether they are plain.
    first_rows : list of list of str
        The cells of the header and of some rows below it.
    notes : list of str
        The notes so far.
    repeated_header : set of int
        Positions of the rows before which the header is repeated.
    said_fits : dict of int to str
        By their line, comments and remarks that say that a fit begins.

    Raises
    ------
    LogError
        If it has no header.
    NotUtf8Error, OtherHeaderError
        If it is to be read again: as Latin-1, or from a later header on.
    """

    def __init__(
        self,
        chunks: Iterator[bytes],
        source: str,
        damage: Damage,
        encoding: str = "",
        *,
        may_change: bool = False,
    ) -> None:
        self.source, self.damage, self._may_change = source, damage, may_change
        self.notes: list[str] = []
        self.repeated_header: set[int] = set()
        self.lines = TextLines(chunks, source, damage, encoding)
        self._n_rows = self._n_beside = self._uncut_line = 0
        self._widths = Counter[int]()
        self._blank: list[int] = []
        self._remarks: list[int] = []
        self.said_fits: dict[int, str] = {}
        self._ends = False
        lines = iter(self.lines)
        first = first_lines(lines)
        self.header, self.delimiter, header_line = find_header(
            [line for line in first if line.strip()]
        )
        check_table(first, self.header, source)
        if not self.header and damage.errors:
            raise damage.errors[0]
        self._header_above, self._numbered = self.header, dict[str, list[str]]()
        self._header_at = first.index(header_line) + 1 if self.header else 0
        self.first_rows = cut_rows(first[self._header_at - 1 :], self.delimiter)
        check_header(self.header, source, self._header_at)
        self._note_title(first[: max(self._header_at - 1, 0)])
        if header_line.lstrip("\ufeff").startswith(COMMENT):
            self.notes.append("the column names were taken from a comment line")
        rows = self._without_comments(first, lines)
        if self.delimiter == SPACES:
            rows = (SPACES.join(line.split()) for line in rows)
        self._reader = csv.reader(rows, delimiter=self.delimiter, strict=True)

    def _note_title(self, above: Sequence[str]) -> None:
        """Say which lines above the column names were left out."""
        numbers = [
            str(number)
            for number, line in enumerate(above, start=1)
            if line.strip()
            and not line.lstrip("\ufeff").startswith(COMMENT)
            and not line.lstrip('\ufeff"').lower().startswith("sep=")
        ]
        if numbers:
            listed = ", ".join(numbers)
            self.notes.append(f"above the column names, left out: line {listed}")

    def _without_comments(
        self, first: Sequence[str], lines: Iterator[str]
    ) -> Iterator[str]:
        """Yield every line; comments and lines up to the header become blank."""
        n_comments = 0
        for number, line in enumerate(first, start=1):
            comment = number != self._header_at and line.startswith(COMMENT)
            n_comments += comment
            if comment:
                self._note_fit(number, line)
            yield "" if comment or number <= self._header_at else line
        for number, line in enumerate(lines, start=len(first) + 1):
            if line[:1] == COMMENT:
                n_comments += 1
                self._note_fit(number, line)
                yield ""
            else:
                yield line
        if n_comments:
            lines_were = "line was" if n_comments == 1 else "lines were"
            self.notes.append(f"{n_comments} comment {lines_were} left out")

    def _note_fit(self, number: int, line: str) -> None:
        if tells_fit(line):
            self.said_fits[number] = line.strip()

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
            said = count(self._n_beside, "row")
            self.notes.append(f"text beside the columns was left out in {said}")
        if self._remarks:
            listed = list_first([*map(str, self._remarks)], _SHOWN_LINES)
            self.notes.append(f"lines of text were left out: line {listed}")
        if self._numbered:
            self.notes.append(renamed_note(self._numbered))

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
        is_cut = "unexpected end" in str(error)
        if is_cut and first == last:
            self.notes.append(f"{_no_line_end(first)}, {_BEING_WRITTEN}")
            return
        kind = TruncatedLogError if is_cut else LogError
        until = f"the row from here to line {last}" if last > first else "this row"
        problem = f"{until} cannot be cut into cells ({error})"
        found = kind(problem, source=self.source, line=first, hint=SKIP_HINT)
        self.damage.report(found)

    def _sifted(
        self, rows: list[list[str]], lines: list[int]
    ) -> tuple[list[list[str]], list[int]]:
        """Return the rows of the table, and their lines, without anything else."""
        width = len(self.header)
        # the header itself was handed to csv as a blank line, and so were comments
        if not all(rows):
            said = [(row, line) for row, line in zip(rows, lines, strict=True) if row]
            rows, lines = [row for row, _ in said], [line for _, line in said]
        # behind the index of pandas, which numbers everything
        tells = int(self.header[0] == "" and width > 1)
        plain = not self._blank
        if plain and all(
            len(row) == width and row[tells][:1] in _NUMBER_BEGINS for row in rows
        ):
            self._n_rows += len(rows)
            return rows, lines
        self._widths = Counter(map(len, rows))
        kept, places = [], []
        for row, line in zip(rows, lines, strict=True):
            cells = self._read_row([cell.strip() for cell in row], line)
            if cells is not None:
                blank = self._take_blank(cells)
                kept += [*([""] * width for _ in blank), cells]
                places += [*blank, line]
                self._n_rows += len(blank) + 1
            if self._ends:
                break
        return kept, places

    def _take_blank(self, below: list[str]) -> list[int]:
        """Return the lines of rows without any value that are epochs of their own.

        pandas writes an epoch of nothing but NaN so. Where a column numbers the rows,
        such a line says nothing; behind the last value it fills a sheet up, and below a
        header it stands apart.
        """
        blank, self._blank = self._blank, []
        begins = self._n_rows in {0, *self.repeated_header} if blank else True
        if begins or any(map(may_number_rows, self.header)) or are_words(below[:1]):
            return []
        return blank

    def _read_row(self, cells: list[str], line: int) -> list[str] | None:
        """Return the cells of a row; None if it is no row, or a damaged one."""
        if cells:
            cells[0] = cells[0].lstrip("\ufeff").strip()
        if not any(cells) or are_dashes(cells):
            if len(cells) == len(self.header) and not any(cells):
                self._blank.append(line)
            return None
        if self._is_header(cells) or self._breaks_off_in_header(cells, line):
            self._blank.clear()
            self.repeated_header.add(self._n_rows)
            return None
        width = len(self.header)
        first = self._n_rows == 0 and len(cells) == width
        if names_epoch(cells) or (are_words(cells) and not first):
            self._read_text(cells, line)
            return None
        if len(cells) == width:
            return cells
        beside = cells[width:]
        # blank cells that no other row has are of a second row in this line
        alone = self._widths[len(cells)] == 1 < self._widths.total()
        if are_words(beside) or (beside and not any(beside) and not alone):
            self._n_beside += any(beside)
            return cells[:width]
        self.damage.report(_wrong_width(cells, self.header, self.source, line))
        return None

    def _is_header(self, cells: list[str]) -> bool:
        """Tell whether the header stands there once more, perhaps numbered by Keras."""
        # pandas numbers a header that it read as a row, too
        indexed = self.header[0] == "" and cells[0].isdecimal()
        if cells == self.header or (indexed and cells[1:] == self.header[1:]):
            return True
        if len(cells) != len(self.header) or not (
            are_numbered_anew(self.header, cells)
            or are_numbered_anew(self._header_above, cells)
        ):
            return False
        self._header_above = cells
        for name, other in zip(self.header, cells, strict=True):
            if other != name:
                self._numbered.setdefault(name, []).append(other)
        return True

    def _breaks_off_in_header(self, cells: list[str], line: int) -> bool:
        """Tell whether a row breaks off and a header follows in the same line."""
        width = len(self.header)
        found = (
            len(cells) >= width > 1
            and cells[1 - width :] == self.header[1:]
            and cells[-width].endswith(self.header[0])
        )
        if found:
            problem = "a row breaks off, and the header stands behind it"
            self.damage.report(
                LogError(problem, source=self.source, line=line, hint=SKIP_HINT)
            )
        return found

    def _read_text(self, cells: list[str], line: int) -> None:
        """Skip a remark; at another header, report it and end the table."""
        n_said = sum(bool(cell) for cell in cells)
        if cells[0].startswith("<<<<<<<"):
            raise conflict(self.source, line)
        if len(cells) == 1 and is_quoted_row(cells[0], self.delimiter):
            self.damage.report(quoted_line(cells[0], self.source, line))
            return
        if n_said == 1 and cells[0].lower() != "epoch":
            self._remarks.append(line)
            self._note_fit(line, next(filter(None, cells)))
            return
        problem = f"from here on another header holds: {shown_names(cells)}"
        hint = "Cut the file in two there, or keep the part above with "
        hint += "--errors skip or errors='skip'"
        error = LogError(problem, source=self.source, line=line, hint=hint)
        named = "epoch" in [cell.lower() for cell in cells]
        is_empty = named and not self._n_rows and not self.damage.errors
        own, other = set(self.header), set(cells)
        same = len(own & other)
        nested = same > 1 and same == min(len(own), len(other))
        if self._may_change and (is_empty or nested):
            raise OtherHeaderError(line, is_empty=is_empty)
        self.damage.report(error)
        self._ends = True

    def _drop_cut_row(self, rows: list[list[str]], lines: list[int]) -> None:
        """Leave out a last row without a line end, unless it is seen to be whole.

        A training may be writing it. Keras ends every row, so in a file of its own
        such a row is cut, perhaps inside its last number. Another writer may leave the
        last line end out: there a row with all its cells is kept. Where its last number
        looks cut, other files tell whether the writer does that.
        """
        text = self.lines
        if text.ended or not rows or not any(rows[-1]):
            if text.half_ended and text.crlf:
                self.notes.append("the file breaks off inside its last line end")
            return
        if self._uncut_line == self._reader.line_num:
            return
        cells = [cell.strip() for cell in rows[-1]]
        complete = len(cells) == len(self.header) and is_complete(cells[-1])
        # the beginning of an epoch's number is another epoch
        complete = complete and not is_epoch_name(self.header[-1])
        complete = complete and not (text.crlf and are_names_of_keras(self.header))
        above = [row[-1].strip() for row in rows[:-1] if len(row) == len(cells)]
        row = _no_line_end(lines[-1])
        if complete and not may_be_cut(cells[-1], above):
            self.notes.append(f"{row}: it was kept, and may be cut in its last number")
            return
        if complete and are_never_ended(self.source, self.delimiter):
            self.notes.append(
                f"{row}, as in each file of this header there: it was kept"
            )
            return
        rows.pop()
        lines.pop()
        hint = "; if it is whole, put a line end behind it" if complete else ""
        self.notes.append(f"{row}, {_BEING_WRITTEN}{hint}")


def _no_line_end(line: int) -> str:
    return f"the last row (line {line}) has no line end"


_BEING_WRITTEN = "as if it were just being written: it was left out"
_SHOWN_LINES = 5
_NUMBER_BEGINS = frozenset("0123456789+-.")


def _wrong_width(
    row: Sequence[str], header: Sequence[str], source: str, line: int
) -> LogError:
    width = len(header)
    problem = f"{count(len(row), 'cell')} under {width} columns"
    if len(row) in (2 * width - 1, 2 * width):
        problem += ", as with decimal commas or two rows in one line"
    hint = SKIP_HINT
    if len(row) > 1 and names_epoch(header):
        hint += (
            " (a fit that CSVLogger appended with other metrics has no header of its "
            "own: put it into a file of its own, under its own header)"
        )
    return LogError(problem, source=source, line=line, hint=hint)
