"""The head of a CSV: encoding, delimiter, names; and what an empty cell is."""

from __future__ import annotations

import codecs
import re
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING

from cbreplay.errors import LogError
from cbreplay.readers.columns.cells import holds_number
from cbreplay.readers.columns.column_names import (
    FOLDS,
    KINDS,
    is_epoch_name,
    letters,
)
from cbreplay.wording.words import list_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "COMMENT",
    "NO_TEXT",
    "NO_TEXT_HINT",
    "SPACES",
    "are_names_of_keras",
    "are_sorted_by_keras",
    "check_header",
    "check_numbers",
    "check_table",
    "conflict",
    "cut_rows",
    "decode_beginning",
    "encoding_of",
    "find_header",
    "first_lines",
    "free_text",
    "names_epoch",
    "quoted_line",
    "shown_names",
    "sniff_header",
]

_DELIMITERS = ",;\t|"
# any number of spaces is one delimiter, if there is no other in the header
SPACES = " "
COMMENT = "#"
# how git marks what it could not merge
_CONFLICT = "<<<<<<< "
_PROGRESS = r"\s*Epoch [0-9]+/[0-9]+\s*"
# how many rows are looked at to choose a delimiter
_SNIFFED_ROWS = 20
# how many comments above the rows are kept, because one may hold the column names
_KEPT_COMMENTS = 1000
# control characters that stand in no text
NO_TEXT = frozenset(map(chr, range(32))) - frozenset("\t\n\v\f\r\x1b")
NO_TEXT_HINT = "Give the CSV that Keras's CSVLogger wrote"


def shown_names(names: Sequence[str]) -> str:
    """Write column names for an error, in a line of bearable length."""
    shown = [name[:_SHOWN_LETTERS] or "(nameless)" for name in names]
    return list_first(shown, _SHOWN_NAMES)


_SHOWN_NAMES, _SHOWN_LETTERS = 12, 40


def encoding_of(beginning: bytes) -> str:
    """Choose the encoding by a byte order mark, or by the zeros of UTF-16."""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for signs, zeros, encoding in ((0, 1, "utf-16-le"), (1, 0, "utf-16-be")):
        plain = b"".join(beginning[signs:32:2].split()).decode("latin-1")
        if (
            set(beginning[zeros:32:2]) == {0}
            and plain.isprintable()
            and plain.isascii()
        ):
            return encoding
    return "utf-8-sig"


def decode_beginning(beginning: bytes) -> str:
    """Return the text that a file begins with; nothing if it is no text."""
    encoding = encoding_of(beginning)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(beginning)
    except UnicodeDecodeError:
        text = "" if "16" in encoding else beginning.decode("latin-1")
    return "" if NO_TEXT.intersection(text[:_LOOKED_AT]) else text


_LOOKED_AT = 1000


def sniff_header(text: str) -> list[list[str]]:
    """Return the cells of the column names and of some rows below; empty if no text."""
    first = first_lines(text.replace("\r", "\n").split("\n"))
    said = [line for line in first if line.strip()]
    names, delimiter, header_line = find_header(said)
    if not names:
        return []
    below = said[said.index(header_line) + 1 :]
    return [names, *cut_rows(below, delimiter)]


def first_lines(lines: Iterable[str]) -> list[str]:
    """Return the first lines, until the header and enough rows have been seen.

    Of thousands of comments only the last are returned whole.
    """
    found: list[str] = []
    n_said = 0
    comments: deque[int] = deque()
    for line in lines:
        found.append(line)
        if line.startswith(COMMENT):
            comments.append(len(found) - 1)
            if len(comments) > _KEPT_COMMENTS:
                found[comments.popleft()] = COMMENT
        else:
            n_said += bool(line.strip())
        if n_said > _SNIFFED_ROWS:
            break
    return _with_one_header(found)


def _with_one_header(lines: list[str]) -> list[str]:
    """Write the names of columns with levels, as pandas has them, in one line.

    >>> _with_one_header([",loss,loss", ",train,val", "epoch,,", "0,0.5,0.75"])
    ['', '', 'epoch,loss/train,loss/val', '0,0.5,0.75']
    """
    said = [at for at, line in enumerate(lines) if _says_something(line)]
    delimiter = _find_delimiter([lines[at] for at in said]) if said else ","
    levels: list[list[str]] = []
    for at in said[:_MOST_LEVELS]:
        cells = _cut(lines[at], delimiter)
        if any(map(holds_number, cells)) or (levels and len(cells) != len(levels[0])):
            break
        levels.append(cells)
    names = None
    if 1 < len(levels) < len(said):
        below = _cut(lines[said[len(levels)]], delimiter)
        names = _names_of_levels(levels, is_numbered=holds_number(below[0]))
    if names is None or delimiter == SPACES:
        return lines
    quoted = [f'"{name}"' if delimiter in name else name for name in names]
    first, last = said[0], said[len(levels) - 1]
    blank = [""] * (last - first)
    return [*lines[:first], *blank, delimiter.join(quoted), *lines[last + 1 :]]


