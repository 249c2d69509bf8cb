"""The text of a file that -c names, within limits."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

from cbreplay.errors import ExpressionError
from cbreplay.plain_text import without_secrets

__all__ = ["read_text"]


def read_text(path: str, *, most: int) -> str:
    """Return a file's text, decoded as Python decodes a source file.

    Parameters
    ----------
    path : str
        The file.
    most : int
        The longest file that is read, in bytes.

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
            problem = "it is not a file" if file.exists() else "there is no such file"
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
