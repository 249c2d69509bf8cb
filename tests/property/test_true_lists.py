"""What is said of lists is true of the log: of two compared, and of several stoppers.

The modes of the callbacks and of the objective are drawn apart, so that some are the
wrong way round; the loops that say what is true share no code with the package.
"""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ModelCheckpoint, compare_replays, make_grid
from cbreplay.answers.comparison import comparison_document
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.rival_lists import RivalLists
from cbreplay.answers.settings import settings_document
from cbreplay.document import Cell, plain_text
from cbreplay.judging import Judging
from cbreplay.replay import replay_run
from cbreplay.report.build import build_report
from tests.facts import facts_of
from tests.oracles.numbers_said import sentences_of
from tests.oracles.plain_rules import stopping
from tests.oracles.plain_stop import best_of
from tests.property.test_true_tables import STOPPERS, records, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay import Run

MODES = st.sampled_from(["min", "max"])
SEVERAL = st.lists(records(), min_size=1, max_size=3, unique_by=lambda run: run.name)
# what changes no decision, and may stand anywhere in a list
CHECKPOINTS = st.sampled_from([None, ModelCheckpoint("last.keras")])


class End(NamedTuple):
    """How a list ends on a run: where, with which weights, and if the log shows it."""

    evidence: str
    stop: int | None
    kept: int | None
    value: float | None
    n_saved: int


def end_of(run: Run, stoppers: Sequence[EarlyStopping]) -> End:
    """Play EarlyStoppings in one list: the first to stop ends them all."""
    told = list(run.series["val_loss"])
    horizon = len(told) - 1
    gap = next((at for at, value in enumerate(told) if value is None), None)
    played = [stopping(told, 0, asdict(stopper)) for stopper in stoppers]
    stops = [moments[-1].epoch for moments in played if moments[-1].acted]
    stop = min(stops, default=None)
    if gap is not None and (stop is None or stop > gap):
        return End("incomplete", None, None, None, horizon - gap)
    last = horizon if stop is None else stop
    kept = last
    for stopper, moments in zip(stoppers, played, strict=True):
        held = moments[last].held
        # the last listed one that restores has the last word
        kept = held if stopper.restore_best_weights and held is not None else kept
    evidence = "exact" if stop is not None or run.reached_plan else "censored"
    return End(evidence, stop, kept, told[kept], horizon - last)


