"""What an answer says in sentences is true of the log: checked by a plain loop.

The facts of every sentence are read from the document by their names, and held against
an oracle that shares no code with the answer, over runs with ties, NaN, infinities,
missing epochs, records that begin late, and modes that are the wrong way round.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, build_staircase, replay_run
from cbreplay.answers.one_setting_page import one_setting_page
from cbreplay.answers.staircase import staircase_document
from cbreplay.document import Section, Table, Trend, plain_text
from tests.facts import facts_of
from tests.oracles.plain_stop import best_of, stop_at
from tests.strategies import runs

if TYPE_CHECKING:
    from cbreplay import Run
    from cbreplay.document import Document

MODES = st.sampled_from(["auto", "min", "max"])
KEEPS = st.sampled_from(["best", "last"])
# more than any record here has epochs
PATIENCE = range(30)


def listed(run: Run, name: str = "val_loss") -> list[float | None]:
    """The values of a series; None where there is none, NaN where NaN was logged."""
    return list(run.series[name])


def direction(mode: str) -> str:
    return "max" if mode == "max" else "min"


def trend_of(document: Document) -> Trend:
    return next(
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Trend)
    )


@given(run=runs(), mode=MODES, keep=KEEPS)
def test_the_headline_of_one_log_is_true(run: Run, mode: str, keep: Any) -> None:
    staircase = build_staircase(run, mode=mode, keep=keep, semantics="keras-3.15")
    document = staircase_document(staircase)
    values, way = listed(run), direction(mode)
    best = best_of(values, way)
    facts, said = facts_of(document.headline), plain_text(document.headline)
    ends = {
        patience: stop_at(
            values,
            patience,
            way,
            first_epoch=run.first_epoch,
            restores=keep == "best",
        )
        for patience in PATIENCE
    }
    kept = {
        patience: values[end.kept]
        for patience, end in ends.items()
        if end.stop is not None
    }
    reaching = [p for p, value in kept.items() if value == best and best is not None]
    if "patience" in facts:
        patience = facts["patience"]
        end = ends[patience]
        assert end.stop is not None
        assert facts["stopped_epoch"] == run.first_epoch + end.stop
        assert facts["kept_epoch"] == run.first_epoch + end.kept
        assert facts.get("epochs_saved", 0) == len(values) - 1 - end.stop
    if "was enough" in said:
        # the smallest patience that keeps the best; 0 and 1 are the same to Keras
        assert max(min(reaching), min(1, max(reaching))) == facts["patience"]
        assert values[facts["kept_epoch"] - run.first_epoch] == best
    elif "comes nearest" in said:
        assert not reaching
        costs = [abs(value - best) for value in kept.values() if _is_number(value)]  # type: ignore[operator]  # best is known where a patience is named
        assert abs(kept[facts["patience"]] - best) == min(costs)  # type: ignore[operator]  # as above
    elif "holds no finite" in said:
        assert best is None
    elif "without a finite" in said:
        assert kept
        assert not any(_is_number(value) for value in kept.values())
    elif "never changes" in said:
        assert len({value for value in values if _is_number(value)}) == 1
    else:
        assert not kept


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


@given(run=runs(), mode=MODES)
def test_what_is_called_best_is_the_best_of_the_series(run: Run, mode: str) -> None:
    staircase = build_staircase(run, mode=mode, semantics="keras-3.15")
    facts = facts_of(trend_of(staircase_document(staircase)).caption)
    values = listed(run)
    best = best_of(values, direction(mode))
    assert facts.get("best_value") == best
    if best is not None:
        # the first of equal values
        assert facts["best_epoch"] == run.first_epoch + values.index(best)


@given(run=runs(), mode=MODES, keep=KEEPS)
def test_every_row_of_the_staircase_is_true(run: Run, mode: str, keep: Any) -> None:
    staircase = build_staircase(run, mode=mode, keep=keep, semantics="keras-3.15")
    table = staircase_document(staircase).answer_table()
    assert table is not None
    values, way = listed(run), direction(mode)
    best = best_of(values, way)
    for row in rows_of(table):
        last = row["last_patience"]
        for patience in PATIENCE:
            inside = (
                row["first_patience"]
                <= patience
                <= (math.inf if last is None else last)
            )
            if not inside:
                continue
            end = stop_at(
                values,
                patience,
                way,
                first_epoch=run.first_epoch,
                restores=keep == "best",
            )
            if last is None:
                assert end.stop is None
                continue
            assert end.stop is not None
            stopped = run.first_epoch + end.stop
            assert row["first_stopped_epoch"] <= stopped <= row["last_stopped_epoch"]
            if keep == "best":
                assert row["kept_epoch"] == run.first_epoch + end.kept
            value = values[end.kept]
            if _is_number(value) and keep == "best":
                assert row["kept_value"] == value
                assert row["regret"] == abs(value - best)  # type: ignore[operator]  # there is one


def rows_of(table: Table) -> list[dict[str, Any]]:
    keys = [column.key for column in table.columns]
    plain = [[getattr(cell, "value", cell) for cell in row.cells] for row in table.rows]
    return [dict(zip(keys, cells, strict=True)) for cells in plain]


@given(run=runs(), mode=MODES, patience=st.integers(0, 8), restores=st.booleans())
def test_the_headline_of_one_setting_is_true(
    run: Run, mode: str, patience: int, *, restores: bool
) -> None:
    setting = EarlyStopping(patience=patience, mode=mode, restore_best_weights=restores)
    replay = replay_run(run, setting, semantics="keras-3.15")
    staircase = build_staircase(run, mode=mode, semantics="keras-3.15")
    document = one_setting_page(replay, staircase, Section("closing", ()))
    facts, said = facts_of(document.headline), plain_text(document.headline)
    values, way = listed(run), direction(mode)
    end = stop_at(values, patience, way, first_epoch=run.first_epoch, restores=restores)
    if end.stop is None and not run.reached_plan:
        assert "does not stop inside this log" in said
        assert facts["kept_epoch"] == run.first_epoch + end.kept
        return
    stopped = None if end.stop is None else run.first_epoch + end.stop
    assert facts.get("stopped_epoch") == stopped
    assert facts["kept_epoch"] == run.first_epoch + end.kept
    best, value = best_of(values, way), values[end.kept]
    no_number = value is None or not math.isfinite(value)
    after = said.partition("keeps epoch")[2]
    assert no_number == ("no finite number" in after or "the log has no" in after)
    if not no_number:
        assert best is not None
        assert value is not None
        # above or below the best by so much, or the best itself
        assert facts.get("regret", 0.0) == pytest.approx(max(0.0, abs(value - best)))


@given(run=runs(), mode=MODES)
def test_the_best_of_another_series_is_true(run: Run, mode: str) -> None:
    """Each doubt that names the best epoch of another validation series.

    Where the answer keeps that epoch there is no doubt, and none is named; nor is the
    last epoch of a log that no patience stops in.
    """
    other = {"val_mae": run.series["val_loss"], "val_loss": run.series["loss"]}
    run = _with_series(run, other)
    staircase = build_staircase(run, mode=mode, semantics="keras-3.15")
    document = staircase_document(staircase)
    values = listed(run, "val_mae")
    best = best_of(values, "min")
    facts = [
        facts_of(point)
        for section in document.sections
        for block in section.blocks
        for point in getattr(block, "points", ())
    ]
    named = [
        found["other_best.val_mae"] for found in facts if "other_best.val_mae" in found
    ]
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    if len(numbers) > 1 and len({*numbers}) == 1:
        # one value in every epoch is no best
        best = None
    expected = [] if best is None else [run.first_epoch + values.index(best)]
    answer = staircase.sufficient_step()
    if answer is not None and expected == [answer.kept_epoch]:
        expected = []
    goes_on = staircase.steps[-1].evidence == "censored"
    stops = [step.first_stopped_epoch for step in staircase.steps]
    if goes_on and stops == [None] * len(stops) and expected == [run.horizon]:
        expected = []
    assert named == expected


def _with_series(run: Run, series: dict[str, Any]) -> Run:
    from dataclasses import replace

    return replace(run, series=dict(run.series) | series)
