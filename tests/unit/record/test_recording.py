"""Recording changes no number, and leaves what a replay needs, however a fit ends."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import cbreplay
from cbreplay import OutputError, load_runs, replay_run
from cbreplay.record import recording as recording_module
from cbreplay.record import run_directory
from cbreplay.record.recording import FitChanges, WatchedModels
from cbreplay.system.run_lock import find_writer
from tests.run_schema import check_schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.keras, pytest.mark.slow]

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(64, 3)).astype("float32")
Y = (X.sum(axis=1, keepdims=True) + GENERATOR.normal(size=(64, 1))).astype("float32")
VALIDATION = (X[:16], Y[:16])


def make_model(**compiled: Any) -> Any:
    """Return a functional model with the same first weights each time."""
    import keras

    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile(keras.optimizers.SGD(0.125), "mse", metrics=["mae"], **compiled)
    return model


def fit(model: Any, callbacks: Any, **settings: Any) -> None:
    asked = {"epochs": 4, "batch_size": 16, "verbose": 0, "validation_data": VALIDATION}
    model.fit(X, Y, callbacks=callbacks, **(asked | settings))


def plateau(**settings: Any) -> Any:
    import keras

    # no epoch improves by so much: every one after the first halves the rate
    settings = {"patience": 1, "factor": 0.5, "min_delta": 100.0} | settings
    return keras.callbacks.ReduceLROnPlateau(**settings)


def stopping(**settings: Any) -> Any:
    import keras

    return keras.callbacks.EarlyStopping(patience=2, min_delta=100.0, **settings)


def read_json(directory: Path) -> dict[str, Any]:
    check_schema(directory / "run.json")
    contents: dict[str, Any] = json.loads((directory / "run.json").read_text())
    return contents


def read_column(directory: Path, name: str) -> list[str]:
    with (directory / "logs.csv").open(newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


class TestTheTraining:
    @pytest.mark.parametrize("way", ["recorded", "recorder", "recording"])
    def test_has_the_same_weights_with_and_without(
        self, tmp_path: Path, way: str
    ) -> None:
        plain, watched = make_model(), make_model()
        fit(plain, [plateau(), stopping()])
        users, out = [plateau(), stopping()], tmp_path / "run"
        plain_weights = plain.get_weights()
        watched = make_model()
        if way == "recorded":
            fit(watched, cbreplay.recorded(users, out))
        elif way == "recorder":
            fit(watched, [*users, cbreplay.Recorder(out)])
        else:
            with cbreplay.recording(out):
                fit(watched, users)
        pairs = zip(plain_weights, watched.get_weights(), strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in pairs)

    def test_goes_on_where_the_record_cannot(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recorder = cbreplay.Recorder(tmp_path / "run")
        # as if another program took the place between the call and the first epoch
        (tmp_path / "run" / "logs.csv").write_text("epoch,loss\n")
        model = make_model()
        fit(model, [recorder])
        assert len(model.history.history["loss"]) == 4
        told = capsys.readouterr().err
        assert "this fit is not recorded: cannot write" in told
        assert told.endswith("is not empty. Choose another directory\n")
        assert (tmp_path / "run" / "logs.csv").read_text() == "epoch,loss\n"

    def test_holds_no_directory_into_which_it_could_not_write(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fill(*_: object, **_hint: object) -> None:
            file, reason = "run.json", "No space left on device"
            raise cbreplay.OutputError(file, reason)

        recorder = cbreplay.Recorder(tmp_path / "run")
        monkeypatch.setattr(run_directory, "write_whole", fill)
        fit(make_model(), [recorder])
        assert capsys.readouterr().err == (
            "cbreplay: this fit is not recorded: cannot write run.json: No space left "
            "on device\n"
        )
        holder = find_writer(tmp_path / "run")
        assert holder is not None
        assert (holder.state, holder.gave_up) == ("dead", True)

    def test_is_not_called_recorded_where_its_directory_went(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from keras.callbacks import LambdaCallback

        out = tmp_path / "run"

        def move(epoch: int, _: object) -> None:
            if epoch == 1:
                out.rename(tmp_path / "away")

        model = make_model()
        fit(model, cbreplay.recorded([LambdaCallback(on_epoch_end=move)], out))
        assert len(model.history.history["loss"]) == 4
        (told,) = capsys.readouterr().err.splitlines()
        assert "this fit is not recorded any further" in told
        assert "removed, moved or replaced" in told
        assert not (out / "run.json").exists()

    @pytest.mark.parametrize("epoch", [0, 2])
    def test_is_not_called_killed_where_its_disk_was_full(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
        epoch: int,
    ) -> None:
        from keras.callbacks import LambdaCallback

        def fill(*_: object, **_hint: object) -> None:
            file, reason = "run.json", "No space left\n\ton device"
            raise cbreplay.OutputError(file, reason)

        def fill_at(now: int, _: object) -> None:
            if now == epoch:
                monkeypatch.setattr(run_directory, "write_whole", fill)

        filling = LambdaCallback(on_epoch_end=fill_at)
        fit(make_model(), cbreplay.recorded([filling], tmp_path / "run"))
        (told,) = capsys.readouterr().err.splitlines()
        assert told == (
            "cbreplay: this fit is not recorded any further: cannot write run.json: No "
            "space left on device"
        )
        (run,) = cbreplay.load_runs(tmp_path / "run")
        (note,) = [each for each in run.notes if "no end is recorded" in each]
        assert note.endswith("it could not be recorded any further")


class TestRecorded:
    def test_knows_the_list_and_who_stopped(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        fit(make_model(), cbreplay.recorded([plateau(), stopping()], out), epochs=9)
        contents = read_json(out)
        assert contents["callbacks"] == [
            "ReduceLROnPlateau(factor=0.5, patience=1, min_delta=100.0)",
            "EarlyStopping(min_delta=100.0, patience=2)",
            "CSVLogger('logs.csv')",
            "TensorBoard('tensorboard')",
        ]
        assert contents["ended"] == {"by": "EarlyStopping", "epoch": 2}
        assert contents["fit"]["epochs"] == 9
        assert contents["metrics"] == {"loss": "min", "mae": "min"}
        # 64 examples in steps of 16
        assert contents["fit"]["steps"] == 4

    def test_logs_the_rate_that_each_epoch_was_trained_at(self, tmp_path: Path) -> None:
        import keras

        # a schedule behind the reduction rewrites the row that Keras's logger writes
        steady = keras.callbacks.LearningRateScheduler(lambda _, rate: rate)
        fit(make_model(), cbreplay.recorded([plateau(), steady], tmp_path / "run"))
        rates = read_column(tmp_path / "run", "learning_rate")
        # the first epoch improves on nothing; each later one halves what follows it
        assert [float(rate) for rate in rates] == [0.125, 0.125, 0.0625, 0.03125]
        (run,) = load_runs(tmp_path / "run")
        assert run.learning_rate is not None
        assert run.learning_rate.values.tolist() == [0.125, 0.125, 0.0625, 0.03125]
        assert not any("learning rate" in note for note in run.notes)

    def test_leaves_a_rate_out_that_changed_within_an_epoch(
        self, tmp_path: Path
    ) -> None:
        import keras

        class WarmUp(keras.callbacks.Callback):  # type: ignore[misc]  # untyped
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                self.epoch = epoch

            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
                if self.epoch == 0:
                    self.model.optimizer.learning_rate = 0.03125 * (batch + 1)

        fit(make_model(), cbreplay.recorded([WarmUp()], tmp_path / "run"), epochs=3)
        rates = read_column(tmp_path / "run", "learning_rate")
        assert rates == ["NA", "0.125", "0.125"]

    def test_keeps_what_a_foreign_callback_was_given_to_itself(
        self, tmp_path: Path
    ) -> None:
        import keras

        class Notify(keras.callbacks.Callback):  # type: ignore[misc]  # untyped
            def __init__(self, token: str) -> None:
                super().__init__()
                self.token = token

        fit(make_model(), cbreplay.recorded([Notify("s3cret")], tmp_path / "run"))
        assert read_json(tmp_path / "run")["callbacks"][0] == "Notify(...)"

    def test_refuses_a_directory_with_something_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "logs.csv").write_text("epoch,loss\n")
        for take in (partial(cbreplay.recorded, []), cbreplay.Recorder):
            with pytest.raises(OutputError, match="is not empty") as caught:
                take(tmp_path)
            # neither has the parameter out
            assert str(caught.value).endswith("Choose another directory")
        assert (tmp_path / "logs.csv").read_text() == "epoch,loss\n"

    def test_is_replayed_as_it_was_decided(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        fit(make_model(), cbreplay.recorded([stopping()], out), epochs=9)
        (run,) = load_runs(out)
        assert run.planned_epochs == 9
        replay = replay_run(run, [cbreplay.EarlyStopping(patience=2, min_delta=100)])
        assert (replay.stopped_epoch, str(replay.evidence)) == (2, "exact")


class TestRecorder:
    def test_says_null_for_what_a_callback_cannot_see(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        fit(make_model(), [stopping(), cbreplay.Recorder(out)], epochs=9)
        contents = read_json(out)
        assert contents["callbacks"] is None
        assert contents["fit"]["validation_freq"] is None
        assert contents["ended"] == {"by": "callback", "epoch": 2}

    def test_reads_the_rate_wherever_it_stands(self, tmp_path: Path) -> None:
        fit(make_model(), [cbreplay.Recorder(tmp_path / "run"), plateau()])
        rates = read_column(tmp_path / "run", "learning_rate")
        assert [float(rate) for rate in rates] == [0.125, 0.125, 0.0625, 0.03125]

    def test_is_unknown_to_a_replay_where_it_is_null(self, tmp_path: Path) -> None:
        fit(make_model(), [plateau(), cbreplay.Recorder(tmp_path / "run")])
        (run,) = load_runs(tmp_path / "run")
        assert run.metadata is not None
        assert run.metadata.callbacks == ()
        assert run.learning_rate is not None
        assert run.learning_rate.values.tolist() == [0.125, 0.125, 0.0625, 0.03125]

    def test_of_a_second_fit_writes_beside_the_first(self, tmp_path: Path) -> None:
        model, recorder = make_model(), cbreplay.Recorder(tmp_path / "run")
        fit(model, [recorder], epochs=2)
        fit(model, [recorder], epochs=5, initial_epoch=2)
        assert read_column(tmp_path / "run", "epoch") == ["0", "1"]
        assert read_column(tmp_path / "run-fit2", "epoch") == ["2", "3", "4"]
        assert read_json(tmp_path / "run-fit2")["fit"]["initial_epoch"] == 2


class TestRecording:
    def test_gives_every_fit_its_own_directory(self, tmp_path: Path) -> None:
        with cbreplay.recording(tmp_path / "runs"):
            fit(make_model(), [stopping(monitor="loss")], epochs=9, validation_freq=2)
            fit(make_model(), None, epochs=2)
        fit(make_model(), None, epochs=2)
        names = sorted(path.name for path in (tmp_path / "runs").iterdir())
        assert names == ["fit1", "fit2"]
        contents = read_json(tmp_path / "runs" / "fit1")
        assert contents["fit"]["validation_freq"] == 2
        assert contents["fit"]["batch_size"] == 16

    def test_leaves_keras_as_it_was(self, tmp_path: Path) -> None:
        import keras

        before = keras.Model.fit
        with cbreplay.recording(tmp_path / "runs"):
            assert keras.Model.fit is not before
        assert keras.Model.fit is before

    @pytest.mark.parametrize(
        ("error", "by"),
        [(KeyboardInterrupt(), "interrupt"), (ValueError("!"), "error")],
    )
    def test_says_by_what_a_fit_was_broken_off(
        self, tmp_path: Path, error: BaseException, by: str
    ) -> None:
        import keras

        def raise_late(epoch: int, _logs: Any) -> None:
            if epoch == 2:
                raise error

        broken = keras.callbacks.LambdaCallback(on_epoch_begin=raise_late)
        with cbreplay.recording(tmp_path / "runs"), pytest.raises(type(error)):
            fit(make_model(), [broken])
        contents = read_json(tmp_path / "runs" / "fit1")
        assert contents["ended"] == {"by": by, "epoch": 1}


def watched(root: Path, **changes: Any) -> WatchedModels:
    return WatchedModels(root, FitChanges(**changes))


class TestAFitThatCannotBeRecorded:
    """It is as it was called: Keras trains, or says itself what is wrong."""

    def test_is_told_and_trains(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(_: object) -> str:
            raise RuntimeError(*"!")

        monkeypatch.setattr(recording_module, "describe_user_callback", fail)
        model = make_model()
        with watched(tmp_path / "runs", epochs=9) as models:
            fit(model, [stopping(monitor="loss")], epochs=2)
        assert len(model.history.history["loss"]) == 2
        told = "cbreplay: this fit is not recorded, and trains as it is: !\n"
        assert capsys.readouterr().err == told
        assert models.directories == []

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ({"validation_freq": np.int64(2)}, "validation_freq"),
            ({"validation_freq": (1, 2)}, "validation_freq"),
            ({"no_such_word": 1}, "no_such_word"),
        ],
    )
    def test_is_refused_by_keras_as_without(
        self, tmp_path: Path, words: dict[str, Any], error: str
    ) -> None:
        with watched(tmp_path / "runs"), pytest.raises((ValueError, TypeError)) as seen:
            fit(make_model(), None, **words)
        assert error in str(seen.value)

    def test_is_one_with_a_callbacklist(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        import keras

        model = make_model()
        listed = keras.callbacks.CallbackList(
            [keras.callbacks.History()], model=model, epochs=2, steps=4
        )
        with watched(tmp_path / "runs"):
            fit(model, listed, epochs=2)
        assert "it is given a CallbackList" in capsys.readouterr().err
        assert not (tmp_path / "runs" / "fit1").exists()


class TestAChangedFit:
    def test_trains_so_many_epochs_from_its_first_on(self, tmp_path: Path) -> None:
        with watched(tmp_path / "runs", epochs=3):
            fit(make_model(), None, initial_epoch=7, epochs=20)
        assert read_column(tmp_path / "runs" / "fit1", "epoch") == ["7", "8", "9"]

    @pytest.mark.parametrize("way", ["recorded", "recorder"])
    def test_is_changed_also_where_it_records_itself(
        self, tmp_path: Path, way: str
    ) -> None:
        out = tmp_path / "own"
        users = [plateau(monitor="loss"), stopping(monitor="loss")]
        if way == "recorded":
            users = cbreplay.recorded(users, out)
        else:
            users = [*users, cbreplay.Recorder(out)]
        with watched(tmp_path / "runs", without=("EarlyStopping",), epochs=5) as models:
            fit(make_model(), users, validation_freq=2)
        contents = read_json(out)
        assert contents["ended"] == {"by": "plan", "epoch": 4}
        assert contents["without"] == ["EarlyStopping"]
        assert contents["fit"]["validation_freq"] == 2
        kinds = [text.partition("(")[0] for text in contents["callbacks"]]
        assert kinds == ["ReduceLROnPlateau", "CSVLogger", "TensorBoard"]
        assert models.directories == [out]
        # the next fit is outside, and nobody saw how it was called
        fit(make_model(), users, epochs=1)
        assert read_json(tmp_path / "own-fit2")["fit"]["validation_freq"] is None

    def test_says_early_that_a_class_to_leave_out_is_not_there(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with watched(tmp_path / "runs", without=("EarlyStoping",), epochs=1) as models:
            fit(make_model(), [stopping()])
            fit(make_model(), [stopping()])
        told = "no callback of this fit is of the class EarlyStoping; did you mean"
        assert capsys.readouterr().err.count(told) == 1
        assert "EarlyStopping" in models.names


def test_integers_of_numpy_are_recorded(tmp_path: Path) -> None:
    with cbreplay.recording(tmp_path):
        fit(
            make_model(),
            None,
            epochs=np.int64(5),
            initial_epoch=np.int32(2),
            batch_size=np.int64(16),
            validation_freq=[np.int64(3), 5],
        )
    contents = read_json(tmp_path / "fit1")["fit"]
    assert (contents["epochs"], contents["initial_epoch"]) == (5, 2)
    assert (contents["batch_size"], contents["validation_freq"]) == (16, [3, 5])
    assert read_column(tmp_path / "fit1", "epoch") == ["2", "3", "4"]


@pytest.mark.parametrize("way", ["recorded", "recording"])
def test_a_script_may_go_elsewhere_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    if way == "recorded":
        users = cbreplay.recorded([], "run")
        monkeypatch.chdir("elsewhere")
        fit(make_model(), users)
    else:
        with cbreplay.recording("run"):
            monkeypatch.chdir("elsewhere")
            fit(make_model(), None)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(list((tmp_path / "run").rglob("run.json"))) == 1


class TestEveryKindOfModel:
    def test_subclassed_with_its_own_step(self, tmp_path: Path) -> None:
        import keras
        import tensorflow as tf

        class Own(keras.Model):  # type: ignore[misc]  # untyped
            def __init__(self) -> None:
                super().__init__()
                self.dense = keras.layers.Dense(1)
                self.tracker = keras.metrics.Mean(name="distance")

            def call(self, inputs: Any) -> Any:
                return self.dense(inputs)

            def train_step(self, pair: Any) -> dict[str, Any]:
                inputs, targets = pair
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean((self(inputs) - targets) ** 2)
                gradients = tape.gradient(loss, self.trainable_variables)
                self.optimizer.apply_gradients(
                    zip(gradients, self.trainable_variables, strict=True)
                )
                self.tracker.update_state(loss)
                return {"distance": self.tracker.result()}

        model = Own()
        model.compile(keras.optimizers.SGD(0.125))
        fit(
            model,
            cbreplay.recorded([], tmp_path / "run"),
            epochs=2,
            validation_data=None,
        )
        assert len(read_column(tmp_path / "run", "distance")) == 2
        assert read_json(tmp_path / "run")["ended"] == {"by": "plan", "epoch": 1}

    def test_several_outputs_and_steps_at_once(self, tmp_path: Path) -> None:
        import keras

        inputs = keras.Input((3,))
        outputs = {
            name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")
        }
        model = keras.Model(inputs, outputs)
        model.compile("sgd", "mse", metrics={"a": ["mae"]}, steps_per_execution=2)
        targets = {"a": Y, "b": Y}
        model.fit(
            X,
            targets,
            epochs=2,
            verbose=0,
            validation_data=(X, targets),
            callbacks=cbreplay.recorded([plateau()], tmp_path / "run"),
        )
        assert len(read_column(tmp_path / "run", "val_a_mae")) == 2
        rates = read_column(tmp_path / "run", "learning_rate")
        assert len({float(rate) for rate in rates}) == 1

    def test_a_model_that_is_fitted_again(self, tmp_path: Path) -> None:
        model = make_model()
        for name in ("one", "two"):
            fit(model, cbreplay.recorded([], tmp_path / name), epochs=2)
        assert "steps_taken" not in read_json(tmp_path / "one")["optimizer"]
        taken = read_json(tmp_path / "two")["optimizer"]["steps_taken"]
        # two epochs of the first fit
        assert taken == 2 * read_json(tmp_path / "one")["fit"]["steps"]

    def test_a_schedule_by_steps(self, tmp_path: Path) -> None:
        import keras

        schedule = keras.optimizers.schedules.ExponentialDecay(0.125, 10, 0.5)
        model = make_model()
        model.compile(keras.optimizers.SGD(schedule), "mse")
        fit(model, cbreplay.recorded([], tmp_path / "run"), epochs=2)
        optimizer = read_json(tmp_path / "run")["optimizer"]
        assert optimizer["initial_learning_rate"] is None
        assert optimizer["schedule"].startswith("ExponentialDecay(0.125, ")


SCRIPT = """
    import os, signal, sys
    import numpy as np, keras, cbreplay
    # each end is that of a process of its own, which has Keras from this one
    begun = []
    for number, act in enumerate(sys.argv[2:]):
        begun.append(os.fork())
        if not begun[-1]:
            break
    else:
        ends = [os.waitpid(child, 0)[1] for child in begun]
        print(*map(os.waitstatus_to_exitcode, ends))
        sys.exit()
    X = np.ones((8, 1)); model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    def act_late(epoch, logs):
        if epoch == 2: exec(act)
    late = keras.callbacks.LambdaCallback(on_epoch_begin=act_late)
    users = cbreplay.recorded([late], os.path.join(sys.argv[1], str(number)))
    model.fit(X, X, epochs=5, verbose=0, callbacks=users)
