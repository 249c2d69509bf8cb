"""Which of the two answers keeps the tolerance, run by run and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import EarlyStopping, load_runs, replay_run
from cbreplay.answers.advice.sentences import evidence_sentences
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
