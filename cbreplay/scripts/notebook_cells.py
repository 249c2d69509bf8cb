"""The Python in the code cells of a notebook, without what only IPython reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.scripts.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NotebookCell", "is_python", "read_cells"]

# a cell that begins so is Python from its second line on
_PYTHON_CELLS = ("capture", "memit", "prun", "time", "timeit", "wandb")
_MAGIC = r"^(\s*)(?:[%!?].*|[\w.]+\?+\s*)$"
_ASSIGNED_MAGIC = r"^(\s*\w[\w, ]*=\s*)[%!].*$"
# a magic that runs the Python after it
_TIMED = (
    r"^(\s*(?:\w[\w, .]*=\s*(?=%time\s))?)"
    r"%(?:time|timeit(?:\s+-\w(?:\s*\d+)?)*)\s+(\S.*)$"
)
_SETTING = r"^(\s*)%(?:set_)?env\s+(.*)$"


class NotebookCell(NamedTuple):
    """A code cell.

    Parameters
    ----------
    number : int
        Its one-based place among the code cells.
    lines : tuple of str
        Its Python; a line that only IPython reads is replaced by one that does nothing,
        ``%time`` by what it runs, ``%env NAME=value`` by Python that does the same, and
        a cell of another language is empty.
    magics : tuple of str
        The lines that were replaced, as they are written.
    """

    number: int
    lines: tuple[str, ...]
    magics: tuple[str, ...] = ()


def read_cells(text: str, *, most: int | None = None) -> list[NotebookCell]:
    """Return the code cells of a notebook.

    Parameters
    ----------
    text : str
        What its file holds.
    most : int, optional
        The most characters of code that are read.

    Raises
    ------
    ValueError
        If it is no notebook, or its code is longer.
    """
    import json

    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        sentence = f"it is no whole notebook: line {error.lineno} is no JSON"
        raise ValueError(sentence) from None
    except (ValueError, RecursionError):
        raise ValueError(_NO_CELLS) from None
    language = _language_of(notebook)
    if language and "py" not in language.lower():
        sentence = f"its code is {language}, and not Python"
        raise ValueError(sentence)
    try:
        written = list(_code_cells(notebook))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(_NO_CELLS) from None
    if most is not None and sum(map(len, written)) > most:
        sentence = f"its code is longer than {most} characters"
        raise ValueError(sentence)
    return [_read_cell(number, cell) for number, cell in enumerate(written, start=1)]


_NAME = r"[\w+#. -]{1,40}"


def _language_of(notebook: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the language that a notebook names for its code; empty if it does not."""
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        inner: Any = notebook
        for step in ("metadata", key, name):
            inner = inner.get(step) if isinstance(inner, dict) else None
        if isinstance(inner, str) and inner:
            return inner if re.fullmatch(_NAME, inner) else "another language"
    return ""


_NO_CELLS = "it is no notebook: its JSON holds no cells"


def _code_cells(notebook: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    # before version 4, cells stood on worksheets, and their text was called input
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        if cell["cell_type"] == "code":
            written = cell.get("source", cell.get("input")) or ""
            yield written if isinstance(written, str) else "".join(written)


def _read_cell(number: int, text: str) -> NotebookCell:
    # splitlines would also split where a line of Python does not end
    written = _without_indent(re.split(r"\r\n|\r|\n", text))
    if is_python(written):
        return NotebookCell(number, tuple(written))
    python = _without_magics(written)
    pairs = zip(written, python, strict=True)
    magics = [line.strip() for line, ours in pairs if line != ours and line.strip()]
    return NotebookCell(number, tuple(python), tuple(magics))


def _without_indent(lines: list[str]) -> list[str]:
    """Take the spaces of the first line away from each line that begins with them."""
    # IPython/core/inputtransformer2.py, leading_indent, until IPython 8
    first = next(filter(str.strip, lines), "")
    indent = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(indent) for line in lines]


def is_python(lines: list[str] | tuple[str, ...]) -> bool:
    """Return whether lines can be parsed."""
    try:
        parsed("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _without_magics(lines: list[str]) -> list[str]:
    """Replace the lines that only IPython understands, line by line."""
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    magic = lines[first].strip().removeprefix("%%").split(" ")[0] if lines else ""
    if lines and lines[first].startswith("%%") and magic not in _PYTHON_CELLS:
        # another language, or a file that is written
        return [""] * len(lines)
    if lines and lines[first].startswith("%%"):
        # a line that looks like a magic may belong to a multi-line string
        lines = [*lines[:first], "pass", *lines[first + 1 :]]
        if is_python(lines):
            return lines
    replaced = []
    is_continued = False
    for line in lines:
        timed = None if is_continued else re.match(_TIMED, line)
        if timed is not None:
            replaced.append(timed[1] + timed[2])
            continue
        ours = "" if is_continued else _without_magic(line)
        # a backslash takes the next line into the magic
        is_continued = (is_continued or ours != line) and line.endswith("\\")
        replaced.append(ours)
    return replaced


def _without_magic(line: str) -> str:
    setting = re.match(_SETTING, line)
    if setting is not None:
        name, _, value = setting[2].partition("=" if "=" in setting[2] else " ")
        name, value = name.strip(), value.strip()
        # $ and {} are filled in by IPython; quotes are part of the value
        if name.isidentifier() and value and not set("${}") & set(value):
            return f"{setting[1]}import os; os.environ[{name!r}] = {value!r}"
    return re.sub(_ASSIGNED_MAGIC, r"\1...", re.sub(_MAGIC, r"\1pass", line))
