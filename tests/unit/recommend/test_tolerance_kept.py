"""Which of the two answers keeps the tolerance, run by run and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, Run, load_runs, replay_run
from cbreplay.answers.advice.evidence import evidence_sentences
from cbreplay.answers.advice.headline import runs_sentence
from cbreplay.answers.advice.run_doubts import doubt_text
from cbreplay.document import plain_text
from cbreplay.recommend import recommend_config, sweep_patience
from tests.conftest import ROOT
from tests.recommended import make_run, pausing_runs, recommend

if TYPE_CHECKING:
    from cbreplay.recommend import Recommendation


def kept_sentence(advice: Recommendation) -> str:
    spoken = [plain_text(sentence) for sentence in evidence_sentences(advice)]
    said = [one for one in spoken if one.startswith("the recommended")]
    assert len(said) == 1
    return said[0]


def test_one_that_breaks_the_tolerance_is_said_to_beside_the_one_that_keeps_it() -> (
    None
):
    # where training costs as much as everything that may be lost, a shorter one scores
    # better than the 12 that one run of eight needs
    advice = recommend(pausing_runs([1, 1, 1, 1, 1, 1, 1, 12]), cost_weight=1)
    short, twelve = advice.setting("recommended"), advice.setting("tolerance")
    assert short is not None
    assert twelve is not None
    assert short.parameters["patience"] < 12
    assert (short.keeps_tolerance, short.breaks_tolerance) == (False, ("run7",))
    assert (twelve.keeps_tolerance, twelve.breaks_tolerance) == (True, ())
    assert kept_sentence(advice) == (
        f"the recommended {advice.patience} breaks the tolerance on 1 of 8 runs whose "
        "logs tell (run7); 12 keeps the tolerance on all 8 runs whose logs tell"
    )


def test_an_answer_that_keeps_it_says_so_once() -> None:
    advice = recommend(pausing_runs([1, 2, 15, 15, 15]))
    assert kept_sentence(advice) == (
        "the recommended 15 keeps the tolerance on all 5 runs whose logs tell"
    )


def test_a_log_that_ends_before_it_can_tell_is_not_counted_as_kept() -> None:
    # the pause of the last run begins at epoch 0, and its log ends at epoch 11
    (pausing,) = pausing_runs([20])
    cut = make_run(
        pausing.series["val_loss"].values[:12].tolist(), "cut", planned=False
    )
    advice = recommend([*pausing_runs([1] * 8), cut])
    ten = advice.setting("10")
    assert ten is not None
    # patience 10 stops at epoch 10 with the first value, the best there is: it keeps
    assert (ten.told_runs, ten.keeps_tolerance) == (9, True)
    short = make_run(
        pausing.series["val_loss"].values[:9].tolist(), "cut", planned=False
    )
    ten = recommend([*pausing_runs([1] * 8), short]).setting("10")
    assert ten is not None
    assert (ten.told_runs, ten.keeps_tolerance) == (8, None)


@pytest.mark.parametrize("tolerance", ["5%", 0.004, None])
def test_each_label_is_what_a_replay_of_every_run_comes_to(
    tolerance: str | float | None,
) -> None:
    """The scalar replay is the oracle: exact, and within what this run may lose."""
    runs = load_runs(ROOT / "sample_logs")
    sweep, without = sweep_patience(runs, semantics="keras-3.15")
    advice = recommend_config(sweep, tolerance=tolerance, excluded=without)
    by_name = {run.name: run for run in runs}
    may_lose = {
        name: most
        for group in advice.groups
        for name, most in zip(group.runs, group.tolerance, strict=True)
    }
    # what their own stopping rule ended tells nothing
    cut = {"breast-cancer-stopped", "digits-mlp-both"}
    checked = 0
    for one in advice.settings:
        if one.label not in ("recommended", "tolerance", "cheapest", "5", "10"):
            continue
        patience = one.parameters["patience"]
        stopping = EarlyStopping(patience=patience, restore_best_weights=True)
        told, broken = 0, []
        for name, most in may_lose.items():
            replay = replay_run(by_name[name], stopping, semantics="keras-3.15")
            if replay.evidence != "exact" or name in cut:
                continue
            told += 1
            regret = replay.outcome.regret
            if regret is None or not regret <= most:
                broken.append(name)
        assert (one.told_runs, sorted(one.breaks_tolerance)) == (told, sorted(broken))
        everywhere = True if told == len(may_lose) else None
        assert one.keeps_tolerance is (False if broken else everywhere)
        checked += 1
    assert checked >= 3


def said_by(advice: Recommendation, begins: str) -> str:
    spoken = [plain_text(sentence) for sentence in evidence_sentences(advice)]
    (said,) = [one for one in spoken if one.startswith(begins)]
    return said


def test_the_spread_that_is_named_is_the_one_between_the_seeds() -> None:
    # 0.06, 0.06, 0.06 and 0.0004 have the mean 0.0451 and the spread
    # sqrt((3 x 0.0149 ** 2 + 0.0447 ** 2) / 3) = 0.0298. That is more than 1 % of 0.06,
    # 0.0006, and less than 1 % of the way from 5 to 0.0004, 0.049996
    runs = [
        make_run([5.0, low, 3.0, 2.5 + number / 100], f"seed{number}")
        for number, low in enumerate([0.06, 0.06, 0.06, 0.0004])
    ]
    advice = recommend(runs)
    assert said_by(advice, "tolerance") == (
        "tolerance: the spread between seeds, 0.0298, where it is less than 1 % of "
        "each run's best val_loss, or of the way to that best for 1 run whose best is "
        "near 0 (--tolerance)"
    )
    lost = [group.tolerance[0] for group in advice.groups]
    assert lost == pytest.approx([0.0006, 0.0006, 0.0006, 0.0298])


def test_a_change_of_one_example_that_is_more_than_the_share_is_said() -> None:
    # of 50 examples one is 0.02; 1 % of the error that 0.9 leaves is 0.001
    runs = [
        Run.from_logs(
            [{"val_accuracy": high} for high in (0.5, 0.88, 0.9, last)],
            name=f"run{number}",
            planned_epochs=4,
        )
        for number, last in enumerate((0.8, 0.82))
    ]
    advice = recommend(runs, monitor="val_accuracy")
    assert [group.tolerance[0] for group in advice.groups] == pytest.approx([0.02] * 2)
    assert said_by(advice, "tolerance") == (
        "tolerance: 1 % of the error that each run's best val_accuracy leaves, or the "
        "smallest change of val_accuracy where that is more, as in 2 runs (--tolerance)"
    )


def test_logs_that_all_end_at_their_best_are_not_said_to_end_otherwise() -> None:
    # each falls to its last value: all end equally long after their best, by 0
    runs = [
        make_run([1.0, 0.8, 0.6, 0.5, 0.4 - n / 100], f"run{n}", planned=False)
        for n in range(3)
    ]
    assert said_by(recommend(runs), "the plan is taken") == (
        "the plan is taken to be 5 epochs: 3 logs end there, which one patience "
        "would hardly explain (--planned-epochs)"
    )


def test_logs_that_broke_off_and_tell_are_not_said_to_tell_nothing() -> None:
    # each is best in its second epoch, and patience 10 stops in the 12th, of 100; they
    # end otherwise long after their best, so by no patience
    runs = [
        Run.from_logs(
            [{"val_loss": loss} for loss in (1.0, 0.5, *[0.7] * (11 + n))],
            name=f"run{n}",
            planned_epochs=100,
        )
        for n in range(4)
    ]
    advice = recommend(runs)
    assert kept_sentence(advice).endswith(
        "keeps the tolerance on all 4 runs whose logs tell"
    )
    assert said_by(advice, "10 is a rule") == (
        "10 is a rule of thumb, 10 or a tenth of the 100 planned epochs"
    )


def test_what_a_patience_counts_is_said_where_not_every_epoch_is_recorded() -> None:
    # every 5th epoch has a value, and each ends 3 values, 15 epochs, after its best
    runs = []
    for n in range(3):
        falls = [1 - k / 20 for k in range(4 + n)]
        losses: list[float | None] = []
        for value in [*falls, 1.1, 1.1, 1.2]:
            losses += [None, None, None, None, value]
        runs.append(make_run(losses, f"run{n}", planned=False))
    sweep, _ = sweep_patience(runs, semantics="keras-3.15")
    advice = recommend_config(sweep)
    (doubt,) = [one for one in advice.doubts if one.code == "own-stop-guessed"]
    assert plain_text(doubt_text(doubt, "run")).startswith(
        "3 runs: the log ends exactly 3 recorded values after its best, as if a"
    )
    assert plain_text(runs_sentence(advice, sweep, runs)).endswith(
        " Patience counts the values of val_loss, one in 5 epochs."
    )
