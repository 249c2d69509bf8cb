"""JSON, whole, on lines or in a file for each epoch, with every failure a sentence.

AllenNLP writes a file for each epoch: ``metrics_epoch_0.json``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from cbreplay.errors import LogError, TruncatedLogError
from cbreplay.readers.base import SKIP_HINT
from cbreplay.readers.columns.column_names import EPOCH_NAMES
from cbreplay.readers.columns.header import decode_beginning, free_text
from cbreplay.readers.entries import list_entries
from cbreplay.readers.files import read_beginning, read_bytes
from cbreplay.readers.sizes import check_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbreplay.readers.base import Damage

__all__ = ["begins_as_json", "find_epoch_files", "read_json", "rows_of_epoch_files"]

# one object for every line that is {}: one for each would take twenty times its bytes
_EMPTY: dict[str, Any] = {}
_HINT = "Give the JSON as it was written"
_DUMP = "Where it was written, write json.dump(history.history, file) instead of str()"


# [1,  2000] loss: 2.173, [INFO] and [section]; but not [nan, 0.5]
_SENTENCE = r"""(?xi)\s*\[(?:
        (?!null|true|false|nan|none|inf)[^]\s[{}"'0-9.+-]
        |[^][{}"\n]*\][ \t]*[^][{},"\s]
    )"""


def begins_as_json(path: str) -> bool:
    """Tell by the first sign of a file that is no space whether it may be JSON."""
    return read_beginning(path, 100).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in b"{["


def read_json(path: str, most: int, damage: Damage | None = None) -> Any:
    """Return what a JSON file holds; of JSON Lines, the list of the lines.

    A line that is no JSON is reported to the damage; without that, it is an error.

    Raises
    ------
    LogError
        If it is no JSON (`TruncatedLogError`: it breaks off).
    """
    import json

    content = read_bytes(path, most)
    # each is an object in memory too
    check_rows(content.count(b"{"), path, most)
    text = decode_beginning(content).lstrip("\ufeff")
    try:
        return _decoded(_loads, text, source=path)
    except json.JSONDecodeError as error:
        sentence = re.match(_SENTENCE, text)
        if sentence is not None and error.pos < sentence.end():
            raise free_text(path) from None
        if error.msg != "Extra data":
            raise _no_json(error, text, path) from None
        end = "\n" if "\n" in text else "\r"
        if not _is_a_line(text[: error.pos], end) and text[error.pos] in "{[":
            return _parse_documents(text, path)
        if end in text.rstrip():
            return _parse_lines(text, end, path, damage)
        raise _no_json(error, text, path) from None


def _decoded(decode: Callable[..., Any], *given: Any, source: str) -> Any:
    """Return what decodes JSON returns; what is no log's is refused."""
    import json

    try:
        return decode(*given)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        problem = "this JSON is nested too deeply for a log"
        raise LogError(problem, source=source, hint=_HINT) from None
    except _TwiceError as error:
        hint = "Leave one of them out: nothing tells which one counts"
        raise LogError(str(error), source=source, hint=hint) from None
    except ValueError as error:
        # a whole number of thousands of digits
        problem = f"this is not the JSON of a log ({error})"
        raise LogError(problem, source=source, hint=_HINT) from None


def _loads(text: str) -> Any:
    import json

    return json.loads(text, object_pairs_hook=_once_each)


class _TwiceError(ValueError):
    """A key that stands twice in one object, with different values."""

    def __init__(self, key: str) -> None:
        super().__init__(f"one object holds {key!r} twice, with different values")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; refuse one that has a key twice, with two values."""
    held = dict(pairs)
    if len(held) < len(pairs):
        for key, value in pairs:
            if held[key] != value:
                raise _TwiceError(key)
    return held


def _no_json(error: Any, text: str, source: str) -> LogError:
    if text.lstrip().startswith(("{'", "[{'")):
        problem = "this is how Python prints a dict, and no JSON"
        return LogError(problem, source=source, line=1, hint=_DUMP)
    at_end = error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg
    problem = f"the JSON breaks off here ({error.msg})" if at_end else error.msg
    kind = TruncatedLogError if at_end else LogError
    return kind(problem, source=source, line=error.lineno, hint=_HINT)


def _is_a_line(first: str, end: str) -> bool:
    r"""Tell whether the first of several documents, with what is behind it, is a line.

    >>> _is_a_line('{"a": 1}\n', "\n"), _is_a_line('{"a":\n1}\n', "\n")
    (True, False)
    """
    return end in first.lstrip() and end not in first.strip()


def _parse_documents(text: str, source: str) -> list[Any]:
    """Read one JSON behind the other, as each save of a script appends its own."""
    import json

    found = []
    decoder = json.JSONDecoder(object_pairs_hook=_once_each)
    at, end = 0, len(text.rstrip())
    try:
        while at < end:
            at += len(text[at:]) - len(text[at:].lstrip())
            document, at = _decoded(decoder.raw_decode, text, at, source=source)
            found.append(document)
    except json.JSONDecodeError as error:
        raise _no_json(error, text, source) from None
    return found


def _parse_lines(text: str, end: str, source: str, damage: Damage | None) -> list[Any]:
    found = []
    n_lines = text.rstrip().count(end) + 1
    for number, line in enumerate(_cut_lines(text, end), start=1):
        if not line.strip():
            continue
        try:
            found.append(_loads(line) if line.strip() != "{}" else _EMPTY)
        except (ValueError, RecursionError) as error:
            last = number == n_lines
            if last and found and damage is not None and not text.endswith(end):
                damage.remarks.append(
                    f"the last line ({number}) has no line end, as if it were just "
                    "being written: it was left out"
                )
                break
            kind = TruncatedLogError if last else LogError
            problem = f"this line is not JSON ({error})"
            if damage is None:
                raise kind(problem, source=source, line=number, hint=_HINT) from None
            damage.report(kind(problem, source=source, line=number, hint=SKIP_HINT))
    return found


def _cut_lines(text: str, end: str) -> Iterator[str]:
    """Yield the lines of a text; a list of them could take many times its memory."""
    start = 0
    while (at := text.find(end, start)) >= 0:
        yield text[start:at]
        start = at + 1
    yield text[start:]


_FILE = r"(metrics[_-])?epoch[_-]?(?P<epoch>[0-9]{1,9})\.json"
_OF_ANOTHER = "Put what is of another training into a directory of its own"


def find_epoch_files(directory: str, names: Sequence[str]) -> set[str]:
    """Return the files of epochs in a directory, and AllenNLP's summary of them."""
    of_epochs = {*_files_of_epochs(directory, names)}
    has_summary = any(name.startswith("metrics") for name in of_epochs)
    return of_epochs | {"metrics.json"} if has_summary else of_epochs


def _files_of_epochs(directory: str, names: Sequence[str]) -> list[str]:
    """Return the files of a directory that hold the values of one epoch each."""
    numbered = [name for name in names if re.fullmatch(_FILE, name)]
    # a list in a file is one of several epochs
    whole = len(numbered) > 1 and not any(
        b"[" in read_beginning(os.path.join(directory, name)) for name in numbered
    )
    return numbered if whole else []


def rows_of_epoch_files(directory: str, damage: Damage) -> list[dict[str, Any]]:
    """Return a row for each file of an epoch.

    Raises
    ------
    LogError
        If a file is no row, or says another epoch than its name.
    """
    names = [
        entry.name
        for entry in list_entries(directory)
        if entry.is_file(follow_symlinks=False)
    ]
    rows: dict[int, dict[str, Any]] = {}
    left = damage.max_bytes
    shift: int | None = None
    for name in sorted(_files_of_epochs(directory, names), key=_epoch_of):
        path = os.path.join(directory, name)
        held, epoch = read_json(path, left), _epoch_of(name)
        left -= os.path.getsize(path)
        if not isinstance(held, dict) or epoch in rows:
            problem = "this is not the one file of its epoch"
            raise LogError(problem, source=path, hint=_OF_ANOTHER)
        said = next((held.pop(own) for own in EPOCH_NAMES if own in held), None)
        if isinstance(said, int):
            shift = said - epoch if shift is None else shift
            if said - epoch != shift:
                problem = (
                    f"it says epoch {said}, where its name and the files before it "
                    f"make {epoch + shift}"
                )
                raise LogError(problem, source=path, hint=_OF_ANOTHER)
        rows[epoch] = held
    return [{"epoch": epoch + (shift or 0), **row} for epoch, row in rows.items()]


def _epoch_of(name: str) -> int:
    found = re.fullmatch(_FILE, name)
    return int(found["epoch"]) if found else -1
