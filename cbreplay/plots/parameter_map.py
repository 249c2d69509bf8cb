"""The map of patience and min_delta that stands still: what every setting loses."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from cbreplay.arguments import checked
from cbreplay.evidence.words import AFTER_A_REDUCTION
from cbreplay.plots.picture_text import lost_words
from cbreplay.plots.style import LIGHT, Look, fit_axes, stack_axes, style_text
from cbreplay.recommend.setting_names import patience_in_use, setting_text
from cbreplay.wording.kinds import spoken_value
from cbreplay.wording.shown_digits import scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cbreplay.recommend import Costs, Recommendation, Scored
    from cbreplay.run import FloatArray

__all__ = ["MapPoints", "map_points", "plot_map"]

_SHOWN = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
_MOST_BOUNDS = 2
_WIDTH = 7.6
_NARROW = 6.0  # below this the map stands upright
_CELL, _UPRIGHT_CELL = 0.46, 0.42
_CHARACTER = 5.4
# on any colour, black or white has a contrast of at least 4.58 (WCAG 2.2), which the
# text colour of a look has not; on a colour of this luminance both have the same
_EQUAL_CONTRAST = (1.05 * 0.05) ** 0.5 - 0.05


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """Every number in the picture.

    Parameters
    ----------
    patience, min_delta : tuple
        The values at the edges.
    regret : array of shape (n_min_delta, n_patience)
        The regret, shown as colours; NaN if not all groups tell it.
    trained : array of shape (n_min_delta, n_patience)
        The share of the recorded epochs that are trained; NaN in the same cells.
    texts : tuple of tuple of str
        The text of each cell: the regret, or how many groups tell it.
    recommended, current : (int, int) or None
        The cells (min_delta, patience) with an outline.
    note : str
        What is shown, and what the outlines and the hatching mean.
    """

    patience: tuple[int, ...]
    min_delta: tuple[float, ...]
    regret: FloatArray
    trained: FloatArray
    texts: tuple[tuple[str, ...], ...]
    recommended: tuple[int, int] | None
    current: tuple[int, int] | None
    note: str


@checked
def map_points(costs: Costs, advice: Recommendation) -> MapPoints:
    """Collect what the map of a recommendation shows.

    Parameters
    ----------
    costs : Costs
        The priced settings.
    advice : Recommendation
        Whose setting is outlined.

    Raises
    ------
    EvidenceError
        If no runs can be compared.
    """
    costs.require_compared(advice.compared.unit)
    now = _in_use(advice)
    chosen = _shown_patience(costs, [advice.patience, now])
    columns = np.searchsorted(costs.patience, chosen)
    regret = costs.regret[:, columns]
    finite = regret[np.isfinite(regret)]
    scale = scale_of(finite.tolist(), "close_cost")
    told = costs.told[:, columns]
    texts = tuple(
        tuple(
            spoken_value(float(value), "difference", scale)
            if np.isfinite(value)
            else f"{number} of {costs.n_groups}"
            for value, number in zip(values, numbers, strict=True)
        )
        for values, numbers in zip(regret, told, strict=True)
    )
    places = {patience: place for place, patience in enumerate(chosen)}
    own = places.get(advice.patience or 0)
    in_use = places.get(now or 0) if 0 in costs.min_delta else None
    recommended = None if own is None else (costs.chosen, own)
    current = None if in_use is None else (costs.min_delta.index(0), in_use)
    bounds = bool(np.isnan(regret).any())
    note = _note(costs, advice, recommended, current, bounds=bounds)
    return MapPoints(
        tuple(chosen),
        costs.min_delta,
        regret,
        np.where(np.isfinite(regret), costs.cost[:, columns], np.nan),
        texts,
        recommended,
        current,
        note,
    )


def _in_use(advice: Recommendation) -> int | None:
    """Return the patience in use, if the setting changes nothing else."""
    patience = patience_in_use(advice.setting("current"))
    if patience is None or patience < 0 or not float(patience).is_integer():
        return None
    # to Keras a patience of 0 is one of 1
    return max(int(patience), 1)


def _shown_patience(costs: Costs, named: Iterable[int | None]) -> list[int]:
    """Choose the columns; after a few that no log tells, the axis ends."""
    top = int(costs.patience[-1])
    wanted = {patience for patience in _SHOWN if patience <= top}
    wanted |= {patience for patience in named if patience and 1 <= patience <= top}
    held = [patience for patience in sorted(wanted) if patience in costs.patience]
    at = np.searchsorted(costs.patience, held)
    known = np.isfinite(costs.regret[:, at]).any(axis=0)
    last = int(np.flatnonzero(known)[-1]) if known.any() else -1
    return [
        patience
        for place, patience in enumerate(held)
        if place <= last + _MOST_BOUNDS or patience in named
    ]


def _note(
    costs: Costs,
    advice: Recommendation,
    recommended: tuple[int, int] | None,
    current: tuple[int, int] | None,
    *,
    bounds: bool,
) -> str:
    trained = "and below it the share of the recorded epochs that is trained"
    n_runs = f"{costs.n_compared} {advice.compared.unit}s"
    parts = [f"{lost_words(advice)}, {trained}; means of {n_runs}."]
    if recommended is not None:
        parts.append("Outlined: recommended.")
    if current is not None and current != recommended:
        parts.append("Dashed: in use now.")
    in_use = advice.setting("current")
    if in_use is not None and current is None and in_use.mean_regret is None:
        told = f"Not in it: {setting_text(in_use)}, in use now. {_untold(in_use)}"
        parts.append(told)
    if bounds:
        parts.append(
            f"Hatched: not all of these tell; how many {advice.compared.unit}s do."
        )
    return " ".join(parts)


def _untold(scored: Scored) -> str:
    """Say why the logs do not tell what a setting loses."""
    if any(rule.changes_learning_rate for rule in scored.callbacks or ()):
        return AFTER_A_REDUCTION
    return "The logs do not tell what it loses."


@checked
def plot_map(
    points: MapPoints, *, look: Look = LIGHT, width: float = _WIDTH, note: bool = True
) -> Figure:
    """Draw the map; upright where it is narrow.

    Parameters
    ----------
    points : MapPoints
        What is drawn.
    look : Look
        The colours.
    width : float
        In inches.
    note : bool
        Whether to write the note above it.
    """
    upright = width < _NARROW
    across: list[str] = [str(patience) for patience in points.patience]
    down: list[str] = [f"{min_delta:g}" for min_delta in points.min_delta]
    names = ["patience", "min_delta"]
    if upright:
        across, down = down, across
        names.reverse()
    height = len(down) * (_UPRIGHT_CELL if upright else _CELL)
    figure, (ax,) = stack_axes(width, [height], look)
    _draw_cells(ax, points, look, upright=upright)
    _draw_outlines(ax, points, look, upright=upright)
    ax.set_xlim(0, len(across))
    ax.set_ylim(len(down), 0)
    ax.grid(visible=False)
    ax.set_xticks(np.arange(len(across)) + 0.5, across)
    ax.set_yticks(np.arange(len(down)) + 0.5, down)
    ax.set_xlabel(names[0], **style_text(look.muted))
    ax.set_ylabel(names[1], **style_text(look.muted))
    for spine in ax.spines.values():
        spine.set_visible(False)
    if note:
        _write_note(ax, points.note, look, width)
    fit_axes(figure, [height])
    return figure


def _write_note(ax: Axes, note: str, look: Look, width: float) -> None:
    lines = textwrap.wrap(note, int((width - 0.9) * 72 / _CHARACTER))
    ax.annotate(
        "\n".join(lines),
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        va="bottom",
        **style_text(look.muted, linespacing=1.25),
    )


def _draw_cells(ax: Axes, points: MapPoints, look: Look, *, upright: bool) -> None:
    known = points.regret[np.isfinite(points.regret)]
    most = float(known.max()) if known.size else 0.0
    for row, texts in enumerate(points.texts):
        for column, text in enumerate(texts):
            x, y = (row, column) if upright else (column, row)
            value = float(points.regret[row, column])
            trained = float(points.trained[row, column])
            share = (
                f"\n{spoken_value(trained, 'share')}" if np.isfinite(trained) else ""
            )
            fill = _fill(value, most, look)
            cell = Rectangle((x, y), 1, 1, linewidth=1.2, edgecolor=look.background)
            cell.set_facecolor(fill)
            ink, box = _readable(fill), None
            if not np.isfinite(value):
                cell.set(edgecolor=look.line, hatch="////")
                ink = look.muted
                box = {"facecolor": look.background, "edgecolor": "none", "pad": 1.2}
            ax.add_patch(cell)
            ax.text(
                x + 0.5,
                y + 0.5,
                f"{text}{share}",
                ha="center",
                va="center",
                bbox=box,
                **style_text(ink, fontsize=8.0),
            )


def _draw_outlines(ax: Axes, points: MapPoints, look: Look, *, upright: bool) -> None:
    outlines = [
        (points.current, look.text, "dashed"),
        (points.recommended, look.decision, "solid"),
    ]
    for place, color, dashes in outlines:
        if place is None:
            continue
        x, y = place if upright else place[::-1]
        ax.add_patch(
            Rectangle(
                (x, y),
                1,
                1,
                facecolor="none",
                edgecolor=color,
                linewidth=2.4,
                linestyle=dashes,
                clip_on=False,
                zorder=5,
            )
        )


def _fill(value: float, most: float, look: Look) -> str:
    """Return a colour: the more is lost, the stronger; by square root of the loss."""
    if not np.isfinite(value):
        return look.background
    share = (value / most) ** 0.5 if most > 0 else 0.0
    low, high = np.array(to_rgb(look.background)), np.array(to_rgb(look.monitored))
    mixed: str = to_hex(low + (0.06 + 0.94 * share) * (high - low))
    return mixed


def _readable(fill: str) -> str:
    """Return the ink with the higher contrast on a colour: black or white."""
    rgb = np.array(to_rgb(fill))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "#000000" if luminance >= _EQUAL_CONTRAST else "#ffffff"
