"""``cbreplay plot`` and ``cbreplay report``: what they write, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay.cli.plot import _default_path
from tests.recommended import pausing_runs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

LOSSES = [0.8, 0.6, 0.4, 0.5, 0.52, 0.49, 0.5, 0.51]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [f"{epoch},{loss}" for epoch, loss in enumerate(LOSSES)]
    path = tmp_path / "first.csv"
    path.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    return path


def test_a_picture_is_written_beside_the_caller_and_named(log: Path, ask: Ask) -> None:
    answer = ask("plot", log)
    assert (answer.status, answer.out) == (0, "first.png\n")
    assert (log.parent / "first.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_is_written_and_named(log: Path, ask: Ask) -> None:
    answer = ask("report", log, "-o", "page.html", "--patience", "2")
    assert (answer.status, answer.out) == (0, "page.html\n")
    assert "EarlyStopping(patience=2" in (log.parent / "page.html").read_text()


def test_the_rates_of_several_settings_are_refused(log: Path, ask: Ask) -> None:
    words = ("--kind", "learning-rate", "--patience", "3:5")
    answer = ask("plot", log, *words)
    assert answer.status == 2
    assert "the command names 3 (3 of EarlyStopping.patience). Give one" in answer.err
    assert [one.name for one in log.parent.iterdir()] == ["first.csv"]


def test_a_picture_of_several_runs_is_refused(log: Path, ask: Ask) -> None:
    other = log.with_name("second.csv")
    other.write_text(log.read_text().replace("0.51", "0.31"))
    answer = ask("plot", log.parent)
    assert answer.status == 2
    assert "there are 2" in answer.err
    assert "cbreplay report" in answer.err


def test_what_a_recommendation_shall_keep_is_passed_on(log: Path, ask: Ask) -> None:
    runs = log.parent / "runs"
    runs.mkdir()
    for number, run in enumerate(pausing_runs([1, 2, 3, 30])):
        values = run.series["val_loss"].values.tolist()
        rows = [f"{epoch},{number},{value!r}" for epoch, value in enumerate(values)]
        text = "\n".join(["epoch,loss,val_loss", *rows, ""])
        (runs / f"{number}.csv").write_text(text)
    # rank ceil(5 x 0.6) = 3 of 4
    options = ("--tolerance", "0.25", "--confidence", "0.6", "--group-by", "none")
    screen = ask("recommend", "runs", *options).out
    assert ask("report", "runs", *options, "-o", "page.md").status == 0
    page = (log.parent / "page.md").read_text().replace("\\", "")
    title = " ".join(screen.partition("\n\n")[0].split())
    assert page.startswith(f"# {title}\n")
    assert "tolerance: 0.25 `val_loss`" in page
    refused = ask("report", "runs", "--tolerance", "much", "-o", "page.html")
    assert refused.status == 2
    assert "tolerance is 'much'" in refused.err


@pytest.mark.parametrize("kind", ["map", "trade-off"])
def test_what_settings_cost_on_several_runs_is_a_picture(
    log: Path, ask: Ask, kind: str
) -> None:
    for number, run in enumerate(pausing_runs([1, 2, 3])):
        values = run.series["val_loss"].values.tolist()
        rows = [f"{epoch},{number},{value!r}" for epoch, value in enumerate(values)]
        other = log.parent / "runs" / f"run{number}.csv"
        other.parent.mkdir(exist_ok=True)
        other.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    answer = ask("plot", "runs", "--kind", kind, "--patience", "2")
    assert (answer.status, answer.out) == (0, f"{kind}.png\n")
    assert (log.parent / f"{kind}.png").read_bytes().startswith(b"\x89PNG")
    assert ask("plot", "runs", "--kind", kind, "-o", "one.svg").status == 0
    svg = (log.parent / "one.svg").read_text()
    assert "val_loss above best" in svg
    refused = ask("plot", "runs", "--kind", kind, "--patience", "2:4")
    assert refused.status == 2
    assert "the command names 3 (3 of EarlyStopping.patience). Give one" in refused.err


@pytest.mark.parametrize("kind", ["map", "trade-off"])
def test_costs_of_one_run_or_of_runs_that_tell_nothing_are_refused(
    log: Path, ask: Ask, kind: str
) -> None:
    answer = ask("plot", log, "--kind", kind)
    assert answer.status == 2
    assert "compares settings over several runs, and there is one" in answer.err
    (log.parent / "runs").mkdir()
    for n_epochs in (5, 6):
        rows = [f"{epoch},{n_epochs},{1 - epoch / 10}" for epoch in range(n_epochs)]
        path = log.parent / "runs" / f"run{n_epochs}.csv"
        path.write_text("\n".join(["epoch,loss,val_loss", *rows, ""]))
    answer = ask("plot", "runs", "--kind", kind)
    assert answer.status == 2
    assert "no patience is told by enough runs to be compared" in answer.err
    assert not list(log.parent.glob("*.png"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("logs.csv", "logs.png"),
        ("../../etc/passwd", "etc-passwd.png"),
        ("a b\x00/c", "a-b-c.png"),
        ("...", "run.png"),
        ("-o", "o.png"),
    ],
)
def test_a_name_from_a_log_is_never_a_path(name: str, file: str) -> None:
    assert str(_default_path(name)) == file
