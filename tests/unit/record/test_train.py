from __future__ import annotations

import csv
import errno
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from cbreplay import load_runs
from cbreplay.errors import (
    ConfigError,
    MissingExtraError,
    OutputError,
    UnknownMonitorError,
)
from cbreplay.readers.discovery.run_json import parse_run_metadata
from cbreplay.record import EXPERIMENTS, train_experiment
from cbreplay.rules.keras.early_stopping import EarlyStopping
from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau
from cbreplay.system.run_lock import RunLock, find_writer
from tests.run_schema import check_schema, validate_run_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cbreplay.run_metadata import RunMetadata

# numpy 2.4 warns about how Keras 3.15.1 turns a TensorFlow variable into an array
pytestmark = [
    pytest.mark.keras,
]

# an improvement that no epoch reaches, so that every epoch after the first waits
OUT_OF_REACH = 100.0


def read_rows(directory: Path) -> list[dict[str, str]]:
    with (directory / "logs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def read_metadata(directory: Path) -> RunMetadata:
    path = directory / "run.json"
    return parse_run_metadata(path.read_text(), source=str(path))


def at_epoch_end(act: Callable[[int], None]) -> Any:
    """Return a user's own Keras callback."""
    import keras

    return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: act(epoch))


def raise_at(epoch: int, error: BaseException) -> Any:
    def act(current: int) -> None:
        if current == epoch:
            raise error

    return at_epoch_end(act)


WHOLE = {"logs.csv", "tensorboard", "run.json", "resume.keras"}


def _interrupt_the_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first file of the model's state come with an interrupt."""
    from cbreplay.record.fit import WatchedFit

    save = WatchedFit.save_state

    def interrupted(fit: WatchedFit) -> None:
        monkeypatch.undo()
        (fit.out / "unfinished.resume.keras").write_text("half")
        signal.raise_signal(signal.SIGINT)
        save(fit)

    monkeypatch.setattr(WatchedFit, "save_state", interrupted)


def _fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _fail_half_written(_model: object, path: Path) -> None:
    path.write_text("half")
    _fail()


@pytest.fixture(autouse=True)
def _usual_handler() -> Iterator[None]:
    """Ctrl-C as at a terminal; what is started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def plain_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three epochs of a small experiment, without callbacks."""
    return train_experiment(
        "diabetes", out=tmp_path_factory.mktemp("plain") / "run", epochs=3
    )


class TestARunDirectory:
    def test_holds_the_logs_the_events_and_how_they_were_made(
        self, plain_run: Path
    ) -> None:
        found = sorted(path.name for path in plain_run.iterdir())
        assert found == ["logs.csv", "resume.keras", "run.json", "tensorboard"]

    def test_has_one_row_for_each_epoch(self, plain_run: Path) -> None:
        rows = read_rows(plain_run)
        assert [row["epoch"] for row in rows] == ["0", "1", "2"]
        assert list(rows[0]) == ["epoch", "loss", "mae", "val_loss", "val_mae"]

    def test_has_small_event_files_of_training_and_validation(
        self, plain_run: Path
    ) -> None:
        for part in ("train", "validation"):
            (events,) = (plain_run / "tensorboard" / part).iterdir()
            assert 200 < events.stat().st_size < 2_000

    def test_says_that_it_ended_as_planned(self, plain_run: Path) -> None:
        ended = read_metadata(plain_run).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("plan", 2)

    def test_holds_the_rate_as_the_float32_that_keras_trains_at(
        self, plain_run: Path
    ) -> None:
        # float32(0.01), as in definitions.md
        assert read_metadata(plain_run).initial_learning_rate == 0.009999999776482582

    def test_names_the_plan_and_what_trained(self, plain_run: Path) -> None:
        contents = json.loads((plain_run / "run.json").read_text())
        # 442 patients, 133 of them held out: 309 in steps of 32
        assert contents["fit"] == {
            "epochs": 3,
            "initial_epoch": 0,
            "validation_freq": 1,
            "batch_size": 32,
            "steps": 10,
        }
        assert contents["callbacks"] == [
            "CSVLogger('logs.csv')",
            "TensorBoard('tensorboard')",
        ]
        assert contents["keras"]["backend"] == "tensorflow"
        assert contents["wall_seconds"] > 0

    def test_follows_the_schema(self, plain_run: Path) -> None:
        check_schema(plain_run / "run.json")


