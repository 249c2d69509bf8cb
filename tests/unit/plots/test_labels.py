"""Labels above a picture: which row, and which side of its line, each one has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cbreplay.plots.labels import Label, _stacked

WIDTH = 460.0
labels = st.lists(
    st.tuples(
        st.integers(0, 100).map(lambda percent: percent * WIDTH / 100),
        st.text("abc ", min_size=1, max_size=30).map(lambda text: f"x{text}x"),
    ),
    max_size=8,
)


def stacked(placed: list[tuple[float, str]]) -> list[tuple[str, bool]]:
    """Return the texts from the lowest up, and whether each stands to the right."""
    known = [Label(line, text, "best") for line, text in placed]
    rows = _stacked(known, [line for line, _ in placed], WIDTH)
    return [(row.text, row.rightwards) for row in rows]


@given(labels)
def test_each_label_has_one_row(placed: list[tuple[float, str]]) -> None:
    words = sorted(" ".join(text.split()) for _, text in placed)
    assert sorted(" ".join(text.split()) for text, _ in stacked(placed)) == words


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8, unique=True))
def test_no_line_passes_a_text_where_all_stand_on_one_side(percents: list[int]) -> None:
    """Texts of 40 points, lines of the left half: the rightmost has the lowest row.

    A text to the right of a line then only has lines at its left above it.
    """
    lines = [percent * WIDTH / 250 for percent in percents]
    known = [Label(line, "8 digits", "best") for line in lines]
    rows = list(_stacked(known, lines, WIDTH))
    for at, row in enumerate(rows):
        assert not any(row.is_crossed(above.label.epoch) for above in rows[at + 1 :])


def test_a_text_goes_to_the_other_side_rather_than_across_a_line() -> None:
    """Settings of 300 runs: to the right 41 % would be passed by 52, 55 and 64 %."""
    placed = {
        "Keras's default: 0 (11 %, 0.3952)": 0.11,
        "patience 5 (41 %, 0.0339)": 0.41,
        "best epoch in hindsight (52 %, 0)": 0.52,
        "patience 10 (55 %, 0.0054)": 0.55,
        "cheapest: 15 (64 %, 0.0015)": 0.64,
        "recommended: 40 (87 %, 2.0e-05)": 0.87,
        "train all, keep the best (100 %, 0)": 1.0,
    }
    lines = [WIDTH * share for share in placed.values()]
    known = [Label(0.0, text, "best") for text in placed]
    rows = list(_stacked(known, lines, WIDTH))
    assert (rows[0].text, rows[0].rightwards) == ("patience 5 (41 %, 0.0339)", False)
    heights = {row.text: at for at, row in enumerate(rows)}
    for row in rows:
        assert not any(
            row.is_crossed(WIDTH * share)
            for text, share in placed.items()
            if heights[text] > heights[row.text]
        )


def test_a_text_that_fits_beside_its_line_is_not_wrapped() -> None:
    """Of 52 characters the mean one has 4.7 points, and there are 268."""
    text = "patience=3: stops at epoch 38 of 60, saves 22 epochs"
    (row,) = _stacked([Label(0.0, text, "decision")], [268.0], WIDTH)
    assert (row.text, row.rightwards) == (text, False)
    assert 52 * 4.5 < row.end - row.start < 52 * 4.9


def test_lines_to_one_epoch_pass_no_text() -> None:
    """Two settings keep the same epoch: the upper line goes down beside both texts."""
    known = [Label(0.0, text, "decision") for text in ("keeps 44", "so far keeps 44")]
    lower, upper = _stacked(known, [230.0, 230.0], WIDTH)
    assert {lower.label, upper.label} == set(known)
    assert not lower.is_crossed(230.0)
