"""What settings cost, as figures: their points, and the words that say the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cbreplay.document import Figure, Row, Section, Table, TableColumn
from cbreplay.recommend.setting_names import setting_label
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.plots.parameter_map import MapPoints
    from cbreplay.recommend import Costs, Recommendation

__all__ = ["cost_sections"]


def cost_sections(costs: Costs, advice: Recommendation) -> Iterator[Section]:
    """Yield the trade-off and the map, where any groups can be compared."""
    if costs.n_compared:
        title = "What is lost against what is trained"
        yield Section(title, (_trade_off_figure(costs, advice),), on="page")
        title = "Patience and min_delta"
        yield Section(title, (_map_figure(costs, advice),), on="page")


def _map_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Return the map of what patience and min_delta cost."""
    from cbreplay.plots.parameter_map import map_points
    from cbreplay.plots.picture_text import lost_words

    points = map_points(costs, advice)
    return Figure(
        lambda: points,
        caption=(
            f"What patience and min_delta cost on the same {_compared(costs, advice)}: "
            f"the stronger the colour, the more is lost. {points.note}"
        ),
        alternative=f"Map of patience and min_delta: {points.note}",
        table=_map_table(points, lost_words(advice)),
    )


def _map_table(points: MapPoints, lost: str) -> Table:
    columns = (
        TableColumn("min_delta", "min_delta", "name"),
        *(TableColumn(str(n), str(n), "number") for n in points.patience),
    )
    rows = tuple(
        Row((f"{min_delta:g}", *texts))
        for min_delta, texts in zip(points.min_delta, points.texts, strict=True)
    )
    return Table(columns, rows, f"The map as a table: {lost}; a column is a patience")


def _trade_off_figure(costs: Costs, advice: Recommendation) -> Figure:
    """Return what is lost against what is trained."""
    from cbreplay.plots.trade_off import trade_off_points

    points = trade_off_points(costs, advice)
    words = "; ".join(named.words for named in points.named)
    drawn = {scored.label for scored in costs.named}
    absent = ", ".join(
        setting_label(scored)
        for scored in advice.settings
        if scored.label not in drawn | {"start", "min_delta"}
    )
    rest = f" Not drawn, as not all of these tell it: {absent}." if absent else ""
    ruined = ", ".join(
        setting_label(scored)
        for scored in costs.named
        if scored.mean_regret == math.inf
    )
    rest += f" Not drawn, as they lose everything: {ruined}." if ruined else ""
    if costs.n_compared < costs.n_groups:
        rest += (
            f" The table above is over all {advice.compared.unit}s that tell a setting."
        )
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
        return count(costs.n_groups, advice.compared.unit)
    return f"{costs.n_compared} of {count(costs.n_groups, advice.compared.unit)}"
