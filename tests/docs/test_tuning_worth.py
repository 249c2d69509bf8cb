"""The tables of what tuning is worth count the file that a benchmark wrote."""

from __future__ import annotations

import csv

from benchmarks.tuning_worth.tables import tell_tables
from tests.conftest import ROOT


def test_the_tables_are_those_of_the_file() -> None:
    path = ROOT / "benchmarks" / "tuning_worth.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = "\n".join(tell_tables(list(csv.DictReader(file))))
    page = (ROOT / "docs" / "how-good-is-the-advice.md").read_text(encoding="utf-8")
    for table in lines.split("\n\n"):
        assert table in page
