"""Sweeps: the worked example, columns and masks, what a kernel once got wrong."""

from __future__ import annotations

import math
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EmaStopping,
    EvidenceError,
    LearningRateScheduler,
    MeanStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    TargetStopping,
    TerminateOnNaN,
    UnknownMonitorError,
    choices,
    make_grid,
    pair_choices,
    replay_run,
    sweep_runs,
)
from cbreplay.sweep import EVIDENCE, Sweep, count_replayed
from tests.oracles.sweeps import Question, compare

if TYPE_CHECKING:
    from collections.abc import Callable

# the worked example: a run with a constant rate
LOSSES = [0.8, 0.6, 0.5, 0.5, 0.52, 0.49, 0.5, 0.51]


def logged(*losses: float | None, rate: float | None = None, **options: Any) -> Run:
    rows = [{"val_loss": loss, "learning_rate": rate} for loss in losses]
    return Run.from_logs(rows, **options)


def stopping(**parameters: Any) -> Any:
    given = {"min_delta": 0.02, "restore_best_weights": True}
    return choices(EarlyStopping, **given | parameters)


def reducing(**parameters: Any) -> Any:
    return choices(ReduceLROnPlateau, **{"factor": 0.5, "min_delta": 0} | parameters)


def swept(runs: Any, *entries: Any, **options: Any) -> Sweep:
    return sweep_runs(runs, make_grid(entries), **{"semantics": "keras-3.15"} | options)


def agrees(runs: list[Run], configs: Any, semantics: str = "keras-3.15") -> bool:
    compared, difference = compare(Question(runs, configs, {"semantics": semantics}))
    assert difference is None
    return compared == len(runs) * len(configs)


def told(sweep: Sweep) -> list[list[Any]]:
    """Return evidence, stop, kept, trained, kept value, regret and divergence."""
    rows = []
    for at in np.ndindex(sweep.shape):
        pairs = [
            (True, EVIDENCE[int(sweep.evidence[at])]),
            (sweep.stopped[at], sweep.stopped_epoch[at]),
            (sweep.kept[at], sweep.kept_epoch[at]),
            (True, sweep.trained_epochs[at]),
            (sweep.judged[at], sweep.kept_value[at]),
            (sweep.ranked[at], sweep.regret[at].round(6)),
            (sweep.diverged[at], sweep.divergence_epoch[at]),
        ]
        rows.append([value if known else None for known, value in pairs])
    return rows


# --- the worked example


def test_the_worked_example_of_early_stopping() -> None:
    run = logged(*LOSSES, rate=0.01)
    assert told(swept(run, stopping(patience=[3, 5, 6]))) == [
        ["exact", 5, 2, 6, 0.5, 0.01, None],
        ["exact", 7, 2, 8, 0.5, 0.01, None],
        ["censored", None, 2, 8, 0.5, 0.01, None],
    ]


def test_the_worked_example_at_the_end_of_its_plan() -> None:
    run = logged(*LOSSES, rate=0.01, planned_epochs=8)
    asked = stopping(patience=[6])
    exact = ["exact", None, 2, 8, 0.5, 0.01, None]
    assert told(swept(run, asked)) == [exact]
    # Keras 2.15 restores after its own stop alone
    exact = ["exact", None, 7, 8, 0.51, 0.02, None]
    assert told(swept(run, asked, semantics="keras-2.15")) == [exact]


def test_the_worked_example_of_both() -> None:
    run = logged(*LOSSES, rate=0.01)
    sweep = swept(run, stopping(patience=[3, 2]), reducing(patience=[2, 3]))
    assert told(sweep) == [
        ["diverged", None, None, 6, None, None, 5],
        ["exact", 5, 2, 6, 0.5, 0.01, None],
        ["exact", 4, 2, 5, 0.5, 0.01, None],
        ["exact", 4, 2, 5, 0.5, 0.01, None],
    ]


def test_provisional_is_what_is_censored() -> None:
    sweep = swept(logged(*LOSSES), stopping(patience=[3, 6]))
    assert sweep.provisional.tolist() == [[False, True]]
    assert sweep.epochs_saved.tolist() == [[2, 0]]
    assert repr(sweep) == (
        "<Sweep of 1 runs x 2 configs: 1 exact, 1 censored, 0 diverged, 0 incomplete>"
    )


# --- what was decided wrongly once


def test_a_start_past_the_end_of_the_log_never_acts() -> None:
    # improvements after such a start were counted as if it had begun
    grid = make_grid([stopping(patience=1, start_from_epoch=[0, 5, 9])])
    assert agrees([logged(0.5, 0.4, 0.6, 0.7, 0.8)], grid)


