"""What tuning is worth: settings that were chosen, on real trainings with new seeds.

    python -m benchmarks.tuning_worth --write benchmarks/tuning_worth.csv
    python -m benchmarks.tuning_worth --table benchmarks/tuning_worth.csv

Every experiment holds out a quarter of its examples, which nothing watches. A patience
that `recommend` chose from recorded runs trains beside a fixed 10, a ReduceLROnPlateau
beside a constant rate; two settings with one seed have the same parts, first weights
and batches, and are compared as a pair. Runs on the backend that Keras is set to; on
JAX it takes a third of the time.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tuning_worth.choices import Outcome, judge_patience, judge_rates
from benchmarks.tuning_worth.tables import tell_tables
from benchmarks.tuning_worth.trainings import TrainedOften

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPERIMENTS = (
    "digits-mlp",
    "breast-cancer",
    "breast-cancer-overfit",
    "breast-cancer-noisy",
    "diabetes",
    "diabetes-plateau",
)


def train_and_judge(experiments: list[str]) -> Iterator[Outcome]:
    for name in experiments:
        model = TrainedOften(name)
        for judge in (judge_patience, judge_rates):
            began = time.process_time()
            yield from judge(model)
            seconds = f"{time.process_time() - began:.0f} s"
            print(name, judge.__name__, seconds, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--experiments", nargs="+", default=list(EXPERIMENTS))
    asked = parser.parse_args()
    if asked.table is not None:
        with asked.table.open(encoding="utf-8", newline="") as file:
            print(*tell_tables(list(csv.DictReader(file))), sep="\n")
        return
    with asked.write.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Outcome._fields)
        for outcome in train_and_judge(asked.experiments):
            writer.writerow(outcome)
            file.flush()


if __name__ == "__main__":
    main()
