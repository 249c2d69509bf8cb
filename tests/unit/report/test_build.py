from __future__ import annotations

import hashlib
import html
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    Series,
    UnknownMonitorError,
)
from cbreplay.document import (
    CodeBlock,
    Figure,
    Gallery,
    Notice,
    Points,
    Section,
    Table,
    plain_text,
    spoken_cells,
)
from cbreplay.report import Document, build_report, write_html, write_markdown
from cbreplay.run_metadata import Ended, RunMetadata
from cbreplay.writers.as_text import write_text
from tests.recommended import pausing_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cbreplay.rules.base import Callback
    from tests.conftest import Ask

# best at epoch 3 (of 8): waits 1, 2 after it, then two better ones never come
LOSSES = [0.8, 0.6, 0.4, 0.5, 0.52, 0.49, 0.5, 0.51]


def run_of(losses: Iterable[float] = LOSSES, name: str = "seed0", **more: Any) -> Run:
    return Run.from_logs([{"val_loss": one} for one in losses], name=name, **more)


def report_on(*runs: Run, **question: Any) -> Document:
    return build_report(
        runs,
        semantics="keras-3.15",
        command="cbreplay report logs.csv",
        made="2026-11-23 09:00 UTC",
        **question,
    )


def section(document: Document, title: str) -> Section:
    return next(one for one in document.sections if one.title.startswith(title))


def table(document: Document, title: str) -> list[dict[str, str]]:
    found = next(
        one for one in section(document, title).blocks if isinstance(one, Table)
    )
    names = [one.title for one in found.columns if one.shown != "programs"]
    return [dict(zip(names, row, strict=False)) for row in spoken_cells(found)]


def headline(document: Document) -> str:
    return plain_text(document.headline)


def doubts(document: Document) -> str:
    notice = section(document, "Before you trust it").blocks[0]
    assert isinstance(notice, Notice)
    return "\n".join(plain_text(point) for point in notice.points)


def outcome(document: Document) -> dict[str, str]:
    rows = table(document, "What it would have done")
    return {row["Outcome"]: row["On this run"] for row in rows}


# one run


def test_one_run_is_answered_in_one_sentence() -> None:
    document = report_on(run_of())
    # patience 0 and 1 both stop at epoch 4 and keep epoch 3, saving 4 of 8
    assert headline(document) == (
        "On this run patience 1 was enough: it keeps the best epoch, 3, and stops at 4 "
        "of 8 (4 epochs saved). One run cannot say what the next needs."
    )
    assert "how many were planned is not recorded" in plain_text(document.lead)


def test_the_sufficient_setting_is_code_and_no_recommendation() -> None:
    block = section(report_on(run_of()), "What would have been enough").blocks[0]
    assert isinstance(block, CodeBlock)
    assert block.code.splitlines()[2:5] == [
        '        monitor="val_loss",',
        "        patience=1,",
        "        restore_best_weights=True,",
    ]
    assert "Not a recommendation" in write_markdown(report_on(run_of()))


def test_the_staircase_counts_epochs_from_one_and_ends_with_the_log() -> None:
    rows = table(report_on(run_of()), "Every patience")
    assert rows[0] == {
        "patience": "0-5",
        "stops at": "4-8",
        "keeps": "3",
        "val_loss": "0.4000",
        "above best": "0",
        "saved": "4-0",
    }
    assert rows[-1] == {
        "patience": "6 or more",
        "stops at": "not in the log: it ends at epoch 8, 5 epochs after its best",
    }


def test_epochs_are_said_to_be_saved_of_those_on_record_and_not_of_a_plan() -> None:
    said = "saved: of the 8 recorded epochs, not of the 20 planned"
    for planned, is_said in [(20, True), (8, False), (None, False)]:
        run = replace(run_of(), planned_epochs=planned)
        (page,) = {write_markdown(report_on(run))}
        assert (said in page) == is_said


