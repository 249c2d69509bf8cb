"""What the library returns can be pickled, copied, compared, hashed and shown."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    ask,
    build_staircase,
    choices,
    compare_replays,
    explain_replay,
    lint_callbacks,
    make_grid,
    pair_choices,
    replay_run,
    sweep_runs,
)
from cbreplay.notebook.results import answer_about
from cbreplay.recommend import measure_costs, recommend_config, sweep_patience
from cbreplay.report import build_report, write_html
from cbreplay.rules.keras.learning_rate_scheduler import TableSchedule

if TYPE_CHECKING:
    from collections.abc import Callable


def made_run(seed: int = 0) -> Run:
    losses = np.exp(-np.arange(40) / 8) + 0.01 * np.arange(40)
    losses += np.random.default_rng(seed).normal(0, 0.02, 40)
    rows = [{"loss": loss, "val_loss": loss, "lr": 0.01} for loss in losses.tolist()]
    return Run.from_logs(rows, name=f"run{seed}", planned_epochs=40)


def advice() -> object:
    runs = [made_run(seed) for seed in range(4)]
    return recommend_config(sweep_patience(runs)[0], current=[EarlyStopping()])


def tried() -> Any:
    return choices(EarlyStopping, patience=[1, 2, 3], min_delta=[0, 0.1, 0.2])


def replayed() -> Any:
    return replay_run(made_run(), EarlyStopping(patience=2))


def compared() -> object:
    run = made_run()
    rivals = [replay_run(run, EarlyStopping(patience=value)) for value in (1, 3)]
    return compare_replays(*rivals)


def swept() -> Any:
    return sweep_runs(made_run(), make_grid([tried()]))


def costs() -> object:
    sweep, _ = sweep_patience([made_run(seed) for seed in range(4)])
    return measure_costs(sweep, recommend_config(sweep))


RESULTS: list[Callable[[], object]] = [
    made_run,
    advice,
    tried,
    replayed,
    lambda: make_grid([tried()]),
    lambda: pair_choices([tried(), ReduceLROnPlateau()]),
    swept,
    lambda: build_staircase(made_run()),
    compared,
    lambda: explain_replay(replayed()),
    lambda: lint_callbacks([EarlyStopping(), ReduceLROnPlateau()]),
    lambda: TableSchedule({0: 0.1, 3: 0.01}),
    costs,
]
# with every kind of document: sentences, pictures and tables that are made when used
ANSWERS: list[Callable[[], Any]] = [
    lambda: ask(made_run()),
    lambda: ask(made_run(), EarlyStopping(patience=2)),
    lambda: ask(made_run(), [tried(), ReduceLROnPlateau(patience=3)]),
    lambda: ask([made_run(), made_run(1)], tried()),
    lambda: ask(made_run(), EarlyStopping(), versus=EarlyStopping(patience=3)),
    lambda: ask([made_run(seed) for seed in range(4)]),
    *(
        lambda make=make: answer_about(make())
        for make in (made_run, replayed, compared, swept, advice)
    ),
]
COPIES = [lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy]  # noqa: S301


@pytest.mark.parametrize("make", RESULTS)
@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_result_shows_the_same(
    make: Callable[[], object], copied: Callable[[object], object]
) -> None:
    result = make()
    assert str(copied(result)) == str(result)


@pytest.mark.parametrize("make", ANSWERS)
@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_an_answer_shows_the_same(
    make: Callable[[], Any], copied: Callable[[Any], Any]
) -> None:
    answer, page = make(), make()._repr_html_()
    copy_of_it = copied(answer)
    assert str(copy_of_it) == str(answer)
    assert copy_of_it._repr_html_() == page
    assert copy_of_it.to_document().program() == answer.to_document().program()
    try:
        drawn = answer.plot()
    except ConfigError:
        return
    assert len(copy_of_it.plot().axes) == len(drawn.axes)


@pytest.mark.parametrize("copied", COPIES)
def test_a_copy_of_a_report_is_the_same_page(copied: Callable[[Any], Any]) -> None:
    document = build_report([made_run(seed) for seed in range(4)])
    assert write_html(copied(document)) == write_html(document)


# a terminal shows so much of a value without a line of its own being lost
MOST_SHOWN = 600


@pytest.mark.parametrize("make", RESULTS)
def test_a_result_is_equal_to_itself_has_a_hash_and_is_shown_shortly(
    make: Callable[[], Any],
) -> None:
    result, other = make(), make()
    assert result == result  # noqa: PLR0124 - the law
    assert [other, result].count(result) in (1, 2)
    assert {result: 1}[result] == 1
    if result == other:
        assert hash(result) == hash(other)
    assert 0 < len(repr(result)) < MOST_SHOWN


def test_a_copied_series_cannot_be_written_either() -> None:
    series = copy.deepcopy(made_run().series["loss"])
    with pytest.raises(ValueError, match="read-only"):
        series.values[0] = 0.0


def test_two_recommendations_can_be_compared() -> None:
    first, second = advice(), advice()
    assert first == first  # noqa: PLR0124 - tolerances are arrays, without a truth
    assert first != second
