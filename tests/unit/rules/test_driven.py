"""A callback of the user's own, driven on a stand-in model; none needs Keras."""

# ruff: noqa: ARG001, ARG002, ARG005 - Keras gives every hook its arguments

from __future__ import annotations

import copy
import threading
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cbreplay import (
    ConfigError,
    EarlyStopping,
    EvidenceError,
    ModelCheckpoint,
    ReduceLROnPlateau,
    Run,
    UnknownMonitorError,
    explain_replay,
    replay_fits,
    replay_run,
)
from cbreplay.run_metadata import RunMetadata

LOSSES = [0.8, 0.6, 0.5, 0.55, 0.52, 0.49]


class Plain:
    """A callback without Keras: hooks that do nothing."""

    model: Any
    params: Any

    def set_params(self, params: Any) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model

    def on_train_begin(self, logs: Any = None) -> None: ...

    def on_train_end(self, logs: Any = None) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None: ...


def does(hook: str, act: Any) -> Plain:
    """Return a callback of which one hook calls a function with itself."""
    kind = type("Own", (Plain,), {hook: act})
    made: Plain = kind()
    return made


def recorded(rate: float | None = 0.5, **known: Any) -> Run:
    extra = {} if rate is None else {"learning_rate": rate}
    return Run.from_logs([{"val_loss": loss, **extra} for loss in LOSSES], **known)


def test_a_rate_that_it_sets_ends_the_evidence_one_epoch_later() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        if epoch == 2:
            self.model.optimizer.learning_rate = self.model.optimizer.lr * 0.3

    replay = replay_run(recorded(), does("on_epoch_end", act))
    assert (replay.evidence, replay.divergence_epoch) == ("diverged", 3)
    (reduction,) = replay.reductions
    assert (reduction.epoch, reduction.old) == (2, 0.5)
    assert reduction.new == float(np.float32(0.5) * np.float32(0.3))


def test_a_rate_that_it_sets_as_recorded_is_evidence() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        if epoch == 3:
            self.model.optimizer.learning_rate.assign(0.25)

    rows = [
        {"val_loss": loss, "learning_rate": 0.5 if epoch < 3 else 0.25}
        for epoch, loss in enumerate(LOSSES)
    ]
    run = Run.from_logs(rows, planned_epochs=6)
    replay = replay_run(run, does("on_epoch_begin", act))
    assert (replay.evidence, replay.divergence_epoch) == ("exact", None)
    # from its first assignment on, its rates are the whole policy: L went on falling
    rows[5]["learning_rate"] = 0.1
    replay = replay_run(Run.from_logs(rows), does("on_epoch_begin", act))
    assert replay.divergence_epoch == 5


def test_until_it_sets_the_rate_it_reads_the_recorded_one() -> None:
    seen: deque[Any] = deque()

    def act(self: Any, epoch: int, logs: Any) -> None:
        seen.append(self.model.optimizer.learning_rate.numpy())

    rows = [
        {"val_loss": loss, "learning_rate": 1 / (1 + epoch)}
        for epoch, loss in enumerate(LOSSES)
    ]
    replay = replay_run(Run.from_logs(rows), does("on_epoch_end", act))
    assert replay.divergence_epoch is None
    assert list(seen) == [np.float32(1 / (1 + epoch)) for epoch in range(6)]


def test_a_rate_that_no_log_tells_is_refused_with_the_option() -> None:
    own = does("on_epoch_end", lambda self, *_: self.model.optimizer.learning_rate)
    with pytest.raises(EvidenceError, match="Give initial_learning_rate="):
        replay_run(recorded(rate=None), own)
    assert replay_run(recorded(rate=None), own, initial_learning_rate=0.5)
    # a rate is recorded, but a schedule may change it at every step
    told = RunMetadata(schedule="CosineDecay(0.5, 9)")
    run = replace(recorded(), metadata=told)
    with pytest.raises(EvidenceError, match="does not tell the one there"):
        replay_run(run, own)


def test_weights_put_back_while_training_goes_on_end_the_evidence() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        if epoch == 1:
            self.held = self.model.get_weights()
        if epoch == 3:
            self.model.set_weights(self.held)

    replay = replay_run(recorded(), does("on_epoch_end", act), hypothetical=True)
    assert (replay.evidence, replay.divergence_epoch) == ("diverged", 4)
    assert replay.diverged_by_weights
    closing = explain_replay(replay).closing
    assert closing[0].startswith("epoch 5 goes on from weights of an earlier epoch")
    # what is saved in that epoch by a callback behind it are those weights
    saving = ModelCheckpoint("{epoch}.keras")
    replay = replay_run(recorded(), [does("on_epoch_end", act), saving])
    assert replay.files["4.keras"] == 1