def test_the_page_of_a_checkpoint_says_which_epoch_its_file_holds() -> None:
    # the least of these is the third
    saving = ModelCheckpoint("best.keras", save_best_only=True)
    held = outcome(report_on(run_of(), callbacks=[saving]))
    assert held["best.keras holds epoch so far"] == "3, val_loss 0.4000"
    # a file an epoch: the last three of eight
    held = outcome(report_on(run_of(), callbacks=[ModelCheckpoint("{epoch}.keras")]))
    files = {name: epoch for name, epoch in held.items() if ".keras" in name}
    assert held["Files left"] == "8"
    assert [name.split()[0] for name in files] == ["6.keras", "7.keras", "8.keras"]


def test_no_row_saves_more_epochs_than_were_recorded() -> None:
    losses = np.random.default_rng(0).normal(size=60)
    for row in table(report_on(run_of(losses)), "Every patience")[:-1]:
        assert max(int(one) for one in row["saved"].split("-")) < 60


def test_a_log_in_which_nothing_stops_carries_no_setting() -> None:
    document = report_on(run_of([0.9, 0.8, 0.7]))
    assert headline(document).startswith(
        "No patience stops inside this log: it ends at"
    )
    assert "callbacks = [" not in write_html(document)
    assert outcome(document)["Evidence"] == "not in the log (it ends at epoch 3)"
    assert outcome(document)["Epochs saved"] == "0"
    assert "still improving" in doubts(document)


def test_a_named_setting_is_answered_with_what_it_costs() -> None:
    stopping = EarlyStopping(patience=2, min_delta=0.3, restore_best_weights=True)
    document = report_on(run_of(), callbacks=[stopping])
    # .8 first; .6 is not .3 better, .4 is: kept 3, and patience 2 stops at 5
    assert outcome(document) == {
        "Evidence": "exact",
        "Stops at epoch": "5 of 8",
        "Keeps epoch": "3",
        "val_loss": "0.4000",
        "Above best": "0",
        "Epochs trained": "5",
        "Epochs saved": "3",
    }
    assert "stops at epoch 5 of 8, and keeps epoch 3" in headline(document)


def test_after_a_rate_change_the_page_says_that_the_log_says_nothing() -> None:
    logs = [{"val_loss": one, "learning_rate": 0.5} for one in LOSSES]
    callbacks = [EarlyStopping(patience=4), ReduceLROnPlateau(factor=0.5, patience=2)]
    document = report_on(Run.from_logs(logs), callbacks=callbacks)
    # waits at epochs 4 and 5: reduced after 5
    said = (
        "this setting changes the learning rate after epoch 5, and the log shows no "
        "such change: from there on it says nothing"
    )
    assert outcome(document)["Evidence"] == said
    assert outcome(document)["Reduction 1"] == "to 0.25 after epoch 5"
    assert "Keeps epoch" not in outcome(document)
    figures = section(document, "The learning rate").blocks
    assert isinstance(figures[0], Figure)


def test_one_run_never_promises_the_next() -> None:
    assert headline(report_on(run_of())).endswith("cannot say what the next needs.")
    # no patience stops inside a log that only falls: nothing was said first
    falling = report_on(run_of([0.9, 0.8, 0.7]))
    assert "One run cannot say what the next needs." in doubts(falling)


def test_its_own_stop_and_what_was_noted_are_doubts() -> None:
    ended = RunMetadata(ended=Ended("EarlyStopping", 7))
    run = replace(run_of().with_notes("a row was dropped"), metadata=ended)
    said = doubts(report_on(run))
    assert "Its own EarlyStopping ended this training" in said
    assert "A row was dropped" in said


def test_values_that_are_no_numbers_are_doubts() -> None:
    said = doubts(report_on(run_of([0.8, math.nan, 0.4, math.inf, 0.5, 0.6])))
    assert "val_loss is NaN or infinite in 2 epochs, first in epoch 2" in said


