"""Find scripts and notebooks, read their text, and name the place of a line in it.

``# cbreplay: ignore`` comments are found here too.
"""

from __future__ import annotations

import bisect
import io
import os
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.errors import ExpressionError
from cbreplay.rules.registry import known_rules
from cbreplay.scripts.notebook_cells import is_python, read_cells
from cbreplay.scripts.syntax import parsed
from cbreplay.wording.near_names import nearest_path
from cbreplay.wording.plain_text import without_secrets

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from cbreplay.scripts.notebook_cells import NotebookCell

__all__ = [
    "TOO_TANGLED",
    "WRITE_OUT",
    "ModuleText",
    "Source",
    "code_length",
    "find_scripts",
    "is_script",
    "parse_source",
    "read_source",
    "read_text",
]

TOO_TANGLED = (
    "it is nested too deeply, or its names lead in circles or to too much to follow"
)

_LONGEST_SCRIPT, _LONGEST_NOTEBOOK = 300_000, 30_000_000
# how much is searched for the names of callbacks
_MOST_SCRIPTS, _MOST_BYTES = 2_000, 1 << 29
_PACKAGES = {"node_modules", "site-packages", "venv"}
_SMALLER = "Give the directories that hold your own scripts"
_SUFFIXES = (".py", ".ipynb")
WRITE_OUT = "Write the callbacks of its fit as text, with -c or callbacks="
# ignore[code, code], or ignore alone for all codes; not ignored, ignore-this
_IGNORED = r"#\s*cbreplay:\s*ignore(?![\w-])(?:\s*\[([^\]]*)(?:\]|$))?"
_EVERY_RULE = "*"


class ModuleText(NamedTuple):
    """A module that a script imports.

    Parameters
    ----------
    path, name : str
        Its file, and the same as the script's directory has it.
    text : str
        What is in it.
    first : int
        The number of its first line among those of the script: all are below 0.
    """

    path: str
    name: str
    text: str
    first: int


class Origin(NamedTuple):
    """Where a line of a script is written: the file, the code cell, the line in it."""

    path: str
    cell: int | None
    line: int


class Source(NamedTuple):
    """A script, or the code of a notebook.

    Parameters
    ----------
    path : str
        The file.
    text : str
        The Python in it; of a notebook, its code cells one below the other.
    cells : tuple of int
        The line in which each code cell begins; empty for a script.
    notes : tuple of str
        Which cells are not read.
    modules : tuple of ModuleText
        What is imported from files beside it, and read with it.
    is_split : bool
        Whether one of these makes a callback: then places name their files.
    """

    path: str
    text: str
    cells: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    modules: tuple[ModuleText, ...] = ()
    is_split: bool = False

    @property
    def names_callback(self) -> bool:
        """Whether its own text holds the name of a callback's class."""
        return _names_callback(self.text.encode())

    def place(self, line: int) -> str:
        """Return ``"line 12"``, of a notebook ``"code cell 3, line 2"``."""
        path, cell, inner = self.origin(line)
        where = f"line {inner}" if cell is None else f"code cell {cell}, line {inner}"
        if line > 0 and not self.is_split:
            return where
        names = {module.path: module.name for module in self.modules}
        return f"{where} of {names.get(path, Path(path).name)}"

    def origin(self, line: int) -> Origin:
        """Return the file of a line, the one-based code cell, and the line in it."""
        for module in self.modules:
            if line < 0 and module.first <= line:
                return Origin(module.path, None, line - module.first + 1)
        if not self.cells:
            return Origin(self.path, None, line)
        cell = bisect.bisect_right(self.cells, line)
        return Origin(self.path, cell, line - self.cells[cell - 1] + 1)

    def find_ignored(self) -> dict[int, frozenset[str]]:
        """Return the codes that a comment in each line ignores; ``*`` is all."""
        ignored = {}
        texts = [(module.text, module.first) for module in self.modules]
        for text, first in [(self.text, 1), *texts]:
            for line, comment in _comments(text):
                found = re.search(_IGNORED, comment)
                if found is not None:
                    named = _EVERY_RULE if found[1] is None else found[1]
                    codes = re.split(r"[\s,]+", named)
                    ignored[line + first - 1] = frozenset(filter(None, codes))
        return ignored


