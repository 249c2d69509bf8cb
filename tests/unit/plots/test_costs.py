"""The map and the trade-off: every number and word in the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from cbreplay import EarlyStopping
from cbreplay.plots import (
    MapPoints,
    TradeOffPoints,
    map_points,
    plot_map,
    plot_trade_off,
    trade_off_points,
)
from cbreplay.plots.parameter_map import _fill, _readable
from cbreplay.plots.style import DARK, LIGHT, Look
from cbreplay.recommend import measure_costs, recommend_config, sweep_patience
from tests.recommended import make_run, pausing, pausing_runs, swept

if TYPE_CHECKING:
    from collections.abc import Iterable


def contrast(color: str, other: str) -> float:
    """Return the contrast ratio of two colours, ``#rrggbb``, as WCAG 2.2 has it."""

    def luminance(text: str) -> float:
        parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(color), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def drawn(
    patience: Iterable[int], *, planned: bool = True, now: int | None = None
) -> tuple[MapPoints, TradeOffPoints]:
    runs = pausing_runs(patience)
    if not planned:
        # each ends elsewhere, so that no plan explains them
        runs = [
            make_run(pausing(one, 33 + 3 * place), f"run{place}", planned=False)
            for place, one in enumerate(patience)
        ]
    sweep = swept(runs)
    stopping = EarlyStopping(patience=now or 0, restore_best_weights=True)
    current = None if now is None else (stopping,)
    advice = recommend_config(sweep, current=current)
    costs = measure_costs(sweep, advice, current=current)
    return map_points(costs, advice), trade_off_points(costs, advice)


BOUNDED = [1, 2, 12, 14, 15]
NINE = [1, 1, 2, 2, 20, 20, 20, 20, 20]


def test_the_map_holds_the_usual_values_and_the_named_ones() -> None:
    points, _ = drawn(NINE, now=6)
    assert points.patience == (1, 2, 3, 5, 6, 7, 10, 15, 20, 30)
    assert list(points.min_delta) == [0, 1e-4, 1e-3, 1e-2]
    assert points.recommended == (0, 8)
    # p = 20 alone loses 0.5 at patience 5: five of nine
    assert points.regret[0, 3] == pytest.approx(2.5 / 9)
    assert points.texts[0][3] == "0.278"
    assert points.texts[0][8] == "0"
    # a longer patience trains no less
    assert (np.diff(points.trained[0]) >= 0).all()
    assert points.current == (0, 4)
    assert points.note == (
        "val_loss above best, and below it the share of the recorded epochs that is "
        "trained; means of 9 runs. Outlined: recommended. Dashed: in use now."
    )


def test_a_bound_is_counted_in_words_and_has_no_number() -> None:
    points, _ = drawn(BOUNDED, planned=False)
    # 33, 36, ... epochs without a plan: p tells patience q up to p + q = 32, 35, ...,
    # so up to 31, 33, 26, 27 and 29
    assert points.texts[0][-1] == "2 of 5"
    assert np.isnan(points.regret[0, -1])
    assert "Hatched: not all of these tell; how many runs do." in points.note


@pytest.mark.parametrize("width", [4.3, 8.4])
def test_only_numbers_are_coloured(width: float) -> None:
    points, _ = drawn(BOUNDED, planned=False)
    (ax,) = plot_map(points, width=width).axes
    cells = [one for one in ax.patches if isinstance(one, Rectangle)]
    hatched = [one for one in cells if one.get_hatch()]
    assert len(hatched) == int(np.isnan(points.regret).sum())
    assert {one.get_facecolor() for one in hatched} == {(1.0, 1.0, 1.0, 1.0)}


def test_a_cell_shows_what_is_lost_above_what_is_trained() -> None:
    points, priced = drawn([1, 2, 3, 4])
    (ax,) = plot_map(points).axes
    shown = [text.get_text() for text in ax.texts]
    # patience 2 trains 15 of 4 x 40 epochs, 9.375 %, written as in a table
    assert priced.cost[1] == points.trained[0, 1] == pytest.approx(15 / 160)
    assert f"{points.texts[0][1]}\n9.4 %" in shown


@pytest.mark.parametrize("look", [LIGHT, DARK])
def test_a_number_can_be_read_on_every_colour(look: Look) -> None:
    for share in np.linspace(0, 1, 21):
        fill = _fill(share, 1.0, look)
        # WCAG 2.2, success criterion 1.4.3
        assert contrast(_readable(fill), fill) >= 4.5


def test_the_trade_off_is_the_row_of_the_chosen_min_delta() -> None:
    _, points = drawn([1, 2, 3, 4])
    assert points.patience[:4].tolist() == [1, 2, 3, 4]
    assert points.regret[:4].tolist() == [0.375, 0.25, 0.125, 0]
    # 15 of 4 x 40 epochs, as test_means_are_those_of_the_runs counts them
    assert points.cost[1] == pytest.approx(15 / 160)
    assert points.axis == "val_loss above best"
    (ax,) = plot_trade_off(points).axes
    assert ax.get_ylabel().endswith("(square-root scale)")


def test_settings_at_one_place_share_a_label() -> None:
    _, points = drawn(NINE)
    words = {one.words: one for one in points.named}
    (first,) = [one for one in points.named if one.is_recommended]
    # patience 20: four stop 20 after their best, the five others at p + q + 1 = 41 > 40
    trained = (2 * (22 + 23) + 5 * 40) / 9 / 40
    assert first.cost == pytest.approx(trained)
    assert first.name == "recommended, keeps the tolerance, cheapest: 20"
    assert first.words == f"{first.name} ({100 * trained:.0f} %, 0)"
    # 0.5 on seven of nine
    assert any("Keras's default: 0" in one and "0.39" in one for one in words)
    assert len({(one.cost, one.regret) for one in points.named}) == len(points.named)


@pytest.mark.parametrize("look", [LIGHT, DARK])
@pytest.mark.parametrize("width", [4.3, 8.4])
def test_the_pictures_hold_every_word(look: Look, width: float) -> None:
    points, trade_off = drawn(NINE, now=6)
    (ax,) = plot_map(points, look=look, width=width).axes
    told = [one.get_text() for one in ax.texts]
    lost = [text.partition("\n")[0] for text in told[:-1]]
    assert lost == [text for row in points.texts for text in row]
    assert " ".join(told[-1].split()) == points.note
    (ax,) = plot_trade_off(trade_off, look=look, width=width).axes
    told = [" ".join(one.get_text().split()) for one in ax.texts]
    assert sorted(told) == sorted(one.words for one in trade_off.named)


def test_the_monitor_is_named_where_another_series_is_judged() -> None:
    losses = pausing_runs(NINE)
    sweep = sweep_patience(
        losses, monitor="val_loss", objective="loss", semantics="keras-3.15"
    )[0]
    advice = recommend_config(sweep)
    costs = measure_costs(sweep, advice)
    words = "loss above best, stopping on val_loss"
    assert trade_off_points(costs, advice).axis == words
    assert map_points(costs, advice).note.startswith(f"{words}, and below it")