def test_the_inputs_are_named_with_their_checksums(tmp_path: Path) -> None:
    log = tmp_path / "logs.csv"
    log.write_bytes(b"epoch,val_loss\n")
    document = report_on(replace(run_of(), source=str(log)))
    tables = [
        one
        for one in section(document, "How this was computed").blocks
        if isinstance(one, Table)
    ]
    digest = hashlib.sha256(b"epoch,val_loss\n").hexdigest()
    assert spoken_cells(tables[1]) == [["seed0", str(log), "15", digest]]
    assert ["made", "2026-11-23 09:00 UTC"] in spoken_cells(tables[0])


# several runs


def three_runs() -> Sequence[Run]:
    return (
        run_of(name="a"),
        # stops under patience 0 and keeps .6, where .3 comes later
        run_of([0.9, 0.6, 0.7, 0.3, 0.4, 0.5, 0.6, 0.7], name="b"),
        run_of([0.9, 0.8, 0.7], name="c"),
    )


def test_provisional_costs_are_counted_and_never_averaged() -> None:
    # a page about one setting shows the fixed ones beside it
    document = report_on(*three_runs(), callbacks=[EarlyStopping(patience=10)])
    rows = {row["Setting"]: row for row in table(document, "Fixed")}
    default = rows["patience 0 (Keras's default patience)"]
    # exact for a (regret 0) and b (.6 - .3); c never stops
    assert (default["Exact"], default["Not in the log"]) == ("2", "1")
    assert default["Mean above best"] == "0.1500"
    assert default["Worst above best"] == "0.3000"
    assert default["Worst run"] == "b"
    # 4 of a's 8 epochs and 5 of b's 8
    assert default["Epochs saved"] == "9 of 16"
    assert rows["patience 50"]["Exact"] == "no run of 3 answers this exactly"


def test_without_an_exact_run_nothing_is_averaged_in_the_headline() -> None:
    stopping = EarlyStopping(patience=10)
    document = report_on(*three_runs(), callbacks=[stopping])
    assert headline(document) == (
        "The logs decide EarlyStopping(patience=10) on none of 3 runs: it stops inside "
        "none of these logs."
    )


def test_what_is_lost_without_a_number_is_averaged_nowhere() -> None:
    """Patience 1 keeps .6 of a, where .3 comes later, and inf of b."""
    falling = run_of([0.9, 0.6, 0.7, 0.3, 0.4, 0.5, 0.6, 0.7], name="a")
    infinite = run_of([float("inf"), float("inf"), 0.9, 0.8, 0.9], name="b")
    stopping = EarlyStopping(patience=1, restore_best_weights=True)
    document = report_on(falling, infinite, callbacks=[stopping])
    assert headline(document).startswith(
        "On the 1 of 2 runs that tells it, EarlyStopping(patience=1, "
        "restore_best_weights=True) loses 0.3000 val_loss against the best; over the 2 "
    )
    row = table(document, "Fixed")[-1]
    assert (row["Mean above best"], row["Worst run"]) == ("0.3000", "a")
    # 5 of a's 8 epochs and 3 of b's 5
    assert row["Epochs saved"] == "8 of 13"


def test_a_named_setting_stands_beside_the_baselines() -> None:
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    document = report_on(*three_runs(), callbacks=[stopping])
    name = "EarlyStopping(patience=3, restore_best_weights=True)"
    assert table(document, "Fixed")[-1]["Setting"] == name
    assert headline(document) == (
        f"On the 2 of 3 runs whose logs decide it, {name} keeps the best val_loss of "
        "each; it saves 3 of 16 epochs. That describes these runs, not the next."
    )


def test_a_headline_about_one_of_several_runs_speaks_of_one() -> None:
    long = run_of([0.9, 0.5, 0.4, 0.6, 0.7, 0.3], name="long")
    short = run_of([0.9, 0.5], name="short")
    stopping = EarlyStopping(patience=2, restore_best_weights=True)
    # long stops at 5 of 6 and keeps .4, where .3 comes later; short ends before
    document = report_on(long, short, callbacks=[stopping])
    assert headline(document) == (
        "On the 1 of 2 runs whose log decides it, EarlyStopping(patience=2, "
        "restore_best_weights=True) loses 0.1000 val_loss against the best; it saves "
        "1 of 6 epochs. That describes this run, not the next."
    )


