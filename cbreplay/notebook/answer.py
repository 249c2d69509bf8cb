"""An answer that shows itself: in a notebook, as text, as a picture, as a table."""

# ruff: noqa: ANN401 - what was worked out is of many types

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from cbreplay.document import Document

__all__ = ["Answer"]

_PICTURES = (".png", ".svg", ".pdf")


class Answer:
    """An answer that shows itself: in a notebook, as text, as a picture, as a table.

    Parameters
    ----------
    data : object
        The result: a Staircase, a Recommendation, ...
    document : Document
        The answer as a document.
    draw : callable
        Returns the picture; gets the options of `plot`.
    """

    def __init__(
        self, data: Any, document: Document, draw: Callable[..., Drawing]
    ) -> None:
        self.data = data
        self._document, self._draw = document, draw

    def __str__(self) -> str:
        """Return what a terminal shows."""
        from cbreplay.writers.as_text import write_text

        return write_text(self._document)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from cbreplay.writers.as_notebook import write_notebook

        return write_notebook(self._document)

    def to_document(self) -> Document:
        """Return the document from which every form is written."""
        return self._document

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0.

        Raises
        ------
        ConfigError
            If there is no table.
        """
        import pandas as pd

        from cbreplay.document import Cell

        table = self._document.answer_table()
        if table is None:
            sentence = "this answer has no table. See .data"
            raise ConfigError(sentence)
        columns = {
            key: [cell.value if isinstance(cell, Cell) else cell for cell in cells]
            for key, cells in table.for_programs()
        }
        return pd.DataFrame(columns)

    def plot(self, **options: Any) -> Drawing:
        """Return its picture as a matplotlib figure.

        Parameters
        ----------
        **options : patience
            Of one run: the patience, or several of them, whose decisions are drawn.
        """
        return self._draw(**options)

    @checked
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file: ``.html``, ``.md``, ``.png``, ``.svg`` or ``.pdf``.

        Parameters
        ----------
        path : str or path
            The file; its suffix decides the format.
        """
        from pathlib import Path

        if Path(path).suffix.lower() in _PICTURES:
            from cbreplay.plots import save_figure

            return save_figure(self.plot(), path)
        from cbreplay.writers.report_files import write_report

        return write_report(self._document, path)
