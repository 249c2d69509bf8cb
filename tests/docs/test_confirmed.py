"""The table of confirmed replays counts the rows of the file that a benchmark wrote."""

from __future__ import annotations

import csv

from tests.conftest import ROOT


def test_the_table_of_confirmations_counts_their_file() -> None:
    with (ROOT / "benchmarks" / "confirmed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    def count(keras: str, held: str, *evidence: str) -> int:
        same = (row for row in rows if (row["keras"], row["held"]) == (keras, held))
        return sum(not evidence or row["evidence"] in evidence for row in same)

    page = (ROOT / "docs" / "recording.md").read_text()
    for keras in {row["keras"] for row in rows}:
        exact, diverged = (
            count(keras, "True", "exact"),
            count(keras, "True", "diverged", "incomplete"),
        )
        line = f"| {keras} | {exact} | {diverged} | {count(keras, 'False')} |"
        assert line in page
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{len(rows)} replays were held against retrainings" in readme
    kinds = [row["kind"] for row in rows]
    new, same = "resumed, new callbacks", "resumed, the same callbacks"
    custom, resumed = (
        kinds.count("custom callbacks"),
        kinds.count(new) + kinds.count(same),
    )
    told = " ".join(page.split())
    assert f"{custom} of them are custom callbacks and {resumed} resumed runs" in told
    assert f"{kinds.count(new)} with new callbacks and {kinds.count(same)} with" in told
