"""Every number that an answer says is found in the data that it carries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from cbreplay import EarlyStopping, ReduceLROnPlateau, Run, explain_replay, replay_run
from cbreplay.answers.explanation import explanation_document
from cbreplay.document import Fact
from tests.facts import facts_of
from tests.oracles.numbers_said import NUMBER, is_among
from tests.strategies import early_stoppings, plateaus, runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.explain import Explanation, TraceRow


def explained(run: Run, *callbacks: Any, hypothetical: bool = False) -> Explanation:
    replay = replay_run(
        run, callbacks, semantics="keras-3.15", hypothetical=hypothetical
    )
    return explain_replay(replay)


def numbers_of_rule(callback: Any) -> Iterator[float | None]:
    yield from (callback.patience, callback.min_delta, abs(callback.min_delta))
    if isinstance(callback, EarlyStopping):
        yield from (callback.baseline, callback.start_from_epoch + 1)
        # a margin is spoken of beside the baseline too
        if callback.baseline is not None:
            yield callback.baseline - abs(callback.min_delta)
    if isinstance(callback, ReduceLROnPlateau):
        yield from (callback.factor, callback.cooldown, callback.min_lr)


def numbers_of_row(row: TraceRow) -> Iterator[float | None]:
    yield from (row.epoch + 1, row.epoch + 2, row.value, row.needed)
    yield from (row.learning_rate, row.new_learning_rate)
    yield from row.compared or ()
    for state in (row.before, row.after):
        held = state._asdict()
        yield from (held["wait"], held["wait"] + 1, held["best"])
        yield held.get("cooldown_counter")


def numbers_of_ending(told: Explanation) -> Iterator[float | None]:
    replay = told.replay
    fiction: Any = replay if replay.hypothetical is None else replay.hypothetical
    for epoch in (fiction.stopped_epoch, fiction.kept_epoch, replay.run.horizon):
        yield None if epoch is None else epoch + 1
    yield None if replay.divergence_epoch is None else replay.divergence_epoch
    for index, callback in enumerate(replay.callbacks):
        rows = [row for row in told.rows if row.callback == index]
        yield sum(row.decision == "reduction" for row in rows)
        yield from numbers_of_rule(callback)
        for row in rows:
            yield from numbers_of_row(row)
            best_epoch = row.after._asdict().get("best_epoch")
            yield None if best_epoch is None else best_epoch + 1
            rule: Any = callback
            left = max(math.ceil(rule.patience) - row.after.wait, 1)
            cooldown = row.after._asdict().get("cooldown_counter", 0)
            yield from (left, left + max(math.ceil(cooldown) - 1, 0))


@given(runs(), early_stoppings(), plateaus(), st.booleans())
def test_every_number_of_an_explanation_is_in_its_data(
    run: Run, stopper: EarlyStopping, reducer: ReduceLROnPlateau, goes_on: object
) -> None:
    told = explained(run, stopper, reducer, hypothetical=bool(goes_on))
    for row in told.rows:
        rule = told.replay.callbacks[row.callback]
        known = [*numbers_of_row(row), *numbers_of_rule(rule)]
        for token in NUMBER.findall(row.why):
            assert is_among(token, known), (token, row.why)
    known = list(set(numbers_of_ending(told)))
    for sentence in told.closing:
        for token in NUMBER.findall(sentence.replace("#2", "")):
            assert is_among(token, known), (token, sentence)


@given(runs(), early_stoppings(), plateaus())
def test_the_headline_has_its_epochs_from_the_replay(
    run: Run, stopper: EarlyStopping, reducer: ReduceLROnPlateau
) -> None:
    for callbacks in ((stopper,), (stopper, reducer)):
        told = explained(run, *callbacks)
        replay, document = told.replay, explanation_document(told)
        facts = facts_of(document.headline)
        for name in ("stopped_epoch", "kept_epoch"):
            if name in facts:
                assert facts[name] == getattr(replay, name)
        assert ("stopped_epoch" in facts) == (replay.stopped_epoch is not None)
        assert ("kept_epoch" in facts) == (replay.evidence != "diverged")
        for text in (document.headline, document.lead):
            words = "".join(part for part in text.parts if isinstance(part, str))
            # what is no Fact is the name of a Keras or where counting begins
            assert not NUMBER.findall(words.replace("Keras 3.15", "").replace("1.", ""))
        assert any(isinstance(part, Fact) for part in document.headline.parts)