_MOST_LEVELS = 5


def _names_of_levels(lines: list[list[str]], *, is_numbered: bool) -> list[str] | None:
    """Return the names of columns with levels; None if the lines are no such.

    The line of the first level names several columns alike, or the last line is that of
    the index, and names its columns alone.
    """
    *levels, last = lines
    index = [*takewhile(bool, last)]
    # what pandas writes there are names of levels, and only in the first column
    beside = levels[0][len(levels) > 1 : len(index)]
    firsts = dict.fromkeys(line[0] for line in lines)
    named = all((*firsts, *last)) and any(letters(own) in KINDS for own in firsts)
    if named and is_numbered and len(firsts) == len(lines):
        # above an index without a name
        lines = [["", *line[1:]] for line in lines]
    elif 0 < len(index) < len(last) and not any((*beside, *last[len(index) :])):
        outer = [""] * len(index)
        lines = [*(outer + level[len(index) :] for level in levels), last]
    else:
        tops = [name for name in levels[0] if name]
        if len(set(tops)) == len(tops):
            return None
    names = ["/".join(filter(None, own)) for own in zip(*lines, strict=True)]
    return names if len(set(names)) == len(names) else None


def find_header(lines: Sequence[str]) -> tuple[list[str], str, str]:
    """Return the column names, the delimiter, and the line that holds the names.

    The delimiter is the one of ``, ; tab |`` that cuts the header and the most rows
    into equally many cells; of several, the one that makes the most cells; without
    any of them, spaces. A comment is no header, unless only numbers follow:
    numpy.savetxt writes it so.
    """
    rows = [line for line in lines if _says_something(line)]
    if not rows:
        return [], ",", ""
    rows = list(_below_title(rows))
    delimiter = _find_delimiter(rows)
    names = _cut(rows[0], delimiter)
    if all(holds_number(name) for name in names):
        above = [line for line in lines[: lines.index(rows[0])] if line not in rows]
        for line in reversed(above):
            marked = _cut(line.lstrip("\ufeff" + COMMENT), delimiter)
            if len(marked) == len(names) and not any(map(holds_number, marked)):
                return marked, delimiter, line
    return names, delimiter, rows[0]


def _says_something(line: str) -> bool:
    text = line.strip("\ufeff \t\n")
    return bool(text) and not text.startswith(COMMENT)


def _below_title(rows: Sequence[str]) -> Sequence[str]:
    """Leave out a title above the column names, or Excel's ``sep=;``.

    Lines are a title if a line with the name of an epoch column follows, and none of
    them begins with a number.
    """
    for at, line in enumerate(rows):
        cells = _cut(line, _find_delimiter(rows[at:]))
        if len(cells) > 1 and names_epoch(cells):
            return rows[at:]
        if not cells[0] or holds_number(cells[0]):
            break
    return rows


def names_epoch(cells: Sequence[str]) -> bool:
    """Tell whether cells are column names, with that of an epoch among them.

    >>> names_epoch(["Epoch", "loss"]), names_epoch(["epoch", "0.5", "3"])
    (True, False)
    """
    named = any(map(is_epoch_name, cells))
    # a tracker may log the epoch as a metric, in rows of a key and a value
    return named and not any(map(holds_number, cells))


def _find_delimiter(lines: Sequence[str]) -> str:
    there = [delimiter for delimiter in _DELIMITERS if delimiter in lines[0]]
    if not there:
        return SPACES if _are_spaced(lines) else ","
    if len(there) == 1:
        return there[0]
    sample = lines[: _SNIFFED_ROWS + 1]

    def consistency(delimiter: str) -> tuple[int, int]:
        widths = [len(_cut(line, delimiter)) for line in sample]
        if widths[0] == 1:
            return 0, 0
        return sum(width == widths[0] for width in widths), widths[0]

    return max(there, key=consistency)


def _are_spaced(lines: Sequence[str]) -> bool:
    """Tell whether spaces cut the header and the first row into as many cells."""
    if len(lines) == 1:
        return False
    names, row = _cut(lines[0], SPACES), _cut(lines[1], SPACES)
    return len(names) == len(row) > 1 and holds_number(row[0])


