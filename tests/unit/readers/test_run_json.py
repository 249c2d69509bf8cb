"""run.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cbreplay import LogError
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.run_metadata import Ended

WHOLE: dict[str, Any] = {
    "schema": 1,
    "written_by": "cbreplay 0.1.0",
    "experiment": "digits-mlp",
    "keras": {"package": "keras", "version": "3.15.1", "backend": "tensorflow"},
    "fit": {
        "epochs": 60,
        "initial_epoch": 20,
        "validation_freq": [1, 5],
        "batch_size": 32,
        "steps": None,
    },
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
    assert (metadata.fit.batch_size, metadata.fit.steps) == (32, None)
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


BIG = 10**400


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"fit": {"epochs": -3}}, "fit.epochs is -3, where a whole number from 1 on"),
        ({"fit": {"epochs": 0}}, "fit.epochs is 0,"),
        ({"fit": {"epochs": 2.5}}, "fit.epochs is 2.5,"),
        ({"fit": {"epochs": BIG}}, "fit.epochs is inf,"),
        ({"fit": {"epochs": float("nan")}}, "fit.epochs is nan,"),
        ({"fit": {"initial_epoch": -1}}, "fit.initial_epoch is -1,"),
        ({"fit": {"validation_freq": 0}}, "fit.validation_freq is 0,"),
        ({"fit": {"validation_freq": []}}, "fit.validation_freq is [],"),
        ({"fit": {"validation_freq": [2, -1]}}, "fit.validation_freq is [2, -1],"),
        ({"fit": {"validation_freq": [True]}}, "fit.validation_freq is [True],"),
        ({"fit": {"batch_size": 0}}, "fit.batch_size is 0, where a whole number"),
        ({"fit": {"batch_size": "32"}}, "fit.batch_size is '32',"),
        ({"fit": {"batch_size": True}}, "fit.batch_size is True,"),
        ({"fit": {"steps": [40]}}, "fit.steps is [40],"),
        ({"ended": {"by": "plan", "epoch": -1}}, "ended.epoch is -1,"),
        (
            {"optimizer": {"initial_learning_rate": BIG}},
            "optimizer.initial_learning_rate is inf, where a number from 0 on",
        ),
        ({"optimizer": {"initial_learning_rate": -0.1}}, "is -0.1,"),
        ({"optimizer": {"initial_learning_rate": 1e39}}, "is 1e+39,"),
        ({"wall_seconds": -BIG}, "wall_seconds is -inf,"),
        ({"keras": {"version": "3." + "9" * 5000}}, "keras is 'keras 3.999"),
        ({"keras": {"version": "new"}}, "keras is 'keras new', where a version"),
        (
            {"keras": {"package": "mine", "version": "3.1"}},
            "keras is 'mine 3.1', where a version",
        ),
    ],
)
def test_a_number_that_cannot_be_is_noted_and_not_used(change: Any, note: str) -> None:
    metadata = parse(WHOLE | change)
    (told,) = metadata.notes
    assert told.startswith("run.json: ")
    assert note in told
    assert told.endswith("; it is not used")
    assert len(told) < 400
    # as if the key were not there
    bare = {
        key: dict.fromkeys(value, None) if isinstance(value, dict) else None
        for key, value in change.items()
    }
    without = parse(WHOLE | bare)
    for field in ("keras_version", "fit", "initial_learning_rate", "wall_seconds"):
        assert getattr(metadata, field) == getattr(without, field)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            {"callbacks": ["EarlyStopping()"] * 251},
            "callbacks is a list of 251 callbacks, where at most 250 are read",
        ),
        (
            {"earlier_fits": [{"fit": {}, "callbacks": ["EarlyStopping()"] * 251}]},
            "earlier_fits[0].callbacks is a list of 251 callbacks",
        ),
        (
            {"earlier_fits": [{"fit": {"epochs": 1}}] * 1001},
            "earlier_fits is a list of 1,001 fits, where at most 1,000 are read",
        ),
    ],
)
def test_a_list_longer_than_any_is_noted_and_not_used(change: Any, note: str) -> None:
    metadata = parse(WHOLE | change)
    (told,) = metadata.notes
    assert told.startswith(f"run.json: {note}")
    assert told.endswith("; it is not used")
    if "callbacks" in change:
        assert metadata.callbacks == ()
    else:
        assert not any(fit.callbacks for fit in metadata.earlier_fits)


def test_a_whole_number_may_be_written_as_a_decimal() -> None:
    assert parse({"fit": {"epochs": 60.0}}).fit.epochs == 60


def test_what_is_nested_too_deeply_is_said() -> None:
    deep: Any = 0
    for _ in range(101):
        deep = [deep]
    with pytest.raises(LogError, match="nested over 100 deep"):
        parse({"x": deep})
    assert parse({"x": deep[0][0]}).notes == ()


@pytest.mark.parametrize("digits", [21, 5000, 100_000])
def test_a_number_of_any_length_is_read(digits: int) -> None:
    text = f'{{"wall_seconds": {"9" * digits}, "schema": 1}}'
    metadata = parse_run_metadata(text, source="run.json")
    assert metadata.wall_seconds == (1e21 if digits == 21 else None)


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


def test_a_name_of_any_length_is_one_short_sentence() -> None:
    with pytest.raises(LogError) as caught:
        parse({"metrics": {"a" * 5000: "down"}})
    assert len(caught.value.sentence) < 500