def test_weights_put_back_at_the_end_are_kept() -> None:
    class KeepThird(Plain):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.held = self.model.get_weights()

        def on_train_end(self, logs: Any = None) -> None:
            self.model.set_weights(self.held)

    replay = replay_run(recorded(), KeepThird())
    assert replay.kept_epoch == 2
    assert "Third puts them back" in " ".join(explain_replay(replay).closing)


def test_weights_from_before_the_record_are_refused() -> None:
    class StartAnew(Plain):
        def on_train_begin(self, logs: Any = None) -> None:
            self.first = self.model.get_weights()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.set_weights(self.first)

    with pytest.raises(EvidenceError, match="before epoch 1 at epoch 1"):
        replay_run(recorded(), StartAnew())


def test_the_stop_is_shared_and_can_be_taken_back() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        if epoch < 5:
            self.model.stop_training = False

    # EarlyStopping alone stops at epoch 3
    stopper, own = EarlyStopping(patience=1), does("on_epoch_end", act)
    assert replay_run(recorded(), stopper).stopped_epoch == 3
    replay = replay_run(recorded(), [stopper, own])
    assert replay.stopped_epoch is None
    # before EarlyStopping it takes back nothing
    replay = replay_run(recorded(), [own, stopper])
    assert (replay.stopped_epoch, replay.stopped_by) == (3, (1,))


def test_a_stop_at_the_begin_of_an_epoch_breaks_it_off() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        self.model.stop_training = epoch == 3

    replay = replay_run(recorded(), does("on_epoch_begin", act))
    assert (replay.stopped_epoch, replay.evidence) == (3, "exact")
    assert replay.outcome.kept_value is None
    assert any(
        "Own ends training before epoch 4 is over" in one for one in replay.notes
    )


def test_what_it_writes_into_logs_the_next_callback_reads() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        logs["rising"] = float(epoch)

    own = does("on_epoch_end", act)
    stopper = EarlyStopping("rising", mode="min", patience=2)
    assert replay_run(recorded(), [own, stopper]).stopped_epoch == 2
    # before it, the series is in no logs that it sees
    with pytest.raises(UnknownMonitorError, match="rising"):
        replay_run(recorded(), [stopper, own])


def test_a_number_that_keras_compares_otherwise_is_refused() -> None:
    def act(self: Any, epoch: int, logs: Any) -> None:
        logs["mean"] = np.mean([epoch, 1.0])

    own = does("on_epoch_end", act)
    assert replay_run(recorded(), own)
    stopper = EarlyStopping("mean", mode="min")
    with pytest.raises(ConfigError, match=r"'mean' into logs as float64.*Write float"):
        replay_run(recorded(), [own, stopper])


def test_what_is_no_number_in_logs_is_refused() -> None:
    own = does("on_epoch_end", lambda self, epoch, logs: logs.update(note="x"))
    with pytest.raises(ConfigError, match="'note': 'x' into logs in epoch 1"):
        replay_run(recorded(), own)


def test_history_params_and_saving() -> None:
    seen: deque[Any] = deque()

    def act(self: Any, epoch: int, logs: Any) -> None:
        history = self.model.history
        seen.append((list(history.epoch), history.history.get("val_loss", [])[:]))
        assert (self.params["epochs"], self.params.get("verbose")) == (6, 0)
        self.model.save(f"{epoch}.keras")
        self.model.save_weights("last.weights.h5")

    replay = replay_run(recorded(planned_epochs=6), does("on_epoch_end", act))
    assert seen[0] == ([], [])
    assert seen[3] == ([0, 1, 2], [0.8, 0.6, 0.5])
    assert replay.saves[:2] == ((0, "0.keras", 0), (0, "last.weights.h5", 0))
    assert replay.files["last.weights.h5"] == 5
    assert "saves 0.keras, last.weights.h5" in explain_replay(replay).rows[0].why


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (lambda self: self.params["epochs"], "Give planned_epochs="),
        (lambda self: self.params["steps"], r"params\['steps'\]"),
        (lambda self: self.params.get("metrics", []), r"params\['metrics'\]"),
        (lambda self: self.model.evaluate(), "model.evaluate"),
        (lambda self: setattr(self.model, "trainable", False), "model.trainable"),
        (lambda self: self.model.optimizer.iterations, "optimizer.iterations"),
        (lambda self: setattr(self.model.optimizer, "rho", 1), "optimizer.rho"),
        (lambda self: self.model.set_weights([1]), "weights of its own"),
        (lambda self: len(self.model.get_weights()), "the values of the weights"),
        (lambda self: hasattr(self.model, "layers"), "model.layers"),
    ],
)
def test_what_the_model_cannot_tell_is_refused_by_name(act: Any, asked: str) -> None:
    def carry_on(self: Any, *_: Any) -> None:
        try:
            act(self)
        except Exception:  # noqa: BLE001 - as people do
            return

    for acting in (lambda self, *_: act(self), carry_on):
        with pytest.raises(EvidenceError, match=asked) as raised:
            replay_run(recorded(), does("on_epoch_end", acting))
        assert "Own asks for" in str(raised.value)


