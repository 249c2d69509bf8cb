"""What is read of 218 logs of public projects, as tables that people went through.

The logs are no part of this project: the environment variable CBREPLAY_CORPUS names
the directory that holds them, with their ``manifest.tsv``.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cbreplay import CbreplayError
from cbreplay.loading import load_runs
from tests.oracles.slow_csv import read_slowly, split_slowly

if TYPE_CHECKING:
    from cbreplay import Run

GOLDEN = Path(__file__).with_name("corpus.tsv")
# files that were once read wrongly, with what is right by their writers or by hand
SECOND = Path(__file__).with_name("second.tsv")


def test_every_log_of_other_projects_is_read_or_refused_as_was_judged(
    corpus: Path, request: pytest.FixtureRequest
) -> None:
    table = "".join(f"{line}\n" for line in outcomes(corpus))
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(table, encoding="utf-8")
    assert table == GOLDEN.read_text(encoding="utf-8")


def second_rows() -> list[dict[str, str]]:
    with SECOND.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize(
    "right", second_rows(), ids=lambda right: f"{right['file'][-40:]}-{right['epoch']}"
)
def test_files_that_were_read_wrongly_have_their_own_right_values(
    corpus: Path, right: dict[str, str]
) -> None:
    path = corpus / "second" / right["file"]
    if not path.exists():
        pytest.skip("these files are not among the logs")
    if right["epochs"] == "-":
        with pytest.raises(CbreplayError, match=re.escape(right["value"])):
            load_runs(path)
        return
    (run,) = load_runs(path)
    assert run.recorded_epochs == int(right["epochs"])
    if right["series"] == "learning_rate":
        assert run.learning_rate is not None
    elif right["value"] != "-":
        held = run.series[right["series"]][int(right["epoch"])]
        # to the digits that stand here
        assert held == pytest.approx(float(right["value"]), rel=1e-3)
    elif right["epoch"] != "-":
        assert run.first_epoch == int(right["epoch"])


def outcomes(corpus: Path) -> list[str]:
    told = [outcome(corpus, name) for name in listed(corpus)]
    return ["file\toutcome\truns\tnotes", *told]


def listed(corpus: Path) -> list[str]:
    with (corpus / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        return sorted(row["file"] for row in csv.DictReader(file, delimiter="\t"))


def outcome(corpus: Path, name: str) -> str:
    try:
        runs = load_runs(corpus / name)
    except CbreplayError as error:
        said = str(error).replace(str(corpus / name), "").lstrip(",: ")
        return f"{name}\trefused\t-\t{type(error).__name__}: {said}"
    told = "; ".join(described(run) for run in runs)
    noted = (note.replace(f"{corpus}/", "") for run in runs for note in run.notes)
    notes = list(dict.fromkeys(map(shortened, noted)))
    kind = "noted" if notes else "read"
    return f"{name}\t{kind}\t{told}\t{'; '.join(notes) or '-'}"


def described(run: Run) -> str:
    rate = "" if run.learning_rate is None else " +rate"
    return f"{run.first_epoch}-{run.horizon} of {len(run.series)} series{rate}"


def shortened(note: str) -> str:
    """Leave out what differs between the trainings of one log."""
    return re.sub(r"; this is number \d+, from line .*", "", note)


def test_every_csv_of_other_projects_holds_what_a_slow_reading_finds(
    corpus: Path,
) -> None:
    checked = 0
    for path in map(corpus.joinpath, listed(corpus)):
        if path.suffix not in (".csv", ".log", ".tsv"):
            continue
        if path.name in ("metrics.csv", "wandb_export.csv"):
            continue
        check_slowly(path)
        checked += 1
    assert checked > 80


def check_slowly(path: Path) -> None:
    text = path.read_bytes().decode("latin-1")
    header = text.splitlines()[0]
    table = read_slowly(text, "\t" if "\t" in header else ",")
    if "" in table:
        table["epoch"] = table.pop("")
    if "epoch" not in table:
        n_rows = len(next(iter(table.values())))
        table["epoch"] = [float(row) for row in range(n_rows)]
    parts = split_slowly(table, "epoch")
    runs = load_runs(path)
    assert len(runs) == len(parts), path
    for run, part in zip(runs, parts, strict=True):
        epochs = [int(epoch or 0) for epoch in part["epoch"]]
        assert (run.first_epoch, run.horizon) == (epochs[0], epochs[-1]), path
        for name, values in part.items():
            if name not in ("epoch", "lr", "learning_rate"):
                read = [run.series[name][epoch - run.first_epoch] for epoch in epochs]
                assert read == values, (path, name)
