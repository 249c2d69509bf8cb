"""Of several runs: what was still gained after reductions, and which schedules end."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest

from cbreplay import Run
from cbreplay.evidence.training_course import cuts_schedule, falls_by_schedule
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Ask

SCHEMA = json.loads((ROOT / "cbreplay/schemas/answer.schema.json").read_text())
PLATEAU = "ReduceLROnPlateau(patience=3)"
STOP = "EarlyStopping(patience=3, restore_best_weights=True)"


def write_rated(path: Path, losses: Sequence[float], rates: Sequence[float]) -> None:
    rows = zip(losses, rates, strict=True)
    lines = [f"{epoch},{loss},{rate!r}" for epoch, (loss, rate) in enumerate(rows)]
    path.write_text("\n".join(["epoch,val_loss,learning_rate", *lines]) + "\n")


@pytest.fixture
def plateaus(tmp_path: Path) -> Path:
    """Five runs: patience 3 first acts at the end of epoch 4 in four of them."""
    for name, last in [("a", 0.4), ("b", 0.46), ("c", 0.55)]:
        losses = [1, 0.5, 0.6, 0.7, 0.6, last]
        write_rated(tmp_path / f"{name}.csv", losses, [0.1] * 6)
    # the recorded rate falls in that epoch too: nothing was gained at a rate kept
    losses = [1, 0.5, 0.6, 0.7, 0.6, 0.3]
    write_rated(tmp_path / "d.csv", losses, [0.1] * 5 + [0.05])
    # and here it never acts
    losses = [1, 0.9, 0.8, 0.7, 0.6, 0.5]
    write_rated(tmp_path / "e.csv", losses, [0.1] * 6)
    return tmp_path


def said(ask: Ask, *words: Any) -> str:
    return " ".join(ask(*words).out.split())


def test_logs_that_all_show_a_parting_alone_say_so(ask: Ask, plateaus: Path) -> None:
    (plateaus / "e.csv").unlink()
    assert said(ask, "simulate", plateaus, "-c", PLATEAU).startswith(
        f"The logs decide {PLATEAU} on none of 4 runs; each shows where it parts from "
        "the log, not what follows."
    )


def as_json(ask: Ask, *words: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(ask(*words, "--format", "json").out)
    jsonschema.Draft202012Validator(SCHEMA).validate(answer)
    return answer


def test_what_the_runs_still_gained_after_first_reductions(
    ask: Ask, plateaus: Path
) -> None:
    # best .5 by then in a, b and c: (.5 - .4) / .5 = .2, (.5 - .46) / .5 = .08, and 0
    (row,) = as_json(ask, "simulate", plateaus, "-c", PLATEAU)["reductions"]
    assert (row["runs"], row["reducing_runs"], row["later_gain_runs"]) == (5, 4, 3)
    assert row["median_later_gain"] == pytest.approx(0.08)
    assert row["worst_later_gain"] == pytest.approx(0.2)
    assert row["worst_later_gain_run"] == "a.csv"
    assert (
        "On 3 of 5 runs this setting first reduces the rate where the recorded "
        "training kept it; by how much that training still lowered its best val_loss "
        "after that: 8 % in the middle (the median), 20 % at most (a.csv). Of 2,208 "
        "retrainings with an earlier reduction, 77 % of those with 3 to 10 % and 85 % "
        "of those with over 10 % still to come ended more than 1 % worse."
    ) in said(ask, "simulate", plateaus, "-c", PLATEAU)


def test_one_run_that_tells_has_no_middle(ask: Ask, plateaus: Path) -> None:
    words = ("simulate", plateaus / "a.csv", plateaus / "e.csv", "-c", PLATEAU)
    assert "after that: 20 % (a.csv). Of 2,208 retrainings" in said(ask, *words)


def test_of_several_settings_the_table_has_the_gains(ask: Ask, plateaus: Path) -> None:
    # patience 4 acts at the end of c's last epoch, after which nothing is recorded
    words = ("simulate", plateaus, "-c", "ReduceLROnPlateau(patience=[3,4])")
    third, fourth = as_json(ask, *words)["reductions"]
    assert third["later_gain_runs"] == 3
    assert (fourth["reducing_runs"], fourth["later_gain_runs"]) == (1, 0)
    assert fourth["median_later_gain"] is fourth["worst_later_gain"] is None
    told = ask(*words, "--format", "markdown").out
    (row,) = [line for line in told.splitlines() if line.startswith("| 3 | 4 of 5")]
    assert "8.0 %" in row or "8 %" in row
    assert "20 %" in row
    assert "still gained: by what share the recorded training" in said(ask, *words)


def test_a_stop_before_the_reduction_gains_nothing(ask: Ask, plateaus: Path) -> None:
    words = ("simulate", plateaus, "-c", PLATEAU, "-c", "EarlyStopping(patience=2)")
    (row,) = as_json(ask, *words)["reductions"]
    assert (row["stop_first"], row["later_gain_runs"]) == (4, 0)
    assert "retrainings" not in said(ask, *words)


@pytest.fixture
def scheduled(tmp_path: Path) -> Path:
    """Four runs of 20 epochs: three under a cosine, of which two pause for long."""
    cosine = [1 + math.cos(math.pi * epoch / 20) for epoch in range(20)]
    pausing = [1 - 0.05 * min(epoch, 8) for epoch in range(14)]
    falling = [0.5 - 0.01 * epoch for epoch in range(6)]
    write_rated(tmp_path / "a.csv", [*pausing, *falling], cosine)
    write_rated(tmp_path / "b.csv", [*pausing, *falling[:-1], 0.4], cosine)
    write_rated(tmp_path / "c.csv", [1 - 0.01 * e for e in range(20)], cosine)
    write_rated(tmp_path / "d.csv", [*pausing, *falling[:-1], 0.41], [0.1] * 20)
    return tmp_path


def test_the_stops_that_cut_a_schedule_are_counted(ask: Ask, scheduled: Path) -> None:
    # best at epoch 8 in a, b and d, so patience 3 stops at 11; never in c
    words = ("simulate", scheduled, "-c", STOP)
    (row,) = as_json(ask, *words)["schedules"]
    assert row == {"config": 0, "runs": 4, "scheduled_runs": 3, "cut_runs": 2}
    assert (
        "On 3 of 4 runs learning_rate falls in every epoch up to the last, as by a "
        "schedule to the plan's end, where the best usually comes late; the stop comes "
        "before that end on 2 of them, and cuts the part that usually pays."
    ) in said(ask, *words)


def test_of_several_settings_those_that_cut_are_counted(
    ask: Ask, scheduled: Path
) -> None:
    # patience 6 is over five epochs of pause: nothing stops
    words = ("simulate", scheduled, "--patience", "2,3,6")
    rows = as_json(ask, *words)["schedules"]
    assert [row["cut_runs"] for row in rows] == [2, 2, 0]
    assert (
        "2 of 3 settings stop before that end, on up to 2 of them, and cut the part "
        "that usually pays."
    ) in said(ask, *words)


def test_a_stop_that_cuts_no_schedule_is_not_named(ask: Ask, scheduled: Path) -> None:
    for words in (
        ("simulate", scheduled, "--patience", "6"),
        ("simulate", scheduled / "c.csv", scheduled / "d.csv", "--patience", "3"),
    ):
        assert "schedules" not in as_json(ask, *words)
        assert "as by a schedule" not in ask(*words).out


def report(ask: Ask, logs: Path, setting: str) -> str:
    """Return a page in Markdown."""
    page = logs.parent / "page.md"
    ask("report", logs, "-c", setting, "-o", page)
    return " ".join(page.read_text().split())


def test_one_run_says_what_it_still_gained(ask: Ask, plateaus: Path) -> None:
    # patience 3 acts after the fifth epoch: (.5 - .4) / .5 was still to come
    gained = (
        "This setting first reduces the rate after epoch 5. The recorded training, "
        "which kept it, still lowered its best {} by 20 % after that. Of "
        "2,208 retrainings with an earlier reduction, 85 % of those with over 10 %"
    )
    run = plateaus / "a.csv"
    assert gained.format("val_loss") in said(ask, "simulate", run, "-c", PLATEAU)
    assert gained.format("`val_loss`") in report(ask, run, PLATEAU)
    (row,) = as_json(ask, "simulate", run, "-c", PLATEAU)["reductions"]
    assert (row["runs"], row["later_gain_runs"]) == (1, 1)
    assert row["worst_later_gain"] == pytest.approx(0.2)
    # of several settings, the largest gain: patience 2 acts after epoch 4
    both = ("simulate", run, "-c", "ReduceLROnPlateau(patience=[2,3])")
    assert "still lowered its best val_loss by up to 20 %." in said(ask, *both)


def test_one_run_that_never_reduces_gained_nothing(ask: Ask, plateaus: Path) -> None:
    words = ("simulate", plateaus / "e.csv", "-c", PLATEAU)
    assert "retrainings" not in said(ask, *words)
    assert "reductions" not in as_json(ask, *words)


def test_a_report_on_several_runs_says_what_they_still_gained(
    ask: Ask, plateaus: Path
) -> None:
    assert (
        "On 3 of 5 runs this setting first reduces the rate where the recorded "
        "training kept it; by how much that training still lowered its best "
        "`val_loss` after that: 8 % in the middle (the median), 20 % at most (`a.csv`)."
    ) in report(ask, plateaus, PLATEAU)


def test_one_run_names_the_stop_that_cuts_its_schedule(
    ask: Ask, scheduled: Path
) -> None:
    falls = (
        " falls in every epoch up to the last, as by a schedule to the plan's end, "
        "where the best usually comes late: the stop at epoch 12 cuts the part that "
        "usually pays."
    )
    run = scheduled / "a.csv"
    assert f"learning_rate{falls}" in said(ask, "simulate", run, "-c", STOP)
    page = report(ask, run, STOP)
    assert f"`learning_rate`{falls}" in page
    # and the staircase beside it does not say it again of another stop
    assert page.count("as by a schedule") == 1
    (row,) = as_json(ask, "simulate", run, "-c", STOP)["schedules"]
    assert row == {"config": 0, "runs": 1, "scheduled_runs": 1, "cut_runs": 1}
    # patience 2 and 3 stop in the pause, 6 does not
    assert "; 2 of 3 settings stop before that end, and cut the part" in said(
        ask, "simulate", run, "-c", "EarlyStopping(patience=[2,3,6])"
    )
    assert "; 1 of 2 settings stops before that end, and cuts the part" in said(
        ask, "simulate", run, "-c", "EarlyStopping(patience=[3,6])"
    )


def test_a_report_on_several_runs_names_the_stops_that_cut(
    ask: Ask, scheduled: Path
) -> None:
    assert (
        "where the best usually comes late; the stop comes before that end on 2 of "
        "them, and cuts the part that usually pays."
    ) in report(ask, scheduled, STOP)


def test_a_stop_in_the_last_epoch_cuts_only_what_the_plan_still_had() -> None:
    rows = [{"loss": 1.0, "learning_rate": 1 - epoch / 20} for epoch in range(15)]
    whole = Run.from_logs(rows, planned_epochs=15)
    broken_off = Run.from_logs(rows, planned_epochs=20)
    assert not cuts_schedule(whole, 14)
    assert cuts_schedule(whole, 13)
    assert cuts_schedule(broken_off, 14)


@pytest.mark.parametrize(
    ("rates", "falls"),
    [
        # held for three quarters, then a line to 0
        ([1.0] * 30 + [1 - at / 10 for at in range(1, 11)], True),
        # two cosines, each to its own end
        ([1.01 + np.cos(np.pi * at / 20) for at in range(20)] * 2, True),
        # halved in each of the last epochs, as patience 1 on a plateau does
        ([1.0] * 30 + [0.5**at for at in range(1, 11)], False),
        # the falls are over before the end
        ([1 - at / 40 for at in range(30)] + [0.25] * 10, False),
        # too few of them
        ([1.0] * 36 + [0.8, 0.6, 0.4, 0.2], False),
        ([1.0] * 20 + [0.1] * 10 + [0.01] * 10, False),
        # without an end
        ([1 / (1 + at) for at in range(40)], False),
    ],
)
def test_a_schedule_to_the_end_falls_in_each_of_the_last_epochs(
    rates: list[float], *, falls: bool
) -> None:
    run = Run.from_logs({"loss": 1.0, "learning_rate": rate} for rate in rates)
    assert falls_by_schedule(run) == falls