def test_every_run_says_how_far_it_is_evidence() -> None:
    rows = table(report_on(*three_runs()), "Every run, at")
    assert [row["Evidence"] for row in rows] == [
        "log ends at 8",
        "log ends at 8",
        "log ends at 3",
    ]
    assert rows[0]["Stops at"] == rows[0]["Saved"] == "-"


def test_a_run_that_cannot_be_replayed_is_listed_with_the_reason() -> None:
    other = Run.from_logs([{"loss": 0.5}], name="no validation")
    document = report_on(*three_runs(), other)
    row = table(document, "Left out")[0]
    assert row["Run"] == "no validation"
    assert "has no series 'val_loss'" in row["Why"]
    assert len(table(document, "Every run")) == 3


def test_a_page_of_runs_that_all_cannot_be_replayed_is_refused() -> None:
    other = Run.from_logs([{"loss": 0.5}])
    with pytest.raises(UnknownMonitorError):
        report_on(other, other)
    with pytest.raises(UnknownMonitorError):
        report_on(other)


def test_runs_that_cannot_be_compared_recommend_nothing_and_say_why() -> None:
    foreign = RunMetadata(keras_version="theano-1.0")
    runs = [*three_runs(), replace(run_of(name="d"), metadata=foreign)]
    document = build_report(runs)
    assert headline(document) == (
        "The logs decide patience 10 on none of 3 runs: it stops inside none of these "
        "logs."
    )
    said = doubts(document)
    assert "This page recommends nothing. 4 runs cannot be compared: 'theano-" in said
    assert len(table(document, "Fixed settings")) == 5


def test_runs_that_hold_no_number_recommend_nothing_and_say_why() -> None:
    failing = run_of([math.nan] * 8, name="d")
    document = report_on(failing, replace(failing, name="e"))
    assert "callbacks = [" not in write_html(document)
    assert headline(document) == (
        "No setting is recommended: of 2 runs one counts, and one run describes "
        "only itself; what holds for the next takes several."
    )
    assert "Why none is recommended" in [one.title for one in document.sections]


def said_in(document: Document, title: str) -> list[str]:
    points = next(
        one for one in section(document, title).blocks if isinstance(one, Points)
    )
    return [plain_text(one) for one in points.points]


def advised_runs(
    patience: Iterable[int] = (1, 1, 2, 2, 20, 20, 20, 20, 20),
) -> list[Run]:
    return pausing_runs(patience)


def test_the_page_says_what_the_command_says(ask: Ask, tmp_path: Path) -> None:
    """Every sentence of the screen is on the page, word for word."""
    for number, run in enumerate(advised_runs()):
        values = run.series["val_loss"].values.tolist()
        rows = [f"{epoch},{number}.5,{value!r}" for epoch, value in enumerate(values)]
        text = "\n".join(["epoch,loss,val_loss", *rows, ""])
        (tmp_path / f"run{number}.csv").write_text(text)
    options = (tmp_path, "--planned-epochs", "40", "--semantics", "keras-3.15")
    screen = " ".join(ask("recommend", *options).out.split())
    page = tmp_path / "page" / "report.html"
    page.parent.mkdir()
    assert ask("report", *options, "-o", page).status == 0
    document = " ".join(html.unescape(re.sub("<[^>]*>", " ", page.read_text())).split())
    for sentence in (
        "Patience 20, with a promise for 90 % of new runs like these.",
        (
            "9 runs, each taken for a setting of its own, for nothing shows them to be "
            "seeds of one (--group-by); val_loss (min);"
        ),
        'EarlyStopping( monitor="val_loss", patience=20, restore_best_weights=True, )',
        "one set in ten is unlucky, and keeps it on 77 % of them or fewer",
        "sufficient patience up to the planned epoch 40: 20 for run4.csv, run5.csv,",
        "restore_best_weights=True is part of it; Keras's default is False",
        "recommended: 20 9 of 9 0 0",
    ):
        assert sentence in screen
        assert sentence in document


