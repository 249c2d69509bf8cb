"""What settings cost, as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Figure, Row, Table, TableColumn
from cbreplay.plots.parameter_map import map_points
from cbreplay.plots.trade_off import trade_off_points
from cbreplay.recommend.side_by_side import setting_label
from cbreplay.words import count

if TYPE_CHECKING:
    from cbreplay.plots.parameter_map import MapPoints
    from cbreplay.recommend import Costs, Recommendation

__all__ = ["map_figure", "trade_off_figure"]


def map_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Draw what patience and min_delta cost."""
    points = map_points(costs, advice)
    return Figure(
        lambda: points,
        caption=(
            f"What patience and min_delta cost on the same {_compared(costs, advice)}: "
            f"the stronger the colour, the more is lost. {points.note}"
        ),
        alternative=f"Map of patience and min_delta: {points.note}",
        table=_map_table(points),
    )


def _map_table(points: MapPoints) -> Table:
    columns = (
        TableColumn("min_delta", "min_delta", "name"),
        *(TableColumn(str(n), str(n), "number") for n in points.patience),
    )
    rows = tuple(
        Row((f"{one:g}", *texts))
        for one, texts in zip(points.min_delta, points.texts, strict=True)
    )
    return Table(columns, rows, "The map as a table: a column is a patience")


def trade_off_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Draw what is lost against what is trained."""
    points = trade_off_points(costs, advice)
    words = "; ".join(one.words for one in points.named)
    drawn = {one.label for one in costs.named}
    absent = ", ".join(
        setting_label(one)
        for one in advice.settings
        if one.label not in drawn | {"start", "min_delta"}
    )
    rest = f" Not drawn, as not all of these tell it: {absent}." if absent else ""
    if costs.n_compared < costs.n_groups:
        rest += f" The table above is over all {advice.unit}s that tell a setting."
    return Figure(
        lambda: points,
        caption=(
            f"Each dot is a patience, means over the same {_compared(costs, advice)}. "
            f"In brackets: epochs trained, {points.axis}. Downwards and to the left is "
            f"better; the upper part is drawn closer together.{rest}"
        ),
        alternative=f"What is lost against what is trained: {words}.",
    )


def _compared(costs: Costs, advice: Recommendation) -> str:
    if costs.n_compared == costs.n_groups:
        return count(costs.n_groups, advice.unit)
    return f"{costs.n_compared} of {count(costs.n_groups, advice.unit)}"