def is_known(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def lost(run: Run, end: End, mode: str) -> float | None:
    """Return how far what is kept is from the best on record."""
    best = best_of(list(run.series["val_loss"]), mode)
    if not is_known(end.value) or best is None:
        return None
    off = end.value - best  # type: ignore[operator]  # it is known
    off = off if mode == "min" else -off
    # better than every number
    return None if off == -math.inf else max(0.0, off)


def judging_of(mode: str) -> Judging:
    return Judging("keras-3.15", objective="val_loss", objective_mode=mode)  # type: ignore[arg-type]  # one of two


def listed(stoppers: Sequence[EarlyStopping], checkpoint: Any) -> list[Any]:
    return [*([] if checkpoint is None else [checkpoint]), *stoppers]


@given(
    held=SEVERAL,
    stoppers=st.lists(STOPPERS, min_size=2, max_size=3),
    mode=MODES,
    checkpoint=CHECKPOINTS,
)
def test_what_a_list_of_stoppers_comes_to_is_true(
    held: list[Run], stoppers: list[EarlyStopping], mode: str, checkpoint: Any
) -> None:
    grid = make_grid(listed(stoppers, checkpoint))
    document = settings_document(decide_settings(held, grid, judging_of(mode)))
    table = document.answer_table()
    assert table is not None
    ends = [end_of(run, stoppers) for run in held]
    for run, row, end in zip(held, rows_of(table), ends, strict=True):
        check_row(row, end, lost(run, end, mode))
    facts = facts_of(document.headline)
    exact = [
        (end, lost(run, end, mode))
        for run, end in zip(held, ends, strict=True)
        if end.evidence == "exact"
    ]
    if len(held) == 1:
        assert facts.get("stopped_epoch") == ends[0].stop
        return
    assert facts.get("exact_runs", len(held)) == len(exact)


def check_row(row: dict[str, Cell], end: End, cost: float | None) -> None:
    assert row["stopped_epoch"].value == end.stop
    assert row["kept_epoch"].value == end.kept
    assert row["kept_value"].value == (end.value if is_known(end.value) else None)
    assert row["regret"].value == cost
    assert row["epochs_saved"].value == end.n_saved


# what the headline of one run that ended in NaN begins with
_FAILURE = r"^(This training failed|val_loss is (NaN|no finite number)) [^.]*\. "


@given(held=SEVERAL, pair=st.tuples(STOPPERS, STOPPERS), mode=MODES)
def test_what_a_comparison_comes_to_is_true(
    held: list[Run], pair: tuple[EarlyStopping, EarlyStopping], mode: str
) -> None:
    judging = judging_of(mode)
    compared = [
        compare_replays(*(replay_run(run, each, judging=judging) for each in pair))
        for run in held
    ]
    document = comparison_document(RivalLists([pair[0]], [pair[1]], compared))
    ends = [tuple(end_of(run, [each]) for each in pair) for run in held]
    decided = [(a, b) for a, b in ends if a.evidence == b.evidence == "exact"]
    wins = [better_of(a.value, b.value, mode) for a, b in decided]
    saved = [sum(two[side].n_saved for two in decided) for side in (0, 1)]
    told = {
        name: value
        for text in sentences_of(document)
        for name, value in facts_of(text).items()
    }
    expected = {
        "exact_runs": len(decided),
        "first_better": wins.count("first"),
        "rival_better": wins.count("rival"),
        "same": wins.count("same"),
        "first_epochs_saved": saved[0],
        "rival_epochs_saved": saved[1],
        "more_saved": abs(saved[0] - saved[1]),
    }
    assert {name: told[name] for name in told.keys() & expected.keys()} == {
        name: expected[name] for name in told.keys() & expected.keys()
    }
    words = re.sub(_FAILURE, "", plain_text(document.headline))
    if decided:
        counts = {name: wins.count(name) for name in ("first", "rival", "same")}
        if words.startswith("Which"):
            assert not any(counts.values())
        elif "keep the same" in words:
            assert counts["first"] == counts["rival"] == 0 < counts["same"]
        elif words.startswith("A and B each"):
            assert counts["first"] == counts["rival"] > 0
        else:
            more, less = ("first", "rival") if words[0] == "A" else ("rival", "first")
            assert counts[more] > counts[less]
    if len(held) == 1 and decided and ends[0][0].stop != ends[0][1].stop:
        stops = [math.inf if end.stop is None else end.stop for end in ends[0]]
        assert told["parting_epoch"] == min(stops)


def better_of(first: float | None, rival: float | None, mode: str) -> str | None:
    if not is_known(first) or not is_known(rival):
        return None
    if first == rival:
        return "same"
    lower = "first" if first < rival else "rival"  # type: ignore[operator]  # known
    higher = "rival" if lower == "first" else "first"
    return lower if mode == "min" else higher


# a report draws a picture of each run
@settings(max_examples=25, deadline=None)
@given(
    held=SEVERAL,
    stoppers=st.lists(STOPPERS, min_size=1, max_size=2),
    mode=MODES,
    checkpoint=CHECKPOINTS,
)
def test_what_a_report_on_a_list_says_is_true(
    held: list[Run], stoppers: list[EarlyStopping], mode: Any, checkpoint: Any
) -> None:
    report = build_report(
        held,
        callbacks=listed(stoppers, checkpoint),
        semantics="keras-3.15",
        objective="val_loss",
        objective_mode=mode,
    )
    ends = [end_of(run, stoppers) for run in held]
    facts = facts_of(report.headline)
    if len(held) == 1:
        (end,) = ends
        assert facts.get("horizon", held[0].horizon) == held[0].horizon
        if "stopped_epoch" in facts:
            assert facts["stopped_epoch"] == end.stop
        if "kept_epoch" in facts:
            assert facts["kept_epoch"] == end.kept
        cost = lost(held[0], end, mode)
        if "regret" in facts:
            assert facts["regret"] == pytest.approx(cost)
    else:
        exact = [end for end in ends if end.evidence == "exact"]
        if "exact_runs" in facts:
            assert facts["exact_runs"] == len(exact)
