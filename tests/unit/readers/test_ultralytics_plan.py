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
