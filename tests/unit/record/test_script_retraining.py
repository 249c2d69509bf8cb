"""A script is run again, and one of its fits is held against a replay."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cbreplay import ConfigError, Run, load_runs, parse_callbacks
from cbreplay.cli.main import main
from cbreplay.cli.record import read_program
from cbreplay.record import run_directory
from cbreplay.record.confirming import confirm_replay
from cbreplay.record.launch import Program
from cbreplay.record.script_retraining import RetrainedScript, _run

TRAINING = """
    import sys
    import cbreplay, keras, numpy as np

    keras.utils.set_random_seed(1)
    x = np.random.rand(48, 3).astype("float32")
    y = x.sum(1, keepdims=True) + 0.3 * np.random.rand(48, 1)
    for part in range(2):
        model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.4), "mse")
        users = [
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: logs.update(extra=epoch / 2)
            ),
            keras.callbacks.EarlyStopping(patience=20),
        ]
        if part == 1:
            users = cbreplay.recorded(users, "own")
        model.fit(
            x, y, batch_size=8, initial_epoch=3, epochs=11, verbose=2, callbacks=users,
            validation_split=0.5,
        )
    print("no part of the answer")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("script")
    (folder / "train.py").write_text(textwrap.dedent(TRAINING))
    return folder


@pytest.fixture
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.keras
@pytest.mark.slow
def test_a_fit_of_a_script_that_records_itself_is_held_against_it(
    there: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import subprocess
    import sys

    # as its user runs it; what it wrote lies there when it is run again
    subprocess.run([sys.executable, "train.py"], check=True, capture_output=True)
    (run,) = load_runs("own")
    assert (run.first_epoch, run.n_epochs) == (3, 8)
    before = {path: path.stat().st_mtime_ns for path in there.rglob("*")}
    setting = [
        "EarlyStopping('extra', patience=2, mode='min', restore_best_weights=True)",
        "ModelCheckpoint('best.keras', 'extra', mode='min', save_best_only=True)",
        "ModelCheckpoint('a/e{epoch:02d}.weights.h5', save_weights_only=True)",
    ]
    confirmed = confirm_replay(
        run, parse_callbacks(*setting), script=Program("script", "train.py")
    )
    told = {entry.name: (entry.predicted, entry.trained) for entry in confirmed.items}
    # the fourth epoch is the first of the fit, and never bettered
    assert told["stop"] == (5, 5)
    assert told["kept weights"] == (3, 3)
    assert told["best epoch"] == (3, 3)
    assert told["file best.keras"] == (3, 3)
    assert {name: told[f"file a/{name}.weights.h5"] for name in ("e04", "e06")} == {
        "e04": (3, 3),
        "e06": (5, 5),
    }
    assert confirmed.held
    assert {entry.verdict for entry in confirmed.items} == {"held"}
    assert {path: path.stat().st_mtime_ns for path in there.rglob("*")} == before
    assert "no part of the answer" not in capfd.readouterr().out


@pytest.mark.keras
@pytest.mark.slow
def test_a_setting_that_decides_nothing_takes_the_place_of_one_that_does(
    there: Path,
) -> None:
    (there / "stopping.py").write_text(
        (there / "train.py")
        .read_text()
        .replace("patience=20", "patience=1, min_delta=9")
    )
    fit = RetrainedScript(
        Run.from_logs([{"loss": 1.0}]), Program("script", "stopping.py")
    )
    # no second value is better by 9
    assert len(fit.train_as_recorded().logs) == 2
    assert len(fit.train(()).logs) == 8


@pytest.mark.keras
@pytest.mark.slow
def test_a_script_without_a_seed_is_a_finding_with_its_cause(
    there: Path,
) -> None:
    unseeded = (there / "train.py").read_text().replace("keras.utils.set", "1 or (")
    (there / "unseeded.py").write_text(
        unseeded.replace("_random_seed(1)", "None)").replace("own", "unseeded own")
    )
    logs = [{"loss": 1.0, "val_loss": 1.0}]
    with pytest.raises(ConfigError, match="its script sets no seed"):
        confirm_replay(
            Run.from_logs(logs),
            parse_callbacks("EarlyStopping()"),
            script=Program("script", "unseeded.py"),
        )


def test_a_script_that_is_not_there_is_refused_before_anything_is_trained(
    there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (there / "log.csv").write_text("epoch,val_loss\n0,1.0\n1,0.5\n")
    words = ["confirm", "log.csv", "--patience", "1", "--script"]
    assert main([*words, "nothere.py"]) == 2
    assert "'nothere.py' is not there" in capsys.readouterr().err
    assert main([*words, "'"]) == 2
    assert "--script" in capsys.readouterr().err


def test_a_script_that_fails_is_told_with_its_last_words(there: Path) -> None:
    (there / "failing.py").write_text("raise SystemExit('a\\nno data here ')\n")
    retrained = RetrainedScript(
        Run.from_logs([{"loss": 1.0}]), Program("script", "failing.py")
    )
    with pytest.raises(ConfigError) as caught:
        retrained.train_as_recorded()
    assert str(caught.value) == (
        "no fit of failing.py came to its end (status 1): no data here"
    )


def test_a_callback_that_no_other_process_can_have_is_refused(there: Path) -> None:
    (there / "empty.py").write_text("")
    retrained = RetrainedScript(
        Run.from_logs([{"loss": 1.0}]), Program("script", "empty.py")
    )
    with pytest.raises(ConfigError, match="cannot be handed to the process"):
        retrained.train([lambda: None])


def test_what_stood_behind_record_is_read_as_record_reads_it(there: Path) -> None:
    (there / "empty.py").write_text("")
    words = ["--without", "EarlyStopping", "--epochs", "7", "empty.py", "--seed", "3"]
    program = read_program(words)
    assert (program.kind, program.target) == ("script", "empty.py")
    assert program.arguments == ("--seed", "3")
    assert (program.without, program.epochs) == (("EarlyStopping",), 7)
    assert read_program(["-m", "pk.train"])[:2] == ("module", "pk.train")


class TestARecordPlacedElsewhere:
    @pytest.fixture(autouse=True)
    def _nowhere_afterwards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_directory, "_below", [])

    def test_is_where_it_was_asked_for_otherwise(self) -> None:
        assert run_directory.place_record(Path("a")) == Path("a")

    def test_shares_its_directory_with_no_other(self, tmp_path: Path) -> None:
        run_directory.place_records_below(tmp_path)
        places = [run_directory.place_record(Path("a")) for _ in range(2)]
        assert places == [tmp_path / "own1", tmp_path / "own2"]


@pytest.mark.keras
class TestASettingInPlace:
    def names(self, users: list[Any], *texts: str) -> list[str]:
        from cbreplay.record.seen_training import HeldFits

        held = HeldFits(Path(), Path(), 1, tuple(parse_callbacks(*texts)))
        return [type(each).__name__ for each in held.put_into(users)]

    def test_takes_the_place_of_the_first_that_decides(self) -> None:
        from keras import callbacks

        class Patient(callbacks.EarlyStopping):  # type: ignore[misc]  # keras is untyped
            pass

        users = [
            callbacks.LambdaCallback(),
            Patient(),
            callbacks.CSVLogger("log.csv"),
            callbacks.ReduceLROnPlateau(),
        ]
        assert self.names(users, "TerminateOnNaN()", "EarlyStopping()") == [
            "LambdaCallback",
            "TerminateOnNaN",
            "EarlyStopping",
            "CSVLogger",
        ]

    def test_stands_last_where_none_decides(self) -> None:
        from keras import callbacks

        assert self.names([callbacks.LambdaCallback()], "EarlyStopping()") == [
            "LambdaCallback",
            "EarlyStopping",
        ]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_while_the_script_is_started_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process is there, and nobody has its name yet."""
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _run([sys.executable, "-c", "import time; time.sleep(60)"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert started[0].returncode == -signal.SIGKILL
