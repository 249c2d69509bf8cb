"""run.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cbreplay import LogError
from cbreplay.run_metadata import Ended, parse_run_metadata

WHOLE: dict[str, Any] = {
    "schema": 1,
    "written_by": "cbreplay 0.1.0",
    "experiment": "digits-mlp",
    "keras": {"package": "keras", "version": "3.15.1", "backend": "tensorflow"},
    "fit": {"epochs": 60, "initial_epoch": 20, "validation_freq": [1, 5]},
    "callbacks": ["ReduceLROnPlateau(patience=4)", "CSVLogger('logs.csv')"],
    "metrics": {"loss": "min", "accuracy": "max", "mean": None},
    "optimizer": {"class": "Adam", "initial_learning_rate": 0.001, "schedule": None},
    "ended": {"by": "plan", "epoch": 59},
    "earlier_fits": [
        {"fit": {"epochs": 20}, "callbacks": [], "ended": {"by": "plan", "epoch": 19}}
    ],
}


def parse(raw: Any) -> Any:
    return parse_run_metadata(json.dumps(raw), source="run.json")


def test_every_part_of_a_whole_file_is_read() -> None:
    metadata = parse(WHOLE)
    assert metadata.keras_version == "keras-3.15.1"
    assert metadata.backend == "tensorflow"
    assert (metadata.fit.epochs, metadata.fit.initial_epoch) == (60, 20)
    assert metadata.fit.validation_freq == [1, 5]
    assert metadata.callbacks == tuple(WHOLE["callbacks"])
    assert metadata.metrics == {"loss": "min", "accuracy": "max"}
    assert (metadata.initial_learning_rate, metadata.schedule) == (0.001, None)
    assert metadata.ended == Ended("plan", 59)
    assert metadata.earlier_fits[0].fit.epochs == 20
    assert metadata.raw["experiment"] == "digits-mlp"


def test_an_empty_object_is_a_run_json_that_says_nothing() -> None:
    metadata = parse({})
    assert (metadata.keras_version, metadata.fit.epochs, metadata.ended) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fit": {"epochs": "60"}}, "'fit.epochs' is '60', where int"),
        ({"fit": {"epochs": True}}, "'fit.epochs' is True, where int"),
        ({"fit": []}, r"'fit' is \[\], where dict"),
        ({"fit": {"validation_freq": ["x"]}}, "where epoch numbers"),
        ({"metrics": {"loss": "down"}}, "'metrics.loss' is 'down'"),
        ({"callbacks": [1]}, "'callbacks' is 1, where text"),
        ({"optimizer": {"initial_learning_rate": "fast"}}, "where a number"),
        ({"earlier_fits": [3]}, "where an object"),
        ({"schema": 2}, "written by a newer cbreplay"),
    ],
)
def test_a_value_that_cannot_be_is_named(change: Any, message: str) -> None:
    with pytest.raises(LogError, match=message) as caught:
        parse(WHOLE | change)
    assert str(caught.value).startswith("run.json: ")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000])
def test_text_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(LogError, match=r"^run\.json: "):
        parse_run_metadata(text, source="run.json")


@pytest.mark.parametrize(
    ("stated", "started"),
    [
        # 20,000 days of 86,400 s after 1 January 1970
        ("2024-10-04T00:00:00Z", 20_000 * 86_400.0),
        ("2024-10-04T02:00:00.5+02:00", 20_000 * 86_400 + 0.5),
        ("2024-10-04T00:00:00", 20_000 * 86_400.0),
        ("yesterday", None),
        (20_000, None),
        (None, None),
    ],
)
def test_when_it_started_is_told_in_seconds(stated: Any, started: Any) -> None:
    assert parse(WHOLE | {"started": stated}).started == started