@pytest.mark.parametrize(
    ("experiment", "metrics"),
    [
        ("diabetes", {"loss": "min", "mae": "min"}),
        ("breast-cancer", {"loss": "min", "accuracy": "max"}),
        ("digits-mlp", {"loss": "min", "accuracy": "max"}),
        ("digits-cnn", {"loss": "min", "accuracy": "max"}),
    ],
)
def test_every_experiment_trains_and_knows_its_directions(
    experiment: str, metrics: dict[str, str], tmp_path: Path
) -> None:
    train_experiment(experiment, out=tmp_path / "run", epochs=1, batch_size=256)
    assert read_metadata(tmp_path / "run").metrics == metrics
    assert len(read_rows(tmp_path / "run")) == 1


class TestTheSameSeed:
    @pytest.mark.parametrize("experiment", ["digits-mlp", "digits-cnn"])
    def test_gives_the_same_log_byte_for_byte(
        self, experiment: str, tmp_path: Path
    ) -> None:
        logs = []
        for name in ("one", "other"):
            out = train_experiment(experiment, out=tmp_path / name, epochs=3, seed=7)
            logs.append((out / "logs.csv").read_bytes())
        assert logs[0] == logs[1]

    def test_is_what_another_log_does_not_have(
        self, plain_run: Path, tmp_path: Path
    ) -> None:
        out = train_experiment("diabetes", out=tmp_path / "run", epochs=3, seed=1)
        assert (out / "logs.csv").read_bytes() != (plain_run / "logs.csv").read_bytes()


class TestCallbacks:
    def test_that_reduce_the_rate_stand_before_the_logs(self, tmp_path: Path) -> None:
        callback = ReduceLROnPlateau(patience=1, factor=0.5, min_delta=OUT_OF_REACH)
        out = train_experiment(
            "diabetes", out=tmp_path / "run", epochs=4, callbacks=[callback]
        )
        rates = [float(row["learning_rate"]) for row in read_rows(out)]
        # the first epoch improves on nothing; each later one halves what follows it
        assert rates == pytest.approx([0.01, 0.01, 0.005, 0.0025], rel=1e-7)

    def test_are_listed_with_what_is_not_default_in_fits_order(
        self, tmp_path: Path
    ) -> None:
        import keras

        callbacks = [
            ReduceLROnPlateau(patience=4, factor=0.5),
            keras.callbacks.EarlyStopping("loss", patience=9),
        ]
        out = train_experiment(
            "diabetes", out=tmp_path / "run", epochs=1, callbacks=callbacks
        )
        assert read_metadata(out).callbacks == (
            "ReduceLROnPlateau(factor=0.5, patience=4)",
            "EarlyStopping(monitor='loss', patience=9)",
            "CSVLogger('logs.csv')",
            "TensorBoard('tensorboard')",
        )

    def test_are_refused_when_they_monitor_what_is_not_logged(
        self, tmp_path: Path
    ) -> None:
        with pytest.raises(UnknownMonitorError, match="loss, mae, val_loss, val_mae"):
            train_experiment(
                "diabetes",
                out=tmp_path / "run",
                callbacks=[EarlyStopping(monitor="val_acc")],
            )
        assert not (tmp_path / "run").exists()


