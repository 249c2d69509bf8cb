"""How a result shows itself: as a page in a notebook, as text, as a picture, a table.

Results lie in a layer below everything that writes, so `cbreplay.notebook` is imported
by name when a result is shown. These functions are the results' methods:
``_repr_html_ = show_html``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["show_frame", "show_html", "show_plot", "show_text"]

_ABOVE = "cbreplay.notebook"


def show_html(result: object) -> str:
    """Return the answer as HTML that a notebook shows."""
    return str(_answer(result)._repr_html_())


def show_text(result: object) -> str:
    """Return the answer as a terminal shows it."""
    return str(_answer(result))


def show_plot(result: object, **options: Any) -> Figure:  # noqa: ANN401 - as drawn
    """Return the answer as a matplotlib figure.

    Parameters
    ----------
    result : object
        What is drawn.
    **options : patience, monitor
        Of a run or its staircase: the patience, or several of them, whose decisions
        are drawn, and the series that is watched.
    """
    figure: Figure = _answer(result).plot(**options)
    return figure


def show_frame(result: object) -> pd.DataFrame:
    """Return the answer's table as a pandas DataFrame; epochs count from 0."""
    frame: pd.DataFrame = _answer(result).to_frame()
    return frame


def _answer(result: object) -> Any:  # noqa: ANN401 - it lies above
    return import_module(_ABOVE).answer_about(result)
