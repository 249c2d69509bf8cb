"""Write a report as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from cbreplay.report.document import Code, Strong
from cbreplay.report.markdown import write_markdown
from cbreplay.whole_files import read_suffix, write_whole
from cbreplay.words import visible_text

if TYPE_CHECKING:
    import os

    from cbreplay.report.document import Document, Image

__all__ = ["write_html", "write_report"]

_TEMPLATE = "page.html.j2"
_MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def write_html(document: Document) -> str:
    """Return the report as a page: no script, no network, pictures inside.

    Every text of the document is escaped by the template, and characters that a
    reader could not see are written out.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible_text
    environment.filters["visible_lines"] = _visible_lines
    environment.filters["image_address"] = _image_address
    environment.filters["block_kind"] = lambda block: type(block).__name__
    environment.filters["media"] = _media
    environment.tests["code"] = lambda part: isinstance(part, Code)
    environment.tests["strong"] = lambda part: isinstance(part, Strong)
    return environment.get_template(_TEMPLATE).render(document=document)


def write_report(document: Document, path: str | os.PathLike[str]) -> Path:
    """Write a report to an ``.html`` or ``.md`` file, whole or not at all.

    Parameters
    ----------
    document : Document
        The report.
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
        If the file cannot be written, or a directory is there.
    """
    path = Path(path)
    from cbreplay.document import Document as New
    from cbreplay.writers import as_html, as_markdown

    writers = {".html": write_html, ".htm": write_html, ".md": write_markdown}
    if isinstance(document, New):
        writers = {
            ".html": as_html.write_html,
            ".htm": as_html.write_html,
            ".md": as_markdown.write_markdown,
        }
    suffix = read_suffix(path, ".html", ".md", ".htm")
    return write_whole(
        path,
        writers[suffix](document).encode("utf-8"),
        hint="Choose a file in a directory that is there, with --output or path=",
    )


def _visible_lines(code: str) -> str:
    return "\n".join(visible_text(line) for line in code.split("\n"))


def _image_address(image: Image) -> str:
    encoded = base64.b64encode(image.content).decode("ascii")
    return f"data:{_MEDIA_TYPES[image.kind]};base64,{encoded}"


def _media(image: Image) -> str:
    """Return the media query under which a picture is shown."""
    conditions = []
    if image.narrow:
        conditions.append("(max-width: 620px)")
    if image.dark:
        conditions.append("(prefers-color-scheme: dark)")
    return " and ".join(conditions)
