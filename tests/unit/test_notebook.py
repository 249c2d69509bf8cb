"""A training in, an answer out that shows itself: as HTML, text, picture, table."""

from __future__ import annotations

import html.parser
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import cbreplay
from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    Run,
    build_staircase,
    choices,
    compare_replays,
    explain_replay,
    load_runs,
    make_grid,
    recommend_config,
    replay_run,
    sweep_runs,
)
from cbreplay.given import as_runs
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOSSES = [0.9, 0.5, 0.6, 0.7, 0.7]
RULES = "keras-3.15"
# what HTML inside a notebook must do without
FORBIDDEN = {"script", "link", "iframe", "object"}
VOID = {"img", "br"}
ONE_RUN = {"Run", "Replay", "Staircase", "Explanation", "ReplayComparison"}


class Page(html.parser.HTMLParser):
    """Reads a page as one does where styles and scripts are stripped."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.styles: list[str] = []
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.words += data.split()

    @property
    def text(self) -> str:
        # a sign may stand right behind a name that is set as code
        return re.sub(r" (?=[;,.])", "", " ".join(self.words))


def results() -> list[Any]:
    runs = [
        Run.from_logs(
            [{"val_loss": loss + seed / 100} for loss in LOSSES], name=f"seed{seed}"
        )
        for seed in range(3)
    ]
    first, rival = (
        replay_run(runs[0], EarlyStopping(patience=patience), semantics=RULES)
        for patience in (1, 3)
    )
    tried = choices(EarlyStopping, patience=range(101), restore_best_weights=True)
    sweep = sweep_runs(runs, make_grid([tried]), semantics=RULES)
    return [
        runs[0],
        first,
        build_staircase(runs[0], semantics=RULES),
        sweep,
        recommend_config(sweep),
        explain_replay(first),
        compare_replays(first, rival),
    ]


def assert_only_dark_pictures_are_styled(page: Page) -> None:
    """A style is only for pictures where the notebook says that it is dark."""
    for rule in page.styles:
        selectors, _, declared = rule.partition("{")
        assert all(
            re.fullmatch(r"\S*dark|\S*light=\"false\"\]", selector.split()[0])
            and selector.split()[1:] == [".cbreplay-picture"]
            for selector in selectors.split(",")
        )
        assert declared == "filter:invert(1) hue-rotate(180deg)}"


@pytest.mark.parametrize("result", results(), ids=lambda one: type(one).__name__)
def test_every_result_shows_itself(result: Any) -> None:
    page = Page(result._repr_html_())
    assert not page.seen & FORBIDDEN
    assert_only_dark_pictures_are_styled(page)
    # the page that it stands in may be light or dark
    styles = " ".join(value or "" for name, value in page.attributes if name == "style")
    assert "color:#" not in styles
    assert "background:#" not in styles
    # the first sentence of the terminal is the first of the page
    text = str(result)
    headline = " ".join(text.partition("\n\n")[0].split())
    assert headline
    assert headline in page.text
    assert len(result.to_frame()) > 0


def test_a_history_a_dict_and_a_path_are_asked_alike(tmp_path: Path) -> None:
    class History:
        """As Keras returns it: the epochs, and the values of each series."""

        def __init__(self) -> None:
            self.epoch = [*range(len(LOSSES))]
            self.history = {"val_loss": LOSSES}
            self.params = {"epochs": 5}

    History.__module__ = "keras.src.callbacks.history"
    path = tmp_path / "logs.csv"
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(LOSSES)]
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    (run,) = load_runs(path)
    for source in (History(), History().history, path, str(path), run, [run]):
        answer = cbreplay.ask(source, semantics=RULES)
        # patience 1 stops at the third epoch and keeps the second
        assert answer.data.sufficient_patience() == 1
        assert str(answer).startswith("On this run patience 1 was enough: it keeps the")
        assert repr(answer) == str(answer)


def test_settings_and_rivals_are_asked_in_any_form() -> None:
    series = {"val_loss": LOSSES}
    tried = choices(EarlyStopping, patience=[1, 2])
    for settings in (tried, [tried], "EarlyStopping(patience=[1, 2])"):
        answer = cbreplay.ask(series, settings, semantics=RULES)
        assert answer.to_frame()["stopped_epoch"].tolist() == [2, 3]
    versus = cbreplay.ask(
        series,
        EarlyStopping(patience=1),
        versus="EarlyStopping(patience=2)",
        semantics=RULES,
    )
    assert str(versus).startswith("A (patience 1) keeps the better val_loss;")
    with pytest.raises(ConfigError, match="compares one list with one"):
        cbreplay.ask(series, tried, versus=tried)


def test_several_trainings_are_advised_on(tmp_path: Path) -> None:
    answer = cbreplay.ask(ROOT / "sample_logs" / "digits-mlp", semantics=RULES)
    headline = f"Patience {answer.data.patience}"
    assert headline in answer._repr_html_()
    assert answer.save(tmp_path / "advice.png").stat().st_size > 1000
    assert answer.save(tmp_path / "advice.md").read_text().startswith(f"# {headline}")


def test_several_patience_values_are_drawn() -> None:
    staircase = build_staircase(Run.from_logs([{"val_loss": v} for v in LOSSES]))
    (curve,) = staircase.plot(patience=[1, 2]).axes
    words = [" ".join(text.get_text().split()) for text in curve.texts]
    assert "patience=1: stops at epoch 3 of 5, saves 2 epochs" in words
    assert "patience=2: stops at epoch 4 of 5, saves 1 epoch" in words
    run = Run.from_logs([{"val_loss": v} for v in LOSSES])
    assert run.plot(patience=1).axes
    assert run.plot().axes


@pytest.mark.parametrize("patience", ["5", [1, "5"], [[1]], {}], ids=repr)
def test_a_patience_that_is_no_number_is_refused(patience: Any) -> None:
    run = Run.from_logs([{"val_loss": v} for v in LOSSES])
    with pytest.raises(ConfigError) as told:
        run.plot(patience=patience)
    assert str(told.value) == (
        f"patience is {patience!r}, where a number or a list of numbers is expected"
    )
    with pytest.raises(ConfigError, match="nothing to draw"):
        run.plot(patience=[])


def test_numbers_of_numpy_are_numbers() -> None:
    run = Run.from_logs([{"val_loss": v} for v in LOSSES])
    drawn, plain = (
        run.plot(patience=value).axes[0].texts for value in (np.int64(1), 1)
    )
    assert [text.get_text() for text in drawn] == [text.get_text() for text in plain]


@pytest.mark.parametrize("source", [[], (), iter([])], ids=["list", "tuple", "iter"])
def test_nothing_to_ask_about_is_refused(source: Any) -> None:
    with pytest.raises(ConfigError, match="no trainings to ask about"):
        cbreplay.ask(source)


def test_advice_that_prices_nothing_has_no_picture() -> None:
    # each is infinite throughout: nothing that a patience costs is a number
    runs = [
        Run.from_logs([{"val_loss": float("inf")}] * n, name=f"run{n}") for n in (8, 9)
    ]
    with pytest.raises(EvidenceError, match="there is nothing to draw"):
        cbreplay.ask(runs, semantics=RULES).plot()


def test_what_is_about_one_run_has_a_picture_and_advice_through_ask() -> None:
    pictured = [result for result in results() if type(result).__name__ in ONE_RUN]
    assert len(pictured) == len(ONE_RUN)
    assert all(result.plot().axes for result in pictured)
    runs = ROOT / "sample_logs" / "digits-mlp"
    assert cbreplay.ask(runs, semantics=RULES).plot().axes


def test_a_figure_is_dark_in_a_dark_notebook_whatever_is_drawn_into_it() -> None:
    figure = results()[0].plot(patience=1)
    figure.axes[0].text(1, 0.5, "mine <b>")
    page = Page(figure._repr_html_())
    assert page.styles
    assert_only_dark_pictures_are_styled(page)
    assert not page.seen & FORBIDDEN
    (alternative,) = (text for name, text in page.attributes if name == "alt")
    assert "stops" in (alternative or "")
    assert "mine <b>" in (alternative or "")
    assert figure._repr_png_()[:4] == b"\x89PNG"


def test_no_name_of_a_log_acts_in_a_notebook() -> None:
    hostile = "<script>alert(1)</script>\x1b[31m"
    run = Run.from_logs([{"val_loss": 1.0, hostile: 2.0}], name=hostile)
    page = Page(run._repr_html_())
    assert "script" not in page.seen
    assert "<script>alert(1)</script>\\x1b[31m" in page.text


def test_several_objects_have_names_of_their_own() -> None:
    falling = [{"val_loss": [0.9, 0.5, 0.6 + n / 10, 0.7]} for n in range(3)]
    alone = Run.from_logs([{"val_loss": 1.0}], name="alone")
    runs = as_runs([*falling, alone])
    assert [run.name for run in runs] == ["dict", "dict (2)", "dict (3)", "alone"]
    assert as_runs(iter([alone]))[0] is alone
    assert "dict (3)" in str(cbreplay.ask(falling, semantics=RULES))


def test_a_history_goes_in_everywhere_and_an_error_prints_none_of_it(
    tmp_path: Path,
) -> None:
    series = {"val_loss": LOSSES}
    stopping = EarlyStopping(patience=1)
    assert replay_run(series, stopping, semantics=RULES).stopped_epoch == 2
    assert build_staircase(series, semantics=RULES).sufficient_patience() == 1
    assert sweep_runs(series, make_grid([stopping]), semantics=RULES).shape == (1, 1)
    assert sweep_runs([series] * 2, [stopping], semantics=RULES).shape == (2, 1)
    for given in (5.25, [1.25, 2.25], object()):
        with pytest.raises(ConfigError, match="is no source of runs") as told:
            replay_run(given, stopping)
        assert ".25" not in str(told.value)
    for seed in range(2):
        (tmp_path / str(seed)).mkdir()
        rows = "".join(f"{at},{0.5 + seed * at}\n" for at in range(3))
        (tmp_path / str(seed) / "logs.csv").write_text(f"epoch,val_loss\n{rows}")
    with pytest.raises(ConfigError, match="it holds 2 runs, and one is asked about"):
        build_staircase(tmp_path)


def test_runs_of_one_name_are_told_apart() -> None:
    """Runs made of logs have no name of their own, and so do those of two load_runs."""
    runs = [Run.from_logs([{"loss": 0.5}], name=name) for name in ("a", "b", "a")]
    assert [run.name for run in as_runs(runs)] == ["a", "b", "a (2)"]
