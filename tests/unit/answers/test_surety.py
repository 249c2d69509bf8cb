"""What makes an advice surer, and what is said of its sureness: true by counting."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import Run
from cbreplay.answers.advice import advice_document
from cbreplay.answers.advice.evidence import doubt_sentences, evidence_sentences
from cbreplay.answers.advice.headline import advice_headline
from cbreplay.answers.advice.surety import find_surer, how_sure, what_makes_surer
from cbreplay.answers.advice.tables import settings_legend, settings_table
from cbreplay.document import plain_text
from cbreplay.document.tables import spoken_cells
from cbreplay.recommend import Reason, recommend_config, sweep_patience
from cbreplay.writers.as_text import write_text
from tests.recommended import make_run, pausing, pausing_runs, recommend, spoken_reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from cbreplay.recommend import Recommendation


def surer(advice: Recommendation) -> str:
    return plain_text(what_makes_surer(advice))


def of_two_monitors(n_runs: int, **options: Any) -> Recommendation:
    runs = [
        Run.from_logs(
            [
                {"val_loss": loss, "val_accuracy": 1 - loss / 2, "loss": float(number)}
                for loss in pausing(2 + number)
            ],
            name=f"run{number}",
            planned_epochs=40,
        )
        for number in range(n_runs)
    ]
    return recommend(
        runs, monitor=["val_loss", "val_accuracy"], objective="val_loss", **options
    )


def test_what_is_promised_less_than_the_runs_suffice_for_takes_no_more_runs() -> None:
    # nine are enough for 90 %: of twelve none is missing
    asked = recommend(pausing_runs([12, 13, *[3] * 10]), confidence=0.8)
    assert asked.promise is not None
    assert find_surer(asked).kind == "more"
    assert surer(asked) == "To be surer: more runs."


@pytest.mark.parametrize(
    ("n_runs", "said"),
    [
        # each of two may fail on half: .95 takes 19, and .9, for 80 %, takes 9
        (3, "To be surer: 16 more runs for a promise of 90 %, 6 for 80 %."),
        (9, "To be surer: 10 more runs for a promise of 90 %."),
    ],
)
def test_a_promise_about_two_monitors_takes_the_runs_of_half_the_failures(
    n_runs: int, said: str
) -> None:
    assert surer(of_two_monitors(n_runs)) == said


def test_the_one_run_of_two_monitors_says_how_many_such_a_promise_takes() -> None:
    rows = [{"val_loss": loss, "val_mae": loss} for loss in pausing(3)]
    run = Run.from_logs(rows, name="run")
    sweep, _ = sweep_patience(
        [run],
        monitor=["val_loss", "val_mae"],
        objective="val_loss",
        semantics="keras-3.15",
    )
    document = advice_document(recommend_config(sweep), sweep, runs=[run])
    said = " ".join(write_text(document).split())
    assert "A promise for 90 % of new runs takes 19 of them." in said


def test_a_run_that_does_not_tell_asks_for_more_than_those_that_a_rank_takes() -> None:
    # of 19 the rank of 90 % is 18, and of 9 that of 80 % is 8: each leaves one unknown
    broken = make_run([1.0] * 20, "broken")
    broken = replace(broken, planned_epochs=40)
    advice = recommend([*pausing_runs([3, 4]), broken])
    assert [group.sufficient_patience for group in advice.groups] == [3, 4, None]
    assert surer(advice) == (
        "To be surer: 16 more runs for a promise of 90 %, 6 for 80 %, as for 1 run "
        "none is known to be enough."
    )


def test_where_most_runs_do_not_tell_no_count_of_runs_is_enough() -> None:
    broken = [make_run([1.0, *[1.1] * (20 + at)], f"broken{at}") for at in range(2)]
    broken = [replace(run, planned_epochs=40) for run in broken]
    advice = recommend([*pausing_runs([3]), *broken])
    assert surer(advice) == "To be surer: runs that train to the end of their plan."


def test_runs_that_reached_their_plan_are_not_asked_to() -> None:
    # judged by the accuracy of the first epoch, no patience on the loss is enough
    runs = [
        Run.from_logs(
            [
                {"val_loss": 1 / (1 + epoch), "val_accuracy": 0.9 - epoch / 100 - at}
                for epoch in range(20)
            ],
            name=f"run{at}",
            planned_epochs=20,
        )
        for at in (0, 0.01, 0.02)
    ]
    advice = recommend(runs, objective="val_accuracy", objective_mode="max")
    assert [group.sufficient_patience for group in advice.groups] == [None] * 3
    assert find_surer(advice).kind == "more"


def test_both_lost_nothing_only_where_every_log_tells_both() -> None:
    advice = recommend(pausing_runs([3, 4, 5]))
    assert advice.expected is not None
    near = advice.expected._replace(usual_score=advice.expected.score)
    rows = {label: advice.setting(label) for label in ("recommended", "10")}
    assert None not in rows.values()

    def said(change: Callable[[Any], Any]) -> str:
        settings = tuple(change(row) for row in rows.values())
        about = replace(
            advice, patience=8, basis="score", expected=near, settings=settings
        )
        told = how_sure(about)
        assert told is not None
        return plain_text(told)

    assert "both lost nothing" in said(lambda row: row._replace(worst_regret=0.0))
    untold = {"worst_regret": None, "n_groups": 0}
    assert "nothing" not in said(lambda row: row._replace(**untold))
    # one of the three does not tell, though the other two lost nothing
    assert "nothing" not in said(lambda row: row._replace(worst_regret=0.0, n_groups=2))


@pytest.mark.parametrize(
    ("n_whole", "asks"),
    [
        # one run in five is two of ten: with that many there is no more to ask
        (1, True),
        (2, False),
    ],
)
def test_one_run_in_five_without_a_stop_is_asked_for_only_where_there_are_fewer(
    n_whole: int, *, asks: bool
) -> None:
    cut = [
        make_run([2.0] * at + [1.0 + at / 100] + [1.5] * 4, f"cut{at}", planned=False)
        for at in range(1, 11 - n_whole)
    ]
    whole = pausing_runs([3, 4][:n_whole])
    advice = recommend([*cut, *whole], group_by="none", recorded_under=4)
    assert sum(len(group.runs) for group in advice.groups) == 10
    assert (find_surer(advice) == Reason("without-stop", {})) == asks
    (doubt,) = [
        text
        for text in map(plain_text, doubt_sentences(advice))
        if "early stopping of its own" in text
    ]
    assert ("record one run in five" in doubt) == asks


def test_the_legend_names_the_cheapest_only_where_the_table_has_it() -> None:
    advice = recommend(pausing_runs([3, 4, 5]))
    assert advice.setting("cheapest") is not None
    told = [*map(plain_text, settings_legend(advice).points)]
    words = "cheapest: what loses and trains least together, on these runs alone"
    assert words in told
    # also where the score has no room
    assert words in map(plain_text, settings_legend(advice).without(["score"]).points)
    settings = tuple(row for row in advice.settings if row.label != "cheapest")
    without = replace(advice, settings=settings)
    told = [*map(plain_text, settings_legend(without).points)]
    assert not any("cheapest" in text for text in told)


def cut_by(patience: int, lengths: tuple[int, ...]) -> list[Run]:
    """Return logs without a plan that end so long after their best."""
    return [
        make_run(
            [length - at / 100 for at in range(length)] + [length + 1.0] * patience,
            f"cut{length}",
            planned=False,
        )
        for length in lengths
    ]


def test_what_some_logs_were_cut_by_is_said_to_be_a_guess_and_no_rule_of_thumb() -> (
    None
):
    broken = make_run([1.0, 0.9, 0.8], "broken", planned=False)
    advice = recommend([*cut_by(25, (20, 23, 26)), broken], group_by="none")
    assert (advice.patience, advice.basis) == (25, "cut")
    assert plain_text(advice_headline(advice)) == (
        "Patience 25, under which some of these logs seem to have been cut."
    )
    sure = how_sure(advice)
    assert sure is not None
    assert plain_text(sure) == (
        "How sure: not at all by these logs; 3 of 4 runs end as if early stopping of "
        "their own had cut them, and no log shows what that missed."
    )


def test_what_is_known_to_have_cut_every_log_is_said_as_a_fact() -> None:
    advice = recommend(
        cut_by(25, (20, 23, 26)), group_by="none", recorded_under=25, confidence=0.5
    )
    assert plain_text(advice_headline(advice)) == (
        "Patience 25, under which these logs were cut."
    )
    sure = how_sure(advice)
    assert sure is not None
    assert plain_text(sure) == (
        "How sure: not at all by these logs; all 3 runs were cut by early stopping of "
        "their own, and no log shows what that missed."
    )


@pytest.mark.parametrize("planned", [True, False])
def test_from_logs_that_never_change_nothing_is_recommended(*, planned: bool) -> None:
    # they promised patience 1 for 80 % where they reached their plan
    flat = [make_run([1.0 + at] * 40, f"r{at}", planned=planned) for at in range(5)]
    advice = recommend(flat)
    assert (advice.kind, advice.promise, advice.callbacks) == ("none", None, ())
    assert plain_text(advice_headline(advice)) == (
        "No setting is recommended: on all 5 runs val_loss never changes, so that no "
        "patience is judged by it."
    )
    # beside one that changes they count
    more = recommend([*flat, make_run(pausing(3), "other")], group_by="none")
    assert len(more.groups) == 6
    assert more.callbacks


def test_odds_are_not_those_of_runs_that_failed() -> None:
    runs = [make_run([*pausing(4, 60), 1.0 + at], f"run{at}") for at in range(5)]
    advice = recommend(runs)
    assert advice.expected is not None
    assert advice.expected.odds is not None
    failed = make_run([*pausing(4)[:20], *[math.nan] * 41], "failed")
    advice = recommend([*runs, failed])
    assert advice.expected is not None
    assert advice.expected.odds is None


def test_a_rule_of_thumb_is_said_not_to_be_chosen_by_the_logs() -> None:
    # of different lengths, and no plan is known
    runs = [
        make_run([*pausing(3, 30 + at), 1.0 + at], f"run{at}", planned=False)
        for at in range(3)
    ]
    advice = recommend(runs)
    assert (advice.patience, advice.basis, advice.promise) == (10, "thumb", None)
    sure = how_sure(advice)
    assert sure is not None
    assert (
        plain_text(sure) == "How sure: it is a rule of thumb, not chosen by these logs."
    )


def test_of_two_that_both_train_to_the_end_neither_trains_less() -> None:
    # what falls to the end of its plan, no patience stops
    runs = [make_run([1.0, 0.9, last], f"run{last}") for last in (0.7, 0.8, 0.6)]
    advice = recommend(runs)
    sure = how_sure(advice)
    assert sure is not None
    assert plain_text(sure) == (
        f"How sure: {advice.patience} and 10 cannot be told apart with 3 runs; both "
        "lost nothing; neither stops before the plan's end."
    )


def falling_runs(n_epochs: int) -> list[Run]:
    return [
        make_run([1 - (at + size / 9) / 100 for at in range(n_epochs)], f"run{size}")
        for size in range(9)
    ]


def test_a_patience_that_stops_no_run_is_said_to_in_the_headline() -> None:
    # what falls in every epoch is stopped by no patience
    said = plain_text(advice_headline(recommend(falling_runs(40))))
    assert ", which saves no epoch of these 9 runs, with a promise for 90 %" in said
    # patience 15 stops them at 30 of 40
    said = plain_text(advice_headline(recommend(pausing_runs([15] * 9))))
    assert "saves" not in said


def test_of_runs_that_do_not_all_tell_it_is_said_how_many_do() -> None:
    # each has its best at its last but one: ten more are in no log but the last one,
    # which patience 10 ends where it ends anyhow
    logs = [[length - at / 100 for at in range(length)] for length in (20, 24, 30)]
    logs.append([0.5, *[0.6] * 10])
    runs = [
        make_run(log, f"run{place}", planned=False) for place, log in enumerate(logs)
    ]
    advice = recommend(runs)
    assert plain_text(advice_headline(advice)) == (
        "Patience 10, which saves no epoch of the 1 run whose log tells, as a rule of "
        "thumb."
    )


@pytest.mark.parametrize("n_epochs", [1, 2])
@pytest.mark.parametrize("n_runs", [2, 9, 12])
def test_nothing_is_promised_from_logs_of_one_epoch_or_two(
    n_runs: int, n_epochs: int
) -> None:
    # of two values the second is the first that a patience can stop at, and the last
    runs = [
        make_run([1.0 + at, 2.0 + at][:n_epochs], f"run{at}") for at in range(n_runs)
    ]
    advice = recommend(runs)
    values = "1 value" if n_epochs == 1 else "2 values"
    assert (advice.kind, advice.promise, advice.callbacks) == ("none", None, ())
    assert plain_text(advice_headline(advice)) == (
        f"No setting is recommended: no log here holds more than {values} of val_loss, "
        "which is too few to choose a patience from."
    )


def test_beside_longer_ones_nothing_is_promised_for_trainings_of_one_epoch() -> None:
    runs = pausing_runs([3] * 9)
    runs += [make_run([1.0 + at], f"short{at}") for at in range(5)]
    said = [plain_text(text) for text in evidence_sentences(recommend(runs))]
    assert "trainings of 1 epoch (5 runs): too short to recommend anything" in said


def test_an_expected_score_is_no_rest_of_a_rounding() -> None:
    # without a price of training what loses nothing scores 0
    advice = recommend(pausing_runs([1] * 9), cost_weight=0)
    table = settings_table(advice).for_people()
    place = [column.key for column in table.columns].index("expected_score")
    assert spoken_cells(table)[0][place] == "0.0000"


def test_a_log_that_ends_before_the_recommended_stop_is_not_one_where_it_lost() -> None:
    # 5 is enough on each; 10 stops all but the last, which ends 9 after its best
    runs = [
        make_run(log, f"run{place}", planned=False)
        for place, log in enumerate(
            [*(pausing(5)[: 30 + at] for at in range(4)), pausing(5)[:15]]
        )
    ]
    advice = recommend(runs)
    assert (advice.patience, advice.kind) == (10, "guaranteed")
    sure = how_sure(advice)
    assert sure is not None
    # 1 % of 0.5
    assert plain_text(sure) == (
        "How sure: on all 5 runs a patience of 10 or less loses no more than the "
        "tolerance, 0.0050 val_loss; 1 log ends before 10 would stop."
    )


def test_where_nothing_may_be_lost_it_is_said_as_that() -> None:
    sure = how_sure(recommend(pausing_runs([3] * 9), tolerance=0))
    assert sure is not None
    assert plain_text(sure) == "How sure: on all 9 runs it loses no val_loss."


def test_runs_that_end_in_nan_are_no_reason_to_record_more_like_them() -> None:
    failed = [
        make_run([1.0, 0.5 + at / 9, *[float("nan")] * 18], f"run{at}")
        for at in range(6)
    ]
    advice = recommend(failed)
    assert surer(advice) == "To be surer: runs that do not fail."
    # so also where their plan is not known: TerminateOnNaN ended some of them
    unplanned = [replace(run, planned_epochs=None) for run in failed]
    broken = [
        make_run([1.0, 0.5, *[float("nan")] * (3 + at)], f"broken{at}", planned=False)
        for at in range(2)
    ]
    assert (
        surer(recommend([*unplanned, *broken])) == "To be surer: runs that do not fail."
    )


def test_where_only_the_plan_is_missing_it_is_asked_for() -> None:
    falling = make_run([1 - at / 50 for at in range(40)], "falling", planned=False)
    runs = [*pausing_runs([3], planned=False), falling]
    advice = recommend(runs)
    # one ends at its best: whether anything would have come, nothing says
    assert [group.sufficient_patience for group in advice.groups] == [3, None]
    assert surer(advice) == (
        "To be surer: say for how many epochs they were planned (--planned-epochs); "
        "then 7 more runs for a promise of 90 %, 2 for 80 %."
    )
    told = recommend([replace(run, planned_epochs=40) for run in runs])
    assert surer(told) == "To be surer: 7 more runs for a promise of 90 %, 2 for 80 %."


def test_one_number_is_not_asked_for_where_plans_may_differ() -> None:
    falling = [
        make_run([1 - at / 90 for at in range(n)], f"falling{n}", planned=False)
        for n in (60, 80)
    ]
    # and one of 40 epochs
    advice = recommend([*pausing_runs([3], planned=False), *falling])
    assert surer(advice).startswith(
        "To be surer: the logs of one plan alone, with --planned-epochs (these end at "
        "3 different epochs)"
    )
    assert "for all of these trainings" in spoken_reasons(advice)[0]
    assert "--planned-epochs" not in spoken_reasons(advice)[0]


def test_of_copies_the_first_sentence_says_that_one_counts() -> None:
    falling = [1 - at / 50 for at in range(40)]
    runs = [make_run(falling, f"run{at}", planned=False) for at in range(3)]
    advice = recommend(runs)
    assert plain_text(advice_headline(advice)) == (
        "No setting is recommended: of 3 runs one counts, and one run describes "
        "only itself; what holds for the next takes several."
    )


def test_a_promise_without_a_plan_is_for_trainings_as_long_as_the_logs() -> None:
    # each ends well after its best, and at another epoch: nothing tells a plan
    runs = [
        make_run([*pausing(3), *[1.0] * at], f"run{at}", planned=False)
        for at in range(4)
    ]
    advice = recommend(runs)
    assert (advice.plan, advice.kind) == (None, "guaranteed")
    assert plain_text(advice_headline(advice)).endswith(
        "of new runs like these, planned for as long as these ran."
    )
    (promise,) = [
        told
        for told in map(plain_text, evidence_sentences(advice))
        if told.startswith("the promise: ")
    ]
    assert promise.startswith(
        "the promise: for trainings that run as long as these logs, patience "
    )


def test_of_logs_that_all_end_at_one_epoch_the_plan_is_asked_for() -> None:
    # best in their first epoch: a plan of 20, or a patience of 19
    runs = [
        make_run([1 + at / 9, *[2.0 + at] * 19], f"run{at}", planned=False)
        for at in range(3)
    ]
    assert surer(recommend(runs)) == (
        "To be surer: if 20 was the plan, say so (--planned-epochs); else record one "
        "run in five without early stopping."
    )
    assert surer(recommend(cut_by(5, (20, 23, 26)), group_by="none")) == (
        "To be surer: record one run in five without early stopping."
    )


def test_a_rule_of_thumb_that_ties_with_no_stop_is_not_called_worse() -> None:
    # of two logs of 5 epochs, one never changes and is known to be whole: patience 10
    # and no stop lose nothing there and train it all
    runs = [make_run([0.5] * 5, "whole")]
    runs.append(make_run([0.7, *[0.6] * 4], "open", planned=False))
    advice = recommend(runs)
    usual, no_stop = advice.setting("10"), advice.setting("none")
    assert usual is not None
    assert no_stop is not None
    assert usual.score == no_stop.score == pytest.approx(0.05)
    assert plain_text(advice_headline(advice)).startswith(
        "No setting is recommended: on these logs patience 10 does no better than no "
        "early stopping at all"
    )


def test_the_cheapest_is_said_to_be_one_of_those_that_most_logs_tell() -> None:
    # the short one ends before patience 10 would stop it, but tells 3
    short = replace(make_run(pausing(3, 8), "short"), planned_epochs=40)
    whole = pausing_runs([3] * 5)
    for runs, more in ((whole, ""), ([*whole[:4], short], ", of what four in five")):
        advice = recommend(runs)
        legend = [plain_text(text) for text in settings_legend(advice).points]
        (said,) = [text for text in legend if text.startswith("cheapest: what")]
        assert said.endswith(f"on these runs alone{more and more + ' of them tell'}")