def is_script(path: str) -> bool:
    """Return whether a path has the ending of a script or a notebook."""
    return path.lower().endswith(_SUFFIXES)


def find_scripts(directory: str, *, named: bool = True) -> list[str]:
    """Return the scripts and notebooks below a directory.

    Hidden directories, caches and installed packages are left out; links are not
    followed. If `named`, only those are returned that hold the name of a callback's
    class, or cannot be read; below them, those that hold the word callbacks and the
    name of one of these in an import.

    Raises
    ------
    ExpressionError
        If there are too many, or if a directory cannot be listed.
    """
    found: list[str] = []
    giving: list[str] = []
    n_bytes = 0
    for parent, folders, files in os.walk(directory, onerror=_refuse_directory):
        folders[:] = sorted(
            name for name in folders if name[0] not in "._" and name not in _PACKAGES
        )
        paths = [os.path.join(parent, name) for name in sorted(files)]  # noqa: PTH118
        for path in filter(is_script, paths):
            if os.path.islink(path):  # noqa: PTH114 - as os.walk's paths are texts
                continue
            content = _content(path) if named else b""
            n_bytes += len(content or b"")
            # of one that cannot be read, reading it later says why
            if not named or content is None or _names_callback(content):
                found.append(path)
            elif b"callbacks" in content:
                giving.append(path)
            if len(found) > _MOST_SCRIPTS or n_bytes > _MOST_BYTES:
                many = len(found) > _MOST_SCRIPTS
                held = f"{_MOST_SCRIPTS}" if many else "512 MiB of"
                problem = f"it holds more than {held} scripts"
                raise ExpressionError(problem, text=directory, hint=_SMALLER)
    modules = {Path(path).stem.encode() for path in found}
    return found + [path for path in giving if _imports(path, modules)]


def _imports(path: str, modules: set[bytes]) -> bool:
    """Return whether a script names one of some modules where it imports."""
    lines = re.findall(
        rb'^[\s"]*(?:from|import)\s.*', _content(path) or b"", re.MULTILINE
    )
    return any(modules.intersection(re.findall(rb"\w+", line)) for line in lines)


def _refuse_directory(error: OSError) -> None:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        # it is no directory, so there is nothing below it
        return
    problem = f"it cannot be read ({error.strerror})"
    hint = "Check its permissions, or name the scripts"
    raise ExpressionError(problem, text=str(error.filename), hint=hint)


def _content(path: str) -> bytes | None:
    """Return the bytes of a script, up to the limit; None if it cannot be read."""
    script = Path(path)
    try:
        # a pipe would wait for its writer
        if not script.is_file():
            return b""
        with script.open("rb") as file:
            return file.read(_LONGEST_NOTEBOOK)
    except OSError:
        return None


def _names_callback(content: bytes) -> bool:
    """Return whether a script holds the name of a callback, without parsing it."""
    # Python reads no UTF-16, but an error should say so
    return any(
        row.name.encode(encoding) in content
        for row in known_rules()
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
    )


def code_length(path: str) -> int:
    """Return how many bytes of code a script or notebook holds; 0 if unreadable."""
    content = _content(path) or b""
    if not path.lower().endswith(".ipynb"):
        return len(content) if len(content) <= _LONGEST_SCRIPT else 0
    try:
        cells = read_cells(content.decode(), most=_LONGEST_SCRIPT)
    except ValueError:
        return 0
    return sum(len(line) + 1 for cell in cells for line in cell.lines)


def read_source(path: str) -> Source:
    """Read a script or a notebook.

    Raises
    ------
    ExpressionError
        If it is no regular file, too long, no text or no notebook.
    """
    if not path.lower().endswith(".ipynb"):
        return Source(path, read_text(path, most=_LONGEST_SCRIPT))
    text = read_text(path, most=_LONGEST_NOTEBOOK)
    try:
        cells = read_cells(text, most=_LONGEST_SCRIPT)
    except ValueError as error:
        raise ExpressionError(str(error), text=path, hint=WRITE_OUT) from None
    return _joined(path, cells)


