"""What the settings of Ultralytics, beside its log, say about the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs
from cbreplay.evidence.holes import find_gap

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "epoch,train/box_loss,metrics/mAP50-95(B),val/box_loss,lr/pg0"


@pytest.mark.parametrize(
    ("settings", "planned"),
    [
        ("epochs: 100\ntime: null\npatience: 50\n", 100),
        ("task: detect\r\nepochs: 4\r\n", 4),
        # hours decide, stale settings, nothing that is a number, another key
        ("epochs: 100\ntime: 0.5\n", None),
        ("epochs: 100\ntime: .5\n", None),
        ("epochs: 3\n", None),
        ("epochs: many\n", None),
        ("epochs: 1.5.2\n", None),
        ("warmup_epochs: 3.0\n", None),
        ("epochs: 99999999999\n", None),
        ("", None),
    ],
)
def test_the_plan_is_that_of_the_settings_beside(
    tmp_path: Path, settings: str, planned: int | None
) -> None:
    rows = [f"{at + 1},{1 / (at + 1)},0.{at + 1},{1 / (at + 2)},.1" for at in range(4)]
    log = tmp_path / "results.csv"
    log.write_text("\n".join([HEADER, *rows, ""]), encoding="ascii")
    (tmp_path / "args.yaml").write_bytes(settings.encode())
    for source in (log, tmp_path):
        (run,) = load_runs(source)
        assert run.planned_epochs == planned
        assert any("args.yaml" in note for note in run.notes) == (planned is not None)


def test_a_plan_that_is_given_counts(tmp_path: Path) -> None:
    log = tmp_path / "results.csv"
    log.write_text(f"{HEADER}\n1,.5,.1,.5,.1\n2,.4,.2,.4,.1\n", encoding="ascii")
    (tmp_path / "args.yaml").write_text("epochs: 100\n")
    (run,) = load_runs(log, planned_epochs=50)
    assert run.planned_epochs == 50


def test_a_log_of_ultralytics_without_its_first_epochs_is_no_evidence(
    tmp_path: Path,
) -> None:
    log = tmp_path / "results.csv"
    rows = [f"{at + 3},{1 / (at + 1)},0.{at + 1},{1 / (at + 2)},.1" for at in range(4)]
    log.write_text("\n".join([HEADER, *rows, ""]), encoding="ascii")
    (run,) = load_runs(log)
    assert (run.first_epoch, find_gap(run, "val/box_loss")) == (2, 2)


def test_zeros_of_epochs_without_validation_are_no_values(tmp_path: Path) -> None:
    """With val=False the trainer validates after its last epoch alone."""
    log = tmp_path / "results.csv"
    silent = [f"{at},{1 / at:.5g},0,0,.1" for at in range(1, 6)]
    log.write_text("\n".join([HEADER, *silent, "6,.1,.4375,.5,.1", ""]))
    (run,) = load_runs(log, planned_epochs=6)
    for name, value in (("metrics/mAP50-95(B)", 0.4375), ("val/box_loss", 0.5)):
        series = run.series[name]
        assert series.recorded.tolist() == [False] * 5 + [True]
        assert series.values[-1] == value
        assert find_gap(run, name) is None
    assert run.series["train/box_loss"].recorded.all()
    log.write_text("\n".join([HEADER, *silent, ""]))
    (run,) = load_runs(log)
    assert list(run.series) == ["train/box_loss"]
    assert "no epoch was validated (val=False" in run.left_out["val/box_loss"]


def test_a_first_epoch_that_detects_nothing_was_validated(tmp_path: Path) -> None:
    log = tmp_path / "results.csv"
    log.write_text(f"{HEADER}\n1,.5,0,.5,.1\n2,.4,.25,.4,.1\n", encoding="ascii")
    (run,) = load_runs(log)
    assert run.series["metrics/mAP50-95(B)"].values.tolist() == [0, 0.25]
