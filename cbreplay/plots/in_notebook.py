"""A picture in a cell of a notebook, which a dark notebook shows dark."""

from __future__ import annotations

import base64
from html import escape

__all__ = ["picture_html"]

# notebooks say in their page that they are dark; hues stay as they are
_DARK = (
    '<style>[data-jp-theme-light="false"] .cbreplay-picture,'
    ".vscode-dark .cbreplay-picture{filter:invert(1) hue-rotate(180deg)}</style>"
)


def picture_html(content: bytes, *, width: int, alternative: str) -> str:
    """Return a picture as HTML; where styles are stripped it keeps its light ground.

    Parameters
    ----------
    content : bytes
        A PNG.
    width : int
        In pixels of the page.
    alternative : str
        What is read aloud instead.
    """
    encoded = base64.b64encode(content).decode("ascii")
    return (
        f'{_DARK}<img class="cbreplay-picture" src="data:image/png;base64,{encoded}" '
        f'width="{width}" style="max-width:100%" alt="{escape(alternative)}">'
    )
