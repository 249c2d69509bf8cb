"""A resumed fit begins its callbacks anew; after other weights it is another one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbreplay import (
    ConfigError,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TerminateOnNaN,
    build_staircase,
    choices,
    explain_replay,
    load_runs,
    make_grid,
    replay_run,
    sweep_runs,
)
from cbreplay.replay.resume import resumed_as
from cbreplay.run_metadata import EarlierFit, Ended, Fit, RunMetadata
from cbreplay.wording.note import Note, topic_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import Ask

EVIDENCE_CODES = ("exact", "censored", "diverged", "incomplete")

# the first fit is best at epoch 2; a second one goes on at epoch 8, worse, and falls
FIRST = [0.5, 0.4, 0.3, 0.32, 0.31, 0.34, 0.33, 0.36]
SECOND = [0.6, 0.58, 0.56, 0.54, 0.52, 0.5, 0.48, 0.46]


def resumed(*seams: int, rate: float | None = None) -> Run:
    rows: list[dict[str, float]] = [{"val_loss": one} for one in [*FIRST, *SECOND]]
    if rate is not None:
        rows = [row | {"learning_rate": rate} for row in rows]
    return replace(Run.from_logs(rows), seams=seams or (8,))


def ask(run: Run, *callbacks: Any, **options: Any) -> Any:
    return replay_run(run, callbacks, semantics="keras-3.15", **options)


def after(*earlier: EarlierFit) -> Run:
    """The run, with what its run.json tells of the fits before the last."""
    told = RunMetadata(fit=Fit(initial_epoch=8), earlier_fits=earlier)
    return replace(resumed(), metadata=told)


def test_a_fit_that_a_callback_cut_short_would_have_gone_on_without_it() -> None:
    # five epochs after the best of the first fit: patience 5 stops it, 6 does not
    fit, stopped = Fit(epochs=16), Ended("EarlyStopping", 7)
    run = after(EarlierFit(fit, ("EarlyStopping(patience=5)",), stopped))
    assert ask(run, EarlyStopping(patience=5)).stopped_epoch == 7
    longer = ask(run, EarlyStopping(patience=6))
    assert (longer.evidence, longer.gap_epoch) == ("incomplete", 8)
    # one that its plan ended at the same epoch is followed by the next
    planned = after(EarlierFit(fit, (), Ended("plan", 7)))
    assert ask(planned, EarlyStopping(patience=6)).gap_epoch is None
    stop_at_plan = EarlierFit(Fit(epochs=8), (), stopped)
    assert ask(after(stop_at_plan), EarlyStopping(patience=6)).gap_epoch is None


def test_a_fit_may_have_been_resumed_where_one_epoch_has_two_rows(
    tmp_path: Path,
) -> None:
    """Epochs 0 to 3, and a second fit from 3 on, with new callbacks."""
    path = tmp_path / "log.csv"
    losses = [(0, 0.1), (1, 0.4), (2, 0.3), (3, 0.35), (3, 0.5), (4, 0.4), (5, 0.3)]
    rows = "".join(f"{epoch},{loss}\r\n" for epoch, loss in losses)
    path.write_bytes(f"epoch,val_loss\r\n{rows}".encode())
    (run,) = load_runs(path)
    assert (run.seams, run.possible_seams) == ((3,), frozenset({3}))
    # one fit would have stopped at 4, four epochs after its best; the second did not
    replay = ask(run, EarlyStopping(patience=4))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 4)
    # the first fit stops before, whatever came later
    assert ask(run, EarlyStopping(patience=2)).stopped_epoch == 2


@pytest.mark.parametrize("ended", ["interrupt", "error", "unknown"])
def test_a_fit_that_was_broken_off_puts_no_weights_back(ended: str) -> None:
    # Keras restores in on_train_end, which nobody calls then
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    broken = after(EarlierFit(Fit(), (), Ended(ended, 7)))
    assert ask(broken, restoring).gap_epoch is None
    assert ask(after(EarlierFit(Fit(), (), Ended("plan", 7))), restoring).gap_epoch == 8


def test_a_fit_that_is_given_as_interrupted_puts_no_weights_back() -> None:
    # the first fit is best at epoch 2, the second falls to its end at epoch 15
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    assert ask(resumed(), restoring).gap_epoch == 8
    replay = ask(resumed(), restoring, resume="interrupted")
    assert (replay.evidence, replay.kept_epoch) == ("censored", 15)
    # what run.json tells of the end of a fit stands before what is given
    ended = after(EarlierFit(Fit(), (), Ended("plan", 7)))
    assert ask(ended, restoring, resume="interrupted").gap_epoch == 8


def test_a_resumed_fit_whose_end_stayed_null_was_killed(tmp_path: Path) -> None:
    rows = [f"{epoch},{value}" for epoch, value in enumerate([*FIRST, *SECOND])]
    (tmp_path / "logs.csv").write_text("\n".join(["epoch,val_loss", *rows, ""]))
    told: dict[str, Any] = {
        "schema": 1,
        "fit": {"initial_epoch": 8, "epochs": 16},
        "earlier_fits": [{"fit": {"epochs": 16}, "callbacks": [], "ended": None}],
    }
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    for fit, gap in ({}, None), ({"ended": {"by": "plan", "epoch": 7}}, 8):
        told["earlier_fits"][0] |= fit
        (tmp_path / "run.json").write_text(json.dumps(told))
        (run,) = load_runs(tmp_path)
        assert ask(run, restoring).gap_epoch == gap


def test_a_fit_that_is_given_as_interrupted_may_stop_in_rows_written_again() -> None:
    # the replaced rows 6 to 9 wait 1 to 4 epochs after epoch 5
    run = written_again(BROKEN, RESUMED, 6)
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    assert ask(run, stopping, resume="interrupted").gap_epoch == 6
    # eight epochs: rows 0 to 3 stand, and row 4 is written again by a worse fit
    other = written_again([0.9, 0.8, 0.7, 0.75, 0.8], [0.6, 0.5, 0.4], 4)
    longer = EarlyStopping(patience=3, restore_best_weights=True)
    assert ask(other, longer).gap_epoch == 4
    assert ask(other, longer, resume="interrupted").kept_epoch == 6


def test_a_fit_that_trained_nothing_does_not_stand_before_the_seam() -> None:
    last = Fit(epochs=16, initial_epoch=8)
    first = EarlierFit(Fit(epochs=16), (), Ended("EarlyStopping", 7))
    empty = EarlierFit(last, (), Ended("interrupt", 7))
    assert ask(after(first, empty), EarlyStopping(patience=6)).gap_epoch == 8


def test_a_checkpoint_forgets_its_best_at_the_seam() -> None:
    saving = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    replay = ask(resumed(), saving)
    # epochs 1 to 3 of the first fit; every epoch of the second is better than before
    saved = [epoch for epoch, _, _ in replay.saves]
    assert saved == [0, 1, 2, *range(8, 16)]
    carried = ask(resumed(), saving, resume="carried")
    assert [epoch for epoch, _, _ in carried.saves] == [0, 1, 2]


def test_a_wait_begins_anew() -> None:
    # five epochs after the best of the first fit, none in the second
    assert ask(resumed(), EarlyStopping(patience=7)).evidence == "censored"
    # the same instance is reset by Keras when a fit begins
    carried = ask(resumed(), EarlyStopping(patience=7), resume="carried")
    assert carried.evidence == "censored"
    # one that takes its best along waits from the first epoch on: until 8 + 7 - 1
    older = replay_run(
        resumed(), EarlyStopping(patience=7), semantics="keras-3.6", resume="carried"
    )
    assert older.stopped_epoch == 14
    assert ask(resumed(), EarlyStopping(patience=5)).stopped_epoch == 7


def test_after_restored_weights_the_second_fit_is_another_training() -> None:
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    replay = ask(resumed(), restoring)
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 8)
    # Keras 2.15 puts weights back at its own stop alone
    older = replay_run(resumed(), restoring, semantics="keras-2.15")
    assert older.evidence == "censored"
    # what stops in the first fit is known
    early = EarlyStopping(patience=3, restore_best_weights=True)
    assert (ask(resumed(), early).evidence, ask(resumed(), early).kept_epoch) == (
        "exact",
        2,
    )


def test_a_list_that_the_first_fit_had_goes_on() -> None:
    restoring = EarlyStopping(patience=7, restore_best_weights=True)
    earlier = EarlierFit(Fit(), (restoring.code, "CSVLogger('logs.csv')"), None)
    run = after(earlier)
    assert ask(run, restoring).evidence == "censored"
    other = EarlyStopping(patience=6, restore_best_weights=True)
    assert ask(run, other).evidence == "incomplete"


def test_a_changed_rate_ends_the_evidence_before_the_seam() -> None:
    replay = ask(resumed(rate=0.5), ReduceLROnPlateau(patience=2, min_delta=0))
    assert (replay.evidence, replay.divergence_epoch) == ("diverged", 5)


def test_a_fit_that_set_a_higher_rate_begins_with_it() -> None:
    # best at epoch 2, so that patience 3 halves the rate after epoch 5, and patience 2
    # after epoch 4; the second fit was compiled with the first rate again
    rates = [0.5] * 6 + [0.25] * 2 + [0.5] * 8
    rows = zip([*FIRST, *SECOND], rates, strict=True)
    run = Run.from_logs(
        [{"val_loss": loss, "learning_rate": rate} for loss, rate in rows]
    )
    resumed_run = replace(run, seams=(8,))
    reducing = ReduceLROnPlateau(patience=3, factor=0.5, min_delta=0)
    replay = ask(resumed_run, reducing)
    assert (replay.evidence, replay.learning_rate.values.tolist()) == (
        "censored",
        rates,
    )
    assert "rises at epoch 9, where a fit was resumed" in " ".join(replay.notes)
    # without a seam nothing in the list raises the rate
    assert ask(run, reducing).divergence_epoch == 8
    sooner = ReduceLROnPlateau(patience=2, factor=0.5, min_delta=0)
    assert ask(resumed_run, sooner).divergence_epoch == 5
    # a rate that is lower still was perhaps reduced
    falling = zip([*FIRST, *SECOND], [*rates[:8], *[0.125] * 8], strict=True)
    lower = Run.from_logs(
        [{"val_loss": loss, "learning_rate": rate} for loss, rate in falling]
    )
    assert ask(replace(lower, seams=(8,)), reducing).evidence == "diverged"


def test_a_sweep_says_what_a_replay_says() -> None:
    grid = make_grid(
        [choices(EarlyStopping, patience=range(9), restore_best_weights=[True, False])]
    )
    sweep = sweep_runs([resumed(), resumed(3, 8)], grid, semantics="keras-3.15")
    for row, run in enumerate(sweep.records):
        for column, config in enumerate(grid):
            replay = replay_run(run, config, semantics="keras-3.15")
            assert EVIDENCE_CODES[sweep.evidence[row, column]] == replay.evidence


@given(
    values=st.lists(st.integers(0, 6), min_size=4, max_size=30),
    seams=st.sets(st.integers(1, 29), max_size=3),
    lists=st.sampled_from([{}, {"start_from_epoch": 3}, {"baseline": 2.0}]),
    patience=st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True),
    earlier=st.sampled_from(["untold", "", "plan", "interrupt", "EarlyStopping"]),
)
def test_a_sweep_says_of_every_patience_what_a_replay_says(
    values: list[int],
    seams: set[int],
    lists: dict[str, Any],
    patience: list[int],
    earlier: str,
) -> None:
    run = Run.from_logs({"val_loss": float(value)} for value in values)
    run = replace(run, seams=tuple(sorted(at for at in seams if at < len(values))))
    saving = ModelCheckpoint("a.keras", save_best_only=True)
    if earlier != "untold" and run.seams:
        had = EarlyStopping(patience=patience[0], restore_best_weights=True, **lists)
        ended = Ended(earlier, run.seams[0] - 1)
        fits = (EarlierFit(Fit(), (had.code, saving.code), ended),)
        last = Fit(initial_epoch=run.seams[0])
        run = replace(run, metadata=RunMetadata(fit=last, earlier_fits=fits))
    stopping = choices(
        EarlyStopping, patience=patience, restore_best_weights=[True, False], **lists
    )
    grid = make_grid([stopping, saving])
    sweep = sweep_runs([run], grid, semantics="keras-3.15")
    for column, config in enumerate(grid):
        replay = replay_run(run, config, semantics="keras-3.15")
        swept = (
            EVIDENCE_CODES[sweep.evidence[0, column]],
            *(
                int(epochs[0, column]) if said[0, column] else None
                for said, epochs in (
                    (sweep.stopped, sweep.stopped_epoch),
                    (sweep.kept, sweep.kept_epoch),
                    (sweep.incomplete, sweep.gap_epoch),
                )
            ),
        )
        assert swept == (
            replay.evidence,
            replay.stopped_epoch,
            replay.kept_epoch,
            replay.gap_epoch,
        )


def test_a_longer_patience_is_not_the_list_that_the_first_fit_had() -> None:
    had = EarlyStopping(patience=7, restore_best_weights=True)
    run = after(EarlierFit(Fit(), (had.code,), None))
    grid = make_grid(
        [choices(EarlyStopping, patience=[7, 8], restore_best_weights=True)]
    )
    sweep = sweep_runs([run], grid, semantics="keras-3.15")
    assert [EVIDENCE_CODES[code] for code in sweep.evidence[0]] == [
        "censored",
        "incomplete",
    ]


def test_settings_that_are_listed_differ_in_more_than_patience() -> None:
    configs = [
        [EarlyStopping(patience=8)],
        [EarlyStopping(patience=9, restore_best_weights=True)],
    ]
    sweep = sweep_runs([resumed()], configs, semantics="keras-3.15")
    assert [EVIDENCE_CODES[code] for code in sweep.evidence[0]] == [
        "censored",
        "incomplete",
    ]


def test_there_are_four_ways_to_resume() -> None:
    with pytest.raises(
        ConfigError, match="'fresh', 'carried', 'interrupted' or 'never'"
    ):
        ask(resumed(), EarlyStopping(), resume="anew")


def maybe_resumed() -> Run:
    return replace(resumed(), possible_seams=frozenset({8}))


def test_where_a_fit_may_have_been_resumed_both_ways_are_followed() -> None:
    # as one fit it stops at epoch 9, as two never: from there on nothing is known
    replay = ask(maybe_resumed(), EarlyStopping(patience=7))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 9)
    # before the seam it makes no difference
    replay = ask(maybe_resumed(), EarlyStopping(patience=5))
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 7)


def test_what_decides_alike_both_ways_is_known() -> None:
    every = ModelCheckpoint("{epoch}.keras")
    assert ask(maybe_resumed(), every).evidence == "censored"
    best = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    # as two fits it saves epoch 8, the first of the second
    assert ask(maybe_resumed(), best).gap_epoch == 8


def test_weights_that_are_restored_if_a_fit_ends_are_unknown_where_it_may() -> None:
    replay = ask(maybe_resumed(), EarlyStopping(patience=9, restore_best_weights=True))
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 8)


@pytest.mark.parametrize("planned", [None, 6])
def test_where_both_ways_keep_other_weights_at_the_end_nothing_is_kept_for_sure(
    planned: int | None,
) -> None:
    # as one fit .44 is not below .45 - .1: epoch 2 is kept; as two .44 is the first of
    # the second, which keeps epoch 3. The first fit ends at its best, so the second
    # begins from the same weights both ways.
    losses = [1.0, 0.6, 0.45, 0.44, 0.7, 0.8]
    run = Run.from_logs([{"val_loss": loss} for loss in losses], planned_epochs=planned)
    run = replace(run, seams=(3,), possible_seams=frozenset({3}))
    stop = EarlyStopping(patience=4, min_delta=0.1, restore_best_weights=True)
    replay = ask(run, stop)
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 5)
    sweep = sweep_runs([run], [[stop]], semantics="keras-3.15")
    assert [EVIDENCE_CODES[code] for code in sweep.evidence[0]] == ["incomplete"]
    assert ask(run, stop, resume="never").kept_epoch == 2
    assert ask(replace(run, possible_seams=frozenset()), stop).kept_epoch == 3


@given(
    losses=st.lists(st.sampled_from([0.2, 0.3, 0.4, 0.5, 0.6]), min_size=4, max_size=9),
    seam=st.integers(1, 3),
    planned=st.booleans(),
)
def test_a_sweep_knows_as_much_of_a_possible_seam_as_a_replay(
    losses: list[float], seam: int, *, planned: bool
) -> None:
    run = Run.from_logs(
        [{"val_loss": loss} for loss in losses],
        planned_epochs=len(losses) if planned else None,
    )
    run = replace(run, seams=(seam,), possible_seams=frozenset({seam}))
    rule = {"restore_best_weights": [True], "min_delta": [0.15]}
    grid = make_grid([choices(EarlyStopping, patience=range(7), **rule)])
    sweep = sweep_runs([run], grid, semantics="keras-3.15")
    for column, config in enumerate(grid):
        replay = replay_run(run, config, semantics="keras-3.15")
        assert EVIDENCE_CODES[sweep.evidence[0, column]] == replay.evidence


def test_what_is_said_of_a_seam_is_true_under_the_same_callbacks() -> None:
    said = "a fit was resumed at epoch 9: its callbacks were created anew there"
    kept = resumed_as(resumed().with_notes(said), "carried")
    assert kept.notes == ("a fit was resumed at epoch 9: its callbacks were the same",)
    assert kept.seams == (8,)


def test_notes_keep_their_topic_where_other_fits_are_meant() -> None:
    agrees = Note("its event files agree", "files")
    for run in (
        resumed_as(resumed().with_notes(agrees), "carried"),
        resumed_as(maybe_resumed().with_notes(agrees), "never"),
    ):
        assert topic_of(run.notes[-1]) == "files"


def test_where_no_fit_was_resumed_the_callbacks_count_on() -> None:
    replay = ask(maybe_resumed(), EarlyStopping(patience=7), resume="never")
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 9)


def test_the_same_callbacks_are_reset_where_a_fit_may_have_been_resumed() -> None:
    # two fits of one process under one list, whose event files do not tell that: Keras
    # 3.15 resets the wait at epoch 8, so it never stops; in one fit it stops at epoch 9
    replay = ask(maybe_resumed(), EarlyStopping(patience=7), resume="carried")
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 9)
    certain = replace(maybe_resumed(), possible_seams=frozenset())
    replay = ask(certain, EarlyStopping(patience=7), resume="carried")
    assert replay.evidence == "censored"


def test_a_sweep_knows_as_little_of_a_possible_seam() -> None:
    grid = make_grid([choices(EarlyStopping, patience=[5, 7])])
    sweep = sweep_runs([maybe_resumed()], grid, semantics="keras-3.15")
    assert sweep.evidence.tolist() == [[0, 3]]
    assert sweep.gap_epoch[0, 1] == 9


def written_again(first: Sequence[float | None], second: list[float], at: int) -> Run:
    """A fit, and one that was resumed at an epoch of it, joined as by --parts join."""
    epochs = [*range(len(first)), *range(at, at + len(second))]
    lists = {"epoch": epochs, "val_loss": [*first, *second]}
    (run,) = load_runs(pd.DataFrame(lists), parts="join")
    return run


# best at epoch 5, before the rows that are replaced: 6 to 9, which wait 1, 2, 3, 4
BROKEN = [0.9, 0.8, 0.7, 0.6, 0.55, 0.5, 0.52, 0.53, 0.54, 0.55]
# best at epoch 11; the record ends 4 epochs after it
RESUMED = [0.43, 0.42, 0.41, 0.4, 0.39, 0.38, 0.39, 0.4, 0.41, 0.42]


@pytest.mark.parametrize("restores", [False, True])
def test_a_stop_in_rows_that_were_written_again_is_noticed(*, restores: bool) -> None:
    run = written_again(BROKEN, RESUMED, 6)
    assert (run.seams, [seam for seam, _ in run.replaced]) == ((6,), [6])
    for patience in range(1, 5):
        # the first fit waits `patience` epochs after epoch 5: it stops at 5 + patience
        stopping = EarlyStopping(patience=patience, restore_best_weights=restores)
        replay = ask(run, stopping)
        assert (replay.evidence, replay.gap_epoch) == ("incomplete", 6)
        assert replay.stopped_epoch is None
    # neither of the fits waits for 5 epochs
    longer = EarlyStopping(patience=5, restore_best_weights=restores)
    assert ask(run, longer).evidence == "censored"
    # only the second one waits for 4, where the first got better to its end
    better = written_again([*BROKEN[:6], 0.49, 0.48, 0.47, 0.46], RESUMED, 6)
    replay = ask(better, EarlyStopping(patience=4, restore_best_weights=restores))
    assert (replay.evidence, replay.stopped_epoch) == ("exact", 15)
    # and a stop before the seam is a stop
    early = written_again([0.5, 0.6, *BROKEN[2:]], RESUMED, 6)
    assert ask(early, EarlyStopping(patience=1)).stopped_epoch == 1


def test_weights_put_back_from_a_replaced_row_are_others_than_recorded() -> None:
    # best at epoch 7, in the rows that were replaced, and 0.6 at its end
    run = written_again([*BROKEN[:6], 0.49, 0.45, 0.6], RESUMED, 6)
    restored = ask(run, EarlyStopping(patience=9, restore_best_weights=True))
    assert (restored.evidence, restored.gap_epoch) == ("incomplete", 6)
    assert ask(run, EarlyStopping(patience=9)).evidence == "censored"


def test_a_nan_in_a_replaced_row_ends_the_fit() -> None:
    losses = [0.9, 0.8, 0.7, math.nan, 0.6, 0.5]
    lists = {"epoch": [0, 1, 2, 3, 2, 3], "loss": losses}
    (run,) = load_runs(pd.DataFrame(lists), parts="join", empty="nan")
    # epoch 3 of the first fit has no finite loss, that of the second has
    assert run.series["loss"].values.tolist() == [0.9, 0.8, 0.6, 0.5]
    assert ask(run, TerminateOnNaN()).gap_epoch == 2


def test_files_of_replaced_rows_stay_unless_they_are_written_again() -> None:
    # the first fit is best at epoch 8, the second in each of its epochs, 6 to 8
    run = written_again([*BROKEN[:6], 0.52, 0.53, 0.4], [0.43, 0.42, 0.41], 6)
    one = ModelCheckpoint("best.keras", save_best_only=True)
    assert ask(run, one).files == {"best.keras": 8}
    each = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    assert ask(run, each).evidence == "censored"
    # 8.keras, of epoch 7 counted from 0, is of the first fit alone
    short = written_again([*BROKEN[:6], 0.52, 0.45], [0.43], 6)
    assert ask(short, each).gap_epoch == 6


def test_a_whole_training_that_is_written_again_stands_alone() -> None:
    # nothing of the first fit is left: the second one began anew, from epoch 0
    run = written_again(BROKEN[:4], RESUMED, 0)
    assert not run.replaced
    assert ask(run, EarlyStopping(patience=2)).stopped_epoch == 7


def test_each_fit_counts_by_itself() -> None:
    # fits of epochs 0-3, 2-5 and 4-7; the second waits in 4 and 5, which are replaced
    values = [0.9, 0.8, 0.7, 0.6, 0.65, 0.6, 0.66, 0.67, 0.5, 0.4, 0.3, 0.2]
    lists = {"epoch": [0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7], "val_loss": values}
    (run,) = load_runs(pd.DataFrame(lists), parts="join")
    assert [(seam, fit.epochs.tolist()) for seam, fit in run.replaced if fit] == [
        (2, [0, 1, 2, 3]),
        (4, [2, 3, 4, 5]),
    ]
    assert ask(run, EarlyStopping(patience=2)).gap_epoch == 4
    assert ask(run, EarlyStopping(patience=3)).gap_epoch is None


def test_the_staircase_and_a_sweep_know_of_replaced_rows() -> None:
    run = written_again(BROKEN, RESUMED, 6)
    for keep in ("best", "last"):
        stairs = build_staircase(run, keep=keep, semantics="keras-3.15")
        unknown, rest = stairs.steps
        assert (unknown.first_patience, unknown.last_patience) == (0, 4)
        assert (unknown.evidence, unknown.gap_epoch) == ("incomplete", 6)
        assert unknown.first_stopped_epoch is None
        assert (rest.first_patience, rest.evidence) == (5, "censored")
    grid = make_grid(
        [choices(EarlyStopping, patience=range(8), restore_best_weights=[True, False])]
    )
    early = written_again([0.5, 0.6, *BROKEN[2:]], RESUMED, 6)
    sweep = sweep_runs([run, early], grid, semantics="keras-3.15")
    for row, record in enumerate(sweep.records):
        for column, config in enumerate(grid):
            replay = replay_run(record, config, semantics="keras-3.15")
            assert EVIDENCE_CODES[sweep.evidence[row, column]] == replay.evidence
            stopped = sweep.stopped_epoch[row, column]
            assert not sweep.stopped[row, column] or stopped == replay.stopped_epoch


def test_what_replaced_rows_leave_open_is_said(ask: Ask, tmp_path: Path) -> None:
    rows = [*enumerate(BROKEN), *enumerate(RESUMED, start=6)]
    lines = ["epoch,val_loss", *(f"{epoch},{value}" for epoch, value in rows)]
    (tmp_path / "logs.csv").write_text("\n".join([*lines, ""]))
    told = ask("simulate", tmp_path / "logs.csv", "--parts", "join", "--patience", "2")
    assert " ".join(told.out.split("\n\n")[0].split()) == (
        "At epoch 7 a resumed fit began and wrote rows again: in the earlier ones the "
        "fit before it would have been stopped, or would have left other files or "
        "counters, or other weights if it came to its end, and what comes after that "
        "is not in this log. A fit that was interrupted puts no weights back: if that "
        "one was, --resume interrupted."
    )
    every = ask("simulate", tmp_path / "logs.csv", "--parts", "join").out
    assert " ".join(every.split("\n\n")[0].split()) == (
        "Of patience up to 4 this log does not tell, because rows were written again; "
        "a longer one does not stop inside it."
    )
    assert " 0-4        unknown from epoch 7 on: another fit began there\n" in every
    form = ("--parts", "join", "--format", "json")
    answer = json.loads(ask("simulate", tmp_path / "logs.csv", *form).out)
    steps = answer["staircase"]["steps"]
    assert [(step["evidence"], step["gap_epoch"]) for step in steps] == [
        ("incomplete", 6),
        ("censored", None),
    ]


def test_replaced_rows_that_lack_a_value_are_said_to_lack_it(
    ask: Ask, tmp_path: Path
) -> None:
    """A fit was killed before its last validation was written, and then resumed."""
    rows = [*enumerate([*BROKEN[:-1], ""]), *enumerate(RESUMED, start=6)]
    lines = ["epoch,loss,val_loss", *(f"{epoch},0.5,{value}" for epoch, value in rows)]
    (tmp_path / "logs.csv").write_text("\n".join([*lines, ""]))
    options = ("--parts", "join", "--patience", "6", "--resume", "interrupted")
    told = ask("simulate", tmp_path / "logs.csv", *options)
    assert " ".join(told.out.split("\n\n")[0].split()) == (
        "At epoch 7 a resumed fit began and wrote rows again, and of the earlier ones "
        "the log lacks val_loss in epoch 10: what the fit before it did there is not "
        "told. Give every file of this training, or another log of it."
    )


def test_what_is_carried_over_replaced_rows_is_followed() -> None:
    """Keras 3.14.1, with one instance in both fits, stops at epoch 6, with two at 7."""
    first, second = [1.0, 0.95, 0.93, 0.92, 0.5], [0.8, 0.9, 0.9, 0.9, 0.9, 0.9]
    asked = (EarlyStopping(patience=3),)
    run = written_again(first, second, 4)
    fresh = replay_run(run, asked, semantics="keras-3.14")
    carried = replay_run(run, asked, semantics="keras-3.14", resume="carried")
    assert (fresh.evidence, fresh.stopped_epoch) == ("exact", 7)
    assert (carried.evidence, carried.stopped_epoch) == ("exact", 6)
    rows = [row.why for row in explain_replay(carried).rows]
    assert rows[4] == "another fit begins; 0.8000 is not below 0.5000; wait 1 of 3"
    # a log that does not tell whether its last row was written twice by one fit
    lists = {"epoch": [*range(5), *range(4, 10)], "val_loss": [*first, *second]}
    (open_run,) = load_runs(pd.DataFrame(lists))
    assert open_run.possible_seams == {4}
    unsure = replay_run(open_run, asked, semantics="keras-3.14", resume="carried")
    assert (unsure.evidence, unsure.gap_epoch) == ("incomplete", 6)
    rows = [row.why for row in explain_replay(unsure).rows]
    assert rows[4] == "another fit begins; 0.8000 is not below 0.5000; wait 1 of 3"
    # the same instance does not write its file again, which holds a replaced row
    saving = ModelCheckpoint("best.keras", save_best_only=True)
    unsure = replay_run(open_run, [saving], semantics="keras-3.14", resume="carried")
    assert (unsure.evidence, unsure.gap_epoch) == ("incomplete", 4)
    assert ask(run, saving, resume="carried").gap_epoch == 4


def test_what_a_hole_in_replaced_rows_carried_is_not_told_to_the_same_list() -> None:
    run = written_again([1.0, 0.95, 0.93, 0.92, None], [0.8, *[0.9] * 5], 4)
    stopping = "EarlyStopping(patience=3)"
    earlier = EarlierFit(Fit(epochs=5), (stopping,), Ended("plan", 4))
    told = RunMetadata(fit=Fit(initial_epoch=4), earlier_fits=(earlier,))
    asked = replace(run, metadata=told), (EarlyStopping(patience=3),)
    fresh = replay_run(*asked, semantics="keras-3.14")
    assert (fresh.evidence, fresh.stopped_epoch) == ("exact", 7)
    # with 0.5 there, Keras 3.14.1 stops at epoch 6 instead
    carried = replay_run(*asked, semantics="keras-3.14", resume="carried")
    assert (carried.evidence, carried.gap_epoch) == ("incomplete", 4)


def test_several_replaced_fits_hand_on_what_they_carry_one_after_the_other() -> None:
    """Keras 3.14.1, with one instance in all fits, stops at epoch 9; 3.15.1 at 10."""
    # best at epoch 4, and from there on the second and the third fit only wait
    values = [1.0, 0.95, 0.93, 0.92, 0.5, *[0.8, 0.9, 0.9], *[0.9] * 5]
    epochs = [*range(5), *range(4, 7), *range(6, 11)]
    (run,) = load_runs(
        pd.DataFrame({"epoch": epochs, "val_loss": values}), parts="join"
    )
    stops = [
        replay_run(
            run, EarlyStopping(patience=4), semantics=semantics, resume="carried"
        ).stopped_epoch
        for semantics in ("keras-3.14", "keras-3.15")
    ]
    assert stops == [9, 10]
    # a patience that the second fit would have stopped by, at epoch 6
    shorter = EarlyStopping(patience=3)
    replay = replay_run(run, shorter, semantics="keras-3.14", resume="carried")
    assert (replay.evidence, replay.gap_epoch) == ("incomplete", 6)


def test_a_resumed_fit_begins_with_the_rate_that_replaced_rows_left() -> None:
    """Keras 3.15.1 in two fits of one process: reduced after epochs 1 and 2, and 4."""
    rates = [0.5, 0.5, 0.25, *[0.125, 0.125, 0.125, 0.0625]]
    lists: dict[str, list[float]] = {
        "epoch": [0, 1, 2, *range(2, 6)],
        "val_loss": [0.1, 0.2, 0.5, *[0.8, 0.6, 0.8, 0.2]],
        "learning_rate": rates,
    }
    (run,) = load_runs(pd.DataFrame(lists), parts="join")
    reducing = ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0)
    for resume in ("fresh", "carried"):
        replay = ask(run, reducing, resume=resume)
        assert replay.evidence == "censored"
        assert replay.learning_rate.values.tolist() == [0.5, 0.5, *rates[3:]]
    # the second fit at another rate than the first one ended with, or had before it
    lists["learning_rate"] = [*rates[:3], *[0.25] * 4]
    (other,) = load_runs(pd.DataFrame(lists), parts="join")
    assert ask(other, reducing).gap_epoch == 2


def test_a_replaced_fit_of_another_rate_is_another_training() -> None:
    # two fits were resumed at epoch 2 at half the rate: a list that reduces nothing
    # would have left the first one's
    lists: dict[str, list[float]] = {
        "epoch": [*range(6), 2, 3, 2, 3, 4],
        "val_loss": [0.5, 0.4, 0.7, 0.1, 0.8, 0.5, *[0.8, 0.6], *[0.7, 0.2, 0.6]],
        "learning_rate": [*[0.5] * 6, *[0.25] * 5],
    }
    (run,) = load_runs(pd.DataFrame(lists), parts="join")
    for resume in ("fresh", "carried"):
        replay = ask(run, ReduceLROnPlateau(patience=9), resume=resume)
        assert (replay.evidence, replay.end_of_evidence) == ("diverged", 2)
    # a list of which no callback sets the rate follows the record
    assert ask(run, EarlyStopping(patience=9)).evidence == "censored"


def test_what_a_wholly_replaced_fit_handed_on_is_not_in_the_log() -> None:
    """Keras keeps the best of the first fit, .1, and writes no file in the second."""
    lists = {
        "epoch": [0, 1, 2, 0, 1, 2, 3],
        "val_loss": [0.5, 0.1, 0.3, 0.6, 0.5, 0.4, 0.3],
    }
    (run,) = load_runs(pd.DataFrame(lists), parts="join")
    saving = ModelCheckpoint("best.keras", save_best_only=True)
    assert ask(run, saving).files == {"best.keras": 3}
    carried = ask(run, saving, resume="carried")
    assert (carried.gap_epoch, carried.files) == (0, {})
    # nothing else is left of the fits before, either: of one that was replaced in part
    (last,) = load_runs(
        pd.DataFrame({"epoch": [*range(4), 2, 3, *range(5)], "val_loss": [0.5] * 11}),
        parts="join",
    )
    assert last.replaced == ()


def recorded_fits(directory: Path, *fits: tuple[int, list[float]]) -> Run:
    """A log of fits, each of an epoch and its losses, with the run.json of all."""
    rows = [
        f"{begin + number},{loss}"
        for begin, losses in fits
        for number, loss in enumerate(losses)
    ]
    (directory / "logs.csv").write_text("\n".join(["epoch,val_loss", *rows, ""]))
    told = [
        {
            "fit": {"initial_epoch": begin, "epochs": 20},
            "callbacks": [],
            "ended": {"by": "plan", "epoch": begin + len(losses) - 1},
        }
        for begin, losses in fits
    ]
    run_json = {"schema": 1, "fit": told[-1]["fit"], "earlier_fits": told[:-1]}
    (directory / "run.json").write_text(json.dumps(run_json))
    (run,) = load_runs(directory)
    return run


def test_of_two_fits_that_were_resumed_at_one_epoch_the_first_is_no_part_of_another(
    tmp_path: Path,
) -> None:
    """New callbacks in the second fit save 5.keras, which the third does not write."""
    fits = (0, [0.4, 0.2]), (2, [0.9, 0.95, 0.3, 0.35, 0.9]), (2, [0.252, 0.77])
    run = recorded_fits(tmp_path, *fits)
    assert [(at, fit.seams) for at, fit in run.replaced if fit] == [(2, (2,))]
    saving = ModelCheckpoint("{epoch}.keras", save_best_only=True)
    assert ask(run, saving).gap_epoch == 2


def test_a_seam_in_replaced_rows_is_none_of_the_rows_that_stand_for_them(
    tmp_path: Path,
) -> None:
    fits = (0, [0.4, 0.2, 0.3, 0.5]), (4, [0.1, 0.2, 0.3, 0.4]), (5, [0.2, 0.3])
    run = recorded_fits(tmp_path, *fits, (3, [0.252, 0.77, 0.6]))
    # the last fit goes through epoch 4, at which the second one began
    assert run.seams == (3,)
    assert [(at, fit.seams) for at, fit in run.replaced if fit] == [(3, (4,)), (3, ())]
    # the first fit had waited for two epochs where it ended, and the second for three
    assert ask(run, EarlyStopping(patience=2)).gap_epoch == 3
    assert ask(run, EarlyStopping(patience=4)).evidence == "censored"
