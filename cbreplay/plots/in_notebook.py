"""A picture as HTML for a cell of a notebook; it is inverted in a dark notebook."""

from __future__ import annotations

import base64
from html import escape

__all__ = ["picture_html"]

# these attributes mark dark notebooks; the rotation keeps the hues
_DARK = (
    '<style>[data-jp-theme-light="false"] .cbreplay-picture,'
    ".vscode-dark .cbreplay-picture{filter:invert(1) hue-rotate(180deg)}</style>"
)


def picture_html(content: bytes, *, width: int, alternative: str) -> str:
    """Return a picture as HTML; it stays light if a notebook strips styles.

    `content` is a PNG, `width` in pixels of the page; `alternative` is read aloud
    instead.
    """
    encoded = base64.b64encode(content).decode("ascii")
    return (
        f'{_DARK}<img class="cbreplay-picture" src="data:image/png;base64,{encoded}" '
        f'width="{width}" style="max-width:100%" alt="{escape(alternative)}">'
    )
