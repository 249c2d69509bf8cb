"""Every number that a finding, an inspection, an advice or a table says is data."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cbreplay import (
    EarlyStopping,
    ModelCheckpoint,
    PrecheltPQ,
    Run,
    choices,
    compare_replays,
    make_grid,
    replay_run,
)
from cbreplay.answers.advice import advice_document
from cbreplay.answers.comparison import comparison_document
from cbreplay.answers.deciding import decide_settings
from cbreplay.answers.findings import check_callbacks
from cbreplay.answers.inspection import inspection_document
from cbreplay.answers.rival_lists import RivalLists
from cbreplay.answers.settings import settings_document
from cbreplay.document import plain_text, say
from cbreplay.judging import Judging
from cbreplay.recommend import recommend_config, sweep_patience
from cbreplay.rules.parameters import parameters_of
from tests.oracles.numbers_said import AnswerData, sentences_of
from tests.property.test_recommend_laws import families
from tests.strategies import early_stoppings, plateaus, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.document import Document, Text

VERSIONS = st.sampled_from(["keras-2.15", "keras-3.0", "keras-3.15"])
CHECKPOINTS = st.sampled_from(
    [
        [],
        [ModelCheckpoint("last.keras")],
        [ModelCheckpoint("a.keras"), ModelCheckpoint("a.keras", save_best_only=True)],
    ]
)
# what a finding tells to write, whatever the list is
EXAMPLES = re.compile(r"factor=0\.5|patience=5 or more|cooldown=2 to|\{epoch:02d\}")
# what a benchmark has measured, whatever the answer is
MEASURED = re.compile(
    r"brought what was lost from 8 % to 0\.5 %"
    r"|were 2 to 4 % worse, and 13 to 20 % for a data set of 569 rows"
    r"|Of 2,208 retrainings with an earlier reduction, [^.]*\."
)
# a first value or wait, and a count that starts, are words of the rule
WORDS = (0, 1)


def assert_is_data(
    document: Document, sentences: Iterable[Text], *, more: Sequence[float] = ()
) -> None:
    data = AnswerData.of(document.program(), more=more)
    for text in sentences:
        parts = [
            MEASURED.sub("", part) if isinstance(part, str) else part
            for part in text.parts
        ]
        assert data.unknown_in(say(*parts)) == [], plain_text(text)


@given(
    stopper=early_stoppings(),
    reducer=plateaus(),
    checkpoints=CHECKPOINTS,
    epochs=st.sampled_from([None, 1, 3, 6, 20]),
    validation_freq=st.sampled_from([None, 1, 2, 5]),
    run=st.one_of(st.none(), runs()),
    semantics=VERSIONS,
    twice=st.booleans(),
)
def test_every_number_of_a_finding_is_its_own(
    stopper: EarlyStopping,
    reducer: Any,
    checkpoints: list[Any],
    run: Run | None,
    *,
    twice: bool,
    **training: Any,
) -> None:
    strip = PrecheltPQ(alpha=0.5, strip_length=7)
    listed = [reducer, stopper, *([stopper] if twice else []), strip, *checkpoints]
    checked = check_callbacks(listed, run=run, **training)
    document = checked.document()
    assert_is_data(document, [document.headline, document.lead])
    for finding in document.program()["findings"]:
        held = {name: finding[name] for name in ("callback", "facts")}
        parameters = parameters_of(listed[finding["callback"]])
        data = AnswerData.of({**held, "parameters": parameters}, more=WORDS)
        for name in ("message", "reason", "fix"):
            said = EXAMPLES.sub("", finding[name])
            assert data.unknown_in(say(said)) == [], finding


@st.composite
def several_runs(draw: st.DrawFn) -> list[Run]:
    """One to three runs, each with a name of its own."""
    drawn = draw(st.lists(runs(), min_size=1, max_size=3))
    return [replace(run, name=f"run{number}") for number, run in enumerate(drawn)]


@given(held=several_runs(), verbose=st.booleans(), n_series=st.integers(0, 12))
def test_every_number_of_an_inspection_is_in_its_data(
    held: list[Run], *, verbose: bool, n_series: int
) -> None:
    more = {f"metric_{number}": held[0].series["loss"] for number in range(n_series)}
    held[0] = replace(held[0], series={**held[0].series, **more})
    document = inspection_document(tuple(held), verbose=verbose)
    # the series that are not named are told by those that are
    unnamed = len(held[0].series) - 6
    assert_is_data(document, sentences_of(document), more=[unnamed])


@given(
    held=several_runs(),
    patience=st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True),
    restores=st.booleans(),
    reducer=st.one_of(st.none(), plateaus()),
)
def test_every_number_of_the_first_sentences_about_settings_is_in_their_data(
    held: list[Run], patience: list[int], reducer: Any, *, restores: bool
) -> None:
    tried: Any = choices(
        EarlyStopping, patience=patience, mode="min", restore_best_weights=restores
    )
    grid = make_grid([tried, *([] if reducer is None else [reducer])])
    judging = Judging("keras-3.15", objective="val_loss", objective_mode="min")
    document = settings_document(decide_settings(held, grid, judging))
    assert_is_data(document, [document.headline, document.lead], more=WORDS)


@given(
    held=several_runs(),
    first=early_stoppings(),
    rival=early_stoppings(),
    reducer=st.one_of(st.none(), plateaus()),
)
def test_every_number_of_a_comparison_is_in_its_data(
    held: list[Run], first: EarlyStopping, rival: EarlyStopping, reducer: Any
) -> None:
    rest = [] if reducer is None else [reducer]
    lists = [first, *rest], [rival, *rest]
    judging = Judging("keras-3.15", objective="val_loss", objective_mode="min")
    compared = [
        compare_replays(*(replay_run(run, listed, judging=judging) for listed in lists))
        for run in held
    ]
    document = comparison_document(RivalLists(*lists, compared))
    # the doubts say what was noted in reading and in the replays
    told = [part for part in document.sections if part.title == "What it comes to"]
    said = sentences_of(document._replace(sections=tuple(told)))
    # what one saves more than the other, of all runs that decide both
    gains = [pair.epochs_gain or 0 for pair in compared if pair.both_exact]
    assert_is_data(document, said, more=[*WORDS, abs(sum(gains))])


@given(
    held=families(),
    confidence=st.sampled_from([0.5, 0.8, 0.9]),
    tolerance=st.sampled_from([None, 0.05, "0.1%"]),
    monitors=st.sampled_from([["val_loss"], ["val_loss", "loss"]]),
)
@settings(max_examples=15, deadline=None)
def test_every_number_of_an_advice_is_in_its_data(
    held: list[Run], monitors: list[str], **options: Any
) -> None:
    judging: Any = {"semantics": "keras-3.15", "objective": "val_loss"}
    sweep, excluded = sweep_patience(held, monitor=monitors, **judging)
    current = EarlyStopping(patience=3)
    advice = recommend_config(sweep, excluded=excluded, current=current, **options)
    document = advice_document(advice, sweep)
    # a headline counts the runs that the groups name as constant
    n_constant = sum(len(group.constant_runs) for group in advice.groups)
    # the usual patience that everything is compared with
    more = [*WORDS, 10, n_constant]
    assert_is_data(document, sentences_of(document), more=more)
