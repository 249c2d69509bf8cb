"""A document as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from cbreplay.arguments import checked
from cbreplay.document import Code, Strong, plain_text, spoken_cells
from cbreplay.wording.words import visible_text
from cbreplay.writers.pictures import draw_versions

if TYPE_CHECKING:
    from cbreplay.document import Document
    from cbreplay.writers.pictures import Image

__all__ = ["script_digest", "write_html"]

_TEMPLATE, _SCRIPT = "page.html.j2", "moving.js"
_MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@checked
def write_html(document: Document) -> str:
    """Return the report as a page: no network, pictures inside.

    Every text of the document is escaped by the template, and invisible characters are
    written out. If the document has controls (`Moving`), the page holds one script,
    the only one that it allows.
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
    environment.filters["unbroken"] = _unbroken
    environment.filters["image_address"] = _image_address
    environment.filters["block_kind"] = lambda block: type(block).__name__
    environment.filters["media"] = _media
    environment.filters["plain"] = plain_text
    environment.filters["spoken_cells"] = spoken_cells
    environment.filters["versions"] = draw_versions
    environment.tests["text"] = lambda part: isinstance(part, str)
    environment.tests["code"] = lambda part: isinstance(part, Code)
    environment.tests["strong"] = lambda part: isinstance(part, Strong)
    return environment.get_template(_TEMPLATE).render(
        document=document, **_moving_parts(document)
    )


def _moving_parts(document: Document) -> dict[str, str]:
    """Return the data that the controls look up, and the script that does so."""
    members = None if document.moving is None else document.moving.members()
    if members is None:
        return {"answers": "", "script": "", "script_hash": ""}
    answers = json.dumps(members, separators=(",", ":"), allow_nan=False)
    return {
        # no text in it can end its script element
        "answers": answers.replace("<", "\\u003c"),
        "script": _script(),
        "script_hash": script_digest(),
    }


def script_digest() -> str:
    """Return the digest by which a page allows its own script, and no other."""
    digest = hashlib.sha256(_script().encode("utf-8")).digest()
    return base64.b64encode(digest).decode("ascii")


def _script() -> str:
    return (Path(__file__).parent / _SCRIPT).read_text("utf-8")


def _unbroken(words: str) -> str:
    """Keep a share on one line: a space before its sign is no place to break it."""
    return re.sub(r"(\d) %", "\\1\u00a0%", words)


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
