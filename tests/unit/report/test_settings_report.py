"""A page about several settings beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay import EarlyStopping, Run, choices, make_grid
from cbreplay.document import Figure, Notice, plain_text
from cbreplay.report import build_settings_report, write_html, write_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

LOSSES = [0.9, 0.5, 0.6, 0.4, 0.5, 0.6]
GRID = make_grid([choices(EarlyStopping, patience=[1, 2], restore_best_weights=True)])


def run_of(name: str, gain: float = 0.0) -> Run:
    return Run.from_logs([{"val_loss": loss - gain} for loss in LOSSES], name=name)


def test_one_run_gets_its_curve_and_its_doubt() -> None:
    document = build_settings_report([run_of("one")], GRID, semantics="keras-3.15")
    assert plain_text(document.headline) == (
        "This log decides both settings; patience=2 keeps the best val_loss."
    )
    blocks = [block for section in document.sections for block in section.blocks]
    (figure,) = [block for block in blocks if isinstance(block, Figure)]
    assert figure.caption.startswith(
        "one. patience=1: stops at epoch 3, keeps epoch 2 (0.5000); patience=2: stops"
    )
    (doubts,) = [block for block in blocks if isinstance(block, Notice)]
    assert plain_text(doubts.points[0]) == "One run cannot say what the next needs."
    assert "patience=2: stops at epoch 6" in write_html(document)


def test_several_runs_are_summed_up_before_every_row() -> None:
    runs = [run_of("one"), run_of("two", 0.1)]
    document = build_settings_report(runs, GRID, semantics="keras-3.15")
    titles = [section.title for section in document.sections]
    assert titles[:2] == ["The settings side by side", "Every setting"]
    assert "| **2** | 2 of 2 | 0 |" in write_markdown(document)


def test_the_command_writes_it(ask: Ask, sample_logs: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    words = ("report", sample_logs / "overfit.csv", "--patience", "3,7", "-o", target)
    assert ask(*words).status == 0
    assert "patience=7" in target.read_text()


def test_what_the_colours_mean_is_told_where_there_is_a_picture(
    ask: Ask, tmp_path: Path
) -> None:
    log = tmp_path / "logs.csv"
    # loss is drawn faintly all along: only the judged curve turns grey
    rows = ["epoch,loss,val_loss", "0,.9,.8", "1,.8,.6", "2,.7,.7", "3,.6,.75", ""]
    log.write_text("\n".join(rows))
    grey = "Where the curve turns grey, the log goes on after "
    for patience in ("1", "1,2"):
        pages = {}
        for ending in ("md", "html"):
            page = tmp_path / f"page.{ending}"
            assert ask("report", log, "--patience", patience, "-o", page).status == 0
            pages[ending] = page.read_text()
        assert grey in pages["html"]
        assert grey not in pages["md"]
        assert "on the curve" in pages["html"]
        assert "on the curve" not in pages["md"]
