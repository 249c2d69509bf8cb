"""Every figure in a table of settings is true of the log, and so is its bound.

EarlyStopping with all of its parameters, over records with ties, NaN, infinities and
holes, one and several at once; the loops that say what is true share no code with the
package. A hole is an epoch whose value the callback saw and the log lacks: nothing that
hangs on it is told, and what is lost is at least what the record shows.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, Run, Series, choices, make_grid
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.settings import settings_document
from cbreplay.document import Cell, Table, plain_text
from cbreplay.judging import Judging
from tests.facts import facts_of
from tests.oracles.plain_rules import stopping
from tests.oracles.plain_stop import best_of
from tests.strategies import values

if TYPE_CHECKING:
    from collections.abc import Iterator

JUDGING = Judging(semantics="keras-3.15")
# so many epochs that two holes leave a value at each of most of them
FEWEST, MOST = 14, 24


@st.composite
def records(draw: st.DrawFn) -> Run:
    """Runs of a value an epoch, of which up to two are lacking."""
    n_epochs = draw(st.integers(FEWEST, MOST))
    numbers = values.filter(lambda value: value is not None)
    losses = draw(st.lists(numbers, min_size=n_epochs, max_size=n_epochs))
    holes = draw(st.sets(st.integers(3, n_epochs - 1), max_size=2))
    told = [None if at in holes else loss for at, loss in enumerate(losses)]
    series = {
        "val_loss": Series.from_optional(told),
        "loss": Series.from_optional([1.0] * n_epochs),
    }
    planned = draw(st.sampled_from([None, None, n_epochs, 50]))
    return Run(
        name=f"run{draw(st.integers(0, 10**6))}",
        source="",
        first_epoch=0,
        series=series,
        planned_epochs=planned,
    )


STOPPERS = st.builds(
    EarlyStopping,
    mode=st.sampled_from(["min", "max"]),
    patience=st.integers(0, 10),
    min_delta=st.sampled_from([0, 0.125, 0.5, 100]),
    baseline=st.sampled_from([None, None, 0.5, -1]),
    restore_best_weights=st.booleans(),
    start_from_epoch=st.integers(0, 8),
)


class Truth(NamedTuple):
    """What the plain loop says of one setting on one run."""

    evidence: str
    stop: int | None
    kept: int | None
    value: float | None
    regret: float | None
    is_bound: bool
    n_saved: int


def truth(run: Run, setting: EarlyStopping) -> Truth:
    told = list(run.series["val_loss"])
    holes = [at for at, value in enumerate(told) if value is None]
    gap, horizon = holes[0] if holes else None, len(told) - 1
    moments = stopping(told, 0, asdict(setting))
    last = moments[-1]
    stop = last.epoch if last.acted else None
    if gap is not None and (stop is None or stop > gap):
        return Truth("incomplete", None, None, None, None, False, horizon - gap)
    evidence = "exact" if stop is not None or run.reached_plan else "censored"
    kept = last.epoch
    if setting.restore_best_weights and last.held is not None:
        kept = last.held
    value, best = told[kept], best_of(told, setting.mode)
    regret = None
    if value is not None and not math.isnan(value) and best is not None:
        off = value - best if setting.mode == "min" else best - value
        # better than every number
        regret = None if off == -math.inf else max(0.0, off)
    return Truth(evidence, stop, kept, value, regret, bool(holes), horizon - last.epoch)


def rows_of(table: Table) -> Iterator[dict[str, Cell]]:
    """Yield the cells that people see, row by row."""
    keys = [(at, c.key) for at, c in enumerate(table.columns) if c.shown != "programs"]
    for row in table.rows:
        cells = [row.cells[at] for at, _ in keys]
        yield {
            key: cell if isinstance(cell, Cell) else Cell(cell)
            for (_, key), cell in zip(keys, cells, strict=True)
        }


def check_row(row: dict[str, Cell], known: Truth) -> None:
    assert row["stopped_epoch"].value == known.stop
    assert row["kept_epoch"].value == known.kept
    assert row["epochs_saved"].value == known.n_saved
    is_exact = known.evidence == "exact"
    assert row["epochs_saved"].bound == (None if is_exact else "upper")
    assert row["kept_epoch"].provisional == (known.evidence == "censored")
    kept, regret = row["kept_value"].value, row["regret"].value
    number = known.value is not None and not math.isnan(known.value)
    assert kept == (known.value if number else None)
    assert regret == known.regret
    if regret is not None:
        assert row["regret"].bound == ("lower" if known.is_bound else None)
    if is_exact:
        assert row["spoken"].value == "exact"
    elif known.evidence == "incomplete":
        assert str(row["spoken"].value).startswith("unknown from")


def ask(runs: list[Run], setting: EarlyStopping, patience: list[int]) -> Any:
    asked = asdict(setting) | {"patience": patience}
    grid = make_grid([choices(EarlyStopping, **asked)])
    return settings_document(decide_settings(runs, grid, JUDGING))


def with_patience(setting: EarlyStopping, patience: int) -> EarlyStopping:
    return EarlyStopping(**(asdict(setting) | {"patience": patience}))


@given(
    run=records(),
    setting=STOPPERS,
    patience=st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True),
)
def test_every_row_about_one_log_is_true(
    run: Run, setting: EarlyStopping, patience: list[int]
) -> None:
    document = ask([run], setting, patience)
    table = document.answer_table()
    known = [truth(run, with_patience(setting, each)) for each in patience]
    for row, told in zip(rows_of(table), known, strict=True):
        check_row(row, told)
    said, facts = plain_text(document.headline), facts_of(document.headline)
    if len(patience) > 1:
        assert facts["n_decided"] == sum(told.evidence == "exact" for told in known)
        priced = [
            told.regret
            for told in known
            if told.evidence == "exact"
            and told.regret is not None
            and math.isfinite(told.value or 0)
        ]
        least = min(priced, default=None)
        assert ("keeps the best" in said) == (least == 0)
        if least == 0:
            # where values are lacking, it is the best of those that are there
            lacks = None in list(run.series["val_loss"])
            assert ("the best recorded" in said) == lacks
        else:
            assert facts.get("regret") == least


@given(
    some=st.lists(records(), min_size=2, max_size=4, unique_by=lambda run: run.name),
    setting=STOPPERS,
)
def test_what_one_setting_comes_to_on_several_logs_is_true(
    some: list[Run], setting: EarlyStopping
) -> None:
    document = ask(some, setting, [int(setting.patience)])
    known = [truth(run, setting) for run in some]
    for row, told in zip(rows_of(document.answer_table()), known, strict=True):
        check_row(row, told)
    facts, said = facts_of(document.headline), plain_text(document.headline)
    exact = [told for told in known if told.evidence == "exact"]
    priced = [
        told.regret
        for told in exact
        if told.regret is not None and math.isfinite(told.regret) and not told.is_bound
    ]
    counted = {"exact_runs": len(exact), "priced_runs": len(priced)}
    said_of = facts.keys() & counted.keys()
    assert said_of
    assert {name: facts[name] for name in said_of} == {
        name: counted[name] for name in said_of
    }
    if priced and max(priced) == 0:
        assert "keeps the best" in said
    elif priced:
        assert facts["mean_regret"] == pytest.approx(math.fsum(priced) / len(priced))
        # what a single one loses is said once
        worst = facts.get("worst_regret", facts["mean_regret"])
        assert worst == max(priced)
        assert ("worst_regret" in facts) == (len(priced) > 1)
    else:
        assert "mean_regret" not in facts
        assert "keeps the best" not in said
    if priced:
        assert facts["epochs_saved"] == sum(told.n_saved for told in exact)