def cut_rows(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the cells of the lines that are neither blank nor comments."""
    return [
        _cut(line, delimiter)
        for line in lines
        if line.strip() and not line.startswith(COMMENT)
    ]


def _cut(line: str, delimiter: str) -> list[str]:
    """Cut one line into cells; a line that csv refuses is one cell."""
    import csv

    line = line.strip("\r\n").lstrip("\ufeff")
    if delimiter == SPACES:
        line = SPACES.join(line.split())
    try:
        cells = next(csv.reader([line], delimiter=delimiter))
        return [cell.strip().lstrip("\ufeff").strip() for cell in cells]
    except (csv.Error, StopIteration):
        return [line]


def are_names_of_keras(header: Sequence[str]) -> bool:
    """Tell whether Keras's CSVLogger wrote these names: epoch, then all sorted.

    Without a validation in the first epoch, each name stands there with val_, too.

    >>> are_names_of_keras(["epoch", "loss", "wer", "val_loss", "val_wer"])
    True
    """
    return "loss" in header and are_sorted_by_keras(header)


def are_sorted_by_keras(header: Sequence[str]) -> bool:
    """Tell whether names stand as Keras's CSVLogger sorts them, which knows no folds.

    >>> are_sorted_by_keras(["epoch", "acc"]), are_sorted_by_keras(["epoch", "fold"])
    (True, False)
    """
    names = [*header[1:]]
    own = sorted(names[: len(names) // 2])
    doubled = [*own, *(f"val_{name}" for name in own)]
    in_order = names in (sorted(names), doubled)
    return [*header[:1]] == ["epoch"] and in_order and FOLDS.isdisjoint(names)


def check_table(lines: Sequence[str], names: Sequence[str], source: str) -> None:
    """Refuse a text that is known to be no table.

    Raises
    ------
    LogError
        If it is what Keras prints, or a file that git could not merge.
    """
    named = any(map(is_epoch_name, names))
    for number, line in enumerate(lines, start=1):
        if line.startswith(_CONFLICT):
            raise conflict(source, number)
        if not named and re.fullmatch(_PROGRESS, line):
            problem = "this is what Keras prints while it trains, with rounded numbers"
            hint = "Train with CSVLogger('logs.csv'), and give what it writes"
            raise LogError(problem, source=source, line=number, hint=hint)


def check_numbers(rows: Sequence[Sequence[str]], source: str) -> None:
    """Refuse free text: most lines of it are no rows of numbers.

    The first row holds the column names; where one is that of an epoch, it is a table.
    """
    if not rows or any(map(is_epoch_name, rows[0])):
        return
    header, *below = rows
    below = [row for row in below if any(row) and row != header]
    n_rows = sum(_is_row_of_numbers(row, len(header)) for row in below)
    sentence = len(rows) == 1 and len(header) == 1 and " " in header[0]
    if sentence or 2 * n_rows < len(below):
        raise free_text(source)


def _is_row_of_numbers(row: Sequence[str], width: int) -> bool:
    """Tell whether a line is a row of numbers; a sentence may hold a number too.

    A damaged row may be too short or too long, but most of its cells are numbers.
    """
    said = [holds_number(cell) or bool(re.match(_LIST_BEGINS, cell)) for cell in row]
    if len(row) == width:
        return any(said)
    return said[0] or 2 * sum(said) > len(row)


_LIST_BEGINS = r'"?\[\s*[-+.0-9\]]'


def free_text(source: str) -> LogError:
    """Return the error of a text that is written for people."""
    problem = "this is free text and no table of numbers"
    hint = "Give a CSV with a row for each epoch, as Keras's CSVLogger('logs.csv') or "
    hint += "the logger of another library writes it"
    return LogError(problem, source=source, hint=hint)


def quoted_line(cell: str, source: str, line: int) -> LogError:
    """Return the error of a line that quotes make one cell."""
    shown = cell[:_SHOWN_LETTERS]
    problem = f"the whole line stands in quotes, as one cell: {shown!r}"
    hint = "Take the quotes around whole lines away"
    return LogError(problem, source=source, line=line, hint=hint)


def conflict(source: str, line: int) -> LogError:
    """Return the error of a file that git could not merge."""
    problem = "git could not merge this file: two versions of it stand here"
    return LogError(problem, source=source, line=line, hint="Resolve the conflict")


# a date or a time of day
_MOMENT = r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\d{1,2}:\d\d\b"
# not a link of Markdown
_JSON_BEGINS = r'[{\[]\s*(?:["\'{\[\]}0-9-]|$)'


def check_header(header: Sequence[str], source: str, line: int) -> None:
    """Refuse names that no table has.

    Raises
    ------
    LogError
        If there is none, or they are numbers, or JSON.
    """
    if not header:
        problem = "the file holds only blank lines and comments"
        hint = "Give a log with an epoch"
        raise LogError(problem, source=source, hint=hint)
    if re.match(_JSON_BEGINS, header[0]):
        problem, hint = "this is JSON, not a CSV", "Write history.history as JSON"
        raise LogError(problem, source=source, line=line, hint=hint)
    if len(header) == 1 and len(header[0].split(",")) > 1:
        raise quoted_line(header[0], source, line)
    others = [name for name in header if not holds_number(name)]
    if len(others) < len(header) and all(re.match(_MOMENT, own) for own in others):
        problem = f"here stand numbers, not column names: {header[:5]}"
        hint = "Put a header such as epoch,loss,val_loss above them"
        raise LogError(problem, source=source, line=line, hint=hint)