@pytest.mark.parametrize(
    ("error", "spoken"),
    [
        (KeyError("val_f1"), "raises KeyError: 'val_f1' in on_epoch_end of epoch 1"),
        (SystemExit(3), "raises SystemExit: 3 in on_epoch_end"),
    ],
)
def test_an_error_of_its_own_is_named(error: BaseException, spoken: str) -> None:
    def act(*_: Any) -> None:
        raise error

    with pytest.raises(ConfigError, match=spoken):
        replay_run(recorded(), does("on_epoch_end", act))


def test_what_cannot_be_copied_is_refused() -> None:
    own = Plain()
    own.lock = threading.Lock()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="Plain cannot be copied for a replay"):
        replay_run(recorded(), own)


def test_a_hook_of_batches_is_refused_before_anything_runs() -> None:
    own = does("on_train_batch_end", lambda *_: None)
    with pytest.raises(EvidenceError, match="Own has the hook on_train_batch_end"):
        replay_run(recorded(), own)


def test_each_replay_drives_its_own_copy_in_silence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Count(Plain):
        seen = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen += 1
            print(epoch)  # noqa: T201 - that is what is tested
            if self.seen == 3:
                self.model.stop_training = True

    own = Count()
    before = copy.copy(vars(own))
    assert [replay_run(recorded(), own).stopped_epoch for _ in range(2)] == [2, 2]
    assert vars(own) == before
    assert capsys.readouterr().out == ""
    rows = explain_replay(replay_run(recorded(), own)).rows
    assert rows[2].why == "asks for the stop; seen 3"


def test_its_numbers_are_told_where_they_change() -> None:
    class Odd(Plain):
        best, huge, flag = 0.5, 10**400, True

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.best = float("nan")
            self.huge = 10**400 + epoch
            self.flag = not self.flag

    rows = explain_replay(replay_run(recorded(), Odd())).rows
    assert [row.why for row in rows[:3]] == ["nothing; best NaN", "nothing", "nothing"]


def test_callbacks_that_share_an_object_share_its_copy() -> None:
    class Count(Plain):
        def __init__(self, shared: dict[str, int]) -> None:
            self.shared = shared

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.shared["seen"] = epoch

    class StopAtThree(Count):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if self.shared["seen"] >= 3:
                self.model.stop_training = True

    shared = {"seen": 0}
    for _ in range(2):
        replay = replay_run(recorded(), [Count(shared), StopAtThree(shared)])
        assert replay.stopped_epoch == 3
    assert shared == {"seen": 0}


def test_an_instance_that_stands_twice_is_called_twice() -> None:
    class StopAtFour(Plain):
        seen = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen += 1
            if self.seen >= 4:
                self.model.stop_training = True

    own = StopAtFour()
    assert replay_run(recorded(), [own, own]).stopped_epoch == 1


def test_what_one_instance_does_once_counts_wherever_it_stands() -> None:
    class HalveAtThird(Plain):
        seen = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen += 1
            if self.seen == 3:
                # in the first of the two calls at epoch 1
                rate = self.model.optimizer.learning_rate
                self.model.optimizer.learning_rate = rate * 0.5
                self.model.save("third.keras")

    own = HalveAtThird()
    replay = replay_run(recorded(), [own, own])
    (reduction,) = replay.reductions
    assert (reduction.epoch, reduction.new, reduction.callback) == (1, 0.25, 0)
    assert replay.saves == ((1, "third.keras", 0),)


