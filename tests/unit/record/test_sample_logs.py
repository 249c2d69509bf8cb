from __future__ import annotations

import csv
import importlib.resources
import json
import re
from pathlib import Path

import jsonschema
import pytest

from cbreplay.readers.discovery.run_json import parse_run_metadata

SAMPLES = Path(__file__).parents[3] / "sample_logs"
RUNS = sorted(path.parent for path in SAMPLES.rglob("run.json"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_directory_that_the_readme_makes_is_there() -> None:
    readme = (SAMPLES / "README.md").read_text()
    made = re.findall(r"--out sample_logs/(\S+)$", readme, re.MULTILINE)
    assert {run.relative_to(SAMPLES).parts[0] for run in RUNS} == {*made} != set()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: str(run.relative_to(SAMPLES)))
class TestASample:
    def test_follows_the_schema(self, run: Path) -> None:
        schema = importlib.resources.files("cbreplay") / "schemas/run.schema.json"
        jsonschema.validate(
            json.loads((run / "run.json").read_text()),
            json.loads(schema.read_text(encoding="utf-8")),
            cls=jsonschema.Draft202012Validator,
        )

    def test_ends_where_its_log_ends(self, run: Path) -> None:
        metadata = parse_run_metadata((run / "run.json").read_text(), source=str(run))
        assert metadata.ended is not None
        assert rows_of(run / "logs.csv")[-1]["epoch"] == str(metadata.ended.epoch)

    def test_has_a_line_in_the_readme(self, run: Path) -> None:
        name = run.relative_to(SAMPLES).parts[0]
        assert f"--out sample_logs/{name}\n" in (SAMPLES / "README.md").read_text()

    def test_names_no_machine(self, run: Path) -> None:
        files = [path for path in run.rglob("*") if path.is_file()]
        assert not [path.name for path in files if path.suffix == ".keras"]
        for path in files:
            assert ".tfevents." not in path.name or ".localhost." in path.name
            held = path.read_bytes()
            assert not [word for word in (b"/home", b"/root", b"/tmp") if word in held]


def test_the_lone_csv_is_one_of_the_runs() -> None:
    logs = SAMPLES / "digits-mlp" / "seed0" / "logs.csv"
    assert (SAMPLES / "overfit.csv").read_bytes() == logs.read_bytes()


def test_the_overfitted_run_is_best_long_before_it_ends() -> None:
    rows = rows_of(SAMPLES / "overfit.csv")
    losses = [float(row["val_loss"]) for row in rows]
    accuracies = [float(row["val_accuracy"]) for row in rows]
    assert losses.index(min(losses)) < 40
    assert sum(losses[-10:]) / 10 > 1.2 * min(losses)
    assert accuracies.index(max(accuracies)) > 60


def test_all_of_them_together_are_small() -> None:
    size_bytes = sum(path.stat().st_size for path in SAMPLES.rglob("*"))
    assert size_bytes < 3_000_000
