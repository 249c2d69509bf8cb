"""A document as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import jinja2

from cbreplay.arguments import checked
from cbreplay.document import Code, Strong, plain_text, spoken_cells
from cbreplay.plots.picture import draw_points, figure_bytes
from cbreplay.plots.style import DARK, LIGHT
from cbreplay.wording.words import visible_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from cbreplay.document import Document, Figure

__all__ = ["script_digest", "write_html"]

_TEMPLATE, _SCRIPT = "page.html.j2", "moving.js"
_MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_WIDE, _NARROW = 8.4, 4.3
# in bytes: a larger picture, of many points, is smaller as PNG
_LARGEST_SVG = 45_000


class _Image(NamedTuple):
    """A picture as bytes, for a light or a dark page, for a wide or a narrow one.

    Parameters
    ----------
    content : bytes
        The file.
    kind : {"svg", "png"}
        Its format.
    dark, narrow : bool
        For which pages it is.
    """

    content: bytes
    kind: Literal["svg", "png"]
    dark: bool = False
    narrow: bool = False


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
    environment.filters["versions"] = _draw_versions
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


def _draw_versions(figure: Figure) -> list[_Image]:
    """Draw a figure light and dark, and wide and narrow unless it is a small one.

    The narrow and dark ones come first, as a page has to list them.
    """
    points = figure.points()
    widths = (False,) if figure.small else (True, False)
    return [
        _as_image(
            draw_points(
                points,
                look=DARK if dark else LIGHT,
                width=_NARROW if narrow else _WIDE,
                small=figure.small,
            ),
            dark=dark,
            narrow=narrow,
        )
        for narrow in widths
        for dark in (True, False)
    ]


def _as_image(drawing: Drawing, *, dark: bool, narrow: bool) -> _Image:
    content = figure_bytes(drawing, "svg")
    if len(content) <= _LARGEST_SVG:
        return _Image(content, "svg", dark=dark, narrow=narrow)
    return _Image(figure_bytes(drawing, "png"), "png", dark=dark, narrow=narrow)


def _image_address(image: _Image) -> str:
    encoded = base64.b64encode(image.content).decode("ascii")
    return f"data:{_MEDIA_TYPES[image.kind]};base64,{encoded}"


def _media(image: _Image) -> str:
    """Return the media query under which a picture is shown."""
    conditions = []
    if image.narrow:
        conditions.append("(max-width: 620px)")
    if image.dark:
        conditions.append("(prefers-color-scheme: dark)")
    return " and ".join(conditions)