def test_a_model_that_is_handed_on_is_the_model_of_all() -> None:
    class HandOn(Plain):
        def __init__(self, box: list[Any]) -> None:
            self.box = box

        def on_train_begin(self, logs: Any = None) -> None:
            self.box.append(self.model)

    class StopByBox(HandOn):
        def on_train_begin(self, logs: Any = None) -> None: ...

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.box[0].stop_training = epoch == 2

    box: list[Any] = []
    replay = replay_run(recorded(), [HandOn(box), StopByBox(box)])
    assert (replay.stopped_epoch, replay.stopped_by) == (2, (1,))


def test_what_is_saved_at_the_end_of_training_is_told() -> None:
    class SaveAtEnd(Plain):
        def on_train_end(self, logs: Any = None) -> None:
            self.model.save("final.keras")

    stopper = EarlyStopping(patience=1, restore_best_weights=True)
    # stops at 3, best at 2: behind EarlyStopping it saves the weights put back
    replay = replay_run(recorded(), [stopper, SaveAtEnd()])
    assert (replay.saves, replay.files) == (
        ((3, "final.keras", 1),),
        {"final.keras": 2},
    )
    replay = replay_run(recorded(), [SaveAtEnd(), stopper])
    assert replay.files == {"final.keras": 3}


TALLY = {"seen": 0}


def test_what_it_changes_outside_of_itself_is_refused() -> None:
    class Counter(Plain):
        count = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            Counter.count += 1

    class Tally(Plain):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            TALLY["seen"] += 1

    counted = {"n": 0}

    class Closing(Plain):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            counted["n"] += 1

    for own, place in (
        (Counter(), "Counter.count"),
        (Tally(), "the global TALLY"),
        (Closing(), "the variable counted"),
    ):
        with pytest.raises(EvidenceError, match=f"changes {place} in on_epoch_end"):
            replay_run(recorded(), own)


def test_random_numbers_and_a_clock_that_a_hook_imports_are_refused() -> None:
    def draws(self: Any, *_: Any) -> None:
        self.drawn = np.random.rand()  # noqa: NPY002 - as people do

    def asks(self: Any, *_: Any) -> None:
        import time

        self.now = time.time()

    for act, asked in ((draws, "np.random"), (asks, "import time")):
        kind = type("Own", (Plain,), {"on_epoch_end": act})
        with pytest.raises(EvidenceError, match=asked):
            replay_run(recorded(), kind())


def test_an_attribute_that_raises_is_named() -> None:
    class Odd(Plain):
        @property
        def monitor(self) -> str:
            message = "not yet"
            raise RuntimeError(message)

    with pytest.raises(ConfigError, match="Odd raises RuntimeError: not yet"):
        replay_run(recorded(), Odd())


def test_what_takes_callbacks_refuses_what_it_cannot_write_or_judge() -> None:
    from cbreplay import recommend_config, write_keras_code

    with pytest.raises(ConfigError, match="code that only your script holds"):
        write_keras_code([Plain()])
    assert "patience=3" in write_keras_code(EarlyStopping(patience=3))
    wrong: Any = [recorded()]
    with pytest.raises(ConfigError, match=r"^sweep is .*where a Sweep, as sweep_runs"):
        recommend_config(wrong)
    with pytest.raises(ConfigError, match=r"^runs is <Run .*where a list is expected"):
        replay_fits(wrong[0], EarlyStopping())
    with pytest.raises(ConfigError, match="a Replay, as replay_run returns it"):
        explain_replay(wrong[0])


def test_lists_may_be_nested_and_one_callback_needs_no_list() -> None:
    own = does("on_epoch_end", lambda *_: None)
    nested = [[EarlyStopping(patience=1)], (own, [ReduceLROnPlateau()])]
    assert len(replay_run(recorded(), nested).callbacks) == 3
    assert replay_run(recorded(), own).evidence == "censored"


@pytest.mark.parametrize("wrong", [3, "EarlyStopping", EarlyStopping, None, {}])
def test_what_is_no_callback_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"is not a callback|no callback"):
        replay_run(recorded(), wrong)


def test_a_function_may_close_over_a_module() -> None:
    """An import inside a function is such a name; there is one of each module."""
    import math as mathematics

    class Stop(Plain):
        def __init__(self) -> None:
            self.near: Any = lambda value: mathematics.isclose(value, 0.4, abs_tol=0.05)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if self.near(logs["val_loss"]):
                self.model.stop_training = True

    run = Run.from_logs({"val_loss": loss} for loss in [0.9, 0.41, 0.3])
    assert replay_run(run, Stop()).stopped_epoch == 1
