"""The fits of a recorded experiment, as its run.json tells them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from cbreplay import Run
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.record.plan import find_fits


def recorded(**told: Any) -> Run:
    text = json.dumps({"experiment": "diabetes", "seed": 3, **told})
    run = Run.from_logs([{"loss": 1.0}, {"loss": 0.5}], first_epoch=2)
    metadata = parse_run_metadata(text, source="run.json")
    return dataclasses.replace(run, metadata=metadata)


def test_each_fit_has_the_plan_that_it_was_given() -> None:
    rate = {"initial_learning_rate": 0.25}
    earlier = {"fit": {"epochs": 2, "batch_size": 8}, "optimizer": rate}
    first, second = find_fits(
        recorded(
            fit={"epochs": 4, "initial_epoch": 2, "batch_size": 16},
            optimizer={"initial_learning_rate": 0.125},
            earlier_fits=[earlier],
        )
    )
    assert (first.first_epoch, second.first_epoch) == (0, 2)
    assert (first.plan.epochs, second.plan.epochs) == (2, 4)
    assert (first.plan.batch_size, second.plan.batch_size) == (8, 16)
    # a resumed fit goes on at the rate it ended with
    assert (first.plan.learning_rate, second.plan.learning_rate) == (0.25, None)


def test_more_earlier_fits_than_are_read_are_no_error() -> None:
    earlier = [{"fit": {"epochs": 2}}] * 1_001
    (only,) = find_fits(
        recorded(fit={"epochs": 4, "initial_epoch": 2}, earlier_fits=earlier)
    )
    assert (only.first_epoch, only.plan.epochs) == (2, 4)


def test_an_optimizer_that_is_no_object_tells_no_rate() -> None:
    (first, _) = find_fits(
        recorded(fit={"epochs": 4, "initial_epoch": 2}, earlier_fits=[{"optimizer": 1}])
    )
    assert first.plan.learning_rate is None