def test_a_recommendation_is_headline_code_evidence_and_table() -> None:
    document = report_on(*advised_runs())
    assert headline(document) == (
        "Patience 20, with a promise for 90 % of new runs like these."
    )
    titles = [one.title for one in document.sections]
    assert titles == [
        "Use this",
        "What it rests on",
        "Before you trust it",
        "Beside the usual settings",
        "What is lost against what is trained",
        "Patience and min_delta",
        "Every run, left out of the choice",
        "Where each run would stop",
        "Every run, at patience 20",
        "How this was computed",
    ]
    block = section(document, "Use this").blocks[0]
    assert isinstance(block, CodeBlock)
    assert "patience=20," in block.code
    assert said_in(document, "What it rests on")[0].startswith(
        "the promise: for trainings planned for 40 epochs, patience 20 loses no more"
    )
    assert "one run decides" not in doubts(document)


def test_what_no_promise_goes_with_says_what_one_takes() -> None:
    document = report_on(*advised_runs([3, 4]))
    assert headline(document).endswith(", by the least expected cost.")
    assert "takes at least 9 runs" in said_in(document, "What it rests on")[1]


def test_every_group_stands_with_what_the_others_choose() -> None:
    rows = table(report_on(*advised_runs()), "Every run, left out")
    # without any of the others the largest of eight is 20 still
    assert rows[0] == {
        "Run": "run0",
        "Tolerance": "0.00500",
        "Sufficient patience": "1",
        "Chosen without it": "20",
        "What that costs it": "0",
    }


def test_the_map_is_a_table_for_those_who_cannot_see_it() -> None:
    document = report_on(*advised_runs([1, 2, 3, 4]))
    figure = section(document, "Patience and min_delta").blocks[0]
    assert isinstance(figure, Figure)
    assert figure.table is not None
    # patience 2 loses .5 on two of four
    assert spoken_cells(figure.table)[0][:3] == ["0", "0.375", "0.250"]
    assert "0.375" in write_markdown(document)
    assert "0.375" in write_html(document)


def test_a_setting_that_was_named_stays_the_headline_beside_the_advice() -> None:
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    document = report_on(*advised_runs(), callbacks=[stopping])
    assert headline(document).startswith(
        "On all 9 runs EarlyStopping(patience=3, restore_best_weights=True) loses "
    )
    text = plain_text(section(document, "What these runs recommend").blocks[0].text)  # type: ignore[union-attr]
    assert text.startswith("Patience 20, with a promise for 90 % of new runs like")
    settings = [row["setting"] for row in table(document, "Beside the usual")]
    assert "now: 3" in settings


def test_no_run_is_refused() -> None:
    with pytest.raises(ConfigError, match="no run to report on"):
        build_report([])


@pytest.mark.no_cover
@pytest.mark.slow
def test_five_hundred_runs_stay_below_two_megabytes() -> None:
    rng = np.random.default_rng(0)
    runs = [
        run_of(np.cumsum(rng.normal(size=100)), name=f"group{i % 9}/seed{i}")
        for i in range(500)
    ]
    document = report_on(*runs)
    still = len(write_html(document._replace(moving=None)).encode())
    assert still < 2_000_000
    # half a megabyte for 100 runs and a monitor
    assert len(write_html(document).encode()) - still < 2_500_000
    gallery = section(document, "Where each run would stop").blocks[1]
    assert isinstance(gallery, Gallery)
    assert len(gallery.figures) == 24
    assert "476 more runs" in write_html(document)
    # a text without pictures says nothing of them
    assert "476 more runs" not in write_markdown(document)
    # a picture for each is not what shows them all: two that sum them up, and a table
    figures = [
        block
        for one in document.sections
        for block in one.blocks
        if isinstance(block, Figure)
    ]
    assert len(figures) == 2
    assert len(table(document, "Every group, left out")) == 9


