"""Write a document to an HTML or Markdown file, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cbreplay.arguments import checked
from cbreplay.system.whole_files import check_output, write_whole
from cbreplay.writers.as_html import write_html
from cbreplay.writers.as_markdown import write_markdown

if TYPE_CHECKING:
    import os

    from cbreplay.document import Document

__all__ = ["write_report"]

_WRITERS = {".html": write_html, ".md": write_markdown, ".htm": write_html}


@checked
def write_report(document: Document, path: str | os.PathLike[str]) -> Path:
    """Write an answer to an ``.html`` or ``.md`` file, whole or not at all.

    Parameters
    ----------
    document : Document
        The answer.
    path : str or path
        The file; its suffix decides the format.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        If the suffix is neither.
    OutputError
        If the file cannot be written, or no plain file is there.
    """
    path = Path(path)
    suffix = check_output(path, *_WRITERS)
    return write_whole(path, _WRITERS[suffix](document).encode("utf-8"))