class TestEndedBy:
    def test_is_the_callback_that_stopped_the_fit(self, tmp_path: Path) -> None:
        stop = EarlyStopping(patience=2, min_delta=OUT_OF_REACH)
        out = train_experiment(
            "diabetes", out=tmp_path / "run", epochs=9, callbacks=[stop]
        )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("EarlyStopping", 2)

    def test_is_the_first_in_the_list_when_two_ask_in_one_epoch(
        self, tmp_path: Path
    ) -> None:
        import keras

        class OwnStopping(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # keras is untyped
            pass

        settings = {"patience": 1, "min_delta": OUT_OF_REACH}
        both = [OwnStopping(**settings), keras.callbacks.EarlyStopping(**settings)]
        for number, callbacks in enumerate((both, both[::-1])):
            out = train_experiment(
                "diabetes", out=tmp_path / str(number), epochs=9, callbacks=callbacks
            )
            ended = read_metadata(out).ended
            assert ended is not None
            assert ended.by == type(callbacks[0]).__name__

    def test_is_the_callback_that_broke_off_an_epoch(self, tmp_path: Path) -> None:
        import keras

        # in full batches this rate diverges over several epochs; see sample_logs
        out = train_experiment(
            "diabetes",
            out=tmp_path / "run",
            epochs=20,
            learning_rate=0.8,
            batch_size=512,
            callbacks=[
                EarlyStopping(patience=50),
                keras.callbacks.TerminateOnNaN(),
            ],
        )
        ended = read_metadata(out).ended
        losses = [float(row["loss"]) for row in read_rows(out)]
        assert ended is not None
        assert ended.by == "TerminateOnNaN"
        assert ended.epoch == len(losses) - 1
        assert losses[-1] in (float("inf"), pytest.approx(float("nan"), nan_ok=True))

    def test_is_an_interrupt_and_the_files_are_whole(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt):
            train_experiment(
                "diabetes",
                out=out,
                epochs=9,
                callbacks=[raise_at(2, KeyboardInterrupt())],
            )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("interrupt", 1)
        assert [row["epoch"] for row in read_rows(out)] == ["0", "1"]
        check_schema(out / "run.json")

    def test_is_recorded_whatever_interrupts_the_recording(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ctrl-C while the model is saved at the end of a whole fit."""
        _interrupt_the_saving(monkeypatch)
        out = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt):
            train_experiment("diabetes", out=out, epochs=2)
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("plan", 1)
        assert {path.name for path in out.iterdir()} == WHOLE

    def test_is_the_first_of_two_interrupts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ctrl-C, and once more while the first is answered."""
        _interrupt_the_saving(monkeypatch)
        out = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt):
            train_experiment(
                "diabetes",
                out=out,
                epochs=9,
                callbacks=[raise_at(1, KeyboardInterrupt())],
            )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("interrupt", 0)
        assert {path.name for path in out.iterdir()} == WHOLE
        train_experiment("diabetes", out=out, epochs=3, append=True)
        assert [row["epoch"] for row in read_rows(out)] == ["0", "1", "2"]

    def test_is_an_interrupt_whatever_keras_makes_of_it(self, tmp_path: Path) -> None:
        out = tmp_path / "run"

        def convert(_epoch: int) -> None:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt as error:
                message = "the step failed"
                raise RuntimeError(message) from error

        with pytest.raises(RuntimeError):
            train_experiment(
                "diabetes", out=out, epochs=9, callbacks=[at_epoch_end(convert)]
            )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("interrupt", None)

    @pytest.mark.parametrize("other", [False, True], ids=["moved", "another there"])
    def test_is_recorded_nowhere_where_the_directory_went(
        self, tmp_path: Path, *, other: bool
    ) -> None:
        """Moved away in the middle; in the second case another run took its name."""
        out, away = tmp_path / "run", tmp_path / "away"

        def move(epoch: int) -> None:
            if epoch == 1:
                out.rename(away)
                if other:
                    out.mkdir()
                    (out / "logs.csv").write_text("epoch,loss\n0,1\n1,1\n2,1\n")

        with pytest.raises(OutputError, match=r"logs\.csv: it was removed, moved"):
            train_experiment(
                "diabetes", out=out, epochs=9, callbacks=[at_epoch_end(move)]
            )
        assert not (out / "run.json").exists()
        assert not (out / "resume.keras").exists()
        if other:
            assert (out / "logs.csv").read_text().endswith("2,1\n")
        assert read_metadata(away).ended is None

    def test_is_recorded_on_a_disk_that_is_full(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where one block is left, it is that of run.json; no state of its model."""
        import keras

        out = tmp_path / "run"
        train_experiment("diabetes", out=out, epochs=2)
        monkeypatch.setattr(keras.Model, "save", _fail_half_written)
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.raises(OutputError, match="run: No space left on device"):
            train_experiment(
                "diabetes",
                out=out,
                epochs=9,
                append=True,
                callbacks=[raise_at(4, full)],
            )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("error", 3)
        # the state that lay there is of another epoch
        assert {path.name for path in out.iterdir()} == WHOLE - {"resume.keras"}
        with pytest.raises(ConfigError, match=r"it holds no resume\.keras"):
            train_experiment("diabetes", out=out, epochs=9, append=True)

    def test_that_cannot_be_recorded_is_told_by_the_lock(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = tmp_path / "run"

        def fill(epoch: int) -> None:
            if epoch == 1:
                monkeypatch.setattr("cbreplay.system.whole_files._write_new", _fail)

        with pytest.raises(OutputError, match=r"run\.json: No space left on device"):
            train_experiment(
                "diabetes", out=out, epochs=3, callbacks=[at_epoch_end(fill)]
            )
        assert read_metadata(out).ended is None
        holder = find_writer(out)
        assert holder is not None
        assert (holder.state, holder.gave_up) == ("dead", True)
        (run,) = load_runs(out)
        assert any("could not be recorded any further" in note for note in run.notes)

    def test_is_an_error_that_is_raised_again(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        with pytest.raises(RuntimeError, match="a defect of the user's"):
            train_experiment(
                "diabetes",
                out=out,
                epochs=9,
                callbacks=[raise_at(0, RuntimeError("a defect of the user's"))],
            )
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("error", None)
        check_schema(out / "run.json")

    def test_is_open_while_the_fit_runs(self, tmp_path: Path) -> None:
        out, seen = tmp_path / "run", []
        watch = at_epoch_end(lambda _: seen.append((out / "run.json").read_text()))
        train_experiment("diabetes", out=out, epochs=1, callbacks=[watch])
        assert parse_run_metadata(seen[0], source="seen").ended is None
        assert json.loads(seen[0])["metrics"] == {"loss": "min", "mae": "min"}
        validate_run_json(json.loads(seen[0]))


class TestAResumedFit:
    def test_goes_on_where_the_first_one_ended(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        train_experiment("diabetes", out=out, epochs=3)
        train_experiment("diabetes", out=out, epochs=5, append=True)
        rows = read_rows(out)
        metadata = read_metadata(out)
        assert [row["epoch"] for row in rows] == ["0", "1", "2", "3", "4"]
        assert (metadata.fit.initial_epoch, metadata.fit.epochs) == (3, 5)
        (earlier,) = metadata.earlier_fits
        assert (earlier.fit.initial_epoch, earlier.fit.epochs) == (0, 3)
        assert earlier.ended is not None
        assert (earlier.ended.by, earlier.ended.epoch) == ("plan", 2)
        check_schema(out / "run.json")

    def test_begins_with_the_weights_and_the_steps_of_the_first(
        self, tmp_path: Path
    ) -> None:
        import keras

        out = tmp_path / "run"
        train_experiment("diabetes", out=out, epochs=3)
        first = keras.saving.load_model(out / "resume.keras").get_weights()
        begun: list[Any] = []

        def look(_logs: object = None) -> None:
            begun.append([weights.copy() for weights in spy.model.get_weights()])
            begun.append(int(spy.model.optimizer.iterations.numpy()))

        spy = keras.callbacks.LambdaCallback(on_train_begin=look)
        train_experiment("diabetes", out=out, epochs=4, append=True, callbacks=[spy])
        assert begun[1] == 30  # three epochs of ten steps
        assert all((a == b).all() for a, b in zip(first, begun[0], strict=True))

    def test_goes_on_at_the_reduced_rate(self, tmp_path: Path) -> None:
        out = tmp_path / "run"
        callback = ReduceLROnPlateau(patience=1, factor=0.5, min_delta=OUT_OF_REACH)
        for epochs in (2, 4):
            train_experiment(
                "diabetes",
                out=out,
                epochs=epochs,
                callbacks=[callback],
                append=epochs > 2,
            )
        rates = [float(row["learning_rate"]) for row in read_rows(out)]
        # reduced after epoch 1; the new callback waits from its own first epoch on
        assert rates == pytest.approx([0.01, 0.01, 0.005, 0.005], rel=1e-7)

    def test_takes_nothing_but_numbers_from_the_file_of_the_model(
        self, tmp_path: Path
    ) -> None:
        plain, hostile = tmp_path / "plain", tmp_path / "hostile"
        train_experiment("diabetes", out=plain, epochs=2)
        shutil.copytree(plain, hostile)
        with zipfile.ZipFile(plain / "resume.keras") as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
        # to Keras this names a function of any module, and what to call it with
        held["config.json"] = json.dumps(
            {
                "module": "os",
                "class_name": "mkdir",
                "config": {"path": str(tmp_path / "acted")},
            }
        ).encode()
        with zipfile.ZipFile(hostile / "resume.keras", "w") as archive:
            for name, content in held.items():
                archive.writestr(name, content)
        for out in (plain, hostile):
            train_experiment("diabetes", out=out, epochs=4, append=True)
        assert (plain / "logs.csv").read_bytes() == (hostile / "logs.csv").read_bytes()
        assert not (tmp_path / "acted").exists()

    @pytest.mark.parametrize("held", ["", "no archive", "another experiment's"])
    def test_a_file_that_holds_no_such_model_is_refused(
        self, tmp_path: Path, plain_run: Path, held: str
    ) -> None:
        out, state = tmp_path / "run", tmp_path / "run" / "resume.keras"
        shutil.copytree(plain_run, out)
        state.write_text(held)
        if held.startswith("another"):
            train_experiment("digits-mlp", out=tmp_path / "other", epochs=1)
            shutil.copyfile(tmp_path / "other" / "resume.keras", state)
        before = (out / "run.json").read_bytes()
        with pytest.raises(ConfigError, match=r"its resume\.keras does not hold"):
            train_experiment("diabetes", out=out, epochs=9, append=True)
        assert (out / "run.json").read_bytes() == before

    def test_after_an_interrupt_begins_at_the_last_epoch_that_was_logged(
        self, plain_run: Path, tmp_path: Path
    ) -> None:
        import keras

        out = tmp_path / "run"
        with pytest.raises(KeyboardInterrupt):
            train_experiment(
                "diabetes",
                out=out,
                epochs=9,
                callbacks=[raise_at(3, KeyboardInterrupt())],
            )
        # the same seed, planned to end at that epoch
        planned = keras.saving.load_model(plain_run / "resume.keras")
        left = keras.saving.load_model(out / "resume.keras")
        for kept, broken in zip(planned.weights, left.weights, strict=True):
            assert (kept.numpy() == broken.numpy()).all()
        train_experiment("diabetes", out=out, epochs=4, append=True)
        assert [row["epoch"] for row in read_rows(out)] == ["0", "1", "2", "3"]

    def test_keeps_the_columns_when_its_first_epoch_is_not_validated(
        self, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        callbacks = [ReduceLROnPlateau("loss")]
        train_experiment("diabetes", out=out, epochs=2, callbacks=callbacks)
        train_experiment(
            "diabetes",
            out=out,
            epochs=5,
            append=True,
            validation_freq=2,
            callbacks=callbacks,
        )
        rows = read_rows(out)
        # Keras validates after every second epoch counted from one: epochs 1, 3, ...
        validated = [row["val_loss"] not in ("NA", None) for row in rows]
        assert validated == [True, True, False, True, False]
        assert all(None not in row for row in rows)

    def test_stops_before_a_row_that_the_header_has_no_column_for(
        self, tmp_path: Path
    ) -> None:
        import keras

        def log_more(_epoch: int, logs: dict[str, float]) -> None:
            logs["gap"] = logs["val_loss"] - logs["loss"]

        out = train_experiment("diabetes", out=tmp_path / "run", epochs=1)
        before = (out / "logs.csv").read_bytes()
        more = keras.callbacks.LambdaCallback(on_epoch_end=log_more)
        with pytest.raises(ConfigError, match="no column for gap"):
            train_experiment(
                "diabetes", out=out, epochs=2, append=True, callbacks=[more]
            )
        assert (out / "logs.csv").read_bytes() == before
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("error", 0)

    def test_is_refused_without_what_wrote_the_rate_column(
        self, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        train_experiment("diabetes", out=out, epochs=1, callbacks=[ReduceLROnPlateau()])
        with pytest.raises(ConfigError, match="has a column learning_rate"):
            train_experiment("diabetes", out=out, epochs=2, append=True)

    def test_is_refused_where_there_is_no_run(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"holds no run\.json"):
            train_experiment("diabetes", out=tmp_path / "none", append=True)
        assert not (tmp_path / "none").exists()

    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ({"epochs": 3}, "epochs is 3; it has to be more than the 3"),
            ({"epochs": 9, "seed": 1}, "seed is 1; it has to be 0"),
            ({"epochs": 9, "learning_rate": 0.1}, "has to be left out"),
            ({"epochs": 9, "callbacks": [ReduceLROnPlateau()]}, "no column"),
        ],
    )
    def test_is_refused_when_it_does_not_fit_the_run(
        self, settings: dict[str, Any], complaint: str, plain_run: Path
    ) -> None:
        before = (plain_run / "run.json").read_bytes()
        with pytest.raises(ConfigError, match=complaint):
            train_experiment("diabetes", out=plain_run, append=True, **settings)
        assert (plain_run / "run.json").read_bytes() == before

    def test_is_refused_for_another_experiment(self, plain_run: Path) -> None:
        with pytest.raises(ConfigError, match="'diabetes', which the run to resume"):
            train_experiment("digits-mlp", out=plain_run, append=True)

    def test_is_refused_without_the_state_of_the_first(self, tmp_path: Path) -> None:
        out = train_experiment("diabetes", out=tmp_path / "run", epochs=1)
        (out / "resume.keras").unlink()
        with pytest.raises(ConfigError, match=r"holds no resume\.keras"):
            train_experiment("diabetes", out=out, epochs=2, append=True)

    def test_is_refused_after_a_fit_that_was_killed(self, tmp_path: Path) -> None:
        out = train_experiment("diabetes", out=tmp_path / "run", epochs=1)
        contents = json.loads((out / "run.json").read_text())
        (out / "run.json").write_text(json.dumps(contents | {"ended": None}))
        with pytest.raises(ConfigError, match="no end is recorded at epoch 1 of 1"):
            train_experiment("diabetes", out=out, epochs=2, append=True)

    def test_is_refused_when_the_log_ends_elsewhere(self, tmp_path: Path) -> None:
        out = train_experiment("diabetes", out=tmp_path / "run", epochs=2)
        text = (out / "logs.csv").read_text()
        (out / "logs.csv").write_text(text[: text.rindex("\n1,") + 1])
        with pytest.raises(ConfigError, match=r"ends at epoch 0, its run\.json at 1"):
            train_experiment("diabetes", out=out, epochs=3, append=True)


@pytest.fixture
def training(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A training of another process that has logged some epochs, and goes on."""
    out = tmp_path / "run"
    words = ["train", "diabetes", "--epochs", "100000", "--out", str(out)]
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "cbreplay", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not (out / "logs.csv").exists() or len(read_rows(out)) < 3:
            assert process.poll() is None
            time.sleep(0.1)
        yield process, out
        process.kill()


@pytest.mark.slow
class TestTheWriterOfADirectory:
    def test_is_one_and_is_named_when_it_was_killed(
        self, training: tuple[subprocess.Popen[bytes], Path]
    ) -> None:
        process, out = training
        with pytest.raises(OutputError, match=f"process {process.pid} on .* writes"):
            train_experiment("diabetes", out=out, epochs=1)
        (run,) = load_runs(out)
        running = f"of 100000: it is still running (process {process.pid} on "
        assert any(running in note for note in run.notes)
        process.kill()
        process.wait()
        (run,) = load_runs(out)
        epoch = run.horizon + 1
        killed = f"no end is recorded at epoch {epoch} of 100000: it was killed"
        assert killed in run.notes
        with pytest.raises(ConfigError, match=killed):
            train_experiment("diabetes", out=out, append=True)

    def test_records_its_end_when_it_is_asked_to_end(
        self, training: tuple[subprocess.Popen[bytes], Path]
    ) -> None:
        process, out = training
        process.terminate()
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err.splitlines()[-1]) == (143, b"ended by a signal")
        (run,) = load_runs(out)
        assert not [note for note in run.notes if "no end" in note]
        ended = read_metadata(out).ended
        assert ended is not None
        assert (ended.by, ended.epoch) == ("interrupt", run.horizon)
        assert sorted(path.name for path in out.iterdir()) == [
            "logs.csv",
            "resume.keras",
            "run.json",
            "tensorboard",
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            ({"epochs": 0}, "epochs is 0; .*epochs="),
            ({"epochs": True}, "epochs is True, where a whole number"),
            ({"batch_size": -4}, "batch_size is -4; .* batch_size="),
            ({"validation_freq": 0}, "validation_freq is 0; .* validation_freq="),
            ({"seed": -1}, "seed is -1; .* from 0 to 4294967295 .* seed="),
            ({"seed": 2**32}, "seed is 4294967296"),
            ({"learning_rate": 0.0}, "learning_rate is 0.0; .* learning_rate="),
            ({"learning_rate": float("nan")}, "learning_rate is nan"),
            ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ],
    )
    def test_name_the_value_what_is_allowed_and_the_option(
        self, settings: dict[str, Any], complaint: str, tmp_path: Path
    ) -> None:
        with pytest.raises(ConfigError, match=complaint):
            train_experiment("diabetes", out=tmp_path / "run", **settings)
        assert not (tmp_path / "run").exists()

    def test_of_an_experiment_name_the_ones_there_are(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="did you mean 'digits-mlp'") as caught:
            train_experiment("digit-mlp", out=tmp_path / "run")
        assert all(name in str(caught.value) for name in EXPERIMENTS)

    def test_of_a_directory_that_is_not_empty_name_the_way_out(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "precious.txt").write_text("kept")
        with pytest.raises(OutputError, match=r"not empty.* out=") as caught:
            train_experiment("diabetes", out=tmp_path, epochs=1)
        assert "--append" not in str(caught.value)
        assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]

    def test_of_a_second_writer_come_before_anything_is_read_or_made(
        self, plain_run: Path
    ) -> None:
        before = {path: path.read_bytes() for path in plain_run.glob("*.*")}
        with RunLock(plain_run):
            for append in (False, True):
                with pytest.raises(OutputError, match="writes a run into it"):
                    train_experiment("diabetes", out=plain_run, epochs=9, append=append)
        assert {path: path.read_bytes() for path in plain_run.glob("*.*")} == before

    def test_of_a_file_as_directory(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for out in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(OutputError, match="Choose another directory"):
                train_experiment("diabetes", out=out, epochs=1)

    @pytest.mark.parametrize("module", ["tensorflow", "sklearn"])
    def test_of_a_missing_extra_come_before_anything_is_made(
        self, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=module) as caught:
            train_experiment("diabetes", out=tmp_path / "run")
        assert caught.value.extra == "train"
        assert not (tmp_path / "run").exists()