def read_text(path: str, *, most: int) -> str:
    """Return the text of a file of so many bytes at most, decoded as Python does.

    Raises
    ------
    ExpressionError
        If it is no regular file, too long, or no text.
    """
    shown = without_secrets(path)
    hint = (
        "Give the name of a script or, after -c @, of a script or a file of expressions"
    )
    file, is_notebook = Path(path), path.lower().endswith(".ipynb")
    try:
        # a pipe or a device could be read for ever
        if not file.is_file():
            problem = "it is not a file" if path else "no file is named"
            if not file.exists():
                near = nearest_path(path) if shown == path else ""
                problem = f"there is no such file{near}"
            raise ExpressionError(problem, text=shown, hint=hint)
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise ExpressionError(problem, text=shown, hint=hint) from None
    if len(content) > most:
        problem = f"it is longer than {most} bytes"
        if is_notebook:
            hint = "Clear its outputs, or save its code as a script"
        raise ExpressionError(problem, text=shown, hint=hint)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, ValueError, LookupError) as error:
        problem = f"it is not text that Python could read ({error})"
        hint = "Save it as UTF-8"
        if not is_notebook:
            hint += ", or declare its encoding in its first line"
        raise ExpressionError(problem, text=shown, hint=hint) from None


def _joined(path: str, cells: list[NotebookCell]) -> Source:
    """Join code cells to one text; one that is no Python becomes empty lines."""
    begins: list[int] = []
    lines: list[str] = []
    notes = []
    for cell in cells:
        begins.append(len(lines) + 1)
        notes += [
            f"code cell {cell.number}: what {magic} runs is not read"
            for magic in _unread_magics(cell)
        ]
        if is_python(cell.lines):
            lines += cell.lines
        else:
            notes.append(f"code cell {cell.number}: it is not Python, and is not read")
            lines += [""] * len(cell.lines)
    return Source(path, "\n".join(lines) + "\n", tuple(begins), tuple(notes))


def _unread_magics(cell: NotebookCell) -> Iterator[str]:
    """Yield each magic whose line, which is left out, names a callback or a fit."""
    kept = [line.strip() for line in cell.lines if line.strip()]
    is_left_out = cell.magics and cell.magics[0].startswith("%%") and not kept
    if is_left_out and any(map(_first_training, cell.magics)):
        yield cell.magics[0].split()[0]
        return
    for line in cell.magics:
        magic, written = re.match(_RUNNING_MAGIC, line), _first_training(line)
        is_kept = any(read.endswith(written) for read in kept)
        if magic is not None and written and not is_kept:
            yield magic[1]


def _first_training(line: str) -> str:
    """Return a line from where it first names a callback or a fit; empty if nowhere."""
    names = [".fit(", *(row.name for row in known_rules())]
    places = [line.find(name) for name in names if name in line]
    return line[min(places) :] if places else ""


_RUNNING_MAGIC = r"(?:\w[\w, ]*=\s*)?(%\w+)"


def _comments(text: str) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):
        # it is no Python, so no later comment counts
        return


def parse_source(source: Source) -> ast.Module:
    """Return the syntax tree.

    Raises
    ------
    ExpressionError
        If it is no Python, or nested more deeply than Python's own stack.
    """
    try:
        tree: ast.Module = parsed(source.text)
    except (SyntaxError, ValueError) as error:
        line, reason = None, str(error)
        if isinstance(error, SyntaxError):
            line, reason = error.lineno, error.msg
        where = f"{source.place(line)}: " if line else ""
        problem = f"{where}this is not Python ({reason})"
    except (RecursionError, MemoryError):
        problem = TOO_TANGLED
    else:
        return tree
    raise ExpressionError(problem, text=source.path, hint=WRITE_OUT)
