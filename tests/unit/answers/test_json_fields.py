"""What JSON says of runs and replays, and where it says it."""

from __future__ import annotations

import json
from typing import Any

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, replay_run
from cbreplay.answers.json_fields import describe_replay, describe_results, describe_run
from cbreplay.document import Document, say
from cbreplay.writers.as_json import json_pieces

LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]


def logged(*losses: float | None, rate: float | None = None) -> Run:
    rows: list[dict[str, Any]] = [{"loss": 1.0, "val_loss": loss} for loss in losses]
    if rate is not None:
        rows = [{**row, "learning_rate": rate} for row in rows]
    return Run.from_logs(rows)


def replayed(run: Run, *callbacks: Any, **judging: Any) -> dict[str, Any]:
    replay = replay_run(run, callbacks, semantics="keras-3.15", **judging)
    return describe_replay(replay)


def test_the_recorded_rate_stands_under_the_run_and_in_no_result() -> None:
    run = logged(*LOSSES, rate=0.5)
    assert describe_run(run)["learning_rate"] == [0.5] * 8
    assert replayed(run, EarlyStopping(patience=3))["learning_rate"] is None
    # up to the divergence, a list that reduces trains at the recorded rate as well
    reducing = ReduceLROnPlateau(patience=2, factor=0.5, min_delta=0)
    diverged = replayed(run, reducing)
    assert (diverged["divergence_epoch"], diverged["learning_rate"]) == (5, None)


def test_a_rate_that_is_not_recorded_stands_in_the_result() -> None:
    run = logged(*LOSSES)
    assert describe_run(run)["learning_rate"] is None
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    assert replayed(run, stopper)["learning_rate"] is None
    # stopped in epoch 4
    given = replayed(run, stopper, initial_learning_rate=0.5)
    assert given["learning_rate"] == [0.5] * 5


def test_a_missing_rate_is_null() -> None:
    rows = [{"val_loss": 0.5, "learning_rate": rate} for rate in (0.5, None, 0.25)]
    assert describe_run(Run.from_logs(rows))["learning_rate"] == [0.5, None, 0.25]


def test_a_note_stands_where_it_belongs() -> None:
    # the best stands at the end, and at the kept epoch of patience 1 is no number
    run = logged(0.8, float("nan"), 0.7, 0.6, 0.5)
    stoppers = [EarlyStopping(patience=patience) for patience in (1, 9)]
    replays = [replay_run(run, one, semantics="keras-3.15") for one in stoppers]
    answer = describe_results([run], [(0, i, one) for i, one in enumerate(replays)])
    (about_run,) = answer["runs"][0]["notes"]
    assert about_run.startswith("val_loss was best at the end of the record")
    first, second = answer["results"]
    assert first["notes"] == [
        "training ends with the weights of epoch 2, where val_loss has no number"
    ]
    assert second["notes"] == []
    assert answer["notes"] == []


def test_what_holds_of_the_list_is_a_note_of_the_answer() -> None:
    from cbreplay import parse_callbacks

    run, listed = logged(*LOSSES), parse_callbacks("[EarlyStopping(), CSVLogger('a')]")
    replay = replay_run(run, listed, semantics="keras-3.15")
    answer = describe_results([run], [(0, 0, replay)])
    assert answer["notes"] == ["CSVLogger in the list decides nothing"]
    assert answer["runs"][0]["notes"] == answer["results"][0]["notes"] == []


def _written(members: dict[str, Any]) -> str:
    document = Document("simulate", say(), say(), program=lambda: members)
    return "".join(json_pieces(document))


def test_the_answer_is_json_whatever_the_numbers() -> None:
    values = [float("nan"), float("inf"), float("-inf"), 0.5]
    members = {"results": [], "own": {"values": values}}
    answer = json.loads(_written(members))
    assert answer["own"]["values"] == ["NaN", "Infinity", "-Infinity", 0.5]
    assert (answer["schema"], answer["epochs"]) == (2, "zero-based")


def test_a_result_is_one_line() -> None:
    results = [{"run": 0, "config": config, "held": [[1], {}]} for config in range(3)]
    lines = _written({"results": results}).splitlines()
    told = [line.strip().rstrip(",") for line in lines if '"config"' in line]
    assert [json.loads(line) for line in told] == results
