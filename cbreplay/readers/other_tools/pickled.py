"""Refuse pickles and nameless arrays, and say what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.readers.base import ForeignLogError, LogReader
from cbreplay.readers.files import read_beginning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["PickleReader"]

_HINT = (
    "Where it was written, write json.dump({name: [float(value) for value in values] "
    "for name, values in history.history.items()}, open('history.json', 'w')), or "
    "train with keras.callbacks.CSVLogger('logs.csv')"
)
_NAMES_HINT = (
    "Write the values with their names: pandas.DataFrame({'loss': values[0], ...})"
    ".to_csv('logs.csv', index_label='epoch')"
)
_NUMPY = b"\x93NUMPY"
# the header of an array: the kind of its numbers, and its shape
_ARRAY = rb"'descr': '[<>|=]?(?P<kind>[A-Za-z]).*'shape': \((?P<shape>[^)]*)\)"
_LOOKED_AT = 256


class PickleReader(LogReader):
    """The reader that reads nothing: a pickle runs code when it is loaded."""

    def read(self, path: str) -> Iterator[Run]:
        """Refuse the file."""
        beginning = read_beginning(path, _LOOKED_AT)
        array = re.search(_ARRAY, beginning) if beginning.startswith(_NUMPY) else None
        if array is not None and array["kind"] != b"O":
            shape = array["shape"].decode("ascii").rstrip(", ")
            problem = (
                f"these are numbers that numpy saved, of the shape ({shape}) and "
                "without names: nothing says which series is which"
            )
            raise ForeignLogError(problem, source=path, hint=_NAMES_HINT)
        problem = "this is a pickle, and loading one runs the code that is in it"
        raise ForeignLogError(problem, source=path, hint=_HINT)