def test_a_loss_that_is_no_number_ends_every_config() -> None:
    # the ends did not go with the axes of another callback
    rows = [{"loss": one, "val_loss": 0.5} for one in (0.5, 0.4, math.nan, 0.3)]
    grid = make_grid([TerminateOnNaN(), stopping(patience=[1, 2, 9])])
    assert agrees([Run.from_logs(rows)], grid)


# --- edges


@pytest.mark.parametrize("semantics", ["keras-2.15", "keras-3.6", "keras-3.15"])
def test_no_patience_stops_at_epoch_0_and_a_skipped_wait_stops_later(
    semantics: str,
) -> None:
    inf, nan = math.inf, math.nan
    runs = [logged(inf, inf, inf, 0.5, nan, nan), logged(nan, nan, 0.1, 0.2, 0.3)]
    runs += [logged(inf, inf, inf, first_epoch=3)]
    grid = make_grid(
        [stopping(patience=range(5), baseline=[None, 0.05, 0.3], mode="min")]
    )
    assert agrees(runs, grid, semantics)


def test_patience_may_be_any_number() -> None:
    patience = [-2, 0, 0.5, 1.5, 2, 1e9, math.inf]
    assert agrees([logged(*LOSSES)], make_grid([stopping(patience=patience)]))


def test_epochs_without_the_monitor_do_not_count() -> None:
    runs = [logged(0.5, None, 0.6, None, None, 0.7, 0.4), logged(None, 0.5, None, 0.6)]
    grid = make_grid([stopping(patience=range(1, 5)), reducing(patience=[1, 2])])
    assert agrees(runs, grid)


def test_a_recorded_policy_is_followed_to_its_end() -> None:
    # flat: patience 2 halves after epochs 2 and 4
    rates = [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025]
    rows = [{"val_loss": 0.5, "learning_rate": rate} for rate in rates]
    run = Run.from_logs(rows)
    sweep = swept(run, reducing(patience=[2, 3], cooldown=[0, 2], min_lr=[0, 0.004]))
    # patience 2 follows the record; a cooldown of 2 comes an epoch later; the floor
    # of .004 is above .0025
    assert sweep.divergence_epoch[0][sweep.diverged[0]].tolist() == [
        5,
        5,
        5,
        3,
        3,
        3,
        3,
    ]
    assert not sweep.diverged[0, 0]


def test_a_checkpoint_decides_nothing_and_is_refused_as_by_the_replay() -> None:
    run = logged(*LOSSES)
    saving = ModelCheckpoint("{epoch}-{val_loss:.2f}.keras")
    assert told(swept(run, saving, stopping(patience=[3]))) == told(
        swept(run, stopping(patience=[3]))
    )
    with pytest.raises(ConfigError, match="'val_acc' is not logged"):
        swept(run, ModelCheckpoint("{val_acc}.keras"), stopping(patience=[3, 4]))