"""
FULL = """
    import pathlib, resource, sys
    import numpy as np, keras, cbreplay
    from cbreplay.record.recording import FitChanges, WatchedModels
    root = pathlib.Path(sys.argv[1])
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    def fill(epoch, logs):
        if epoch == 2:
            size = (root / "a" / "logs.csv").stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    def free(epoch, logs):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    X = np.ones((8, 1)); model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    listed = [
        keras.callbacks.LambdaCallback(on_epoch_end=fill),
        cbreplay.Recorder(root / "a"),
        keras.callbacks.LambdaCallback(on_epoch_end=free),
    ]
    with WatchedModels(root / "runs", FitChanges()) as models:
        model.fit(X, X, epochs=4, verbose=0, callbacks=listed)
    print(len(models.directories), models.n_in_part)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_fit_whose_log_was_cut_short_is_recorded_in_part(tmp_path: Path) -> None:
    # in a process of its own: TensorFlow writes no events after a file that was full
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", textwrap.dedent(FULL), str(tmp_path)],
        capture_output=True,
        check=True,
        text=True,
    )
    assert "CSVLogger stopped logging into" in done.stderr
    assert read_column(tmp_path / "a", "epoch") == ["0", "1"]
    assert done.stdout.split() == ["1", "1"]


DEATHS = [
    ("raise ValueError('!')", 1, {"by": "error", "epoch": 1}),
    ("raise KeyboardInterrupt", -signal.SIGINT, {"by": "interrupt", "epoch": 1}),
    ("sys.exit(7)", 7, {"by": "unknown", "epoch": 1}),
    ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, None),
]


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, Path]]:
    """The status of each process that died, and its directory."""
    root = tmp_path_factory.mktemp("dead")
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(root)]
        + [act for act, *_ in DEATHS],
        capture_output=True,
        check=True,
        text=True,
    )
    statuses = map(int, done.stdout.split())
    return [(status, root / str(at)) for at, status in enumerate(statuses)]


@pytest.mark.parametrize("number", range(len(DEATHS)), ids=[act for act, *_ in DEATHS])
def test_a_process_that_dies_in_a_fit_leaves_its_end(
    dead: list[tuple[int, Path]], number: int
) -> None:
    _, status, ended = DEATHS[number]
    returned, out = dead[number]
    assert returned == status
    assert read_json(out)["ended"] == ended
    (run,) = load_runs(out)
    assert run.recorded_epochs == 2
    if ended is None:
        assert any("it was killed" in note for note in run.notes)