def test_notes_that_differ_in_their_numbers_are_one_doubt() -> None:
    names = enumerate("ab")
    runs = [run_of(name=name).with_notes(f"{7 + i} rows") for i, name in names]
    said = doubts(report_on(*runs))
    assert "a (and 1 other run with other numbers): 7 rows." in said
    assert "8 rows" not in said
    same = [run_of(name=name).with_notes("7 rows") for name in "ab"]
    assert "a (and 1 other run likewise): 7 rows." in doubts(report_on(*same))


def test_a_run_directory_is_named_by_the_checksum_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "logs.csv").write_bytes(b"")
    source = replace(run_of(), source=str(tmp_path))
    text = write_markdown(report_on(source, replace(run_of(), source="absent")))
    assert hashlib.sha256(b"").hexdigest() in text
    assert "| absent | - | - |" in text


def test_a_censored_setting_promises_nothing() -> None:
    stopping = EarlyStopping(patience=9, restore_best_weights=True)
    document = report_on(run_of(), callbacks=[stopping])
    assert headline(document) == (
        "EarlyStopping(patience=9, restore_best_weights=True) does not stop inside "
        "this log, which ends at epoch 8; so far it keeps epoch 3."
    )
    assert outcome(document)["Keeps epoch so far"] == "3"


def test_larger_can_be_better() -> None:
    logs = [{"val_accuracy": one} for one in (0.5, 0.7, 0.6, 0.9, 0.8, 0.7)]
    stopping = EarlyStopping("val_accuracy", patience=1, restore_best_weights=True)
    document = report_on(Run.from_logs(logs), callbacks=[stopping])
    # stops at epoch 3 with epoch 2's .7 where .9 comes later
    assert outcome(document)["Below best"] == "0.2000"
    assert headline(document).endswith(
        "keeps epoch 2: 0.2000 below the best val_accuracy (3 epochs saved)."
    )
    assert "larger is better" in plain_text(document.lead)


def test_without_restoring_the_nearest_patience_is_named_as_such() -> None:
    document = report_on(run_of(), keep="last")
    # patience 1 to 5 stop at epochs 4 to 8 and end with .5 .52 .49 .5 .51
    assert headline(document) == (
        "No patience that stops inside this log keeps its best val_loss; patience 3 "
        "comes nearest: it keeps epoch 6, and stops at 6 of 8 (2 epochs saved). One "
        "run cannot say what the next needs."
    )
    assert section(document, "What comes nearest").half


def test_a_run_that_reached_its_plan_has_no_open_end() -> None:
    rows = table(report_on(run_of(planned_epochs=8)), "Every patience")
    assert rows[-1]["stops at"] == "runs to the end of its plan, keeps epoch 3"


def test_other_series_stand_beside_and_the_best_of_each_is_named() -> None:
    logs = [
        {"val_loss": one, "val_mae": 8 - i, **{f"val_m{j}": one for j in range(5)}}
        for i, one in enumerate(LOSSES)
    ]
    document = report_on(Run.from_logs(logs))
    assert table(document, "Every patience")[0]["val_mae"] == "6.000"
    text = write_markdown(document)
    assert "2 more series in --format csv" in text
    assert (
        "`val_mae` was best at epoch 8, at the end (1.000): no patience on `val_loss`"
        in text
    )


def test_how_a_difference_was_measured_is_said_below_it() -> None:
    # patience 0 keeps .5 at epoch 2, later .49
    losses = [0.9, 0.5, 0.6, 0.49, 0.7, 0.6, 0.7]
    document = report_on(run_of(losses))
    rows = table(document, "Every patience")
    assert rows[0]["above best"] == "0.0100"
    assert (
        "above best: on the validation set; about two in three such differences held"
        in ("".join(said_in(document, "Every patience")))
    )


