"""What is recommended, on runs whose sufficient patience is known by construction."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    EarlyStopping,
    ReduceLROnPlateau,
    Run,
    build_staircase,
    choices,
    load_runs,
    make_grid,
    sweep_runs,
)
from cbreplay.answers.advice.evidence import evidence_sentences
from cbreplay.answers.advice.headline import advice_headline
from cbreplay.answers.advice.surety import how_sure, what_makes_surer
from cbreplay.answers.advice.tables import groups_table, settings_legend
from cbreplay.answers.doubts import doubts_of_staircase
from cbreplay.document import plain_text, say
from cbreplay.errors import ConfigError, UnknownMonitorError
from cbreplay.evidence.training_course import improves_after
from cbreplay.generalization.prior import blend_scores, read_prior
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.recommend import Reason, recommend_config, sweep_patience
from cbreplay.recommend.choice import pick_patience
from cbreplay.recommend.scores import NEAR_TIE
from cbreplay.setting_costs.pricing import ChoiceFrame, Priced
from cbreplay.setting_costs.swept_settings import USUAL
from tests.recommended import (
    BEST,
    FIRST,
    SUFFICIENT,
    facts_of_reason,
    make_run,
    pausing,
    pausing_runs,
    recommend,
    spoken_doubts,
    spoken_reasons,
    swept,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def described(run: Run, **raw: Any) -> Run:
    return replace(run, metadata=parse_run_metadata(json.dumps(raw), source=""))


def codes(advice: Any) -> list[str]:
    return [one.code for one in advice.doubts]


def test_the_sufficient_patience_of_a_pause_is_its_length() -> None:
    advice = recommend(pausing_runs([1, 2, 5, 13]))
    assert [one.sufficient_patience for one in advice.groups] == [1, 2, 5, 13]


def test_with_nine_runs_the_largest_is_promised_for_nine_tenths() -> None:
    # without one of the 20s it is 20 still, and 10 loses half of FIRST on them; most of
    # the runs need just 20, so nothing longer has a better score
    advice = recommend(pausing_runs([1, 2, 3, 4, 20, 20, 20, 20, 20]))
    assert (advice.kind, advice.patience) == ("guaranteed", 20)
    assert advice.promise is not None
    assert (advice.promise.patience, advice.promise.rank) == (20, 9)
    assert round(advice.promise.unlucky_share, 2) == 0.77
    assert advice.callbacks == (EarlyStopping(patience=20, restore_best_weights=True),)


def test_with_twenty_runs_two_thirds_of_a_tenth_may_need_more() -> None:
    # 21 x 0.9 = 18.9: the 19th smallest of 20
    advice = recommend(pausing_runs([2] * 18 + [4, 30]))
    assert advice.promise is not None
    assert (advice.promise.patience, advice.promise.rank) == (4, 19)


@pytest.mark.parametrize(("n_runs", "confidence"), [(8, 0.9), (3, 0.8), (18, 0.95)])
def test_with_too_few_runs_it_promises_nothing_and_says_how_many_it_takes(
    n_runs: int, confidence: float
) -> None:
    advice = recommend(pausing_runs([20] * n_runs), confidence=confidence)
    assert (advice.kind, advice.promise) == ("heuristic", None)
    assert advice.basis == "score"
    # one less loses the whole scale on every run
    assert advice.patience is not None
    assert advice.patience >= 20
    assert facts_of_reason(advice, "too-few-groups") == {
        "confidence": confidence,
        "n_monitors": 1,
        "needed": n_runs + 1,
        "n_groups": n_runs,
    }
    said = spoken_reasons(advice)[-1]
    assert f"takes at least {n_runs + 1} runs, and there are {n_runs}" in said
    enough = recommend(pausing_runs([20] * (n_runs + 1)), confidence=confidence)
    assert (enough.kind, enough.patience) == ("guaranteed", 20)


def test_without_a_plan_it_is_a_rule_of_thumb() -> None:
    runs = [
        make_run(pausing(3, length), f"run{length}", planned=False)
        for length in (20, 31, 43, 67)
    ]
    advice = recommend(runs)
    # with three for each run, 10 is more than the promise of four runs asks for
    assert (advice.kind, advice.basis, advice.patience) == ("guaranteed", "thumb", 10)
    assert (advice.plan, advice.expected) == (None, None)
    assert "no one number of planned epochs is known" in spoken_reasons(advice)[0]


def test_a_tenth_of_a_long_plan_is_the_rule_of_thumb() -> None:
    # a promise for 25 wins only against less than that
    promises = {
        n_epochs: recommend(
            [
                make_run(
                    [value + i / 1e6 for value in pausing(25, n_epochs)], f"run{i}"
                )
                for i in range(9)
            ]
        )
        for n_epochs in (200, 400)
    }
    assert promises[200].basis == "promise"
    assert promises[400].basis == "score"
    assert facts_of_reason(promises[200], "promise")["usual"] == 20


def test_a_longer_patience_than_the_promised_one_wins_by_its_score() -> None:
    # four runs need different patience values, up to 15, which is promised; where all
    # of them need 15, there is nothing that a longer one would be for
    plan, patience = 40, np.arange(1, 41)
    for lengths in ([1, 2, 12, 15], [15] * 4):
        enough = np.array(lengths)[:, None]
        lost = np.where(patience >= enough, 0, (FIRST - BEST) / BEST)
        stops = np.where(patience >= enough, enough + 1 + patience, 1 + patience)
        trained = np.minimum(stops, plan) / plan
        score = blend_scores(read_prior(), patience, plan, lost, trained).score
        best = patience[score.argmin()]
        # what the kinds of curves add is in both cases an argument for more than 15
        assert best > 15
        assert score[14] > score.min() + NEAR_TIE
        advice = recommend(pausing_runs(lengths), confidence=0.8)
        assert advice.promise is not None
        assert (advice.kind, advice.promise.patience) == ("guaranteed", 15)
        by_step = len(set(lengths)) == 1
        assert (advice.basis, advice.patience) == (
            ("promise", 15) if by_step else ("score", best)
        )


def test_the_least_expected_score_is_chosen_where_no_more_is_promised() -> None:
    # the oracle: what every patience loses and trains is known of a pause
    lengths, plan = [2, 2, 6, 9], 40
    patience = np.arange(1, plan + 1)
    enough = np.array(lengths)[:, None]
    lost = np.where(patience >= enough, 0, (FIRST - BEST) / BEST)
    stops = np.where(patience >= enough, enough + 1 + patience, 1 + patience)
    trained = np.minimum(stops, plan) / plan
    blended = blend_scores(read_prior(), patience, plan, lost, trained)
    advice = recommend(pausing_runs(lengths))
    assert advice.patience == patience[blended.cheapest()]
    assert advice.expected is not None
    assert advice.expected.score == pytest.approx(blended.score.min(), abs=1e-5)
    assert advice.expected.usual_score == pytest.approx(blended.score[9], abs=1e-5)
    assert advice.expected.n_groups == 4
    # the table has the score that decides beside each patience, and no other setting
    column = {row.label: row.expected_score for row in advice.settings}
    assert column.pop("recommended") == advice.expected.score
    assert column.pop("5") == pytest.approx(blended.score[4], abs=1e-5)
    assert column.pop("10") == advice.expected.usual_score
    others = {column.pop(label, None) for label in ("cheapest", "tolerance")} - {None}
    assert all(score >= advice.expected.score for score in others if score)
    assert set(column.values()) == {None}


def test_a_floor_bounds_the_choice_and_not_what_10_is_expected_to_cost() -> None:
    # three logs end 25 values after their best; the fourth, which loses everything
    # below a patience of 14, shows nothing of what 25 cut off
    plan = 40
    cut = [
        make_run([2.0] * i + [1.0 + i / 100] + [1.5] * 25, f"cut{i}") for i in (1, 2, 3)
    ]
    cut = [replace(run, planned_epochs=plan) for run in cut]
    advice = recommend([*cut, make_run(pausing(14), "free")], group_by="none")
    patience = np.arange(1, plan + 1)
    lost = np.where(patience >= 14, 0.0, (FIRST - BEST) / BEST)[None]
    stops = np.where(patience >= 14, 15 + patience, 1 + patience)
    trained = (np.minimum(stops, plan) / plan)[None]
    blended = blend_scores(read_prior(), patience, plan, lost, trained)
    assert advice.patience == patience[24 + blended.score[24:].argmin()]
    assert advice.expected is not None
    assert advice.expected.usual_score == pytest.approx(blended.score[9])
    # the one run that tells loses all of its scale by 10: a fifth of it at least
    assert blended.score[9] > 1 / 5
    said = [plain_text(text) for text in settings_legend(advice).points]
    assert any(", from 1 run, what a shorter patience costs" in text for text in said)


def test_what_goes_on_past_a_log_that_broke_off_chooses_nothing() -> None:
    # planned for 40, it ends after 15: patience 1 to 4 stop in it, 5 and more do not,
    # and what these would have kept nobody knows
    broken = [FIRST, *[FIRST + 0.1] * 4, BEST, *[BEST + 0.1] * 4]
    broken += [BEST - 0.1, *[BEST] * 4]
    runs = [*pausing_runs([3]), replace(make_run(broken, "broken"), planned_epochs=40)]
    advice = recommend(runs, group_by="none")
    patience = np.arange(1, 41)
    scale = BEST - 0.1
    lost = np.array(
        [
            np.where(patience >= 3, 0.0, (FIRST - BEST) / BEST),
            np.where(patience <= 4, (FIRST - scale) / scale, np.nan),
        ]
    )
    trained = np.array(
        [
            np.minimum(np.where(patience >= 3, 4 + patience, 1 + patience), 40) / 40,
            np.where(patience <= 4, (1 + patience) / 40, np.nan),
        ]
    )
    blended = blend_scores(read_prior(), patience, 40, lost, trained)
    assert blended.told.tolist() == [2] * 4 + [1] * 36
    assert advice.patience == patience[blended.score.argmin()]
    assert advice.expected is not None
    assert advice.expected.score == pytest.approx(blended.score.min())


def test_logs_that_end_before_they_tell_anything_are_no_reason_for_a_setting() -> None:
    runs = [
        replace(
            make_run([length - at / 100 for at in range(length)], f"run{length}"),
            planned_epochs=100,
        )
        for length in (9, 10, 11)
    ]
    advice = recommend(runs)
    assert (advice.kind, advice.patience) == ("none", None)
    assert [why.kind for why in advice.reasons] == ["untold"]


@pytest.mark.parametrize(
    ("options", "is_measured"),
    [
        ({}, True),
        ({"min_delta": 0.01}, False),
        ({"keep": "last"}, False),
        ({"cost_weight": 0.2}, False),
        ({"monitor": "loss"}, False),
    ],
)
def test_odds_are_those_of_advice_that_was_measured(
    options: dict[str, Any], *, is_measured: bool
) -> None:
    # 50 epochs is the shortest plan that was measured
    runs = [
        Run.from_logs(
            [{"loss": 2 - loss, "val_loss": loss} for loss in pausing(patience, 50)],
            name=f"run{patience}",
            planned_epochs=50,
        )
        for patience in (3, 4, 5)
    ]
    advice = recommend(runs, objective="val_loss", **options)
    assert advice.expected is not None
    assert (advice.expected.odds is not None) == is_measured


@pytest.mark.parametrize("how", ["short", "long", "broken", "large is good"])
def test_odds_are_of_plans_that_were_measured_and_of_whole_trainings(how: str) -> None:
    length = {"short": 49, "long": 201}.get(how, 60)
    curves = [pausing(patience, length) for patience in (3, 4, 5)]
    sign = -1 if how == "large is good" else 1
    runs = [
        Run.from_logs(
            [{"val_loss": sign * loss} for loss in curve],
            name=f"run{at}",
            planned_epochs=length,
        )
        for at, curve in enumerate(curves)
    ]
    if how == "broken":
        rows = [{"val_loss": loss} for loss in pausing(6, 40)]
        runs.append(Run.from_logs(rows, name="broken", planned_epochs=length))
    mode = "max" if sign < 0 else "auto"
    advice = recommend(runs, mode=mode, group_by="none")
    assert advice.expected is None or advice.expected.odds is None


def test_where_no_log_tells_what_10_costs_it_is_not_compared() -> None:
    unknown = np.full((2, 2), np.nan)
    priced = Priced(
        patience=np.array([5, 10]),
        sufficient=np.array([5.0, 5.0]),
        regret=unknown,
        cost=unknown,
        score=unknown,
        lost=np.array([[0.1, np.nan]] * 2),
        trained=np.array([[0.5, np.nan]] * 2),
        lost_to_own=unknown,
        trained_to_own=unknown,
        frame=ChoiceFrame(plan=20, cost_weight=0.05),
    )
    pick = pick_patience(priced, 0.9)
    assert pick.expected is not None
    _, of_each = pick.expected
    assert [*of_each] == [5]


def test_a_patience_costs_more_by_what_cut_logs_show_it_to_lose() -> None:
    one, none = np.zeros((1, 2)), np.full((1, 2), np.nan)
    told = Priced(
        patience=np.array([1, 8]),
        sufficient=np.array([1.0]),
        regret=one,
        cost=one,
        score=one,
        lost=one,
        trained=np.array([[0.1, 0.3]]),
        lost_to_own=none,
        trained_to_own=none,
        frame=ChoiceFrame(plan=60, cost_weight=0.05),
    )
    # a second group, cut by patience 8: 1 would have lost 40 % more, and have trained
    # 20 % less of the plan, which is 0.4 - 0.05 x 0.2 = 0.39
    cut = told._replace(
        sufficient=np.array([1.0, np.inf]),
        lost=np.concatenate([told.lost, none]),
        trained=np.concatenate([told.trained, none]),
        lost_to_own=np.concatenate([none, [[0.4, 0.0]]]),
        trained_to_own=np.concatenate([none, [[-0.2, 0.0]]]),
    )
    (_, alone), (_, beside) = (
        pick_patience(priced, 0.9).expected or (0.0, {}) for priced in (told, cut)
    )
    # it is one of the run that tells, itself, and the kinds
    n_all = 1 + 1 + read_prior().weight
    assert beside[1] - alone[1] == pytest.approx(0.39 / n_all)
    assert beside[8] == pytest.approx(alone[8])


def test_no_patience_wins_that_cut_logs_show_too_short() -> None:
    # to the plan: best at epoch 5 and worse from there, so that patience 1 is enough
    whole = [[abs(at - best) + 10 for at in range(60)] for best in (5, 6, 7, 8)]
    # cut by 8: a pause of 6 epochs, behind which four fifths are gained
    cut = [
        [20 + extra, 19, *[19.5] * 6, *range(18, 4, -1), *[9] * 8] for extra in range(8)
    ]
    runs = [
        Run.from_logs(
            [{"val_loss": loss} for loss in losses], name=f"run{at}", planned_epochs=60
        )
        for at, losses in enumerate([*whole, *cut])
    ]
    advice = recommend(runs, recorded_under=8, group_by="none")
    assert advice.expected is not None
    assert advice.expected.n_cut == 8
    assert advice.patience is not None
    assert advice.patience >= 7


def test_logs_that_end_together_are_answered_as_if_their_plan_was_given() -> None:
    lengths = [1, 1, 2, 2, 3, 3, 4, 20, 20]
    given, inferred = (
        recommend(pausing_runs(lengths, planned=planned)) for planned in (True, False)
    )
    assert given.plan == (40, False, 9)
    assert inferred.plan == (40, True, 9)
    assert inferred.patience == given.patience
    assert inferred.promise == given.promise
    assert inferred.settings == given.settings
    assert inferred.groups == given.groups


def test_with_several_plans_there_is_a_line_for_each() -> None:
    short = pausing_runs([20] * 10)
    long = [
        make_run([value + i / 1e6 for value in pausing(30, 80)], f"long{i}")
        for i in range(4)
    ]
    odd = make_run(pausing(5, 25), "odd")
    advice = recommend([*short, *long, odd])
    assert (advice.plan, advice.patience) == ((40, False, 10), 20)
    (other,) = advice.plans
    assert (other.plan, other.n_groups) == ((80, False, 4), 4)
    # four units promise four fifths
    assert other.promise is not None
    assert (other.patience, other.promise.confidence) == (30, 0.8)
    assert advice.excluded == (("odd", ("plan", {"planned": 25, "usual": 40})),)


def test_figures_of_the_rows_by_hand() -> None:
    # 40 epochs. Patience 5 stops at epoch 5 of the pause of 20 and keeps 1.0, and at
    # epoch 2 + 5 of a run whose best is in epoch 2
    advice = recommend(pausing_runs([2, 2, 20, 20]), cost_weight=0.05)
    row = advice.setting("5")
    assert row is not None
    assert row.mean_regret == pytest.approx((0 + 0 + 0.5 + 0.5) / 4)
    assert row.worst_regret == pytest.approx(FIRST - BEST)
    assert row.lost_share == pytest.approx(0.5)  # 0.5 of the best, 0.5, on half
    assert row.cost == pytest.approx((8 + 8 + 6 + 6) / 4 / 40)
    assert row.score == pytest.approx(0.5 + 0.05 * 28 / 160)
    default = advice.setting("default")
    assert default is not None
    # stops after the second epoch, which pauses; both keep 1.0
    assert default.cost == pytest.approx(2 / 40)
    assert default.mean_regret == pytest.approx(0.5)
    none = advice.setting("none")
    assert none is not None
    assert none.cost == 1
    assert none.mean_regret == pytest.approx(0.1, abs=1e-4)
    hindsight = advice.setting("hindsight")
    assert hindsight is not None
    assert hindsight.cost == pytest.approx((3 + 3 + 21 + 21) / 4 / 40)
    assert hindsight.mean_regret == 0


def test_a_run_that_broke_off_does_not_tell_what_no_stop_comes_to() -> None:
    broken = [
        replace(make_run(pausing(3 + at, 20), f"broken{at}"), planned_epochs=40)
        for at in range(3)
    ]
    of_all = recommend([*pausing_runs([2, 4]), *broken], group_by="none")
    whole = recommend(pausing_runs([2, 4]))
    for label in ("none", "hindsight"):
        row, alone = of_all.setting(label), whole.setting(label)
        assert row is not None
        assert alone is not None
        assert row.n_groups == 2
        assert (row.mean_regret, row.cost) == (alone.mean_regret, alone.cost)
    # where nobody knows a plan, the log's end is taken for the end
    unplanned = [replace(run, planned_epochs=None) for run in broken[:2]]
    row = recommend(unplanned, group_by="none").setting("none")
    assert row is not None
    assert row.n_groups == 2


def broken_off(n_broken: int, plan: int = 40) -> list[Run]:
    """Return runs that broke off at epoch 20, of which 3 and more pauses are enough."""
    return [
        replace(make_run(pausing(3 + at, 20), f"broken{at}"), planned_epochs=plan)
        for at in range(n_broken)
    ]


@pytest.mark.parametrize(
    ("n_broken", "n_whole", "is_told"), [(3, 0, 1), (3, 2, 1), (2, 2, 0)]
)
def test_where_most_logs_broke_off_the_headline_says_so(
    n_broken: int, n_whole: int, is_told: int
) -> None:
    whole = pausing_runs([2, 4][:n_whole])
    advice = recommend([*broken_off(n_broken), *whole], group_by="none")
    headline = plain_text(advice_headline(advice))
    assert headline.endswith(": most of these logs end before their plan.") == is_told
    told = [reason for reason in advice.reasons if reason.kind == "broke-off"]
    assert len(told) == is_told
    if is_told:
        # in the fragments 5 is enough; what they would have needed nobody knows
        assert advice.patience is not None
        assert advice.patience >= USUAL
        assert (advice.expected, advice.by_weight, advice.promise) == (None, (), None)
        assert dict(told[0].facts) == {"n_broken": 3, "n_runs": 3 + n_whole}
        which = "3 of 5" if n_whole else "all 3"
        sure = plain_text(how_sure(advice) or say())
        assert sure == (
            f"How sure: hardly; {which} runs ended before their plan, and no "
            "log shows what the rest of these trainings would have gained."
        )
        assert plain_text(what_makes_surer(advice)) == (
            "To be surer: runs that train to the end of their plan."
        )


def test_where_most_logs_broke_off_a_tenth_of_a_long_plan_is_the_least() -> None:
    advice = recommend(broken_off(3, plan=300), group_by="none")
    assert advice.patience is not None
    assert advice.patience >= 30


@pytest.mark.parametrize(("own", "least"), [(4, 10), (30, 30)])
def test_where_most_logs_broke_off_no_less_than_what_cut_the_others(
    own: int, least: int
) -> None:
    # no log goes on where 30 would have stopped it: less was tried by none of them
    stopped = {
        "callbacks": [f"EarlyStopping(patience={own})"],
        "ended": {"by": "EarlyStopping", "epoch": 20 + own},
    }
    metadata = parse_run_metadata(json.dumps(stopped), source="")
    cut = replace(
        make_run([*np.linspace(1, 0.5, 20), *[2.0] * own], "cut"),
        metadata=metadata,
        planned_epochs=100,
    )
    advice = recommend([*broken_off(2, plan=100), cut], group_by="none")
    assert advice.patience is not None
    assert advice.patience >= least
    headline = plain_text(advice_headline(advice))
    assert headline.endswith(": most of these logs end before their plan.")


def test_logs_whose_plan_nobody_knows_did_not_break_off() -> None:
    # five end at epoch 20, and three at epoch 40, which is taken for the plan of these
    short = [replace(run, planned_epochs=None) for run in broken_off(5)]
    long = [replace(run, planned_epochs=None) for run in pausing_runs([2, 4, 5])]
    advice = recommend([*short, *long], group_by="none")
    assert "broke-off" not in [reason.kind for reason in advice.reasons]


def test_left_out_scores_and_optimism_by_hand() -> None:
    # four fifths of five runs: the largest. Without the only 30 it is 12
    advice = recommend(pausing_runs([2, 12, 12, 12, 30]), confidence=0.8)
    tuned = advice.setting("tolerance")
    assert tuned is not None
    assert tuned.callbacks == (EarlyStopping(patience=30, restore_best_weights=True),)
    assert tuned.mean_regret == 0
    assert tuned.left_out_regret == pytest.approx((0 + 0 + 0 + 0 + 0.5) / 5)
    # 10 loses it on four of five; a longer one than the promised 30 may score better
    assert advice.patience is not None
    assert advice.patience >= 30
    assert advice.left_out is not None
    assert advice.left_out.optimism == pytest.approx(0.1)
    assert advice.left_out.usual_regret == pytest.approx(2 / 5)
    assert advice.left_out.interval is None
    left_out = [one.left_out_patience or 0 for one in advice.groups]
    assert min(left_out[:4]) >= 30
    assert left_out[4] == 12


def test_only_from_ten_groups_on_left_out_scores_are_resampled() -> None:
    nine = recommend(pausing_runs([20] * 9)).left_out
    ten = recommend(pausing_runs([20] * 8 + [30, 30])).left_out
    assert nine is not None
    assert nine.interval is None
    assert ten is not None
    assert ten.interval is not None


def test_a_larger_tolerance_takes_the_shorter_patience() -> None:
    # what the pause costs is half of the first value
    runs = pausing_runs([2, 2, 2, 20])
    strict = recommend(runs, tolerance=0.4, confidence=0.8)
    loose = recommend(runs, tolerance="100%", confidence=0.8)
    assert [one.sufficient_patience for one in strict.groups] == [2, 2, 2, 20]
    assert [one.sufficient_patience for one in loose.groups] == [1, 1, 1, 1]


def test_a_log_with_a_hole_is_named_with_the_epoch() -> None:
    losses: list[float | None] = [*pausing(3)]
    losses[19] = None
    # as a file that lost a row, and not as logs that never had the key
    holed = replace(make_run(losses, "holed"), not_logged=frozenset())
    advice = recommend([*pausing_runs([3] * 9), holed])
    gap = next(doubt for doubt in advice.doubts if doubt.code == "gap")
    assert gap.runs == ("holed",)
    assert gap.facts == {"cause": "hole", "gap_epoch": (19,)}
    assert (
        "1 run: unknown from epoch 20 on: the log has a hole there; counted, never "
        "averaged (holed)"
    ) in spoken_doubts(advice)


def test_what_the_logs_cannot_price_is_not_called_the_usual() -> None:
    # 2 was enough for each, and the logs were recorded under 5
    runs = pausing_runs([2] * 12, planned=False)
    advice = recommend(runs, recorded_under=5)
    assert plain_text(advice_headline(advice)) == "Patience 10, as a rule of thumb."
    for sentence in spoken_reasons(advice):
        assert ", the usual" not in sentence


def test_a_patience_that_is_given_has_no_part_where_the_plan_says_what_ended_them() -> (
    None
):
    runs = pausing_runs([2] * 12, planned=True)
    advice = recommend(runs, recorded_under=5)
    assert advice.patience == recommend(runs).patience
    (doubt,) = [one for one in advice.doubts if one.code == "not-recorded-under"]
    assert doubt.runs == tuple(run.name for run in runs)
    assert doubt.facts == {"patience": 5}


def test_a_share_of_a_best_near_zero_is_of_the_way_to_it() -> None:
    near = [[0.5, 0.4, 0.0, 0.2 + number / 1000, 0.3] for number in range(2)]
    advice = recommend(
        [make_run(losses, f"near{number}") for number, losses in enumerate(near)]
    )
    said = [plain_text(sentence) for sentence in evidence_sentences(advice)]
    assert (
        "tolerance: 1 % of each run's best val_loss, or of the way to that best for 2 "
        "runs whose best is near 0 (--tolerance)"
    ) in said
    # the way is from 0.5 to 0
    assert advice.groups[0].tolerance == (0.005,)


def test_an_accuracy_of_1_leaves_no_error_and_is_not_called_near_zero() -> None:
    runs = [
        Run.from_logs(
            [{"val_accuracy": high} for high in (0.5, 0.6, 1.0, 0.9 + number / 100)],
            name=f"all{number}",
            planned_epochs=4,
        )
        for number in range(2)
    ]
    sweep, _ = sweep_patience(runs, monitor="val_accuracy")
    advice = recommend_config(sweep)
    said = [plain_text(sentence) for sentence in evidence_sentences(advice)]
    assert (
        "tolerance: 1 % of the error that each run's best val_accuracy leaves, or of "
        "the way to that best for 2 runs with next to none, or the smallest change of "
        "val_accuracy where that is more, as in 2 runs (--tolerance)"
    ) in said
    # 0.1 from 0.5 to 0.6 is more than 1 % of the way from 0.5 to 1


def test_a_log_that_broke_off_counts_as_unknown_and_is_named() -> None:
    falling = make_run(np.linspace(1, 0.5, 30).tolist(), "falling", planned=False)
    advice = recommend([*pausing_runs([3] * 9), falling])
    # 10 groups at nine tenths: the largest, which is not in the logs
    assert (advice.kind, advice.basis) == ("heuristic", "score")
    assert advice.promise is None
    assert facts_of_reason(advice, "unknown-groups") == {
        "n_unknown": 1,
        "n_groups": 10,
        "allowed": 0,
    }
    assert "a promise from so few allows no such run" in spoken_reasons(advice)[-1]
    unknown = next(one for one in advice.doubts if one.code == "unknown")
    assert unknown.runs == ("falling",)
    assert {"censored", "still-improving"} <= set(codes(advice))
    # and what it costs there is not averaged
    row = advice.setting("recommended")
    assert row is not None
    assert row.n_groups == 9
    assert set(advice.unproven) == {"mean_regret", "worst_regret", "left_out_regret"}
    assert advice.checked("mean_regret") is None


def test_one_unknown_of_twenty_does_not_stop_a_promise() -> None:
    falling = make_run(np.linspace(1, 0.5, 30).tolist(), "falling", planned=False)
    advice = recommend([*pausing_runs([3] * 19), falling])
    assert advice.promise is not None
    assert (advice.promise.patience, advice.promise.rank) == (3, 19)


def test_that_no_stop_scores_better_is_said() -> None:
    # val_loss is best at once, and val_accuracy rises to the end of each log
    runs = []
    for at in range(3):
        # no copies of one training
        worse = 0.6 + at / 100
        logs = [
            {"val_loss": worse if epoch else 0.5, "val_accuracy": 0.5 + epoch / 100}
            for epoch in range(31)
        ]
        runs.append(Run.from_logs(logs, name=f"run{at}", planned_epochs=31))
    advice = recommend(
        runs, monitor="val_loss", objective="val_accuracy", objective_mode="max"
    )
    (reason, *_) = advice.reasons
    assert reason.kind == "no-stop-better"
    # every patience keeps 0.5, and 0.8 is the best: 0.3 / (1 - 0.8) is lost; without a
    # stop nothing is, and all is trained at 0.05
    assert reason.facts["unstopped"] == pytest.approx(0.05)
    assert reason.facts["score"] > 1.5
    said = "on these runs no early stopping at all scores better than"
    assert spoken_reasons(advice)[0].startswith(said)
    headline = plain_text(advice_headline(advice))
    assert headline.endswith("On these runs no early stopping at all scores better.")


def test_what_does_worse_than_no_stop_is_not_recommended() -> None:
    # every run pauses for 25 epochs and more, and the logs end at their best; without
    # a plan there is nothing but the rule of thumb
    runs = [
        make_run([*pausing(25 + i)[: 25 + i], BEST], f"run{i}", planned=False)
        for i in range(3)
    ]
    advice = recommend(runs)
    assert (advice.kind, advice.patience, advice.callbacks) == ("none", None, ())
    assert advice.reasons[0] == ("worse-than-no-stop", {"patience": 10})
    assert "no better than no early stopping" in spoken_reasons(advice)[0]
    assert advice.setting("recommended") is None
    assert advice.setting("10") is not None


def test_one_run_recommends_nothing_and_says_why() -> None:
    advice = recommend(pausing_runs([3]))
    assert (advice.kind, advice.settings) == ("none", ())
    assert "one run describes only itself" in spoken_reasons(advice)[0]


def test_copies_of_one_log_are_one_run() -> None:
    advice = recommend([make_run(pausing(3), name) for name in ("a", "b", "c")])
    assert advice.kind == "none"
    copy = Reason("copy", {"of": "a"})
    assert advice.excluded == (("b", copy), ("c", copy))
    assert "not counted: b (a copy of a), c (a copy of a)" in spoken_doubts(advice)


def test_the_parts_of_one_resumed_training_are_one_run(tmp_path: Path) -> None:
    rows = [f"{epoch},{value}" for epoch, value in enumerate(pausing(3))]
    again = [f"{row}1" for row in rows[10:]]
    path = tmp_path / "logs.csv"
    path.write_text("\n".join(["epoch,val_loss", *rows, *again, ""]))
    first, second = load_runs(path)
    advice = recommend([first, second])
    assert advice.excluded == ((second.name, Reason("resumed", {})),)
    assert spoken_doubts(advice)[-1] == (
        f"not counted: {second.name} (begins inside the part before it, and a resumed "
        "training is one run: --parts join or parts='join')"
    )
    # alone it is a run as any other
    assert not recommend([second]).excluded


def test_a_resumed_part_does_not_count_where_the_part_before_is_a_copy(
    tmp_path: Path,
) -> None:
    """The first part is the beginning of whole.csv and read once, with that file."""
    # best at epoch 12; each value comes once
    rows = [f"{at},{abs(at - 12) / 100 + at / 10_000 + 0.3}" for at in range(40)]
    again = [f"{row}1" for row in rows[10:]]
    for name, held in {"logs": rows[:20] + again, "whole": rows}.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(["epoch,val_loss", *held, ""]))
    second, whole = load_runs(tmp_path)
    assert (second.name, second.first_epoch, whole.first_epoch) == ("logs.csv#2", 10, 0)
    advice = recommend([second, whole])
    assert advice.excluded == ((second.name, Reason("resumed", {})),)
    assert advice.kind == "none"


def test_runs_without_the_monitor_or_with_another_cadence_do_not_count() -> None:
    other = Run.from_logs([{"loss": 0.5}], name="other")
    rare = Run.from_logs(
        [{"loss": 1.0} | ({"val_loss": 1.0} if i % 2 else {}) for i in range(20)],
        name="rare",
    )
    advice = recommend([*pausing_runs([13] * 4), other, rare], confidence=0.8)
    assert advice.patience == 13
    cadence = {"series": "val_loss", "every": 2, "usual": 1}
    assert advice.excluded == (
        ("other", ("missing-series", {"series": ("val_loss",)})),
        ("rare", ("cadence", cadence)),
    )
    assert spoken_doubts(advice)[-1] == (
        "not counted: other (has no val_loss), rare (val_loss is recorded every 2 "
        "epochs, not every epoch: a patience counts records)"
    )


def test_where_no_run_has_the_monitor_it_is_an_error() -> None:
    with pytest.raises(UnknownMonitorError, match="monitor="):
        recommend([Run.from_logs([{"loss": 0.5}])])


def test_a_group_needs_what_its_worst_run_needs() -> None:
    runs = [
        make_run(pausing(p), name)
        for name, p in (("a/1", 2), ("a/2", 7), ("b/1", 3), ("b/2", 4))
    ]
    advice = recommend(runs)
    assert [one.sufficient_patience for one in advice.groups] == [7, 4]
    assert (advice.unit, advice.grouped_by) == ("group", "setting")
    alone = recommend(runs, group_by="none")
    assert [one.sufficient_patience for one in alone.groups] == [2, 7, 3, 4]


def test_runs_that_begin_alike_count_once() -> None:
    # one seed trained ten times, with another rate from epoch 12 on
    rng = np.random.default_rng(7)
    begin = np.sort(rng.random(12))[::-1] + 0.5
    losses = [
        [*begin.tolist(), *(0.5 - 0.01 * rng.random(30)).tolist()] for _ in range(10)
    ]
    other = [*(begin + 0.1).tolist(), *losses[0][12:]]
    runs = [make_run(own, f"r{i}") for i, own in enumerate([*losses, other])]
    # counted apart, ten runs promise 90 %; they are one training
    alone = recommend(runs[:10])
    assert [(why.kind, why.facts) for why in alone.reasons] == [
        ("one-training", {"n_runs": 10})
    ]
    assert alone.kind == "none"
    assert alone.promise is None
    # the settings are still compared on all ten, of which none is recommended
    assert alone.setting("recommended") is None
    usual = alone.setting("10")
    assert usual is not None
    assert (usual.n_groups, usual.left_out_score) == (10, None)
    assert alone.compared == ("run", 10)
    advice = recommend(runs)
    assert (advice.unit, advice.grouped_by) == ("training", "training")
    assert [len(group.runs) for group in advice.groups] == [10, 1]
    assert facts_of_reason(advice, "too-few-groups")["n_groups"] == 2
    (doubt,) = [one for one in advice.doubts if one.code == "branch"]
    assert doubt.runs == tuple(f"r{i}" for i in range(10))
    assert any("10 runs: begin with the same" in said for said in spoken_doubts(advice))
    together = recommend(runs, group_by=[0] * 10 + [1])
    assert "branch" not in codes(together)
    # labels that part one training do not make two of it
    parted = recommend(runs, group_by=[0] * 5 + [1] * 5 + [2])
    assert [len(group.runs) for group in parted.groups] == [10, 1]
    assert parted.compared == ("label", 3)
    assert parted.grouped_by == "asked"


def test_a_log_under_its_own_stopping_says_nothing_above_it() -> None:
    # ended by patience 4: 4 epochs after its best
    cut = [*pausing(3)[:4], 0.6, 0.6, 0.6, 0.6]
    runs = [
        described(
            make_run([one + i / 100 for one in cut], f"cut{i}", planned=False),
            callbacks=["EarlyStopping(patience=4, restore_best_weights=True)"],
            ended={"by": "EarlyStopping", "epoch": 7},
            number=i,
        )
        for i in range(3)
    ]
    advice = recommend(runs)
    # nobody knows what 10 does there; nothing comes from the logs, and no less than 4
    assert (advice.kind, advice.basis, advice.patience) == ("heuristic", "cut", 10)
    facts = facts_of_reason(advice, "cut")
    assert (facts["patience"], facts["under"], facts["guessed"]) == (10, 4, False)
    assert (advice.promise, advice.expected) == (None, None)
    assert advice.left_out is not None
    assert advice.left_out.score is None
    names = ("mean_regret", "worst_regret", "left_out_regret")
    assert [advice.checked(name) for name in names] == [None] * 3
    doubt = next(one for one in advice.doubts if one.code == "own-stop")
    assert doubt.runs == ("cut0", "cut1", "cut2")
    expected = {"patience": (4,), "few_uncut": True, "end": None}
    assert doubt.facts == expected | {"untold": 10, "n_untold": 3}
    # one doubt says all of them: no other names these logs for what they do not tell
    assert not {"censored", "unknown"} & set(codes(advice))
    said = spoken_doubts(advice)
    assert any("nor what patience 10 would have done" in one for one in said)
    assert any("record one run in five without a stop" in one for one in said)
    current = advice.setting("current")
    assert current is not None
    assert current.callbacks == (EarlyStopping(patience=4, restore_best_weights=True),)


def test_failed_runs_count_and_are_named() -> None:
    failed = make_run([*pausing(3, 10), math.nan, math.nan], "failed", planned=False)
    advice = recommend([*pausing_runs([3] * 8), failed])
    assert len(advice.groups) == 9
    assert advice.groups[-1].sufficient_patience is None
    doubt = next(one for one in advice.doubts if one.code == "failed")
    assert doubt.runs == ("failed",)
    assert (doubt.facts["how"], doubt.facts["series"]) == ("not-finite", "val_loss")
    assert (doubt.facts["n_failed"], doubt.facts["n_runs"]) == (1, 9)
    told = "1 run: NaN or infinity in val_loss, so no patience is known to be enough"
    assert any(said.startswith(told) for said in spoken_doubts(advice))


def test_a_patience_that_keeps_nan_loses_everything() -> None:
    # all are best at epoch 1, so patience 5 stops at epoch 6 and keeps what is there:
    # of the fourth run a NaN, of the others a little more than their best
    slow = [[step / (1000 + number) for step in range(29)] for number in range(3)]
    runs = [
        make_run([1, *(0.5 + more for more in rise)], f"run{number}")
        for number, rise in enumerate(slow)
    ]
    runs.append(make_run([1, 0.5, 0.51, 0.52, 0.53, 0.54, *[math.nan] * 24], "nan"))
    advice = recommend(runs, keep="last")
    scored = advice.setting("5")
    assert scored is not None
    assert (scored.n_groups, scored.worst_run) == (4, "nan")
    assert scored.worst_regret == math.inf
    assert advice.patience is not None
    assert advice.patience < 5


def test_rows_beside_each_other_are_about_the_same_runs() -> None:
    # by hand: the failed run is best at epoch 5 of 40, .5; a training that goes on to
    # its plan keeps NaN, or that best
    losses = [1, 0.9, 0.8, 0.7, 0.5, *[0.6] * 12, math.nan]
    failed = make_run(losses, "nan", planned=False)
    advice = recommend([*pausing_runs([3] * 3), failed], group_by="none")
    rows = {row.label: row for row in advice.settings}
    assert {row.n_groups for row in rows.values()} == {4}
    unstopped = rows["none"]
    assert (unstopped.worst_run, unstopped.worst_regret) == ("nan", math.inf)
    assert rows["hindsight"].mean_regret == rows["all"].mean_regret == 0
    assert rows["all"].cost == 1
    legend = [plain_text(text) for text in settings_legend(advice).points]
    assert "inf: the weights that are kept lose everything (as in nan)" in legend


def test_runs_of_another_scale_are_named() -> None:
    alike = pausing_runs([3] * 3)
    large = make_run([1000 * loss for loss in pausing(3)], "large")
    (doubt,) = [
        own
        for own in recommend([*alike, large], group_by="none").doubts
        if own.code == "other-scale"
    ]
    assert doubt.runs == ("large",)
    assert doubt.facts["times"] == 30
    best = [min(run.series["val_loss"].values) for run in (*alike, large)]
    assert (doubt.facts["least"], doubt.facts["most"]) == (min(best), max(best))
    # seeds and widths differ by less
    for times, is_named in ((10, False), (29.9, False), (30.1, True), (1 / 30.1, True)):
        near = make_run([times * loss for loss in pausing(3)], "near")
        doubts = recommend([*alike, near], group_by="none").doubts
        assert ("other-scale" in [own.code for own in doubts]) == is_named


def test_a_tolerance_that_every_epoch_keeps_is_doubted() -> None:
    runs = pausing_runs([3] * 4)
    losses = runs[0].series["val_loss"].values
    span = max(losses) - min(losses)
    for tolerance, is_named in ((1.01 * span, True), (0.99 * span, False)):
        doubts = recommend(runs, group_by="none", tolerance=float(tolerance)).doubts
        named = [own.runs for own in doubts if own.code == "wide-tolerance"]
        assert named == [tuple(run.name for run in runs)] * is_named
    # a value that is no number is no epoch that keeps it
    failed = make_run([*losses, math.nan], "nan", planned=False)
    doubts = recommend([*runs, failed], group_by="none", tolerance=2.0 * span).doubts
    (told,) = [own.runs for own in doubts if own.code == "wide-tolerance"]
    assert "nan" not in told


def test_losses_of_few_decimals_are_doubted() -> None:
    # the least, 0.2, stands in epochs 4 and 5 of each
    losses = [0.9, 0.6, 0.4, 0.2, 0.2, *[0.3] * 10]
    runs = [make_run([*losses, end], f"run{end}") for end in (0.5, 0.6, 0.7)]
    fine = make_run([loss + 1 / 3 * at for at, loss in enumerate(losses)], "fine")
    said = spoken_doubts(recommend([*runs, fine], group_by="none"))
    assert (
        "3 runs: val_loss was written with 1 decimal, and its best value stands in "
        "several epochs: if it was rounded, a callback that saw all digits may have "
        "stopped later, and a loss of less than the last digit does not show "
        "(run0.5, run0.6, run0.7)"
    ) in said
    assert "rounded" not in codes(recommend(pausing_runs([3] * 3)))


def test_a_run_without_a_number_breaks_no_tolerance() -> None:
    # every patience keeps the same NaN of it, so none can be judged by it
    runs = [*pausing_runs([3] * 3), make_run([math.nan] * 30, "nan", planned=False)]
    scored = recommend(runs).setting("recommended")
    assert scored is not None
    assert (scored.told_runs, scored.breaks_tolerance) == (3, ())


def test_a_metric_that_goes_on_improving_is_named() -> None:
    runs = [
        Run.from_logs(
            [
                {"val_loss": loss + number / 1000, "val_accuracy": 0.5 + epoch / 100}
                for epoch, loss in enumerate(pausing(3))
            ],
            name=f"run{number}",
        )
        for number in range(4)
    ]
    doubt = next(one for one in recommend(runs).doubts if one.code == "other-metric")
    assert len(doubt.runs) == 4
    assert doubt.facts == {"series": "val_accuracy"}


def rated(number: int, rates: list[float]) -> Run:
    losses = pausing(number + 2)
    rows = [
        {"val_loss": loss, "learning_rate": rates[epoch]}
        for epoch, loss in enumerate(losses)
    ]
    return Run.from_logs(rows, name=f"run{number}", planned_epochs=len(rows))


def test_a_stop_that_cuts_a_schedule_to_the_plans_end_is_named() -> None:
    n_epochs = len(pausing(2))
    cosine = [1 + math.cos(math.pi * epoch / n_epochs) for epoch in range(n_epochs)]
    runs = [rated(number, cosine) for number in range(4)]
    advice = recommend(runs)
    doubt = next(one for one in advice.doubts if one.code == "scheduled-rate")
    assert doubt.runs == ("run0", "run1", "run2", "run3")
    assert doubt.facts == {"patience": advice.patience}
    said = f"patience {advice.patience} stops before that end and cuts the part"
    assert any(said in one for one in spoken_doubts(advice))
    staircase = build_staircase(runs[0], semantics="keras-3.15")
    spoken = [plain_text(told) for told in doubts_of_staircase(staircase)]
    assert any("as by a schedule to the plan's end" in told for told in spoken)


@pytest.mark.parametrize(
    "rate", [lambda _: 0.1, lambda e: 0.9**e, lambda e: 0.1 ** (1 + e // 10)]
)
def test_a_rate_without_an_end_is_no_schedule_to_one(
    rate: Callable[[int], float],
) -> None:
    rates = [rate(epoch) for epoch in range(len(pausing(2)))]
    advice = recommend([rated(number, rates) for number in range(4)])
    assert "scheduled-rate" not in codes(advice)


def test_a_single_good_value_that_is_kept_is_no_lag() -> None:
    # the kept value is better than all that comes, though its neighbours are not
    values = np.array([1.0] * 10 + [0.5] + [0.6] * 20)
    assert not improves_after(values, 10)
    assert improves_after(values, 9)


def test_a_series_that_was_best_before_the_kept_epoch_does_not_improve_after() -> None:
    # the means of five go from 0.96 down to 0.9, but 0.8 stands before the kept epoch:
    # stopping later keeps no better value
    values = np.array([1.0, 1.0, 0.8, 1.0, 1.0, 1.0, 1.0] + [0.9] * 20)
    assert not improves_after(values, 6)
    assert improves_after(np.where(values == 0.8, 1.0, values), 6)


def test_noise_is_no_improvement() -> None:
    rng = np.random.default_rng(0)
    found = [improves_after(rng.normal(0, 1, 100), 20) for _ in range(50)]
    assert np.mean(found) < 0.1
    assert not improves_after(np.array([1.0, 0.5]), 0)


def test_one_group_that_decides_is_named() -> None:
    advice = recommend(pausing_runs([12, 12, 12, 12, 30]), confidence=0.8)
    doubt = next(one for one in advice.doubts if one.code == "one-group-decides")
    assert doubt.runs == ("run4",)
    assert doubt.facts == {"patience": 12}
    said = "one run decides: without it patience 12 would be recommended (run4)"
    assert said in spoken_doubts(advice)


def test_the_setting_in_use_is_scored_whatever_it_is() -> None:
    rows = [{"val_loss": loss, "learning_rate": 0.01} for loss in pausing(3)]
    runs = [
        Run.from_logs([row | {"loss": i} for row in rows], name=f"run{i}")
        for i in range(2)
    ]
    runs.append(make_run(pausing(5), "other"))
    listed = [EarlyStopping(patience=6), ReduceLROnPlateau(patience=2)]
    advice = recommend(runs[:1] + runs[2:], current=listed)
    current = advice.setting("current")
    assert current is not None
    # the plateau changes the rate first: no log tells
    assert current.n_groups == 0
    alone = recommend(runs[:1] + runs[2:], current=EarlyStopping(patience=6))
    row = alone.setting("current")
    assert row is not None
    assert row.n_groups == 2


@pytest.mark.parametrize(
    ("n_named", "n_others", "is_shown"),
    [(1, 9, False), (2, 2, False), (3, 2, True), (4, 0, True)],
)
def test_what_most_runs_name_is_in_use(
    n_named: int, n_others: int, *, is_shown: bool
) -> None:
    runs = pausing_runs([3] * (n_named + n_others))
    under = ["EarlyStopping(patience=7)"]
    named = [described(run, callbacks=under) for run in runs[:n_named]]
    # recorded without a stop, as is advised
    alone = [described(run, callbacks=["CSVLogger('a')"]) for run in runs[n_named:]]
    for others in (alone, runs[n_named:]):
        current = recommend([*named, *others]).setting("current")
        assert (current is not None) == is_shown
        if current is not None:
            assert current.callbacks == (EarlyStopping(patience=7),)


def test_a_later_start_is_shown_beside_with_a_patience_by_the_same_rule() -> None:
    advice = recommend(pausing_runs([20] * 9))
    start = advice.setting("start")
    assert start is not None
    # what starts in epoch 20 begins with the best value; no smaller patience is needed
    assert start.parameters == {"patience": 1, "start_from_epoch": 20}
    assert start.mean_regret == 0
    assert start.cost == pytest.approx(22 / 40)
    # beside, and never instead
    assert advice.patience == 20


def test_min_delta_is_tried_only_when_asked_and_never_chosen() -> None:
    runs = pausing_runs([2] * 12)
    assert recommend(runs).setting("min_delta") is None
    advice = recommend(runs, min_delta=[0.2, 0])
    row = advice.setting("min_delta")
    assert row is not None
    assert row.parameters["min_delta"] == 0.2
    assert advice.callbacks[0] == EarlyStopping(
        patience=advice.patience or 0, restore_best_weights=True
    )


def test_keeping_the_last_weights_is_judged_by_them() -> None:
    advice = recommend(pausing_runs([2] * 9), keep="last")
    # every stop after the best keeps 0.6
    assert [one.sufficient_patience for one in advice.groups] == [None] * 9
    assert advice.keep == "last"


def test_options_that_cannot_be_are_refused() -> None:
    sweep = swept(pausing_runs([2, 3]))
    with pytest.raises(ConfigError, match="confidence is 1"):
        recommend_config(sweep, confidence=1)
    with pytest.raises(ConfigError, match="cost_weight is -1"):
        recommend_config(sweep, cost_weight=-1)
    with pytest.raises(ConfigError, match="objective="):
        sweep_patience(pausing_runs([2]), monitor=["val_loss", "loss"])


@pytest.mark.parametrize(
    ("grid", "match"),
    [
        ([choices(EarlyStopping, min_delta=[0, 1])], "no patience"),
        ([choices(EarlyStopping, patience=range(1, 8))], "patience 10"),
        (
            [
                choices(EarlyStopping, patience=range(1, 20)),
                choices(ReduceLROnPlateau, patience=[3, 4]),
            ],
            "ReduceLROnPlateau.patience",
        ),
        ([choices(EarlyStopping, patience=range(1, 20), baseline=[1, 2])], "baseline"),
    ],
)
def test_a_sweep_of_other_axes_is_refused(grid: list[Any], match: str) -> None:
    runs = pausing_runs([2, 3])
    sweep = sweep_runs(
        runs, make_grid(grid), semantics="keras-3.15", initial_learning_rate=0.1
    )
    with pytest.raises(ConfigError, match=match):
        recommend_config(sweep)


def test_a_sweep_of_ones_own_is_read_in_any_order() -> None:
    runs = pausing_runs([20] * 9)
    grid = make_grid(
        [
            choices(
                EarlyStopping, patience=[25, 10, 0, 20, 5, 1], restore_best_weights=True
            )
        ]
    )
    advice = recommend_config(sweep_runs(runs, grid, semantics="keras-3.15"))
    assert (advice.kind, advice.patience) == ("guaranteed", 20)


def test_a_sweep_that_left_its_runs_behind_is_refused() -> None:
    sweep = replace(swept(pausing_runs([2, 3])), records=())
    with pytest.raises(ConfigError, match="holds no runs"):
        recommend_config(sweep)


def test_a_run_that_never_changes_is_named_with_that_as_the_reason() -> None:
    runs = [
        make_run(pausing(patience, 30 + patience**2), f"{patience}", planned=False)
        for patience in (3, 4, 5, 6)
    ]
    runs.append(make_run([0.7] * 30, "flat", planned=False))
    advice = recommend(runs, group_by="none")
    (unknown,) = [doubt for doubt in advice.doubts if "flat" in doubt.runs]
    assert (unknown.code, unknown.runs) == ("unknown", ("flat",))
    assert spoken_doubts(advice)[0] == (
        "1 run: val_loss never changes, so no patience is known to be enough (flat)"
    )
    flat = advice.groups[-1]
    assert (flat.sufficient_patience, flat.constant_runs) == (None, ("flat",))
    assert all(not group.constant_runs for group in advice.groups[:-1])
    (sufficient,) = [
        text
        for text in map(plain_text, evidence_sentences(advice))
        if text.startswith("sufficient patience")
    ]
    assert sufficient.startswith(
        "sufficient patience: none for flat, where val_loss never changes; 6 for "
    )
    assert (
        plain_text(groups_table(advice).rows[-1].cells[2]) == "val_loss never changes"
    )


def test_a_patience_that_is_enough_where_nothing_changes_says_so() -> None:
    runs = [*pausing_runs([3, 4, 5, 6]), make_run([0.7] * 40, "flat")]
    advice = recommend(runs, group_by="none")
    assert advice.groups[-1].constant_runs == ("flat",)
    assert advice.groups[-1].sufficient_patience == 1
    said = "6 for run3; 5 for run2; 4 for run1; 3 for run0; "
    said += "1 for flat (there val_loss never changes)"
    told = [plain_text(text) for text in evidence_sentences(advice)]
    assert f"{SUFFICIENT}: {said}" in told


def test_a_failed_run_lacks_a_patience_by_its_failure_and_not_by_its_plan() -> None:
    runs = pausing_runs([3, 4, 5, 6], planned=False)
    failed = make_run([0.9, 0.8, *[math.nan] * 38], "failed", planned=False)
    said = spoken_doubts(recommend([*runs, failed], group_by="none"))
    (told,) = [text for text in said if "known to be enough" in text]
    assert told == (
        "1 run: NaN or infinity in val_loss, so no patience is known to be enough; "
        "counted all the same (failed)"
    )
    # the plan was inferred, and is no reason
    assert not [text for text in said if "taken for its plan" in text]


def test_a_run_that_its_own_stop_ended_before_its_plan_did_not_fail() -> None:
    falling = [1 - at / 20 for at in range(10)]
    runs = [
        make_run(
            [*(value + number / 1000 for value in falling), *[2.0] * 6], f"run{number}"
        )
        for number in range(6)
    ]
    runs = [replace(run, planned_epochs=100) for run in runs]
    said = spoken_doubts(recommend(runs))
    assert not [text for text in said if "failed" in text]
    assert [text for text in said if "no patience is known to be enough" in text]