def test_what_has_no_kernel_is_replayed_and_tells_its_progress() -> None:
    scheduling = LearningRateScheduler({0: 0.01, 3: 0.001})
    grid = make_grid([scheduling, stopping(patience=[1, 2, 3])])
    seen: list[tuple[int, int]] = []
    run = logged(*LOSSES, rate=0.01)
    sweep_runs(run, grid, progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert agrees([run], grid)


def test_any_lists_of_callbacks_are_configs() -> None:
    configs = [
        [EarlyStopping(patience=1)],
        [ReduceLROnPlateau(patience=1)],
        [EarlyStopping(patience=2, monitor="loss"), ReduceLROnPlateau()],
        [EarlyStopping(patience=2, min_delta=0.1)],
    ]
    rows = [{"loss": one, "val_loss": one + 0.1} for one in LOSSES]
    assert agrees([Run.from_logs(rows)], configs)


class Impatient:
    """A callback of the user's own."""

    model: Any

    def __init__(self, last: int) -> None:
        self.last = last

    def set_model(self, model: Any) -> None:
        self.model = model

    def ignore(self, *_: Any) -> None: ...

    set_params = on_train_begin = on_train_end = on_epoch_begin = ignore

    def on_epoch_end(self, epoch: int, _: Any = None) -> None:
        if epoch >= self.last:
            self.model.stop_training = True


def test_callbacks_of_ones_own_and_nested_lists_are_configs() -> None:
    nested = [[EarlyStopping(patience=1)], TerminateOnNaN()]
    rows = [{"loss": one, "val_loss": one} for one in LOSSES]
    run = Run.from_logs(rows)
    configs = [[Impatient(2)], [Impatient(4), EarlyStopping(patience=2)], nested]
    sweep = sweep_runs(run, configs, semantics="keras-3.15")
    # without improvement at 3 and 4: patience 2 stops at 4, patience 1 at 3
    assert sweep.stopped_epoch.tolist() == [[2, 4, 3]]
    assert sweep.to_frame()["callbacks"].tolist()[2] == (
        "[EarlyStopping(patience=1), TerminateOnNaN()]"
    )


def test_each_config_is_judged_by_what_it_monitors() -> None:
    rows = [{"loss": one, "val_loss": 1 - one} for one in LOSSES]
    sweep = swept(
        Run.from_logs(rows), stopping(monitor=["loss", "val_loss"], patience=[1, 2])
    )
    assert [len(run.judged) for run in sweep.runs] == [2]
    assert sweep.kept_value.round(6).tolist() == [[0.5, 0.5, 0.2, 0.2]]


# --- errors


def test_errors_are_those_of_the_first_cell_that_the_replay_refuses() -> None:
    good, bad = logged(*LOSSES), Run.from_logs([{"loss": 0.5}], name="bad")
    with pytest.raises(UnknownMonitorError, match="'bad' has no series 'val_loss'"):
        swept([good, bad], stopping(patience=[1, 2]))
    beyond = logged(0.5, 0.6, 0.7, 1e39)
    assert swept(beyond, stopping(patience=[1, 2])).stopped.all()
    with pytest.raises(EvidenceError, match="does not fit into float32"):
        swept(beyond, stopping(patience=[1, 2, 3, 4]))
    with pytest.raises(ConfigError, match="the initial learning rate is -1"):
        swept(good, stopping(patience=[1, 2]), initial_learning_rate=-1)
    with pytest.raises(EvidenceError, match="records no learning rate"):
        swept(good, reducing(min_lr=[0, 0.1]))


@pytest.mark.parametrize(
    ("runs", "grid", "problem"),
    [
        ([], [EarlyStopping()], "there is no run to sweep"),
        ([1], [EarlyStopping()], "int is no source of runs"),
        (None, [], "a grid needs at least one callback"),
        (None, [[EarlyStopping()], []], r"\[\] is no list of callbacks"),
        (None, [[EarlyStopping()], 3], "3 is not a callback"),
    ],
)
def test_what_is_no_question_is_refused(runs: Any, grid: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        sweep_runs(logged(0.5) if runs is None else runs, grid)


# --- as columns


def test_paired_values_decide_as_the_same_lists() -> None:
    runs = [logged(*LOSSES, rate=0.01), logged(*LOSSES[:5], name="other", rate=0.01)]
    drawn = pair_choices(
        [
            stopping(patience=[3, 1, 2, 6], min_delta=np.array([0.1, 0, 0.3, 0.02])),
            reducing(patience=[1, 2, 3, 9]),
        ]
    )
    assert agrees(runs, drawn)
    listed = sweep_runs(runs, list(drawn), semantics="keras-3.15")
    paired = sweep_runs(runs, drawn, semantics="keras-3.15")
    assert told(paired) == told(listed)
    frame = paired.to_frame()
    assert frame["EarlyStopping.patience"].tolist() == [3, 1, 2, 6] * 2
    assert frame["ReduceLROnPlateau.patience"].tolist() == [1, 2, 3, 9] * 2


# --- laws


def test_runs_swept_together_or_apart_give_the_same_rows() -> None:
    runs = [logged(*LOSSES), logged(0.5, 0.4), logged(*LOSSES[::-1], first_epoch=2)]
    grid = make_grid([stopping(patience=range(1, 6))])
    together = told(sweep_runs(runs, grid))
    assert together == [row for run in runs for row in told(sweep_runs(run, grid))]


def test_permuting_the_values_permutes_the_columns() -> None:
    run = logged(*LOSSES)
    there = told(swept(run, stopping(patience=[1, 2, 3, 6])))
    assert told(swept(run, stopping(patience=[6, 3, 1, 2]))) == [
        there[one] for one in (3, 2, 0, 1)
    ]


# --- elsewhere


class LateExecutor(Executor):
    """Runs nothing before the last task is there, and then backwards."""

    def __init__(self, n_tasks: int) -> None:
        self.left, self.waiting = n_tasks, list[tuple[Future[Any], Any]]()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        if len(self.waiting) == self.left:
            for one, task in reversed(self.waiting):
                one.set_result(task())
        return future


@pytest.mark.parametrize("n_runs", [1, 2, 5])
def test_an_executor_changes_nothing(n_runs: int) -> None:
    runs = [
        logged(*LOSSES[: 8 - one], name=f"run{one}", rate=0.01) for one in range(n_runs)
    ]
    grids = [
        make_grid([stopping(patience=range(1, 9), min_delta=[0, 0.02, 0.1])]),
        [[EarlyStopping(patience=one)] for one in range(1, 6)],
        make_grid([stopping(patience=[1, 2]), reducing(patience=[1, 2, 3])]),
        pair_choices([stopping(patience=[3, 1, 2, 5], min_delta=[0.1, 0, 0.3, 0.02])]),
        make_grid([LearningRateScheduler({0: 0.01}), stopping(patience=[1, 2])]),
        [[EarlyStopping(), ModelCheckpoint("m.keras")]] * 3,
        [[EarlyStopping()], [Impatient(3)], [ReduceLROnPlateau(patience=1)]],
    ]
    for grid in grids:
        here = sweep_runs(runs, grid)
        for executor in (LateExecutor(2), ThreadPoolExecutor(2)):
            there = sweep_runs(runs, grid, executor=executor)
            assert told(there) == told(here)
            assert [run.name for run in there.runs] == [run.name for run in runs]


@pytest.mark.slow
def test_processes_change_nothing() -> None:
    runs = [logged(*LOSSES, name="one"), logged(*LOSSES[:5], rate=0.01, name="two")]
    rows = [{"loss": one, "val_loss": one + 0.1} for one in LOSSES]
    runs.append(Run.from_logs(rows, name="three"))
    seen: list[tuple[int, int]] = []
    grid = make_grid([stopping(patience=range(1, 9)), reducing(patience=[1, 2])])
    with ProcessPoolExecutor(2) as executor:
        there = sweep_runs(
            runs,
            grid,
            executor=executor,
            progress=lambda *counts: seen.append(counts),
        )
    assert told(there) == told(sweep_runs(runs, grid))
    assert seen[-1] == (48, 48)


# --- as a frame


def test_a_frame_has_a_row_a_cell() -> None:
    run = logged(*LOSSES, rate=0.01, name="a")
    grid = [stopping(patience=[3, 6]), reducing(patience=2)]
    frame = swept([run, run], *grid).to_frame()
    assert frame["run"].tolist() == ["a", "a", "a (2)", "a (2)"]
    assert frame["EarlyStopping.patience"].tolist() == [3, 6, 3, 6]
    assert frame["evidence"].tolist() == ["diverged"] * 4
    assert frame["divergence_epoch"].tolist() == [5] * 4
    assert frame["stopped_epoch"].isna().all()
    assert frame["regret"].isna().all()
    assert frame["bounded"].all()
    assert frame.columns[:3].tolist() == ["run", "group", "config"]
    listed = sweep_runs(run, [[EarlyStopping(patience=3)]]).to_frame()
    assert listed["callbacks"].tolist() == ["[EarlyStopping(patience=3)]"]


def test_a_frame_names_the_group_of_every_run() -> None:
    names = ["small/seed1", "small/seed2", "large/seed1"]
    runs = [logged(*LOSSES, name=name) for name in names]
    sweep = swept(runs, stopping(patience=[3, 6]))
    # by their directories; the seeds of one are a group
    assert sweep.to_frame()["group"].tolist() == ["small (2 runs)"] * 4 + [names[2]] * 2
    asked = sweep.to_frame(group_by=["x", "y", "x"])["group"]
    assert [len(set(asked[at])) for at in ([0, 1, 4, 5], [2, 3], [0, 2])] == [1, 1, 2]
    assert sweep.to_frame(group_by="none")["group"].nunique() == 3
    with pytest.raises(ConfigError, match="optimizer"):
        sweep.to_frame(group_by="optimizer.class")


def test_the_seconds_saved_are_those_of_the_epochs_after_the_stop() -> None:
    from dataclasses import replace

    from cbreplay import Series

    seconds = Series.from_optional([None, *range(1, 8)])
    run = replace(logged(*LOSSES), epoch_seconds=seconds)
    sweep = swept(run, stopping(patience=[3, 5]))
    # stops at 5 and 7 of 0-7
    assert sweep.seconds_saved.tolist() == [[6 + 7, 0]]
    outcome = replay_run(run, EarlyStopping(patience=3, min_delta=0.02)).outcome
    assert outcome.seconds_saved == 13


@pytest.mark.parametrize(
    "entries",
    [
        [choices(EmaStopping, patience=[1, 2], smoothing=[0.5, 0.9])],
        [choices(MeanStopping, patience=[1, 2], window=[3, 5])],
        [EarlyStopping(), choices(TargetStopping, target=[0.5, 0.6])],
    ],
)
def test_rules_beyond_patience_are_replayed_on_no_whole_log(entries: list[Any]) -> None:
    whole = logged(*LOSSES)
    resumed = replace(whole, seams=(4,))
    # only the scalar replay begins callbacks anew where a fit was resumed
    assert count_replayed([whole, resumed], make_grid(entries)) == 1