def test_many_steps_are_thinned() -> None:
    losses: list[float] = []
    for depth in range(60):
        losses += [100.0 - depth, *[200.0] * (depth + 1)]
    document = report_on(run_of(losses))
    assert len(table(document, "Every patience")) == 61
    screen = write_text(document)
    assert "(41 more rows; --format csv has all)" in screen
    # those of the patience values that people try stay
    for patience in (0, 2, 10, 50):
        assert f"\n {patience}" in screen


def test_the_recorded_rate_is_explained_where_a_setting_does() -> None:
    # flat from epoch 1 on: ReduceLROnPlateau(patience=2) acts after epochs 3, 5, 7
    rates = [0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    logs = [{"val_loss": 0.5, "learning_rate": rate} for rate in rates]
    text = write_markdown(report_on(Run.from_logs(logs)))
    assert "exactly as `ReduceLROnPlateau(factor=0.5, patience=2)` would" in text
    rising = [{"val_loss": 0.5, "learning_rate": rate} for rate in rates[::-1]]
    text = write_markdown(report_on(Run.from_logs(rising)))
    assert "rises, as no ReduceLROnPlateau does (0.0625 to 0.5)" in text
    logs[-1]["learning_rate"] = 0.25
    text = write_markdown(report_on(Run.from_logs(logs)))
    assert "rises as well as falls, as no ReduceLROnPlateau does (0.125 to" in text


def test_a_log_without_a_number_is_not_called_too_short() -> None:
    document = report_on(run_of([math.nan] * 20))
    assert headline(document) == (
        "This log holds no finite val_loss, so no patience can be judged."
    )


def test_a_run_that_only_improved_to_its_plan_is_not_called_too_short() -> None:
    document = report_on(run_of([0.5, 0.4, 0.3], planned_epochs=3))
    assert headline(document) == (
        "Every patience runs to the end of the plan, epoch 3, and keeps epoch 3."
    )


def test_a_plan_that_the_advice_reads_off_the_logs_decides_on_its_page() -> None:
    # four stop after their best; the fifth falls to the end, where the others end too
    stopping = [
        run_of(
            [1 - min(at, best) / 50 + max(at - best, 0) / 100 for at in range(40)], n
        )
        for best, n in zip((12, 15, 18, 21), ("a", "b", "c", "d"), strict=True)
    ]
    runs = [
        replace(run, planned_epochs=None)
        for run in (*stopping, run_of([1 - at / 50 for at in range(40)], "falling"))
    ]
    page = report_on(*runs)
    rows = {row["Run"]: row for row in table(page, "Every run, at patience")}
    assert {rows[name]["Evidence"] for name in "abcd"} == {"exact"}
    told = rows["falling"]
    assert (told["Keeps"], told["Evidence"]) == ("40", "by the plan")
    assert told["Ended by"] == "not recorded"
    # what moves begins with the same setting on the same runs
    assert page.moving is not None
    moves = page.moving.members()
    assert moves is not None
    view = moves["views"][0]
    _, kind, *_ = view["steps"][4][view["of"][4][0]]
    assert moves["kinds"][kind][:2] == ["exact", "by the plan"]


@pytest.mark.parametrize(
    "setting",
    [
        EarlyStopping(patience=3, restore_best_weights=True),
        ReduceLROnPlateau(patience=3),
        ModelCheckpoint("best.keras", save_best_only=True),
    ],
)
def test_no_plan_is_told_of_a_log_that_lacks_rows(setting: Callback) -> None:
    # most values follow each other, so that the fourth epoch lacks one
    losses = [0.8, 0.6, 0.4, None, None, None, 0.5, 0.51]
    run = Run(
        name="lost",
        source="",
        first_epoch=0,
        series={"val_loss": Series.from_optional(losses)},
    )
    told = headline(report_on(run, callbacks=[setting]))
    assert told.startswith("From epoch 4 on this log cannot tell")
    assert "plan" not in told
